/**
 * The parts of a long run: which one is being done, how far it is, and how long each took.
 *
 * @module
 */
import type { Progress } from "./progress.ts";

/** Where a run is. */
export class RunParts {
  /** What is being done. */
  now: string;
  /** Milliseconds by part. */
  readonly wallTimeMs: Record<string, number> = {};
  readonly #progress: Progress;

  /**
   * @param first what the run begins with
   * @param progress told how far each part is
   */
  constructor(first: string, progress: Progress) {
    this.now = first;
    this.#progress = progress;
  }

  /** Does something and notes how long it took. */
  async timed<T>(name: string, work: () => Promise<T>): Promise<T> {
    const start = performance.now();
    const result = await work();
    this.wallTimeMs[name] = performance.now() - start;
    return result;
  }

  /** Begins a part; returns what is to be told the share of it that is done. */
  begin(part: string): (done: number) => void {
    this.now = part;
    this.#progress.start(part, 100, "%");
    return (done) => this.#progress.update(Math.floor(100 * done));
  }
}
