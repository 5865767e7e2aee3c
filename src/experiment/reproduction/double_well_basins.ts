/**
 * The two wells of the double well that the papers trained on, and data of them.
 *
 * @module
 */
import { metropolis, type MetropolisFrames } from "../../sampling/metropolis.ts";
import { DoubleWell } from "../../system/double_well.ts";
import type { FrameSettings, TwoBasins } from "./basin_evaluation.ts";
import { doubleWellProfile, equalBins, exactBins } from "./exact_profile.ts";

/** x⁴ − 6x² + x + ½y². */
export const doubleWell = new DoubleWell({ preset: "noe2019" });

/** Left and right, split at x = 0. */
export const wells: TwoBasins = {
  names: ["left", "right"],
  bottoms: [[-1.8, 0], [1.8, 0]],
  basinOf: (x) => Int32Array.from({ length: x.length / 2 }, (_, i) => x[2 * i] < 0 ? 0 : 1),
};

/** Moves that the wells' widths of 0.2 suit. */
export const WELL_FRAMES: FrameSettings = { chains: 64, steps: 1000, stride: 25, step: 0.4 };

/** Where the papers draw profiles, in 99 bins. */
export const wellEdges = equalBins(-2.5, 2.5, 99);

/**
 * Integrates the density over these bins.
 *
 * @returns exact F of each
 */
export function wellProfile(): Float64Array {
  return exactBins(doubleWellProfile(doubleWell), wellEdges);
}

/**
 * Data as published: a chain of 10,000 steps of 0.1 from the bottom of each well, each tenth frame kept.
 *
 * With most seeds neither chain crosses within them, and the data hold both wells alike, where the right one has 3 % of the
 * weight. But about one in thirteen of those from the right does, and seldom comes back: {@link wells} says where a frame
 * lies, its chain only where that began. Flows that learn from the frames of both need not know.
 *
 * @param seed of the chains
 * @param steps of each chain
 * @returns frames of both
 */
export function wellData(seed: number, steps: number): MetropolisFrames {
  return metropolis(doubleWell, { start: Float64Array.of(-1.8, 0, 1.8, 0), steps, stride: 10, step: 0.1, seed });
}

/**
 * Takes every second number of [n, 2].
 *
 * @param x [n, 2]
 * @param which 0 or 1
 * @returns the coordinate [n]
 */
export function coordinateOf(x: Float64Array, which: 0 | 1): Float64Array {
  return x.filter((_, i) => i % 2 === which);
}
