/** Reads a figure back: strict XML, then elements, texts and path points in figure coordinates. */
import { assert } from "@std/assert";
import { loadD3 } from "../../src/plot/d3.ts";

await loadD3(); // first, because it silences d3-node's notice

// deno-lint-ignore no-explicit-any
const { D3Node } = await import("npm:d3-node@4.0.2") as any;
const { window } = new D3Node();

/** The part of a DOM element that the tests read. */
export interface Element {
  readonly tagName: string;
  readonly textContent: string;
  readonly children: ArrayLike<Element>;
  readonly parentNode: Element | null;
  getAttribute(name: string): string | null;
  querySelectorAll(selector: string): ArrayLike<Element>;
}

/** Parses XML strictly; an ill-formed text fails the test. */
export function parseSvg(text: string): Element {
  const root = new window.DOMParser().parseFromString(text, "application/xml").documentElement;
  assert(root.tagName === "svg", `not well-formed: ${root.textContent}`);
  return root;
}

/** Parses HTML as a browser does. */
export function parseHtml(text: string): Element {
  return new window.DOMParser().parseFromString(text, "text/html").documentElement;
}

export function all(root: Element, selector: string): Element[] {
  return Array.from(root.querySelectorAll(selector));
}

/** The texts of a figure, in drawing order. */
export function textsOf(root: Element): string[] {
  return all(root, "text").map((text) => text.textContent);
}

export function attribute(element: Element, name: string): number {
  return Number(element.getAttribute(name));
}

export type Point = [x: number, y: number];

/** Subpaths of an M/L/H/V/Z path, absolute commands only. */
export function subpaths(d: string): Point[][] {
  const out: Point[][] = [];
  for (const [, command, rest] of d.matchAll(/([A-Za-z])([^A-Za-z]*)/g)) {
    const numbers = rest.split(/[\s,]+/).filter((s) => s !== "").map(Number);
    const [x, y] = out.at(-1)?.at(-1) ?? [0, 0];
    if (command === "M") out.push([]);
    if (command === "M" || command === "L") {
      for (let i = 0; i < numbers.length; i += 2) out.at(-1)!.push([numbers[i], numbers[i + 1]]);
    } else if (command === "H") out.at(-1)!.push([numbers[0], y]);
    else if (command === "V") out.at(-1)!.push([x, numbers[0]]);
    else if (command !== "Z") throw new Error(`unexpected path command ${command}`);
  }
  return out;
}

/** The clipped layer of a plot with axes, where the data are. */
export function dataLayer(root: Element): Element {
  return all(root, "svg")[0];
}

/** Unfilled paths of the data layer: curves and outlines, in drawing order. */
export function curves(root: Element): Element[] {
  return all(dataLayer(root), "path").filter((path) => path.getAttribute("fill") === "none");
}

/** A number as a tick label writes it: true minus, thin spaces, powers of ten in a raised tspan. */
function readLabel(text: Element): number {
  const raised = all(text, "tspan[font-size]")[0];
  const number = (s: string) => Number(s.replaceAll("−", "-").replaceAll("\u2009", ""));
  if (raised === undefined) return number(text.textContent);
  const [mantissa] = text.textContent.split("10");
  const factor = mantissa === "" ? 1 : mantissa === "−" ? -1 : number(mantissa.replace("×", ""));
  return factor * 10 ** number(raised.textContent);
}

/** The tick labels of both axes with their pixel positions, read from the picture alone. */
export function readTicks(root: Element): { x: Point[]; y: Point[] } {
  const texts = all(root, "text").filter((t) =>
    t.getAttribute("font-size") === "12.5" && t.parentNode!.parentNode === root
  );
  const ticks = texts.filter((t) => /^[−\d.\u2009×]+$/.test(t.textContent));
  return {
    x: ticks.filter((t) => t.getAttribute("text-anchor") === "middle").map((t) => [readLabel(t), attribute(t, "x")]),
    y: ticks.filter((t) => t.getAttribute("text-anchor") === "end")
      .map((t) => [readLabel(t), attribute(t, "y") - 0.35 * 12.5]),
  };
}

/**
 * The map from data to pixels that a reader of the picture would infer: a straight line through the outermost tick labels,
 * after `transform` (ln for log axes). Labels are placed to 0.01 px.
 */
export function inferScale(ticks: Point[], transform: (value: number) => number = (v) => v): (value: number) => number {
  assert(ticks.length >= 2, "an axis needs two labels");
  const [first, last] = [ticks[0], ticks.at(-1)!];
  const slope = (last[1] - first[1]) / (transform(last[0]) - transform(first[0]));
  return (value) => first[1] + slope * (transform(value) - transform(first[0]));
}
