/**
 * The picture of the table of hyper-parameters.
 *
 * @module
 */
import { figureGrid } from "../../plot/figure_grid.ts";
import { linePlot, type LineSeries } from "../../plot/line_plot.ts";
import type { Estimate } from "../../reweighting/estimate.ts";
import type { ExperimentFigure } from "./experiment.ts";
import type { MeasuredConfiguration } from "./hyper_parameters_table.ts";

/** A point with bars of one standard error. */
interface Point {
  readonly x: number;
  readonly estimate: Estimate;
  readonly name: string;
}

/** Draws points with their names beside them. */
async function panel(
  points: readonly Point[],
  labels: { readonly x: string; readonly y: string },
  identity: boolean,
): Promise<string | null> {
  const known = points.filter(({ x, estimate }) => Number.isFinite(x) && estimate.value !== null);
  if (known.length === 0) return null;
  const reach = (values: readonly number[]): readonly [number, number] => {
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const margin = 0.18 * (high - low) || 0.5;
    return [Math.max(0, low - margin), high + margin];
  };
  const errors = known.map(({ estimate }) => estimate.standardError ?? NaN);
  const x = reach(known.map((point) => point.x));
  const y = reach(known.flatMap(({ estimate }, k) => [-1, 1].map((sign) => estimate.value! + sign * (errors[k] || 0))));
  const series: LineSeries[] = [{
    x: known.map((point) => point.x),
    y: known.map(({ estimate }) => estimate.value!),
    error: errors,
    errorStyle: "bars",
    line: "none",
    markers: "filled",
    color: "blue",
  }];
  const ends = [Math.max(x[0], y[0]), Math.min(x[1], y[1])];
  if (identity && ends[1] > ends[0]) series.push({ x: ends, y: ends, color: "grey", line: "dashed" });
  return await linePlot(series, {
    x: { label: labels.x, domain: x },
    y: { label: labels.y, domain: y },
    height: 360,
    legend: "none",
    notes: known.map((point, k) => ({
      x: point.x,
      y: point.estimate.value!,
      text: point.name.replaceAll("_ML", "_{ML}").replaceAll("_RC", "_{RC}"),
      side: k % 2 === 0 ? "right" : "left",
    })),
  });
}

/**
 * Draws ε as measured against ε as published, and the true distance from umbrella sampling against ε.
 *
 * @param table rows as measured
 * @returns the picture; null where no row has an ε
 */
export async function hyperParametersFigure(
  table: readonly MeasuredConfiguration[],
): Promise<ExperimentFigure | null> {
  const printed = (text: string) => {
    const values = text.split(" and ").map(Number);
    return values.reduce((sum, value) => sum + value, 0) / values.length;
  };
  const panels = [
    await panel(
      table.map(({ configuration: { name, published }, error }) => ({ name, x: printed(published), estimate: error })),
      { x: "*ε* as published / k_BT", y: "*ε*, ours / k_BT" },
      true,
    ),
    await panel(
      table.map(({ configuration: { name }, error, distance }) => ({
        name,
        x: error.value ?? NaN,
        estimate: distance,
      })),
      { x: "*ε*, ours / k_BT", y: "distance from umbrella sampling / k_BT" },
      false,
    ),
  ].filter((svg) => svg !== null);
  if (panels.length === 0) return null;
  return {
    name: "errors",
    svg: panels.length === 1
      ? panels[0]
      : await figureGrid(panels, { description: "Errors of networks with different hyper-parameters" }),
    caption:
      "Networks with different hyper-parameters: (a) *ε*, the noise of the free-energy profile, as we find it against " +
      "the published total (dashed: equal; a configuration that was printed twice stands at the mean); (b) how far the " +
      "profiles really are from umbrella sampling, against that noise. Bars: one standard error by leaving draws out; " +
      "they do not hold the spread of trainings, which the two points of the base configuration show.",
  };
}
