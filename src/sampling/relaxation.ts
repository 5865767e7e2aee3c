/**
 * Burn-in by measurement: chains run until they have forgotten their starts.
 *
 * @module
 */
import type { ComputeOptions } from "../system/system.ts";
import { equilibrationStart, pooledAutocorrelationTime } from "./autocorrelation.ts";
import type { ParticleSystem } from "../system/particle_system.ts";
import type { MetropolisChains } from "./metropolis_chains.ts";
import { type LongRunOptions, pausing } from "./pause.ts";

/** What {@link relax} found. */
export interface Relaxation {
  /** Sweeps of burn-in, tuning included. */
  readonly burnIn: number;
  /** Integrated autocorrelation time in sweeps, the longer one of the energy's and of the configurations'. */
  readonly autocorrelationTime: number;
  /** Whether the last trial met both conditions; else it was the longest allowed. */
  readonly relaxed: boolean;
}

/** How {@link relax} is stopped and goes on between two trials, and what it tells. */
export interface RelaxOptions extends ComputeOptions, LongRunOptions {
  /** Trials that the chains have behind them, tuning included; default 0. */
  readonly trials?: number | undefined;
  /** Told after each trial that did not suffice how many there were. */
  readonly onTrial?: ((trials: number) => Promise<void>) | undefined;
}

/** Sweeps that adapt the step before anything is measured. */
const TUNING = 400;
/** Records of a trial. */
const RECORDS = 128;
/** Sweeps between records of the first trial. */
const FIRST_INTERVAL = 20;
/** Trials, each twice as long as the one before. */
const TRIALS = 7;
/** Autocorrelation times that a trial must hold. */
const ENOUGH_TIMES = 20;

/**
 * Runs chains until they have relaxed and tells how fast they forget.
 *
 * After tuning the step, trials of doubling length are run. A trial suffices if the mean energy of the chains from each of
 * the system's starts (closed and open for the dimer) stands still in its second half (`equilibrationStart`), and if it
 * lasts at least 20 autocorrelation times of the energy and of the canonical configurations (autocovariances summed over
 * all coordinates, the chains of each start about their own mean). Everything run so far is burn-in.
 *
 * @param chains chains that took the system's starts in turn, changed
 * @param options threads, progress, signal, trials before
 * @returns length of burn-in and autocorrelation time
 */
export async function relax(
  chains: MetropolisChains<ParticleSystem>,
  options: RelaxOptions = {},
): Promise<Relaxation> {
  const { trials = 0, onTrial } = options;
  const pause = pausing(options);
  if (trials === 0) chains.tune(TUNING, options);
  const starts = Array.from(chains.system.startConfigurations(), (_, start) => start);
  for (let trial = trials + 1;; trial++) {
    const interval = FIRST_INTERVAL * 2 ** (trial - 1);
    const frames: Float64Array[] = [];
    const energies: Float64Array[] = [];
    for (let k = 0; k < RECORDS; k++) {
      chains.advance(interval, options);
      const { x } = chains.frames(options);
      frames.push(x);
      energies.push(chains.system.energy(x, options));
      await pause((trial - 1 + k / RECORDS) / TRIALS);
    }
    const autocorrelationTime = interval *
      Math.max(timeOf(energies, chains.chains, starts), timeOf(frames, chains.chains, starts));
    const still = starts.every((s) => equilibrationStart(meanOf(energies, s, starts.length)) <= RECORDS / 2);
    const relaxed = still && interval * RECORDS >= ENOUGH_TIMES * autocorrelationTime;
    if (relaxed || trial === TRIALS) {
      chains.resetAcceptance();
      return { burnIn: chains.sweeps, autocorrelationTime, relaxed };
    }
    await onTrial?.(trial);
  }
}

/** Mean over the chains of one start at each time. */
function meanOf(records: readonly Float64Array[], start: number, starts: number): Float64Array {
  return Float64Array.from(records, (values) => {
    let sum = 0;
    for (let c = start; c < values.length; c += starts) sum += values[c];
    return sum / Math.ceil((values.length - start) / starts);
  });
}

/** Autocorrelation time, in records, of all numbers that each chain has: [chains, width] at each time. */
function timeOf(records: readonly Float64Array[], chains: number, starts: readonly number[]): number {
  const width = records[0].length / chains;
  const groups: Float64Array[][] = [];
  for (const start of starts) {
    for (let k = 0; k < width; k++) {
      const group: Float64Array[] = [];
      for (let c = start; c < chains; c += starts.length) {
        group.push(Float64Array.from(records, (row) => row[c * width + k]));
      }
      groups.push(group);
    }
  }
  return pooledAutocorrelationTime(groups);
}
