/**
 * Sizes of the buffers that dense kernels work on.
 *
 * @module
 */

/** Samples in one panel; the kernels' SIMD axis. */
export const LANES = 32;

/** Output rows per register tile of the matrix kernels. */
const TILE = 5;

/**
 * Counts the panels of a batch: ⌈n / 32⌉.
 *
 * @param n Samples.
 * @returns Panels.
 */
export function panelCount(n: number): number {
  return Math.ceil(n / LANES);
}

/**
 * Counts the floats of a batch in panels [⌈n / 32⌉][features][32].
 *
 * @param n Samples.
 * @param features Features per sample.
 * @returns float32 elements.
 */
export function panelLength(n: number, features: number): number {
  return panelCount(n) * features * LANES;
}

/**
 * Counts the floats of a packed weight matrix [⌈rows / 5⌉][columns][5].
 *
 * Give the sizes of the matrix that multiplies: `packedLength(n, k)` for packF32 of w [n, k], and
 * `packedLength(k, n)` for packTransposeF32 of the same w.
 *
 * @param rows Outputs of the multiplication.
 * @param columns Inputs of the multiplication.
 * @returns float32 elements.
 */
export function packedLength(rows: number, columns: number): number {
  return Math.ceil(rows / TILE) * TILE * columns;
}
