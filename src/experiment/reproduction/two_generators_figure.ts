/**
 * The picture of two generators: ΔF over temperature, and how far each estimator is from the reference.
 *
 * @module
 */
import type { AxisOptions } from "../../plot/axes.ts";
import { figureGrid } from "../../plot/figure_grid.ts";
import { linePlot, type LineSeries } from "../../plot/line_plot.ts";
import type { Estimate } from "../../reweighting/estimate.ts";
import { estimateSeries } from "../estimate_series.ts";
import type { Estimator, Scan, ScanPoint } from "./two_generators_scan.ts";

/** A column of the picture. */
export interface ScanPanel {
  /** What is compared, with the estimators that are drawn. */
  readonly scans: readonly {
    readonly scan: Scan;
    readonly estimators: readonly Estimator[];
  }[];
  /** The reference: a curve, or points with errors. */
  readonly reference: {
    readonly label: string;
    readonly temperatures: readonly number[];
    readonly values: readonly number[];
    readonly errors: readonly number[] | null;
  };
  /** Half height of the lower plot in k_BT. */
  readonly reach: number;
}

const LOOKS: Readonly<Record<Estimator, { label: string; color: string; aside: number }>> = {
  bounds: { label: "published: bounds", color: "orange", aside: 0.97 },
  mapped: { label: "BAR through *z*", color: "blue", aside: 1.03 },
  bennett: { label: "BAR, flow and frames", color: "green", aside: 1 },
  reweighting: { label: "reweighting", color: "purple", aside: 0.985 },
};

const WIDTH = 430;
/** Share of a temperature that the axis goes on beyond the last one. */
const MARGIN = 1.15;

function axisOf({ reference: { temperatures } }: ScanPanel): AxisOptions {
  const domain = [Math.min(...temperatures) / MARGIN, Math.max(...temperatures) * MARGIN] as const;
  return { label: "*T* / *T*_0", scale: "log", domain };
}

/** An estimator over temperatures; `of` may leave points out. */
function seriesOf(
  points: readonly ScanPoint[],
  estimator: Estimator,
  of: (estimate: Estimate, point: ScanPoint) => Estimate | null = (estimate) => estimate,
): LineSeries[] {
  const placed = points.flatMap((point) => {
    const estimate = of(point.found[estimator]!, point);
    return estimate === null ? [] : [{ x: point.temperature, estimate }];
  });
  return estimateSeries(placed, LOOKS[estimator]);
}

async function upper(panel: ScanPanel): Promise<string> {
  const { scans, reference: { label, temperatures, values, errors } } = panel;
  const known = [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))];
  const room = Math.max(1, 0.5 * (known[1] - known[0]));
  return await linePlot([
    ...scans.flatMap(({ scan, estimators }) => estimators.flatMap((estimator) => seriesOf(scan.points, estimator))),
    {
      label,
      x: temperatures,
      y: values,
      color: "black",
      line: errors === null ? "dashed" : "none",
      ...errors !== null && { error: errors, errorStyle: "bars" as const, markers: "filled" as const },
    },
  ], {
    x: axisOf(panel),
    y: { label: "Δ*F* / k_BT", domain: [Math.min(0, known[0] - room / 5), known[1] + room] },
    title: scans[0].scan.name.split(",")[0],
    unreliableLabel: "unreliable",
    width: WIDTH,
    height: 380,
    legend: "above",
  });
}

async function lower(panel: ScanPanel): Promise<string> {
  const { scans, reference, reach } = panel;
  const ends = [Math.min(...reference.temperatures), Math.max(...reference.temperatures)];
  return await linePlot([
    ...scans.flatMap(({ scan, estimators }) =>
      estimators.flatMap((estimator) =>
        seriesOf(scan.points, estimator, (estimate, { reference }) => {
          if (reference === null || estimate.value === null) return null;
          const value = estimate.value - reference.value;
          return Math.abs(value) <= reach ? { ...estimate, value } : null;
        }).map(({ label: _, ...series }) => series)
      )
    ),
    reference.errors === null
      ? { x: ends, y: [0, 0], color: "black", line: "dashed" }
      : { x: reference.temperatures, y: reference.values.map(() => 0), error: reference.errors, color: "black" },
  ], {
    x: axisOf(panel),
    y: { label: "Δ*F* − reference / k_BT", domain: [-reach, reach] },
    width: WIDTH,
    height: 260,
    legend: "none",
  });
}

/**
 * Draws a column for each system: ΔF(T) above, the deviation from the reference below.
 *
 * @param panels the systems
 * @returns SVG text
 */
export async function drawScans(panels: readonly ScanPanel[]): Promise<string> {
  const parts: string[] = [];
  for (const draw of [upper, lower]) for (const panel of panels) parts.push(await draw(panel));
  return await figureGrid(parts, {
    columns: panels.length,
    description: "Free-energy differences from two generators over temperature, and their deviation from references",
  });
}
