import type { CounterRandom } from "./counter_random.ts";
import { requireSameLength } from "./input_checks.ts";

/**
 * A partition of samples into independent blocks (chains, or single samples), and of the blocks into strata.
 *
 * A bootstrap replicate keeps the number of blocks of every stratum: windows, or basins, are strata because how many
 * chains each got was decided beforehand and is not a random number.
 */
export interface Blocks {
  /** Block of each sample, numbered 0, 1, … in order of first appearance, [n]. */
  readonly blockOf: Int32Array;
  /** Number of blocks. */
  readonly count: number;
  /** Stratum of each block, [count]. */
  readonly stratumOf: Int32Array;
  /** The blocks of each stratum. */
  readonly strata: readonly Int32Array[];
}

/**
 * Groups samples into blocks and blocks into strata.
 *
 * @param task what the caller cannot do with bad input, after "Cannot "
 * @param labels block label of each sample, [n]; any numbers
 * @param strata stratum label of each sample, [n]; a block belongs to the stratum that most of its samples are in
 *   (the one met first when tied); default one stratum
 * @returns the partition
 * @throws {RangeError} if the two lists differ in length
 */
export function groupIntoBlocks(task: string, labels: ArrayLike<number>, strata?: ArrayLike<number>): Blocks {
  if (strata) requireSameLength(task, "strata", strata.length, "block labels", labels.length);
  const { indices: blockOf, count } = numberLabels(labels);
  if (!strata) return partition(blockOf, new Int32Array(count), 1);
  const { indices: stratumOfSample, count: strataCount } = numberLabels(strata);
  const votes = Array.from({ length: count }, () => new Map<number, number>());
  for (let i = 0; i < blockOf.length; i++) {
    const vote = votes[blockOf[i]];
    vote.set(stratumOfSample[i], (vote.get(stratumOfSample[i]) ?? 0) + 1);
  }
  const chosen = votes.map((vote) => [...vote].reduce((best, entry) => entry[1] > best[1] ? entry : best)[0]);
  return partition(blockOf, Int32Array.from(chosen), strataCount);
}

/**
 * Makes every sample a block of its own.
 *
 * @param n number of samples
 * @param strata stratum label of each sample, [n]; default one stratum
 * @returns the partition
 */
export function singleSamples(n: number, strata?: ArrayLike<number>): Blocks {
  const own = Int32Array.from({ length: n }, (_, i) => i);
  if (!strata) return partition(own, new Int32Array(n), 1);
  const { indices, count } = numberLabels(strata);
  return partition(own, indices, count);
}

/** Renumbers labels 0, 1, … in order of first appearance. */
function numberLabels(labels: ArrayLike<number>): { indices: Int32Array; count: number } {
  const numbers = new Map<number, number>();
  const indices = new Int32Array(labels.length);
  for (let i = 0; i < labels.length; i++) {
    let number = numbers.get(labels[i]);
    if (number === undefined) {
      number = numbers.size;
      numbers.set(labels[i], number);
    }
    indices[i] = number;
  }
  return { indices, count: numbers.size };
}

function partition(blockOf: Int32Array, stratumOf: Int32Array, strataCount: number): Blocks {
  const lists: number[][] = Array.from({ length: strataCount }, () => []);
  stratumOf.forEach((stratum, block) => lists[stratum].push(block));
  const strata = lists.filter((list) => list.length > 0).map((list) => Int32Array.from(list));
  return { blockOf, count: stratumOf.length, stratumOf, strata };
}

/**
 * Draws the weight of every block in one bootstrap replicate.
 *
 * Of the C blocks of a stratum, C − 1 are drawn with replacement and each draw weighs C/(C − 1): the mean weight is 1
 * and the variance of a weighted mean is the unbiased s²/C, also for two chains, where drawing C would give half of it.
 * A stratum of a single block always weighs 1: it shows no variance, which the caller must not take for precision.
 *
 * Reference: Rao and Wu, J. Am. Stat. Assoc. 83, 231 (1988), with resample size C − 1.
 *
 * @param blocks the partition
 * @param random where the draws come from
 * @param weights receives the weights, [blocks.count]
 */
export function drawBlockWeights(blocks: Blocks, random: CounterRandom, weights: Float64Array): void {
  weights.fill(0);
  for (const members of blocks.strata) {
    const size = members.length;
    if (size === 1) weights[members[0]] = 1;
    for (let draw = 1; draw < size; draw++) weights[members[random.below(size)]] += size / (size - 1);
  }
}

/**
 * Computes the variance of a sum of block scores, and what its degrees of freedom follow from.
 *
 *     V = Σ_strata V_s,   V_s = C/(C − 1) Σ_blocks (s − s̄)²,   spread = Σ_strata V_s² / (ν_s + 1),   ν_s = C − 1
 *
 * Strata of a single block add nothing.
 *
 * @param blocks the partition
 * @param scores one score per block, [blocks.count]
 * @returns the variance and its spread, which `degreesOfFreedom` takes
 */
export function varianceOfBlockSums(blocks: Blocks, scores: Float64Array): { variance: number; spread: number } {
  let variance = 0;
  let spread = 0;
  for (const members of blocks.strata) {
    const size = members.length;
    if (size < 2) continue;
    let mean = 0;
    for (const block of members) mean += scores[block] / size;
    let sum = 0;
    for (const block of members) sum += (scores[block] - mean) ** 2;
    const part = sum * size / (size - 1);
    variance += part;
    spread += part * part / size;
  }
  return { variance, spread };
}

/**
 * Computes on how many degrees of freedom a variance rests that is a sum of estimated parts.
 *
 *     ν = V² / Σ_s V_s²/(ν_s + 1) − 1
 *
 * V_s² overestimates the square of the true part by (ν_s + 2)/ν_s on average. Without any correction (ν_s in the sum)
 * intervals are too wide for many equal parts of one degree each; with all of it (ν_s + 2, and − 2) they cover 182 times in
 * 200 where a few of such parts are the largest. Half-way between, they cover 186 to 193 times for one to forty parts of
 * one degree, equal or not, and 188 to 192 times for parts of two or more.
 *
 * Reference: Welch, Biometrika 34, 28 (1947); Satterthwaite, Biometrics Bulletin 2, 110 (1946).
 *
 * @param variance V, the sum of the parts
 * @param spread Σ V_s²/(ν_s + 1)
 * @returns ν ≥ 1; Infinity when there is no variance
 */
export function degreesOfFreedom(variance: number, spread: number): number {
  return spread > 0 ? Math.max(1, variance * variance / spread - 1) : Infinity;
}
