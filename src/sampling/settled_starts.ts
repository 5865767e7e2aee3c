/**
 * Starting points of a dimer's chains that have settled without leaving their basins.
 *
 * @module
 */
import type { ParticleDimer } from "../system/particle_dimer.ts";
import type { ComputeOptions } from "../system/system.ts";
import { MetropolisChains } from "./metropolis_chains.ts";

/** What {@link settledStarts} needs to know. */
export interface SettledStartsOptions extends ComputeOptions {
  /** Number of chains, even. */
  readonly chains: number;
  /** T in units of T₀. */
  readonly temperature: number;
  /** Seed of the random numbers. */
  readonly seed: number;
  /** Stream of the random numbers: not the one of the chains that begin here. */
  readonly stream: number;
  /** Sweeps for which the springs hold, default 400. */
  readonly sweeps?: number | undefined;
}

/** κ of the springs in k_BT per square length: 25 k_BT from the middle of a basin to the border. */
const HOLD = 100;

/**
 * Runs chains from the system's starts in turn, closed and open, for a while in which springs hold the dimer's distance.
 *
 * The first configurations are crowded, and the energy that they set free throws about one closed chain of fifty into
 * the other basin at T = T₀/2. At a low temperature none ever comes back: such a chain is a correct sample of the basin where it is, but a
 * burn-in that is measured by the start of each chain (`metropolisSample`) then waits for the return in vain.
 *
 * @param system the dimer
 * @param options chains, temperature, random numbers, threads
 * @returns configurations [chains, dim], to be passed as `start`; the moves that this takes are
 *   chains · sweeps · particles
 * @throws {RangeError} if an option is impossible
 *
 * @example
 * ```ts
 * import { metropolisSample, ParticleDimer, settledStarts } from "@boltzflow/boltzflow";
 * const system = new ParticleDimer({ solvent: 0 });
 * const common = { chains: 4, temperature: 0.5, seed: 1 };
 * const start = settledStarts(system, { ...common, stream: 2 });
 * const { d } = await metropolisSample(system, { ...common, start, stream: 1, frames: 4 });
 * if (!(d[0] < 1.5 && d[1] >= 1.5)) throw new Error("closed, open");
 * ```
 */
export function settledStarts(system: ParticleDimer, options: SettledStartsOptions): Float64Array {
  const { sweeps = 400, pool, ...common } = options;
  const chains = new MetropolisChains(system, {
    ...common,
    bias: { constant: HOLD, centres: new Float64Array(common.chains) },
  });
  chains.moveBias(chains.distances());
  chains.tune(sweeps, { pool });
  return chains.positions();
}
