/**
 * The picture of how work grows.
 *
 * @module
 */
import { figureGrid, linePlot, type LineSeries } from "../../mod.ts";
import { exponentOf, exponentText, type GrowthCurve, namesOf, timesOf } from "./growth_section.ts";

/** What grows, as axis titles. */
const LABELS: Readonly<Record<string, string>> = {
  particles: "particles",
  width: "units of a hidden layer",
  batch: "samples of a step",
};

/**
 * Draws time per unit against size, both logarithmic, one panel for each curve.
 *
 * @param curves what was timed; panels without a point are left out
 * @returns SVG text
 */
export async function growthFigure(curves: readonly GrowthCurve[]): Promise<string> {
  const drawn = curves.filter((curve) => namesOf(curve).length > 0);
  const panels = await Promise.all(drawn.map((curve) => panel(curve)));
  const description = `Time per unit against ${[...new Set(drawn.map(({ grows }) => grows))].join(", ")}`;
  return await figureGrid(panels, { columns: 2, description });
}

async function panel(curve: GrowthCurve): Promise<string> {
  const series = namesOf(curve).map((name, k): LineSeries => {
    const exponent = exponentOf(curve, name);
    const power = exponent === undefined ? "" : `: power ${exponentText(exponent)}`;
    const { x, y } = timesOf(curve, name);
    return {
      label: shortName(name) + power,
      x,
      y: y.map((seconds) => 1e6 * seconds),
      markers: k === 0 ? "filled" : "hollow",
      line: k === 0 ? "solid" : "dashed",
    };
  });
  return await linePlot(series, {
    title: curve.title,
    x: { label: LABELS[curve.grows] ?? curve.grows, scale: "log" },
    y: { label: `µs per ${curve.unit}`, scale: "log" },
    width: 480,
    height: 340,
    legend: "above",
  });
}

/** Names without what all panels share. */
function shortName(name: string): string {
  return name.replace(" -O3 -march=native", "").replace(", float64", "").replace(", stock", "");
}
