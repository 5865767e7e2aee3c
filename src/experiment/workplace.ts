/**
 * Where a long run works: its directory, what it keeps, its threads; and how it ends.
 *
 * @module
 */
import { ThreadPool } from "../backend/pool.ts";
import { RunCheckpoints } from "./run_checkpoints.ts";
import { type RunClaim, RunDirectory } from "./run_directory.ts";
import { type RunOptions, RunParts, type RunResult } from "./run_parts.ts";

/** What every run works with. */
export interface Workplace {
  /** The directory, which belongs to this run alone. */
  readonly directory: RunDirectory;
  /** What is kept in it. */
  readonly checkpoints: RunCheckpoints;
  /** Where the run is. */
  readonly parts: RunParts;
  /** Threads. */
  readonly pool: ThreadPool;
}

/**
 * Does a run in a directory of its own until it is complete or its signal stops it, and ends the display of its progress.
 *
 * @param options of the run
 * @param claim which pipeline it is, what its results depend on, and the files that it may write
 * @param run returns null if it was stopped between two steps
 * @returns how it ended
 * @throws {Error} if the directory is not free
 * @throws whatever the run throws, but for the reason of the signal: a checkpoint that could not be written must not look
 * like a run that can go on. Where work broke off that can go on, the message ends with the last good checkpoint
 */
export async function atWork<T>(
  options: RunOptions,
  claim: Pick<RunClaim, "kind" | "configuration" | "files">,
  run: (place: Workplace) => Promise<T | null>,
): Promise<RunResult<T>> {
  const { out, resume = false, force = false, progress, signal } = options;
  await using directory = await RunDirectory.claim(out, { ...claim, resume, force });
  using pool = await ThreadPool.open(options.threads);
  const checkpoints = new RunCheckpoints(directory, (text) => progress.note(text));
  const parts = new RunParts("sampling data", progress, checkpoints, options.checkpointEveryMs);
  try {
    const outcome = await run({ directory, checkpoints, parts, pool });
    return outcome === null ? { complete: false, during: parts.now } : { complete: true, outcome };
  } catch (error) {
    if (signal?.aborted && error === signal.reason) return { complete: false, during: parts.now };
    throw await pointToCheckpoint(error, claim.files.map((name) => directory.pathOf(name)));
  } finally {
    progress.finish();
  }
}

/** How messages begin where work broke off for the time being: numbers that are not finite, threads, a disk. */
const BROKEN_OFF = /^Cannot (go on|run kernels|write) /;

/** Adds to an error that broke work off which of the files of the run was the last checkpoint to be written. */
async function pointToCheckpoint(error: unknown, files: readonly string[]): Promise<unknown> {
  if (!(error instanceof Error && BROKEN_OFF.test(error.message))) return error;
  let [last, newest] = ["", -1];
  for (const path of files.filter((path) => path.endsWith(".safetensors"))) {
    const found = await Deno.stat(path).catch(() => null);
    const time = found?.isFile ? found.mtime?.getTime() ?? 0 : -1;
    if (time > newest) [last, newest] = [path, time];
  }
  const where = newest < 0 ? "no checkpoint had been written yet" : `the last good checkpoint is ${last}`;
  return new Error(`${error.message}; ${where}`, { cause: error });
}
