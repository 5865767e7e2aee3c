/**
 * Umbrella sampling of the dimer along its distance, with the bond taken out.
 *
 * @module
 */
import type { Executor } from "../backend/executor.ts";
import type { FreeEnergyEstimate } from "../reweighting/estimate.ts";
import type { FreeEnergyProfile } from "../reweighting/profile_band.ts";
import { umbrellaFreeEnergies } from "../reweighting/umbrella.ts";
import type { ProgressKeeper } from "../sampling/keeper.ts";
import { type UmbrellaProgress, type UmbrellaSample, umbrellaSample } from "../sampling/umbrella_sample.ts";
import type { UmbrellaWindows } from "../sampling/umbrella_windows.ts";
import { DIMER_BOUNDARY, ParticleDimer } from "../system/particle_dimer.ts";
import { dimerRange } from "./dimer_bins.ts";
import type { DimerReference } from "./dimer_results.ts";

/** What umbrella sampling needs to know. */
export interface DimerUmbrellaOptions {
  /** T in units of T₀. */
  readonly temperature: number;
  /** Sweeps of each chain after burn-in. */
  readonly sweeps: number;
  /** Replicates of the bootstrap. */
  readonly bootstraps: number;
  /** Bin edges of the profile. */
  readonly edges: Float64Array;
  /** Seed of chains and bootstrap. */
  readonly seed: number;
  /** Threads. */
  readonly pool: Executor;
  /** Told the fraction done. */
  readonly onProgress?: ((done: number) => void) | undefined;
  /** Ends the sampling early with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Keeps where the sampling stands. */
  readonly keeper?: ProgressKeeper<UmbrellaProgress> | undefined;
}

/** The part of the reference that umbrella sampling contributes. */
export type DimerUmbrellaResult = Pick<DimerReference, "freeEnergyDifference" | "byStart" | "profile" | "windows"> & {
  /** Single-particle moves offered. */
  readonly moves: number;
  /** What they are worth in energy evaluations. */
  readonly energyEvaluations: number;
};

/** κ of the springs in k_BT: σ of a window is 0.09 where the solvent does not bend the profile. */
const SPRING = 60;
/** Largest spacing of centres in units of (2κ)^−1/2; the solvent may double the stiffness before it becomes 1.4 σ. */
const SPACING = 1;
/** k_BT above the minimum of either basin that windows span: the rest holds e^−12 of the weight. */
const REACH = 12;
/** Chains per window, two of each start, so that each start alone has an error too. */
const CHAINS = 4;
/** Samples of a chain that are kept, about. */
const SAMPLES = 10_000;
/** Sweeps between samples, at least. */
const LEAST_INTERVAL = 20;
/** Samples closer than this are merged; the bias, bond included, differs by less than 1e-3 k_BT between them. */
const RESOLUTION = 1e-3;
/** Stream of the random numbers: no chain of the data uses it. */
const STREAM = 21;
/** Standard errors by which the two starts may differ. */
const LARGEST_DISAGREEMENT = 3;

/**
 * Places windows evenly over the distances that carry weight.
 *
 * @param system the dimer
 * @param temperature T in units of T₀
 * @returns centres, κ, and their spacing in units of (2κ)^−1/2
 */
export function bondlessWindows(system: ParticleDimer, temperature: number): UmbrellaWindows {
  const sigma = 1 / Math.sqrt(2 * SPRING);
  const [shortest, high] = dimerRange(system, temperature, REACH);
  // A window at σ reaches down to 0; one at 0 would be narrower, since d is not negative.
  const low = Math.max(shortest, sigma);
  const gaps = Math.ceil((high - low) / (SPACING * sigma));
  const centres = Float64Array.from({ length: gaps + 1 }, (_, k) => low + (high - low) * k / gaps);
  return { centres, biasConstant: SPRING, spacing: (high - low) / gaps / sigma };
}

/**
 * Makes the same system without the energy of its bond.
 *
 * @param system the dimer
 * @returns a dimer whose U is less by the bond
 */
export function withoutBond(system: ParticleDimer): ParticleDimer {
  const { preset, parameters, sites } = system;
  return new ParticleDimer({ ...parameters, preset, sites, a: 0, b: 0, slope: 0 });
}

/**
 * Estimates F_open − F_closed and F(d) by umbrella sampling along d.
 *
 * The bias of window k is κ (d − m_k)² − βw(d): a spring, and minus the bond, whose energy is a known function of d. What
 * is left of the profile is the solvent's doing, a few k_BT at any temperature and for any bond, so that windows of one
 * width, (2κ)^−1/2 apart, serve all of them. Four chains per window, two from closed and two from open starts, are
 * its independent blocks: the error is what they disagree about.
 *
 * @param system the dimer
 * @param options length, bins, seed, threads
 * @returns difference, difference by start, profile, set-up and cost
 */
export async function dimerUmbrella(
  system: ParticleDimer,
  options: DimerUmbrellaOptions,
): Promise<DimerUmbrellaResult> {
  const { temperature, sweeps, seed, pool, onProgress, signal, keeper } = options;
  const windows = bondlessWindows(system, temperature);
  const sample = await umbrellaSample(withoutBond(system), {
    sweeps,
    every: Math.min(sweeps, Math.max(LEAST_INTERVAL, Math.floor(sweeps / SAMPLES))),
    temperature,
    starts: CHAINS,
    windows,
    seed,
    stream: STREAM,
    pool,
    onProgress,
    signal,
    keeper,
  });
  const solve = (keep: (block: number) => boolean) => solveUmbrella(system, sample, keep, options);
  const all = solve(() => true);
  await turn(signal);
  const closed = solve((block) => block % 2 === 0).difference;
  await turn(signal);
  const open = solve((block) => block % 2 === 1).difference;
  return {
    freeEnergyDifference: doubtedByStarts(all.difference, closed, open),
    byStart: { closed, open },
    profile: all.profile,
    windows: {
      centres: Array.from(windows.centres),
      biasConstant: windows.biasConstant,
      spacing: measuredSpacing(sample),
      chainsPerWindow: CHAINS,
      burnIn: sample.burnIn,
      sweeps,
      acceptance: sample.acceptance,
    },
    moves: sample.moves,
    energyEvaluations: sample.energyEvaluations,
  };
}

/** Lets events through between two computations. */
async function turn(signal: AbortSignal | undefined): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 0));
  signal?.throwIfAborted();
}

/** Solves the multistate equations for the chains that `keep` accepts. */
function solveUmbrella(
  system: ParticleDimer,
  sample: UmbrellaSample,
  keep: (block: number) => boolean,
  { temperature, bootstraps, edges, seed }: DimerUmbrellaOptions,
): { difference: FreeEnergyEstimate; profile: FreeEnergyProfile } {
  const kept = Array.from(sample.blocks.keys()).filter((i) => keep(sample.blocks[i]));
  return umbrellaFreeEnergies({
    coordinate: Float64Array.from(kept, (i) => sample.coordinate[i]),
    windows: Int32Array.from(kept, (i) => sample.windows[i]),
    blocks: Int32Array.from(kept, (i) => sample.blocks[i]),
  }, {
    count: sample.count,
    bias: (window, d) => sample.bias(window, d) - system.dimerEnergy(d) / temperature,
    edges,
    split: DIMER_BOUNDARY,
    resolution: RESOLUTION,
    replicates: bootstraps,
    seed,
  });
}

/**
 * Doubts an estimate whose starts disagree.
 *
 * @param all the estimate from all chains
 * @param closed from the chains that started closed
 * @param open from the chains that started open
 * @returns the estimate, unreliable if the starts differ by more than three standard errors
 */
export function doubtedByStarts(
  all: FreeEnergyEstimate,
  closed: FreeEnergyEstimate,
  open: FreeEnergyEstimate,
): FreeEnergyEstimate {
  if (!all.reliable) return all;
  const doubt = (reason: string) => ({ ...all, reliable: false, reason });
  if (closed.value === null || open.value === null) return doubt("the chains of one start alone give no estimate");
  const error = Math.hypot(closed.standardError ?? NaN, open.standardError ?? NaN);
  const difference = Math.abs(closed.value - open.value);
  if (difference <= LARGEST_DISAGREEMENT * error) return all;
  return doubt(
    `chains from closed and from open starts differ by ${difference.toFixed(2)} k_BT, more than ` +
      `${LARGEST_DISAGREEMENT} standard errors of ${error.toFixed(2)} k_BT: they have not forgotten where they began`,
  );
}

/** Largest distance of neighbouring centres over the smaller of their measured standard deviations of d. */
function measuredSpacing({ coordinate, windows, centres, count }: UmbrellaSample): number {
  const sums = Array.from({ length: count }, () => ({ n: 0, first: 0, second: 0 }));
  coordinate.forEach((d, i) => {
    const sum = sums[windows[i]];
    const off = d - centres[windows[i]];
    sum.n++;
    sum.first += off;
    sum.second += off * off;
  });
  const sigma = sums.map(({ n, first, second }) => Math.sqrt(second / n - (first / n) ** 2));
  const gaps = Array.from(centres.subarray(1), (m, k) => (m - centres[k]) / Math.min(sigma[k], sigma[k + 1]));
  return Math.max(...gaps);
}
