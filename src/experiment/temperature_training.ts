/**
 * One flow for a range of temperatures: its rows of data, its making and its training.
 *
 * @module
 */
import { input } from "../graph/operations.ts";
import type { Executor } from "../backend/executor.ts";
import { AutoregressiveParticleFlow } from "../flow/autoregressive_particle_flow.ts";
import { Flow, type Generator } from "../flow/flow.ts";
import { SymmetrisedGenerator } from "../flow/symmetrised_generator.ts";
import { TemperatureSlice } from "../flow/temperature_slice.ts";
import { maximumLikelihoodLoss } from "../loss/maximum_likelihood.ts";
import { dimerSymmetries } from "../system/dimer_symmetries.ts";
import type { ParticleDimer } from "../system/particle_dimer.ts";
import { FrameBuffer } from "../training/frame_buffer.ts";
import { restoreSnapshot } from "../training/snapshot.ts";
import {
  type HistoryEntry,
  train,
  type TrainingPosition,
  type TrainProgress,
  type TrainResult,
} from "../training/train.ts";
import type { DimerFrames } from "./dimer_results.ts";
import type { TemperatureData } from "./temperature_data.ts";
import { besideTemperature, type LogTemperatures, temperatureRows } from "./temperature_ladder.ts";
import type { TemperatureSettings } from "./temperature_settings.ts";
import { sameGrid, validationNll } from "./validation.ts";

/** What a flow over temperatures is made for. */
export interface TemperatureModelOptions {
  /** The system. */
  readonly system: ParticleDimer;
  /** Data of all temperatures; those with training frames are trained on, each with the same weight per frame. */
  readonly data: readonly TemperatureData[];
  /** How temperatures become a coordinate. */
  readonly temperatures: LogTemperatures;
  /** Size of the flow, and how long to train it. */
  readonly settings: TemperatureSettings;
  /** Seed of weights and batches. */
  readonly seed: number;
  /** Threads. */
  readonly pool: Executor;
}

/** Who is told, and where to go on. */
export interface TemperatureTrainingOptions {
  /** Told after every step. */
  readonly onStep?: (progress: TrainProgress) => void;
  /** Told now and then where training stands. */
  readonly onCheckpoint?: (position: TrainingPosition) => Promise<void>;
  /** Milliseconds between two such occasions; default 30 000. */
  readonly checkpointEveryMs?: number;
  /** Stops training after the step in progress. */
  readonly signal?: AbortSignal;
  /** Where to go on. */
  readonly resume?: TrainingPosition;
}

/** Rows that coordinates are scaled by. */
const FITTED_ROWS = 20_000;

/** A flow for a range of temperatures, with the rows that it learns from. */
export class TemperatureModel {
  /** The flow of (c, x). */
  readonly flow: Flow;
  readonly #options: TemperatureModelOptions;
  readonly #bijector: AutoregressiveParticleFlow;
  readonly #buffer: FrameBuffer;
  readonly #validation: Float64Array;

  /**
   * Makes an untrained flow.
   *
   * @param options system, data, sizes
   */
  constructor(options: TemperatureModelOptions) {
    const { system, temperatures, settings, seed } = options;
    this.#options = options;
    const training = this.#rows(({ train }) => train);
    this.#validation = this.#rows(({ validate }) => validate);
    const dim = system.dim + 1;
    const symmetries = dimerSymmetries(system).map(besideTemperature);
    this.#buffer = new FrameBuffer({ dim, capacity: training.length / dim, seed, symmetries });
    this.#buffer.push(training);
    const { hidden, head, grid } = settings.flow;
    // Stage 255 has no steps: no batch of the training is drawn for it.
    const fitted = this.#buffer.batch(Math.min(FITTED_ROWS, this.#buffer.length), 255, 0);
    this.#bijector = AutoregressiveParticleFlow.fit(fitted, {
      particles: system.particles,
      spatialDim: 2,
      hidden,
      temperatures,
      seed,
      head: head === "mixture" ? { kind: "mixture" } : { kind: "tilted", interactions: system, grid },
    });
    this.flow = new Flow(this.#bijector);
  }

  /**
   * The density of configurations at one temperature, averaged over the symmetries of the dimer.
   *
   * @param temperature T in units of T₀
   * @returns a generator of configurations
   */
  at(temperature: number): Generator {
    return new SymmetrisedGenerator(
      new TemperatureSlice(this.flow, temperature),
      dimerSymmetries(this.#options.system),
    );
  }

  /** A row (c, x) of an evaluation frame at either end of the range of temperatures. */
  evaluationRows(): Float64Array {
    const { data, system } = this.#options;
    const few = [data[0], data[data.length - 1]];
    return this.#rows(({ evaluate }) => ({ ...evaluate, x: evaluate.x.subarray(0, system.dim) }), few);
  }

  /**
   * Trains the flow by maximum likelihood and leaves it with the parameters of lowest validation NLL, ready to sample.
   *
   * @param options who is told, where to go on
   * @returns how training ended
   * @throws {Error} if a loss is not finite
   */
  async train(options: TemperatureTrainingOptions = {}): Promise<TrainResult> {
    const { settings, pool } = this.#options;
    const parameters = this.flow.parameters().filter((parameter) => parameter.trainable);
    const dim = this.flow.dim;
    const result = await train({
      parameters,
      stages: settings.stages,
      objective: (graph, { batch, grid }, stage) => {
        this.#setGrid(grid);
        return {
          loss: maximumLikelihoodLoss(this.flow, input(graph, "x", dim)),
          metrics: {},
          batch: (step) => [this.#buffer.batch(batch, stage, step)],
        };
      },
      validate: () => validationNll(this.flow, this.#validation, pool),
      comparable: sameGrid(settings.flow.grid),
      reportEvery: settings.reportEvery,
      pool,
      skipNotFinite: settings.skipNotFinite?.steps ?? 0,
      ...options,
    });
    if (!result.complete) return result;
    if (result.position.best.size > 0) restoreSnapshot(parameters, result.position.best);
    this.#setGrid();
    return result;
  }

  /** Changes the grid of tilted heads; without one, to that of sampling. */
  #setGrid(grid = this.#options.settings.flow.grid): void {
    this.#bijector.setGrid(grid);
    this.flow.release();
  }

  /**
   * Takes the mean of −ln p(c) of the prior off every NLL of a history: what is left is that of x given T.
   *
   * @param history of the training
   * @returns the same lines
   */
  conditionalHistory(history: readonly HistoryEntry[]): HistoryEntry[] {
    const dim = this.flow.dim;
    let sum = 0;
    for (let at = 0; at < this.#validation.length; at += dim) sum += this.#validation[at] ** 2;
    const constant = 0.5 * sum / (this.#validation.length / dim) + 0.5 * Math.log(2 * Math.PI);
    return history.map((entry) => ({
      ...entry,
      losses: Object.fromEntries(Object.entries(entry.losses).map(([name, value]) => [name, value - constant])),
      validation: entry.validation === null ? null : entry.validation - constant,
    }));
  }

  /** Rows (c, x) of a split at all temperatures that have it. */
  #rows(split: (data: TemperatureData) => DimerFrames | null, data = this.#options.data): Float64Array {
    const { system, temperatures } = this.#options;
    const parts = data.flatMap((at) => {
      const frames = split(at);
      return frames === null ? [] : [temperatureRows(frames.x, system.dim, at.temperature, temperatures)];
    });
    const rows = new Float64Array(parts.reduce((sum, part) => sum + part.length, 0));
    parts.reduce((start, part) => {
      rows.set(part, start);
      return start + part.length;
    }, 0);
    return rows;
  }
}
