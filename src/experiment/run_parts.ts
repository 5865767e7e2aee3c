/**
 * What all long runs share: their options, their parts, and how they end.
 *
 * @module
 */
import type { ProgressKeeper } from "../sampling/keeper.ts";
import { packResult, unpackResult } from "./packed_result.ts";
import type { Progress } from "./progress.ts";
import type { RunCheckpoints } from "./run_checkpoints.ts";
import type { RunOrigin } from "./run_origin.ts";

/** Where a run works, and whom it tells. */
export interface RunOptions {
  /** Number of threads; results do not depend on it. */
  readonly threads: number;
  /** Directory for everything that is written. */
  readonly out: string;
  /** Go on with the run that is there. */
  readonly resume?: boolean;
  /** Replace the run that is there. */
  readonly force?: boolean;
  /** Milliseconds of work after which a checkpoint is written; default 30 000. */
  readonly checkpointEveryMs?: number;
  /** Told how far the run is. */
  readonly progress: Progress;
  /** Stops the run; what is there is kept. */
  readonly signal?: AbortSignal;
  /** The command line, for the report. */
  readonly command: string;
  /** Script and options, for whoever wants to do the run again. */
  readonly origin?: RunOrigin;
}

/** How a run ended: with an outcome, or stopped during a part. */
export type RunResult<T> =
  | { readonly complete: true; readonly outcome: T }
  | { readonly complete: false; readonly during: string };

/** How what a part has found is kept in a file of its own. */
export interface PartStorage<T> {
  /** What was kept before; null to begin. */
  load(): Promise<T | null>;
  /**
   * Keeps it.
   *
   * @param found what the part has found
   */
  save(found: T): Promise<void>;
}

/** Kind of the checkpoints that hold what a part has found. */
const PART_KIND = "part of a run";
/** Kind of those that hold where a part stands. */
const PROGRESS_KIND = "progress of a run";
/** Milliseconds between two of those, unless the run says otherwise. */
const KEEP_EVERY_MS = 30_000;

/**
 * Names the file in which a run keeps what a part has found.
 *
 * @param part name of the part
 * @returns the file, relative to the directory of the run
 */
export function partFile(part: string): string {
  return `parts/${part.replaceAll(" ", "_")}.safetensors`;
}

/**
 * Names the file in which a run keeps where a part stands while it is being done.
 *
 * @param part name of the part
 * @param what is kept of it
 * @returns the file, relative to the directory of the run
 */
export function progressFile(part: string, what: string): string {
  return partFile(`${part} so far ${what}`);
}

/** Where a run is. */
export class RunParts {
  /** What is being done. */
  now: string;
  /** Milliseconds by part; a part that was taken from a file has those of reading it. */
  readonly wallTimeMs: Record<string, number> = {};
  readonly #progress: Progress | undefined;
  readonly #checkpoints: RunCheckpoints | undefined;
  readonly #keepEveryMs: number;

  /**
   * Begins a run.
   *
   * @param first what the run begins with
   * @param progress told how far each part is
   * @param checkpoints keep what parts have found
   * @param keepEveryMs milliseconds after which a part keeps where it stands; default 30 000
   */
  constructor(first: string, progress?: Progress, checkpoints?: RunCheckpoints, keepEveryMs: number = KEEP_EVERY_MS) {
    this.now = first;
    this.#progress = progress;
    this.#checkpoints = checkpoints;
    this.#keepEveryMs = keepEveryMs;
  }

  /**
   * Does something and notes how long it took.
   *
   * @param name of the part
   * @param work what is done
   * @returns what work returned
   */
  async timed<T>(name: string, work: () => Promise<T>): Promise<T> {
    const start = performance.now();
    const result = await work();
    this.wallTimeMs[name] = performance.now() - start;
    return result;
  }

  /**
   * Does something and keeps what was found; a resumed run that has it on file does nothing.
   *
   * @param name of the part; its file is {@link partFile} of it
   * @param work returns plain data
   * @param storage another file, for data that are not plain
   * @returns what work returned, now or before
   */
  async kept<T>(
    name: string,
    work: () => Promise<T>,
    storage: PartStorage<T> = this.#packed(partFile(name), PART_KIND),
  ): Promise<T> {
    let found = await storage.load();
    if (found === null) {
      found = await work();
      await storage.save(found);
    }
    await this.#forgetProgress(name);
    return found;
  }

  /**
   * Tells what a part has found, without doing it.
   *
   * @param name of the part, as given to {@link RunParts.kept}
   * @returns what was kept, or null
   */
  async found<T>(name: string): Promise<T | null> {
    return await this.#packed<T>(partFile(name), PART_KIND).load();
  }

  /**
   * Keeps where a part stands, now and then, until what it found is kept.
   *
   * @param part its name, as given to {@link RunParts.kept}
   * @param what is kept; the file is {@link progressFile} of both
   * @returns what the part is to be given
   */
  keeper<T>(part: string, what: string): ProgressKeeper<T> {
    const { load, save } = this.#packed<T>(progressFile(part, what), PROGRESS_KIND);
    let last = performance.now();
    return {
      load,
      offer: async (state) => {
        if (performance.now() - last < this.#keepEveryMs) return;
        await save(state());
        last = performance.now();
      },
    };
  }

  /** Keeps plain data in a file of their own. */
  #packed<T>(file: string, kind: string): PartStorage<T> {
    return {
      load: async () => {
        const found = await this.#checkpoints?.loadIfWhole(file, kind);
        return found ? unpackResult(found, file) as T : null;
      },
      save: async (found) => await this.#checkpoints?.save(file, kind, packResult(found)),
    };
  }

  async #forgetProgress(part: string): Promise<void> {
    const own = progressFile(part, "").replace(/\.safetensors$/, "");
    await this.#checkpoints?.forget((name) => name.startsWith(own));
  }

  /**
   * Begins a part.
   *
   * @param part what is being done, for people
   * @returns what is to be told the share of it that is done
   */
  begin(part: string): (done: number) => void {
    this.now = part;
    this.#progress?.start(part, 100, "%");
    return (done) => this.#progress?.update(Math.floor(100 * done));
  }
}
