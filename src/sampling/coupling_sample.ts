/**
 * Monte Carlo of particles whose pair energies are switched on step by step.
 *
 * @module
 */
import { powerOf } from "../random/elementary.ts";
import type { CoupledSystem } from "../system/particle_system.ts";
import type { ComputeOptions } from "../system/system.ts";
import { statisticalInefficiency } from "./autocorrelation.ts";
import { COUPLING_POWER, type CouplingWindows, couplingWindows } from "./coupling_windows.ts";
import { MetropolisChains } from "./metropolis_chains.ts";
import type { ProgressKeeper } from "./keeper.ts";
import { type LongRunOptions, pausing } from "./pause.ts";

/** Where {@link couplingSample} stands: windows are complete or not begun. */
export interface CouplingProgress {
  /** Windows that are complete. */
  readonly done: number;
  /** As in the result, of complete windows. */
  readonly pairEnergies: Float64Array;
  /** As in the result. */
  readonly acceptance: Float64Array;
  /** As in the result. */
  readonly inefficiency: Float64Array;
  /** As in the result, so far. */
  readonly moves: number;
  /** As in the result, so far. */
  readonly energyEvaluations: number;
}

/** What {@link couplingSample} needs to know. */
export interface CouplingSampleOptions extends ComputeOptions, LongRunOptions {
  /** Keeps which windows are complete. Default: nothing is kept. */
  readonly keeper?: ProgressKeeper<CouplingProgress> | undefined;
  /** Sweeps of every chain after burn-in, ≥ every. */
  readonly sweeps: number;
  /** Nodes of the quadrature, 2 … 64, default 12. */
  readonly nodes?: number | undefined;
  /** Chains per window, even, default 8. */
  readonly chains?: number | undefined;
  /** T in units of T₀, default 1. */
  readonly temperature?: number | undefined;
  /** Sweeps of burn-in of every chain: the first half tunes the step. Default max(400, sweeps / 5). */
  readonly burnIn?: number | undefined;
  /** Sweeps between recorded energies, default 10. */
  readonly every?: number | undefined;
  /** Seed of the random numbers, default 0. */
  readonly seed?: number | undefined;
  /** First stream of the random numbers, default 0: every window takes the next one. */
  readonly stream?: number | undefined;
}

/** What {@link couplingSample} returns: samples window by window, in each chain by chain, in the order of time. */
export interface CouplingSample extends CouplingWindows {
  /** T in units of T₀. */
  readonly temperature: number;
  /** Pair energy ∂U/∂λ of each sample in k_BT₀ [n]. */
  readonly pairEnergies: Float64Array;
  /** ∂(U/T)/∂s of each sample, s = λ^(1/6) [n]. */
  readonly derivatives: Float64Array;
  /** Window of each sample [n]. */
  readonly windows: Int32Array;
  /** Chain of each sample, numbered through all windows [n]. */
  readonly blocks: Int32Array;
  /** Fraction of moves accepted after burn-in in each window [windows]. */
  readonly acceptance: Float64Array;
  /** Statistical inefficiency of the pair energy in each window, in sweeps [windows]. */
  readonly inefficiency: Float64Array;
  /** Single-particle moves offered, burn-in included. */
  readonly moves: number;
  /** Energy evaluations that moves and records are worth. */
  readonly energyEvaluations: number;
}

const WHAT = "sample couplings";
/** Sweeps between two turns of the event loop, at most. */
const PORTION = 500;

/**
 * Samples a system at couplings λ from the ideal gas to itself: U = walls + λ · pair energies.
 *
 * Every window has chains of its own from the system's starts. Feed `derivatives` to `thermodynamicIntegration`, or
 * λ · `pairEnergies` of all windows to `mbar`; `absoluteFreeEnergy` does both. For particles that repel by r⁻¹² in two
 * dimensions, without a transition between phases on the way.
 *
 * @param system the particles
 * @param options length, nodes, chains, temperature, seed, threads
 * @returns energies with their windows and chains, the windows, and the cost
 * @throws {RangeError} if an option is impossible
 *
 * @example
 * ```ts
 * import { couplingSample, LennardJonesFluid } from "@boltzflow/boltzflow";
 * const { couplings, windows } = await couplingSample(new LennardJonesFluid(), { sweeps: 20, nodes: 3, chains: 2 });
 * if (couplings.length !== 5 || windows.length !== 5 * 2 * 2) throw new Error("two records of two chains in each");
 * ```
 */
export async function couplingSample(system: CoupledSystem, options: CouplingSampleOptions): Promise<CouplingSample> {
  const { sweeps, nodes = 12, chains = 8, every = 10, temperature = 1 } = options;
  const { burnIn = Math.max(400, Math.ceil(sweeps / 5)) } = options;
  requireWhole("every", every, 1);
  requireWhole("sweeps", sweeps, every);
  requireWhole("burnIn", burnIn, 0);
  const placed = couplingWindows(nodes);
  const count = placed.couplings.length;
  const records = Math.floor(sweeps / every);
  const length = count * chains * records;
  const saved = await options.keeper?.load() ?? null;
  if (saved !== null) checkProgress(saved, length, count);
  const pairEnergies = saved?.pairEnergies ?? new Float64Array(length);
  const acceptance = saved?.acceptance ?? new Float64Array(count);
  const inefficiency = saved?.inefficiency ?? new Float64Array(count);
  const pause = pausing(options);
  let { moves, energyEvaluations } = saved ?? { moves: 0, energyEvaluations: length };
  for (let k = saved?.done ?? 0; k < count; k++) {
    const window = { first: k * chains * records, records, every, burnIn };
    const walkers = await sampleWindow(
      system,
      placed.couplings[k],
      options,
      k,
      { ...window, pairEnergies },
      (done) => pause((k + done) / count),
    );
    const series = Array.from({ length: chains }, (_, c) => {
      const start = window.first + c * records;
      return pairEnergies.subarray(start, start + records);
    });
    acceptance[k] = walkers.acceptance();
    inefficiency[k] = records > 1 ? every * statisticalInefficiency(series) : NaN;
    moves += walkers.moves;
    energyEvaluations += walkers.energyEvaluations;
    await options.keeper?.offer(() => ({
      done: k + 1,
      pairEnergies,
      acceptance,
      inefficiency,
      moves,
      energyEvaluations,
    }));
  }
  const blocks = Int32Array.from(pairEnergies, (_, i) => Math.floor(i / records));
  const windows = blocks.map((block) => Math.floor(block / chains));
  const slope = placed.couplings.map((coupling) =>
    COUPLING_POWER * powerOf(coupling, 1 - 1 / COUPLING_POWER) / temperature
  );
  const derivatives = pairEnergies.map((energy, i) => slope[windows[i]] * energy);
  const cost = { moves, energyEvaluations };
  return { ...placed, temperature, pairEnergies, derivatives, windows, blocks, acceptance, inefficiency, ...cost };
}

/** Refuses what was kept by other sampling. */
function checkProgress({ pairEnergies, acceptance, done }: CouplingProgress, length: number, count: number): void {
  if (pairEnergies.length === length && acceptance.length === count && done >= 0 && done <= count) return;
  throw new RangeError(
    `Cannot resume sampling couplings: what was kept must hold ${length} energies of ${count} windows, got ` +
      `${pairEnergies.length} of ${acceptance.length}`,
  );
}

/** Where a window's records go, and how many. */
interface Records {
  readonly pairEnergies: Float64Array;
  readonly first: number;
  readonly records: number;
  readonly every: number;
  readonly burnIn: number;
}

/** Burns the chains of one window in and records them. */
async function sampleWindow(
  system: CoupledSystem,
  coupling: number,
  options: CouplingSampleOptions,
  window: number,
  { pairEnergies, first, records, every, burnIn }: Records,
  pause: (done: number) => Promise<void>,
): Promise<MetropolisChains<ReturnType<CoupledSystem["withCoupling"]>>> {
  const { chains = 8, temperature, seed, stream = 0, pool } = options;
  const walkers = new MetropolisChains(system.withCoupling(coupling), {
    chains,
    temperature,
    seed,
    stream: stream + window,
  });
  const total = burnIn + records * every;
  walkers.tune(Math.ceil(burnIn / 2), { pool });
  for (let left = Math.floor(burnIn / 2); left > 0; left -= PORTION) {
    walkers.advance(Math.min(PORTION, left), { pool });
    await pause(walkers.sweeps / total);
  }
  walkers.resetAcceptance();
  for (let t = 0; t < records; t++) {
    walkers.advance(every, { pool });
    system.pairEnergy(walkers.positions(), { pool }).forEach((energy, c) => {
      pairEnergies[first + c * records + t] = energy;
    });
    await pause(walkers.sweeps / total);
  }
  return walkers;
}

function requireWhole(name: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least) {
    throw new RangeError(`Cannot ${WHAT}: ${name} must be a whole number ≥ ${least}, got ${value}`);
  }
}
