/**
 * Moves of Markov chains, each of which leaves the Boltzmann distribution as it is: local ones, and proposals of a flow.
 *
 * @module
 */
import { NotFiniteError } from "../autodiff/not_finite.ts";
import type { Executor } from "../backend/executor.ts";
import type { Flow, Generator } from "../flow/flow.ts";
import { logOf } from "../random/elementary.ts";
import { RandomStream } from "../random/random_stream.ts";
import { metropolis } from "../sampling/metropolis.ts";
import { MetropolisChains } from "../sampling/metropolis_chains.ts";
import type { ParticleSystem } from "../system/particle_system.ts";
import type { System } from "../system/system.ts";
import { BoltzmannGenerator } from "./boltzmann_generator.ts";
import { type LabelledSystem, representatives } from "./label_representatives.ts";
import { latentMetropolis } from "./latent_metropolis.ts";

/** Kinds of moves. */
export type FlowMoveKind = "local" | "independence" | "latent";

/** Small moves in x. */
export interface LocalMoves {
  /** Probability of a turn of this kind. */
  readonly probability: number;
  /**
   * Length of a move: for particles the largest change of each coordinate of the one that moves, for other systems the
   * standard deviation of the change of every coordinate.
   */
  readonly step: number;
  /** Sweeps in a turn: of a move of each particle, or of one move of all coordinates. Default 1. */
  readonly sweeps?: number;
}

/** Proposals drawn from a flow, whatever the present configuration is. */
export interface IndependenceMoves {
  /** Probability of a turn of this kind. */
  readonly probability: number;
  /** What proposals are drawn from. */
  readonly generator: Generator;
  /** Whether proposals that are not finite are rejected and counted. Default false: one is a fault. */
  readonly skipNotFinite?: boolean;
}

/** Steps in the latent space of a flow. */
export interface LatentMoves {
  /** Probability of a turn of this kind. */
  readonly probability: number;
  /** The map. */
  readonly flow: Pick<Flow, "dim" | "prior" | "encode" | "decode">;
  /** Standard deviation of the step in every latent coordinate. */
  readonly step: number;
  /** Whether proposals that are not finite are rejected and counted. Default false: one is a fault. */
  readonly skipNotFinite?: boolean;
}

/** Where the walkers are, and what is known there. */
export interface WalkerState {
  /** Configurations [n, dim], each with the labels that its walker has. */
  x: Float64Array;
  /** βU [n]; null where nobody has evaluated it. */
  reducedEnergy: Float64Array | null;
  /** Log-weights by the independence moves' generator [n]; null where nobody has evaluated them. */
  logWeights: Float64Array | null;
}

/** What a turn has done. */
export interface TurnCounts {
  /** Moves offered. */
  readonly offered: number;
  /** Moves accepted. */
  readonly accepted: number;
  /** Energies that were evaluated. */
  readonly energyEvaluations: number;
  /** Configurations that a flow was evaluated at or made. */
  readonly flowEvaluations: number;
  /** Proposals that were rejected because they were not finite. */
  readonly notFinite: number;
}

/** A kind of move, ready to be made. */
export interface MoveKernel {
  /** Moves every walker once (or in as many sweeps as a turn has) and changes the state. */
  turn(state: WalkerState, number: number): TurnCounts;
}

/** What all moves need. */
export interface MoveContext {
  /** The target's energy. */
  readonly system: LabelledSystem;
  /** T in units of T₀. */
  readonly temperature: number;
  /** Seed. */
  readonly seed: number;
  /** Threads. */
  readonly pool: Executor;
}

/** Streams of the random numbers. */
const STREAMS = { local: 0x10ca1, decisions: 0x1de9, proposals: 0x1dea } as const;

/** A seed of its own for something that takes no stream. */
function derivedSeed(seed: number, stream: number, number: number): number {
  const random = new RandomStream(seed, stream, number);
  return (random.uint32() % 2 ** 21) * 2 ** 32 + random.uint32();
}

/**
 * Makes the local moves of a system: single-particle sweeps by kernels for particles, Gaussian steps for others.
 *
 * @param context system, temperature, seed
 * @param moves step and sweeps
 * @param start where walkers are [n, dim]
 */
export function localKernel(context: MoveContext, moves: LocalMoves, start: Float64Array): MoveKernel {
  const { system } = context;
  return "canonicalOrder" in system
    ? new ParticleSweeps(system, context, moves, start)
    : new GaussianSteps(system, context, moves);
}

/** Sweeps of single-particle moves. */
class ParticleSweeps implements MoveKernel {
  readonly #pool: Executor;
  readonly #sweeps: number;
  #chains: MetropolisChains<ParticleSystem>;
  /** The configurations that the chains stand at. */
  #at: Float64Array;

  constructor(system: ParticleSystem, { temperature, seed, pool }: MoveContext, moves: LocalMoves, x: Float64Array) {
    const { step, sweeps = 1 } = moves;
    const chains = x.length / system.dim;
    this.#pool = pool;
    this.#sweeps = sweeps;
    this.#chains = new MetropolisChains<ParticleSystem>(system, {
      chains,
      temperature,
      seed,
      stream: STREAMS.local,
      start: x,
      step,
    });
    this.#at = x;
  }

  turn(state: WalkerState): TurnCounts {
    if (state.x !== this.#at) this.#moveTo(state.x);
    const before = this.#chains.energyEvaluations;
    const offered = this.#sweeps * this.#chains.system.particles * this.#chains.chains;
    this.#chains.resetAcceptance();
    this.#chains.advance(this.#sweeps, { pool: this.#pool });
    this.#at = this.#chains.positions();
    state.x = this.#at;
    state.reducedEnergy = null;
    state.logWeights = null;
    return {
      offered,
      accepted: Math.round(offered * this.#chains.acceptance()),
      energyEvaluations: this.#chains.energyEvaluations - before,
      flowEvaluations: 0,
      notFinite: 0,
    };
  }

  /** Sets the chains to other configurations; they go on with the random numbers that they have. */
  #moveTo(x: Float64Array): void {
    const { numbers, arrays } = this.#chains.state;
    const { system } = this.#chains;
    this.#chains = MetropolisChains.fromState(system, { numbers, arrays: { ...arrays, positions: x } });
  }
}

/** Steps of all coordinates by normal numbers. They commute with relabellings. */
class GaussianSteps implements MoveKernel {
  readonly #context: MoveContext;
  readonly #system: System;
  readonly #moves: LocalMoves;

  constructor(system: System, context: MoveContext, moves: LocalMoves) {
    this.#context = context;
    this.#system = system.canonicalize === undefined && system.inDomain !== undefined ? walledIn(system) : system;
    this.#moves = moves;
  }

  turn(state: WalkerState, number: number): TurnCounts {
    const { temperature, seed } = this.#context;
    const { step, sweeps = 1 } = this.#moves;
    const { x, energy, acceptance, energyEvaluations } = metropolis(this.#system, {
      start: state.x,
      steps: sweeps,
      stride: sweeps,
      step,
      temperature,
      seed: derivedSeed(seed, STREAMS.local, number),
    });
    const offered = sweeps * energy.length;
    state.x = x;
    state.reducedEnergy = energy.map((u) => u / temperature);
    state.logWeights = null;
    return {
      offered,
      accepted: Math.round(acceptance * offered),
      energyEvaluations,
      flowEvaluations: 0,
      notFinite: 0,
    };
  }
}

/** A system that has no energy outside its domain: where there is no label to change, it is a wall. */
function walledIn(system: System): System {
  return {
    name: system.name,
    dim: system.dim,
    energy(x) {
      const inside = system.inDomain!(x);
      return system.energy(x).map((u, i) => inside[i] ? u : Infinity);
    },
    energyAndGradient: (x) => system.energyAndGradient(x),
  };
}

/** Proposals of a flow, accepted with probability min(1, w′/w). */
export class IndependenceKernel implements MoveKernel {
  readonly #context: MoveContext;
  readonly #generator: BoltzmannGenerator;
  readonly #seed: number;
  #drawn = 0;

  /**
   * @param context system, temperature, seed
   * @param moves what to draw from
   */
  constructor(context: MoveContext, { generator, skipNotFinite = false }: IndependenceMoves) {
    const { system, temperature, seed } = context;
    this.#context = context;
    this.#generator = new BoltzmannGenerator(generator, system, { beta: 1 / temperature, skipNotFinite });
    this.#seed = derivedSeed(seed, STREAMS.proposals, 0);
  }

  turn(state: WalkerState, number: number): TurnCounts {
    const { system, pool, seed } = this.#context;
    const { dim } = system;
    const n = state.x.length / dim;
    const present = representatives(system, state.x, pool);
    const known = this.#known(state, present.x);
    const proposed = this.#generator.sample(n, { seed: this.#seed, first: this.#drawn, pool });
    this.#drawn += n;
    const random = new RandomStream(seed, STREAMS.decisions, number);
    const accepted: number[] = [];
    for (let i = 0; i < n; i++) {
      const threshold = logOf(1 - random.uniform());
      if (threshold <= proposed.logWeights[i] - known.logWeights[i]) accepted.push(i);
    }
    const moved = present.x.slice();
    for (const i of accepted) {
      moved.set(proposed.x.subarray(i * dim, (i + 1) * dim), i * dim);
      known.reducedEnergy[i] = proposed.reducedEnergy[i];
      known.logWeights[i] = proposed.logWeights[i];
    }
    state.x = keepUnmoved(state.x, present.withLabels(moved), accepted, dim);
    state.reducedEnergy = known.reducedEnergy;
    state.logWeights = known.logWeights;
    return {
      offered: n,
      accepted: accepted.length,
      energyEvaluations: n + known.energies,
      flowEvaluations: n + known.densities,
      notFinite: proposed.notFinite,
    };
  }

  /** Weights of where walkers are. They must be numbers: a walker of no weight would accept anything. */
  #known(state: WalkerState, x: Float64Array) {
    const { system, temperature, pool } = this.#context;
    if (state.logWeights !== null && state.reducedEnergy !== null) {
      const [reducedEnergy, logWeights] = [state.reducedEnergy.slice(), state.logWeights.slice()];
      return { reducedEnergy, logWeights, energies: 0, densities: 0 };
    }
    const reducedEnergy = state.reducedEnergy?.slice() ?? system.energy(x, { pool }).map((u) => u / temperature);
    const logProb = this.#generator.generator.logProb(x, { pool });
    const logWeights = reducedEnergy.map((u, i) => -u - logProb[i]);
    const broken = logWeights.findIndex((logWeight) => !Number.isFinite(logWeight));
    if (broken >= 0) {
      throw new NotFiniteError(
        `Cannot make independence moves: log-weights of walkers must be finite, got ${logWeights[broken]} for walker ` +
          `${broken} with log-density ${logProb[broken]}: take a flow that has a density wherever the system has`,
      );
    }
    return {
      reducedEnergy,
      logWeights,
      energies: state.reducedEnergy === null ? x.length / system.dim : 0,
      densities: logProb.length,
    };
  }
}

/** Steps in latent space. */
export class LatentKernel implements MoveKernel {
  readonly #context: MoveContext;
  readonly #moves: LatentMoves;
  readonly #seed: number;

  /**
   * @param context system, temperature, seed
   * @param moves flow and step
   */
  constructor(context: MoveContext, moves: LatentMoves) {
    this.#context = context;
    this.#moves = moves;
    this.#seed = context.seed;
  }

  turn(state: WalkerState, number: number): TurnCounts {
    const { system, temperature, pool } = this.#context;
    const { flow, step, skipNotFinite = false } = this.#moves;
    const present = representatives(system, state.x, pool);
    const unknown = state.reducedEnergy === null;
    const { x, reducedEnergy, accepted, notFinite } = latentMetropolis(
      { flow, system, beta: 1 / temperature },
      { x: present.x, ...state.reducedEnergy !== null && { reducedEnergy: state.reducedEnergy } },
      { step, seed: this.#seed, iteration: number, skipNotFinite, pool },
    );
    const n = accepted.length;
    const moved = Array.from(accepted.keys()).filter((i) => accepted[i] === 1);
    state.x = keepUnmoved(state.x, present.withLabels(x), moved, system.dim);
    state.reducedEnergy = reducedEnergy;
    if (moved.length > 0) state.logWeights = null;
    return {
      offered: n,
      accepted: moved.length,
      energyEvaluations: unknown ? 2 * n : n,
      flowEvaluations: 2 * n,
      notFinite,
    };
  }
}

/** New configurations where walkers moved; elsewhere the very ones they had, labels included. */
function keepUnmoved(before: Float64Array, after: Float64Array, moved: readonly number[], dim: number): Float64Array {
  if (moved.length === 0) return before;
  const x = before.slice();
  for (const i of moved) x.set(after.subarray(i * dim, (i + 1) * dim), i * dim);
  return x;
}
