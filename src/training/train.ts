/**
 * The training loop: stages of steps on one objective.
 *
 * @module
 */
import { Graph, type Tensor } from "../autodiff/graph.ts";
import { KernelRun } from "../autodiff/kernel_run.ts";
import type { Parameter } from "../autodiff/parameter.ts";
import { type Executor, serialPool } from "../backend/pool.ts";
import { Adam, type AdamOptions } from "../optim/adam.ts";
import { learningRateAt, type LearningRateSchedule } from "../optim/schedule.ts";
import { takeSnapshot } from "./snapshot.ts";

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
  /** Loss and metrics, each averaged over the steps since the line before. */
  readonly losses: Readonly<Record<string, number>>;
  /** The validation loss, where it was computed at this step; else null. */
  readonly validation: number | null;
}

/** Sums of several numbers, and how many of each. */
export interface RunningSums {
  /** The sums. */
  readonly sums: readonly number[];
  /** How many numbers are in each. */
  readonly count: number;
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
  /** Steps between validations and lines of history. Default 50. */
  readonly reportEvery?: number;
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
  /** Loss of the step. */
  readonly loss: number;
}

/** How training ended. */
export interface TrainResult {
  /** Whether all stages are complete; false after an abort. */
  readonly complete: boolean;
  /** Where it ended. */
  readonly position: TrainingPosition;
}

/** Milliseconds after which the loop lets other work of the event loop run: signals, progress, timers. */
const YIELD_EVERY_MS = 100;

/**
 * Minimises the objectives of a list of stages with Adam.
 *
 * The parameters are changed in place and are the last ones at the end; `position.best` holds those of the lowest
 * validation loss. The same seed gives the same parameters for any number of threads.
 *
 * @param options what, how long, and whom to tell
 * @returns whether it is complete, and where it ended
 * @throws {RangeError} if a stage has no steps or nothing to train, or `resume` does not lie in the stages
 * @throws {Error} if a loss or gradient is not finite: the message names the stage and the step
 *
 * @example Fitting the width of data
 * ```ts
 * import { Flow, input, maximumLikelihoodLoss, RandomStream, Scaling, train } from "@boltzflow/boltzflow";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const flow = new Flow(new Scaling({ dim: 1 }));
 * const data = new RandomStream(1).fillNormals(new Float64Array(1000)).map((v) => 5 * v);
 *
 * await train({
 *   parameters: flow.parameters(),
 *   stages: [{ name: "fit", steps: 200, batch: 1000, learningRate: { shape: "cosine", initial: 0.1 } }],
 *   objective: (graph) => ({
 *     loss: maximumLikelihoodLoss(flow, input(graph, "x", 1)),
 *     metrics: {},
 *     batch: () => [data],
 *   }),
 * });
 * assertAlmostEquals(flow.decode(Float64Array.of(1)).x[0], 5, 0.5);
 * ```
 */
export async function train<S extends Stage>(options: TrainOptions<S>): Promise<TrainResult> {
  const run = new Training(options);
  return await run.start();
}

class Training<S extends Stage> {
  readonly #options: TrainOptions<S>;
  readonly #pool: Executor;
  readonly #reportEvery: number;
  readonly #history: HistoryEntry[];
  #bestValidation: number;
  #best: ReadonlyMap<string, Float32Array>;
  #lastYield = performance.now();
  #lastCheckpoint = performance.now();

  constructor(options: TrainOptions<S>) {
    this.#options = options;
    this.#pool = options.pool ?? serialPool;
    this.#reportEvery = options.reportEvery ?? 50;
    this.#history = [...options.resume?.history ?? []];
    this.#bestValidation = options.resume?.bestValidation ?? Infinity;
    this.#best = options.resume?.best ?? new Map();
  }

  async start(): Promise<TrainResult> {
    const { stages, resume } = this.#options;
    requirePossible(stages, resume);
    let position = resume ?? this.#position(0, 0);
    for (let index = position.stage; index < stages.length; index++) {
      position = await this.#runStage(index, position);
      await this.#options.onCheckpoint?.(position);
      if (position.stage === index) return { complete: false, position };
    }
    return { complete: true, position };
  }

  #position(stage: number, step: number, within?: { adam: Adam; averages: Averages }): TrainingPosition {
    return {
      stage,
      step,
      optimiser: within?.adam.state() ?? null,
      history: [...this.#history],
      running: within?.averages.state() ?? { sums: [], count: 0 },
      bestValidation: this.#bestValidation,
      best: this.#best,
    };
  }

  /** Runs a stage from where it stands to its end, or to where it is aborted; returns where that is. */
  async #runStage(index: number, from: TrainingPosition): Promise<TrainingPosition> {
    const stage = this.#options.stages[index];
    const graph = new Graph();
    const objective = this.#options.objective(graph, stage, index);
    const names = Object.keys(objective.metrics);
    const outputs = [objective.loss, ...names.map((name) => objective.metrics[name])];
    const vector = outputs.findIndex(({ shape }) => shape.length > 0);
    if (vector >= 0) {
      throw new TypeError(
        `Cannot train stage "${stage.name}": ${["loss", ...names][vector]} must be a scalar, got shape ` +
          `[${outputs[vector].shape.join(", ")}]`,
      );
    }
    using run = new KernelRun(outputs, { n: stage.batch, gradient: true, pool: this.#pool });
    const parameters = this.#options.parameters.filter((parameter) => run.gradients.offsets.has(parameter));
    if (parameters.length === 0) {
      throw new RangeError(
        `Cannot train stage "${stage.name}": its loss must depend on a trainable parameter, got none of those given`,
      );
    }
    using adam = new Adam(parameters, stage.adam, this.#pool);
    if (from.optimiser) adam.restore(from.optimiser);
    const averages = new Averages(["loss", ...names], from.running);
    const noCotangents = names.map(() => null);
    let { step } = from;
    while (step < stage.steps && !this.#options.signal?.aborted) {
      const values = run.forward(objective.batch(step)).map(([value]) => value);
      this.#requireFinite(values[0], "loss", stage, step);
      run.backward([Float64Array.of(1), ...noCotangents]);
      const { gradientNorm } = adam.step(run.gradients, learningRateAt(stage.learningRate, step, stage.steps));
      this.#requireFinite(gradientNorm, "gradient norm", stage, step);
      step++;
      averages.add(values);
      if (step % this.#reportEvery === 0 || step === stage.steps) this.#report(index, step, averages.take());
      this.#options.onStep?.({ stage, index, step, loss: values[0] });
      await this.#betweenSteps(() => this.#position(index, step, { adam, averages }));
    }
    return step === stage.steps ? this.#position(index + 1, 0) : this.#position(index, step, { adam, averages });
  }

  #requireFinite(value: number, what: string, { name }: Stage, step: number): void {
    if (Number.isFinite(value)) return;
    throw new Error(
      `Cannot go on training: the ${what} must be finite, got ${value} at step ${step + 1} of stage "${name}": ` +
        "lower the learning rate, clip gradients or soften the energy",
    );
  }

  #report(index: number, step: number, losses: Record<string, number>): void {
    const { stages, parameters, validate } = this.#options;
    const before = stages.slice(0, index).reduce((sum, stage) => sum + stage.steps, 0);
    const validation = validate?.() ?? null;
    if (validation !== null && validation < this.#bestValidation) {
      this.#bestValidation = validation;
      this.#best = takeSnapshot(parameters);
    }
    this.#history.push({ stage: stages[index].name, step: before + step, losses, validation });
  }

  async #betweenSteps(position: () => TrainingPosition): Promise<void> {
    const now = performance.now();
    if (now - this.#lastYield > YIELD_EVERY_MS) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      this.#lastYield = performance.now();
    }
    if (now - this.#lastCheckpoint > (this.#options.checkpointEveryMs ?? 30_000)) {
      await this.#options.onCheckpoint?.(position());
      this.#lastCheckpoint = performance.now();
    }
  }
}

/** Refuses stages without steps and positions that are not in them. */
function requirePossible(stages: readonly Stage[], resume: TrainingPosition | undefined): void {
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

/** Means of several numbers since they were last taken. */
class Averages {
  readonly #names: readonly string[];
  #sums: number[];
  #count: number;

  constructor(names: readonly string[], from: RunningSums) {
    this.#names = names;
    this.#sums = names.map((_, i) => from.sums[i] ?? 0);
    this.#count = from.count;
  }

  state(): RunningSums {
    return { sums: [...this.#sums], count: this.#count };
  }

  add(values: readonly number[]): void {
    values.forEach((value, i) => this.#sums[i] += value);
    this.#count++;
  }

  take(): Record<string, number> {
    const means = Object.fromEntries(this.#names.map((name, i) => [name, this.#sums[i] / this.#count]));
    this.#sums = this.#names.map(() => 0);
    this.#count = 0;
    return means;
  }
}
