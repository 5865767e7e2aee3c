/**
 * Exploration: a flow that learns from configurations which it moves itself, from one state to the others.
 *
 * @module
 */
import type { Executor } from "../backend/executor.ts";
import type { Flow } from "../flow/flow.ts";
import { RandomStream } from "../random/random_stream.ts";
import { configurationCount, type System } from "../system/system.ts";
import { train, type TrainingPosition, type TrainProgress } from "../training/train.ts";
import { boltzmannObjective, type BoltzmannStage, type ReactionCoordinate } from "./boltzmann_objective.ts";
import { emptyHistory, type ExplorationHistory, mutableHistory } from "./exploration_history.ts";
import { latentMetropolis, type LatentMove } from "./latent_metropolis.ts";
import { checkedStepRule, type LatentStepRule, nextLatentStep } from "./exploration_step.ts";

/** States of a system that are told apart. */
export interface Basins {
  /** Their names. */
  readonly names: readonly string[];
  /**
   * Finds the states of configurations.
   *
   * @param x configurations [n, dim]
   * @returns index of the state of each, [n]; negative where it is in none
   */
  of(x: Float64Array): ArrayLike<number>;
}

/** What is explored, and how. */
export interface ExplorationOptions {
  /** The flow; its parameters are changed. */
  readonly flow: Flow;
  /** The system; configurations are kept in its reference domain, where it has one. */
  readonly system: System;
  /** 1 / (k_B T). */
  readonly beta: number;
  /** Configurations that are known, [m, dim]; the buffer is filled with draws of them. */
  readonly start: Float64Array;
  /** Configurations in the buffer, at least `stage.batch`. */
  readonly capacity: number;
  /** Stages of training on the buffer before it moves. Default: none. */
  readonly pretraining?: readonly BoltzmannStage[];
  /** The exploration: `steps` iterations, each on `batch` members of the buffer. */
  readonly stage: BoltzmannStage;
  /** Needed by stages with a reaction-coordinate weight. */
  readonly reactionCoordinate?: ReactionCoordinate;
  /** How the length of the latent step is found. Default: as published. */
  readonly latentStep?: Partial<LatentStepRule>;
  /** States whose populations are followed. Default: none. */
  readonly basins?: Basins;
  /** How many training steps may be skipped that are not finite; above 0 such moves are rejected too. Default 0. */
  readonly skipNotFinite?: number;
  /** Stops after that many iterations; `resume` goes on. Default: at the end of the stage. */
  readonly until?: number;
  /** Seed of batches, prior samples and moves. */
  readonly seed: number;
  /** Threads. */
  readonly pool?: Executor;
  /** Called after each step of training, after the move that belongs to it. */
  readonly onStep?: (progress: TrainProgress, history: ExplorationHistory) => void;
  /** Stops after the iteration in progress. */
  readonly signal?: AbortSignal;
  /** Where to go on, with the parameters as they were. */
  readonly resume?: ExplorationState;
}

/** Where an exploration stands: what is needed to go on, beside parameters. */
export interface ExplorationState {
  /** Stage, step and optimiser of the training. */
  readonly position: TrainingPosition;
  /** Configurations of the buffer [capacity, dim]; single precision, as they come out of the flow. */
  readonly frames: Float32Array;
  /** Length of the next latent step. */
  readonly latentStep: number;
  /** What happened in each iteration. */
  readonly history: ExplorationHistory;
}

/** How an exploration ended. */
export interface Exploration {
  /** Whether all iterations are done; false after `until` or an abort. */
  readonly complete: boolean;
  /** Where it ended. */
  readonly state: ExplorationState;
  /** Training steps that were skipped because a number was not finite. */
  readonly skipped: number;
}

/** Stream numbers of the filling and of the draws of members. */
const [FILL_STREAM, MEMBER_STREAM] = [0xe1, 0xe2];

/**
 * Explores a system from the configurations that are known, without data of the other states.
 *
 * A buffer is filled with draws of `start`. Each iteration takes `batch` members of it, makes one step of training (J_ML
 * of the members, and whatever else the stage weighs), moves each member in the latent space of the flow as it is then
 * (`latentMetropolis`), and puts those that were accepted back in their places. The flow learns where its members are,
 * and spreads them further. The step is lengthened while more than a fifth of the last 50 iterations' moves is
 * accepted, and shortened below 2 % ({@link LatentStepRule}).
 *
 * The members are not a Boltzmann sample: the flow changes between moves, and by what it has seen; relabelled moves
 * (`outside: "relabel"` is used where the system has a reference domain) are not exact even for a fixed flow. What is
 * exact are energies and the flow's density: reweight samples of the flow, or go on with moves of a fixed flow. Members
 * of an iteration are drawn without repetition, where the published code repeats: two moves of one member, of which the
 * later one overwrites, would break detailed balance even for a fixed flow.
 *
 * An interrupted exploration goes on as if it had not been: everything random is a function of seed and iteration.
 *
 * Reference: Noé et al. 2019, fig. 4 and supplement ("exploring configuration space").
 *
 * @param options flow, system, start, stages
 * @returns where it ended; the flow holds the parameters
 * @throws {RangeError} if sizes do not fit
 * @throws {NotFiniteError} if a number is not finite and may not be skipped
 *
 * @example Both wells from one
 * ```ts
 * import { DoubleWell, explore, Flow, RealNVP } from "@boltzflow/boltzflow";
 * import { assert } from "@std/assert";
 *
 * const { state: { history } } = await explore({
 *   flow: new Flow(new RealNVP({ dim: 2, blocks: 2, hidden: [16] })),
 *   system: new DoubleWell({ b: 2, c: 0.2 }),
 *   beta: 1,
 *   start: Float64Array.of(-1, 0),
 *   capacity: 512,
 *   stage: {
 *     name: "explore",
 *     steps: 200,
 *     batch: 128,
 *     learningRate: { shape: "constant", initial: 1e-3 },
 *     weights: { maximumLikelihood: 1, energy: 1, reactionCoordinate: 0 },
 *   },
 *   basins: { names: ["left", "right"], of: (x) => x.filter((_, i) => i % 2 === 0).map((v) => v < 0 ? 0 : 1) },
 *   seed: 1,
 * });
 * assert(history.populations[199][1] > 128);
 * ```
 */
export async function explore(options: ExplorationOptions): Promise<Exploration> {
  const { flow, system, beta, pretraining = [], stage, reactionCoordinate, seed, pool, signal, resume } = options;
  const buffer = new MovingBuffer(options);
  const stages = [...pretraining, stage];
  // The loop stops between steps when this is aborted.
  const stop = new AbortController();
  const stopWhenDone = () => {
    if (signal?.aborted || buffer.iterations >= (options.until ?? Infinity)) stop.abort();
  };
  signal?.addEventListener("abort", stopWhenDone);
  stopWhenDone();
  try {
    const result = await train({
      parameters: flow.parameters().filter(({ trainable }) => trainable),
      stages,
      objective: boltzmannObjective({
        flow,
        system: { dim: system.dim, energyAndGradient: (x) => system.energyAndGradient(x, { pool }) },
        beta,
        data: (n, index, step) => buffer.members(n, index, step).x,
        seed,
        ...reactionCoordinate && { reactionCoordinate },
      }),
      skipNotFinite: options.skipNotFinite ?? 0,
      onStep(progress) {
        if (progress.index === pretraining.length) buffer.move(progress);
        stopWhenDone();
        options.onStep?.(progress, buffer.history);
      },
      signal: stop.signal,
      ...pool && { pool },
      ...resume && { resume: resume.position },
    });
    return {
      complete: result.complete,
      state: { position: result.position, ...buffer.state() },
      skipped: result.skipped,
    };
  } finally {
    signal?.removeEventListener("abort", stopWhenDone);
  }
}

/** Members of the buffer in an iteration. */
interface Members {
  readonly places: Int32Array;
  /** [n, dim]. */
  readonly x: Float64Array;
}

/** Configurations that move. */
class MovingBuffer {
  readonly #options: ExplorationOptions;
  readonly #rule: LatentStepRule;
  readonly #frames: Float64Array;
  /** βU of each. */
  readonly #energies: Float64Array;
  /** State of each. */
  readonly #basins: Int32Array;
  /** How many are in each state. */
  readonly #populations: number[];
  readonly #history: ReturnType<typeof mutableHistory>;
  #latentStep: number;

  constructor(options: ExplorationOptions) {
    const { system, beta, latentStep = {}, basins, resume, pool } = options;
    this.#options = options;
    this.#rule = checkedStepRule(latentStep);
    this.#latentStep = resume?.latentStep ?? this.#rule.initial;
    this.#history = mutableHistory(resume?.history ?? emptyHistory());
    this.#frames = resume === undefined ? filled(options) : restored(options, resume);
    this.#energies = system.energy(this.#frames, { pool }).map((energy) => beta * energy);
    this.#basins = Int32Array.from(basins?.of(this.#frames) ?? []);
    this.#populations = (basins?.names ?? []).map((_, k) =>
      this.#basins.reduce((sum, b) => sum + (b === k ? 1 : 0), 0)
    );
  }

  /** Iterations done. */
  get iterations(): number {
    return this.#history.loss.length;
  }

  get history(): ExplorationHistory {
    return this.#history;
  }

  state(): Omit<ExplorationState, "position"> {
    return {
      frames: Float32Array.from(this.#frames),
      latentStep: this.#latentStep,
      history: mutableHistory(this.#history),
    };
  }

  /** The members of a step of training: a function of seed, stage and step, and of the buffer as it is. */
  members(n: number, stage: number, step: number): Members {
    const { capacity, system: { dim }, seed } = this.#options;
    const random = new RandomStream(seed, MEMBER_STREAM + 256 * stage, step);
    const places = distinct(random, n, capacity);
    const x = new Float64Array(n * dim);
    places.forEach((place, i) => x.set(this.#frames.subarray(place * dim, (place + 1) * dim), i * dim));
    return { places, x };
  }

  /** Moves the members of the step that was made. */
  move({ index, step, loss }: TrainProgress): void {
    const { flow, system, beta, stage, seed, pool, skipNotFinite = 0 } = this.#options;
    const { places, x } = this.members(stage.batch, index, step - 1);
    const reducedEnergy = Float64Array.from(places, (place) => this.#energies[place]);
    const move = latentMetropolis({ flow, system, beta }, { x, reducedEnergy }, {
      step: this.#latentStep,
      seed,
      iteration: step,
      outside: system.canonicalize === undefined ? "reject" : "relabel",
      skipNotFinite: skipNotFinite > 0,
      ...pool && { pool },
    });
    this.#put(places, move);
    this.#record(loss, move);
    this.#latentStep = nextLatentStep(this.#latentStep, this.#history.acceptance, this.#rule);
  }

  #put(places: Int32Array, { x, reducedEnergy, accepted }: LatentMove): void {
    const { system: { dim }, basins } = this.#options;
    const states = basins?.of(x);
    places.forEach((place, i) => {
      if (!accepted[i]) return;
      this.#frames.set(x.subarray(i * dim, (i + 1) * dim), place * dim);
      this.#energies[place] = reducedEnergy[i];
      if (states === undefined) return;
      if (this.#basins[place] >= 0) this.#populations[this.#basins[place]]--;
      if (states[i] >= 0) this.#populations[states[i]]++;
      this.#basins[place] = states[i];
    });
  }

  #record(loss: number, { acceptance, outsideDomain, notFinite }: LatentMove): void {
    const { loss: losses, ...lists } = this.#history;
    losses.push(loss);
    lists.acceptance.push(acceptance);
    lists.latentStep.push(this.#latentStep);
    lists.outsideDomain.push(outsideDomain);
    lists.notFinite.push(notFinite);
    lists.lowestEnergy.push(this.#energies.reduce((low, u) => Math.min(low, u), Infinity));
    lists.populations.push([...this.#populations]);
  }
}

/** n different whole numbers below `capacity`, in random order: Robert Floyd's draw, then shuffled. */
function distinct(random: RandomStream, n: number, capacity: number): Int32Array {
  const taken = new Set<number>();
  for (let last = capacity - n; last < capacity; last++) {
    const drawn = random.integer(last + 1);
    taken.add(taken.has(drawn) ? last : drawn);
  }
  const members = [...taken];
  return random.permutation(n).map((k) => members[k]);
}

/** The buffer as it begins. */
function filled(
  { flow, system, start, capacity, pretraining = [], stage, seed, pool }: ExplorationOptions,
): Float64Array {
  const { dim } = system;
  const largest = Math.max(...[...pretraining, stage].map(({ batch }) => batch));
  const refuse = (rest: string): never => {
    throw new RangeError(`Cannot explore: ${rest}`);
  };
  if (flow.dim !== dim) refuse(`flow and system must have one dim, got ${flow.dim} and ${dim}`);
  const known = configurationCount(start, dim, "explore");
  if (known === 0) refuse("start must hold a configuration, got none");
  if (!Number.isInteger(capacity) || capacity < largest) {
    refuse(`capacity must be a whole number of at least ${largest}, the largest batch, got ${capacity}`);
  }
  const random = new RandomStream(seed, FILL_STREAM);
  const frames = new Float64Array(capacity * dim);
  for (let i = 0; i < capacity; i++) {
    const from = random.integer(known) * dim;
    frames.set(start.subarray(from, from + dim), i * dim);
  }
  // Single precision from the beginning, as the flow's own configurations: a state on file holds all of it.
  const single = frames.map(Math.fround);
  return system.canonicalize?.(single, { pool }) ?? single;
}

function restored({ capacity, system }: ExplorationOptions, { frames, history }: ExplorationState): Float64Array {
  if (frames.length !== capacity * system.dim || history.loss.length !== history.acceptance.length) {
    throw new RangeError(
      `Cannot resume an exploration: it must hold ${capacity} configurations of ${system.dim} coordinates, got ` +
        `${frames.length} numbers: resume with the options of the interrupted run`,
    );
  }
  return Float64Array.from(frames);
}
