/**
 * Sampling in small batches, so that messages get through: what the worker does between them.
 *
 * @module
 */
import type { Picture, Progress } from "./messages.ts";
import type { DimerModel } from "./model.ts";
import { RunningStatistics } from "./running_statistics.ts";

/** Milliseconds that a batch should take. */
const BATCH_MS = 60;
/** The kernels compute 32 samples as fast as one. */
const SMALLEST_BATCH = 32;
const LARGEST_BATCH = 1024;
/** Milliseconds between two reports. */
const REPORT_MS = 250;
/** Pictures of a report, at most. */
const PICTURES = 6;
/** Milliseconds over which the rate is measured. */
const RATE_MS = 3000;
/** After so many samples sampling pauses, to spare batteries; it can be resumed. */
export const PORTION = 1_000_000;

/** A model, the samples of one seed, and what they say. */
export class SamplingSession {
  readonly #model: DimerModel;
  readonly #seed: number;
  readonly #statistics: RunningStatistics;
  readonly #report: (progress: Progress) => void;
  #running = false;
  #stopped = false;
  #batch = SMALLEST_BATCH;
  #pictures: Picture[] = [];
  #lastReport = 0;
  #stopAt = PORTION;
  /** Times and counts of the last seconds. */
  #history: { readonly time: number; readonly n: number }[] = [];

  /**
   * Begins with no samples.
   *
   * @param model draws them
   * @param edges bins of the profile
   * @param seed of the samples
   * @param report is told how far sampling has come
   */
  constructor(model: DimerModel, edges: Float64Array, seed: number, report: (progress: Progress) => void) {
    this.#model = model;
    this.#seed = seed;
    this.#statistics = new RunningStatistics(edges);
    this.#report = report;
  }

  /** Draws one sample and reports it. */
  async step(): Promise<void> {
    await this.#draw(1);
    this.#tell();
  }

  /** Draws until it is paused. */
  async go(): Promise<void> {
    if (this.#running || this.#stopped) return;
    this.#running = true;
    this.#history = [];
    if (this.#statistics.n >= this.#stopAt) this.#stopAt = this.#statistics.n + PORTION;
    while (this.#running) {
      const start = performance.now();
      await this.#draw(Math.min(this.#batch, this.#stopAt - this.#statistics.n));
      const time = performance.now();
      // Twice as many where there was time for them, half as many where it took too long.
      if (time - start < BATCH_MS / 2) this.#batch = Math.min(LARGEST_BATCH, 2 * this.#batch);
      if (time - start > 2 * BATCH_MS) this.#batch = Math.max(SMALLEST_BATCH, this.#batch >> 1);
      this.#remember(time);
      if (this.#statistics.n >= this.#stopAt) this.#running = false;
      if (this.#running && time - this.#lastReport >= REPORT_MS) this.#tell();
      await turn();
    }
    this.#tell();
  }

  /** Stops after the batch that is being drawn, which is reported. */
  pause(): void {
    this.#running = false;
  }

  /** Stops for good and reports nothing more. */
  stop(): void {
    this.#stopped = true;
    this.#running = false;
  }

  async #draw(n: number): Promise<void> {
    const first = this.#statistics.n;
    const { x, logWeights } = await this.#model.sample(n, { seed: this.#seed, first });
    const d = this.#model.distance(x);
    this.#statistics.add(d, logWeights);
    const shown = Math.min(n, PICTURES);
    const { dim } = this.#model;
    const energy = this.#model.energy(x.subarray(0, shown * dim));
    for (let i = 0; i < shown; i++) {
      const row = x.slice(i * dim, (i + 1) * dim);
      this.#pictures.push({ index: first + i, x: row, d: d[i], energy: energy[i], logWeight: logWeights[i] });
    }
    this.#pictures = this.#pictures.slice(-PICTURES);
  }

  #remember(time: number): void {
    this.#history.push({ time, n: this.#statistics.n });
    this.#history = this.#history.filter((entry) => entry.time >= time - RATE_MS);
  }

  #rate(): number | null {
    const [first, last] = [this.#history[0], this.#history.at(-1)];
    if (first === undefined || last === undefined || last.time - first.time < REPORT_MS) return null;
    return (last.n - first.n) / (last.time - first.time) * 1000;
  }

  #tell(): void {
    if (this.#stopped) return;
    this.#lastReport = performance.now();
    const [pictures, running] = [this.#pictures, this.#running];
    this.#pictures = [];
    this.#report({ summary: this.#statistics.summary(), rate: this.#rate(), pictures, running });
  }
}

/** Lets messages through. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}
