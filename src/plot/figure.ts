/**
 * An empty figure: the sheet of paper that every plot draws on.
 *
 * @module
 */
import { type D3, loadD3, type Selection } from "./d3.ts";
import { parseMarkup, plainText, setText } from "./markup.ts";
import { px, theme } from "./theme.ts";

/** A figure under construction. */
export interface Figure {
  /** The library. */
  readonly d3: D3;
  /** Group that carries the font; everything is appended to it. */
  readonly root: Selection;
  /** Width in px. */
  readonly width: number;
  /** Height in px. */
  readonly height: number;
  /** Finishes the figure: SVG text, ending in a newline. */
  toSvg(): string;
}

/**
 * Starts a figure on white paper.
 *
 * It has no ids, classes or style sheet, so any number of figures can share a page without touching each other.
 *
 * @param width in px
 * @param height in px
 * @param description what a screen reader says, with markup
 * @returns the figure
 */
export async function newFigure(width: number, height: number, description: string): Promise<Figure> {
  const { d3, createSvg, serialize } = await loadD3();
  const svg = createSvg().attr("width", px(width)).attr("height", px(height))
    .attr("viewBox", `0 0 ${px(width)} ${px(height)}`)
    .attr("role", "img").attr("aria-label", plainText(description).replace(/\s+/g, " ").trim());
  svg.append("rect").attr("width", px(width)).attr("height", px(height)).attr("fill", theme.paper);
  const root = svg.append("g").attr("font-family", theme.font).attr("fill", theme.ink);
  return { d3, root, width, height, toSvg: () => `${serialize(svg.node())}\n` };
}

/** Where and how a piece of text is set. */
export interface TextPlace {
  /** Pixel abscissa of the anchor. */
  readonly x: number;
  /** Pixel ordinate of the baseline. */
  readonly y: number;
  /** Size in px. */
  readonly size: number;
  /** Which end of the text the anchor is; default `start`. */
  readonly anchor?: "start" | "middle" | "end";
  /** Colour; default ink. */
  readonly fill?: string;
  /** Bold type. */
  readonly bold?: boolean;
  /** Turned to read upwards. */
  readonly upright?: boolean;
  /** White outline, for text over lines. */
  readonly halo?: boolean;
}

/** Appends a text; markup allowed. Nothing is appended, and null returned, for an empty one. */
export function appendText(parent: Selection, text: string, place: TextPlace): Selection | null {
  if (parseMarkup(text).length === 0) return null;
  const element = parent.append("text").attr("font-size", place.size);
  if (place.upright) element.attr("transform", `translate(${px(place.x)},${px(place.y)})rotate(-90)`);
  else element.attr("x", px(place.x)).attr("y", px(place.y));
  if (place.anchor !== undefined && place.anchor !== "start") element.attr("text-anchor", place.anchor);
  if (place.fill !== undefined) element.attr("fill", place.fill);
  if (place.bold) element.attr("font-weight", 600);
  if (place.halo) {
    element.attr("stroke", theme.paper).attr("stroke-width", 3).attr("stroke-linejoin", "round")
      .attr("paint-order", "stroke");
  }
  return setText(element, text, place.size);
}
