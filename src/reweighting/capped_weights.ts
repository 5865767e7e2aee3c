import { expOf, log1pOf, logOf } from "../random/elementary.ts";
import { requireLogWeights } from "./input_checks.ts";

/**
 * Caps importance weights so that none holds more than a given share of their sum.
 *
 *     wᵢ′ = min(wᵢ, c),   c the largest cap with c ≤ Σᵢ wᵢ′ / m
 *
 * Then Σ w′² ≤ c Σ w′, so the Kish effective sample size of w′ is at least m, however heavy the tail. Weights that keep
 * to it as they are stay as they are. With fewer than m weights above zero there is no such cap: all of them become
 * equal, as close to it as they come.
 *
 * Averages with capped weights have a bias, towards the distribution that was sampled, and a bounded variance: right for
 * a step that follows many others, wrong for a result. The smoothing of `paretoSmoothedLogWeights` has the smaller bias
 * and no bound: of a heavy tail, one smoothed weight can still hold a third of the sum.
 *
 * Units: none. Reference: Ionides, J. Comput. Graph. Stat. 17, 295 (2008), with another choice of c.
 *
 * @param logWeights log importance weights, [n]; −Infinity is a weight of zero
 * @param leastEffective m, from 1 to n
 * @returns capped log weights in the order and on the scale of the given ones, [n]
 * @throws {RangeError} if `logWeights` is empty or holds NaN or +Infinity, or m is not from 1 to n
 *
 * @example Usage
 * ```ts
 * import { cappedLogWeights, kishEffectiveSampleSize } from "@boltzflow/boltzflow";
 * import assert from "node:assert/strict";
 *
 * // one weight of 1000 and nine of 1: no weight may hold more than a fifth of the sum
 * const capped = cappedLogWeights(Float64Array.of(Math.log(1000), 0, 0, 0, 0, 0, 0, 0, 0, 0), 5);
 *
 * assert.ok(Math.abs(Math.exp(capped[0]) - 9 / 4) < 1e-12);
 * assert.ok(kishEffectiveSampleSize(capped) >= 5);
 * ```
 */
export function cappedLogWeights(logWeights: Float64Array, leastEffective: number): Float64Array {
  requireLogWeights("cap the weights", logWeights);
  if (!(leastEffective >= 1 && leastEffective <= logWeights.length)) {
    throw new RangeError(
      `Cannot cap the weights: leastEffective must be from 1 to ${logWeights.length}, got ${leastEffective}`,
    );
  }
  const logCap = findLogCap(logWeights, leastEffective);
  return logWeights.map((value) => Math.min(value, logCap));
}

/** ln c: with the k largest of the weights capped, c = Σ of the others / (m − k). */
function findLogCap(logWeights: Float64Array, leastEffective: number): number {
  const rising = logWeights.filter((value) => value > -Infinity).sort();
  const { length } = rising;
  if (length === 0) return Infinity;
  // ln of the sum of the 1, 2, … smallest: logarithms all along, since heavy tails span more than float64 does.
  const logSums = new Float64Array(length);
  rising.forEach((value, i) => {
    const before = i === 0 ? -Infinity : logSums[i - 1];
    const [low, high] = before < value ? [before, value] : [value, before];
    logSums[i] = high + log1pOf(expOf(low - high));
  });
  if (rising[length - 1] <= logSums[length - 1] - logOf(leastEffective)) return Infinity;
  for (let capped = 1; capped < Math.min(leastEffective, length); capped++) {
    const largestOther = length - capped - 1;
    const logCap = logSums[largestOther] - logOf(leastEffective - capped);
    if (rising[largestOther] <= logCap) return logCap;
  }
  return rising[0];
}
