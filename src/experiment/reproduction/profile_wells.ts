/**
 * The difference of the two minima of a profile, as papers read it off their figures.
 *
 * @module
 */
import type { Estimate, FreeEnergyEstimate } from "../../reweighting/estimate.ts";
import { freeEnergyDifferenceByReweighting } from "../../reweighting/reweighted_difference.ts";
import { type BasinEvaluation, populationDifference } from "./basin_evaluation.ts";
import { exactBins, type ExactProfile } from "./exact_profile.ts";

/** Narrow windows around two minima of an exact profile. */
export interface ProfileWells {
  /** F(second) − F(first), each the mean density over its window. */
  readonly exact: number;
  /**
   * Sorts values of the coordinate.
   *
   * @param coordinate [n]
   * @returns 0 or 1 in a window, −1 in neither [n]
   */
  labelsOf(coordinate: Float64Array): Int32Array;
}

/** Points among which a minimum is looked for. */
const POINTS = 201;

/**
 * Finds the minima of an exact profile and puts windows around them.
 *
 * A minimum read off a histogram is the lowest of many noisy bins. A window is one bin, chosen before.
 *
 * @param profile exact
 * @param sides where to look for the first and the second minimum
 * @param half half the width of a window
 * @returns windows with their exact difference
 */
export function profileWells(
  profile: ExactProfile,
  sides: readonly [readonly [number, number], readonly [number, number]],
  half: number,
): ProfileWells {
  const centres = sides.map(([low, high]) => {
    const at = Float64Array.from({ length: POINTS }, (_, i) => low + (high - low) * i / (POINTS - 1));
    const f = profile(at);
    return at[f.reduce((best, value, i) => value < f[best] ? i : best, 0)];
  });
  const [first, second] = centres.map((centre) => exactBins(profile, Float64Array.of(centre - half, centre + half))[0]);
  return {
    exact: second - first,
    labelsOf: (coordinate) =>
      Int32Array.from(coordinate, (value) => centres.findIndex((centre) => Math.abs(value - centre) < half)),
  };
}

/**
 * Estimates the difference of the minima from samples of a flow.
 *
 * @param evaluation samples and frames
 * @param windows where the minima are
 * @param coordinate of configurations [n, dim] → [n]
 * @param names of the wells
 * @returns without weights, which is biased, and with them
 */
export function wellDifferences(
  { samples, frames }: BasinEvaluation,
  windows: ProfileWells,
  coordinate: (x: Float64Array) => Float64Array,
  names: readonly [string, string],
): { readonly raw: Estimate; readonly reweighted: FreeEnergyEstimate } {
  const labels = windows.labelsOf(coordinate(samples.x));
  return {
    raw: populationDifference(labels),
    reweighted: freeEnergyDifferenceByReweighting(samples.logWeights, labels, {
      names,
      frames: { ...frames, basins: windows.labelsOf(coordinate(frames.x)) },
    }),
  };
}
