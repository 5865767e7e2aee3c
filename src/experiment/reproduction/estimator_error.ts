/**
 * The published measure of a network: how much the profile that it yields fluctuates.
 *
 * @module
 */
import { activeSamples, drawCounts } from "../../reweighting/active_samples.ts";
import { CounterRandom } from "../../reweighting/counter_random.ts";
import { type Estimate, estimateFrom, noEstimate } from "../../reweighting/estimate.ts";
import { maximum } from "../../reweighting/log_sum_exp.ts";
import { binOf } from "../../reweighting/profile_band.ts";
import type { Levels } from "./profile_comparison.ts";

/** Weighted samples along a coordinate. */
export interface WeightedCoordinate {
  /** ln w, [n]. */
  readonly logWeights: Float64Array;
  /** The coordinate, [n]. */
  readonly d: Float64Array;
}

/** The error of an estimator, from draws that are independent of each other. */
export interface EstimatorError {
  /** ε of all draws together, in k_BT; null where no bin has an error. */
  readonly all: number | null;
  /** ε with each draw left out in turn. */
  readonly without: readonly (number | null)[];
}

/** Draws and replicates that a bin must be filled in, as published. */
const LEAST_FINITE = 3;

/** Profiles of the replicates of one draw, less the lowest mean of a bin: NaN where a bin is empty. */
function replicateProfiles(
  { logWeights, d }: WeightedCoordinate,
  edges: Float64Array,
  replicates: number,
  seed: number,
): Float64Array[] {
  const bins = edges.length - 1;
  const largest = maximum(logWeights);
  const inside = (bin: number) => bin >= 0 && bin < bins;
  const columns = Int32Array.from(d, (value) => binOf(edges, value));
  const weights = logWeights.map((log, i) => inside(columns[i]) && largest > -Infinity ? Math.exp(log - largest) : 0);
  const active = activeSamples(weights, columns.map((bin) => inside(bin) ? bin : bins), bins + 1);
  const counts = new Float64Array(active.length);
  const profiles = Array.from({ length: replicates }, (_, r) => {
    drawCounts(weights.length, active.length / weights.length, new CounterRandom(seed, r), counts);
    const sums = new Float64Array(bins);
    for (let k = 0; k < active.length; k++) sums[columns[active[k]]] += counts[k] * weights[active[k]];
    const total = sums.reduce((sum, one) => sum + one, 0);
    return sums.map((sum, bin) => sum > 0 ? -Math.log(sum / total / (edges[bin + 1] - edges[bin])) : NaN);
  });
  const means = Array.from({ length: bins }, (_, bin) => {
    return profiles.reduce((sum, profile) => sum + profile[bin], 0) / replicates;
  });
  // The mean of a bin that is empty in a replicate is infinite as published: it is not the lowest.
  const lowest = Math.min(...means.map((mean) => Number.isNaN(mean) ? Infinity : mean));
  return lowest === Infinity ? [] : profiles.map((profile) => profile.map((value) => value - lowest));
}

/** Root of the mean over bins of the variance over replicates, each over what is finite. */
function spreadOfReplicates(profiles: readonly Float64Array[], bins: number): number | null {
  const variances: number[] = [];
  for (let bin = 0; bin < bins; bin++) {
    const values = profiles.map((profile) => profile[bin]).filter((value) => !Number.isNaN(value));
    if (values.length < LEAST_FINITE) continue;
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    variances.push(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length);
  }
  if (variances.length < 2) return null;
  return Math.sqrt(variances.reduce((sum, variance) => sum + variance, 0) / variances.length);
}

/**
 * Computes ε, the published standard error of a free-energy profile.
 *
 *     ε² = ⟨ var F_b ⟩_b,   F_b = −ln (Σ_{i in b} wᵢ / (width Σ wᵢ))
 *
 * The variance is over bootstrap replicates of all draws in one heap, each draw shifted by one constant, so that it holds
 * both the bootstrap and the spread of the draws; a bin counts where at least three replicates have weight in it. It says how
 * noisy the estimate is. What no sample has found, and what draws share, it cannot see.
 *
 * Reference: `free_energy_estimator_error` of the published `particles_hyperparameters.py`.
 *
 * @param draws independent draws of one network at one temperature
 * @param edges bin edges, [bins + 1]
 * @param options `replicates` of each draw, `seed`
 * @returns ε, and ε without each draw
 */
export function estimatorError(
  draws: readonly WeightedCoordinate[],
  edges: Float64Array,
  { replicates, seed }: { readonly replicates: number; readonly seed: number },
): EstimatorError {
  const bins = edges.length - 1;
  const profiles = draws.map((draw, k) => replicateProfiles(draw, edges, replicates, seed + k));
  return {
    all: spreadOfReplicates(profiles.flat(), bins),
    without: profiles.map((_, out) => spreadOfReplicates(profiles.filter((_, k) => k !== out).flat(), bins)),
  };
}

/**
 * Takes a number of all draws and the same with each left out, and finds its standard error by the jackknife.
 *
 * @param all of all draws
 * @param without with each draw left out in turn
 * @param reason for doubt, if there is one
 * @returns the estimate, with Student's t of one less than the number of draws
 */
export function jackknifed(
  all: number | null,
  without: readonly (number | null)[],
  reason: string | null = null,
): Estimate {
  if (all === null) return noEstimate("too few bins of the profile have weight");
  if (without.includes(null)) return { ...noEstimate("a profile rests on a single draw"), value: all };
  const n = without.length;
  const mean = without.reduce((sum: number, value) => sum + value!, 0) / n;
  const squares = without.reduce((sum: number, value) => sum + (value! - mean) ** 2, 0);
  return estimateFrom(all, Math.sqrt((n - 1) / n * squares), { degreesOfFreedom: n - 1, reason });
}

/**
 * Gathers a profile from draws, without errors.
 *
 * @param draws independent draws
 * @param edges bin edges, [bins + 1]
 * @returns −ln of the density within the bins; null where a bin is empty
 */
export function profileOf(draws: readonly WeightedCoordinate[], edges: Float64Array): Levels {
  const sums = new Float64Array(edges.length - 1);
  const largest = Math.max(...draws.map(({ logWeights }) => maximum(logWeights)));
  for (const { logWeights, d } of draws) {
    for (let i = 0; i < d.length; i++) {
      const bin = binOf(edges, d[i]);
      if (bin >= 0 && bin < sums.length && logWeights[i] > -Infinity) sums[bin] += Math.exp(logWeights[i] - largest);
    }
  }
  const total = sums.reduce((sum, one) => sum + one, 0);
  return Array.from(sums, (sum, bin) => sum > 0 ? -Math.log(sum / total / (edges[bin + 1] - edges[bin])) : null);
}
