/**
 * Drawing of configurations on a canvas.
 *
 * @module
 */
/// <reference lib="dom" />
import type { ModelFacts } from "./messages.ts";

/** Colours of the parts, from the style sheet. */
interface Look {
  readonly solvent: string;
  readonly solventEdge: string;
  readonly dimer: string;
  readonly dimerEdge: string;
  readonly wall: string;
}

/** What is known about the particles. */
export type Shape = Pick<ModelFacts, "particles" | "halfBox" | "diameter">;

/** A configuration and how opaque it is. */
export interface Shown {
  /** Coordinates, [dim]. */
  readonly x: Float64Array;
  /** 0 … 1. */
  readonly opacity: number;
}

/** What is left visible of a configuration without weight. */
export const FAINTEST = 0.2;

/**
 * Turns a weight into an opacity.
 *
 * @param weight in units of the mean weight
 * @returns the weight, but at least `FAINTEST` and at most 1
 */
export function opacityOf(weight: number): number {
  return Math.min(1, Math.max(FAINTEST, weight));
}

/** A canvas as sharp as the screen, in coordinates of CSS pixels. */
export class Easel {
  readonly canvas: HTMLCanvasElement;
  readonly #layer = document.createElement("canvas");
  readonly #redraw: () => void;
  #width = 0;
  #height = 0;
  #look: Look;

  /**
   * Takes a canvas whose size the style sheet sets.
   *
   * @param canvas to draw on
   * @param redraw called when size or colours change
   */
  constructor(canvas: HTMLCanvasElement, redraw: () => void) {
    this.canvas = canvas;
    this.#redraw = redraw;
    this.#look = readLook(canvas);
    new ResizeObserver(() => this.#resize()).observe(canvas);
    for (const query of ["(prefers-color-scheme: dark)", "(forced-colors: active)"]) {
      matchMedia(query).addEventListener("change", () => {
        this.#look = readLook(canvas);
        redraw();
      });
    }
  }

  /** Width in CSS pixels. */
  get width(): number {
    return this.#width;
  }

  /** Height in CSS pixels. */
  get height(): number {
    return this.#height;
  }

  /** Wipes the canvas. */
  clear(): void {
    this.canvas.getContext("2d")?.clearRect(0, 0, this.canvas.width, this.canvas.height);
  }

  /**
   * Draws a configuration into a square; where discs overlap they do not shine through each other.
   *
   * @param shape of the particles
   * @param shown configuration and opacity
   * @param left upper left corner in CSS pixels
   * @param top see `left`
   * @param side of the square in CSS pixels
   */
  draw(shape: Shape, { x, opacity }: Shown, left: number, top: number, side: number): void {
    const context = this.canvas.getContext("2d");
    const layer = this.#layer.getContext("2d");
    if (context === null || layer === null || side <= 0) return;
    const ratio = this.canvas.width / Math.max(1, this.#width);
    this.#layer.width = this.#layer.height = Math.ceil(side * ratio);
    drawDiscs(layer, shape, x, this.#layer.width, this.#look);
    context.globalAlpha = opacity;
    context.drawImage(this.#layer, Math.round(left * ratio), Math.round(top * ratio));
    context.globalAlpha = 1;
  }

  /** Draws the walls of the box into a square. */
  walls(shape: Shape, left: number, top: number, side: number): void {
    const context = this.canvas.getContext("2d");
    if (context === null) return;
    const ratio = this.canvas.width / Math.max(1, this.#width);
    const scale = side * ratio / (2 * reach(shape));
    const wall = 2 * shape.halfBox * scale;
    context.strokeStyle = this.#look.wall;
    context.lineWidth = ratio;
    context.setLineDash([4 * ratio, 4 * ratio]);
    context.strokeRect((left + side / 2) * ratio - wall / 2, (top + side / 2) * ratio - wall / 2, wall, wall);
    context.setLineDash([]);
  }

  #resize(): void {
    const { width, height } = this.canvas.getBoundingClientRect();
    const ratio = Math.min(3, devicePixelRatio || 1);
    if (width === this.#width && height === this.#height) return;
    [this.#width, this.#height] = [width, height];
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    this.#redraw();
  }
}

/** Half the side of what is shown: centres may be a little beyond the soft walls. */
function reach({ halfBox, diameter }: Shape): number {
  return halfBox + 0.5 * diameter + 0.2;
}

function drawDiscs(
  context: CanvasRenderingContext2D,
  shape: Shape,
  x: Float64Array,
  side: number,
  look: Look,
): void {
  const scale = side / (2 * reach(shape));
  const radius = 0.5 * shape.diameter * scale;
  const place = (particle: number): [number, number] => [
    side / 2 + scale * x[2 * particle],
    side / 2 - scale * x[2 * particle + 1],
  ];
  context.lineWidth = Math.max(1, 0.05 * radius);
  for (let particle = 2; particle < shape.particles; particle++) {
    disc(context, place(particle), radius, look.solvent, look.solventEdge);
  }
  for (let particle = 0; particle < 2; particle++) disc(context, place(particle), radius, look.dimer, look.dimerEdge);
  context.beginPath();
  context.moveTo(...place(0));
  context.lineTo(...place(1));
  context.lineCap = "round";
  context.strokeStyle = look.dimerEdge;
  context.lineWidth = 0.3 * radius;
  context.stroke();
}

function disc(
  context: CanvasRenderingContext2D,
  [x, y]: [number, number],
  radius: number,
  fill: string,
  edge: string,
): void {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  context.fillStyle = fill;
  context.fill();
  context.strokeStyle = edge;
  context.stroke();
}

function readLook(canvas: HTMLCanvasElement): Look {
  const style = getComputedStyle(canvas);
  const read = (name: string) => style.getPropertyValue(`--${name}`).trim();
  return {
    solvent: read("solvent"),
    solventEdge: read("solvent-edge"),
    dimer: read("dimer"),
    dimerEdge: read("dimer-edge"),
    wall: read("wall"),
  };
}
