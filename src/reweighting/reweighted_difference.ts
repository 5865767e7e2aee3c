import { activeSamples, drawCounts } from "./active_samples.ts";
import type { BasinDataSamples } from "./basin_problem.ts";
import { resampling, type ResamplingOptions } from "./bootstrap.ts";
import { coverageDoubt, type CoverageFrames, disagreementDoubt } from "./coverage_doubt.ts";
import { CounterRandom } from "./counter_random.ts";
import { kishEffectiveSampleSize } from "./effective_sample_size.ts";
import { estimateFrom, type FreeEnergyEstimate, noEstimate } from "./estimate.ts";
import { integerLabels, requireInteger, requireLogWeights, requireSameLength } from "./input_checks.ts";
import { logSumExp } from "./log_sum_exp.ts";
import { bootstrapDoubt, errorDoubt, firstDoubt, standardDeviation } from "./reliability.ts";
import { weightDoubt } from "./weight_doubt.ts";

/** Which difference `freeEnergyDifferenceByReweighting` takes, and how it finds the error. */
export interface ReweightingOptions extends ResamplingOptions {
  /** Names of the basins, in the order of their labels. */
  readonly names: readonly string[];
  /** Label of the basin that is left, default 0. */
  readonly from?: number;
  /** Label of the basin that is reached, default 1. */
  readonly to?: number;
  /** Frames of both basins; without them the difference is not called reliable, since a basin may be covered in part. */
  readonly frames?: BasinDataSamples;
}

/**
 * Estimates a free-energy difference between two basins from one set of importance weights.
 *
 *     ΔF = F_to − F_from = ln Σ_{i in from} wᵢ − ln Σ_{i in to} wᵢ,   ln wᵢ = −u(xᵢ) − ln q(xᵢ), xᵢ ~ q
 *
 * Raw weights, neither clipped nor smoothed; a common factor of all weights cancels. The error is the standard deviation
 * of a bootstrap over samples. It misses whatever no sample has found yet, which is why it is called reliable only when,
 * in both basins, at least 50 samples are effective, the Pareto k̂ of the weights is below its limit and `frames` show
 * nothing that the samples miss, and the bootstrap is well behaved.
 *
 * Units: k_BT. Reference: Noé, Olsson, Köhler, Wu, Science 365, eaaw1147 (2019); Vehtari et al. 2024 for the limit.
 *
 * @param logWeights ln wᵢ of independent samples, [n]; −Infinity outside the reference domain
 * @param basins basin of each sample, 0, 1, …, [n]; negative where it is in none
 * @param options names and labels of the basins, bootstrap
 * @returns F_to − F_from; no value when a basin holds no weight
 * @throws {RangeError} if the lists differ in length, or hold values or labels that they must not
 *
 * @example Three times as much weight to the right
 * ```ts
 * import { freeEnergyDifferenceByReweighting } from "@boltzflow/boltzflow";
 * import assert from "node:assert/strict";
 *
 * const basins = Int32Array.from({ length: 400 }, (_, i) => i % 4 === 0 ? 0 : 1);
 * const names = ["left", "right"];
 * const estimate = freeEnergyDifferenceByReweighting(new Float64Array(400), basins, { names });
 * const frames = { logWeights: new Float64Array(400), basins, chains: basins.keys().toArray() };
 * const checked = freeEnergyDifferenceByReweighting(new Float64Array(400), basins, { names, frames });
 *
 * assert.ok(Math.abs(estimate.value! + Math.log(3)) < 1e-12);
 * assert.equal(estimate.reason, "coverage of states is unchecked: no frames of basin left were scored");
 * assert.ok(checked.reliable);
 * ```
 */
export function freeEnergyDifferenceByReweighting(
  logWeights: Float64Array,
  basins: ArrayLike<number>,
  options: ReweightingOptions,
): FreeEnergyEstimate {
  const task = "reweight a free-energy difference";
  const { names, from = 0, to = 1 } = options;
  requireLogWeights(task, logWeights);
  requireSameLength(task, "basins", basins.length, "logWeights", logWeights.length);
  requireInteger(task, "from", from, 0, names.length - 1);
  requireInteger(task, "to", to, 0, names.length - 1);
  const labels = integerLabels(task, "basins", basins, { maximum: names.length - 1 });
  const { replicates, seed } = resampling(task, options);

  const weights = [from, to].map((basin) => logWeights.filter((_, i) => labels[i] === basin));
  for (const [side, basin] of [from, to].entries()) {
    if (!weights[side].some((logWeight) => logWeight > -Infinity)) {
      return noEstimate(`no sample of basin ${names[basin]} has any weight`);
    }
  }
  const sums = weights.map(logSumExp);
  const values = replicateDifferences(weights, sums, logWeights.length, { replicates, seed });
  const value = sums[0] - sums[1];
  const standardError = standardDeviation(values);
  // The side with fewer effective samples speaks first: its doubt is the graver one.
  const doubts = [from, to]
    .map((basin, side) => ({ basin, weights: weights[side], effective: kishEffectiveSampleSize(weights[side]) }))
    .sort((a, b) => a.effective - b.effective)
    .map((side) => weightDoubt(side.weights, side.effective, ` of basin ${names[side.basin]}`));
  const uncovered = [from, to].map((basin, side) => {
    const frames = framesOf(task, options.frames, basin);
    const place = ` of basin ${names[basin]}`;
    return coverageDoubt(task, weights[side], frames, standardError, place) ??
      disagreementDoubt(weights[side], logWeights.length, frames, standardError, place);
  });
  const reason = firstDoubt([...doubts, errorDoubt(standardError), bootstrapDoubt(values), ...uncovered]);
  return estimateFrom(value, standardError, { reason });
}

/** The frames that lie in one basin. */
function framesOf(task: string, frames: BasinDataSamples | undefined, basin: number): CoverageFrames | undefined {
  if (frames === undefined) return undefined;
  const { logWeights, basins, chains } = frames;
  requireSameLength(task, "frames.basins", basins.length, "frames.logWeights", logWeights.length);
  requireSameLength(task, "frames.chains", chains.length, "frames.logWeights", logWeights.length);
  const inside = Int32Array.from(logWeights.keys()).filter((i) => basins[i] === basin);
  return { logWeights: Float64Array.from(inside, (i) => logWeights[i]), chains: Array.from(inside, (i) => chains[i]) };
}

/** ln Σ_from − ln Σ_to of bootstrap replicates of all n samples, of which these two basins hold some. */
function replicateDifferences(
  weights: readonly Float64Array[],
  sums: readonly number[],
  n: number,
  { replicates, seed }: { replicates: number; seed: number },
): Float64Array {
  const shares = Float64Array.from(weights.flatMap((list, side) => Array.from(list, (v) => Math.exp(v - sums[side]))));
  const sides = Int32Array.from(shares, (_, i) => i < weights[0].length ? 0 : 1);
  const active = activeSamples(shares, sides, 2);
  const counts = new Float64Array(active.length);
  return new Float64Array(replicates).map((_, r) => {
    drawCounts(n, counts.length / n, new CounterRandom(seed, r), counts);
    const total = [0, 0];
    for (let i = 0; i < counts.length; i++) total[sides[active[i]]] += counts[i] * shares[active[i]];
    return sums[0] - sums[1] + Math.log(total[0] / total[1]);
  });
}
