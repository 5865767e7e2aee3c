/**
 * Particle configurations as discs in their box: single ones, rows of states, frames of a path.
 *
 * @module
 */
import { requireArray, requireEvery, requireNonEmpty, requireNumber, show } from "./check.ts";
import type { Selection } from "./d3.ts";
import { appendText, newFigure } from "./figure.ts";
import type { Box } from "./legend.ts";
import { textWidth } from "./markup.ts";
import { colorOf, px, theme } from "./theme.ts";

/** How particles and box are drawn. The defaults are those of the particle dimer. */
export interface ConfigurationOptions {
  /** Radius of a disc in units of x, default 0.55 = σ/2: discs touch at r = σ. */
  readonly radius?: number;
  /** Half width of the square that holds the particles' centres, default 3.0. */
  readonly halfBox?: number;
  /** Half width at which the wall is drawn, default `halfBox` + `radius`, where discs touch it. */
  readonly wall?: number;
  /** Particles in the accent colour, default [0, 1]. */
  readonly highlighted?: readonly number[];
  /** Pairs of particles joined by a line, default [[0, 1]] if both are highlighted. */
  readonly bonds?: readonly (readonly [number, number])[];
  /** Accent, a name in `palette` or `#rrggbb`; default `vermillion`. */
  readonly color?: string;
  /** Colour of the others, default `blue`. */
  readonly solventColor?: string;
  /** Side of a panel in px, default 196. */
  readonly size?: number;
  /** What a screen reader says; by default made from the captions. */
  readonly description?: string;
}

/** A configuration with its texts. */
export interface ConfigurationPanel {
  /** Positions, [2 · particles]: x₀ y₀ x₁ y₁ … */
  readonly x: ArrayLike<number>;
  /** Heading above the panel, such as `closed`. */
  readonly title?: string;
  /** Lines under the panel, such as `*d* = 1.50` and `*U* = 61.2 k_BT`. */
  readonly caption?: string | readonly string[];
}

/** Options of {@linkcode configurationPanels}. */
export interface ConfigurationPanelsOptions extends ConfigurationOptions {
  /** Panels in a row; default all of them up to 5, beyond that rows of equal length. */
  readonly columns?: number;
  /** Arrows between successive panels, for a path; default false. */
  readonly arrows?: boolean;
}

const ACTION = "draw a configuration";
const GAP = 22;
const CAPTION_ROW = 17;

/** The style with every default filled in. */
interface Style {
  readonly radius: number;
  readonly wall: number;
  readonly view: number;
  readonly highlighted: ReadonlySet<number>;
  readonly bonds: readonly (readonly [number, number])[];
  readonly accent: string;
  readonly solvent: string;
  readonly size: number;
}

function toStyle(options: ConfigurationOptions): Style {
  const positive = (v: number) => v > 0;
  const radius = options.radius ?? 0.55;
  const halfBox = options.halfBox ?? 3;
  const wall = options.wall ?? halfBox + radius;
  const size = options.size ?? 196;
  requireNumber(ACTION, "radius", radius, "be positive", positive);
  requireNumber(ACTION, "halfBox", halfBox, "be positive", positive);
  requireNumber(ACTION, "wall", wall, "be positive", positive);
  requireNumber(ACTION, "size", size, "be at least 40 px", (v) => v >= 40);
  const highlighted = options.highlighted ?? [0, 1];
  const both = highlighted.includes(0) && highlighted.includes(1);
  return {
    radius,
    wall,
    // A little air outside the wall shows particles that lean on it or slip through.
    view: wall + 0.6 * radius,
    highlighted: new Set(highlighted),
    bonds: options.bonds ?? (both ? [[0, 1]] : []),
    accent: colorOf(ACTION, options.color ?? "vermillion"),
    solvent: colorOf(ACTION, options.solventColor ?? "blue"),
    size,
  };
}

function checkPanel(panel: ConfigurationPanel, name: string, style: Style): void {
  requireArray(ACTION, `${name}.x`, panel?.x);
  requireNonEmpty(ACTION, `${name}.x`, panel.x);
  if (panel.x.length % 2 !== 0) {
    throw new RangeError(`Cannot ${ACTION}: ${name}.x must hold pairs of coordinates, got ${panel.x.length} numbers`);
  }
  requireEvery(ACTION, `${name}.x`, panel.x, "hold finite numbers", Number.isFinite);
  const particles = panel.x.length / 2;
  for (const index of [...style.highlighted, ...style.bonds.flat()]) {
    if (!Number.isInteger(index) || index < 0 || index >= particles) {
      const rule = `name particles from 0 to ${particles - 1}`;
      throw new RangeError(`Cannot ${ACTION}: highlighted and bonds must ${rule}, got ${show(index)}`);
    }
  }
}

function linesOf(panel: ConfigurationPanel): readonly string[] {
  if (panel.caption === undefined) return [];
  return typeof panel.caption === "string" ? [panel.caption] : panel.caption;
}

/** How many particles lie entirely outside the picture. */
function invisible(x: ArrayLike<number>, { view, radius }: Style): number {
  let count = 0;
  for (let i = 0; i < x.length; i += 2) {
    if (Math.max(Math.abs(x[i]), Math.abs(x[i + 1])) > view + radius) count++;
  }
  return count;
}

function paintParticles(layer: Selection, x: ArrayLike<number>, style: Style, scale: (v: number) => number): void {
  const { radius, highlighted, accent, solvent, bonds, size, view } = style;
  const r = px(radius * size / (2 * view));
  const disc = (i: number, color: string, opacity: number) =>
    layer.append("circle").attr("cx", px(scale(x[2 * i]))).attr("cy", px(scale(-x[2 * i + 1]))).attr("r", r)
      .attr("fill", color).attr("fill-opacity", opacity).attr("stroke", color).attr("stroke-width", 1);
  for (let i = 0; i < x.length / 2; i++) if (!highlighted.has(i)) disc(i, solvent, 0.32);
  for (const i of highlighted) disc(i, accent, 0.9);
  for (const [i, j] of bonds) {
    const at = (k: number) => `${px(scale(x[2 * k]))},${px(scale(-x[2 * k + 1]))}`;
    layer.append("path").attr("d", `M${at(i)}L${at(j)}`).attr("stroke", theme.ink)
      .attr("stroke-width", px(Math.max(1.5, 0.2 * r))).attr("stroke-linecap", "round").attr("fill", "none");
  }
}

function drawPanel(root: Selection, panel: ConfigurationPanel, box: Box, style: Style): void {
  const { size, view, wall } = style;
  const half = size * wall / view / 2;
  const middle = { x: box.left + size / 2, y: box.top + size / 2 };
  root.append("rect").attr("x", px(middle.x - half)).attr("y", px(middle.y - half)).attr("width", px(2 * half))
    .attr("height", px(2 * half)).attr("fill", "#f7f8fa").attr("stroke", theme.ink).attr("stroke-width", 1.2);
  const layer = root.append("svg").attr("x", px(box.left)).attr("y", px(box.top)).attr("width", px(size))
    .attr("height", px(size)).attr("viewBox", `0 0 ${px(size)} ${px(size)}`);
  paintParticles(layer, panel.x, style, (v) => (v / view + 1) * size / 2);
  if (panel.title !== undefined) {
    appendText(root, panel.title, {
      x: middle.x,
      y: box.top - 5,
      size: theme.labelSize,
      anchor: "middle",
      bold: true,
    });
  }
  const lost = invisible(panel.x, style);
  const lines = [
    ...linesOf(panel),
    ...(lost === 0 ? [] : [lost === 1 ? "1 particle outside" : `${lost} particles outside`]),
  ];
  lines.forEach((line, i) => {
    const y = box.top + size + 4 + (i + 0.8) * CAPTION_ROW;
    appendText(root, line, { x: middle.x, y, size: theme.tickSize, anchor: "middle" });
  });
}

function drawArrow(root: Selection, left: number, middle: number): void {
  const [from, to] = [left + 4, left + GAP - 4];
  root.append("path").attr("d", `M${px(from)},${px(middle)}H${px(to)}m-4,-3.5l4,3.5l-4,3.5`)
    .attr("stroke", theme.muted).attr("stroke-width", 1.4).attr("stroke-linecap", "round")
    .attr("stroke-linejoin", "round").attr("fill", "none");
}

/**
 * Draws configurations side by side: states with captions, or the frames of a path.
 *
 * Discs are translucent, so overlaps are visible. Particles that have left the picture are counted under their panel.
 *
 * Units: those of x, one unit being as long horizontally as vertically.
 *
 * @param panels configurations, each [2 · particles], with titles and captions
 * @param options box, particles, size and arrangement
 * @returns SVG text; the same bytes for the same data
 * @throws {RangeError} if there is no panel, coordinates are not finite or not in pairs, or indices do not exist
 * @throws {TypeError} if an array is missing
 */
export async function configurationPanels(
  panels: readonly ConfigurationPanel[],
  options: ConfigurationPanelsOptions = {},
): Promise<string> {
  requireNonEmpty(ACTION, "panels", panels);
  const style = toStyle(options);
  panels.forEach((panel, i) => checkPanel(panel, `panels[${i}]`, style));
  const most = panels.length <= 5 ? panels.length : Math.ceil(panels.length / Math.ceil(panels.length / 5));
  const columns = options.columns ?? most;
  requireNumber(ACTION, "columns", columns, "be a whole number ≥ 1", (v) => Number.isInteger(v) && v >= 1);
  const { size } = style;
  const rows = Math.ceil(panels.length / columns);
  const head = panels.some((panel) => panel.title !== undefined) ? 24 : 0;
  const captions = Math.max(...panels.map((p) => linesOf(p).length + (invisible(p.x, style) > 0 ? 1 : 0)));
  const rowHeight = head + size + (captions === 0 ? 0 : captions * CAPTION_ROW + 4) + 14;
  const texts = panels.flatMap((panel) => [panel.title ?? "", ...linesOf(panel)]);
  const overhang = Math.max(0, ...texts.map((text) => textWidth(text, theme.labelSize) - size)) / 2;
  const margin = 14 + overhang;
  const used = Math.min(columns, panels.length);
  const width = 2 * margin + used * size + (used - 1) * GAP;
  const spoken = options.description ?? `Configurations: ${panels.map(describePanel).join("; ")}`;
  const figure = await newFigure(width, rows * rowHeight + 10, spoken);
  panels.forEach((panel, i) => {
    const left = margin + (i % columns) * (size + GAP);
    const top = 10 + head + Math.floor(i / columns) * rowHeight;
    drawPanel(figure.root, panel, { left, top, width: size, height: size }, style);
    const lastOfRow = (i + 1) % columns === 0 || i === panels.length - 1;
    if (options.arrows && !lastOfRow) drawArrow(figure.root, left + size, top + size / 2);
  });
  return figure.toSvg();
}

function describePanel(panel: ConfigurationPanel, index: number): string {
  const texts = [panel.title, ...linesOf(panel)].filter((text) => text !== undefined && text !== "");
  return texts.length === 0 ? `${index + 1}` : texts.join(", ");
}

/**
 * Draws one configuration. See {@linkcode configurationPanels} for what is shown and the errors.
 *
 * @param x positions, [2 · particles]
 * @param options box, particles and size; `title` and `caption` as in a panel
 * @returns SVG text; the same bytes for the same data
 */
export function configurationPlot(
  x: ArrayLike<number>,
  options: ConfigurationOptions & Omit<ConfigurationPanel, "x"> = {},
): Promise<string> {
  const { title, caption, ...style } = options;
  const panel = { x, ...(title === undefined ? {} : { title }), ...(caption === undefined ? {} : { caption }) };
  return configurationPanels([panel], { size: 320, description: title ?? "A particle configuration", ...style });
}
