/**
 * The free-energy profile of a dimer run, and how far flow and umbrella sampling are apart.
 *
 * @module
 */
import { figureGrid } from "../plot/figure_grid.ts";
import { linePlot, type LineSeries } from "../plot/line_plot.ts";
import type { FreeEnergyProfile } from "../reweighting/profile_band.ts";
import { DIMER_BOUNDARY } from "../system/particle_dimer.ts";
import type { DimerFigure, DimerOutcome } from "./dimer_results.ts";
import { readableBins } from "./dimer_verdict.ts";

/** Title of the axis of d. */
export const DISTANCE = "*d*, distance of the two bonded particles";

/** Differences are shown up to so many k_BT at least and at most. */
const DIFFERENCES = { least: 0.5, most: 10 };
/** Empty room below and above the curves, as a share of their range. */
const MARGIN = 0.08;

/**
 * Draws F(d) of flow and umbrella sampling with 95 % bands, and their difference below.
 *
 * @param outcome the run
 * @returns the picture
 */
export async function profileFigure({ evaluation, reference }: DimerOutcome): Promise<DimerFigure> {
  const flow = evaluation.profile;
  const panels = [await profilePanel(flow, reference.profile)];
  const difference = flow === null ? null : await differencePanel(flow, reference.profile);
  if (difference !== null) panels.push(difference);
  const description = "Free energy along the dimer's distance, from the flow and from umbrella sampling";
  const svg = panels.length === 1 ? panels[0] : await figureGrid(panels, { description });
  const caption = "Free energy along the distance, *F*(*d*) = −ln *p*(*d*) with no Jacobian removed, in bins of 0.05" +
    (difference === null ? "" : " (a), and flow minus umbrella sampling (b)") +
    "; bands and bars cover 95 %. Neither curve is fitted or shifted to the other: both are normalised densities, shown " +
    "from the minimum of the umbrella curve. Hollow points rest on fewer than 50 effective samples or have an error above " +
    "1 k_BT (none where it cannot be estimated): they should not be read, and may lie outside the frame. Neighbouring points of one curve are not independent.";
  return { name: "profile", svg, caption };
}

/** Numbers where there are some, NaN elsewhere. */
function orNaN(values: readonly (number | null)[]): number[] {
  return values.map((value) => value ?? NaN);
}

/** Half widths of the 95 % band, NaN where there is none. */
function halfWidths({ lower, upper }: FreeEnergyProfile): number[] {
  return upper.map((end, k) => ((end ?? NaN) - (lower[k] ?? NaN)) / 2);
}

function distanceAxis({ edges }: FreeEnergyProfile): { label: string; domain: readonly [number, number] } {
  return { label: DISTANCE, domain: [edges[0], edges[edges.length - 1]] };
}

/** Bins that have a value which should not be read. */
function doubtful(profile: FreeEnergyProfile): boolean[] {
  return readableBins(profile).map((readable, k) => !readable && profile.freeEnergy[k] !== null);
}

function profilePanel(flow: FreeEnergyProfile | null, umbrella: FreeEnergyProfile): Promise<string> {
  const lowest = Math.min(...orNaN(umbrella.freeEnergy).filter(Number.isFinite));
  const zero = Number.isFinite(lowest) ? lowest : 0;
  const toSeries = (profile: FreeEnergyProfile): LineSeries => ({
    x: profile.centers,
    y: orNaN(profile.freeEnergy).map((value) => value - zero),
    error: halfWidths(profile),
    unreliable: doubtful(profile),
  });
  const series: LineSeries[] = [{ ...toSeries(umbrella), label: "umbrella sampling", color: "black" }];
  if (flow !== null) series.push({ ...toSeries(flow), ...POINTS, label: "flow and evaluation frames" });
  return linePlot(series.filter(({ y }) => Array.from(y).some(Number.isFinite)), {
    x: distanceAxis(umbrella),
    y: { label: "*F*(*d*) / k_BT", domain: shownRange(series) },
    marks: [{ at: DIMER_BOUNDARY }],
    notes: [
      { x: DIMER_BOUNDARY, y: 0, text: "← closed", side: "left" },
      { x: DIMER_BOUNDARY, y: 0, text: "open →", side: "right" },
    ],
    unreliableLabel: "not to be read",
    height: 400,
  });
}

/** The range of what can be read. Bins that cannot may lie anywhere and must not squeeze the rest. */
function shownRange(series: readonly LineSeries[]): readonly [number, number] {
  const values = series.flatMap(({ y, unreliable }) =>
    Array.from(y).filter((value, k) => Number.isFinite(value) && !unreliable?.[k])
  );
  const [low, high] = [Math.min(0, ...values), Math.max(1, ...values)];
  return [low - MARGIN * (high - low), high + MARGIN * (high - low)];
}

const POINTS = { color: "vermillion", markers: "filled", line: "none", errorStyle: "bars" } as const;

async function differencePanel(flow: FreeEnergyProfile, umbrella: FreeEnergyProfile): Promise<string | null> {
  const umbrellaHalf = halfWidths(umbrella);
  const difference = orNaN(flow.freeEnergy).map((value, k) => value - (umbrella.freeEnergy[k] ?? NaN));
  const error = halfWidths(flow).map((value, k) => Math.hypot(value, umbrellaHalf[k]));
  const known = difference.filter(Number.isFinite);
  if (known.length === 0) return null;
  const readable = readableBins(umbrella);
  const unreliable = doubtful(flow).map((is, k) => is || !readable[k]);
  const sure = difference.map((value, k) => unreliable[k] || !Number.isFinite(value) ? 0 : Math.abs(value) + error[k]);
  const shown = error.map((half, k) => unreliable[k] ? NaN : half);
  const top = Math.min(DIFFERENCES.most, Math.max(DIFFERENCES.least, 1.1 * Math.max(...sure)));
  return await linePlot([
    { x: distanceAxis(umbrella).domain, y: [0, 0], color: "black" },
    { x: flow.centers, y: difference, error: shown, unreliable, ...POINTS },
  ], {
    x: distanceAxis(umbrella),
    y: { label: "difference / k_BT", domain: [-top, top] },
    marks: [{ at: DIMER_BOUNDARY }],
    legend: "none",
    height: 230,
  });
}
