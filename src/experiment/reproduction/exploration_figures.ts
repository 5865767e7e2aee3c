/**
 * Pictures of an exploration: acceptance, step and population by iteration, and how the coordinate spreads.
 *
 * @module
 */
import { figureGrid } from "../../plot/figure_grid.ts";
import { histogramDensity } from "../../plot/histogram.ts";
import { linePlot, type LineSeries } from "../../plot/line_plot.ts";
import type { ExperimentFigure } from "./experiment.ts";
import type { JudgedExploration } from "./exploration_rows.ts";

const SIZE = { width: 440, height: 300 } as const;
const BINS = 52;
/** Iterations of the running mean. */
const WINDOW = 50;
const COLORS = ["sky", "orange", "green", "vermillion", "blue"];

/**
 * Names the picture of a system.
 *
 * @param name of the system
 */
export function explorationFigureName(name: string): string {
  return name.replaceAll("ü", "u").replaceAll(/[ -]/g, "_").toLowerCase();
}

/** Four panels. */
export async function explorationFigure(judged: JudgedExploration): Promise<ExperimentFigure> {
  const { explored: { name, basins, other } } = judged;
  const state = basins.names[other];
  const panels = [acceptancePanel(judged), stepPanel(judged), populationPanel(judged), coordinatePanel(judged)];
  return {
    name: explorationFigureName(name),
    svg: await figureGrid(await Promise.all(panels), {
      columns: 2,
      description: `Exploration of the ${name}: acceptance, latent step, population of the ${state} state, histograms`,
    }),
    caption:
      `Exploration of the ${name} from the ${basins.names[0]} state: (a) share of latent moves accepted, with its ` +
      `running mean, (b) length of the latent step, (c) share of the buffer in the ${state} state and its equilibrium ` +
      `value, (d) distribution of the coordinate in the buffer, not reweighted, beside the equilibrium one.`,
  };
}

const iterations = { label: "iteration" };

function numbers(length: number): Float64Array {
  return Float64Array.from({ length }, (_, k) => k + 1);
}

/** Means of the last fifty, or of as many as there are. */
function runningMean(values: readonly number[]): Float64Array {
  let sum = 0;
  return Float64Array.from(values, (value, k) => {
    sum += value - (k >= WINDOW ? values[k - WINDOW] : 0);
    return sum / Math.min(k + 1, WINDOW);
  });
}

function acceptancePanel({ stretches }: JudgedExploration): Promise<string> {
  const { acceptance } = stretches.at(-1)!.state.history;
  const x = numbers(acceptance.length);
  return linePlot([
    { x, y: acceptance, faint: true, color: "blue", label: "iteration" },
    { x, y: runningMean(acceptance), color: "blue", label: "mean of the last 50" },
  ], { ...SIZE, x: iterations, y: { label: "acceptance", domain: [0, 1] } });
}

function stepPanel({ stretches }: JudgedExploration): Promise<string> {
  const { latentStep } = stretches.at(-1)!.state.history;
  return linePlot([{ x: numbers(latentStep.length), y: latentStep, color: "blue" }], {
    ...SIZE,
    x: iterations,
    y: { label: "latent step *s*", domain: [0, 1.05] },
  });
}

function populationPanel({ stretches, explored: { basins, other }, sizes, known }: JudgedExploration): Promise<string> {
  const { populations } = stretches.at(-1)!.state.history;
  const share = populations.map((population) => population[other] / sizes.capacity);
  const x = numbers(share.length);
  const found = share.some((value) => value > 0);
  const exact = known.population?.value;
  const series: LineSeries[] = [
    // Nobody yet is no place on a logarithmic axis.
    ...found ? [{ x, y: share.map((value) => value === 0 ? NaN : value), color: "blue", label: "buffer" }] : [],
    ...exact === undefined ? [] : [{
      x: Float64Array.of(1, share.length),
      y: Float64Array.of(exact, exact),
      color: "black",
      line: "dashed" as const,
      label: "equilibrium",
    }],
  ];
  const label = `members in the ${basins.names[other]} state`;
  if (series.length > 0) return linePlot(series, { ...SIZE, x: iterations, y: { label, scale: "log" } });
  return linePlot([{ x, y: share, color: "blue", label: "buffer" }], { ...SIZE, x: iterations, y: { label } });
}

function coordinatePanel({ stretches, explored, sizes, known }: JudgedExploration): Promise<string> {
  const { label, domain } = explored.axis;
  const { at, value } = known.density;
  const histograms = stretches.map(({ iteration, state: { frames } }, k): LineSeries => {
    const values = explored.coordinate(Float64Array.from(frames));
    const { edges, density } = histogramDensity({ values }, domain, BINS);
    // Each bin as a step.
    const x = Array.from(density, (_, bin) => [edges[bin], edges[bin + 1]]).flat();
    const y = Array.from(density, (p) => p > 0 ? [p, p] : [NaN, NaN]).flat();
    return { x, y, color: COLORS[k + COLORS.length - sizes.looks.length], line: "solid", label: `${iteration}` };
  });
  const lowest = 0.5 / sizes.capacity * BINS / (domain[1] - domain[0]);
  return linePlot([
    ...histograms,
    { x: at, y: value.map((p) => p > 0 ? p : NaN), color: "black", line: "dashed", label: "equilibrium" },
  ], {
    ...SIZE,
    x: { label, domain },
    y: { label: "density", scale: "log", domain: [lowest, 20] },
    legend: "above",
  });
}
