/**
 * What a flow yields at one temperature: weights, efficiencies, changes of free energy, energy and entropy.
 *
 * @module
 */
import type { Executor } from "../backend/executor.ts";
import type { Generator } from "../flow/flow.ts";
import { BoltzmannGenerator } from "../hybrid/boltzmann_generator.ts";
import { basinThermodynamics } from "../reweighting/basin_thermodynamics.ts";
import { samplingEfficiency } from "../reweighting/effective_sample_size.ts";
import { samplingEfficiencyInterval } from "../reweighting/efficiency_interval.ts";
import type { FreeEnergyEstimate } from "../reweighting/estimate.ts";
import { paretoK, paretoKLimit } from "../reweighting/pareto_smoothing.ts";
import { freeEnergyDifferenceByReweighting } from "../reweighting/reweighted_difference.ts";
import type { ParticleDimer } from "../system/particle_dimer.ts";
import {
  BASIN_NAMES,
  basinOf,
  byBasin,
  CLOSED,
  finite,
  meanWhere,
  measureWeights,
  OPEN,
  withMixture,
} from "./dimer_basins.ts";
import type { DimerFrames } from "./dimer_results.ts";
import { doubtUnrelaxed } from "./estimates.ts";
import { samplesInPieces } from "./sample_pieces.ts";
import type { TemperatureEvaluation } from "./temperature_results.ts";

/** What is evaluated, and how thoroughly. */
export interface TemperatureEvaluationOptions {
  /** The density at this temperature. */
  readonly generator: Generator;
  /** The system. */
  readonly system: ParticleDimer;
  /** T in units of T₀. */
  readonly temperature: number;
  /** Frames of this temperature that neither training nor the choice of parameters has seen. */
  readonly frames: DimerFrames;
  /** Whether the chains of those frames had relaxed; if not, estimates that use them are unreliable. */
  readonly framesRelaxed: boolean;
  /** Number of flow samples. */
  readonly samples: number;
  /** Number of the first one: other numbers give independent samples. */
  readonly first: number;
  /** Whether flow samples that are not finite count as weight zero. Default false: one ends the evaluation. */
  readonly skipNotFinite?: boolean;
  /** Replicates of the bootstrap. */
  readonly bootstraps: number;
  /** Seed of the flow samples and of the bootstrap. */
  readonly seed: number;
  /** Threads. */
  readonly pool: Executor;
  /** Told the share of samples drawn. */
  readonly onProgress?: (done: number) => void;
  /** Ends the evaluation early, with an AbortError. */
  readonly signal?: AbortSignal;
}

/** Samples drawn between two looks at the event loop. */
const CHUNK = 2048;

/**
 * Draws flow samples, weighs them against the target at one temperature, and estimates what opening the dimer changes
 * there: the free energy by plain reweighting and by the Bennett acceptance ratio with evaluation frames, energy and
 * entropy from both kinds of samples together.
 *
 * @param options what, and how thoroughly
 * @returns weights and estimates, in units of k_BT
 * @throws {DOMException} "AbortError" if the signal says so
 * @throws {NotFiniteError} if a sample, a density or an energy is not finite and may not be skipped
 */
export async function evaluateTemperature(options: TemperatureEvaluationOptions): Promise<TemperatureEvaluation> {
  const { system, temperature, frames, framesRelaxed, bootstraps, seed, pool } = options;
  const [beta, { skipNotFinite = false }] = [1 / temperature, options];
  const generator = new BoltzmannGenerator(options.generator, system, { beta, skipNotFinite });
  // Frames are data: one that has no density is never skipped.
  const weighed = new BoltzmannGenerator(options.generator, system, { beta }).weigh(frames.x, { pool });
  const data = { ...weighed, basins: Int32Array.from(frames.d, basinOf), chains: frames.chain };
  const drawn = await draw(generator, options);
  const resampling = { names: [...BASIN_NAMES], replicates: bootstraps, seed };
  const basins = basinThermodynamics(drawn, data, resampling);
  const { freeEnergy, energy, entropy, covariance } = basins.change(CLOSED, OPEN);
  const trust = (estimate: FreeEnergyEstimate) => doubtUnrelaxed(estimate, framesRelaxed);
  return {
    samples: options.samples,
    frames: frames.d.length,
    outsideDomain: drawn.outside / options.samples,
    notFinite: drawn.notFinite,
    samplingEfficiency: measureWeights(drawn, samplingEfficiency),
    samplingEfficiencyInterval: measureWeights(drawn, (weights) => samplingEfficiencyInterval(weights, resampling)),
    paretoK: {
      ...measureWeights(drawn, (weights) => finite(paretoK(weights))),
      limit: paretoKLimit(options.samples),
    },
    evaluationNll: byBasin((basin) => meanWhere(data.basins, basin, (i) => -weighed.logProb[i])),
    gap: withMixture(byBasin((basin) => {
      const value = basin === null ? null : basins.basins[basin].value;
      const mean = value === null ? null : meanWhere(data.basins, basin, (i) => weighed.logWeights[i]);
      return mean === null ? null : finite(mean + value!);
    })),
    freeEnergyDifference: {
      reweighting: freeEnergyDifferenceByReweighting(drawn.logWeights, drawn.basins, { frames: data, ...resampling }),
      bar: trust(freeEnergy),
    },
    energyDifference: trust(energy),
    entropyDifference: trust(entropy),
    covariance,
  };
}

/** What is kept of the flow samples: all but the configurations. */
interface Drawn {
  readonly logWeights: Float64Array;
  readonly reducedEnergy: Float64Array;
  readonly basins: Int32Array;
  readonly outside: number;
  readonly notFinite: number;
}

async function draw(
  generator: BoltzmannGenerator,
  { system, samples, first, seed, pool, onProgress, signal }: TemperatureEvaluationOptions,
): Promise<Drawn> {
  const logWeights = new Float64Array(samples);
  const reducedEnergy = new Float64Array(samples);
  const basins = new Int32Array(samples);
  let [outside, notFinite] = [0, 0];
  const wanted = { samples, first, chunk: CHUNK, seed, pool, onProgress, signal };
  for await (const { at, piece } of samplesInPieces(generator, wanted)) {
    logWeights.set(piece.logWeights, at);
    reducedEnergy.set(piece.reducedEnergy, at);
    basins.set(Int32Array.from(system.distance(piece.x), basinOf), at);
    outside += piece.outsideDomain;
    notFinite += piece.notFinite;
  }
  return { logWeights, reducedEnergy, basins, outside, notFinite };
}
