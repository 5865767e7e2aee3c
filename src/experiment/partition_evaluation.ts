/**
 * What a trained flow yields for a target that is one basin: ln Z, and how well the flow covers the target.
 *
 * @module
 */
import type { Executor } from "../backend/executor.ts";
import { BoltzmannGenerator, type WeightedSamples, type Weights } from "../hybrid/boltzmann_generator.ts";
import { bennettAcceptanceRatio } from "../reweighting/bar.ts";
import { samplingEfficiency } from "../reweighting/effective_sample_size.ts";
import { samplingEfficiencyInterval } from "../reweighting/efficiency_interval.ts";
import { type Estimate, noEstimate } from "../reweighting/estimate.ts";
import { logPartitionFunction } from "../reweighting/exponential_averaging.ts";
import { forwardDiagnostics } from "../reweighting/forward_diagnostics.ts";
import { paretoK, paretoKLimit } from "../reweighting/pareto_smoothing.ts";
import { densityDoubt, doubtedBy, doubtUnrelaxed, headlineOf } from "./estimates.ts";
import { samplesInPieces } from "./sample_pieces.ts";
import { weightedMean } from "./weighted_means.ts";

/** How thoroughly a flow is evaluated. */
export interface PartitionEvaluationOptions {
  /** Flow samples. */
  readonly samples: number;
  /** Replicates of the bootstrap. */
  readonly bootstraps: number;
  /** Whether the chains of the frames had relaxed; if not, what rests on them is unreliable. */
  readonly framesRelaxed: boolean;
  /** Seed of samples and bootstrap. */
  readonly seed: number;
  /** Threads. */
  readonly pool: Executor;
  /** Told the share of samples drawn. */
  readonly onProgress?: (done: number) => void;
  /** Ends the evaluation early with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** ln Z and the quality of the flow. */
export interface PartitionEvaluation {
  /** ln Z over the reference domain. */
  readonly logPartition: {
    /** From flow samples and frames of the target. */
    readonly bar: Estimate;
    /** From flow samples alone. */
    readonly reweighting: Estimate;
    /** The reliable one of smallest error; no value, and both reasons, if there is none. */
    readonly headline: Estimate;
  };
  /** ⟨U/T⟩: of reweighted flow samples, and of the frames. */
  readonly meanReducedEnergy: { readonly flow: Estimate; readonly frames: Estimate };
  /** Kish efficiency of the weights of the flow samples. */
  readonly samplingEfficiency: number;
  /** Its bootstrap interval of 95 %; null if every weight is zero. */
  readonly samplingEfficiencyInterval: readonly [number, number] | null;
  /** Pareto k̂ of the weights above zero, and its limit for so many of them. */
  readonly paretoK: { readonly value: number; readonly limit: number };
  /** KL(target ‖ flow) in nats, with ln Z from BAR. */
  readonly gap: Estimate;
  /** Share of flow samples outside the reference domain. */
  readonly outsideDomain: number;
  /** Flow samples that were skipped because they are not finite: they count as weight zero. */
  readonly notFinite: number;
  /** The flow samples with their weights. */
  readonly samples: WeightedSamples;
  /** Weights of the frames. */
  readonly frames: Weights;
}

/** Samples drawn between two looks at the event loop. */
const CHUNK = 4096;

/**
 * Draws samples of a generator, weighs them and frames of its target, and estimates ln Z.
 *
 * @param generator density and target
 * @param frames frames of the target [n, dim] that training has not seen, with their chains [n]
 * @param options how thoroughly
 * @returns ln Z, efficiency, gap, samples
 */
export async function evaluatePartition(
  generator: BoltzmannGenerator,
  frames: { readonly x: Float64Array; readonly chain: Int32Array },
  options: PartitionEvaluationOptions,
): Promise<PartitionEvaluation> {
  const { bootstraps, seed, pool } = options;
  const samples = await draw(generator, options);
  // Frames are data: one that has no density is never skipped.
  const { generator: density, system, beta } = generator;
  const weighed = new BoltzmannGenerator(density, system, { beta }).weigh(frames.x, { pool });
  const resampling = { replicates: bootstraps, seed };
  const { logWeights } = samples;
  const unsound = densityDoubt(samples, (x) => generator.generator.logProb(x, { pool }));
  const relaxed = doubtUnrelaxed(
    negative(bennettAcceptanceRatio(logWeights.map((log) => -log), weighed.logWeights, {
      ...resampling,
      reverseChains: frames.chain,
    })),
    options.framesRelaxed,
  );
  const covered = logPartitionFunction(logWeights, {
    frames: { logWeights: weighed.logWeights, chains: frames.chain },
    ...resampling,
  });
  const [bar, reweighting] = [relaxed, covered].map((estimate) => doubtedBy(estimate, unsound));
  return {
    logPartition: { bar, reweighting, headline: headlineOf({ bar, reweighting }) },
    meanReducedEnergy: {
      flow: weightedMean(samples.reducedEnergy, { logWeights }),
      frames: weightedMean(weighed.reducedEnergy, { blocks: frames.chain }),
    },
    samplingEfficiency: samplingEfficiency(logWeights),
    samplingEfficiencyInterval: samplingEfficiencyInterval(logWeights, resampling),
    paretoK: tail(logWeights),
    gap: gapOf(bar, weighed.logWeights, frames.chain, resampling),
    outsideDomain: samples.outsideDomain / options.samples,
    notFinite: samples.notFinite,
    samples,
    frames: weighed,
  };
}

/** Draws samples piece by piece, so that the event loop has its turns. */
async function draw(
  generator: BoltzmannGenerator,
  { samples, seed, pool, signal, onProgress }: PartitionEvaluationOptions,
): Promise<WeightedSamples> {
  const parts: WeightedSamples[] = [];
  const wanted = { samples, chunk: CHUNK, seed, pool, onProgress, signal };
  for await (const { piece } of samplesInPieces(generator, wanted)) parts.push(piece);
  const joined = (part: (of: WeightedSamples) => Float64Array) => {
    const all = new Float64Array(parts.reduce((sum, of) => sum + part(of).length, 0));
    parts.reduce((at, of) => {
      all.set(part(of), at);
      return at + part(of).length;
    }, 0);
    return all;
  };
  return {
    x: joined(({ x }) => x),
    z: joined(({ z }) => z),
    logProb: joined(({ logProb }) => logProb),
    reducedEnergy: joined(({ reducedEnergy }) => reducedEnergy),
    logWeights: joined(({ logWeights }) => logWeights),
    outsideDomain: parts.reduce((sum, { outsideDomain }) => sum + outsideDomain, 0),
    notFinite: parts.reduce((sum, { notFinite }) => sum + notFinite, 0),
  };
}

/** −estimate, without what only BAR says. */
function negative({ value, standardError, interval95, reliable, reason }: Estimate): Estimate {
  return {
    value: value === null ? null : -value,
    standardError,
    interval95: interval95 === null ? null : [-interval95[1], -interval95[0]],
    reliable,
    reason,
  };
}

function tail(logWeights: Float64Array): { value: number; limit: number } {
  const positive = logWeights.filter((log) => log > -Infinity);
  return { value: positive.length === 0 ? Infinity : paretoK(positive), limit: paretoKLimit(positive.length) };
}

function gapOf(
  bar: Estimate,
  dataLogWeights: Float64Array,
  chains: Int32Array,
  resampling: { readonly replicates: number; readonly seed: number },
): Estimate {
  if (bar.value === null) return noEstimate(bar.reason!);
  return forwardDiagnostics(dataLogWeights, {
    logPartition: bar.value,
    logPartitionError: bar.standardError ?? 0,
    chains,
    ...resampling,
  }).klDivergence;
}
