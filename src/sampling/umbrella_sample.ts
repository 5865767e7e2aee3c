/**
 * Umbrella sampling of the particle dimer along its distance.
 *
 * @module
 */
import type { ParticleDimer } from "../system/particle_dimer.ts";
import type { ComputeOptions } from "../system/system.ts";
import type { MetropolisState } from "./chain_state.ts";
import type { ProgressKeeper } from "./keeper.ts";
import { MetropolisChains } from "./metropolis_chains.ts";
import { type LongRunOptions, pausing } from "./pause.ts";
import { type UmbrellaWindows, umbrellaWindows } from "./umbrella_windows.ts";

/** What {@link umbrellaSample} needs to know. */
export interface UmbrellaSampleOptions extends ComputeOptions, LongRunOptions {
  /** Sweeps of every chain after burn-in, ≥ every. */
  readonly sweeps: number;
  /** T in units of T₀, default 1. */
  readonly temperature?: number | undefined;
  /** Chains per window, even: half come from closed starts, half from open ones. Default 2. */
  readonly starts?: number | undefined;
  /** Sweeps of burn-in: half to pull chains to their windows, half to forget it. Default max(2000, sweeps / 10). */
  readonly burnIn?: number | undefined;
  /** Sweeps between recorded distances, default 20. */
  readonly every?: number | undefined;
  /** Windows; by default those of `umbrellaWindows`. */
  readonly windows?: UmbrellaWindows | undefined;
  /** Seed of the random numbers, default 0. */
  readonly seed?: number | undefined;
  /** Stream of the random numbers, default 0. */
  readonly stream?: number | undefined;
  /** Keeps where the sampling after burn-in stands. Default: nothing is kept. */
  readonly keeper?: ProgressKeeper<UmbrellaProgress> | undefined;
}

/** Where umbrella sampling stands. */
export interface UmbrellaProgress {
  /** The chains. */
  readonly chains: MetropolisState;
  /** Distances so far, in the order of the result. */
  readonly coordinate: Float64Array;
  /** Sweeps of each chain after burn-in. */
  readonly done: number;
}

/** What {@link umbrellaSample} returns: samples window by window, in each start by start, in the order of time. */
export interface UmbrellaSample {
  /** Distance of each sample [n]. */
  readonly coordinate: Float64Array;
  /** Window of each sample [n]. */
  readonly windows: Int32Array;
  /** Start of each sample within its window [n]: even ones closed, odd ones open. Blocks are independent runs. */
  readonly blocks: Int32Array;
  /** Number of windows. */
  readonly count: number;
  /** Centre m of each window [count]. */
  readonly centres: Float64Array;
  /** κ of the bias κ (d − m)² in k_BT. */
  readonly biasConstant: number;
  /** Computes the bias of a window in k_BT. */
  readonly bias: (window: number, d: number) => number;
  /** Largest distance of neighbouring centres in units of the narrower one's σ. */
  readonly spacing: number;
  /** Sweeps of burn-in of every chain. */
  readonly burnIn: number;
  /** Fraction of moves accepted after burn-in. */
  readonly acceptance: number;
  /** Single-particle moves offered, burn-in included. */
  readonly moves: number;
  /** Energy evaluations that the moves are worth. */
  readonly energyEvaluations: number;
}

const WHAT = "run umbrella sampling";
/** Steps in which the bias is pulled from a start to its window. */
const PULLS = 50;
/** Sweeps between two turns of the event loop, at most. */
const PORTION = 1000;

/**
 * Samples the dimer under harmonic biases along its distance, every window from closed and from open starts.
 *
 * Each chain is pulled from its start to its window during the first half of burn-in; the step is tuned in burn-in only.
 * Feed the result to `umbrellaFreeEnergies`: the two starts of a window are its independent blocks, so what they have not
 * forgotten shows in the error.
 *
 * @param system the dimer
 * @param options length, temperature, starts, seed, threads
 * @returns distances with their windows and starts, the biases, and the cost
 * @throws {RangeError} if an option is impossible
 *
 * @example
 * ```ts
 * import { ParticleDimer, umbrellaSample } from "@boltzflow/boltzflow";
 * const system = new ParticleDimer({ solvent: 0 });
 * const { coordinate, count } = await umbrellaSample(system, { sweeps: 200, every: 20 });
 * if (coordinate.length !== count * 2 * 10) throw new Error("ten samples of two starts in each window");
 * ```
 */
export async function umbrellaSample(system: ParticleDimer, options: UmbrellaSampleOptions): Promise<UmbrellaSample> {
  const { sweeps, temperature = 1, starts = 2, every = 20, seed, stream, pool } = options;
  const { burnIn = Math.max(2000, Math.ceil(sweeps / 10)) } = options;
  checkOptions(sweeps, starts, every, burnIn);
  const windows = options.windows ?? umbrellaWindows(system, temperature);
  const { centres, biasConstant } = windows;
  const count = centres.length;
  const targets = Float64Array.from({ length: count * starts }, (_, c) => centres[Math.floor(c / starts)]);
  const total = burnIn + sweeps;
  const pause = pausing(options);
  const samples = Math.floor(sweeps / every);
  const saved = await options.keeper?.load() ?? null;
  if (saved !== null) checkProgress(saved, samples * targets.length, sweeps);
  const chains = saved === null
    ? new MetropolisChains(system, {
      chains: count * starts,
      temperature,
      seed,
      stream,
      bias: { constant: biasConstant, centres: targets },
    })
    : MetropolisChains.fromState(system, saved.chains);
  if (saved === null) await pullToWindows(chains, targets, burnIn, options, (done) => pause(done / total));
  const coordinate = saved?.coordinate ?? new Float64Array(samples * chains.chains);
  const portion = Math.max(every, PORTION - PORTION % every);
  for (let done = saved?.done ?? 0; done < sweeps;) {
    const distances = chains.advance(Math.min(portion, sweeps - done), { every, pool });
    const first = done / every;
    distances.forEach((d, i) => {
      coordinate[(i % chains.chains) * samples + first + Math.floor(i / chains.chains)] = d;
    });
    done += portion;
    await options.keeper?.offer(() => ({ chains: chains.state, coordinate, done }));
    await pause(Math.min(1, (burnIn + done) / total));
  }
  const chainOf = (i: number) => Math.floor(i / samples);
  return {
    coordinate,
    windows: Int32Array.from(coordinate, (_, i) => Math.floor(chainOf(i) / starts)),
    blocks: Int32Array.from(coordinate, (_, i) => chainOf(i) % starts),
    count,
    centres,
    biasConstant,
    bias: (window, d) => biasConstant * (d - centres[window]) * (d - centres[window]),
    spacing: windows.spacing,
    burnIn,
    acceptance: chains.acceptance(),
    moves: chains.moves,
    energyEvaluations: chains.energyEvaluations,
  };
}

/** Refuses what was kept by other sampling. */
function checkProgress({ coordinate, done }: UmbrellaProgress, length: number, sweeps: number): void {
  if (coordinate.length === length && Number.isSafeInteger(done) && done >= 0) return;
  throw new RangeError(
    `Cannot resume umbrella sampling: what was kept must hold ${length} distances of ${sweeps} sweeps, got ` +
      `${coordinate.length} and sweep ${done}`,
  );
}

/** Pulls the bias of each chain from where the chain starts to its window, then lets it relax there. */
async function pullToWindows(
  chains: MetropolisChains,
  targets: Float64Array,
  burnIn: number,
  options: ComputeOptions,
  pause: (done: number) => Promise<void>,
): Promise<void> {
  const starts = chains.distances();
  const half = Math.floor(burnIn / 2);
  for (let k = 1; k <= PULLS; k++) {
    chains.moveBias(targets.map((m, c) => starts[c] + (m - starts[c]) * k / PULLS));
    chains.tune(Math.floor(half * k / PULLS) - Math.floor(half * (k - 1) / PULLS), options);
    await pause(half * k / PULLS);
  }
  chains.moveBias(targets);
  const before = chains.sweeps;
  for (let left = burnIn - half; left > 0; left -= PORTION) {
    chains.advance(Math.min(PORTION, left), options);
    await pause(half + chains.sweeps - before);
  }
  chains.resetAcceptance();
}

function checkOptions(sweeps: number, starts: number, every: number, burnIn: number): void {
  const whole = (value: number, name: string, least: number) => {
    if (!Number.isSafeInteger(value) || value < least) {
      throw new RangeError(`Cannot ${WHAT}: ${name} must be a whole number ≥ ${least}, got ${value}`);
    }
  };
  whole(every, "every", 1);
  whole(sweeps, "sweeps", every);
  whole(burnIn, "burnIn", 0);
  if (!Number.isInteger(starts) || starts < 2 || starts % 2 !== 0) {
    throw new RangeError(`Cannot ${WHAT}: starts must be an even number ≥ 2, got ${starts}`);
  }
}
