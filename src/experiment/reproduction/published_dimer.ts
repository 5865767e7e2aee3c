/**
 * What was published about free energies of the dimer.
 *
 * @module
 */
import type { Estimate } from "../../reweighting/estimate.ts";
import type { Published } from "./row.ts";
import { independentMean } from "./independent_mean.ts";

/** What was published at a temperature, F(open) − F(closed) in k_BT. */
export interface PublishedDifference {
  /** T in units of T₀. */
  readonly temperature: number;
  /** Three runs of umbrella sampling, split at d = 1.5, as the notebook prints them, signs turned. */
  readonly umbrella: readonly number[];
  /** Difference of the minima of the profile over networks, read off the figure. */
  readonly figure: number;
}

/** The temperatures of which profiles were published. */
export const publishedDifferences: readonly PublishedDifference[] = [
  { temperature: 0.5, umbrella: [14.29, 15.26, 13.63], figure: 13 },
  { temperature: 1, umbrella: [6.63, 7.12, 7.55], figure: 7 },
  { temperature: 2, umbrella: [3.37, 3.3, 3.07], figure: 4.3 },
];

/**
 * Says that the two published sets cannot both be right, and what ours are.
 *
 * @param minima temperatures, and differences of the two minima of our umbrella profile there
 * @returns for readers
 */
export function publishedDisagree(minima: readonly (readonly [temperature: number, value: number | null])[]): string {
  const ours = minima.map(([temperature, value]) => `${value?.toFixed(1) ?? "none"} at T = ${temperature}`);
  return "The literature disagrees with itself: the umbrella sampling of the paper's figure and that of its later notebooks " +
    "agree at T = 1 (barrier 20, difference of the minima 7) but not at T = 2 (difference of the minima 4.3; basins 3.2) " +
    "nor at T = 0.5 (13; 14.4; barriers of 41 and 46); single runs of the notebooks at T = 0.5 differ by 1.6 k_BT. Rows " +
    "hold the difference of two basins, split at d = 1.5, figures that of two minima: by our umbrella sampling the " +
    `latter is ${ours.join(", ")}.`;
}

/**
 * The published value of a row.
 *
 * @param temperature T in units of T₀
 * @returns value and source; null where nothing was published
 */
export function publishedAt(temperature: number): Published | null {
  const found = publishedDifferences.find((difference) => difference.temperature === temperature);
  if (found === undefined) return null;
  const all = [...found.umbrella, found.figure];
  return {
    range: [Math.min(...all), Math.max(...all)],
    value: `${
      found.umbrella.map((value) => value.toFixed(2)).join(", ")
    } (umbrella sampling); ≈ ${found.figure} (networks)`,
    source: "Noé et al. 2019: three runs of the notebook's umbrella sampling; arXiv Fig. 3i, read off",
  };
}

/** Mean of the published runs of umbrella sampling, with what their scatter says. */
export function publishedMean({ umbrella }: PublishedDifference): Estimate {
  return independentMean(umbrella);
}
