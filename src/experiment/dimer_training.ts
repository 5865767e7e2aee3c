/**
 * Training of the dimer run: data that keep coming, the objective, and the state that a checkpoint keeps.
 *
 * @module
 */
import type { Tensor } from "../graph/graph.ts";
import { add, column, sqrt, square, subtract } from "../graph/operations.ts";
import type { Executor } from "../backend/executor.ts";
import { boltzmannObjective, type ReactionCoordinate } from "../hybrid/boltzmann_objective.ts";
import type { EnergyFunction } from "../loss/energy.ts";
import type { MetropolisChains } from "../sampling/metropolis_chains.ts";
import { dimerSymmetries } from "../system/dimer_symmetries.ts";
import type { ParticleDimer } from "../system/particle_dimer.ts";
import { FrameBuffer } from "../training/frame_buffer.ts";
import { train, type TrainingPosition, type TrainProgress, type TrainResult } from "../training/train.ts";
import type { DimerFlow } from "./dimer_flow.ts";
import type { DimerFrames } from "./dimer_results.ts";
import type { DimerSettings } from "./dimer_settings.ts";
import { sameGrid, validationNll } from "./validation.ts";

/** What is trained, on what. */
export interface DimerTrainingOptions {
  /** The flow; its parameters are changed. */
  readonly model: DimerFlow;
  /** The system. */
  readonly system: ParticleDimer;
  /** 1 / T in units of 1 / T₀. */
  readonly beta: number;
  /** Stages, and how many fresh frames come in per step. */
  readonly settings: DimerSettings;
  /** Where training data come from. */
  readonly source: TrainingSource;
  /** Frames by which the best parameters are chosen. */
  readonly validate: DimerFrames;
  /** Range of d and form of the reaction-coordinate loss. */
  readonly reactionCoordinate: DimerCoordinateOptions;
  /** Seed of batches and prior samples. */
  readonly seed: number;
  /** Threads. */
  readonly pool: Executor;
  /** Told after every step. */
  readonly onStep?: (progress: TrainProgress) => void;
  /** Told now and then where training stands. */
  readonly onCheckpoint?: (position: TrainingPosition) => Promise<void>;
  /** Milliseconds between two such occasions; default 30 000. */
  readonly checkpointEveryMs?: number | undefined;
  /** Stops training after the step in progress. */
  readonly signal?: AbortSignal;
  /** Where to go on. */
  readonly resume?: TrainingPosition;
}

/** The reaction-coordinate loss of the dimer: range of d and form. */
export type DimerCoordinateOptions = Omit<ReactionCoordinate, "of">;

/** How fresh frames come in. */
export interface SourceOptions {
  /** Sweeps between frames of a chain. */
  readonly stride: number;
  /** Fresh frames per step; 0: none. */
  readonly freshPerStep: number;
  /** Seed of the draws. */
  readonly seed: number;
  /** Threads. */
  readonly pool: Executor;
}

/** A ring of training frames that the training chains refill. */
export class TrainingSource {
  /** The frames. */
  readonly buffer: FrameBuffer;
  /** Where fresh ones come from. */
  readonly chains: MetropolisChains;
  readonly #stride: number;
  readonly #freshPerStep: number;
  readonly #pool: Executor;

  /**
   * @param system the dimer
   * @param frames configurations to start with, [n, dim]
   * @param chains where fresh frames come from
   * @param options how fresh frames come in
   */
  constructor(
    system: ParticleDimer,
    frames: Float64Array,
    chains: MetropolisChains,
    options: SourceOptions,
  ) {
    const { dim } = system;
    const symmetries = dimerSymmetries(system);
    this.buffer = new FrameBuffer({ dim, capacity: frames.length / dim, seed: options.seed, symmetries });
    this.buffer.push(frames);
    this.chains = chains;
    this.#stride = options.stride;
    this.#freshPerStep = options.freshPerStep;
    this.#pool = options.pool;
  }

  /**
   * A source that goes on where another one stopped.
   *
   * @param system the dimer
   * @param state its ring and chains
   * @param options as for the constructor
   */
  static restore(
    system: ParticleDimer,
    state: { readonly frames: Float64Array; readonly pushed: number; readonly chains: MetropolisChains },
    options: SourceOptions,
  ): TrainingSource {
    const source = new TrainingSource(system, state.frames, state.chains, options);
    source.buffer.restorePosition(state.pushed);
    return source;
  }

  /** The batch of a step; takes fresh frames first whenever the chains have enough steps' worth of them. */
  batch(n: number, stage: number, step: number): Float64Array {
    const steps = Math.round(this.chains.chains / this.#freshPerStep);
    if (this.#freshPerStep > 0 && step % Math.max(1, steps) === 0) {
      this.chains.advance(this.#stride, { pool: this.#pool });
      this.buffer.push(this.chains.frames({ pool: this.#pool }).x);
    }
    return this.buffer.batch(n, stage, step);
  }
}

/**
 * Enters the dimer's distance into a graph.
 *
 * @param x configurations [n, dim], dim ≥ 4
 * @returns d of each, [n]
 */
export function dimerDistance(x: Tensor): Tensor {
  const along = (axis: number) => square(subtract(column(x, axis), column(x, 2 + axis)));
  return sqrt(add(along(0), along(1)));
}

/** Counts what the energy loss and the reaction coordinate see. */
export interface TrainingCounts {
  /** Energies evaluated. */
  energies: number;
  /** Samples whose d was out of the bounds of the reaction-coordinate loss. */
  outOfBounds: number;
  /** Samples that the reaction-coordinate loss has seen. */
  coordinates: number;
}

/**
 * Trains the flow of the dimer run.
 *
 * @param options what, on what
 * @param counts added to
 * @returns how it ended; `position.best` holds the parameters of lowest validation NLL
 * @throws {Error} if a loss is not finite, naming stage and step
 */
export function trainDimer(options: DimerTrainingOptions, counts: TrainingCounts): Promise<TrainResult> {
  const { model: { flow, setGrid }, system, beta, settings, source, validate, pool, seed } = options;
  const counted: EnergyFunction = {
    dim: system.dim,
    energyAndGradient(x) {
      const d = system.distance(x);
      const [low, high] = options.reactionCoordinate.bounds;
      counts.energies += d.length;
      counts.coordinates += d.length;
      counts.outOfBounds += d.reduce((sum, r) => sum + (r < low || r > high ? 1 : 0), 0);
      return system.energyAndGradient(x, { pool });
    },
  };
  const objective = boltzmannObjective({
    flow,
    system: counted,
    beta,
    data: (n, stage, step) => source.batch(n, stage, step),
    reactionCoordinate: { of: dimerDistance, ...options.reactionCoordinate },
    seed,
  });
  return train({
    parameters: flow.parameters().filter((parameter) => parameter.trainable),
    stages: settings.stages,
    objective(graph, stage, index) {
      setGrid(stage.grid);
      return objective(graph, stage, index);
    },
    validate: () => validationNll(flow, validate.x, pool),
    comparable: sameGrid(settings.flow.kind === "autoregressive" ? settings.flow.grid : undefined),
    reportEvery: settings.reportEvery,
    pool,
    skipNotFinite: settings.skipNotFinite?.steps ?? 0,
    ...options.onStep && { onStep: options.onStep },
    ...options.onCheckpoint && { onCheckpoint: options.onCheckpoint },
    ...options.checkpointEveryMs !== undefined && { checkpointEveryMs: options.checkpointEveryMs },
    ...options.signal && { signal: options.signal },
    ...options.resume && { resume: options.resume },
  });
}
