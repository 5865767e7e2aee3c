import { type Blocks, drawBlockWeights, groupIntoBlocks, singleSamples } from "./blocks.ts";
import { resampling, type ResamplingOptions } from "./bootstrap.ts";
import { CounterRandom } from "./counter_random.ts";
import { type Estimate, estimateFrom } from "./estimate.ts";
import { requireFinite, requireSameLength, requireSamples } from "./input_checks.ts";
import { maximum } from "./log_sum_exp.ts";
import { efficiencyDoubt, paretoK } from "./pareto_smoothing.ts";
import { bootstrapDoubt, firstDoubt, MINIMUM_CHAINS, standardDeviation } from "./reliability.ts";
import { skewedReach } from "./skewed_interval.ts";
import { studentQuantile } from "./student_t.ts";

/** What `forwardDiagnostics` needs beside the weights. */
export interface ForwardDiagnosticsOptions extends ResamplingOptions {
  /** ln Z of the target that the samples follow: minus the free energy that BAR gives. */
  readonly logPartition: number;
  /** Standard error of `logPartition`, default 0; it widens both results. */
  readonly logPartitionError?: number;
  /** Chain of each sample, [n]: errors then come from whole chains. Default: samples are independent. */
  readonly chains?: ArrayLike<number>;
}

/** How well a normalised density q covers samples of the target p. */
export interface ForwardDiagnostics {
  /** Kish efficiency of infinitely many samples of q, in (0, 1], measured from the target's side. */
  readonly samplingEfficiency: Estimate;
  /** KL(p ‖ q) in nats, ≥ 0. */
  readonly klDivergence: Estimate;
  /** Pareto k̂ of the weights over target samples. */
  readonly paretoK: number;
}

/**
 * Measures how well a flow q covers a target p, from samples of the target.
 *
 *     KL(p ‖ q) = E_p[ln w] − ln Z          efficiency = Z / E_p[w]          ln w = −u(x) − ln q(x), x ~ p = e⁻ᵘ/Z
 *
 * The efficiency is the limit of `samplingEfficiency` for many flow samples, since E_q[w]² / E_q[w²] = Z² / (Z E_p[w]);
 * it counts flow samples outside the support of p as wasted. Measured from target samples it cannot overlook a mode that
 * the flow misses, which its counterpart from flow samples does. ln Z has to come from elsewhere (BAR): the harmonic
 * mean E_p[1/w] = 1/Z would need no such input but holds only if the whole mass of q lies inside the support of p, and a
 * flow leaks. E_p[w] rests on the heaviest weights: where k̂ ≥ 0.5 the efficiency is an upper bound, and is said to be
 * unreliable. KL is the gap between the negative log-likelihood of held-out samples and the best one possible.
 *
 * Units: none; KL in nats. Reference: Midgley et al., NeurIPS 2023, arXiv 2308.10364 (forward effective sample size,
 * there with the harmonic estimate of Z).
 *
 * @param dataLogWeights ln w at samples of p, [n], finite
 * @param options ln Z of p, its error, chains, bootstrap
 * @returns both measures with errors, and k̂
 * @throws {RangeError} if `dataLogWeights` is empty, or it or ln Z is not finite, or `chains` has another length
 */
export function forwardDiagnostics(
  dataLogWeights: Float64Array,
  options: ForwardDiagnosticsOptions,
): ForwardDiagnostics {
  const task = "measure the coverage of a target";
  requireSamples(task, dataLogWeights.length, "dataLogWeights");
  requireFinite(task, dataLogWeights, "dataLogWeights");
  const { logPartition, logPartitionError = 0, chains } = options;
  if (!Number.isFinite(logPartition)) {
    throw new RangeError(`Cannot ${task}: logPartition must be finite, got ${logPartition}`);
  }
  const n = dataLogWeights.length;
  if (chains) requireSameLength(task, "chains", chains.length, "dataLogWeights", n);
  const blocks = chains ? groupIntoBlocks(task, chains) : singleSamples(n);
  const { replicates, seed } = resampling(task, options);

  const largest = maximum(dataLogWeights);
  const weights = dataLogWeights.map((value) => Math.exp(value - largest));
  const size = blockSums(blocks, new Float64Array(n).fill(1));
  const logs = replicateMeans(blocks, blockSums(blocks, dataLogWeights), size, replicates, seed);
  const means = replicateMeans(blocks, blockSums(blocks, weights), size, replicates, seed).map(Math.log);
  const degreesOfFreedom = blocks.count - 1;
  const few = chains && blocks.count < MINIMUM_CHAINS
    ? `only ${blocks.count} chains, fewer than ${MINIMUM_CHAINS}`
    : null;
  const combined = (values: Float64Array) => Math.hypot(standardDeviation(values), logPartitionError);

  const shape = paretoK(dataLogWeights);
  const logEfficiency = logPartition - largest - Math.log(mean(weights));
  return {
    klDivergence: estimateFrom(mean(dataLogWeights) - logPartition, combined(logs), {
      degreesOfFreedom,
      reason: firstDoubt([few, bootstrapDoubt(logs)]),
    }),
    samplingEfficiency: efficiencyOf(
      logEfficiency,
      combined(means),
      reachOfLog(blockSums(blocks, weights), size, logPartitionError),
      firstDoubt([few, efficiencyDoubt(shape), bootstrapDoubt(means)]),
    ),
    paretoK: shape,
  };
}

/** Z / E_p[w] with its error, and an interval that knows the skewness of the weights and stays positive. */
function efficiencyOf(log: number, error: number, reach: Reach, reason: string | null): Estimate {
  const value = Math.exp(log);
  const estimate = estimateFrom(value, value * error, { reason });
  if (estimate.interval95 === null) return estimate;
  return { ...estimate, interval95: [value * Math.exp(-reach.below), value * Math.exp(reach.above)] };
}

/** How far the logarithm of an estimate may be off, downwards and upwards, at 95 %. */
interface Reach {
  readonly below: number;
  readonly above: number;
}

/** Reach of −ln mean(weights), from sums over blocks, and of ln Z. */
function reachOfLog(sums: Float64Array, sizes: Float64Array, logPartitionError: number): Reach {
  const total = sums.reduce((a, b) => a + b, 0);
  const count = sizes.reduce((a, b) => a + b, 0);
  const scores = sums.map((sum, block) => sum / total - sizes[block] / count);
  const blocks = scores.length;
  const error = Math.sqrt(scores.reduce((sum, score) => sum + score * score, 0) * blocks / (blocks - 1));
  const { below, above } = skewedReach(scores);
  const quantile = studentQuantile(Math.max(1, blocks - 1));
  const other = quantile * logPartitionError;
  const least = 1 - below * error;
  return {
    below: Math.hypot(Math.log1p(above * error), other),
    above: Math.hypot(least > 0 ? -Math.log(least) : quantile * error, other),
  };
}

function blockSums(blocks: Blocks, values: Float64Array): Float64Array {
  const sums = new Float64Array(blocks.count);
  for (let i = 0; i < values.length; i++) sums[blocks.blockOf[i]] += values[i];
  return sums;
}

function replicateMeans(
  blocks: Blocks,
  sums: Float64Array,
  sizes: Float64Array,
  replicates: number,
  seed: number,
): Float64Array {
  const weights = new Float64Array(blocks.count);
  return new Float64Array(replicates).map((_, r) => {
    drawBlockWeights(blocks, new CounterRandom(seed, r), weights);
    let sum = 0;
    let size = 0;
    for (let block = 0; block < blocks.count; block++) {
      sum += weights[block] * sums[block];
      size += weights[block] * sizes[block];
    }
    return sum / size;
  });
}

function mean(values: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum / values.length;
}
