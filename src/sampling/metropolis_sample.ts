/**
 * Equilibrium data of particles in one call.
 *
 * @module
 */
import { isDimer } from "../backend/particle_coefficients.ts";
import type { ParticleDimer } from "../system/particle_dimer.ts";
import type { ParticleSystem } from "../system/particle_system.ts";
import type { ComputeOptions } from "../system/system.ts";
import type { MetropolisState } from "./chain_state.ts";
import type { ProgressKeeper } from "./keeper.ts";
import { MetropolisChains } from "./metropolis_chains.ts";
import { type LongRunOptions, pausing } from "./pause.ts";
import { relax, type Relaxation } from "./relaxation.ts";

/** What {@link metropolisSample} needs to know. */
export interface MetropolisSampleOptions extends ComputeOptions, LongRunOptions {
  /** Frames wanted; rounded up to a multiple of the number of chains. */
  readonly frames: number;
  /** Number of chains, even; they take the system's starts in turn. Default 32. */
  readonly chains?: number | undefined;
  /** T in units of T₀, default 1. */
  readonly temperature?: number | undefined;
  /** Seed of the random numbers, default 0. */
  readonly seed?: number | undefined;
  /** Stream of the random numbers: another stream gives independent chains. Default 0. */
  readonly stream?: number | undefined;
  /**
   * Starting points [chains, dim], in the order of the system's starts, or a function that computes them: it is not called
   * to go on with what was kept. Default: the system's starts in turn.
   */
  readonly start?: Float64Array | (() => Float64Array) | undefined;
  /** Sweeps between frames in units of the measured statistical inefficiency, default 1: independent frames. */
  readonly spacing?: number | undefined;
  /** Keeps where the sampling stands. Default: nothing is kept. */
  readonly keeper?: ProgressKeeper<MetropolisProgress> | undefined;
}

/** Where {@link metropolisSample} stands. */
export interface MetropolisProgress {
  /** The chains. */
  readonly chains: MetropolisState;
  /** Trials of relaxation that are over. */
  readonly trials: number;
  /** What was found since the chains have relaxed; null until then. */
  readonly relaxed: RelaxedProgress | null;
}

/** What chains have yielded since they have relaxed. */
export interface RelaxedProgress {
  /** How burn-in was found. */
  readonly relaxation: Relaxation;
  /** Changes of basin of each chain by then. */
  readonly crossings: Int32Array;
  /** Configurations so far, as in the result. */
  readonly x: Float64Array;
  /** Distances so far, as in the result. */
  readonly d: Float64Array;
}

/** What {@link metropolisSample} returns. Frames are in the order of time; within one time, of chains. */
export interface MetropolisSample<S extends ParticleSystem = ParticleDimer> {
  /** Frames in the reference domain [n, dim]. */
  readonly x: Float64Array;
  /** Distance of the dimer in each frame [n]. A frame belongs to the basin of its own d. Empty without a dimer. */
  readonly d: Float64Array;
  /** Chain of each frame [n]; even chains of the dimer started closed, odd ones open. */
  readonly chain: Int32Array;
  /** Sweeps between two frames of a chain. */
  readonly stride: number;
  /** How burn-in was found. */
  readonly relaxation: Relaxation;
  /** Changes of basin of each chain [chains], seen at frames after burn-in. */
  readonly crossings: Int32Array;
  /** Fraction of moves accepted after burn-in. */
  readonly acceptance: number;
  /** Single-particle moves offered, burn-in included. */
  readonly moves: number;
  /** Energy evaluations that the moves are worth. */
  readonly energyEvaluations: number;
  /** The chains, to draw more frames from. */
  readonly chains: MetropolisChains<S>;
}

/**
 * Draws canonical configurations of particles by single-particle Metropolis Monte Carlo, mapped into the reference domain.
 *
 * Chains take the system's starts in turn, those of the dimer closed and open. Burn-in and stride follow from measured
 * relaxation and autocorrelation (see `relax`). How often a dimer crosses between the basins is returned and left to the
 * reader: without many crossings the numbers of closed and open frames say nothing about the free energy.
 *
 * @param system the particles: a dimer, or a fluid
 * @param options how many frames, chains, temperature, seed, threads
 * @returns frames, their chains and distances, and what they cost
 * @throws {RangeError} if an option is impossible
 *
 * @example
 * ```ts
 * import { metropolisSample, ParticleDimer } from "@boltzflow/boltzflow";
 * const system = new ParticleDimer();
 * const { x, chain } = await metropolisSample(system, { frames: 16, chains: 4, spacing: 0.1 });
 * if (chain.length !== 16 || system.inDomain(x).includes(0)) throw new Error("sixteen frames, all in the domain");
 * ```
 */
export async function metropolisSample<S extends ParticleSystem = ParticleDimer>(
  system: S,
  options: MetropolisSampleOptions,
): Promise<MetropolisSample<S>> {
  const { frames, spacing = 1, pool, signal, onProgress, keeper } = options;
  if (!Number.isSafeInteger(frames) || frames < 1) {
    throw new RangeError(`Cannot sample particles: frames must be a whole number ≥ 1, got ${frames}`);
  }
  if (!(spacing > 0 && Number.isFinite(spacing))) {
    throw new RangeError(`Cannot sample particles: spacing must be a positive number, got ${spacing}`);
  }
  const { chains, since } = await relaxedChains(system, options);
  const { relaxation, crossings } = since;
  const stride = Math.max(1, Math.ceil(spacing * 2 * relaxation.autocorrelationTime));
  const rows = Math.ceil(frames / chains.chains);
  const n = rows * chains.chains;
  const x = new Float64Array(n * system.dim);
  const d = new Float64Array(isDimer(system.coefficients) ? n : 0);
  const done = rowsOf(since, chains, rows, d.length > 0);
  x.set(since.x);
  d.set(since.d);
  const pause = pausing({ signal, onProgress });
  for (let row = done; row < rows;) {
    chains.advance(stride, { pool });
    const now = chains.frames({ pool });
    x.set(now.x, row * now.x.length);
    d.set(now.d, row * now.d.length);
    row++;
    const soFar = { x: x.subarray(0, row * now.x.length), d: d.subarray(0, row * now.d.length) };
    await keeper?.offer(() => ({ chains: chains.state, trials: 0, relaxed: { relaxation, crossings, ...soFar } }));
    await pause(row / rows);
  }
  return {
    x,
    d,
    chain: Int32Array.from({ length: n }, (_, i) => i % chains.chains),
    stride,
    relaxation,
    crossings: chains.crossings().map((count, c) => count - crossings[c]),
    acceptance: chains.acceptance(),
    moves: chains.moves,
    energyEvaluations: chains.energyEvaluations,
    chains,
  };
}

/** Chains that have relaxed, and what they have yielded since: nothing yet, or what was kept. */
async function relaxedChains<S extends ParticleSystem>(
  system: S,
  { start, pool, signal, keeper, ...options }: MetropolisSampleOptions,
): Promise<{ readonly chains: MetropolisChains<S>; readonly since: RelaxedProgress }> {
  const saved = await keeper?.load() ?? null;
  const chains = saved === null
    ? new MetropolisChains(system, { ...options, start: typeof start === "function" ? start() : start })
    : MetropolisChains.fromState<S>(system, saved.chains);
  if (saved?.relaxed) return { chains, since: saved.relaxed };
  const relaxation = await relax(chains, {
    pool,
    signal,
    trials: saved?.trials,
    onTrial: async (trials) => await keeper?.offer(() => ({ chains: chains.state, trials, relaxed: null })),
  });
  const none = new Float64Array(0);
  return { chains, since: { relaxation, crossings: chains.crossings(), x: none, d: none } };
}

/** Rows of frames that were kept, one frame of each chain in a row; refuses what other sampling has kept. */
function rowsOf(
  { x, d, crossings }: RelaxedProgress,
  { chains, system: { dim } }: MetropolisChains<ParticleSystem>,
  most: number,
  hasDistance: boolean,
): number {
  const rows = x.length / (chains * dim);
  const distances = hasDistance ? rows * chains : 0;
  if (Number.isInteger(rows) && rows <= most && d.length === distances && crossings.length === chains) return rows;
  throw new RangeError(
    `Cannot resume the sampling of particles: what was kept must hold at most ${most} frames of each of ${chains} chains ` +
      `in ${dim} coordinates${hasDistance ? " and a distance" : ""}, got ${x.length} coordinates and ${d.length} ` +
      `distances of ${crossings.length} chains`,
  );
}
