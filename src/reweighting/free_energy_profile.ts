import { activeSamples, drawCounts } from "./active_samples.ts";
import { BinnedWeights, sharesOf } from "./binned_weights.ts";
import { drawBlockWeights, groupIntoBlocks } from "./blocks.ts";
import { resampling, type ResamplingOptions } from "./bootstrap.ts";
import { CounterRandom } from "./counter_random.ts";
import { requireEdges, requireFinite, requireLogWeights, requireSameLength } from "./input_checks.ts";
import { maximum } from "./log_sum_exp.ts";
import { binOf, type FreeEnergyProfile, profileFromMasses } from "./profile_band.ts";

/** Where `freeEnergyProfile` puts its bins, and how it finds the error. */
export interface ProfileOptions extends ResamplingOptions {
  /** Rising bin edges, [bins + 1]; a value on an edge belongs to the bin above it. */
  readonly edges: Float64Array;
  /** Chain of each sample, [n]: the band then comes from whole chains. Default: samples are independent. */
  readonly chains?: ArrayLike<number>;
}

/**
 * Estimates a free-energy profile along a coordinate from weighted samples.
 *
 *     F(d) = −ln p(d),   p(d) in a bin = Σ_{i in bin} wᵢ / (width · Σᵢ wᵢ)
 *
 * No Jacobian is removed, and the zero is that of a normalised density: samples outside the bins count in Σ wᵢ. The band
 * comes from a bootstrap over samples or whole chains. Bins with fewer than 50 effective samples are marked as
 * unreliable, bins without weight have no value. A profile is the mean over its bin: where F bends sharply take narrow
 * bins.
 *
 * Units: F in k_BT (density per unit of d).
 *
 * @param coordinate d of each sample, [n]
 * @param logWeights ln wᵢ, [n], normalised or not; −Infinity is a weight of zero
 * @param options bin edges, chains, bootstrap
 * @returns the profile with its band
 * @throws {RangeError} if the lists differ in length, are empty or hold values that they must not, or no weight is
 *   positive
 *
 * @example Equal weights on [0, 1)
 * ```ts
 * import { freeEnergyProfile } from "@boltzflow/boltzflow";
 * import assert from "node:assert/strict";
 *
 * const d = Float64Array.from({ length: 1000 }, (_, i) => i / 1000);
 * const profile = freeEnergyProfile(d, new Float64Array(1000), { edges: Float64Array.of(0, 0.5, 1) });
 *
 * assert.ok(Math.abs(profile.freeEnergy[0]!) < 1e-12);
 * ```
 */
export function freeEnergyProfile(
  coordinate: Float64Array,
  logWeights: Float64Array,
  options: ProfileOptions,
): FreeEnergyProfile {
  const task = "estimate a free-energy profile";
  const { edges, chains } = options;
  requireEdges(task, edges);
  requireLogWeights(task, logWeights);
  requireSameLength(task, "coordinate", coordinate.length, "logWeights", logWeights.length);
  if (chains) requireSameLength(task, "chains", chains.length, "logWeights", logWeights.length);
  requireFinite(task, coordinate, "coordinate");
  const largest = maximum(logWeights);
  if (largest === -Infinity) {
    throw new RangeError(`Cannot ${task}: logWeights must not all be -Infinity, got only those`);
  }
  const weights = logWeights.map((logWeight) => Math.exp(logWeight - largest));
  const bins = edges.length - 1;
  const binOfSample = Int32Array.from(coordinate, (value) => binOf(edges, value));
  const settings = resampling(task, options);
  return chains
    ? profileOfChains(edges, binOfSample, weights, groupIntoBlocks(task, chains), settings)
    : profileOfSamples(edges, binOfSample.map((bin) => bin < 0 ? bins : bin), weights, settings);
}

type Settings = ReturnType<typeof resampling>;

function profileOfChains(
  edges: Float64Array,
  binOfSample: Int32Array,
  weights: Float64Array,
  blocks: ReturnType<typeof groupIntoBlocks>,
  { replicates, seed }: Settings,
): FreeEnergyProfile {
  const bins = edges.length - 1;
  const binned = new BinnedWeights(blocks, bins);
  for (let i = 0; i < weights.length; i++) binned.addToBlock(blocks.blockOf[i], binOfSample[i], weights[i]);
  const masses = new Float64Array(replicates * bins);
  const blockWeights = new Float64Array(blocks.count);
  for (let r = 0; r < replicates; r++) {
    drawBlockWeights(blocks, new CounterRandom(seed, r), blockWeights);
    masses.set(sharesOf(binned.totals(blockWeights)), r * bins);
  }
  return profileFromMasses(
    edges,
    sharesOf(binned.totals()),
    masses,
    binned.effectiveSamples(),
    binned.degreesOfFreedom(0),
  );
}

function profileOfSamples(
  edges: Float64Array,
  columns: Int32Array,
  weights: Float64Array,
  { replicates, seed }: Settings,
): FreeEnergyProfile {
  const bins = edges.length - 1;
  const totals = new Float64Array(bins + 1);
  const squares = new Float64Array(bins + 1);
  for (let i = 0; i < weights.length; i++) {
    totals[columns[i]] += weights[i];
    squares[columns[i]] += weights[i] ** 2;
  }
  const active = activeSamples(weights, columns, bins + 1);
  const activeWeights = Float64Array.from(active, (i) => weights[i]);
  const activeColumns = Int32Array.from(active, (i) => columns[i]);
  const counts = new Float64Array(active.length);
  const masses = new Float64Array(replicates * bins);
  for (let r = 0; r < replicates; r++) {
    drawCounts(weights.length, active.length / weights.length, new CounterRandom(seed, r), counts);
    const sums = new Float64Array(bins + 1);
    for (let i = 0; i < counts.length; i++) sums[activeColumns[i]] += counts[i] * activeWeights[i];
    masses.set(sharesOf(sums), r * bins);
  }
  const effective = new Float64Array(bins).map((_, bin) => squares[bin] > 0 ? totals[bin] ** 2 / squares[bin] : 0);
  return profileFromMasses(edges, sharesOf(totals), masses, effective);
}
