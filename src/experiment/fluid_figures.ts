/**
 * Pictures of a fluid run.
 *
 * @module
 */
import { histogramPlot } from "../plot/histogram.ts";
import { linePlot } from "../plot/line_plot.ts";
import { maximum } from "../reweighting/log_sum_exp.ts";
import type { FluidFigure, FluidOutcome } from "./fluid_results.ts";

const BINS = 60;
/** Raw energies are shown up to so many widths of the frames' range above it. */
const REACH = 0.25;
/** Half width of bands in standard errors. */
const BAND = 2;

/**
 * Draws energies and pair distributions of flow samples beside those of Monte Carlo.
 *
 * @param outcome the run
 * @returns the pictures; without those that have nothing to show
 */
export async function fluidFigures(outcome: FluidOutcome): Promise<FluidFigure[]> {
  const figures = [await energiesFigure(outcome), await pairFigure(outcome)];
  return figures.filter((figure) => figure !== null);
}

async function energiesFigure({ energies }: FluidOutcome): Promise<FluidFigure | null> {
  const { flow, logWeights, frames } = energies;
  const largest = maximum(logWeights);
  if (largest === -Infinity) return null;
  const [low, high] = extent(frames);
  if (!(high > low)) return null;
  // Overlapping particles have an energy that is no number where they coincide: out of range, and without weight.
  const known = flow.map((u) => Number.isNaN(u) ? Infinity : u);
  const svg = await histogramPlot([
    { label: "Monte Carlo", values: frames, color: "blue" },
    { label: "flow, as it comes", values: known, color: "vermillion", style: "outline" },
    {
      label: "flow, reweighted",
      values: known,
      weights: logWeights.map((log) => Math.exp(log - largest)),
      color: "black",
      style: "outline",
    },
  ], {
    x: { label: "*U* / k_BT" },
    y: { label: "probability density" },
    range: [low, high + REACH * (high - low)],
    bins: BINS,
    description: "Histograms of the energies of Monte Carlo frames, of flow samples, and of reweighted flow samples",
  });
  const caption =
    "Energies of evaluation frames, of flow samples as they come, and of the same samples with their weights.";
  return { name: "energies", svg, caption };
}

function extent(values: Float64Array): readonly [number, number] {
  return [values.reduce((a, b) => Math.min(a, b), Infinity), values.reduce((a, b) => Math.max(a, b), -Infinity)];
}

async function pairFigure({ pairs, run }: FluidOutcome): Promise<FluidFigure | null> {
  const { raw, reweighted, frames } = pairs;
  if (reweighted.g.some(Number.isNaN)) return null;
  const band = (error: Float64Array) => error.map((e) => BAND * e);
  const r = frames.r.map((distance) => distance / run.parameters.sigma);
  const svg = await linePlot([
    { label: "Monte Carlo", x: r, y: frames.g, error: band(frames.error), color: "blue" },
    { label: "flow, as it comes", x: r, y: raw.g, color: "vermillion", line: "dotted" },
    {
      label: "flow, reweighted",
      x: r,
      y: reweighted.g,
      error: band(reweighted.error),
      errorStyle: "bars",
      color: "black",
      line: "none",
      markers: "filled",
    },
  ], {
    x: { label: "*r* / σ" },
    y: { label: "*g*(*r*)" },
    description: "Pair distribution of Monte Carlo frames, of flow samples, and of reweighted flow samples",
  });
  const caption =
    "Pair distribution: how often two particles are at distance *r*, divided by how often two random points of the box " +
    "are. Band and bars are two standard errors. Particles that line the walls are often the side of the box apart.";
  return { name: "pair_distribution", svg, caption };
}
