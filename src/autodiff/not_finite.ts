/**
 * Finding numbers that are none, and saying so.
 *
 * @module
 */

/** Rows of a batch with a number that is not finite. */
export interface RowsNotFinite {
  /** How many. */
  readonly count: number;
  /** Index of the first; −1 if there is none. */
  readonly first: number;
}

/**
 * Tells whether a row of a batch holds neither NaN nor ±∞.
 *
 * @param x [n, dim], row-major
 * @param dim numbers of a row
 * @param row its index
 * @returns whether all its numbers are finite
 */
export function rowIsFinite(x: ArrayLike<number>, dim: number, row: number): boolean {
  for (let at = row * dim; at < (row + 1) * dim; at++) if (!Number.isFinite(x[at])) return false;
  return true;
}

/**
 * Counts the rows of a batch that hold NaN or ±∞.
 *
 * @param x [n, dim], row-major
 * @param dim numbers of a row
 * @returns how many of the n rows, and which is the first
 */
export function rowsNotFinite(x: ArrayLike<number>, dim: number): RowsNotFinite {
  let [count, first] = [0, -1];
  for (let row = 0; row * dim < x.length; row++) {
    if (!rowIsFinite(x, dim, row) && count++ === 0) first = row;
  }
  return { count, first };
}

/**
 * Thrown where a computation cannot go on because a number is NaN or infinite. Such numbers end computations instead of
 * vanishing in averages; the message says where they are and how many.
 */
export class NotFiniteError extends Error {
  /** The name of the class. */
  override readonly name = "NotFiniteError";
}
