/**
 * Comparison of numbers with a stated bound on the error.
 *
 * @module
 */

/** Half a unit in the last place of 1 in float32: the relative error of one rounding. */
export const FLOAT32_ROUNDING = 2 ** -24;

/** The error that is allowed: absolute + relative · |expected|, or one number for each element. */
export type Tolerance =
  | { readonly relative?: number; readonly absolute?: number }
  | ArrayLike<number>;

function isArray(tolerance: Tolerance): tolerance is ArrayLike<number> {
  return typeof (tolerance as ArrayLike<number>).length === "number";
}

/**
 * Throws unless every element is as close to the expected one as allowed. NaN equals NaN and infinities themselves,
 * nothing else.
 *
 * @param actual numbers, or one number
 * @param expected as many
 * @param tolerance allowed error
 * @param what for the message
 */
export function assertClose(
  actual: ArrayLike<number> | number,
  expected: ArrayLike<number> | number,
  tolerance: Tolerance,
  what = "numbers",
): void {
  const a = typeof actual === "number" ? [actual] : actual;
  const b = typeof expected === "number" ? [expected] : expected;
  if (a.length !== b.length) throw new Error(`${what}: length ${a.length}, expected ${b.length}`);
  for (let i = 0; i < a.length; i++) {
    if (Object.is(a[i], b[i]) || a[i] === b[i]) continue;
    const allowed = isArray(tolerance)
      ? tolerance[i]
      : (tolerance.absolute ?? 0) + (tolerance.relative ?? 0) * Math.abs(b[i]);
    if (!(Math.abs(a[i] - b[i]) <= allowed)) {
      throw new Error(
        `${what}: element ${i} is ${a[i]}, expected ${b[i]}, differs by ${a[i] - b[i]} (allowed ${allowed})`,
      );
    }
  }
}

/** Largest absolute difference; NaN if any element is. */
export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return NaN;
  let largest = 0;
  for (let i = 0; i < a.length; i++) {
    const difference = a[i] === b[i] ? 0 : Math.abs(a[i] - b[i]);
    if (!(difference <= largest)) largest = difference;
    if (Number.isNaN(largest)) return NaN;
  }
  return largest;
}
