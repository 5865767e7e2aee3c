/**
 * What the kernels of mixture densities gain over plain TypeScript on float32 arrays, and over the float64 reference.
 *
 * Run with `deno bench -A tests/bench/mixture_bench.ts`. D = 2, J = 12, 1024 samples; components overlap.
 *
 * @module
 */
import { MixtureDensity } from "../../src/autodiff/primitives/mixture_density.ts";
import { mixtureFeatures } from "../../src/graph/mixture_features.ts";
import { primitives } from "../../src/autodiff/primitives.ts";
import { normalCdf, normalQuantile } from "../../src/backend/reference_normal.ts";
import { allocate, f32, kernels } from "../../src/backend/wasm.ts";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { lastOf, mixtureEvaluation, mixtureExample, withoutLast } from "../support/mixture_examples.ts";
import { normals } from "../support/random_arrays.ts";
import { compare, timed } from "./compare.ts";

await loadKernels();
const size = { spatialDim: 2, components: 12 };
const [samples, dim, count, width] = [1024, size.spatialDim, size.components, mixtureFeatures(size)];
const panels = samples / 32;
const features = mixtureExample(size, samples, { spread: 1, sharpness: 0.5 });
const z = normals(samples * dim, 2);
const decoded = primitives.mixtureDecode.forward(mixtureEvaluation("mixtureDecode", size, features, z));
const r = withoutLast(decoded, dim);

/** Panels of rows in the kernels' memory. */
function panelsOf(rows: Float64Array): number {
  const d = rows.length / samples;
  const address = allocate(4 * rows.length);
  const view = f32(address, rows.length);
  rows.forEach((v, i) => {
    const row = Math.floor(i / d);
    view[(Math.floor(row / 32) * d + i % d) * 32 + row % 32] = v;
  });
  return address;
}

const [at, atR, atZ] = [panelsOf(features), panelsOf(r), panelsOf(z)];
const [out, column, scratch] = [allocate(4 * samples * (dim + 1)), allocate(8 * samples), allocate(256 * count + 64)];
const [byFeatures, byPlace] = [allocate(4 * samples * width), allocate(4 * samples * dim)];
const [narrow, narrowR, narrowZ] = [features, r, z].map((rows) => Float32Array.from(rows));

/** log p and its derivative by the features, two dimensions, one sample after the other. */
function plainLogProb(score: Float32Array, result: Float32Array): void {
  const [u, v, scales, other, joint, own] = Array.from({ length: 6 }, () => new Float32Array(count));
  for (let i = 0; i < samples; i++) {
    const f = narrow.subarray(i * width, (i + 1) * width), s = score.subarray(i * width, (i + 1) * width);
    const [x, y] = [narrowR[2 * i], narrowR[2 * i + 1]];
    let [sum, logits] = [0, 0];
    for (let j = 0; j < count; j++) {
      scales[j] = Math.exp(Math.min(f[3 * count + j], 6));
      other[j] = Math.exp(Math.min(f[4 * count + j], 6));
      u[j] = scales[j] * (x - f[count + j]);
      v[j] = other[j] * (y - f[2 * count + j]) + f[5 * count + j] * (x - f[count + j]);
      own[j] = Math.exp(f[j]);
      joint[j] = own[j] * scales[j] * other[j] * Math.exp(-(u[j] * u[j] + v[j] * v[j]) / 2);
      sum += joint[j], logits += own[j];
    }
    result[i] = Math.log(sum / logits) - Math.log(2 * Math.PI);
    for (let j = 0; j < count; j++) {
      const weight = joint[j] / sum;
      const [du, dv] = [-weight * u[j], -weight * v[j]];
      const [dx, dy] = [x - f[count + j], y - f[2 * count + j]];
      s[j] = weight - own[j] / logits;
      s[count + j] = -du * scales[j] - dv * f[5 * count + j];
      s[2 * count + j] = -dv * other[j];
      s[3 * count + j] = f[3 * count + j] > 6 ? 0 : weight + du * scales[j] * dx;
      s[4 * count + j] = f[4 * count + j] > 6 ? 0 : weight + dv * other[j] * dy;
      s[5 * count + j] = dv * dx;
    }
  }
}

/** Newton's method on Φ⁻¹(F) inside a bracket, one sample after the other. */
function plainDecode(result: Float32Array): void {
  const [weights, scales, centres] = Array.from({ length: 3 }, () => new Float32Array(count));
  for (let i = 0; i < samples; i++) {
    const f = narrow.subarray(i * width, (i + 1) * width);
    for (let d = 0; d < 2; d++) {
      const x = result[2 * i];
      let total = 0;
      for (let j = 0; j < count; j++) {
        const scale = Math.exp(f[3 * count + j]), dx = x - f[count + j];
        weights[j] = Math.exp(f[j]) * (d === 0 ? 1 : scale * Math.exp(-((scale * dx) ** 2) / 2));
        scales[j] = d === 0 ? scale : Math.exp(f[4 * count + j]);
        centres[j] = f[(1 + d) * count + j] - (d === 0 ? 0 : f[5 * count + j] * dx / scales[j]);
        total += weights[j];
      }
      result[2 * i + d] = plainSolve(weights, scales, centres, total, narrowZ[2 * i + d]);
    }
  }
}

function plainSolve(w: Float32Array, scales: Float32Array, centres: Float32Array, total: number, z: number): number {
  let [low, high, x] = [Infinity, -Infinity, 0];
  for (let j = 0; j < count; j++) {
    const own = centres[j] + z / scales[j];
    low = Math.min(low, own), high = Math.max(high, own), x += w[j] * own / total;
  }
  for (let iteration = 0; iteration < 64; iteration++) {
    let [lower, upper, density] = [0, 0, 0];
    for (let j = 0; j < count; j++) {
      const u = scales[j] * (x - centres[j]), below = normalCdf(u);
      lower += w[j] * below;
      upper += w[j] * (1 - below);
      density += w[j] * scales[j] * Math.exp(-u * u / 2);
    }
    const reached = normalQuantile(lower, upper);
    const step = (z - reached) * Math.exp(-reached * reached / 2) * total / density;
    if (reached > z) high = x;
    else low = x;
    if (Math.abs(z - reached) < 1e-5) return x + step;
    x = x + step > low && x + step < high ? x + step : (low + high) / 2;
  }
  return x;
}

/** Ours must be right before it may be fast. */
function check(name: string, got: ArrayLike<number>, expected: Float64Array): void {
  expected.forEach((v, i) => {
    if (!(Math.abs(got[i] - v) < 1e-3 * (1 + Math.abs(v)))) throw new Error(`${name}: ${got[i]}, expected ${v}`);
  });
}

const [score, plainResult, places] = [samples * width, samples, samples * dim].map((n) => new Float32Array(n));
plainLogProb(score, plainResult);
plainDecode(places);
check("plain log p", plainResult, lastOf(decoded, dim));
check("plain decode", places, r);

compare("log p with its derivative by the features, D = 2, J = 12", "densities", [
  await timed("kernel", samples, () => {
    kernels.mixtureLogProbF32(panels, dim, count, at, atR, column, byFeatures, byPlace, scratch);
  }),
  await timed("plain TypeScript", samples, () => plainLogProb(score, plainResult)),
  await timed("float64 reference", samples, () => {
    for (let i = 0; i < samples; i++) {
      const mixture = new MixtureDensity(size, features.subarray(i * width, (i + 1) * width));
      mixture.put(r.subarray(i * dim, (i + 1) * dim));
      mixture.logProb();
      mixture.backward({ logProb: 1 }, new Float64Array(width));
    }
  }),
]);

compare("decode with log p, D = 2, J = 12", "densities", [
  await timed("kernel", samples, () => kernels.mixtureDecodeF32(panels, dim, count, at, atZ, out, scratch)),
  await timed("plain TypeScript", samples, () => plainDecode(places)),
  await timed("float64 reference", samples, () => {
    primitives.mixtureDecode.forward(mixtureEvaluation("mixtureDecode", size, features, z));
  }),
]);
