/**
 * Averages with their errors: of weighted samples of a flow, and of frames from chains.
 *
 * @module
 */
import { type Estimate, estimateFrom, noEstimate } from "../reweighting/estimate.ts";
import { maximum } from "../reweighting/log_sum_exp.ts";
import { kishEffectiveSampleSize } from "../reweighting/effective_sample_size.ts";
import { skewedReach } from "../reweighting/skewed_interval.ts";
import { weightDoubt } from "../reweighting/weight_doubt.ts";

/** What is known of the samples that are averaged over. */
export interface WeightedMeanOptions {
  /** ln of their weights [n]; −∞ is a weight of zero. Default all equal. */
  readonly logWeights?: Float64Array;
  /** Block, such as the chain, of each sample [n]: blocks are independent. Default every sample by itself. */
  readonly blocks?: Int32Array;
}

/** Σ w f, Σ w and the covariance of the two, over independent blocks. */
export interface RatioSums {
  /** Σ w in each block. */
  readonly weights: Float64Array;
  /** Number of the block of each sample. */
  readonly blockOf: Int32Array;
  /** Weight of each sample, at most 1. */
  readonly sampleWeights: Float64Array;
}

/**
 * Sorts weights into blocks.
 *
 * @param n number of samples
 * @param options weights and blocks
 * @returns what `ratio` needs; null if every weight is zero
 */
export function ratioSums(n: number, options: WeightedMeanOptions): RatioSums | null {
  const { logWeights, blocks } = options;
  const largest = logWeights === undefined ? 0 : maximum(logWeights);
  if (largest === -Infinity) return null;
  const sampleWeights = logWeights?.map((log) => Math.exp(log - largest)) ?? new Float64Array(n).fill(1);
  const numbers = new Map<number, number>();
  const blockOf = Int32Array.from({ length: n }, (_, i) => {
    const label = blocks === undefined ? i : blocks[i];
    if (!numbers.has(label)) numbers.set(label, numbers.size);
    return numbers.get(label)!;
  });
  const weights = new Float64Array(numbers.size);
  blockOf.forEach((block, i) => weights[block] += sampleWeights[i]);
  return { weights, blockOf, sampleWeights };
}

/**
 * Divides sums over blocks, with the linearised error of a ratio.
 *
 *     μ = Σ s_k / Σ w_k,   var μ = K/(K − 1) Σ (s_k − μ w_k)² / (Σ w_k)²
 *
 * @param sums Σ w f in each block, s_k
 * @param weights Σ w in each block, w_k
 * @returns μ, its standard error (NaN for a single block), and what each block adds to μ
 */
export function ratio(
  sums: Float64Array,
  weights: Float64Array,
): { mean: number; error: number; scores: Float64Array } {
  const count = sums.length;
  const total = weights.reduce((a, b) => a + b, 0);
  const mean = sums.reduce((a, b) => a + b, 0) / total;
  const scores = sums.map((sum, k) => (sum - mean * weights[k]) / total);
  const spread = scores.reduce((sum, score) => sum + score * score, 0);
  return { mean, error: count < 2 ? NaN : Math.sqrt(spread * count / (count - 1)), scores };
}

/**
 * Averages a quantity.
 *
 * The interval allows for the skewness that uneven weights cause, and is wider to one side. Unreliable where fewer than 50
 * samples are effective or the weights' tail is too heavy.
 *
 * Samples of zero weight may have any value, NaN and ±∞ too.
 *
 * @param values the quantity [n]
 * @param options weights, blocks
 * @returns the mean with its error; no value if every weight is zero
 */
export function weightedMean(values: Float64Array, options: WeightedMeanOptions = {}): Estimate {
  const blocks = ratioSums(values.length, options);
  if (blocks === null) return noEstimate("every weight is zero");
  const { weights, blockOf, sampleWeights } = blocks;
  const sums = new Float64Array(weights.length);
  values.forEach((value, i) => {
    if (sampleWeights[i] > 0) sums[blockOf[i]] += sampleWeights[i] * value;
  });
  const { mean, error, scores } = ratio(sums, weights);
  const { logWeights } = options;
  const reason = logWeights ? weightDoubt(logWeights, kishEffectiveSampleSize(logWeights), "") : null;
  const estimate = estimateFrom(mean, error, { reason });
  if (estimate.interval95 === null) return estimate;
  const { below, above } = skewedReach(scores);
  return { ...estimate, interval95: [mean - below * error, mean + above * error] };
}
