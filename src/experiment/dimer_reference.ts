/**
 * What the flow's numbers are compared with: umbrella sampling, and plain Monte Carlo at the same cost.
 *
 * @module
 */
import type { Executor } from "../backend/executor.ts";
import { freeEnergyDifferenceByCounting } from "../reweighting/counted_difference.ts";
import { type FreeEnergyEstimate, noEstimate } from "../reweighting/estimate.ts";
import type { MetropolisState } from "../sampling/chain_state.ts";
import type { ProgressKeeper } from "../sampling/keeper.ts";
import { MetropolisChains } from "../sampling/metropolis_chains.ts";
import type { UmbrellaProgress } from "../sampling/umbrella_sample.ts";
import { DIMER_BOUNDARY, type ParticleDimer } from "../system/particle_dimer.ts";
import { profileEdges } from "./dimer_bins.ts";
import type { DimerReference } from "./dimer_results.ts";
import { dimerUmbrella } from "./dimer_umbrella.ts";

/** How long, how exactly, and who is told. */
export interface DimerReferenceOptions {
  /** T in units of T₀. */
  readonly temperature: number;
  /** Sweeps of each chain after burn-in; a window has four chains. */
  readonly sweepsPerWindow: number;
  /** Replicates of the bootstrap. */
  readonly bootstraps: number;
  /** Bin edges of the profile, by default those of `profileEdges`. */
  readonly edges?: Float64Array | undefined;
  /** Seed of chains and bootstrap. */
  readonly seed: number;
  /** Threads. */
  readonly pool: Executor;
  /** Told the fraction done, 0 … 1. */
  readonly onProgress?: ((done: number) => void) | undefined;
  /** Ends the computation early with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Keep where umbrella sampling and plain chains stand. */
  readonly keepers?: {
    readonly umbrella: ProgressKeeper<UmbrellaProgress>;
    readonly plain: ProgressKeeper<PlainProgress>;
  } | undefined;
}

/** Where plain chains stand after burn-in. */
export interface PlainProgress {
  /** The chains. */
  readonly chains: MetropolisState;
  /** Basins seen so far. */
  readonly basins: Int8Array;
  /** Sweeps of each chain after burn-in. */
  readonly done: number;
}

/** Stream of the plain chains. */
const PLAIN_STREAM = 22;
/** With fewer crossings per chain, the populations of the basins still remember how many chains started in each. */
const LEAST_CROSSINGS_PER_CHAIN = 10;
/** Sweeps between two looks at the basins of the plain chains. */
const LOOK_EVERY = 50;
/** Sweeps between two turns of the event loop. */
const PORTION = 1000;
/** Milliseconds between two turns of the event loop. */
const TURN_MS = 50;

/**
 * Computes the reference: F_open − F_closed and F(d) by umbrella sampling along d, and beside it what plain Monte Carlo
 * makes of the same number of moves from closed and open starts.
 *
 * The result is the same for any number of threads.
 *
 * @param system the dimer
 * @param options length, temperature, seed, threads
 * @returns estimates with errors, and what they cost
 * @throws {RangeError} if an option is impossible
 */
export async function dimerReference(system: ParticleDimer, options: DimerReferenceOptions): Promise<DimerReference> {
  const { temperature, sweepsPerWindow, bootstraps, seed, pool, signal, onProgress } = options;
  const edges = options.edges ?? profileEdges(system, temperature);
  const { moves, energyEvaluations, ...umbrella } = await dimerUmbrella(system, {
    temperature,
    sweeps: sweepsPerWindow,
    bootstraps,
    edges,
    seed,
    pool,
    signal,
    onProgress: (done) => onProgress?.(done / 2),
    keeper: options.keepers?.umbrella,
  });
  const { centres, chainsPerWindow, burnIn } = umbrella.windows;
  const plain = await plainMonteCarlo(system, {
    ...options,
    keeper: options.keepers?.plain,
    chains: centres.length * chainsPerWindow,
    burnIn,
    onProgress: (done) => onProgress?.((1 + done) / 2),
  });
  return {
    ...umbrella,
    plain: plain.result,
    moves: { umbrella: moves, plain: plain.moves },
    energyEvaluations: energyEvaluations + plain.energyEvaluations,
  };
}

/** How many chains, and how long they settle. */
export interface PlainMonteCarloOptions extends Omit<DimerReferenceOptions, "edges" | "keepers"> {
  /** Keeps where the chains stand. Default: nothing is kept. */
  readonly keeper?: ProgressKeeper<PlainProgress> | undefined;
  /** Chains, an even number: half start closed. */
  readonly chains: number;
  /** Sweeps of each chain that do not count; the step is adapted in the first half of them. */
  readonly burnIn: number;
}

/** What chains without bias found, and what they cost. */
export interface PlainMonteCarlo {
  /** Estimate, crossings, chains. */
  readonly result: DimerReference["plain"];
  /** Single-particle moves offered. */
  readonly moves: number;
  /** What they are worth in energy evaluations. */
  readonly energyEvaluations: number;
}

/**
 * Runs chains without bias, half of them from closed starts, and counts where they are.
 *
 * @param system the dimer
 * @param options chains, length, temperature, seed, threads
 * @returns the estimate, doubted where the chains crossed too seldom
 */
export async function plainMonteCarlo(
  system: ParticleDimer,
  options: PlainMonteCarloOptions,
): Promise<PlainMonteCarlo> {
  const { temperature, sweepsPerWindow, bootstraps, seed, pool, onProgress, signal, chains, burnIn, keeper } = options;
  const saved = await keeper?.load() ?? null;
  const walkers = saved === null
    ? new MetropolisChains(system, { chains, temperature, seed, stream: PLAIN_STREAM })
    : MetropolisChains.fromState(system, saved.chains);
  const total = burnIn + sweepsPerWindow;
  let lastTurn = performance.now();
  const pause = async (done: number) => {
    if (performance.now() - lastTurn < TURN_MS) return;
    onProgress?.(done / total);
    await new Promise((resolve) => setTimeout(resolve, 0));
    signal?.throwIfAborted();
    lastTurn = performance.now();
  };
  for (let done = saved === null ? 0 : burnIn; done < burnIn; done += PORTION) {
    const sweeps = Math.min(PORTION, burnIn - done);
    // The step is adapted in the first half, so that the second forgets how.
    if (done < burnIn / 2) walkers.tune(sweeps, { pool });
    else walkers.advance(sweeps, { pool });
    await pause(done);
  }
  const every = Math.min(LOOK_EVERY, sweepsPerWindow);
  const looks = Math.floor(sweepsPerWindow / every);
  const basins = saved?.basins ?? new Int8Array(looks * chains);
  if (basins.length !== looks * chains) {
    throw new RangeError(
      `Cannot resume plain Monte Carlo: what was kept must hold ${looks * chains} basins, got ${basins.length}`,
    );
  }
  for (let done = saved?.done ?? 0; done < sweepsPerWindow;) {
    const d = walkers.advance(Math.min(PORTION, sweepsPerWindow - done), { every, pool });
    const at = done / every * chains;
    for (let i = 0; i < d.length; i++) basins[at + i] = d[i] < DIMER_BOUNDARY ? 0 : 1;
    done += PORTION;
    await keeper?.offer(() => ({ chains: walkers.state, basins, done }));
    await pause(burnIn + done);
  }
  const chainOf = Int32Array.from(basins, (_, i) => i % chains);
  const { crossings, ...counted } = freeEnergyDifferenceByCounting(basins, chainOf, { replicates: bootstraps, seed });
  return {
    result: { freeEnergyDifference: doubtedByCrossings(counted, crossings, chains), crossings, chains },
    moves: walkers.moves,
    energyEvaluations: walkers.energyEvaluations,
  };
}

/**
 * Doubts populations that rest on few crossings: half of the chains were put into each basin by hand.
 *
 * @param estimate from populations
 * @param crossings changes of basin, summed over chains
 * @param chains number of chains
 * @returns no estimate below one crossing per chain, an unreliable one below ten
 */
export function doubtedByCrossings(
  estimate: FreeEnergyEstimate,
  crossings: number,
  chains: number,
): FreeEnergyEstimate {
  if (crossings === 0) return noEstimate("no transition, no estimate");
  if (crossings >= LEAST_CROSSINGS_PER_CHAIN * chains) return estimate;
  const transitions = crossings === 1 ? "transition" : "transitions";
  if (crossings < chains) {
    return noEstimate(`only ${crossings} ${transitions} in ${chains} chains: populations are those of the starts`);
  }
  const reason = `only ${crossings} ${transitions} in ${chains} chains, fewer than ${LEAST_CROSSINGS_PER_CHAIN} for ` +
    "each: populations still remember the starts";
  return { ...estimate, reliable: false, reason };
}
