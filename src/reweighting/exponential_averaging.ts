import { activeSamples, drawCounts } from "./active_samples.ts";
import { resampling, type ResamplingOptions } from "./bootstrap.ts";
import { coverageDoubt, type CoverageFrames } from "./coverage_doubt.ts";
import { CounterRandom } from "./counter_random.ts";
import { kishEffectiveSampleSize } from "./effective_sample_size.ts";
import { type Estimate, estimateFrom, type FreeEnergyEstimate, noEstimate } from "./estimate.ts";
import { requireLogWeights, requireWork } from "./input_checks.ts";
import { logMeanExp, maximum } from "./log_sum_exp.ts";
import { bootstrapDoubt, firstDoubt, standardDeviation } from "./reliability.ts";
import { weightDoubt } from "./weight_doubt.ts";

/** How the average finds its error, and what vouches that samples reach all of the target. */
export interface AveragingOptions extends ResamplingOptions {
  /**
   * Frames of the target (state 1) from every state that counts, with ln w = −work there. Without them the estimate is
   * not called reliable: samples of one state say nothing about another.
   */
  readonly frames?: CoverageFrames;
}

/**
 * Estimates a free-energy difference from work values in one direction.
 *
 *     ΔF = F₁ − F₀ = −ln (1/n) Σᵢ exp(−wᵢ),   w = u₁(x) − u₀(x), x ~ state 0
 *
 * Also known as free-energy perturbation, or the Zwanzig or Jarzynski estimator. Everything rests on the samples of
 * lowest work: it is right only where state 0 visits the typical set of state 1, and otherwise too high by several k_BT
 * without showing it in its error. So it is called reliable only if `frames` of state 1 show nothing that is missing.
 * Prefer `bennettAcceptanceRatio` when samples of both states exist. The error is the standard deviation of a bootstrap.
 *
 * Units: k_BT. Reference: Zwanzig, J. Chem. Phys. 22, 1420 (1954).
 *
 * @param work reduced work of independent samples of state 0, [n]; +Infinity where state 1 cannot hold the sample
 * @param options frames of state 1, number of bootstrap replicates, and seed
 * @returns ΔF; no value when every work is +Infinity
 * @throws {RangeError} if `work` is empty or holds NaN or −Infinity
 *
 * @example Two equal states, the second one raised by 1.5 k_BT
 * ```ts
 * import { exponentialAveraging } from "@boltzflow/boltzflow";
 * import assert from "node:assert/strict";
 *
 * const { value } = exponentialAveraging(new Float64Array(100).fill(1.5));
 *
 * assert.ok(Math.abs(value! - 1.5) < 1e-12);
 * ```
 */
export function exponentialAveraging(work: Float64Array, options: AveragingOptions = {}): FreeEnergyEstimate {
  requireWork("average exponentials of the work", work, "work");
  const estimate = logPartitionFunction(work.map((value) => -value), options);
  if (estimate.value === null) return noEstimate("every work is +Infinity: no sample lies within the other state");
  const { value, interval95 } = estimate;
  return { ...estimate, value: -value, interval95: interval95 && [-interval95[1], -interval95[0]] };
}

/**
 * Estimates the logarithm of a partition function from importance weights, with its error.
 *
 *     ln Z = ln (1/n) Σᵢ wᵢ,   ln wᵢ = −u(xᵢ) − ln q(xᵢ), xᵢ ~ q, q normalised
 *
 * F = −ln Z. Reliable when k̂ is below its limit, at least 50 samples are effective, the bootstrap is well behaved, and
 * `frames` of the target show no part of it that the samples miss: a flow that has collapsed onto one of two states yields
 * even weights and a small error, and misses the other state's part of Z.
 *
 * Units: none.
 *
 * @param logWeights ln wᵢ of independent samples, [n]; −Infinity outside the target's domain
 * @param options frames of the target, number of bootstrap replicates, and seed
 * @returns ln Z; no value when every weight is zero
 * @throws {RangeError} if `logWeights` is empty or holds NaN or +Infinity
 */
export function logPartitionFunction(logWeights: Float64Array, options: AveragingOptions = {}): Estimate {
  const task = "estimate a partition function";
  requireLogWeights(task, logWeights);
  const { replicates, seed } = resampling(task, options);
  const value = logMeanExp(logWeights);
  if (value === -Infinity) return noEstimate("every weight is zero");
  const largest = maximum(logWeights);
  const relative = logWeights.map((logWeight) => Math.exp(logWeight - largest));
  const active = activeSamples(relative, new Int32Array(relative.length), 1);
  const contributions = Float64Array.from(active, (i) => relative[i]);
  const counts = new Float64Array(active.length);
  const values = new Float64Array(replicates).map((_, r) => {
    drawCounts(logWeights.length, active.length / logWeights.length, new CounterRandom(seed, r), counts);
    let sum = 0;
    for (let i = 0; i < counts.length; i++) sum += counts[i] * contributions[i];
    return Math.log(sum);
  });
  const standardError = standardDeviation(values);
  const reason = firstDoubt([
    weightDoubt(logWeights, kishEffectiveSampleSize(logWeights), ""),
    bootstrapDoubt(values),
    coverageDoubt(task, logWeights, options.frames, standardError, ""),
  ]);
  return estimateFrom(value, standardError, { reason });
}
