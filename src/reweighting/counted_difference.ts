import { drawBlockWeights, groupIntoBlocks } from "./blocks.ts";
import { dot } from "./bar_sides.ts";
import { resampling, type ResamplingOptions } from "./bootstrap.ts";
import { CounterRandom } from "./counter_random.ts";
import { estimateFrom, type FreeEnergyEstimate, noEstimate } from "./estimate.ts";
import { integerLabels, requireSameLength, requireSamples } from "./input_checks.ts";
import { bootstrapDoubt, chainDoubt, errorDoubt, firstDoubt, standardDeviation } from "./reliability.ts";

/** With fewer crossings than this, populations still remember where the chains were started. */
const MINIMUM_CROSSINGS = 20;

/** A free-energy difference from populations, and how many crossings it rests on. */
export interface CountedDifference extends FreeEnergyEstimate {
  /** How often a chain changed from one of the two basins to the other. */
  readonly crossings: number;
}

/**
 * Estimates a free-energy difference from how long plain Markov chains stay in either basin.
 *
 *     ΔF = F₁ − F₀ = −ln (n₁/n₀),   n_b frames in basin b
 *
 * Populations mean something only after many crossings: without any, the ratio is that of the starting points, and there
 * is no estimate; with fewer than 20 it is unreliable. The error is that of a bootstrap over whole chains.
 *
 * Units: k_BT.
 *
 * @param basins basin of each frame, 0 or 1, negative where it is in neither, [n], in the order of time within a chain
 * @param chains chain of each frame, [n]
 * @param options number of bootstrap replicates, and seed
 * @returns F₁ − F₀ with its error and the number of crossings
 * @throws {RangeError} if the lists are empty or differ in length, or a basin is above 1
 *
 * @example Two chains that never left their basins
 * ```ts
 * import { freeEnergyDifferenceByCounting } from "@boltzflow/boltzflow";
 * import assert from "node:assert/strict";
 *
 * const estimate = freeEnergyDifferenceByCounting([0, 0, 1, 1], [7, 7, 8, 8]);
 *
 * assert.equal(estimate.value, null);
 * assert.equal(estimate.reason, "no chain crossed from one basin to the other");
 * ```
 */
export function freeEnergyDifferenceByCounting(
  basins: ArrayLike<number>,
  chains: ArrayLike<number>,
  options: ResamplingOptions = {},
): CountedDifference {
  const task = "count a free-energy difference";
  requireSamples(task, basins.length, "basins");
  requireSameLength(task, "chains", chains.length, "basins", basins.length);
  const labels = integerLabels(task, "basins", basins, { maximum: 1 });
  const { replicates, seed } = resampling(task, options);
  const blocks = groupIntoBlocks(task, chains);
  const frames = [new Float64Array(blocks.count), new Float64Array(blocks.count)];
  const last = new Int32Array(blocks.count).fill(-1);
  let crossings = 0;
  for (let i = 0; i < labels.length; i++) {
    if (labels[i] < 0) continue;
    const chain = blocks.blockOf[i];
    frames[labels[i]][chain]++;
    if (last[chain] === 1 - labels[i]) crossings++;
    last[chain] = labels[i];
  }
  if (crossings === 0) return { ...noEstimate("no chain crossed from one basin to the other"), crossings };

  const weights = new Float64Array(blocks.count).fill(1);
  const value = Math.log(dot(weights, frames[0]) / dot(weights, frames[1]));
  const values = new Float64Array(replicates).map((_, r) => {
    drawBlockWeights(blocks, new CounterRandom(seed, r), weights);
    return Math.log(dot(weights, frames[0]) / dot(weights, frames[1]));
  });
  const standardError = standardDeviation(values);
  const reason = firstDoubt([
    crossings < MINIMUM_CROSSINGS ? `only ${crossings} crossings, fewer than ${MINIMUM_CROSSINGS}` : null,
    chainDoubt(blocks.count, "Monte Carlo"),
    errorDoubt(standardError),
    bootstrapDoubt(values),
  ]);
  return { ...estimateFrom(value, standardError, { degreesOfFreedom: blocks.count - 1, reason }), crossings };
}
