/**
 * J_ML as the papers print it.
 *
 * @module
 */
import type { Generator } from "../../flow/flow.ts";
import type { Estimate } from "../../reweighting/estimate.ts";
import { weightedMean } from "../weighted_means.ts";
import type { ExperimentContext } from "./experiment.ts";
import { HALF_LOG_TWO_PI } from "../../random/elementary.ts";

/** ln 2π, for two coordinates. */
const LOG_TWO_PI = 2 * HALF_LOG_TWO_PI;

/**
 * J_ML as it was published, ⟨½|z|² − ln R⟩: the mean of −ln p_X without the constant of the prior, dim/2 ln 2π.
 *
 * @param flow a density of two coordinates
 * @param x data [n, 2]
 * @param context threads
 * @returns the loss on these data
 */
export function likelihoodLoss(flow: Generator, x: Float64Array, { pool }: ExperimentContext): Estimate {
  return weightedMean(flow.logProb(x, { pool }).map((log) => -log - LOG_TWO_PI));
}

/**
 * The lowest value that it has on average: reached by the density of the data.
 *
 * @param entropy of the distribution of the data
 * @returns entropy − ln 2π
 */
export function likelihoodFloor(entropy: number): number {
  return entropy - LOG_TWO_PI;
}
