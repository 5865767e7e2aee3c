import { assert, assertEquals, assertThrows } from "@std/assert";
import { Graph } from "../../src/graph/graph.ts";
import { input } from "../../src/graph/operations.ts";
import { mixtureDecode, mixtureEncode, mixtureLogProb } from "../../src/graph/conditional_operations.ts";
import { type MixtureAttributes, mixtureFeatures } from "../../src/graph/mixture_features.ts";
import { primitives } from "../../src/autodiff/primitives.ts";
import { assertClose } from "../support/assert_close.ts";
import { vjpFaults, withBrokenVjp } from "../support/broken.ts";
import {
  lastOf,
  mixtureEvaluation,
  mixtureExample,
  type MixtureName,
  sizes,
  styles,
  withoutLast,
} from "../support/mixture_examples.ts";
import { normals, uniforms } from "../support/random_arrays.ts";
import { assertVjpIsDerivative } from "../support/vjp_law.ts";

const names = ["mixtureLogProb", "mixtureEncode", "mixtureDecode"] as const;
const HALF_LOG_TWO_PI = Math.log(2 * Math.PI) / 2;

function run(name: MixtureName, size: MixtureAttributes, features: Float64Array, rows: Float64Array): Float64Array {
  return primitives[name].forward(mixtureEvaluation(name, size, features, rows) as never);
}

type Run = typeof run;

/** ln|det M| of a triangular or full matrix of at most 3 × 3. */
function logDeterminant(m: readonly (readonly number[])[]): number {
  if (m.length === 1) return Math.log(Math.abs(m[0][0]));
  if (m.length === 2) return Math.log(Math.abs(m[0][0] * m[1][1] - m[0][1] * m[1][0]));
  const minor = (a: number, b: number) => m[1][a] * m[2][b] - m[1][b] * m[2][a];
  return Math.log(Math.abs(m[0][0] * minor(1, 2) - m[0][1] * minor(0, 2) + m[0][2] * minor(0, 1)));
}

/** log p(r) = ln|det ∂z/∂r| − |z|²/2 − D/2 · ln 2π, by central differences of encode (error h² ≈ 1e-8). */
function assertJacobian(of: Run): void {
  for (const size of sizes) {
    const dim = size.spatialDim;
    const features = mixtureExample(size, 4, styles[0]);
    const r = normals(4 * dim, 5);
    const z = withoutLast(of("mixtureEncode", size, features, r), dim);
    const moved = (k: number, h: number) =>
      withoutLast(of("mixtureEncode", size, features, r.map((v, i) => i % dim === k ? v + h : v)), dim);
    const columns = Array.from({ length: dim }, (_, k) => {
      const [up, down] = [moved(k, 1e-4), moved(k, -1e-4)];
      return up.map((v, i) => (v - down[i]) / 2e-4);
    });
    const expected = Float64Array.from({ length: 4 }, (_, i) => {
      const matrix = Array.from({ length: dim }, (_, d) => columns.map((column) => column[i * dim + d]));
      const square = z.subarray(i * dim, (i + 1) * dim).reduce((sum, v) => sum + v * v, 0);
      return logDeterminant(matrix) - square / 2 - dim * HALF_LOG_TWO_PI;
    });
    assertClose(of("mixtureLogProb", size, features, r), expected, { absolute: 1e-6 }, `${JSON.stringify(size)}`);
    assertClose(lastOf(of("mixtureEncode", size, features, r), dim), expected, { absolute: 1e-6 });
  }
}

/**
 * decode(encode(r)) = r to 1e-11 where components overlap: z errs by 1e-14 and ∂r/∂z is below 1e3. encode(decode(z)) = z to
 * 1e-9 everywhere, also between islands: r is rounded to 1e-14, and ∂z/∂r reaches 1e4.
 */
function assertRoundTrips(of: Run): void {
  for (const size of sizes) {
    const dim = size.spatialDim;
    const r = normals(200 * dim, 3);
    const gentle = mixtureExample(size, 200, styles[0]);
    const back = of("mixtureDecode", size, gentle, withoutLast(of("mixtureEncode", size, gentle, r), dim));
    assertClose(withoutLast(back, dim), r, { absolute: 1e-11 }, `r, ${JSON.stringify(size)}`);
    for (const style of styles) {
      const z = uniforms(200 * dim, 4, -8, 8);
      const features = mixtureExample(size, 200, style);
      const decoded = of("mixtureDecode", size, features, z);
      const encoded = of("mixtureEncode", size, features, withoutLast(decoded, dim));
      assertClose(withoutLast(encoded, dim), z, { absolute: 1e-9 }, `z, ${JSON.stringify({ ...size, ...style })}`);
      assertClose(lastOf(encoded, dim), lastOf(decoded, dim), { absolute: 1e-9, relative: 1e-12 });
    }
  }
}

Deno.test("mixtureLogProb is the logarithm of a sum of normal densities with the precision matrices LᵀL", () => {
  const size = { spatialDim: 2, components: 2 };
  // logits, means of r₁, of r₂, log-scales, shears
  const features = Float64Array.of(
    ...[0.3, -0.5],
    ...[1, -2],
    ...[0.5, 0.25],
    ...[0.7, -0.2],
    ...[0.1, 0.6],
    0.8,
    -1.1,
  );
  const [x, y] = [0.4, -0.9];
  const weights = [Math.exp(0.3), Math.exp(-0.5)];
  let density = 0;
  for (const j of [0, 1]) {
    const [a, b, s] = [Math.exp(features[6 + j]), Math.exp(features[8 + j]), features[10 + j]];
    const [dx, dy] = [x - features[2 + j], y - features[4 + j]];
    // L = [[a, 0], [s, b]], so LᵀL = [[a² + s², s b], [s b, b²]] with determinant (a b)²
    const square = (a * a + s * s) * dx * dx + 2 * s * b * dx * dy + b * b * dy * dy;
    density += weights[j] / (weights[0] + weights[1]) * a * b / (2 * Math.PI) * Math.exp(-square / 2);
  }

  assertClose(run("mixtureLogProb", size, features, Float64Array.of(x, y)), [Math.log(density)], { absolute: 1e-14 });
});

Deno.test("log p(r) and z belong together: the Jacobian of encode, in one to three dimensions", () =>
  assertJacobian(run));

Deno.test("encode and decode invert each other, also for z up to ±8 and between islands", () => assertRoundTrips(run));

Deno.test("the Jacobian and the round trips reject a spoilt log-density, spoilt z and a spoilt inverse", () => {
  const spoil = (which: MixtureName, change: (v: number, last: boolean) => number): Run => (name, size, ...rest) => {
    const right = run(name, size, ...rest);
    const last = (i: number) => name === "mixtureLogProb" || i % (size.spatialDim + 1) === size.spatialDim;
    return name === which ? right.map((v, i) => change(v, last(i))) : right;
  };

  assertThrows(() => assertJacobian(spoil("mixtureLogProb", (v) => v + 1e-5)), Error, "differs by");
  assertThrows(() => assertJacobian(spoil("mixtureEncode", (v, last) => last ? -v : v)), Error, "differs by");
  assertThrows(() => assertJacobian(spoil("mixtureEncode", (v, last) => last ? v : v * 1.0001)), Error, "differs by");
  assertThrows(() => assertRoundTrips(spoil("mixtureDecode", (v, last) => last ? v : v + 1e-10)), Error, "differs by");
  assertThrows(() => assertRoundTrips(spoil("mixtureDecode", (v, last) => last ? v + 1e-6 : v)), Error, "differs by");
});

for (const name of names) {
  Deno.test(`${name}: the vjp is the derivative for every size and for a component that is far away`, () => {
    for (const size of sizes) {
      const features = mixtureExample(size, 2, styles[0]);
      if (size.components > 1) features[size.components] = 60;
      const at = mixtureEvaluation(name, size, features, uniforms(2 * size.spatialDim, 8, -1.5, 1.5));

      assertVjpIsDerivative(primitives[name] as never, at as never);
      for (const [fault, spoil] of Object.entries(vjpFaults)) {
        const broken = withBrokenVjp(primitives[name] as never, spoil);
        assertThrows(() => assertVjpIsDerivative(broken, at as never), Error, "difference quotient", fault);
      }
    }
  });

  Deno.test(`${name}: a log-scale above 6 counts as 6 and has no derivative`, () => {
    const size = { spatialDim: 1, components: 2 };
    const features = Float64Array.of(0.2, 0, 0.1, 0.3, 7, 1);
    const rows = Float64Array.of(name === "mixtureDecode" ? -0.5 : 0.1003);
    const at = mixtureEvaluation(name, size, features, rows);
    const output = primitives[name].forward(at as never);

    assertEquals(output, run(name, size, features.with(4, 6), rows));
    const [cotangent] = primitives[name].vjp({ ...at, output } as never, output.map(() => 1)) as Float64Array[];
    assertEquals(cotangent[4], 0);
    assert(cotangent[5] !== 0);
  });

  Deno.test(`${name}: NaN in gives NaN out, in that sample alone`, () => {
    const size = { spatialDim: 2, components: 3 };
    const [features, rows] = [mixtureExample(size, 3, styles[0]), normals(6, 2)];
    const width = mixtureFeatures(size);
    const right = run(name, size, features, rows);
    const perSample = right.length / 3;
    const inSample = (i: number) => Math.floor(i / perSample) === 1;
    // Every feature, then every coordinate; what comes later does not change the first coordinate or number.
    for (let k = 0; k < width + 2; k++) {
      const broken = k < width
        ? run(name, size, features.with(width + k, NaN), rows)
        : run(name, size, features, rows.with(2 + k - width, NaN));
      right.forEach((v, i) => {
        if (!inSample(i)) assertEquals(broken[i], v);
        else if (i % perSample === perSample - 1) assertEquals(broken[i], NaN, `argument ${k}`);
      });
    }
  });
}

Deno.test("one component is an affine map, exact out to 30 widths", () => {
  const size = { spatialDim: 1, components: 1 };
  const features = Float64Array.of(0.7, 2, Math.log(4));
  for (const u of [-30, -8, -1e-9, 0, 3, 30]) {
    const encoded = run("mixtureEncode", size, features, Float64Array.of(2 + u / 4));
    assertClose(encoded, [u, Math.log(4) - u * u / 2 - HALF_LOG_TWO_PI], { relative: 1e-13, absolute: 1e-15 });
    assertClose(run("mixtureDecode", size, features, Float64Array.of(u)), [2 + u / 4, encoded[1]], { relative: 1e-13 });
  }
});

Deno.test("far from every component log p is a parabola, and −∞ where it underflows", () => {
  const size = { spatialDim: 1, components: 2 };
  const features = Float64Array.of(0, 0, -1, 1, 0, 0);
  const far = (r: number) => run("mixtureLogProb", size, features, Float64Array.of(r))[0];

  assertClose(far(1e6), -((1e6 - 1) ** 2) / 2 - HALF_LOG_TWO_PI - Math.LN2, { relative: 1e-15 });
  assertEquals([far(1e200), far(-Infinity)], [-Infinity, -Infinity]);
});

Deno.test("the operations check their operands", () => {
  const graph = new Graph();
  const [features, r] = [input(graph, "features", 12), input(graph, "r", 2)];
  const column = mixtureLogProb(features, r, { components: 2 });

  assertEquals(column.shape, ["n"]);
  assertEquals(mixtureEncode(features, r, { components: 2 }).shape, ["n", 3]);
  assertEquals(mixtureDecode(features, r, { components: 2 }).shape, ["n", 3]);
  assertThrows(
    () => mixtureLogProb(features, r, { components: 3 }),
    RangeError,
    "Cannot take the density of a mixture: features must be [n, 18] for 3 components in 2 dimensions, got [n, 12]",
  );
  assertThrows(
    () => mixtureEncode(features, r, { components: 1.5 }),
    RangeError,
    "Cannot encode by a mixture: components must be a whole number ≥ 1, got 1.5",
  );
  assertThrows(
    () => mixtureDecode(features, input(graph, "z", 4), { components: 1 }),
    RangeError,
    "Cannot decode by a mixture: z must have 1 to 3 features, got [n, 4]",
  );
  assertThrows(
    () => mixtureDecode(column, r, { components: 1 }),
    TypeError,
    "Cannot decode by a mixture: features must be a batch [n, d], got [n]",
  );
});
