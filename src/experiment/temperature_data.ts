/**
 * Monte Carlo data of many temperatures: chains of their own for each, three splits by chain.
 *
 * @module
 */
import type { Executor } from "../backend/executor.ts";
import type { ProgressKeeper } from "../sampling/keeper.ts";
import { type MetropolisProgress, type MetropolisSample, metropolisSample } from "../sampling/metropolis_sample.ts";
import { settledStarts } from "../sampling/settled_starts.ts";
import type { ParticleDimer } from "../system/particle_dimer.ts";
import type { DimerFrames } from "./dimer_results.ts";
import { type SampleInTurn, samplesInTurn } from "./samples_in_turn.ts";
import type { LadderTemperature } from "./temperature_ladder.ts";
import type { TemperatureSettings } from "./temperature_settings.ts";

/** What to sample, and how much. */
export interface TemperatureDataOptions {
  /** The system. */
  readonly system: ParticleDimer;
  /** The temperatures. */
  readonly ladder: readonly LadderTemperature[];
  /** Chains and frames of each temperature and split. */
  readonly settings: TemperatureSettings["data"];
  /** Seed; temperatures and splits take different streams. */
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

/** How the chains of one temperature behaved. */
export interface ChainStatistics {
  /** Sweeps before the first frame, the longest of the splits. */
  readonly burnIn: number;
  /** Whether the chains of every split had relaxed by then. */
  readonly relaxed: boolean;
  /** Whether those of the evaluation split had, on which estimates by BAR rest. */
  readonly evaluationRelaxed: boolean;
  /** Integrated autocorrelation time of the evaluation chains in sweeps. */
  readonly autocorrelationSweeps: number;
  /** Sweeps between evaluation frames of a chain. */
  readonly stride: number;
  /** Share of moves accepted by evaluation chains. */
  readonly acceptance: number;
  /** Changes of basin from frame to frame, summed over the chains of all splits. */
  readonly crossings: number;
}

/** Data of one temperature. */
export interface TemperatureData extends LadderTemperature {
  /** For training; null at temperatures that are not trained on. */
  readonly train: DimerFrames | null;
  /** For choosing parameters; null there, too. */
  readonly validate: DimerFrames | null;
  /** For free energies: seen by neither training nor the choice of parameters. */
  readonly evaluate: DimerFrames;
  /** How the chains behaved. */
  readonly statistics: ChainStatistics;
  /** Single-particle moves offered. */
  readonly moves: number;
  /** What they are worth in energy evaluations. */
  readonly energyEvaluations: number;
}

/** The splits: streams relative to that of the temperature, and spacing of frames in statistical inefficiencies. */
const SPLITS = {
  train: { stream: 0, spacing: 0.25 },
  validate: { stream: 2, spacing: 1 },
  evaluate: { stream: 4, spacing: 1 },
} as const;

type Split = keyof typeof SPLITS;

/** Temperature number k takes the streams from FIRST_STREAM + k · STREAMS on. */
const FIRST_STREAM = 1000;
const STREAMS = 8;
/** Sweeps in which springs keep chains in their basins while the first configurations settle. */
const HOLD_SWEEPS = 400;

/**
 * Samples the data of a run over temperatures: at every temperature evaluation frames, at those of the ladder's rungs also
 * frames for training and validation. No two chains share random numbers.
 *
 * Half of the chains start closed, half open, where springs kept them until they had settled (`settledStarts`).
 *
 * @param options what, how much
 * @returns the data in the order of the ladder
 * @throws {DOMException} "AbortError" if the signal says so
 */
export async function sampleTemperatures(options: TemperatureDataOptions): Promise<TemperatureData[]> {
  const { ladder } = options;
  const splitsOf = ({ trained }: LadderTemperature): Split[] =>
    trained ? ["train", "validate", "evaluate"] : ["evaluate"];
  const jobs = ladder.flatMap((at, k) => splitsOf(at).map((split) => ({ k, split })));
  const drawn = await samplesInTurn(jobs.map(({ k, split }) => sampleSplit(options, k, split)), options);
  const samples: Partial<Record<Split, MetropolisSample>>[] = ladder.map(() => ({}));
  for (const [j, { k, split }] of jobs.entries()) samples[k][split] = drawn[j];
  return ladder.map((at, k) => summarise(at, samples[k]));
}

function sampleSplit(
  { system, ladder, settings, seed, pool, signal }: TemperatureDataOptions,
  k: number,
  split: Split,
): SampleInTurn<ParticleDimer> {
  const { temperature } = ladder[k];
  const { stream, spacing } = SPLITS[split];
  const own = { chains: settings.chains[split], temperature, seed };
  const first = FIRST_STREAM + STREAMS * k + stream;
  const frames = settings.frames[split];
  const start = () => settledStarts(system, { ...own, stream: first + 1, sweeps: HOLD_SWEEPS, pool });
  return {
    work: own.chains + frames * spacing,
    draw: (how) => metropolisSample(system, { ...own, frames, start, stream: first, spacing, pool, signal, ...how }),
  };
}

function summarise(at: LadderTemperature, samples: Partial<Record<Split, MetropolisSample>>): TemperatureData {
  const { train, validate, evaluate } = samples as { evaluate: MetropolisSample } & typeof samples;
  const all = [train, validate, evaluate].filter((sample) => sample !== undefined);
  const sum = (f: (sample: MetropolisSample) => number) => all.reduce((total, sample) => total + f(sample), 0);
  // The chains that only settled starts offered as many sweeps as HOLD_SWEEPS each.
  const settling = sum(({ chains }) => chains.chains) * HOLD_SWEEPS;
  return {
    ...at,
    train: train === undefined ? null : framesOf(train),
    validate: validate === undefined ? null : framesOf(validate),
    evaluate: framesOf(evaluate),
    statistics: {
      burnIn: HOLD_SWEEPS + Math.max(...all.map(({ relaxation }) => relaxation.burnIn)),
      relaxed: all.every(({ relaxation }) => relaxation.relaxed),
      evaluationRelaxed: evaluate.relaxation.relaxed,
      autocorrelationSweeps: evaluate.relaxation.autocorrelationTime,
      stride: evaluate.stride,
      acceptance: evaluate.acceptance,
      crossings: sum(({ crossings }) => crossings.reduce((a, b) => a + b, 0)),
    },
    moves: sum(({ moves }) => moves) + settling * evaluate.chains.system.particles,
    energyEvaluations: sum(({ energyEvaluations }) => energyEvaluations) + 2 * settling,
  };
}

function framesOf({ x, chain, d }: MetropolisSample): DimerFrames {
  return { x, chain, d };
}
