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

/** One step of Adam (Kingma and Ba 2015, algorithm 1); settings as in the kernel. */
export function adamF32(
  count: number,
  settings: Float64Array,
  gradient: Float64Array,
  parameters: Float64Array,
  m: Float64Array,
  v: Float64Array,
): void {
  const [learningRate, beta1, beta2, epsilon, correction1, correction2, scale] = settings;
  for (let i = 0; i < count; ++i) {
    const g = scale * gradient[i];
    m[i] = beta1 * m[i] + (1 - beta1) * g;
    v[i] = beta2 * v[i] + (1 - beta2) * g * g;
    parameters[i] -= learningRate * (m[i] / correction1) / (Math.sqrt(v[i] / correction2) + epsilon);
  }
}

/** sum = Σ x². */
export function sumSquaresF32(count: number, x: Float64Array, sum: Float64Array): void {
  sum[0] = 0;
  for (let i = 0; i < count; ++i) sum[0] += x[i] ** 2;
}
