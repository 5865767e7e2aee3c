/**
 * The training loop: stages of steps on one objective.
 *
 * @module
 */
import { Graph } from "../graph/graph.ts";
import { KernelRun } from "../autodiff/kernel_run.ts";
import { NotFiniteError } from "../autodiff/not_finite.ts";
import { type Executor, serialPool } from "../backend/executor.ts";
import { Adam } from "../optim/adam.ts";
import { learningRateAt } from "../optim/schedule.ts";
import { Averages } from "./averages.ts";
import { whereNotFinite, whichGradientsNotFinite } from "./not_finite_step.ts";
import { restoreSnapshot, takeSnapshot } from "./snapshot.ts";
import {
  type HistoryEntry,
  type Objective,
  requirePossible,
  requireWhole,
  type Stage,
  type TrainingPosition,
  type TrainOptions,
  type TrainProgress,
  type TrainResult,
} from "./train_options.ts";

export type { RunningSums } from "./averages.ts";
export type { HistoryEntry, Objective, Stage, TrainingPosition, TrainOptions, TrainProgress, TrainResult };

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
 * @throws {RangeError} if a stage has no steps or nothing to train, an option is no whole number, or `resume` does not lie
 * in the stages
 * @throws {NotFiniteError} if a loss, metric, gradient or validation loss is not finite: the message names stage, step and
 * the place where it began, with how many numbers or samples. No step is made with it
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
  #skipped: number;
  #lastYield = performance.now();
  #lastCheckpoint = performance.now();

  constructor(options: TrainOptions<S>) {
    this.#options = options;
    this.#pool = options.pool ?? serialPool;
    this.#reportEvery = options.reportEvery ?? 50;
    this.#history = [...options.resume?.history ?? []];
    this.#bestValidation = options.resume?.bestValidation ?? Infinity;
    this.#best = options.resume?.best ?? new Map();
    this.#skipped = this.#history.reduce((sum, { skipped = 0 }) => sum + skipped, 0);
  }

  async start(): Promise<TrainResult> {
    const { stages, resume, skipNotFinite = 0 } = this.#options;
    requirePossible(stages, resume);
    requireWhole("reportEvery", this.#reportEvery, 1);
    requireWhole("skipNotFinite", skipNotFinite, 0);
    let position = resume ?? this.#position(0, 0);
    for (let index = position.stage; index < stages.length; index++) {
      position = await this.#runStage(index, position);
      await this.#options.onCheckpoint?.(position);
      if (position.stage === index) return { complete: false, position, skipped: this.#skipped };
    }
    return { complete: true, position, skipped: this.#skipped };
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
    const n = objective.samples ?? stage.batch;
    using run = new KernelRun(outputs, { n, gradient: true, pool: this.#pool });
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
    // Those skipped since the last line of the history are not in it yet.
    this.#skipped += step % this.#reportEvery - averages.count;
    if (step === 0) this.#compareAnew(index);
    const makeStep = () => {
      const inputs = objective.batch(step);
      const values = run.forward(inputs).map(([value]) => value);
      const broken = values.findIndex((value) => !Number.isFinite(value));
      if (broken >= 0) {
        const what = `the ${["loss", ...names][broken]} must be finite, got ${values[broken]}`;
        throw new NotFiniteError(`${what}: ${whereNotFinite(outputs, inputs, n, this.#pool)}`);
      }
      run.backward([Float64Array.of(1), ...noCotangents]);
      const { gradientNorm } = adam.step(run.gradients, learningRateAt(stage.learningRate, step, stage.steps));
      if (!Number.isFinite(gradientNorm)) {
        throw new NotFiniteError(`the gradient must be finite: ${whichGradientsNotFinite(run, parameters)}`);
      }
      averages.add(values);
      return values[0];
    };
    while (step < stage.steps && !this.#options.signal?.aborted) {
      const loss = this.#unlessNotFinite(makeStep, stage, step);
      step++;
      if (step % this.#reportEvery === 0 || step === stage.steps) this.#report(index, step, averages);
      this.#options.onStep?.({ stage, index, step, loss });
      await this.#betweenSteps(() => this.#position(index, step, { adam, averages }));
    }
    return step === stage.steps ? this.#position(index + 1, 0) : this.#position(index, step, { adam, averages });
  }

  /** Makes a step and returns its loss; NaN if numbers were not finite and it could be skipped. */
  #unlessNotFinite(makeStep: () => number, { name }: Stage, step: number): number {
    try {
      return makeStep();
    } catch (error) {
      if (!(error instanceof NotFiniteError)) throw error;
      const { skipNotFinite = 0 } = this.#options;
      if (this.#skipped < skipNotFinite) {
        this.#skipped++;
        return NaN;
      }
      const before = skipNotFinite === 0 ? "" : `, after ${this.#skipped} steps were skipped`;
      throw new NotFiniteError(
        `Cannot go on training at step ${step + 1} of stage "${name}"${before}: ${error.message}`,
        { cause: error },
      );
    }
  }

  #report(index: number, step: number, averages: Averages): void {
    const { stages, parameters } = this.#options;
    const steps = step - this.#reportEvery * (Math.ceil(step / this.#reportEvery) - 1);
    const skipped = steps - averages.count;
    const before = stages.slice(0, index).reduce((sum, stage) => sum + stage.steps, 0);
    const validation = this.#validate(index, step);
    if (validation !== null && validation < this.#bestValidation) {
      this.#bestValidation = validation;
      this.#best = takeSnapshot(parameters);
    }
    const line = { stage: stages[index].name, step: before + step, losses: averages.take(), validation };
    this.#history.push({ ...line, ...skipped > 0 && { skipped } });
  }

  /** The validation loss, which must be finite: one that is not would never be the lowest, and nobody would know. */
  #validate(index: number, step: number): number | null {
    const { stages, validate } = this.#options;
    try {
      const validation = validate?.() ?? null;
      if (validation === null || Number.isFinite(validation)) return validation;
      throw new NotFiniteError(`the validation loss must be finite, got ${validation}`);
    } catch (error) {
      if (!(error instanceof NotFiniteError)) throw error;
      const where = `after step ${step} of stage "${stages[index].name}"`;
      throw new NotFiniteError(`Cannot choose the best parameters ${where}: ${error.message}`, { cause: error });
    }
  }

  /** Gives the best parameters so far the validation loss that they have in this stage. */
  #compareAnew(index: number): void {
    const { stages, parameters, comparable = () => true } = this.#options;
    if (index === 0 || this.#best.size === 0 || comparable(stages[index], stages[index - 1])) return;
    const current = takeSnapshot(parameters);
    restoreSnapshot(parameters, this.#best);
    this.#bestValidation = this.#validate(index, 0) ?? Infinity;
    restoreSnapshot(parameters, current);
  }

  async #betweenSteps(position: () => TrainingPosition): Promise<void> {
    const now = performance.now();
    if (now - this.#lastYield > YIELD_EVERY_MS) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      this.#lastYield = performance.now();
    }
    if (now - this.#lastCheckpoint >= (this.#options.checkpointEveryMs ?? 30_000)) {
      await this.#options.onCheckpoint?.(position());
      this.#lastCheckpoint = performance.now();
    }
  }
}
