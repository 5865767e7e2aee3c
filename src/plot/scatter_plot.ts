/**
 * Clouds of points: latent samples, configurations of two-dimensional systems.
 *
 * @module
 */
import { type CartesianOptions, checkCartesian, drawCartesian } from "./cartesian.ts";
import { requireArray, requireEvery, requireNonEmpty, requireNumber, requireSameLength } from "./check.ts";
import type { Scale, Selection } from "./d3.ts";
import { colorsOf, px } from "./theme.ts";

/** One cloud. */
export interface PointCloud {
  /** Legend text with markup. */
  readonly label?: string;
  /** Abscissae, [n], finite. */
  readonly x: ArrayLike<number>;
  /** Ordinates, [n], finite. */
  readonly y: ArrayLike<number>;
  /** Name in `palette` or `#rrggbb`; by default the next colour. */
  readonly color?: string;
  /** Diameter of a dot in px; by default 5 for few and down to 2 for many points. */
  readonly size?: number;
}

/** Throws unless the arrays of a cloud fit and are finite. */
export function checkCloud(action: string, name: string, cloud: PointCloud): void {
  requireArray(action, `${name}.x`, cloud?.x);
  requireNonEmpty(action, `${name}.x`, cloud.x);
  requireSameLength(action, `${name}.y`, cloud.y, `${name}.x`, cloud.x);
  for (const axis of ["x", "y"] as const) {
    requireEvery(action, `${name}.${axis}`, cloud[axis], "hold finite numbers", Number.isFinite);
  }
  if (cloud.size !== undefined) requireNumber(action, `${name}.size`, cloud.size, "be positive", (s) => s > 0);
}

/** Draws a cloud as one path of zero-length strokes with round caps: a hundred times smaller than one element a point. */
export function paintCloud(
  layer: Selection,
  cloud: PointCloud,
  color: string,
  x: Scale,
  y: Scale,
  opacity = cloud.x.length > 500 ? 0.45 : 0.75,
): void {
  const n = cloud.x.length;
  let d = "";
  for (let i = 0; i < n; i++) d += `M${px(x(cloud.x[i]))},${px(y(cloud.y[i]))}h0`;
  const size = cloud.size ?? Math.max(2, Math.min(5, 60 / Math.sqrt(n)));
  layer.append("path").attr("d", d).attr("fill", "none").attr("stroke", color).attr("stroke-width", px(size))
    .attr("stroke-linecap", "round").attr("stroke-opacity", opacity);
}

function extentOf(clouds: readonly PointCloud[], axis: "x" | "y"): [number, number] {
  let low = Infinity, high = -Infinity;
  for (const cloud of clouds) {
    for (let i = 0; i < cloud[axis].length; i++) {
      low = Math.min(low, cloud[axis][i]);
      high = Math.max(high, cloud[axis][i]);
    }
  }
  return [low, high];
}

/**
 * Draws clouds of points over two axes.
 *
 * @param clouds the points, at least one cloud
 * @param options axes, size, legend, marks and notes
 * @returns SVG text; the same bytes for the same data
 * @throws {RangeError} if arrays differ in length, are empty or hold something not finite, or options are impossible
 * @throws {TypeError} if an array or a label is missing
 */
export async function scatterPlot(clouds: readonly PointCloud[], options: CartesianOptions): Promise<string> {
  const action = "draw a scatter plot";
  checkCartesian(action, options);
  requireNonEmpty(action, "clouds", clouds);
  clouds.forEach((cloud, i) => checkCloud(action, `clouds[${i}]`, cloud));
  const colors = colorsOf(action, clouds);
  for (const axis of ["x", "y"] as const) {
    if (options[axis].scale !== "log") continue;
    clouds.forEach((cloud, i) =>
      requireEvery(action, `clouds[${i}].${axis}`, cloud[axis], "be positive on a log scale", (v) => v > 0)
    );
  }
  return await drawCartesian({
    action,
    options,
    extent: [
      { extent: extentOf(clouds, "x"), padding: [0.04, 0.04] },
      { extent: extentOf(clouds, "y"), padding: [0.05, 0.05] },
    ],
    legend: clouds.flatMap(({ label }, i) =>
      label === undefined ? [] : [{ label, color: colors[i], dash: null, marker: "filled" as const }]
    ),
    description: `${options.y.label} against ${options.x.label}`,
    *occupied(x, y) {
      for (const cloud of clouds) for (let i = 0; i < cloud.x.length; i++) yield [x(cloud.x[i]), y(cloud.y[i])];
    },
    paint: (layer, x, y) => clouds.forEach((cloud, i) => paintCloud(layer, cloud, colors[i], x, y)),
  });
}
