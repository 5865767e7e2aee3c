import { activeSamples, drawCounts } from "./active_samples.ts";
import { drawBlockWeights, groupIntoBlocks, varianceOfBlockSums } from "./blocks.ts";
import type { CounterRandom } from "./counter_random.ts";
import { requireSameLength } from "./input_checks.ts";
import { effectiveCount } from "./reliability.ts";

/** One side of Bennett's equation: samples of one state, with what is known about their independence. */
export interface BennettSide {
  /** Work of the samples that take part: finite, and not negligible at the solution, [m]. */
  readonly work: Float64Array;
  /** Number of all samples, those of infinite work included. */
  readonly count: number;
  /** Weight of a sample in the equation, 1 / statistical inefficiency. */
  readonly scale: number;
  /** Number of chains, null for independent samples. */
  readonly chains: number | null;
  /** Sample weights of the replicate drawn last, [m]. */
  readonly weights: Float64Array;
  /** Draws a replicate into `weights` and returns the weight of all its samples. */
  draw(random: CounterRandom): number;
  /** Variance of Σ (occupation − mean occupation) with its spread (see `varianceOfBlockSums`). */
  variance(occupations: Float64Array): { variance: number; spread: number };
}

/**
 * Makes a side of independent samples.
 *
 * @param work all work values, [n]
 * @param shift c of this side at the solution, which tells the samples that matter
 * @param inefficiency g ≥ 1: the samples count, in the equation and in the error, as n/g
 * @returns the side
 */
export function independentSide(work: Float64Array, shift: number, inefficiency: number): BennettSide {
  const count = work.length;
  const occupations = work.map((value) => 1 / (1 + Math.exp(value - shift)));
  const active = activeSamples(occupations, new Int32Array(count), 1);
  const weights = new Float64Array(active.length);
  const draws = Math.max(1, Math.round(count / inefficiency));
  return {
    work: Float64Array.from(active, (i) => work[i]),
    count,
    scale: 1 / inefficiency,
    chains: null,
    weights,
    draw(random) {
      drawCounts(draws, active.length / count, random, weights, inefficiency);
      return draws * inefficiency;
    },
    variance(occupations) {
      const variance = inefficiency * independentVariance(occupations, count);
      return { variance, spread: variance ** 2 / count };
    },
  };
}

/**
 * Makes a side of samples from chains, each correlated within itself and independent of the others.
 *
 * @param task what the caller cannot do with bad input, after "Cannot "
 * @param name what the caller calls this side
 * @param work all work values, [n]
 * @param chains chain of each sample, [n]
 * @param inefficiency g ≥ 1: the samples count as n/g in the equation; the error comes from the chains alone
 * @returns the side
 * @throws {RangeError} if the two lists differ in length
 */
export function chainSide(
  task: string,
  name: string,
  work: Float64Array,
  chains: ArrayLike<number>,
  inefficiency: number,
): BennettSide {
  requireSameLength(task, `${name}Chains`, chains.length, `${name}Work`, work.length);
  const blocks = groupIntoBlocks(task, chains);
  const finite = Int32Array.from(work.keys()).filter((i) => work[i] < Infinity);
  const blockOf = Int32Array.from(finite, (i) => blocks.blockOf[i]);
  const sizes = new Float64Array(blocks.count);
  for (const block of blocks.blockOf) sizes[block]++;
  const blockWeights = new Float64Array(blocks.count);
  const weights = new Float64Array(finite.length);
  return {
    work: Float64Array.from(finite, (i) => work[i]),
    count: work.length,
    scale: 1 / inefficiency,
    chains: blocks.count,
    weights,
    draw(random) {
      drawBlockWeights(blocks, random, blockWeights);
      for (let i = 0; i < weights.length; i++) weights[i] = blockWeights[blockOf[i]];
      return dot(blockWeights, sizes);
    },
    variance(occupations) {
      return varianceOfBlockSums(blocks, chainScores(occupations, blockOf, sizes));
    },
  };
}

/**
 * Sums occupations over chains and takes out the share that the length of a chain explains.
 *
 *     s_c = Σ_{i in c} (oᵢ − ō),   ō = Σ o / n
 *
 * @param occupations occupations of the samples that are not zero, [m]
 * @param chainOf chain of each, [m]
 * @param sizes number of all samples of each chain, [chains]
 * @returns the scores, [chains]; their sum is zero
 */
export function chainScores(occupations: Float64Array, chainOf: Int32Array, sizes: Float64Array): Float64Array {
  const scores = new Float64Array(sizes.length);
  let sum = 0;
  let count = 0;
  for (let i = 0; i < occupations.length; i++) {
    scores[chainOf[i]] += occupations[i];
    sum += occupations[i];
  }
  for (const size of sizes) count += size;
  return scores.map((score, chain) => score - sizes[chain] * sum / count);
}

/**
 * Computes the variance of a sum of independent contributions.
 *
 * @param contributions those that are not zero, [m]
 * @param count number of all contributions
 * @returns Σ o² − (Σ o)² / count, never below zero
 */
export function independentVariance(contributions: Float64Array, count: number): number {
  let sum = 0;
  for (let i = 0; i < contributions.length; i++) sum += contributions[i];
  return Math.max(0, dot(contributions, contributions) - sum * sum / count);
}

/**
 * Computes how many independent samples carry a sum.
 *
 *     (Σ o)² / (g Σ o²),   g = max(1, variance / independent variance)
 *
 * @param contributions what the samples add, those that are not zero, [m]
 * @param count number of all samples
 * @param variance variance of the sum with the correlation of the samples in it
 * @returns the effective number
 */
export function carryingSamples(contributions: Float64Array, count: number, variance: number): number {
  const independent = independentVariance(contributions, count);
  const inefficiency = independent > 0 ? Math.max(1, variance / independent) : 1;
  return effectiveCount(contributions) / inefficiency;
}

/**
 * Multiplies two lists entry by entry and sums.
 *
 * @param a a list, [n]
 * @param b another list, [n]
 * @returns Σ aᵢ bᵢ
 */
export function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}
