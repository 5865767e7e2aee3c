/**
 * The look of every figure, in one place: colours, type sizes, strokes.
 *
 * @module
 */
import { show } from "./check.ts";

/**
 * Colours of the series, distinguishable with every common form of colour blindness and in grey print.
 *
 * Reference: Okabe and Ito 2008, "Color Universal Design"; its yellow is left out, being unreadable on white.
 */
export const palette = {
  blue: "#0072b2",
  vermillion: "#d55e00",
  green: "#009e73",
  purple: "#cc79a7",
  orange: "#e69f00",
  sky: "#56b4e9",
  grey: "#6b7075",
  black: "#1a1a1a",
} as const;

/** A colour by its name in {@linkcode palette}. */
export type ColorName = keyof typeof palette;

const CYCLE: readonly ColorName[] = ["blue", "vermillion", "green", "purple", "orange", "sky"];

/** Sizes in px of the figure's own coordinate system, and the greys of what is not data. */
export const theme = {
  font: "Helvetica Neue, Helvetica, Arial, Liberation Sans, DejaVu Sans, sans-serif",
  monospace: "Menlo, Consolas, Liberation Mono, DejaVu Sans Mono, monospace",
  width: 640,
  height: 400,
  tickSize: 12.5,
  labelSize: 14,
  titleSize: 15,
  noteSize: 12,
  paper: "#ffffff",
  ink: "#1a1a1a",
  muted: "#5f6368",
  faint: "#d4d7dc",
  curve: 1.9,
  hairline: 1,
  bandOpacity: 0.2,
} as const;

/**
 * Resolves a colour: a palette name or `#rrggbb`.
 *
 * @param action what is being drawn, for the message
 * @param color the user's choice
 * @returns `#rrggbb`
 * @throws {RangeError} if the colour is neither
 */
export function colorOf(action: string, color: string): string {
  if (Object.hasOwn(palette, color)) return palette[color as ColorName];
  if (/^#[0-9a-f]{6}$/i.test(color)) return color.toLowerCase();
  const names = Object.keys(palette).join(", ");
  throw new RangeError(`Cannot ${action}: color must be #rrggbb or one of ${names}, got ${show(color)}`);
}

/** Resolves the colours of several series: chosen ones stay, the others take the cycle's colours that nobody chose. */
export function colorsOf(action: string, series: readonly { readonly color?: string }[], skip = 0): string[] {
  const chosen = new Set(series.flatMap(({ color }) => color === undefined ? [] : [colorOf(action, color)]));
  const cycle = CYCLE.slice(skip).map((name) => palette[name]);
  const unchosen = cycle.filter((color) => !chosen.has(color));
  const free = unchosen.length === 0 ? cycle : unchosen;
  let next = 0;
  return series.map(({ color }) => color === undefined ? free[next++ % free.length] : colorOf(action, color));
}

/** Rounds a coordinate to 0.01 px, so that the last bits of a logarithm never reach the file. */
export function px(value: number): number {
  return Math.round(value * 100) / 100 + 0;
}
