/**
 * Moves batches between row-major float64 arrays and the panels and columns that kernels work on.
 *
 * @module
 */
import { f32, f64, kernels, scope } from "./wasm.ts";

const LANES = 32;
/** Elements moved at once, where one panel is not more: bounds the scratch memory. */
const CHUNK_ELEMENTS = 1 << 15;

/** Panels of d features that are moved at once. */
function panelsPerChunk(d: number): number {
  return Math.max(1, Math.floor(CHUNK_ELEMENTS / (LANES * d)));
}

/**
 * Writes rows [n, d] as panels [P][d][32] of float32.
 *
 * @param rows row-major, n ≤ 32 P
 * @param d features
 * @param panels P
 * @param address of the panels
 * @param padding lanes beyond n: copies of the last row ("repeat": finite values for every kernel), or zero
 */
export function rowsToPanels(
  rows: Float64Array,
  d: number,
  panels: number,
  address: number,
  padding: "repeat" | "zero",
): void {
  const last = padding === "repeat" ? rows.slice(rows.length - d) : new Float64Array(d);
  const most = panelsPerChunk(d);
  for (let first = 0; first < panels; first += most) {
    const chunk = Math.min(most, panels - first);
    using scratch = scope();
    const staging = scratch.f64(chunk * LANES * d);
    const view = f64(staging, chunk * LANES * d);
    const part = rows.subarray(first * LANES * d, Math.min((first + chunk) * LANES * d, rows.length));
    view.set(part);
    for (let at = part.length; at < view.length; at += d) view.set(last, at);
    kernels.rowsToPanelsF64(chunk * LANES, d, staging, address + 4 * first * LANES * d);
  }
}

/**
 * Reads the first rows of panels.
 *
 * @param address of the panels [P][d][32]
 * @param d features
 * @param rows filled, row-major [n, d]
 */
export function panelsToRows(address: number, d: number, rows: Float64Array): void {
  const step = panelsPerChunk(d) * LANES * d;
  for (let at = 0; at < rows.length; at += step) {
    const count = Math.min(step, rows.length - at);
    using scratch = scope();
    const staging = scratch.f64(count);
    kernels.panelsToRowsF64(count / d, d, address + 4 * at, staging);
    rows.set(f64(staging, count), at);
  }
}

/** Writes a column of float64; lanes beyond its length become zero. */
export function writeColumn(values: Float64Array, lanes: number, address: number): void {
  const view = f64(address, lanes);
  view.set(values);
  view.fill(0, values.length);
}

/** Reads the first elements of a column of float64. */
export function readColumn(address: number, values: Float64Array): void {
  values.set(f64(address, values.length));
}

/** Writes numbers into a float32 buffer, or adds them to what is there. */
export function writeBuffer(values: Float64Array, address: number, how: "add" | "replace"): void {
  const view = f32(address, values.length);
  for (let i = 0; i < values.length; i++) view[i] = how === "add" ? view[i] + values[i] : values[i];
}

/** A copy of a float32 buffer. */
export function readBuffer(address: number, length: number): Float32Array<ArrayBuffer> {
  return f32(address, length).slice();
}
