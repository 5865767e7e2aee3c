import { requireLogWeights } from "./input_checks.ts";
import { maximum } from "./log_sum_exp.ts";

/**
 * Computes the Kish effective sample size of a set of importance weights.
 *
 *     ESS = (Σᵢ wᵢ)² / Σᵢ wᵢ²,   wᵢ = exp(logWeights[i])
 *
 * The result lies in [1, n]: n when all weights are equal, 1 when one weight holds everything, and 0 in the one case
 * that every weight is zero (−Infinity). A common factor of all weights cancels. The number says how uneven the weights
 * *at hand* are; when the heaviest weights have not been drawn yet it is too large, which `paretoK` is there to detect.
 *
 * Units: none. Reference: Kish 1965; Martino et al. 2017, arXiv 1602.03572.
 *
 * @param logWeights log wᵢ, [n], normalised or not; −Infinity is a weight of zero
 * @returns the effective number of independent samples
 * @throws {RangeError} if `logWeights` is empty or holds NaN or +Infinity
 *
 * @example Usage
 * ```ts
 * import { kishEffectiveSampleSize } from "@boltzflow/boltzflow";
 * import assert from "node:assert/strict";
 *
 * assert.equal(kishEffectiveSampleSize(Float64Array.of(3, 3, 3, 3, -Infinity)), 4);
 * ```
 */
export function kishEffectiveSampleSize(logWeights: Float64Array): number {
  requireLogWeights("compute an effective sample size", logWeights);
  const largest = maximum(logWeights);
  if (largest === -Infinity) return 0;
  let sum = 0;
  let sumOfSquares = 0;
  for (let i = 0; i < logWeights.length; i++) {
    const weight = Math.exp(logWeights[i] - largest);
    sum += weight;
    sumOfSquares += weight * weight;
  }
  return sum * sum / sumOfSquares;
}

/**
 * Computes the sampling efficiency: the effective share of all samples drawn.
 *
 *     efficiency = kishEffectiveSampleSize / n
 *
 * Samples of zero weight (−Infinity: outside the target's domain) stay in n, because they had to be drawn too. The
 * result lies in (0, 1], or is 0 when every weight is zero. Heavy-tailed weights make it depend on n: quote n with it.
 *
 * Units: none.
 *
 * @param logWeights log wᵢ, [n], normalised or not; −Infinity is a weight of zero
 * @returns the effective share
 * @throws {RangeError} if `logWeights` is empty or holds NaN or +Infinity
 */
export function samplingEfficiency(logWeights: Float64Array): number {
  return kishEffectiveSampleSize(logWeights) / logWeights.length;
}
