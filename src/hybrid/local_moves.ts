/**
 * Moves of Markov chains that are small: of single particles, or of all coordinates.
 *
 * @module
 */
import type { Executor } from "../backend/executor.ts";
import { metropolis } from "../sampling/metropolis.ts";
import { MetropolisChains } from "../sampling/metropolis_chains.ts";
import type { ParticleSystem } from "../system/particle_system.ts";
import type { System } from "../system/system.ts";
import { derivedSeed, type MoveContext, type MoveKernel, type TurnCounts, type WalkerState } from "./move_kernel.ts";

/** Stream of the random numbers. */
const STREAM = 0x10ca1;

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
      stream: STREAM,
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
      seed: derivedSeed(seed, STREAM, number),
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
