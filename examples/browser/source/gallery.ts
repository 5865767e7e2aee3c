/**
 * The newest configuration, large, and those before it, small.
 *
 * @module
 */
/// <reference lib="dom" />
import type { ModelFacts, Picture } from "./messages.ts";
import { Easel, opacityOf } from "./picture.ts";
import type { Summary } from "./running_statistics.ts";
import { byId, prefersStillness } from "./page_parts.ts";
import { type Comparison, pictureInWords, relativeWeight } from "./words.ts";

/** Columns and rows of the small pictures. */
const COLUMNS = 6;
const KEPT = 12;
/** Milliseconds that a picture stays, at least. */
const STAY_MS = { moving: 700, still: 2500 };
/** Milliseconds in which it appears. */
const FADE_MS = 250;

/** Shows pictures one after the other, never faster than one can look. */
export class Gallery {
  readonly #large = new Easel(byId("picture", HTMLCanvasElement), () => this.#draw());
  readonly #small = new Easel(byId("strip", HTMLCanvasElement), () => this.#draw());
  readonly #onShown: () => void;
  #facts: ModelFacts | null = null;
  #summary: Summary | null = null;
  #comparison: Comparison = "state";
  /** The newest first. */
  #shown: Picture[] = [];
  #since = -Infinity;

  /**
   * Takes the two canvases of the page.
   *
   * @param onShown called when another picture is on display
   */
  constructor(onShown: () => void) {
    this.#onShown = onShown;
  }

  /** The picture on display. */
  get current(): Picture | null {
    return this.#shown[0] ?? null;
  }

  /** How many average draws of its state the picture on display counts as. */
  get weight(): number {
    const { current } = this;
    return current === null || this.#summary === null ? 0 : relativeWeight(current, this.#summary, "state");
  }

  /** Takes all pictures down. */
  clear(facts: ModelFacts | null): void {
    this.#facts = facts;
    this.#summary = null;
    this.#shown = [];
    this.#since = -Infinity;
    byId("caption", HTMLElement).textContent = "\u00a0";
    this.#draw();
  }

  /** What opacity means from now on. */
  set comparison(comparison: Comparison) {
    this.#comparison = comparison;
    this.#draw();
  }

  /**
   * Offers new pictures; the last one is shown if the one on display has been there long enough.
   *
   * @param pictures in the order in which they were drawn
   * @param summary to weigh them with
   * @param atOnce whether not to wait
   */
  offer(pictures: readonly Picture[], summary: Summary, atOnce: boolean): void {
    this.#summary = summary;
    const newest = pictures.at(-1);
    const stay = prefersStillness() ? STAY_MS.still : STAY_MS.moving;
    if (newest !== undefined && (atOnce || performance.now() - this.#since >= stay)) this.#show(newest);
    this.#describe();
  }

  #show(picture: Picture): void {
    this.#shown = [picture, ...this.#shown].slice(0, KEPT + 1);
    this.#since = performance.now();
    this.#draw();
    this.#onShown();
  }

  #describe(): void {
    const { current } = this;
    if (current !== null) byId("caption", HTMLElement).textContent = pictureInWords(current, this.weight);
  }

  #opacity(picture: Picture): number {
    if (this.#comparison === "none" || this.#summary === null) return 1;
    return opacityOf(relativeWeight(picture, this.#summary, this.#comparison));
  }

  #draw(): void {
    for (const easel of [this.#large, this.#small]) easel.clear();
    const shape = this.#facts;
    if (shape === null) return;
    const side = this.#small.width / COLUMNS;
    this.#shown.slice(1).forEach((picture, k) => {
      const [left, top] = [side * (k % COLUMNS), side * Math.floor(k / COLUMNS)];
      this.#small.draw(shape, { x: picture.x, opacity: this.#opacity(picture) }, left, top, side);
    });
    const [current, previous] = this.#shown;
    const age = prefersStillness() ? 1 : Math.min(1, (performance.now() - this.#since) / FADE_MS);
    const { width } = this.#large;
    this.#large.walls(shape, 0, 0, width);
    if (previous !== undefined && age < 1) {
      this.#large.draw(shape, { x: previous.x, opacity: (1 - age) * this.#opacity(previous) }, 0, 0, width);
    }
    if (current === undefined) return;
    this.#large.draw(shape, { x: current.x, opacity: age * this.#opacity(current) }, 0, 0, width);
    if (age < 1) requestAnimationFrame(() => this.#draw());
  }
}
