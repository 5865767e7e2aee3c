/**
 * Energies of Monte Carlo frames and of raw flow samples.
 *
 * @module
 */
import { figureGrid } from "../plot/figure_grid.ts";
import { histogramPlot, type HistogramSample } from "../plot/histogram.ts";
import type { DimerFigure, DimerOutcome } from "./dimer_results.ts";

const BINS = 70;
/** Energies of the flow are shown up to so many widths of the data above the data. */
const REACH = 3;
/** If more than this share of the flow samples is beyond that, logarithms are shown. */
const MOST_BEYOND = 0.3;
/** Share of the flow samples, those of highest energy, that a picture of logarithms leaves out. */
const LOG_TAIL = 0.1;

/** What is compared in a basin. */
interface Energies {
  readonly data: Float64Array;
  readonly flow: Float64Array;
}

/**
 * Draws histograms of the energies of evaluation frames and of raw flow samples in either basin. Where most of the flow
 * is far above the data, decimal logarithms are shown.
 *
 * @param outcome the run
 * @returns the picture, or null if there are no energies
 */
export async function energiesFigure({ evaluation }: DimerOutcome): Promise<DimerFigure | null> {
  const { data, flow } = evaluation.reducedEnergies;
  const basins = (["closed", "open"] as const).map((basin) => ({
    basin,
    energies: { data: data[basin], flow: flow[basin].filter((u) => !Number.isNaN(u)) },
  })).filter(({ energies }) => energies.data.length + energies.flow.length > 0);
  if (basins.length === 0) return null;
  const logarithmic = basins.some(({ energies }) => isFarAbove(energies)) &&
    basins.every(({ energies }) => [...energies.data, ...energies.flow].every((u) => u > 0));
  const parts: string[] = [];
  for (const { basin, energies } of basins) parts.push(await basinPanel(basin, energies, logarithmic));
  const description = "Histograms of the energies of flow samples and of Monte Carlo frames, closed and open";
  const svg = await figureGrid(parts, { columns: 2, description });
  const caption =
    `Energies${logarithmic ? ", as decimal logarithms," : ""} of evaluation frames and of raw flow samples ` +
    "in either basin. Raw samples lie too high: where particles overlap a little, the energy is far too large. Weights and " +
    "acceptance ratios correct for that, as far as the two distributions overlap.";
  return { name: "energies", svg, caption };
}

function basinPanel(basin: string, { data, flow }: Energies, logarithmic: boolean): Promise<string> {
  const show = logarithmic ? (values: Float64Array) => values.map(Math.log10) : (values: Float64Array) => values;
  const samples: HistogramSample[] = [
    { label: "Monte Carlo", values: show(data), color: "blue" },
    { label: "flow, unweighted", values: show(flow), color: "vermillion", style: "outline" },
  ];
  return histogramPlot(samples.filter(({ values }) => values.length > 0), {
    x: { label: logarithmic ? "log_{10}(*U* / k_BT)" : "*U* / k_BT" },
    y: { label: "probability density" },
    title: basin,
    width: 430,
    height: 330,
    bins: BINS,
    legend: "above",
    range: logarithmic ? logRange(show(data), show(flow)) : linearRange(data, flow),
  });
}

/** Lowest and highest value. */
function extent(values: Float64Array): readonly [number, number] {
  return [values.reduce((a, b) => Math.min(a, b), Infinity), values.reduce((a, b) => Math.max(a, b), -Infinity)];
}

function isFarAbove({ data, flow }: Energies): boolean {
  const [low, high] = extent(data);
  const limit = high + REACH * (high - low);
  return data.length > 0 && flow.filter((u) => u > limit).length > MOST_BEYOND * flow.length;
}

/** From the lowest energy to the highest of the data and some of what the flow has beyond. */
function linearRange(data: Float64Array, flow: Float64Array): readonly [number, number] | "robust" {
  const [low, high] = extent(data);
  if (!(high > low)) return "robust";
  const sorted = flow.toSorted();
  if (sorted.length === 0) return [low, high];
  const upper = sorted[Math.floor(0.9 * (sorted.length - 1))];
  return [Math.min(low, sorted[0]), Math.max(high, Math.min(upper, high + REACH * (high - low)))];
}

/** All of the data and most of the flow. */
function logRange(data: Float64Array, flow: Float64Array): readonly [number, number] | "robust" {
  const sorted = flow.filter(Number.isFinite).toSorted();
  if (sorted.length === 0) return "robust";
  const [low, high] = extent(data);
  const upper = sorted[Math.floor((1 - LOG_TAIL) * (sorted.length - 1))];
  const range = [Math.min(low, sorted[0]), Math.max(high, upper)] as const;
  return range[1] > range[0] ? range : "robust";
}
