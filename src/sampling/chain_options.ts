/**
 * What chains of particles take and return.
 *
 * @module
 */
import type { ComputeOptions } from "../system/system.ts";

/** A harmonic bias κ (d − m)² in k_BT on the distance of a dimer, one centre m for each chain. */
export interface DistanceBias {
  /** κ in k_BT per square length. */
  readonly constant: number;
  /** m of each chain [chains]. */
  readonly centres: Float64Array;
}

/** What {@link MetropolisChains} are made from. */
export interface MetropolisChainsOptions {
  /** Number of chains, even and ≥ 2; default 32. */
  readonly chains?: number | undefined;
  /** T in units of T₀, default 1. */
  readonly temperature?: number | undefined;
  /** Seed of the random numbers, default 0. */
  readonly seed?: number | undefined;
  /** Stream of the random numbers, default 0: chains of another stream are independent. */
  readonly stream?: number | undefined;
  /** Starting points [chains, dim]; by default the system's starts in turn, closed and open for the dimer. */
  readonly start?: Float64Array | undefined;
  /** Largest move in each coordinate; by default 0.2 √T, to be tuned. */
  readonly step?: number | undefined;
  /** Bias on a dimer's distance; none by default. */
  readonly bias?: DistanceBias | undefined;
}

/** Frames of all chains at one time, mapped into the reference domain. */
export interface ChainFrames {
  /** Configurations [chains, dim]. */
  readonly x: Float64Array;
  /** Distances of the dimer [chains]; empty for systems without one. */
  readonly d: Float64Array;
}

/** How to advance chains. */
export interface AdvanceOptions extends ComputeOptions {
  /** Sweeps between two records of a dimer's distance; 0, the default, records none. */
  readonly every?: number | undefined;
}
