/**
 * How a flow of a comparison is judged, and where that is kept.
 *
 * @module
 */
import type { Generator } from "../flow/flow.ts";
import type { ProgressKeeper } from "../sampling/keeper.ts";
import { DIMER_BOUNDARY } from "../system/particle_dimer.ts";
import type { JudgedDensity } from "./comparison_results.ts";
import type { ContenderName } from "./comparison_settings.ts";
import type { ComparisonSurroundings } from "./comparison_training.ts";
import { dimerRange } from "./dimer_bins.ts";
import { type DrawnSamples, evaluateDimer } from "./dimer_evaluation.ts";
import { costed } from "./processor_time.ts";
import { partFile, progressFile } from "./run_parts.ts";

/** k_BT above the minimum of either basin that the single bin of each reaches to: profiles are not compared. */
const REACH = 16;
/** Densities that a flow is judged by. */
const DENSITIES = ["plain", "symmetrised"] as const;

/**
 * Names the part of a comparison that judges a flow.
 *
 * @param name which flow
 * @param share of its training
 * @returns the name
 */
export const judgementOf = (name: ContenderName, share: number): string => `${name} judged at ${share}`;

/**
 * Names the files in which a comparison keeps a flow on the way.
 *
 * @param name which flow
 * @param shares of the training at which it is judged
 * @returns where its training stands; everything
 */
export function contenderFiles(
  name: ContenderName,
  shares: readonly number[],
): { readonly training: string; readonly all: string[] } {
  const training = progressFile(name, "training");
  const judged = shares.map((share) => judgementOf(name, share));
  const drawn = judged.flatMap((part) => DENSITIES.map((density) => progressFile(part, density)));
  return { training, all: [training, ...judged.map(partFile), ...drawn] };
}

/** Which density is judged, and when. */
export interface Judged {
  /** Which flow. */
  readonly name: ContenderName;
  /** The part of its training that it has behind it. */
  readonly share: number;
  /** Which of its densities. */
  readonly density: typeof DENSITIES[number];
  /** The density. */
  readonly generator: Generator;
  /** Pair terms inside one value of it, in energies. */
  readonly energiesInside: number;
}

/**
 * Judges a density of a flow by weighted samples of it.
 *
 * @param around system, data, threads, clock
 * @param judged which density
 * @returns what its samples tell, and their cost
 */
export async function judgeDensity(
  around: ComparisonSurroundings,
  { name, share, density, generator, energiesInside }: Judged,
): Promise<JudgedDensity> {
  const samples = share === 1 ? around.settings.samples.atTheEnd : around.settings.samples.onTheWay;
  const { system, temperature, seed, settings, data: { result: data }, pool, clock, signal, onEvaluation, parts } =
    around;
  const [low, high] = dimerRange(system, temperature, REACH);
  const { result, minutes } = await costed(clock, (keeper?: ProgressKeeper<DrawnSamples>) =>
    evaluateDimer({
      generator,
      system,
      beta: 1 / temperature,
      frames: data.evaluate,
      framesRelaxed: data.statistics.evaluationRelaxed,
      samples,
      skipNotFinite: settings.contenders[name].skipNotFinite?.samples ?? false,
      bootstraps: settings.bootstraps,
      edges: Float64Array.of(low, DIMER_BOUNDARY, high),
      seed,
      pool,
      ...onEvaluation && { onProgress: onEvaluation },
      ...signal && { signal },
      ...keeper && { keeper },
    }), parts.keeper(judgementOf(name, share), density));
  const energies = result.samples + data.evaluate.d.length;
  const { gap, evaluationNll, samplingEfficiency, samplingEfficiencyInterval, paretoK, outsideDomain, notFinite } =
    result;
  return {
    samples: result.samples,
    gap,
    evaluationNll,
    samplingEfficiency,
    samplingEfficiencyInterval,
    paretoK,
    outsideDomain,
    notFinite,
    freeEnergyDifference: result.freeEnergyDifference,
    minutes,
    energies,
    quadrature: energies * energiesInside,
  };
}
