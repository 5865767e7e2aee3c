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
 * Counts the rows of a batch that hold NaN or ±∞.
 *
 * @param x [n, dim], row-major
 * @param dim numbers of a row
 * @returns how many of the n rows, and which is the first
 */
export function rowsNotFinite(x: ArrayLike<number>, dim: number): RowsNotFinite {
  let [count, first] = [0, -1];
  for (let start = 0, row = 0; start < x.length; start += dim, row++) {
    let end = start;
    while (end < start + dim && Number.isFinite(x[end])) end++;
    if (end === start + dim) continue;
    if (count++ === 0) first = row;
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
