/**
 * Maps of a function of two variables: energies and densities of two-dimensional systems.
 *
 * @module
 */
import type { AxisOptions } from "./axes.ts";
import { type CartesianOptions, checkCartesian, drawCartesian } from "./cartesian.ts";
import {
  isNumberOrInfinite,
  requireArray,
  requireChoice,
  requireEvery,
  requireInterval,
  requireNonEmpty,
  requireNumber,
  show,
} from "./check.ts";
import type { ContourPolygons, D3, Scale, Selection } from "./d3.ts";
import { appendText } from "./figure.ts";
import type { Box } from "./legend.ts";
import { textWidth } from "./markup.ts";
import { checkCloud, paintCloud, type PointCloud } from "./scatter_plot.ts";
import { colorsOf, px, theme } from "./theme.ts";

/** A function on a regular grid. */
export interface ContourGrid {
  /** Values, [rows · columns] row-major: row r is the r-th value of y. ±∞ is allowed, NaN is not. */
  readonly values: ArrayLike<number>;
  /** Number of y values, ≥ 2. */
  readonly rows: number;
  /** Number of x values, ≥ 2. */
  readonly columns: number;
  /** x of the first and the last column. */
  readonly x: readonly [number, number];
  /** y of the first and the last row. */
  readonly y: readonly [number, number];
}

/** Options of {@linkcode contourPlot}. */
export interface ContourOptions extends CartesianOptions {
  /** Title of the colour bar, with units and markup. */
  readonly colorLabel: string;
  /** Bounds of the regions, ascending, at least two; default 13 equal steps over the finite values. */
  readonly levels?: readonly number[];
  /** `high` (default): dark where values are high, for densities. `low`: dark where they are low, for energies. */
  readonly dark?: "high" | "low";
  /** Points drawn on the map. */
  readonly points?: readonly PointCloud[];
}

const ACTION = "draw a contour plot";
const BAR_WIDTH = 15;

function checkGrid(grid: ContourGrid): void {
  const whole = (v: number) => Number.isInteger(v) && v >= 2;
  requireNumber(ACTION, "grid.rows", grid?.rows, "be a whole number ≥ 2", whole);
  requireNumber(ACTION, "grid.columns", grid.columns, "be a whole number ≥ 2", whole);
  requireArray(ACTION, "grid.values", grid.values);
  const { rows, columns, values } = grid;
  if (values.length !== rows * columns) {
    const rule = `have rows · columns = ${rows * columns} values`;
    throw new RangeError(`Cannot ${ACTION}: grid.values must ${rule}, got ${values.length}`);
  }
  requireEvery(ACTION, "grid.values", values, "hold numbers or ±∞", isNumberOrInfinite);
  requireInterval(ACTION, "grid.x", grid.x);
  requireInterval(ACTION, "grid.y", grid.y);
}

function levelsOf(grid: ContourGrid, options: ContourOptions): number[] {
  if (options.levels !== undefined) {
    requireNonEmpty(ACTION, "levels", options.levels);
    const ascending = options.levels.every((v, i, all) => Number.isFinite(v) && (i === 0 || v > all[i - 1]));
    if (options.levels.length < 2 || !ascending) {
      const got = show([...options.levels]);
      throw new RangeError(`Cannot ${ACTION}: levels must be two or more ascending numbers, got ${got}`);
    }
    return [...options.levels];
  }
  const finite = Array.from(grid.values).filter(Number.isFinite);
  let low = Infinity, high = -Infinity;
  for (const value of finite) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (!(low < high)) {
    throw new RangeError(`Cannot ${ACTION}: grid.values must not all be equal, got ${show(finite[0])}`);
  }
  return Array.from({ length: 14 }, (_, k) => low + (high - low) * k / 13);
}

function checkLinear(name: string, axis: AxisOptions): void {
  if ((axis.scale ?? "linear") !== "linear") {
    throw new RangeError(`Cannot ${ACTION}: ${name}.scale must be linear, got ${show(axis.scale)}`);
  }
}

// One hue from paper to ink, so that every eye and a grey printer read the same order.
const RAMP = ["#f7fbff", "#dfeaf6", "#bdd5ec", "#8ab9dd", "#5495c9", "#2a6cae", "#164a8a"];

/** A colour of the ramp, t from 0 (light) to 1 (dark). */
export function rampColor(t: number): string {
  const at = Math.min(Math.max(t, 0), 1) * (RAMP.length - 1);
  const k = Math.min(Math.floor(at), RAMP.length - 2);
  const channel = (i: number) => {
    const [a, b] = [RAMP[k], RAMP[k + 1]].map((hex) => parseInt(hex.slice(1 + 2 * i, 3 + 2 * i), 16));
    return Math.round(a + (b - a) * (at - k)).toString(16).padStart(2, "0");
  };
  return `#${channel(0)}${channel(1)}${channel(2)}`;
}

function regionColors(count: number, dark: "high" | "low"): string[] {
  return Array.from({ length: count }, (_, k) => {
    const t = count === 1 ? 0.5 : k / (count - 1);
    return rampColor(dark === "high" ? t : 1 - t);
  });
}

function pathOf(polygons: ContourPolygons, place: (column: number, row: number) => string): string {
  return polygons.coordinates.flatMap((polygon) =>
    polygon.map((ring) => `M${ring.slice(0, -1).map(([column, row]) => place(column, row)).join("L")}Z`)
  ).join("");
}

function paintRegions(
  layer: Selection,
  grid: ContourGrid,
  levels: readonly number[],
  colors: readonly string[],
  x: Scale,
  y: Scale,
  d3: D3,
): void {
  // d3 puts the grid's nodes at half-integer coordinates.
  const along = ([first, last]: readonly [number, number], count: number, at: number) =>
    first + (last - first) * (at - 0.5) / (count - 1);
  const place = (column: number, row: number) =>
    `${px(x(along(grid.x, grid.columns, column)))},${px(y(along(grid.y, grid.rows, row)))}`;
  // Marching squares interpolates linearly: infinities become the outermost levels, one step further out.
  const step = levels[1] - levels[0];
  const top = levels.at(-1)! + step;
  const values = Float64Array.from(grid.values, (v) => v === Infinity ? top : v === -Infinity ? levels[0] - step : v);
  const regions = d3.contours().size([grid.columns, grid.rows]).thresholds(levels)(values);
  regions.forEach((region, k) => {
    const last = k === regions.length - 1;
    const path = layer.append("path").attr("d", pathOf(region, place));
    path.attr("fill", last ? theme.paper : colors[k]);
    path.attr("stroke", theme.ink).attr("stroke-opacity", 0.3).attr("stroke-width", 0.6);
  });
}

function drawColorBar(
  root: Selection,
  frame: Box,
  levels: readonly number[],
  colors: readonly string[],
  label: string,
  d3: D3,
): void {
  const left = frame.left + frame.width + 18;
  const [low, high] = [levels[0], levels.at(-1)!];
  const scale = d3.scaleLinear().domain([low, high]).range([frame.top + frame.height, frame.top]);
  colors.forEach((color, k) => {
    const [bottom, top] = [scale(levels[k]), scale(levels[k + 1])];
    root.append("rect").attr("x", px(left)).attr("y", px(top)).attr("width", BAR_WIDTH).attr("height", px(bottom - top))
      .attr("fill", color);
  });
  root.append("rect").attr("x", px(left)).attr("y", px(frame.top)).attr("width", BAR_WIDTH)
    .attr("height", px(frame.height)).attr("fill", "none").attr("stroke", theme.ink).attr("stroke-width", 0.9);
  const count = Math.max(2, Math.floor(frame.height / 52));
  const format = scale.tickFormat(count);
  const size = theme.tickSize;
  for (const value of scale.ticks(count)) {
    const text = format(value).replace("-", "−");
    appendText(root, text, { x: left + BAR_WIDTH + 7, y: scale(value) + 0.35 * size, size });
    root.append("path").attr("d", `M${px(left + BAR_WIDTH)},${px(scale(value))}h-4`).attr("stroke", theme.ink)
      .attr("stroke-width", 0.9);
  }
  const middle = frame.top + frame.height / 2;
  const labels = Math.max(...scale.ticks(count).map((value) => textWidth(format(value), size)));
  const place = {
    x: left + BAR_WIDTH + labels + 26,
    y: middle,
    size: theme.labelSize,
    anchor: "middle",
    upright: true,
  } as const;
  appendText(root, label, place);
}

/**
 * Draws a function of two variables as filled contours with a colour bar, and points on top.
 *
 * Regions between two levels share a colour; what lies below the first or above the last level is left white, which hides
 * the walls of an energy when `levels` stop at a few k_BT.
 *
 * @param grid values on a regular grid, [rows · columns]
 * @param options axes, levels, colours and points
 * @returns SVG text; the same bytes for the same data
 * @throws {RangeError} if the grid's sizes do not fit, it holds NaN, or levels do not ascend
 * @throws {TypeError} if an array or a label is missing
 */
export async function contourPlot(grid: ContourGrid, options: ContourOptions): Promise<string> {
  checkCartesian(ACTION, options);
  checkGrid(grid);
  if (typeof options.colorLabel !== "string") {
    throw new TypeError(`Cannot ${ACTION}: colorLabel must be a text with units, got ${show(options.colorLabel)}`);
  }
  if (options.dark !== undefined) requireChoice(ACTION, "dark", options.dark, ["high", "low"]);
  checkLinear("x", options.x);
  checkLinear("y", options.y);
  const clouds = options.points ?? [];
  clouds.forEach((cloud, i) => checkCloud(ACTION, `points[${i}]`, cloud));
  // Blue dots would drown in the blue map: the cycle starts at vermillion.
  const cloudColors = colorsOf(ACTION, clouds, 1);
  const levels = levelsOf(grid, options);
  const colors = regionColors(levels.length - 1, options.dark ?? "high");
  return await drawCartesian({
    action: ACTION,
    options: { ...options, legend: options.legend === "none" ? "none" : "above" },
    extent: [{ extent: grid.x, padding: [0, 0] }, { extent: grid.y, padding: [0, 0] }],
    legend: clouds.flatMap(({ label }, i) =>
      label === undefined ? [] : [{ label, color: cloudColors[i], dash: null, marker: "filled" as const }]
    ),
    description: `Contours of ${options.colorLabel} over ${options.x.label} and ${options.y.label}`,
    rightRoom: 18 + BAR_WIDTH + 68,
    occupied: () => [],
    paint: (layer, x, y, d3) => {
      paintRegions(layer, grid, levels, colors, x, y, d3);
      clouds.forEach((cloud, i) => paintCloud(layer, cloud, cloudColors[i], x, y, 1));
    },
    finish: (root, frame, d3) => drawColorBar(root, frame, levels, colors, options.colorLabel, d3),
  });
}
