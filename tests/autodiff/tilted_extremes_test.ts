import { assert, assertEquals, assertThrows } from "@std/assert";
import { Graph, type Tensor } from "../../src/graph/graph.ts";
import { KernelRun } from "../../src/autodiff/kernel_run.ts";
import { broadcast, input } from "../../src/graph/operations.ts";
import { Parameter } from "../../src/graph/parameter.ts";
import { type Tilt, TILT_KNOTS } from "../../src/graph/tilt.ts";
import { primitives } from "../../src/autodiff/primitives.ts";
import { tiltedDecode, tiltedEncode, tiltedLogProb } from "../../src/graph/tilted_operations.ts";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { assertClose, FLOAT32_ROUNDING } from "../support/assert_close.ts";
import { exampleDensity, kernels, type OneDensity, reference } from "../support/one_density.ts";
import { exampleEvaluation, exampleTilt } from "../support/tilted_examples.ts";

await loadKernels();

const names = ["tiltedLogProb", "tiltedEncode", "tiltedDecode"] as const;
const wall = { cutoffSquared: 100, values: new Float32Array(3).fill(200) };
const half = { cutoffSquared: 1, values: Float32Array.of(1600, 1600, 1600) };

/** Straight knots from −1 to 1 without one-body energies. */
const straight = (dim: number) =>
  Float64Array.from({ length: 2 * dim * TILT_KNOTS }, (_, i) => i < dim * TILT_KNOTS ? (i % TILT_KNOTS) / 64 - 1 : 0);

const extremes: Readonly<Record<string, OneDensity>> = {
  "flat": { ...exampleDensity(exampleTilt({ neighbours: 0 })), features: new Float64Array(16), knots: straight(2) },
  "energies of 600 everywhere": exampleDensity(exampleTilt({ tables: [wall], pairs: [0, 0, 0] })),
  "energies of 1600 in one half": {
    ...exampleDensity(exampleTilt({ tables: [half], pairs: [0] })),
    neighbours: Float64Array.of(-1, 0.1),
  },
  "steep": { ...exampleDensity(exampleTilt()), features: Float64Array.from({ length: 16 }, (_, k) => k % 5 * 20 - 40) },
};

for (const [name, density] of Object.entries(extremes)) {
  Deno.test(`tilted density, ${name}: kernels agree with float64 from far inside to far outside`, () => {
    const places = Float64Array.of(0, 0, 0.9, -0.9, -0.95, 0.3, 1, 1, -1, 0.5, 3, -0.2, 0.1, -7, -20, 30, 1e3, 1e4);
    const expected = reference("tiltedLogProb", density, places);
    // ℓ up to 2000 with 8 roundings each, and tails that fall by 50 for each unit of length
    const largest = density.tilt.tables[0].values[0] * density.scale * density.tilt.pairs.length + 300;
    const bound = { absolute: 8 * FLOAT32_ROUNDING * largest, relative: 4 * FLOAT32_ROUNDING };

    assert(expected.every(Number.isFinite));
    assertClose(kernels("tiltedLogProb", density, places), expected, bound);
    assertThrows(() => assertClose(expected.map((v) => v * 1.001 + 0.01), expected, bound), Error, "differs");
    const encoded = kernels("tiltedEncode", density, places);
    reference("tiltedEncode", density, places).forEach((z, i) => {
      // z = √(−2 ln F) far out: an error of ln F over z
      const allowed = i % 3 === 2 ? bound : { absolute: bound.absolute, relative: 20 * FLOAT32_ROUNDING };
      assertClose(encoded[i], z, allowed, `element ${i}`);
    });
  });

  Deno.test(`tilted density, ${name}: r of z between −8 and 8 is ordered, finite and comes back`, () => {
    const n = 161;
    const z = Float64Array.from({ length: 2 * n }, (_, i) => i % 2 === 0 ? Math.fround((i / 2 - 80) / 10) : 0.25);
    const decoded = kernels("tiltedDecode", density, z);
    const exact = reference("tiltedDecode", density, z);
    for (let i = 0; i < n; i++) {
      assert(Number.isFinite(decoded[3 * i]) && Number.isFinite(decoded[3 * i + 1]), `z ${z[2 * i]}`);
      if (i > 0) assert(decoded[3 * i] >= decoded[3 * i - 3] - 1e-6, `z ${z[2 * i]}`);
    }
    // Half a unit of r is p/φ times as much of z; r itself is only as sure as F over p, and beyond |z| = 5 p is nothing
    const encoded = reference("tiltedEncode", density, decoded.filter((_, i) => i % 3 < 2));
    for (let i = 0; i < n; i++) {
      if (Math.abs(z[2 * i]) > 5) continue;
      assertClose(decoded[3 * i], exact[3 * i], { absolute: 2e-3 }, `r of z ${z[2 * i]}`);
      const steepness = Math.exp(Math.min(exact[3 * i + 2], 5)) * 10 + 100;
      assertClose(encoded[3 * i], z[2 * i], { absolute: 40 * steepness * FLOAT32_ROUNDING }, `z ${z[2 * i]}`);
    }
  });
}

Deno.test("tilted density, flat: log p and z are those of the uniform distribution with its tails", () => {
  const density = extremes.flat;
  // each axis: length 2 and two tails of mass (2/100) · 1
  const mass = 2 + 2 * 2 / 100;
  const [logProb] = reference("tiltedLogProb", density, Float64Array.of(0.3, -0.8));
  const [z1, z2] = reference("tiltedEncode", density, Float64Array.of(0, -1));

  assertClose(logProb, -2 * Math.log(mass), { absolute: 1e-14 });
  assertClose(z1, 0, { absolute: 1e-15 });
  assertClose(z2, -2.334, { absolute: 1e-3 }); // Φ⁻¹(0.02 / 2.04)
});

Deno.test("tilted densities: NaN in one input of a sample is NaN in all that this sample gives, and nowhere else", () => {
  const tilt = exampleTilt({ fine: 9 });
  const n = 40;
  for (const name of names) {
    const { inputs } = exampleEvaluation(name, tilt, n);
    const graph = new Graph();
    const batches = [0, 1, 2, 4].map((k) => input(graph, `${k}`, inputs[k].length / n));
    const [features, place, scale, neighbours] = batches;
    const knots = new Parameter("knots", [4, TILT_KNOTS], inputs[3], { trainable: false });
    const operation = { tiltedLogProb, tiltedEncode, tiltedDecode }[name];
    const output = operation(features, place, { scale, knots, neighbours, tilt });
    using run = new KernelRun([output], { n, inputGradients: true });
    for (const spoilt of [0, 1, 2, 4]) {
      const values = [0, 1, 2, 4].map((k) => inputs[k].slice());
      const at = values[[0, 1, 2, 4].indexOf(spoilt)];
      at[17 * at.length / n + at.length / n - 1] = NaN;
      const [result] = run.forward(values);
      const gradients = run.backward([new Float64Array(result.length).fill(1)]);

      const ofSample = (rows: Float64Array, s: number) => rows.subarray(s * rows.length / n, (s + 1) * rows.length / n);
      for (const [k, rows] of [result, ...gradients].entries()) {
        const last = ofSample(rows, 17).at(-1)!;
        assert(Number.isNaN(last), `${name}: NaN in input ${spoilt}, element ${k} of results is ${last}`);
        for (let s = 0; s < n; s++) {
          if (s !== 17) assert(ofSample(rows, s).every(Number.isFinite), `${name}: input ${spoilt}, sample ${s}`);
        }
      }
    }
  }
});

/** log p where only the features are differentiated, or everything: the gradient by a row of features. */
function featureGradient(tilt: Tilt, inputGradients: boolean): ArrayLike<number> {
  const n = 70;
  const { inputs } = exampleEvaluation("tiltedLogProb", tilt, n);
  const graph = new Graph();
  const row = new Parameter("row", [tilt.basis ** 2], inputs[0].subarray(0, tilt.basis ** 2));
  const [place, scale, neighbours] = [1, 2, 4].map((k) => input(graph, `${k}`, inputs[k].length / n));
  const knots = new Parameter("knots", [4, TILT_KNOTS], inputs[3], { trainable: false });
  const output: Tensor = tiltedLogProb(broadcast(graph, row), place, { scale, knots, neighbours, tilt });
  using run = new KernelRun([output], { n, gradient: true, inputGradients });
  run.forward([inputs[1], inputs[2], inputs[4]]);
  run.backward([Float64Array.from({ length: n }, (_, i) => Math.sin(i))]);
  return run.gradientOf(row);
}

Deno.test("tiltedLogProb: the score that comes with the value is the derivative that is computed afterwards", () => {
  const tilt = exampleTilt();
  const n = 70;
  const at = exampleEvaluation("tiltedLogProb", tilt, n);
  const features = Float64Array.from(at.inputs[0], (_, i) => at.inputs[0][i % 16]);
  const inputs = at.inputs.with(0, features);
  const output = primitives.tiltedLogProb.forward({ ...at, inputs });
  const [each] = primitives.tiltedLogProb.vjp(
    { ...at, inputs, output },
    Float64Array.from(output, (_, i) => Math.sin(i)),
  );
  const expected = Float64Array.from(
    { length: 16 },
    (_, k) => each!.reduce((sum, g, i) => i % 16 === k ? sum + g : sum, 0),
  );
  // 70 terms, each within 20 half units
  const bound = { absolute: 70 * 20 * FLOAT32_ROUNDING };

  assertClose(featureGradient(tilt, false), expected, bound, "score");
  assertClose(featureGradient(tilt, true), expected, bound, "afterwards");
  assertThrows(() => assertClose(expected.map((g) => 1.001 * g), expected, bound), Error, "differs");
});

Deno.test("tilted operations reject what does not fit", () => {
  const graph = new Graph();
  const tilt = exampleTilt({ basis: 3 });
  const [features, place, scale, q] = [9, 2, 1, 6].map((d, k) => input(graph, `${k}`, d));
  const knots = new Parameter("k", [4, TILT_KNOTS], undefined, { trainable: false });
  const given = { scale, knots, neighbours: q, tilt };
  const rejects = (
    operands: Partial<typeof given>,
    type: new (...args: never[]) => Error,
    message: string,
    at = place,
  ) => assertThrows(() => tiltedLogProb(features, at, { ...given, ...operands }), type as ErrorConstructor, message);
  const { neighbours: _, ...without } = given;

  assertEquals(tiltedEncode(features, place, given).shape, ["n", 3]);
  assertEquals(tiltedDecode(features, place, given).shape, ["n", 3]);
  assertEquals(tiltedLogProb(features, place, given).shape, ["n"]);
  const prefix = "Cannot evaluate a tilted density: ";
  rejects({}, RangeError, `${prefix}r must be [n, 2], got [n, 6]`, q);
  rejects({ scale: place }, RangeError, `${prefix}scale must be [n, 1], got [n, 2]`);
  rejects({ neighbours: place }, RangeError, `${prefix}neighbours must be [n, 6], got [n, 2]`);
  rejects(
    { knots: new Parameter("k", [2, 129], undefined, { trainable: false }) },
    RangeError,
    `${prefix}knots must be [4, 129], got [2, 129]`,
  );
  rejects({ knots: new Parameter("k", [4, 129]) }, TypeError, `${prefix}knots must not be trainable, got k, which is`);
  rejects({ tilt: { ...tilt, fine: 16 } }, RangeError, `${prefix}fine must be 9, 17, 33, 65 or 129, got 16`);
  rejects({ tilt: { ...tilt, basis: 0 } }, RangeError, `${prefix}basis must be a whole number ≥ 1, got 0`);
  rejects({ tilt: { ...tilt, tailRate: 0 } }, RangeError, `${prefix}tailRate must be a positive number, got 0`);
  rejects({ tilt: { ...tilt, pairs: [0, 1, 2] } }, RangeError, `${prefix}pairs must be indices of tables, got 2`);
  const table = { cutoffSquared: 1, values: Float32Array.of(1, NaN) };
  rejects(
    { tilt: { ...tilt, tables: [table, table] } },
    RangeError,
    `${prefix}table 0 must hold finite numbers, got NaN`,
  );
  assertThrows(
    () => tiltedDecode(features, place, without),
    RangeError,
    "Cannot decode by a tilted density: neighbours must be given if and only if there are pairs, got 3 pairs",
  );
});
