/**
 * Frames of Ising spins.
 *
 * @module
 */
import type { SpinMove } from "../backend/ising_kernels.ts";
import type { IsingLattice } from "../system/ising_lattice.ts";
import type { ComputeOptions } from "../system/system.ts";
import { IsingChains, type IsingChainsOptions } from "./ising_chains.ts";

/** How to draw frames by {@link isingSample}. */
export interface IsingSampleOptions extends IsingChainsOptions, ComputeOptions {
  /** Clusters ("wolff", default) or sweeps ("metropolis"). */
  readonly move?: SpinMove | undefined;
  /** Frames of each chain, ≥ 1. */
  readonly frames: number;
  /** Moves between two frames, ≥ 1; default 1. */
  readonly every?: number | undefined;
  /** Moves before those of the first frame, default 0. */
  readonly burnIn?: number | undefined;
}

/** Frames in the order of time; within one time, of chains. */
export interface IsingSample {
  /** Spins [n, dim], n = frames · chains. */
  readonly x: Float64Array;
  /** U of each frame [n]. */
  readonly energy: Float64Array;
  /** Chain of each frame [n]. */
  readonly chain: Int32Array;
  /** The chains, where they stopped. */
  readonly chains: IsingChains;
}

/**
 * Draws configurations of spins from exp(−U/T).
 *
 * @param system the lattice
 * @param options temperature, number of chains and frames
 * @returns frames with their energies and chains
 * @throws {RangeError} if an option is impossible
 *
 * @example The mean energy within its error
 * ```ts
 * import { IsingLattice, isingSample } from "@boltzflow/boltzflow";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const lattice = new IsingLattice({ side: 4 });
 * const { energy } = isingSample(lattice, { temperature: 2.269, frames: 100, every: 5, burnIn: 50 });
 * const mean = energy.reduce((sum, u) => sum + u, 0) / energy.length;
 *
 * assertAlmostEquals(mean, lattice.exact(2.269).meanEnergy, 0.5);
 * ```
 */
export function isingSample(system: IsingLattice, options: IsingSampleOptions): IsingSample {
  const { move = "wolff", frames, every = 1, burnIn = 0, pool } = options;
  for (const [name, value] of [["frames", frames], ["every", every]] as const) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new RangeError(`Cannot draw spins: ${name} must be a whole number ≥ 1, got ${value}`);
    }
  }
  const chains = new IsingChains(system, options);
  chains[move](burnIn, { pool });
  const x = new Float64Array(frames * chains.chains * system.dim);
  for (let k = 0; k < frames; k++) {
    chains[move](every, { pool });
    x.set(chains.spins(), k * chains.chains * system.dim);
  }
  const chain = Int32Array.from({ length: frames * chains.chains }, (_, i) => i % chains.chains);
  return { x, energy: system.energy(x), chain, chains };
}
