/**
 * Monte Carlo data of the dimer run: three splits by chain, in the reference domain.
 *
 * @module
 */
import type { Executor } from "../backend/executor.ts";
import type { MetropolisChains } from "../sampling/metropolis_chains.ts";
import type { ProgressKeeper } from "../sampling/keeper.ts";
import { type MetropolisProgress, type MetropolisSample, metropolisSample } from "../sampling/metropolis_sample.ts";
import { settledStarts } from "../sampling/settled_starts.ts";
import { DIMER_BOUNDARY, type ParticleDimer } from "../system/particle_dimer.ts";
import type { DimerData, DimerFrames } from "./dimer_results.ts";
import type { DataSettings } from "./dimer_settings.ts";
import { type SampleInTurn, samplesInTurn } from "./samples_in_turn.ts";

/** What to sample, and how much. */
export interface DimerDataOptions {
  /** The system. */
  readonly system: ParticleDimer;
  /** T in units of T₀. */
  readonly temperature: number;
  /** Chains and frames of each split. */
  readonly settings: DataSettings;
  /** Seed; the splits take different streams. */
  readonly seed: number;
  /** Threads. */
  readonly pool: Executor;
  /** Told the share of the work that is done. */
  readonly onProgress?: (done: number) => void;
  /** Ends the sampling early, with an AbortError. */
  readonly signal?: AbortSignal;
  /** Keeps where the sampling stands. Default: nothing is kept. */
  readonly keeper?: ProgressKeeper<readonly MetropolisProgress[]> | undefined;
}

/** Data, and the training chains at the end of it, from which fresh frames can be taken. */
export interface SampledDimerData extends DimerData {
  /** The chains of the training split. */
  readonly chains: MetropolisChains;
}

/** Sweeps for which springs hold each chain in its basin while its crowded start settles. */
const HOLD_SWEEPS = 400;
/** A sweep of moves is worth this many energies: every pair counts in the moves of both its particles. */
const ENERGIES_PER_SWEEP = 2;

/** A split: its streams of random numbers, and its spacing of frames in statistical inefficiencies. */
const SPLITS = {
  train: { stream: 11, settling: 21, spacing: 0.25 },
  validate: { stream: 12, settling: 22, spacing: 1 },
  evaluate: { stream: 13, settling: 23, spacing: 1 },
} as const;

type Split = keyof typeof SPLITS;

/**
 * Samples the data of a run: three splits whose chains share nothing.
 *
 * Burn-in and stride are measured for each split. Half of the chains start closed, half open, where springs keep them
 * until they have settled; a frame belongs to the basin of its own distance.
 *
 * @param options what, how much
 * @returns the three splits, and what they cost
 * @throws {DOMException} "AbortError" if the signal says so
 */
export async function sampleDimerData(options: DimerDataOptions): Promise<SampledDimerData> {
  const names = Object.keys(SPLITS) as Split[];
  const [train, validate, evaluate] = await samplesInTurn(names.map((name) => sampleSplit(options, name)), options);
  const sum = (f: (sample: MetropolisSample) => number) => f(train) + f(validate) + f(evaluate);
  const settling = sum(({ chains }) => chains.chains) * HOLD_SWEEPS;
  return {
    train: framesOf(train),
    validate: framesOf(validate),
    evaluate: framesOf(evaluate),
    chains: train.chains,
    statistics: {
      burnIn: HOLD_SWEEPS + Math.max(...[train, validate, evaluate].map(({ relaxation }) => relaxation.burnIn)),
      relaxed: [train, validate, evaluate].every(({ relaxation }) => relaxation.relaxed),
      evaluationRelaxed: evaluate.relaxation.relaxed,
      stride: { train: train.stride, validate: validate.stride, evaluate: evaluate.stride },
      autocorrelationSweeps: train.relaxation.autocorrelationTime,
      acceptance: train.acceptance,
      crossings: sum(({ crossings }) => crossings.reduce((a, b) => a + b, 0)),
      moves: sum(({ moves }) => moves) + settling * options.system.particles,
      energyEvaluations: sum(({ energyEvaluations }) => energyEvaluations) + ENERGIES_PER_SWEEP * settling,
    },
  };
}

function sampleSplit(
  { system, temperature, settings, seed, pool, signal }: DimerDataOptions,
  split: Split,
): SampleInTurn<ParticleDimer> {
  const { stream, settling, spacing } = SPLITS[split];
  const own = { chains: settings.chains[split], temperature, seed };
  const frames = settings.frames[split];
  const start = () => settledStarts(system, { ...own, stream: settling, sweeps: HOLD_SWEEPS, pool });
  return {
    work: frames * spacing,
    draw: (how) => metropolisSample(system, { ...own, frames, start, stream, spacing, pool, signal, ...how }),
  };
}

function framesOf({ x, chain, d }: MetropolisSample): DimerFrames {
  return { x, chain, d };
}

/** Number of frames in each basin. */
export function countBasins({ d }: DimerFrames): { readonly closed: number; readonly open: number } {
  const closed = d.reduce((count, distance) => count + (distance < DIMER_BOUNDARY ? 1 : 0), 0);
  return { closed, open: d.length - closed };
}
