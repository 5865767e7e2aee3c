/**
 * Moves of Markov chains that a flow proposes; each leaves the Boltzmann distribution as it is.
 *
 * @module
 */
import { NotFiniteError } from "../autodiff/not_finite.ts";
import type { Flow, Generator } from "../flow/flow.ts";
import { logOf } from "../random/elementary.ts";
import { RandomStream } from "../random/random_stream.ts";
import { BoltzmannGenerator } from "./boltzmann_generator.ts";
import { representatives } from "./label_representatives.ts";
import { latentMetropolis } from "./latent_metropolis.ts";
import { derivedSeed, type MoveContext, type MoveKernel, type TurnCounts, type WalkerState } from "./move_kernel.ts";

/** Streams of the random numbers. */
const STREAMS = { decisions: 0x1de9, proposals: 0x1dea } as const;

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
