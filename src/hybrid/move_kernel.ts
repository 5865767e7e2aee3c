/**
 * What moves of Markov chains have in common.
 *
 * @module
 */
import type { Executor } from "../backend/executor.ts";
import { RandomStream } from "../random/random_stream.ts";
import type { LabelledSystem } from "./label_representatives.ts";

/** Kinds of moves. */
export type FlowMoveKind = "local" | "independence" | "latent";

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

/**
 * Finds a seed of its own for something that takes no stream.
 *
 * @param seed the user's
 * @param stream what the numbers are for
 * @param number which of several alike
 */
export function derivedSeed(seed: number, stream: number, number: number): number {
  const random = new RandomStream(seed, stream, number);
  return (random.uint32() % 2 ** 21) * 2 ** 32 + random.uint32();
}
