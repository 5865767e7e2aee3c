/**
 * Panels of points in two dimensions, as the CS-230 report has them: data, latent image, normal numbers, generated.
 *
 * @module
 */
import type { AxisOptions } from "../../plot/axes.ts";
import { type PointCloud, scatterPlot } from "../../plot/scatter_plot.ts";

/** What a panel shows. */
export interface SamplePanel {
  /** Heading. */
  readonly title: string;
  /** Points [n, 2]. */
  readonly points: Float64Array;
  /** Class of each point [n], from 0: a colour each. */
  readonly classes: ArrayLike<number>;
  /** Names of the classes; empty ones have no entry in the legend. */
  readonly names: readonly string[];
  /** Axes. */
  readonly axes: readonly [AxisOptions, AxisOptions];
}

/** How far axes of z reach: what lies beyond is far from normal, and shown as little as on paper. */
const [LEAST_REACH, MOST_REACH] = [4, 10];

/**
 * Axes of z, alike in both directions, that hold all points.
 *
 * @param points of all panels that are to be compared, [n, 2] each
 * @returns axes from −reach to reach, with a reach from 4 to 10
 */
export function latentAxes(...points: readonly Float64Array[]): readonly [AxisOptions, AxisOptions] {
  const farthest = points.flatMap((z) => [...z]).reduce((most, v) => Math.max(most, Math.abs(v)), LEAST_REACH);
  const reach = Math.min(Math.ceil(farthest), MOST_REACH);
  return [{ label: "*z*_1", domain: [-reach, reach] }, { label: "*z*_2", domain: [-reach, reach] }];
}

/**
 * Draws points, coloured by class.
 *
 * @param panel what it shows
 * @returns SVG text
 */
export function samplePanel({ title, points, classes, names, axes: [x, y] }: SamplePanel): Promise<string> {
  const clouds = names.flatMap((label, kind): PointCloud[] => {
    const inside = Int32Array.from(classes, (is, i) => is === kind ? i : -1).filter((i) => i >= 0);
    if (inside.length === 0) return [];
    return [{
      ...label !== "" && { label },
      x: Float64Array.from(inside, (i) => points[2 * i]),
      y: Float64Array.from(inside, (i) => points[2 * i + 1]),
      color: COLORS[kind],
      size: 3,
    }];
  });
  return scatterPlot(clouds, { title, x, y, width: 420, height: 360, legend: "above" });
}

/** Of the classes, in order. */
const COLORS = ["blue", "vermillion", "green", "purple"] as const;
