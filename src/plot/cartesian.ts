/**
 * The frame that line plots, histograms and maps share: margins, axes, marks, legend.
 *
 * @module
 */
import { type Axis, type AxisOptions, type AxisRequest, buildAxis, checkAxis } from "./axes.ts";
import { requireChoice, requireNumber, show } from "./check.ts";
import type { D3, Scale, Selection } from "./d3.ts";
import { appendText, type Figure, newFigure } from "./figure.ts";
import { drawNotes, notePoints, type PlacedMarks, placeMarks, type PlotMark, type PlotNote } from "./guides.ts";
import {
  type Box,
  drawLegendAbove,
  drawLegendInside,
  findPlace,
  type LegendEntry,
  legendHeight,
  legendRows,
  type Point,
} from "./legend.ts";
import { textWidth } from "./markup.ts";
import { px, theme } from "./theme.ts";

/** What every plot with two axes understands. */
export interface CartesianOptions {
  /** Horizontal axis. */
  readonly x: AxisOptions;
  /** Vertical axis. */
  readonly y: AxisOptions;
  /** Heading above the plot; usually left to the caption. */
  readonly title?: string;
  /** What a screen reader says; by default made from the labels. */
  readonly description?: string;
  /** Width in px, default 640. */
  readonly width?: number;
  /** Height in px, default 400. */
  readonly height?: number;
  /** `auto` (default): inside where it covers no data, else above the frame; `above`; or `none`. */
  readonly legend?: "auto" | "above" | "none";
  /** Vertical guide lines. */
  readonly marks?: readonly PlotMark[];
  /** Texts inside the plot. */
  readonly notes?: readonly PlotNote[];
}

/** What a kind of plot contributes to its figure. */
export interface CartesianPlan {
  /** What is being drawn, for messages. */
  readonly action: string;
  /** The user's options. */
  readonly options: CartesianOptions;
  /** Range of the data and margins around it, [x, y]. */
  readonly extent: readonly [Pick<AxisRequest, "extent" | "padding">, Pick<AxisRequest, "extent" | "padding">];
  /** Lines of the legend. */
  readonly legend: readonly LegendEntry[];
  /** Fallback of `options.description`. */
  readonly description: string;
  /** Room in px to the right of the frame. */
  readonly rightRoom?: number;
  /** Points in px that the legend must not cover. */
  occupied(x: Scale, y: Scale): Iterable<Point>;
  /** Draws the data; `layer` clips to the frame and has its own origin-free pixel coordinates. */
  paint(layer: Selection, x: Scale, y: Scale, d3: D3): void;
  /** Draws outside the frame, such as a colour bar. */
  finish?(root: Selection, frame: Box, d3: D3): void;
}

interface Layout {
  readonly frame: Box;
  readonly x: Axis;
  readonly y: Axis;
  readonly legendTop: number;
  readonly rows: LegendEntry[][];
  readonly marks: PlacedMarks;
}

const TICK = 5;

function layout(figure: Figure, plan: CartesianPlan, legendAbove: boolean): Layout {
  const { options, action, extent } = plan;
  const { width, height, d3 } = figure;
  const request = (name: "x" | "y", i: 0 | 1): AxisRequest => ({ action, name, options: options[name], ...extent[i] });
  const titleHeight = options.title === undefined ? 0 : theme.titleSize + 10;
  let right = Math.max(18, plan.rightRoom ?? 0);
  const rows = legendAbove ? legendRows(plan.legend, width - 80 - right) : [];
  const bottom = height - (2.2 * theme.labelSize + theme.tickSize + 11);
  const head = 14 + titleHeight + legendHeight(rows);
  let left = 70;
  let top = head;
  let x!: Axis, y!: Axis, marks!: PlacedMarks;
  // Twice: the left margin depends on the tick labels, which depend on the height, which depends on the mark labels.
  for (let pass = 0; pass < 2; pass++) {
    x = buildAxis(d3, request("x", 0), [left, width - right], 70);
    right = Math.max(right, overhang(x, width - right));
    marks = placeMarks(options.marks ?? [], x.scale, width - 6);
    top = head + marks.height;
    y = buildAxis(d3, request("y", 1), [bottom, top], 52);
    if (pass === 0) left = Math.ceil(2 * theme.labelSize + 12 + widest(y.ticks.map((tick) => tick.label)));
  }
  const frame = { left, top, width: width - right - left, height: bottom - top };
  return { frame, x, y, legendTop: 8 + titleHeight, rows, marks };
}

/** Room that the last label of a horizontal axis needs beyond the frame's right edge. */
function overhang(x: Axis, edge: number): number {
  return Math.max(
    0,
    ...x.ticks.map(({ value, label }) => x.scale(value) + textWidth(label, theme.tickSize) / 2 - edge),
  ) + 6;
}

/** Labels up to the width of this one have the same room, so that frames of stacked panels line up. */
const USUAL_LABEL = "−0.0";

function widest(labels: readonly string[]): number {
  return Math.max(...[USUAL_LABEL, ...labels].map((label) => textWidth(label, theme.tickSize)));
}

function inDomain(axis: Axis, values: readonly number[]): number[] {
  const [low, high] = axis.scale.domain();
  return values.filter((value) => value >= low && value <= high).map((value) => px(axis.scale(value)));
}

function drawTicks(root: Selection, { frame, x, y }: Layout): void {
  const [left, right] = [px(frame.left), px(frame.left + frame.width)];
  const [top, bottom] = [px(frame.top), px(frame.top + frame.height)];
  let d = "";
  for (const major of [true, false]) {
    const size = major ? TICK : TICK - 2;
    const values = (axis: Axis) => inDomain(axis, major ? axis.ticks.map((tick) => tick.value) : axis.minor);
    for (const at of values(x)) d += `M${at},${bottom}v${-size}M${at},${top}v${size}`;
    for (const at of values(y)) d += `M${left},${at}h${size}M${right},${at}h${-size}`;
  }
  root.append("path").attr("d", d).attr("stroke", theme.ink).attr("stroke-width", 0.9).attr("fill", "none");
}

function drawAxes(root: Selection, view: Layout): void {
  const { frame, x, y } = view;
  const bottom = frame.top + frame.height;
  drawTicks(root, view);
  root.append("rect").attr("x", px(frame.left)).attr("y", px(frame.top)).attr("width", px(frame.width))
    .attr("height", px(frame.height)).attr("fill", "none").attr("stroke", theme.ink)
    .attr("stroke-width", theme.hairline);
  const size = theme.tickSize;
  for (const { value, label } of x.ticks) {
    appendText(root, label, { x: x.scale(value), y: bottom + 7 + size, size, anchor: "middle" });
  }
  for (const { value, label } of y.ticks) {
    appendText(root, label, { x: frame.left - 7, y: y.scale(value) + 0.35 * size, size, anchor: "end" });
  }
  const labelSize = theme.labelSize;
  appendText(root, x.label, {
    x: frame.left + frame.width / 2,
    y: bottom + 7 + size + 1.6 * labelSize,
    size: labelSize,
    anchor: "middle",
  });
  appendText(root, y.label, {
    x: 6 + labelSize,
    y: frame.top + frame.height / 2,
    size: labelSize,
    anchor: "middle",
    upright: true,
  });
}

/** Throws unless the options of a plot make sense. */
export function checkCartesian(action: string, options: CartesianOptions): void {
  if (options === null || typeof options !== "object") {
    throw new TypeError(`Cannot ${action}: options must be an object, got ${show(options)}`);
  }
  checkAxis(action, "x", options.x);
  checkAxis(action, "y", options.y);
  for (const name of ["width", "height"] as const) {
    if (options[name] !== undefined) {
      requireNumber(action, name, options[name], "be at least 160 px", (value) => value >= 160);
    }
  }
  if (options.legend !== undefined) requireChoice(action, "legend", options.legend, ["auto", "above", "none"]);
  options.marks?.forEach((mark, i) => requireNumber(action, `marks[${i}].at`, mark.at, "be finite", () => true));
  options.notes?.forEach((note, i) => {
    requireNumber(action, `notes[${i}].x`, note.x, "be finite", () => true);
    requireNumber(action, `notes[${i}].y`, note.y, "be finite", () => true);
  });
}

/**
 * Draws a plot with two axes whose options have passed `checkCartesian`.
 *
 * @param plan what the kind of plot contributes
 * @returns SVG text
 */
export async function drawCartesian(plan: CartesianPlan): Promise<string> {
  const { options } = plan;
  const description = options.description ?? options.title ?? plan.description;
  const figure = await newFigure(options.width ?? theme.width, options.height ?? theme.height, description);
  const hasLegend = options.legend !== "none" && plan.legend.length > 0;
  let view = layout(figure, plan, hasLegend && options.legend === "above");
  let box: Box | null = null;
  if (hasLegend && options.legend !== "above") {
    const { scale: x } = view.x;
    const { scale: y } = view.y;
    box = findPlace(plan.legend, view.frame, [...plan.occupied(x, y), ...notePoints(options.notes ?? [], x, y)]);
    if (box === null) view = layout(figure, plan, true);
  }
  const { frame } = view;
  const { root } = figure;
  if (options.title !== undefined) {
    const size = theme.titleSize;
    appendText(root, options.title, { x: frame.left, y: 12 + 0.75 * size, size, bold: true });
  }
  drawLegendAbove(root, view.rows, frame.left, view.legendTop);
  view.marks.draw(root, frame);
  // A nested <svg> clips without an id; its viewBox keeps the figure's own coordinates.
  const layer = root.append("svg").attr("x", px(frame.left)).attr("y", px(frame.top))
    .attr("width", px(frame.width)).attr("height", px(frame.height))
    .attr("viewBox", [frame.left, frame.top, frame.width, frame.height].map(px).join(" "));
  plan.paint(layer, view.x.scale, view.y.scale, figure.d3);
  drawAxes(root, view);
  drawNotes(root, options.notes ?? [], view.x.scale, view.y.scale);
  if (box !== null) drawLegendInside(root, plan.legend, box);
  plan.finish?.(root, frame, figure.d3);
  return figure.toSvg();
}
