import { assertEquals, assertGreater, assertLess, assertThrows } from "@std/assert";
import { TILT_KNOTS } from "../../src/graph/tilt.ts";
import { primitives } from "../../src/autodiff/primitives.ts";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { assertClose, FLOAT32_ROUNDING } from "../support/assert_close.ts";
import { normals } from "../support/random_arrays.ts";
import { evaluation, exampleDensity, kernels, type OneDensity, reference } from "../support/one_density.ts";
import { exampleKnots, exampleTilt } from "../support/tilted_examples.ts";

await loadKernels();

/** Middles of a grid of cells over [from, to]^dim, and the volume of a cell. */
function middles(dim: number, from: number, to: number, count: number) {
  const h = (to - from) / count;
  const place = new Float64Array(dim * count ** dim);
  for (let i = 0; i < count ** dim; i++) {
    for (let d = 0, k = i; d < dim; d++, k = Math.floor(k / count)) place[i * dim + d] = from + h * (k % count + 0.5);
  }
  return { place, volume: h ** dim };
}

const total = (logs: Float64Array, volume: number) => logs.reduce((sum, log) => sum + Math.exp(log) * volume, 0);

Deno.test("the tilted density integrates to one for every grid, by a rule that knows nothing of its nodes", () => {
  for (
    const [spatialDim, fine, coarse, count] of [[1, 9, 9, 3001], [1, 33, 9, 3001], [2, 9, 17, 301], [2, 17, 9, 301]]
  ) {
    const tilt = exampleTilt({ spatialDim: spatialDim as 1 | 2, fine, coarse, tailRate: 20 });
    const { place, volume } = middles(spatialDim, -2.2, 2.4, count);
    const logs = kernels("tiltedLogProb", exampleDensity(tilt), place);
    // The midpoint rule errs by (slope · h)²/24 of the mass where the slope is: 10 · 0.0153 there, and at its kinks
    const tolerance = { absolute: spatialDim === 1 ? 1e-5 : 1e-3 };

    assertClose(total(logs, volume), 1, tolerance, `D ${spatialDim}, fine ${fine}, coarse ${coarse}`);
    assertThrows(() => assertClose(total(logs.map((log) => log + 0.002), volume), 1, tolerance), Error, "differs");
  }
});

Deno.test("the tilted density in three dimensions integrates to one by importance sampling on its own map", () => {
  // E over normal z of (q/p)(r(z)) is ∫ q = 1 for any density q: here a product of Gaussians, 4 s.d. of which are inside
  const tilt = exampleTilt({ spatialDim: 3, basis: 2, fine: 9, coarse: 9, neighbours: 2 });
  const n = 4096;
  const decoded = kernels("tiltedDecode", exampleDensity(tilt), normals(3 * n, 11));
  const width = 0.22;
  const ratios = Array.from({ length: n }, (_, i) => {
    const [x, y, z, log] = decoded.subarray(4 * i, 4 * i + 4);
    return Math.exp(-(x * x + y * y + z * z) / (2 * width ** 2) - log) / (width * Math.sqrt(2 * Math.PI)) ** 3;
  });
  const mean = ratios.reduce((sum, v) => sum + v, 0) / n;
  const error = Math.sqrt(ratios.reduce((sum, v) => sum + (v - mean) ** 2, 0)) / n;

  assertLess(error, 0.05);
  assertClose(mean, 1, { absolute: 4 * error });
  assertThrows(() => assertClose(1.3 * mean, 1, { absolute: 4 * error }), Error, "differs");
});

/** Conditional of a particle at one neighbour and in a well: e^−sE / Z with Z by a fine rule. */
function exactLogs(density: OneDensity, place: Float64Array): Float64Array {
  const { scale, neighbours: q } = density;
  const energy = (x: number, y: number) => {
    const r2 = (x - q[0]) ** 2 + (y - q[1]) ** 2;
    return 2 * x * x + 1.5 * (y - 0.2) ** 2 + (r2 < 1.44 ? 6 * (1 - r2 / 1.44) ** 2 : 0);
  };
  const { place: grid, volume } = middles(2, -1, 1, 600);
  const logs = (at: Float64Array) =>
    Float64Array.from({ length: at.length / 2 }, (_, i) => -scale * energy(at[2 * i], at[2 * i + 1]));
  const logZ = Math.log(total(logs(grid), volume));
  return logs(place).map((log) => log - logZ);
}

/** A particle in a harmonic well beside one neighbour that repels it, φ = 0. */
function wellDensity(fine: number, coarse: number): OneDensity {
  const soft = { cutoffSquared: 1.44, values: Float32Array.from({ length: 1025 }, (_, k) => 6 * (1 - k / 1024) ** 2) };
  const tilt = exampleTilt({ basis: 3, fine, coarse, tables: [soft], pairs: [0], tailRate: 1e4 });
  const positions = exampleKnots(1).subarray(0, TILT_KNOTS).map((x, _, all) =>
    -1 + 2 * (x - all[0]) / (all[128] - all[0])
  );
  const energies = [positions.map((x) => 2 * x * x), positions.map((y) => 1.5 * (y - 0.2) ** 2)];
  const knots = Float64Array.of(...positions, ...positions, ...energies[0], ...energies[1]);
  return { tilt, features: new Float64Array(9), scale: 1.3, knots, neighbours: Float64Array.of(0.35, -0.2) };
}

Deno.test("with φ = 0 the tilted density converges to e^−sE/Z, with the square of the distance of the nodes", () => {
  const { place } = middles(2, -0.93, 0.93, 7);
  const error = (grid: number, spoil = 1) => {
    const density = wellDensity(grid, grid);
    const found = reference("tiltedLogProb", { ...density, scale: spoil * density.scale }, place);
    const exact = exactLogs(density, place);
    return Math.sqrt(found.reduce((sum, log, i) => sum + (log - exact[i]) ** 2, 0) / exact.length);
  };
  const errors = [9, 17, 33, 65].map((grid) => error(grid));

  for (let k = 1; k < 4; k++) {
    assertGreater(errors[k - 1] / errors[k], 3, `errors ${errors}`);
    assertLess(errors[k - 1] / errors[k], 5, `errors ${errors}`);
  }
  assertLess(errors[3], 4e-3, `errors ${errors}`);
  assertGreater(error(65, 1.03), 4e-3);
});

Deno.test("the tilted maps invert each other in float64, in one to three dimensions and far out", () => {
  for (const spatialDim of [1, 2, 3] as const) {
    const tilt = exampleTilt({ spatialDim, basis: 3, fine: 9, coarse: 9 });
    const n = 24;
    const z = Float64Array.from(normals(n * spatialDim, 4), (v, i) => i % 5 === 0 ? 8 * Math.sign(v) : v);
    const encode = (decoded: Float64Array) => {
      const r = Float64Array.from({ length: n * spatialDim }, (_, i) => decoded[i + Math.floor(i / spatialDim)]);
      return { r, encoded: reference("tiltedEncode", exampleDensity(tilt), r) };
    };
    const decoded = reference("tiltedDecode", exampleDensity(tilt), z);
    const { r, encoded } = encode(decoded);
    const logProb = reference("tiltedLogProb", exampleDensity(tilt), r);

    for (let i = 0; i < n * spatialDim; i++) {
      assertClose(encoded[i + Math.floor(i / spatialDim)], z[i], { absolute: 1e-10 });
    }
    for (let s = 0; s < n; s++) {
      const last = s * (spatialDim + 1) + spatialDim;
      assertEquals(decoded[last], logProb[s]);
      assertEquals(encoded[last], logProb[s]);
    }
    const moved = encode(decoded.map((v) => v + 1e-8)).encoded;
    assertThrows(() => assertClose(moved[0], z[0], { absolute: 1e-10 }), Error, "differs");
  }
});

Deno.test("the tilted maps invert each other in float32 as far as r can be told apart", () => {
  for (const spatialDim of [1, 2, 3] as const) {
    const tilt = exampleTilt({ spatialDim, basis: 3, fine: 17, coarse: 9 });
    const n = spatialDim === 3 ? 40 : 300;
    const density = exampleDensity(tilt);
    const z = Float64Array.from(
      normals(n * spatialDim, 4),
      (v, i) => i % 5 === 0 ? Math.fround(8 * v / Math.abs(v)) : v,
    );
    const decoded = kernels("tiltedDecode", density, z);
    const r = Float64Array.from({ length: n * spatialDim }, (_, i) => decoded[i + Math.floor(i / spatialDim)]);
    const encoded = kernels("tiltedEncode", density, r);
    const slopes = absoluteJacobian(density, r);
    for (let i = 0; i < n * spatialDim; i++) {
      // Half a unit of r below 2 is one of 2⁻²⁴, another comes with its place in a cell; A is exact to 60 half units
      const bound = { absolute: FLOAT32_ROUNDING * (2 * slopes[i] + 60) };
      const found = encoded[i + Math.floor(i / spatialDim)];

      assertClose(found, z[i], bound, `D ${spatialDim}, element ${i}`);
      assertThrows(() => assertClose(found + 3 * bound.absolute, z[i], bound), Error, "differs");
    }
  }
});

/** Σ_e |∂z_d/∂r_e| for each place and coordinate d, in float64. */
function absoluteJacobian(density: OneDensity, r: Float64Array): Float64Array {
  const dim = density.tilt.spatialDim;
  const n = r.length / dim;
  const sums = new Float64Array(r.length);
  const at = evaluation("tiltedEncode", density, r);
  const output = primitives.tiltedEncode.forward(at as never);
  for (let d = 0; d < dim; d++) {
    const cotangent = Float64Array.from({ length: n * (dim + 1) }, (_, i) => i % (dim + 1) === d ? 1 : 0);
    const [, byPlace] = primitives.tiltedEncode.vjp({ ...at, output } as never, cotangent);
    byPlace!.forEach((slope, i) => sums[i - i % dim + d] += Math.abs(slope));
  }
  return sums;
}
