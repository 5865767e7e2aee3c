/**
 * Axes and curves as SVG, in pixels of the place that they have, so that letters keep their size on a phone.
 *
 * @module
 */
/// <reference lib="dom" />

/** One axis. */
export interface AxisSpec {
  /** Range. */
  readonly from: number;
  readonly to: number;
  /** Distance of ticks. */
  readonly tick: number;
  /** Name and unit. */
  readonly label: string;
}

/** Space around the plot, in px. */
const MARGIN = { left: 52, right: 12, top: 12, bottom: 46 };
const NAMESPACE = "http://www.w3.org/2000/svg";

/** A place in the plot, in data coordinates; y is null where there is no value. */
export type Point = readonly [x: number, y: number | null];

/** Coordinates that fill their SVG element, redrawn when its size changes. */
export class Chart {
  readonly #svg: SVGSVGElement;
  readonly #axes: SVGGElement;
  readonly #plot: SVGGElement;
  readonly #clip: SVGRectElement;
  #x: AxisSpec;
  #y: AxisSpec;
  #width = 0;
  #height = 0;
  #redraw: () => void = () => {};

  /**
   * Fills an element.
   *
   * @param svg the element; its size is set by the style sheet
   * @param x axis
   * @param y axis
   */
  constructor(svg: SVGSVGElement, x: AxisSpec, y: AxisSpec) {
    this.#svg = svg;
    this.#x = x;
    this.#y = y;
    const clipped = `${svg.id}-clip`;
    const clip = svg.appendChild(element("clipPath", { id: clipped }));
    this.#clip = clip.appendChild(element("rect", {}));
    this.#axes = svg.appendChild(element("g", { class: "axes" }));
    this.#plot = svg.appendChild(element("g", { "clip-path": `url(#${clipped})` }));
    new ResizeObserver(() => this.#resize()).observe(svg);
  }

  /** Says how to draw the contents, and draws them. */
  set content(redraw: () => void) {
    this.#redraw = redraw;
    this.draw();
  }

  /** Changes the axes. */
  scale(x: AxisSpec, y: AxisSpec): void {
    this.#x = x;
    this.#y = y;
    this.#drawAxes();
    this.draw();
  }

  /** Draws the contents anew. */
  draw(): void {
    if (this.#width === 0) return;
    this.#plot.replaceChildren();
    this.#redraw();
  }

  /** Draws a line, broken where y is null. */
  line(points: readonly Point[], name: string): void {
    const path = runs(points).map((run) => `M${run.map((point) => this.#at(point)).join("L")}`).join("");
    this.#plot.append(element("path", { d: path, class: name }));
  }

  /** Fills between two curves, where both are known; a band of one bin is as wide as `width`. */
  band(lower: readonly Point[], upper: readonly Point[], name: string, width: number): void {
    const known = lower.map(([x, y], i): Point => [x, upper[i][1] === null ? null : y]);
    const path = runs(known).map((run) => {
      const first = lower.findIndex(([x]) => x === run[0][0]);
      const [from, to] = [run[0][0] - width / 2, run[run.length - 1][0] + width / 2];
      const top = upper.slice(first, first + run.length);
      const below = [[from, run[0][1]] as const, ...run, [to, run[run.length - 1][1]] as const];
      const above = [[from, top[0][1]] as const, ...top, [to, top[top.length - 1][1]] as const];
      return `M${[...below, ...above.reverse()].map((point) => this.#at(point)).join("L")}Z`;
    });
    this.#plot.append(element("path", { d: path.join(""), class: name }));
  }

  /** Draws a circle. */
  dot([x, y]: Point, name: string, radius = 3): void {
    if (y === null) return;
    this.#plot.append(element("circle", { cx: this.#px(x), cy: this.#py(y), r: radius, class: name }));
  }

  /** Draws a line from the lower to the upper end. */
  upright(x: number, name: string): void {
    const at = this.#px(x);
    const bottom = this.#height - MARGIN.bottom;
    this.#plot.append(element("line", { x1: at, x2: at, y1: MARGIN.top, y2: bottom, class: name }));
  }

  #resize(): void {
    const { width, height } = this.#svg.getBoundingClientRect();
    if (width === this.#width && height === this.#height) return;
    [this.#width, this.#height] = [width, height];
    this.#svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.#drawAxes();
    this.draw();
  }

  #drawAxes(): void {
    const [width, height] = [this.#width, this.#height];
    if (width === 0) return;
    const [right, bottom] = [width - MARGIN.right, height - MARGIN.bottom];
    setAll(this.#clip, {
      x: MARGIN.left,
      y: MARGIN.top,
      width: right - MARGIN.left,
      height: bottom - MARGIN.top,
    });
    const parts: SVGElement[] = [];
    for (const value of ticks(this.#x, (right - MARGIN.left) / 44)) {
      const x = this.#px(value);
      parts.push(element("line", { x1: x, x2: x, y1: bottom, y2: bottom + 5, class: "tick" }));
      parts.push(text(tickText(value, this.#x), { x, y: bottom + 19, "text-anchor": "middle" }));
    }
    for (const value of ticks(this.#y, (bottom - MARGIN.top) / 22)) {
      const y = this.#py(value);
      parts.push(element("line", { x1: MARGIN.left, x2: right, y1: y, y2: y, class: "grid" }));
      parts.push(text(tickText(value, this.#y), { x: MARGIN.left - 8, y: y + 4, "text-anchor": "end" }));
    }
    parts.push(element("line", { x1: MARGIN.left, x2: right, y1: bottom, y2: bottom, class: "axis" }));
    parts.push(
      text(this.#x.label, { x: (MARGIN.left + right) / 2, y: height - 7, "text-anchor": "middle", class: "label" }),
    );
    const [x, y] = [14, (MARGIN.top + bottom) / 2];
    parts.push(
      text(this.#y.label, { x, y, "text-anchor": "middle", class: "label", transform: `rotate(-90 ${x} ${y})` }),
    );
    this.#axes.replaceChildren(...parts);
  }

  #px(x: number): number {
    const { from, to } = this.#x;
    return round(MARGIN.left + (x - from) / (to - from) * (this.#width - MARGIN.left - MARGIN.right));
  }

  #py(y: number): number {
    const { from, to } = this.#y;
    const bottom = this.#height - MARGIN.bottom;
    return round(bottom - (y - from) / (to - from) * (bottom - MARGIN.top));
  }

  #at([x, y]: Point): string {
    return `${this.#px(x)} ${this.#py(y ?? NaN)}`;
  }
}

/** The stretches of points that have a value. */
function runs(points: readonly Point[]): (readonly [number, number])[][] {
  const found: [number, number][][] = [[]];
  for (const [x, y] of points) {
    if (y !== null && Number.isFinite(y)) found[found.length - 1].push([x, y]);
    else if (found[found.length - 1].length > 0) found.push([]);
  }
  return found.filter((run) => run.length > 0);
}

/** Values at ticks, thinned to at most `most`. */
function ticks({ from, to, tick }: AxisSpec, most: number): number[] {
  let distance = tick;
  while ((to - from) / distance > most) distance *= 2;
  const values: number[] = [];
  for (let k = Math.ceil(from / distance - 1e-9); k * distance <= to + 1e-9; k++) values.push(k * distance);
  return values;
}

function tickText(value: number, { tick }: AxisSpec): string {
  return value.toFixed(tick < 1 ? 1 : 0).replace("-", "−");
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function element<K extends keyof SVGElementTagNameMap>(
  name: K,
  attributes: Readonly<Record<string, string | number>>,
): SVGElementTagNameMap[K] {
  return setAll(document.createElementNS(NAMESPACE, name), attributes);
}

function setAll<T extends Element>(node: T, attributes: Readonly<Record<string, string | number>>): T {
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  return node;
}

function text(words: string, attributes: Readonly<Record<string, string | number>>): SVGTextElement {
  const node = element("text", attributes);
  node.textContent = words;
  return node;
}
