/**
 * What training is told and what it tells: stages, objectives, positions, and which of them are possible.
 *
 * @module
 */
import type { Graph, Tensor } from "../graph/graph.ts";
import type { Parameter } from "../graph/parameter.ts";
import type { Executor } from "../backend/executor.ts";
import type { AdamOptions } from "../optim/adam.ts";
import type { LearningRateSchedule } from "../optim/schedule.ts";
import type { RunningSums } from "./averages.ts";

/** A stretch of training with one objective. */
export interface Stage {
  /** For progress, history and messages. */
  readonly name: string;
  /** Number of gradient steps. */
  readonly steps: number;
  /** Samples of each input per step. */
  readonly batch: number;
  /** Step size over the stage. */
  readonly learningRate: LearningRateSchedule;
  /** Constants of the optimiser, which starts anew with each stage. */
  readonly adam?: AdamOptions;
}

/** The loss of a stage as a computation. */
export interface Objective {
  /** What is minimised: a scalar. */
  readonly loss: Tensor;
  /** Further scalars to report. */
  readonly metrics: Readonly<Record<string, Tensor>>;
  /** Samples of each input, where they are not as many as the batch of the stage. */
  readonly samples?: number;
  /**
   * The inputs of a step, in the order in which the graph's inputs were made.
   *
   * @param step number of the step in the stage: the same step must give the same batch
   * @returns row-major batches
   */
  batch(step: number): readonly Float64Array[];
}

/** One line of the history. */
export interface HistoryEntry {
  /** Name of the stage. */
  readonly stage: string;
  /** Steps since the start of training, this one included. */
  readonly step: number;
  /** Loss and metrics, each averaged over the steps since the line before; empty if all of these were skipped. */
  readonly losses: Readonly<Record<string, number>>;
  /** The validation loss, where it was computed at this step; else null. */
  readonly validation: number | null;
  /** How many steps since the line before were skipped, if any, because a number was not finite. */
  readonly skipped?: number;
}

/** Where training stands: what is needed to go on, beside parameters and data. */
export interface TrainingPosition {
  /** Index of the stage. */
  readonly stage: number;
  /** Steps done in the stage. */
  readonly step: number;
  /** Steps and moments of the optimiser. */
  readonly optimiser: { readonly steps: number; readonly tensors: ReadonlyMap<string, Float32Array> } | null;
  /** History up to here. */
  readonly history: readonly HistoryEntry[];
  /** Sums of the loss and each metric over the steps since the last line of the history. */
  readonly running: RunningSums;
  /** Lowest validation loss up to here. */
  readonly bestValidation: number;
  /** The parameters that had it, by name; empty before the first validation. */
  readonly best: ReadonlyMap<string, Float32Array>;
}

/** How to train. */
export interface TrainOptions<S extends Stage = Stage> {
  /** What is trained: those that are trainable. */
  readonly parameters: readonly Parameter[];
  /** The stages, in order. */
  readonly stages: readonly S[];
  /** Builds the objective of a stage in a fresh graph. */
  readonly objective: (graph: Graph, stage: S, index: number) => Objective;
  /** Computes the loss by which the best parameters are chosen. Default: none, so best is last. */
  readonly validate?: () => number;
  /**
   * Whether validation losses mean the same in a stage as in the one before. Where they do not, the best parameters so far
   * are validated again as the stage begins. Default: they do.
   */
  readonly comparable?: (stage: S, before: S) => boolean;
  /** Steps between validations and lines of history. Default 50. */
  readonly reportEvery?: number;
  /**
   * How many steps may be skipped, and counted, because loss, metrics or gradient are not finite. Default 0: the first one
   * ends the training.
   */
  readonly skipNotFinite?: number;
  /** Called after every step. */
  readonly onStep?: (progress: TrainProgress) => void;
  /** Called between steps, at least `checkpointEveryMs` apart, and at the end of each stage. */
  readonly onCheckpoint?: (position: TrainingPosition) => void | Promise<void>;
  /** Default 30 000. */
  readonly checkpointEveryMs?: number;
  /** Stops training after the step in progress. */
  readonly signal?: AbortSignal;
  /** Where to go on. */
  readonly resume?: TrainingPosition;
  /** Threads. */
  readonly pool?: Executor;
}

/** What is known after a step. */
export interface TrainProgress {
  /** The stage. */
  readonly stage: Stage;
  /** Its index. */
  readonly index: number;
  /** Steps done in the stage. */
  readonly step: number;
  /** Loss of the step; NaN if it was skipped. */
  readonly loss: number;
}

/** How training ended. */
export interface TrainResult {
  /** Whether all stages are complete; false after an abort. */
  readonly complete: boolean;
  /** Where it ended. */
  readonly position: TrainingPosition;
  /** Steps that were skipped because a number was not finite, those before `resume` included. */
  readonly skipped: number;
}

/** Refuses stages without steps and positions that are not in them. */
export function requirePossible(stages: readonly Stage[], resume: TrainingPosition | undefined): void {
  for (const { name, steps } of stages) {
    if (!Number.isInteger(steps) || steps < 1) {
      throw new RangeError(`Cannot train stage "${name}": steps must be a whole number ≥ 1, got ${steps}`);
    }
  }
  if (resume === undefined) return;
  const { stage, step } = resume;
  const steps = stage === stages.length ? 0 : stages[stage]?.steps ?? -1;
  if (step > steps) {
    throw new RangeError(
      `Cannot resume training: the position must lie in the ${stages.length} stages given, got step ${step} of stage ` +
        `${stage}: resume with the stages of the interrupted run`,
    );
  }
}

/** Refuses a number of training that is not whole, or too small. */
export function requireWhole(name: string, value: number, least: number): void {
  if (Number.isInteger(value) && value >= least) return;
  throw new RangeError(`Cannot train: ${name} must be a whole number ≥ ${least}, got ${value}`);
}
