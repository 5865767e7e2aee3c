/**
 * Medians of independent numbers, of whose distribution nothing is known.
 *
 * @module
 */
import { normalQuantile } from "../../backend/reference_normal.ts";
import type { Estimate } from "../../reweighting/estimate.ts";

/** A median, and how often its interval holds the true one. */
export interface IndependentMedian {
  /** The median; unreliable, and without an interval, of fewer than six numbers. */
  readonly estimate: Estimate;
  /** Which numbers are the ends of the interval, counted from either end: 1 for the least and the largest. */
  readonly rank: number;
  /** How often such an interval holds the true median, whatever the distribution. */
  readonly coverage: number;
}

/**
 * Estimates the median of a distribution from independent numbers.
 *
 * Each of n numbers is on either side of the true median with probability ½, so that the k-th from below and the k-th from
 * above have it between them in a share
 *
 *     1 − 2 Σ_{j<k} (n over j) / 2ⁿ
 *
 * of all cases. k is the largest for which this is 0.95 or more. The standard error is the one at which a normal
 * distribution would have that interval (McKean and Schrader 1984).
 *
 * @param values two or more
 * @returns the median and what its interval is worth
 */
export function independentMedian(values: readonly number[]): IndependentMedian {
  const n = values.length;
  const sorted = [...values].sort((a, b) => a - b);
  const value = (sorted[(n - 1) >> 1] + sorted[n >> 1]) / 2;
  let [rank, coverage] = [1, 1 - 2 ** (1 - n)];
  // The next rank loses (n over rank) of 2ⁿ cases on either side.
  for (let ways = n; rank < n / 2; ways *= (n - rank + 1) / rank) {
    const next = coverage - ways * 2 ** (1 - n);
    if (next < 0.95) break;
    [rank, coverage] = [rank + 1, next];
  }
  const [low, high] = [sorted[rank - 1], sorted[n - rank]];
  const standardError = (high - low) / 2 / normalQuantile(1 + coverage, 1 - coverage);
  if (coverage >= 0.95) {
    return {
      estimate: { value, standardError, interval95: [low, high], reliable: true, reason: null },
      rank,
      coverage,
    };
  }
  const reason = `${n} numbers, fewer than six, give no 95 % interval of a median`;
  return { estimate: { value, standardError, interval95: null, reliable: false, reason }, rank, coverage };
}
