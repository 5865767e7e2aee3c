/**
 * Loss curves of a dimer run.
 *
 * @module
 */
import { figureGrid } from "../plot/figure_grid.ts";
import type { PlotMark } from "../plot/guides.ts";
import { linePlot } from "../plot/line_plot.ts";
import type { DimerFigure, DimerOutcome } from "./dimer_results.ts";

/** Early losses may leave the frame: it shows what comes after this share of the lines. */
const SETTLED = 0.15;

const WIDTH = 720;

/**
 * Draws the losses of all stages: the NLL above, and below it the terms of the energy stages, where there are any.
 *
 * @param outcome the run
 * @returns the picture, or null if nothing was recorded
 */
export async function lossesFigure(outcome: DimerOutcome): Promise<DimerFigure | null> {
  const likelihood = await likelihoodPanel(outcome);
  const terms = [
    await termPanel(outcome, "energy", "*J*_{KL} / nats"),
    await termPanel(outcome, "reactionCoordinate", "*J*_{RC}"),
  ].filter((panel) => panel !== null);
  const below = terms.length < 2
    ? terms
    : [await figureGrid(terms, { columns: 2, letters: false, description: "Losses of the energy stages" })];
  const panels = [...(likelihood === null ? [] : [likelihood]), ...below];
  if (panels.length === 0) return null;
  const description = "Losses against training steps";
  const svg = panels.length === 1 ? panels[0] : await figureGrid(panels, { description, letters: false });
  const caption =
    "Losses against training steps, each point a mean over the steps since the one before. NLL is the mean of " +
    "−ln *q*(*x*) in nats per configuration; lower is better. Over-fitting shows where validation rises while training " +
    "falls. A constant distance of the two curves is not over-fitting alone: validation frames are few and correlated, and " +
    "training values lag behind, being means over steps. Where a stage changes the grid of tilted densities, both may jump." +
    (terms.length === 0
      ? ""
      : " Below, the terms of the later stages: *J*_{KL}, the mean over flow samples of the softened *U*/*T* plus " +
        "ln *q*, and *J*_{RC}, which spreads samples along *d*.") +
    " Values of the first steps may lie above the frame.";
  return { name: "losses", svg, caption };
}

/** NLL of training and validation frames over all steps. */
async function likelihoodPanel(outcome: DimerOutcome): Promise<string | null> {
  const { history } = outcome;
  const training = curve(history, ({ losses }) => losses.maximumLikelihood);
  const validation = curve(history, (entry) => entry.validation);
  const series = [
    { ...training, label: "training frames", color: "blue" },
    { ...validation, label: "validation frames", color: "vermillion" },
  ].filter(({ x }) => x.length > 0);
  if (series.length === 0) return null;
  return await linePlot(series, {
    x: { label: "training step", domain: [0, history[history.length - 1].step] },
    y: { label: "NLL / nats", domain: settledRange(series) },
    width: WIDTH,
    height: 340,
    marks: stageMarks(outcome),
  });
}

/** One term of the energy stages, over the steps that have it. */
async function termPanel(outcome: DimerOutcome, name: string, label: string): Promise<string | null> {
  const series = [{ ...curve(outcome.history, ({ losses }) => losses[name]), color: "blue" }];
  const { x } = series[0];
  if (x.length === 0) return null;
  const [first, last] = [x[0], x[x.length - 1]];
  return await linePlot(series, {
    x: { label: "training step", domain: first < last ? [first, last] : [0, last] },
    y: { label, domain: settledRange(series) },
    width: WIDTH / 2 - 3,
    height: 240,
    marks: stageMarks(outcome).filter(({ at }) => at > first).map(({ at }) => ({ at })),
  });
}

interface Curve {
  readonly x: number[];
  readonly y: number[];
}

/** The lines of the history that have a value. */
function curve(
  history: DimerOutcome["history"],
  value: (entry: DimerOutcome["history"][number]) => number | null | undefined,
): Curve {
  const points = history.map((entry) => ({ x: entry.step, y: value(entry) ?? NaN }));
  const known = points.filter(({ y }) => Number.isFinite(y));
  return { x: known.map(({ x }) => x), y: known.map(({ y }) => y) };
}

/** Where stages begin. */
function stageMarks({ stages }: DimerOutcome): PlotMark[] {
  let start = 0;
  return stages.map(({ name, steps }) => {
    const mark = { at: start, label: name };
    start += steps;
    return mark;
  });
}

/** The range of the values after the first lines, widened. */
function settledRange(series: readonly Curve[]): readonly [number, number] {
  const settled = series.flatMap(({ y }) => y.slice(Math.floor(SETTLED * y.length)));
  const [low, high] = [Math.min(...settled), Math.max(...settled)];
  const margin = high > low ? 0.07 * (high - low) : Math.max(1, Math.abs(high) / 10);
  return [low - margin, high + margin];
}
