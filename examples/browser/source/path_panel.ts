/**
 * The latent path with its slider.
 *
 * @module
 */
/// <reference lib="dom" />
import { Chart } from "./chart.ts";
import type { LatentPath } from "./latent_path.ts";
import type { ModelFacts } from "./messages.ts";
import { byId, prefersStillness } from "./page_parts.ts";
import { Easel } from "./picture.ts";
import { decimal, stateName } from "./words.ts";

/** Milliseconds of a step when walking. */
const STEP_MS = { moving: 60, still: 600 };
/** Steps of a walk without animation: fewer, and each seen for longer. */
const STRIDE_WHEN_STILL = 8;
const POSITION = "position on the path, closed to open (%)";
/** Energies in kT that the axis always holds. */
const USUAL = { from: 20, to: 80 };

/** Lets one walk from a closed to an open configuration. */
export class PathPanel {
  readonly #easel = new Easel(byId("path-picture", HTMLCanvasElement), () => this.#draw());
  readonly #chart = new Chart(byId("path-energy", SVGSVGElement), ...axes(USUAL));
  readonly #slider = byId("path", HTMLInputElement);
  readonly #walk = byId("walk", HTMLButtonElement);
  readonly #another = byId("another", HTMLButtonElement);
  #facts: ModelFacts | null = null;
  #path: LatentPath | null = null;
  #timer: ReturnType<typeof setInterval> | null = null;

  /**
   * Prepares the panel.
   *
   * @param onAnother called when another path is wanted
   */
  constructor(onAnother: () => void) {
    this.#chart.content = () => this.#drawEnergy();
    this.#slider.addEventListener("input", () => {
      this.#stop();
      this.#draw();
    });
    this.#walk.addEventListener("click", () => this.#timer === null ? this.#start() : this.#stop());
    this.#another.addEventListener("click", () => {
      this.#wait(this.#facts);
      onAnother();
    });
  }

  /** Takes the path down until there is one of this model. */
  clear(facts: ModelFacts | null): void {
    this.#slider.value = "0";
    this.#wait(facts);
  }

  /** Shows a path, at the same share of the way as the one before. */
  show(path: LatentPath | null): void {
    this.#another.disabled = false;
    if (path === null) {
      byId("path-caption", HTMLElement).textContent =
        "No path was found: the model did not draw both states. Try another.";
      return;
    }
    const [at, last] = [Number(this.#slider.value) / Number(this.#slider.max), path.d.length - 1];
    this.#path = path;
    this.#slider.max = String(last);
    this.#slider.value = String(Math.round(at * last));
    this.#slider.disabled = this.#walk.disabled = false;
    const highest = Math.max(USUAL.to, 10 * Math.ceil(Math.max(...path.energy) / 10 + 0.3));
    const lowest = Math.min(USUAL.from, 10 * Math.floor(Math.min(...path.energy) / 10));
    this.#chart.scale(...axes({ from: lowest, to: highest }));
    this.#draw();
  }

  #wait(facts: ModelFacts | null): void {
    this.#stop();
    this.#facts = facts;
    this.#path = null;
    this.#slider.disabled = this.#walk.disabled = this.#another.disabled = true;
    byId("path-caption", HTMLElement).textContent = facts === null ? "\u00a0" : "Looking for a path …";
    this.#easel.clear();
    this.#chart.draw();
  }

  #start(): void {
    const still = prefersStillness();
    const stride = still ? STRIDE_WHEN_STILL : 1;
    if (this.#slider.value === this.#slider.max) this.#slider.value = "0";
    this.#walk.textContent = "Stop";
    const next = () => {
      this.#slider.value = String(Number(this.#slider.value) + stride);
      this.#draw();
      if (this.#slider.value === this.#slider.max) this.#stop();
    };
    this.#timer = setInterval(next, still ? STEP_MS.still : STEP_MS.moving);
  }

  #stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#walk.textContent = "Walk along";
  }

  #draw(): void {
    this.#easel.clear();
    const [facts, path] = [this.#facts, this.#path];
    if (facts === null || path === null) return;
    const at = Number(this.#slider.value);
    const dim = 2 * facts.particles;
    const { width } = this.#easel;
    this.#easel.walls(facts, 0, 0, width);
    this.#easel.draw(facts, { x: path.x.subarray(at * dim, (at + 1) * dim), opacity: 1 }, 0, 0, width);
    const words = `${stateName(path.d[at])}, bond ${path.d[at].toFixed(2)} long, energy ${
      decimal(path.energy[at], 1)
    } kT`;
    this.#slider.setAttribute("aria-valuetext", words);
    byId("path-caption", HTMLElement).textContent = `${words[0].toUpperCase()}${words.slice(1)}; highest on this path ${
      decimal(Math.max(...path.energy), 1)
    } kT.`;
    this.#chart.draw();
  }

  #drawEnergy(): void {
    const path = this.#path;
    if (path === null) return;
    const last = path.d.length - 1;
    const at = Number(this.#slider.value);
    this.#chart.line(Array.from(path.energy, (energy, k) => [100 * k / last, energy]), "curve flow");
    this.#chart.upright(100 * at / last, "here");
    this.#chart.dot([100 * at / last, path.energy[at]], "mark flow", 5);
  }
}

function axes({ from, to }: { readonly from: number; readonly to: number }) {
  return [
    { from: 0, to: 100, tick: 20, label: POSITION },
    { from, to, tick: 10, label: "energy U (kT)" },
  ] as const;
}
