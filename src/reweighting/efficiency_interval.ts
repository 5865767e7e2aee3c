import { activeSamples, drawCounts } from "./active_samples.ts";
import { resampling, type ResamplingOptions } from "./bootstrap.ts";
import { CounterRandom } from "./counter_random.ts";
import { requireLogWeights } from "./input_checks.ts";
import { maximum } from "./log_sum_exp.ts";

/** Shares of the replicates below the lower and the upper end of the range. */
const ENDS = [0.025, 0.975] as const;

/**
 * Computes the range that the sampling efficiency takes in 95 of 100 sets that are resampled from the samples at hand.
 *
 *     efficiency* = (Σ cᵢwᵢ)² / (n Σ cᵢwᵢ²),   c = how often each sample is drawn in n draws with replacement
 *
 * It says how much the number would change with other samples like those at hand, and is no confidence interval of the
 * efficiency of infinitely many samples: that rests on the heaviest weights, which may not have been drawn yet, and no
 * correction from the weights alone makes up for them. It holds that limit 95 times in 100 where weights are bounded (a
 * flow wider than its target everywhere), 80 times for log-normal weights of efficiency 0.37 and n = 2000, and 64 times
 * for those of efficiency 0.1 and n = 5000; what it misses lies below it. `forwardDiagnostics`, from samples of the target,
 * has an interval that covers.
 *
 * Units: none. Reference: Efron and Tibshirani 1993, chapter 13.
 *
 * @param logWeights log wᵢ, [n], normalised or not; −Infinity is a weight of zero
 * @param options replicates, seed
 * @returns lower and upper end, between 0 and 1; null when every weight is zero
 * @throws {RangeError} if `logWeights` is empty or holds NaN or +Infinity
 *
 * @example
 * ```ts
 * import { samplingEfficiencyInterval } from "@boltzflow/boltzflow";
 * import assert from "node:assert/strict";
 *
 * assert.deepEqual(samplingEfficiencyInterval(Float64Array.of(3, 3, 3, 3)), [1, 1]);
 * ```
 */
export function samplingEfficiencyInterval(
  logWeights: Float64Array,
  options: ResamplingOptions = {},
): readonly [number, number] | null {
  const task = "compute an interval of the efficiency";
  requireLogWeights(task, logWeights);
  const { replicates, seed } = resampling(task, options);
  const n = logWeights.length;
  const largest = maximum(logWeights);
  if (largest === -Infinity) return null;
  const all = logWeights.map((value) => Math.exp(value - largest));
  const kept = activeSamples(all, new Int32Array(n), 1);
  const weights = Float64Array.from(kept, (i) => all[i]);
  const counts = new Float64Array(weights.length);
  const values = Float64Array.from({ length: replicates }, (_, replicate) => {
    drawCounts(n, weights.length / n, new CounterRandom(seed, replicate), counts);
    return efficiencyOf(weights, counts, n);
  }).sort();
  return [percentile(values, ENDS[0]), percentile(values, ENDS[1])];
}

function efficiencyOf(weights: Float64Array, counts: Float64Array, n: number): number {
  let sum = 0;
  let sumOfSquares = 0;
  for (let i = 0; i < weights.length; i++) {
    sum += counts[i] * weights[i];
    sumOfSquares += counts[i] * weights[i] * weights[i];
  }
  return sumOfSquares === 0 ? 0 : sum * sum / sumOfSquares / n;
}

/** Linear between order statistics. */
function percentile(sorted: Float64Array, share: number): number {
  const at = share * (sorted.length - 1);
  const below = Math.floor(at);
  const above = Math.min(below + 1, sorted.length - 1);
  return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
}
