/**
 * What the experiments of the reproduction have in common: how they are asked, and what they answer.
 *
 * @module
 */
import { type Executor, serialPool } from "../../backend/executor.ts";
import { openProcessorClock, type ProcessorClock } from "../processor_time.ts";
import type { TrainingKeeper } from "../run_checkpoints.ts";
import type { ReproducedRow } from "./row.ts";

/** How thorough: seconds and nothing accurate; an hour for all that are not long; as published, for days. */
export type ReproductionBudget = "smoke" | "default" | "paper";

/** What an experiment is given. */
export interface ExperimentContext {
  /** How thorough. */
  readonly budget: ReproductionBudget;
  /** Seed of everything random. */
  readonly seed: number;
  /** Threads; results do not depend on their number. */
  readonly pool: Executor;
  /** Processor time of the program in milliseconds. */
  readonly clock: ProcessorClock;
  /** Stops the experiment; parts that were kept stay. */
  readonly signal?: AbortSignal;
  /**
   * Told what is being done, and how much of it is done.
   *
   * @param part what, for people
   * @param share 0 … 1
   */
  onProgress(part: string, share: number): void;
  /**
   * Does something and keeps what was found; a resumed run that has it on file does nothing.
   *
   * @param part one of the `parts` that the experiment names
   * @param work returns plain data: objects, lists, texts, numbers, typed arrays
   * @returns what work returned, now or before
   */
  kept<T>(part: string, work: () => Promise<T>): Promise<T>;
  /**
   * Keeps where the training of a part stands.
   *
   * @param part one of the `parts`
   * @returns the keeper, or undefined where nothing is kept
   */
  training(part: string): TrainingKeeper | undefined;
}

/** A picture. */
export interface ExperimentFigure {
  /** Name of its file, without folder and ending. */
  readonly name: string;
  /** SVG text. */
  readonly svg: string;
  /** Sentence under the picture, with the markup of labels. */
  readonly caption: string;
}

/** What an experiment answers; plain data. */
export interface ExperimentResult {
  /** Quantities. */
  readonly rows: readonly ReproducedRow[];
  /** Pictures. */
  readonly figures: readonly ExperimentFigure[];
  /** What a reader should know beside the rows: a sentence or two each. */
  readonly remarks: readonly string[];
}

/** An experiment of the founding papers. */
export interface Experiment {
  /** Name for `--only`: lower case, with hyphens. */
  readonly name: string;
  /** Heading of its section. */
  readonly title: string;
  /** What is done, and which figure or table of which paper it is: a paragraph. */
  readonly about: string;
  /** Takes more than its share of an hour: runs if it is named, or with `--budget paper`. */
  readonly long: boolean;
  /**
   * Names the parts that are kept on their own, beside the whole result.
   *
   * @param budget how thorough
   * @returns their names; those that begin with "shared " belong to all experiments
   */
  parts(budget: ReproductionBudget): readonly string[];
  /** Names of its figures. */
  readonly figures: readonly string[];
  /**
   * Does it.
   *
   * @param context budget, seed, threads
   * @returns rows, pictures, remarks
   */
  run(context: ExperimentContext): Promise<ExperimentResult>;
}

/**
 * Makes what an experiment needs when it runs on its own: nothing is kept.
 *
 * @param options budget (default "smoke"), seed (default 1), threads (default this one), whom to tell
 * @returns the context
 *
 * @example
 * ```ts
 * import { experimentContext } from "@boltzflow/boltzflow/experiment";
 * import { assertEquals } from "@std/assert";
 *
 * const { budget, seed } = await experimentContext({ seed: 3 });
 *
 * assertEquals([budget, seed], ["smoke", 3]);
 * ```
 */
export async function experimentContext(
  options: Partial<Pick<ExperimentContext, "budget" | "seed" | "pool" | "signal" | "onProgress">> = {},
): Promise<ExperimentContext> {
  const { budget = "smoke", seed = 1, pool = serialPool, signal, onProgress = () => {} } = options;
  return {
    budget,
    seed,
    pool,
    clock: await openProcessorClock(),
    ...signal && { signal },
    onProgress,
    kept: (_part, work) => work(),
    training: () => undefined,
  };
}
