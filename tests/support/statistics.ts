/**
 * Statistical assertions with a stated rate of false alarms.
 *
 * @module
 */

/** Mean of numbers. */
export function mean(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum / values.length;
}

/** Unbiased variance of numbers. */
export function variance(values: ArrayLike<number>): number {
  const centre = mean(values);
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += (values[i] - centre) ** 2;
  return sum / (values.length - 1);
}

/** Standard errors beyond which a correct normal estimate falls once in 15 787 tests. */
export const FOUR_SIGMA = 4;

/**
 * Throws unless the mean of independent numbers lies within four of its standard errors of the expected one: a false
 * alarm for 1 seed in 15 787, and seeds in tests are fixed.
 */
export function assertMeanIs(values: ArrayLike<number>, expected: number, what = "mean"): void {
  const estimate = mean(values);
  const error = Math.sqrt(variance(values) / values.length);
  if (!(Math.abs(estimate - expected) <= FOUR_SIGMA * error)) {
    throw new Error(`${what} is ${estimate} ± ${error}, expected ${expected}`);
  }
}
