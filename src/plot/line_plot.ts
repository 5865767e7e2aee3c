/**
 * Curves with uncertainty: potentials, free-energy profiles, loss histories.
 *
 * @module
 */
import type { AxisOptions } from "./axes.ts";
import { type CartesianOptions, checkCartesian, drawCartesian } from "./cartesian.ts";
import { requireArray, requireChoice, requireEvery, requireNonEmpty, requireSameLength } from "./check.ts";
import type { D3, Scale, Selection } from "./d3.ts";
import { visiblePoints } from "./decimate.ts";
import type { LegendEntry, Point } from "./legend.ts";
import { colorsOf, px, theme } from "./theme.ts";

/** One curve. */
export interface LineSeries {
  /** Legend text with markup; without it the curve has no entry. */
  readonly label?: string;
  /** Abscissae, [n], finite. */
  readonly x: ArrayLike<number>;
  /** Ordinates, [n]; NaN leaves a gap. */
  readonly y: ArrayLike<number>;
  /** Half widths of the uncertainty, [n], in units of y; NaN where unknown. */
  readonly error?: ArrayLike<number>;
  /** How the uncertainty is drawn; default `band`. */
  readonly errorStyle?: "band" | "bars";
  /** True where a point deserves no trust, [n]: drawn as a hollow circle, and once in the legend. */
  readonly unreliable?: ArrayLike<boolean>;
  /** Name in `palette` or `#rrggbb`; by default the next colour. */
  readonly color?: string;
  /** Default `solid`. */
  readonly line?: "solid" | "dashed" | "dotted" | "none";
  /** Thin and pale, for noisy raw data behind what matters; default false. */
  readonly faint?: boolean;
  /** Circles at the points; default `none`. */
  readonly markers?: "none" | "filled" | "hollow";
}

/** Options of {@linkcode linePlot}. */
export interface LinePlotOptions extends CartesianOptions {
  /** Legend text of hollow circles; default `unreliable`. */
  readonly unreliableLabel?: string;
}

const ACTION = "draw a line plot";
const DASHES = { solid: "", dashed: "7 4", dotted: "2 3.2", none: null } as const;
const RADIUS = 3;
const FAINT = 0.5;

/** A checked series with everything decided. */
interface Curve {
  readonly series: LineSeries;
  readonly n: number;
  readonly color: string;
  readonly dash: string | null;
  readonly lower: (index: number) => number;
  readonly upper: (index: number) => number;
  readonly value: (index: number) => number;
}

function checkAxisValues(name: string, values: ArrayLike<number>, axis: AxisOptions, gaps: boolean): void {
  const rule = gaps ? "hold finite numbers, or NaN for a gap" : "hold finite numbers";
  requireEvery(ACTION, name, values, rule, (v) => Number.isFinite(v) || (gaps && Number.isNaN(v)));
  if (axis.scale !== "log") return;
  const advice = gaps ? ": use NaN for a gap, or a symlog scale" : "";
  requireEvery(ACTION, name, values, "be positive on a log scale", (v) => !(v <= 0), advice);
}

function checkSeries(series: LineSeries, name: string, options: LinePlotOptions): void {
  requireArray(ACTION, `${name}.x`, series?.x);
  requireNonEmpty(ACTION, `${name}.x`, series.x);
  requireSameLength(ACTION, `${name}.y`, series.y, `${name}.x`, series.x);
  checkAxisValues(`${name}.x`, series.x, options.x, false);
  checkAxisValues(`${name}.y`, series.y, options.y, true);
  if (series.error !== undefined) {
    requireSameLength(ACTION, `${name}.error`, series.error, `${name}.x`, series.x);
    const rule = "hold finite numbers ≥ 0, or NaN where unknown";
    requireEvery(ACTION, `${name}.error`, series.error, rule, (v) => (v >= 0 && v < Infinity) || Number.isNaN(v));
  }
  if (series.unreliable !== undefined) {
    requireSameLength(ACTION, `${name}.unreliable`, series.unreliable, `${name}.x`, series.x);
  }
  if (series.line !== undefined) requireChoice(ACTION, `${name}.line`, series.line, Object.keys(DASHES));
  if (series.markers !== undefined) {
    requireChoice(ACTION, `${name}.markers`, series.markers, ["none", "filled", "hollow"]);
  }
  if (series.errorStyle !== undefined) {
    requireChoice(ACTION, `${name}.errorStyle`, series.errorStyle, ["band", "bars"]);
  }
}

function toCurve(series: LineSeries, index: number, color: string): Curve {
  const { y, error } = series;
  return {
    series,
    n: series.x.length,
    color,
    dash: DASHES[series.line ?? (index < 6 ? "solid" : "dashed")],
    value: (i) => y[i],
    lower: (i) => error === undefined ? NaN : y[i] - error[i],
    upper: (i) => error === undefined ? NaN : y[i] + error[i],
  };
}

function extentOf(values: Iterable<number>): [number, number] | null {
  let low = Infinity, high = -Infinity;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low <= high ? [low, high] : null;
}

/** The range of the curves, widened by their uncertainty, but by at most 0.3 of itself: a wild bin must not hide the rest. */
function valueExtent(curves: readonly Curve[], log: boolean): [number, number] {
  const all = (pick: (curve: Curve) => (index: number) => number) =>
    curves.flatMap((curve) => Array.from({ length: curve.n }, (_, i) => pick(curve)(i)));
  const values = extentOf(all((curve) => curve.value));
  if (values === null) {
    throw new RangeError(`Cannot ${ACTION}: y must hold a finite number in some series, got NaN everywhere`);
  }
  const edges = extentOf([...all((c) => c.lower), ...all((c) => c.upper)].filter((v) => !log || v > 0)) ?? values;
  const reach = values[0] === values[1] ? Infinity : 0.3 * (values[1] - values[0]);
  const low = log ? Math.max(edges[0], values[0] / 10) : Math.max(edges[0], values[0] - reach);
  const high = log ? Math.min(edges[1], values[1] * 10) : Math.min(edges[1], values[1] + reach);
  return [Math.min(values[0], low), Math.max(values[1], high)];
}

function legendOf(curves: readonly Curve[], options: LinePlotOptions): LegendEntry[] {
  const entries: LegendEntry[] = [];
  for (const { series, color, dash } of curves) {
    if (series.label === undefined) continue;
    const marker = series.markers === "filled" || series.markers === "hollow" ? { marker: series.markers } : {};
    const area = series.error !== undefined && series.errorStyle !== "bars";
    entries.push({ label: series.label, color, dash, area, faint: series.faint === true, ...marker });
  }
  const doubtful = curves.filter(({ series }) => series.unreliable && Array.from(series.unreliable).some(Boolean));
  if (doubtful.length > 0) {
    const color = doubtful.length === 1 ? doubtful[0].color : theme.muted;
    entries.push({ label: options.unreliableLabel ?? "unreliable", color, dash: null, marker: "hollow" });
  }
  return entries;
}

function paintErrors(layer: Selection, curve: Curve, points: readonly number[], x: Scale, y: Scale, d3: D3): void {
  const { series, color, lower, upper } = curve;
  if (series.error === undefined) return;
  // On a log scale a band may reach below zero; it then runs out of the frame.
  const floor = y.domain()[0] > 0 ? y.domain()[0] / 1e3 : -Infinity;
  const low = (i: number) => y(Math.max(lower(i), floor));
  const known = (i: number) => !Number.isNaN(lower(i));
  if (series.errorStyle === "bars") {
    const d = points.filter(known).map((i) => {
      const at = px(x(series.x[i]));
      const [bottom, top] = [px(low(i)), px(y(upper(i)))];
      return `M${at},${bottom}V${top}M${px(at - 3)},${top}h6M${px(at - 3)},${bottom}h6`;
    }).join("");
    layer.append("path").attr("d", d).attr("stroke", color).attr("stroke-width", 1.1).attr("fill", "none");
    return;
  }
  const area = d3.area().digits(2).defined(known).x((i) => x(series.x[i])).y0(low).y1((i) => y(upper(i)));
  layer.append("path").attr("d", area(points) ?? "").attr("fill", color).attr("fill-opacity", theme.bandOpacity)
    .attr("stroke", color).attr("stroke-opacity", theme.bandOpacity);
}

function paintLine(layer: Selection, curve: Curve, points: readonly number[], x: Scale, y: Scale, d3: D3): void {
  const { series, value, color, dash } = curve;
  if (dash === null) return;
  const line = d3.line().digits(2).defined((i) => !Number.isNaN(value(i))).x((i) => x(series.x[i])).y((i) =>
    y(value(i))
  );
  const path = layer.append("path").attr("d", line(points) ?? "").attr("fill", "none").attr("stroke", color)
    .attr("stroke-width", series.faint ? 0.8 : theme.curve).attr("stroke-linejoin", "round");
  if (series.faint) path.attr("stroke-opacity", FAINT);
  if (dash !== "") path.attr("stroke-dasharray", dash);
}

function isMissing({ n, value }: Curve, i: number): boolean {
  return i < 0 || i >= n || Number.isNaN(value(i));
}

/** A point between two gaps has no line to be seen by. */
function isAlone(curve: Curve, i: number): boolean {
  return !isMissing(curve, i) && isMissing(curve, i - 1) && isMissing(curve, i + 1);
}

/** Whether circles or caps would be cut in half at the edge of the frame. */
function hasDots(curve: Curve): boolean {
  const { series, dash, n } = curve;
  if (dash === null || (series.markers ?? "none") !== "none" || series.errorStyle === "bars") return true;
  return [0, n - 1].some((i) => series.unreliable?.[i] || isAlone(curve, i));
}

function paintMarkers(layer: Selection, curve: Curve, points: readonly number[], x: Scale, y: Scale): void {
  const { series, color, value } = curve;
  for (const i of points) {
    const style = series.unreliable?.[i] ? "hollow" : series.markers ?? "none";
    if (isMissing(curve, i) || (style === "none" && !isAlone(curve, i))) continue;
    layer.append("circle").attr("cx", px(x(series.x[i]))).attr("cy", px(y(value(i))))
      .attr("r", style === "none" ? theme.curve : RADIUS)
      .attr("fill", style === "hollow" ? theme.paper : color).attr("stroke", color).attr("stroke-width", 1.3);
  }
}

function pointsOf({ series, n, value, lower, upper }: Curve, x: Scale): number[] {
  const [left, right] = x.range();
  const few = n <= 4 * Math.abs(right - left) || (series.markers ?? "none") !== "none" || series.unreliable;
  if (few) return Array.from({ length: n }, (_, i) => i);
  return visiblePoints(n, (i) => x(series.x[i]), series.error === undefined ? [value] : [value, lower, upper]);
}

/** Points along the curves and inside their bands, about 4 px apart, for the legend to avoid. */
function* coveredPoints(curves: readonly Curve[], x: Scale, y: Scale): Generator<Point> {
  for (const curve of curves) {
    const { series, value, lower, upper, dash } = curve;
    let before: Point | null = null;
    for (const i of pointsOf(curve, x)) {
      const here: Point | null = Number.isNaN(value(i)) ? null : [x(series.x[i]), y(value(i))];
      if (here !== null) {
        const steps = before === null || dash === null ? 1 : Math.min(200, Math.ceil(distance(before, here) / 4));
        const from: Point = before ?? here;
        for (let s = 1; s <= steps; s++) yield mix(from, here, s / steps);
        const [bottom, top] = [y(lower(i)), y(upper(i))];
        for (let at = top; at <= Math.min(bottom, top + 2000); at += 6) yield [here[0], at];
      }
      before = here;
    }
  }
}

function distance(a: Point, b: Point): number {
  return Math.hypot(a[0] - b[0], a[1] - b[1]);
}

function mix(a: Point, b: Point, t: number): Point {
  return [a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t];
}

function describe(curves: readonly Curve[], options: LinePlotOptions): string {
  const labels = curves.flatMap(({ series }) => series.label ?? []);
  const names = labels.length === 0 ? "" : `: ${labels.join(", ")}`;
  return `${options.y.label} against ${options.x.label}${names}`;
}

/**
 * Draws curves over a common abscissa, each with an optional band or bars of uncertainty.
 *
 * Gaps stay gaps: a curve breaks at NaN and is never interpolated across. Points flagged as unreliable are hollow, so that
 * they are seen but not mistaken for results. The vertical range covers the curves and their uncertainty, the latter by at
 * most 0.3 of the curves' own range. Curves with more points than pixels are thinned without changing the picture.
 *
 * Units: those of the data; name them in the axis labels.
 *
 * @param series the curves, at least one
 * @param options axes, size, legend, marks and notes
 * @returns SVG text; the same bytes for the same data
 * @throws {RangeError} if arrays differ in length or are empty, hold NaN in x or ±∞ anywhere, or options are impossible
 * @throws {TypeError} if an array or a label is missing
 *
 * @example
 * ```ts
 * import { linePlot } from "@boltzflow/boltzflow";
 * import assert from "node:assert/strict";
 *
 * const svg = await linePlot(
 *   [{ label: "flow", x: [1, 1.5, 2], y: [0, 20, 7], error: [0.1, 0.8, 0.2] }],
 *   { x: { label: "*d* / σ" }, y: { label: "*F*(*d*) / k_BT" } },
 * );
 * assert(svg.startsWith("<svg"));
 * ```
 */
export async function linePlot(series: readonly LineSeries[], options: LinePlotOptions): Promise<string> {
  checkCartesian(ACTION, options);
  requireNonEmpty(ACTION, "series", series);
  series.forEach((one, i) => checkSeries(one, `series[${i}]`, options));
  const colors = colorsOf(ACTION, series);
  const curves = series.map((one, i) => toCurve(one, i, colors[i]));
  const xs = extentOf(curves.flatMap(({ series }) => Array.from(series.x)))!;
  const side = curves.some(hasDots) ? 0.03 : 0;
  return await drawCartesian({
    action: ACTION,
    options,
    extent: [
      { extent: xs, padding: [side, side] },
      { extent: valueExtent(curves, options.y.scale === "log"), padding: [0.05, 0.06] },
    ],
    legend: legendOf(curves, options),
    description: describe(curves, options),
    occupied: (x, y) => coveredPoints(curves, x, y),
    paint: (layer, x, y, d3) => {
      const points = curves.map((curve) => pointsOf(curve, x));
      curves.forEach((curve, i) => paintErrors(layer, curve, points[i], x, y, d3));
      curves.forEach((curve, i) => paintLine(layer, curve, points[i], x, y, d3));
      curves.forEach((curve, i) => paintMarkers(layer, curve, points[i], x, y));
    },
  });
}
