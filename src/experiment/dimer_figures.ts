/**
 * The pictures of a dimer run.
 *
 * @module
 */
import { configurationPanels } from "../plot/configuration_plot.ts";
import type { PlotNote } from "../plot/guides.ts";
import { linePlot, type LineSeries } from "../plot/line_plot.ts";
import { DIMER_BOUNDARY, ParticleDimer, type ParticleDimerPreset } from "../system/particle_dimer.ts";
import { profileEdges } from "./dimer_bins.ts";
import { energiesFigure } from "./dimer_energy_figure.ts";
import { lossesFigure } from "./dimer_loss_figure.ts";
import { DISTANCE, profileFigure } from "./dimer_profile_figure.ts";
import type { DimerFigure, DimerOutcome } from "./dimer_results.ts";
import { fixed } from "./report_numbers.ts";

/**
 * Draws the pictures of a run. A picture whose data are missing, such as the path of a flow that has none, is left out.
 *
 * @param outcome the run
 * @returns the pictures in the order in which a report shows them
 */
export async function dimerFigures(outcome: DimerOutcome): Promise<DimerFigure[]> {
  const system = systemOf(outcome);
  const drawn = [
    await potentialFigure(outcome, system),
    await configurationsFigure(outcome, system),
    await profileFigure(outcome),
    await energiesFigure(outcome),
    await pathFigure(outcome, system),
    await lossesFigure(outcome),
  ];
  return drawn.filter((figure) => figure !== null);
}

/** The system of a run. */
export function systemOf({ run }: DimerOutcome): ParticleDimer {
  return new ParticleDimer({ ...run.parameters, preset: run.preset as ParticleDimerPreset });
}

async function potentialFigure({ run }: DimerOutcome, system: ParticleDimer): Promise<DimerFigure> {
  const edges = profileEdges(system, run.temperature);
  const [low, high] = [Math.max(edges[0], 0.01), edges[edges.length - 1]];
  const d = Float64Array.from({ length: 401 }, (_, k) => low + (high - low) * k / 400);
  const energy = (distance: number) => system.dimerEnergy(distance) / run.temperature;
  const points = extrema(d, energy);
  const names = points.map(({ kind, d }) => kind === "maximum" ? "barrier" : d < DIMER_BOUNDARY ? "closed" : "open");
  const notes = points.map((point, k): PlotNote => ({
    x: point.d,
    y: point.value,
    text: `${names[k]}: *d* = ${fixed(point.d, 2)}, ${fixed(point.value, 1)} k_BT`,
    side: point.kind === "maximum" ? "above" : "below",
  }));
  const series: LineSeries[] = [{ x: d, y: d.map(energy), color: "black" }];
  if (points.length > 0) {
    const dots = { x: points.map((p) => p.d), y: points.map((p) => p.value) };
    series.push({ ...dots, line: "none", markers: "filled", color: "vermillion" });
  }
  const values = Array.from(d, energy);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const top = Math.min(most, Math.max(...points.map((p) => p.value), least) + 0.7 * (most - least));
  const svg = await linePlot(series, {
    x: { label: DISTANCE },
    y: { label: "*w*(*d*) / k_BT", domain: [least - 0.16 * (top - least), top + 0.1 * (top - least)] },
    height: 330,
    notes,
    description: "Energy of the isolated bond against its length",
  });
  const caption = "Energy *w* of the bond between the two dimer particles, without solvent: " +
    "two wells and the barrier between them. The solvent, the springs that hold the dimer and the measure of *d* shift " +
    "the free energy away from this curve.";
  return { name: "potential", svg, caption };
}

/** A minimum or maximum inside a range. */
interface Extremum {
  readonly kind: "minimum" | "maximum";
  readonly d: number;
  readonly value: number;
}

function extrema(d: Float64Array, energy: (d: number) => number): Extremum[] {
  const values = d.map(energy);
  const found: Extremum[] = [];
  for (let k = 1; k < d.length - 1; k++) {
    const [before, here, after] = [values[k - 1], values[k], values[k + 1]];
    if (here < before && here <= after) found.push({ kind: "minimum", d: d[k], value: here });
    if (here > before && here >= after) found.push({ kind: "maximum", d: d[k], value: here });
  }
  return found;
}

function discs(system: ParticleDimer): { radius: number; halfBox: number } {
  const { sigma, halfBox } = system.parameters;
  return { radius: sigma / 2, halfBox };
}

async function configurationsFigure(outcome: DimerOutcome, system: ParticleDimer): Promise<DimerFigure | null> {
  const { pictures } = outcome.evaluation;
  const titles = ["closed", "transition", "open"] as const;
  const panels = titles.flatMap((title) => {
    const x = pictures[title];
    if (x === null) return [];
    const energy = system.energy(x)[0] / outcome.run.temperature;
    const caption = [`*d* = ${fixed(system.distance(x)[0], 2)}`, `*U* = ${fixed(energy, 1)} k_BT`];
    return [{ x, title, caption }];
  });
  if (panels.length === 0) return null;
  const svg = await configurationPanels(panels, { ...discs(system), size: 220 });
  const missing = titles.filter((title) => pictures[title] === null);
  const caption = "Configurations drawn from the flow, the one of largest weight in each region. " +
    "Discs have the diameter σ at which the repulsion is ε; the bonded pair is joined by a line. A disc that crosses the square has run into the soft wall." +
    (missing.length === 0 ? "" : ` The flow made none of: ${missing.join(", ")}.`);
  return { name: "configurations", svg, caption };
}

async function pathFigure({ path, run }: DimerOutcome, system: ParticleDimer): Promise<DimerFigure | null> {
  const { dim } = run;
  const panels = Array.from(path.d, (d, k) => ({
    x: path.x.subarray(k * dim, (k + 1) * dim),
    title: String(k + 1),
    caption: [`*d* = ${fixed(d, 2)}`, `*U* = ${fixed(path.reducedEnergy[k], 1)} k_BT`],
  })).filter(({ x }) => x.every(Number.isFinite));
  if (panels.length === 0) return null;
  const svg = await configurationPanels(panels, { ...discs(system), size: 150, arrows: true });
  const caption =
    "A straight line in the latent space from a closed to an open Monte Carlo frame, decoded by the flow. " +
    "Of many pairs of ends it is the one whose highest energy is lowest. Of 65 points at equal steps along the line those " +
    "nine are shown whose *d* comes nearest to evenly spaced values: along the line *d* changes suddenly, so that neither " +
    "their steps along it nor those in *d* are equal. It shows how the flow connects the basins; it is no trajectory, has no time, and enters no number of this " +
    "report.";
  return { name: "path", svg, caption };
}
