/**
 * Reference of the row and panel layouts of wasm/layout.ts and of wasm/optimizer.ts, in float64 TypeScript.
 *
 * @module
 */
import { LANES, panelCount } from "./dense_layout.ts";

/** Rows [n][f] → panels [⌈n/32⌉][f][32]; the lanes after the last row repeat it. */
function rowsToPanels(n: number, f: number, rows: Float64Array, panels: Float64Array): void {
  for (let sample = 0; sample < panelCount(n) * LANES; ++sample) {
    for (let i = 0; i < f; ++i) {
      panels[(Math.floor(sample / LANES) * f + i) * LANES + sample % LANES] = rows[Math.min(sample, n - 1) * f + i];
    }
  }
}

/** Panels [⌈n/32⌉][f][32] → rows [n][f]. */
function panelsToRows(n: number, f: number, panels: Float64Array, rows: Float64Array): void {
  for (let sample = 0; sample < n; ++sample) {
    for (let i = 0; i < f; ++i) {
      rows[sample * f + i] = panels[(Math.floor(sample / LANES) * f + i) * LANES + sample % LANES];
    }
  }
}

export {
  panelsToRows as panelsToRowsF32,
  panelsToRows as panelsToRowsF64,
  rowsToPanels as rowsToPanelsF32,
  rowsToPanels as rowsToPanelsF64,
};

/** Element i of the sum of `groups` buffers that lie `groupStride` bytes of float32 apart. */
function groupSum(groups: number, groupStride: number, gradients: Float64Array, i: number): number {
  let sum = 0;
  for (let group = 0; group < groups; ++group) sum += gradients[group * groupStride / 4 + i];
  return sum;
}

/** One step of Adam (Kingma and Ba 2015, algorithm 1) with bias corrections 1 − β₁ᵗ and 1 − β₂ᵗ. */
export function adamF32(
  count: number,
  learningRate: number,
  beta1: number,
  beta2: number,
  epsilon: number,
  correction1: number,
  correction2: number,
  gradScale: number,
  groups: number,
  groupStride: number,
  gradients: Float64Array,
  parameters: Float64Array,
  m: Float64Array,
  v: Float64Array,
): void {
  for (let i = 0; i < count; ++i) {
    const g = gradScale * groupSum(groups, groupStride, gradients, i);
    m[i] = beta1 * m[i] + (1 - beta1) * g;
    v[i] = beta2 * v[i] + (1 - beta2) * g * g;
    parameters[i] -= learningRate * (m[i] / correction1) / (Math.sqrt(v[i] / correction2) + epsilon);
  }
}

/** Σ g² of the summed gradient g. */
export function sumSquaresF32(count: number, groups: number, groupStride: number, gradients: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < count; ++i) sum += groupSum(groups, groupStride, gradients, i) ** 2;
  return sum;
}

/** average ← decay·average + (1 − decay)·x. */
export function emaF32(count: number, decay: number, x: Float64Array, average: Float64Array): void {
  for (let i = 0; i < count; ++i) average[i] = decay * average[i] + (1 - decay) * x[i];
}
