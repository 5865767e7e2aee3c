/**
 * Legends, placed where no data are.
 *
 * @module
 */
import type { Selection } from "./d3.ts";
import { appendText } from "./figure.ts";
import { textWidth } from "./markup.ts";
import { px, theme } from "./theme.ts";

/** A point in px. */
export type Point = readonly [x: number, y: number];

/** A rectangle in px. */
export interface Box {
  /** Left edge. */
  readonly left: number;
  /** Upper edge. */
  readonly top: number;
  /** Width. */
  readonly width: number;
  /** Height. */
  readonly height: number;
}

/** One line of a legend. */
export interface LegendEntry {
  /** Text with markup. */
  readonly label: string;
  /** Second text in grey, without markup, such as the share of samples out of range. */
  readonly remark?: string;
  /** `#rrggbb`. */
  readonly color: string;
  /** Dashes of the line, or null for no line. */
  readonly dash: string | null;
  /** Band or filled area behind. */
  readonly area?: boolean;
  /** Thin and pale line. */
  readonly faint?: boolean;
  /** Marker on it. */
  readonly marker?: "filled" | "hollow";
}

const SWATCH = 26;
const DOT = 10;
const GAP = 7;
const ROW = 19;
const INSET = 11;
const CLEARANCE = 6;

/** Width of the samples of style: short where every entry is a dot. */
function swatchOf(entries: readonly LegendEntry[]): number {
  return entries.every((entry) => entry.dash === null && !entry.area) ? DOT : SWATCH;
}

function entryWidth(entry: LegendEntry, swatch: number): number {
  const remark = entry.remark === undefined ? 0 : textWidth(` ${entry.remark}`, theme.noteSize);
  return swatch + GAP + textWidth(entry.label, theme.tickSize) + remark;
}

/** Breaks entries into rows no wider than `width`, for a legend above the frame. */
export function legendRows(entries: readonly LegendEntry[], width: number): LegendEntry[][] {
  const rows: LegendEntry[][] = [];
  const swatch = swatchOf(entries);
  let used = Infinity;
  for (const entry of entries) {
    const needed = entryWidth(entry, swatch) + 22;
    if (used + needed > width + 22) {
      rows.push([]);
      used = 0;
    }
    rows.at(-1)!.push(entry);
    used += needed;
  }
  return rows;
}

/** Height in px of a legend above the frame. */
export function legendHeight(rows: readonly LegendEntry[][]): number {
  return rows.length === 0 ? 0 : rows.length * ROW + 4;
}

/**
 * Finds a corner or an edge of the frame where the legend covers no data.
 *
 * @param entries lines of the legend
 * @param frame the plot's rectangle
 * @param occupied points that are taken, px
 * @returns the legend's box, or null when every place is taken
 */
export function findPlace(entries: readonly LegendEntry[], frame: Box, occupied: Iterable<Point>): Box | null {
  const width = Math.max(...entries.map((entry) => entryWidth(entry, swatchOf(entries))));
  const height = entries.length * ROW - 4;
  if (width + 2 * INSET > frame.width || height + 2 * INSET > frame.height) return null;
  const xs = { left: frame.left + INSET, right: frame.left + frame.width - INSET - width, middle: 0 };
  const ys = { top: frame.top + INSET, bottom: frame.top + frame.height - INSET - height, middle: 0 };
  xs.middle = (xs.left + xs.right) / 2;
  ys.middle = (ys.top + ys.bottom) / 2;
  const places: Point[] = [
    [xs.right, ys.top],
    [xs.left, ys.top],
    [xs.right, ys.bottom],
    [xs.left, ys.bottom],
    [xs.middle, ys.top],
    [xs.middle, ys.bottom],
    [xs.right, ys.middle],
    [xs.left, ys.middle],
  ];
  const free = places.map(() => true);
  for (const [x, y] of occupied) {
    places.forEach(([left, top], i) => {
      const outside = x < left - CLEARANCE || x > left + width + CLEARANCE ||
        y < top - CLEARANCE || y > top + height + CLEARANCE;
      if (!outside) free[i] = false;
    });
  }
  const chosen = free.indexOf(true);
  return chosen < 0 ? null : { left: places[chosen][0], top: places[chosen][1], width, height };
}

function drawEntry(parent: Selection, entry: LegendEntry, swatch: number, left: number, middle: number): void {
  const { color } = entry;
  if (entry.area) {
    parent.append("rect").attr("x", px(left)).attr("y", px(middle - 6)).attr("width", swatch).attr("height", 12)
      .attr("fill", color).attr("fill-opacity", theme.bandOpacity);
  }
  if (entry.dash !== null) {
    const line = parent.append("path").attr("d", `M${px(left)},${px(middle)}h${swatch}`)
      .attr("stroke", color).attr("stroke-width", theme.curve).attr("fill", "none");
    if (entry.faint) line.attr("stroke-opacity", 0.5);
    if (entry.dash !== "") line.attr("stroke-dasharray", entry.dash);
  }
  if (entry.marker !== undefined) {
    parent.append("circle").attr("cx", px(left + swatch / 2)).attr("cy", px(middle)).attr("r", 3.4)
      .attr("fill", entry.marker === "hollow" ? theme.paper : color).attr("stroke", color).attr("stroke-width", 1.4);
  }
  const x = left + swatch + GAP;
  const text = appendText(parent, entry.label, { x, y: middle + 0.35 * theme.tickSize, size: theme.tickSize });
  if (entry.remark === undefined) return;
  const remark = text?.attr("xml:space", "preserve").append("tspan");
  remark?.attr("font-size", theme.noteSize).attr("fill", theme.muted).text(` ${entry.remark}`);
}

/** Draws a legend into its box, one entry under another, on paper that hides guide lines. */
export function drawLegendInside(parent: Selection, entries: readonly LegendEntry[], box: Box): void {
  const group = parent.append("g");
  group.append("rect").attr("x", px(box.left - 4)).attr("y", px(box.top - 4)).attr("width", px(box.width + 8))
    .attr("height", px(box.height + 8)).attr("fill", theme.paper).attr("fill-opacity", 0.85);
  const swatch = swatchOf(entries);
  entries.forEach((entry, i) => drawEntry(group, entry, swatch, box.left, box.top + (i + 0.5) * ROW - 2));
}

/** Draws a legend in rows, starting at a corner. */
export function drawLegendAbove(parent: Selection, rows: readonly LegendEntry[][], left: number, top: number): void {
  const group = parent.append("g");
  const swatch = swatchOf(rows.flat());
  rows.forEach((row, i) => {
    let x = left;
    for (const entry of row) {
      drawEntry(group, entry, swatch, x, top + (i + 0.5) * ROW);
      x += entryWidth(entry, swatch) + 22;
    }
  });
}
