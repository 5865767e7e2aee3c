import { drawBlockWeights, groupIntoBlocks, singleSamples } from "./blocks.ts";
import { CounterRandom } from "./counter_random.ts";
import { requireInteger, requireSameLength } from "./input_checks.ts";

/** How replicates are drawn. */
export interface ResamplingOptions {
  /** Number of bootstrap replicates, default 200. */
  readonly replicates?: number;
  /** Seed of the replicates, an integer ≥ 0, default 0. */
  readonly seed?: number;
}

/** How `bootstrap` resamples. */
export interface BootstrapOptions extends ResamplingOptions {
  /** Block (chain) of each sample, [n]: whole blocks are drawn. Default: every sample is a block of its own. */
  readonly blocks?: ArrayLike<number>;
  /** Stratum of each sample, [n]: every stratum keeps its number of blocks. Default: one stratum. */
  readonly strata?: ArrayLike<number>;
}

/**
 * Computes a statistic on bootstrap replicates of n samples, resampling samples or whole blocks.
 *
 * A replicate is a weight per sample (0, 1, 2, … times C/(C − 1) for C blocks): the statistic receives the weights and
 * must treat a sample of weight w as w samples. The standard deviation of the replicates estimates the standard error
 * without bias for a mean of two or more independent blocks; samples of one Markov chain must share a block.
 *
 * Reference: Efron and Tibshirani 1993; Rao and Wu 1988 for the resample size C − 1.
 *
 * @param statistic computes the statistic from sample weights, [n]
 * @param n number of samples
 * @param options replicates, seed, blocks, strata
 * @returns the statistic of every replicate, [replicates]
 * @throws {RangeError} if a count is not a positive integer or a list has the wrong length
 *
 * @example The standard error of a mean over chains of two samples
 * ```ts
 * import { bootstrap } from "@boltzflow/boltzflow";
 * import assert from "node:assert/strict";
 *
 * const values = [1, 1.2, 3, 3.2, 2, 2.2];
 * const mean = (weights: Float64Array) => values.reduce((sum, value, i) => sum + weights[i] * value, 0) / 6;
 * const means = bootstrap(mean, 6, { blocks: [0, 0, 1, 1, 2, 2], replicates: 100, seed: 1 });
 *
 * assert.equal(means.length, 100);
 * ```
 */
export function bootstrap(
  statistic: (weights: Float64Array) => number,
  n: number,
  options: BootstrapOptions = {},
): Float64Array {
  const task = "bootstrap";
  const { replicates, seed } = resampling(task, options);
  requireInteger(task, "n", n, 1);
  if (options.blocks) requireSameLength(task, "blocks", options.blocks.length, "samples", n);
  if (options.strata) requireSameLength(task, "strata", options.strata.length, "samples", n);
  const blocks = options.blocks
    ? groupIntoBlocks(task, options.blocks, options.strata)
    : singleSamples(n, options.strata);
  const blockWeights = new Float64Array(blocks.count);
  const weights = new Float64Array(n);
  const values = new Float64Array(replicates);
  for (let r = 0; r < replicates; r++) {
    drawBlockWeights(blocks, new CounterRandom(seed, r), blockWeights);
    for (let i = 0; i < n; i++) weights[i] = blockWeights[blocks.blockOf[i]];
    values[r] = statistic(weights);
  }
  return values;
}

/**
 * Fills in and checks the defaults of `ResamplingOptions`.
 *
 * @param task what the caller cannot do with bad input, after "Cannot "
 * @param options as the user gave them
 * @returns replicates (default 200) and seed (default 0)
 * @throws {RangeError} if `replicates` is not an integer ≥ 2 or `seed` not an integer ≥ 0
 */
export function resampling(task: string, options: ResamplingOptions): { replicates: number; seed: number } {
  const { replicates = 200, seed = 0 } = options;
  requireInteger(task, "replicates", replicates, 2);
  requireInteger(task, "seed", seed, 0);
  return { replicates, seed };
}
