/**
 * The picture of averages over networks.
 *
 * @module
 */
import { linePlot, type LineSeries } from "../../plot/line_plot.ts";
import { gatherProfile, NETWORK_EDGES, type UmbrellaReference } from "./dimer_umbrella_reference.ts";
import type { ExperimentFigure } from "./experiment.ts";
import { alignedTo, type Levels, shiftBetween, spreadOf } from "./profile_comparison.ts";

/** By how much the curves are set apart, as published, in the order of temperatures. */
const OFFSETS = [20, 8.5, 0] as const;
const COLORS = ["blue", "green", "vermillion"] as const;
/** Values further above the lowest of a curve are not shown, as published. */
const SHOWN = 35;
/** Frame of the published figure. */
const FRAME = [-10, 60] as const;

/**
 * Draws the profiles as published: mean and standard deviation over networks, aligned over the wells, set apart.
 *
 * @param profiles of each temperature, of each network
 * @param umbrellas the reference at each temperature
 * @param temperatures in units of T₀
 * @param wells bins over which profiles are aligned
 * @returns the picture; null where no network has a profile
 */
export async function networksFigure(
  profiles: readonly (readonly Levels[])[],
  umbrellas: readonly UmbrellaReference[],
  temperatures: readonly number[],
  wells: readonly number[],
): Promise<ExperimentFigure | null> {
  const x = Array.from(NETWORK_EDGES.subarray(1), (edge, bin) => (edge + NETWORK_EDGES[bin]) / 2);
  const series = temperatures.flatMap((temperature, t): LineSeries[] => {
    const spread = spreadOf(profiles[t].map((profile) => alignedTo(profile, wells)));
    const mean = spread.map((bin) => bin.mean);
    const known = mean.filter((value) => value !== null);
    if (known.length === 0) return [];
    const lowest = Math.min(...known);
    const drawn = (value: number | null) => value === null || value - lowest > SHOWN ? NaN : value + OFFSETS[t];
    const reference = gatherProfile(umbrellas[t].profile, NETWORK_EDGES).freeEnergy;
    const shift = shiftBetween(mean, reference, wells) ?? 0;
    const expected = reference.map((value) => value === null ? NaN : value + shift + OFFSETS[t]);
    return [
      {
        label: `*T* = ${temperature} *T*_0, mean ± s.d. of ${profiles[t].length} networks`,
        x,
        y: mean.map(drawn),
        error: spread.map(({ deviation }) => deviation ?? NaN),
        color: COLORS[t],
        line: "solid",
        markers: "filled",
      },
      ...expected.every(Number.isNaN) ? [] : [{
        x,
        y: expected,
        color: "black",
        line: "dashed" as const,
        ...t === temperatures.length - 1 && { label: "umbrella sampling + MBAR" },
      }],
    ];
  });
  if (!series.some(({ y }) => Array.from(y).some((value) => !Number.isNaN(value)))) return null;
  return {
    name: "profiles",
    svg: await linePlot(series, {
      x: { label: "dimer distance *d*", domain: [0.5, 2.5] },
      y: { label: "*F* / k_BT + constant", domain: FRAME },
      height: 420,
      legend: "above",
    }),
    caption:
      "Free energy along the dimer's distance, reweighted from the samples of independently trained networks at " +
      "each temperature alone. Every profile is shifted to mean zero over both wells; bands are one standard deviation over " +
      `networks, as published, not the error of the mean. What is more than ${SHOWN} k_BT above the lowest value of its curve ` +
      "is left out, as published. Curves are set 20, 8.5 and 0 k_BT apart, as published; umbrella sampling is laid over the " +
      "wells.",
  };
}
