/**
 * What a trained flow yields for the dimer: weights, efficiencies, free energies, profile. Exact energies, float64.
 *
 * @module
 */
import type { Executor } from "../backend/executor.ts";
import { BoltzmannGenerator } from "../hybrid/boltzmann_generator.ts";
import type { Generator } from "../flow/flow.ts";
import { type BasinFreeEnergies, basinFreeEnergies } from "../reweighting/basin_free_energies.ts";
import { combinedProfile } from "../reweighting/combined_profile.ts";
import { samplingEfficiency } from "../reweighting/effective_sample_size.ts";
import { samplingEfficiencyInterval } from "../reweighting/efficiency_interval.ts";
import { paretoK, paretoKLimit } from "../reweighting/pareto_smoothing.ts";
import { freeEnergyDifferenceByReweighting } from "../reweighting/reweighted_difference.ts";
import type { ProgressKeeper } from "../sampling/keeper.ts";
import { DIMER_BOUNDARY, type ParticleDimer } from "../system/particle_dimer.ts";
import {
  BASIN_NAMES,
  basinOf,
  byBasin,
  CLOSED,
  finite,
  meanWhere,
  measureWeights,
  NOWHERE,
  OPEN,
  withMixture,
} from "./dimer_basins.ts";
import type { DimerEvaluation, DimerFrames } from "./dimer_results.ts";
import { doubtUnrelaxed } from "./estimates.ts";
import { samplesInPieces } from "./sample_pieces.ts";

/** What is evaluated, and how thoroughly. */
export interface DimerEvaluationOptions {
  /** The trained flow, or another density that can be sampled. */
  readonly generator: Generator;
  /** The system. */
  readonly system: ParticleDimer;
  /** 1 / T in units of 1 / T₀. */
  readonly beta: number;
  /** Frames that neither training nor the choice of parameters has seen. */
  readonly frames: DimerFrames;
  /** Whether the chains of those frames had relaxed; if not, the estimate by BAR is unreliable. Default true. */
  readonly framesRelaxed?: boolean;
  /** Number of flow samples to begin with; doubled while the acceptance-ratio estimate is not what `until` asks for. */
  readonly samples: number;
  /** When to stop doubling: a reliable estimate with this standard error, or this number of samples. Default: at once. */
  readonly until?: { readonly standardError: number; readonly maximumSamples: number };
  /** Whether flow samples that are not finite count as weight zero. Default false: one ends the evaluation. */
  readonly skipNotFinite?: boolean;
  /** Replicates of the bootstrap. */
  readonly bootstraps: number;
  /** Edges of the profile's bins. */
  readonly edges: Float64Array;
  /** Seed of the flow samples and of the bootstrap. */
  readonly seed: number;
  /** Threads. */
  readonly pool: Executor;
  /** Keeps the samples drawn so far. Default: nothing is kept. */
  readonly keeper?: ProgressKeeper<DrawnSamples>;
  /** Told the share of samples drawn. */
  readonly onProgress?: (done: number) => void;
  /** Ends the evaluation early, with an AbortError. */
  readonly signal?: AbortSignal;
}

/** Samples drawn between two looks at the event loop. */
const CHUNK = 8192;
/** Half the width in d of what counts as a picture of the transition. */
const TRANSITION_WIDTH = 0.1;
/** Most energies kept per basin for the histogram. */
const HISTOGRAM_SAMPLES = 20_000;

/** What is kept of the flow samples: all but the configurations. */
export interface DrawnSamples {
  /** ln w of each sample. */
  readonly logWeights: Float64Array;
  /** Distance of the dimer; 0 where it is not finite. */
  readonly d: Float64Array;
  /** U/T. */
  readonly reducedEnergy: Float64Array;
  /** Number of the basin. */
  readonly basins: Int8Array;
  /** How many lie outside the reference domain. */
  outside: number;
  /** How many were not finite. */
  notFinite: number;
  /** The sample of largest weight in each region. */
  readonly pictures: Record<"closed" | "transition" | "open", { x: Float64Array; logWeight: number } | null>;
}

/**
 * Draws flow samples, weighs them against the target in its reference domain, and estimates F_open − F_closed by plain
 * reweighting and by the Bennett acceptance ratio with evaluation frames.
 *
 * @param options what, and how thoroughly
 * @returns weights, estimates and profile
 * @throws {DOMException} "AbortError" if the signal says so
 * @throws {NotFiniteError} if a sample, a density or an energy is not finite and may not be skipped
 */
export async function evaluateDimer(options: DimerEvaluationOptions): Promise<DimerEvaluation> {
  const { system, beta, frames, bootstraps, edges, seed, pool } = options;
  const { skipNotFinite = false } = options;
  const generator = new BoltzmannGenerator(options.generator, system, { beta, skipNotFinite });
  // Frames are data: one that has no density is never skipped.
  const weighed = new BoltzmannGenerator(options.generator, system, { beta }).weigh(frames.x, { pool });
  const data = {
    logWeights: weighed.logWeights,
    basins: Int32Array.from(frames.d, basinOf),
    chains: frames.chain,
  };
  const resampling = { replicates: bootstraps, seed };
  const names = [...BASIN_NAMES];
  const { drawn, basins } = await drawUntil(generator, options, (samples) => {
    return basinFreeEnergies(samples, data, { names, ...resampling });
  });
  const samples = drawn.d.length;
  const profile = combinedProfile(
    { ...drawn, coordinate: drawn.d },
    { ...data, coordinate: frames.d },
    { edges, names, ...resampling },
  );
  return {
    samples,
    outsideDomain: drawn.outside / samples,
    notFinite: drawn.notFinite,
    samplingEfficiency: measureWeights(drawn, samplingEfficiency),
    samplingEfficiencyInterval: measureWeights(drawn, (weights) => samplingEfficiencyInterval(weights, resampling)),
    paretoK: { ...measureWeights(drawn, (weights) => finite(paretoK(weights))), limit: paretoKLimit(samples) },
    freeEnergyDifference: {
      reweighting: freeEnergyDifferenceByReweighting(drawn.logWeights, drawn.basins, {
        names,
        frames: data,
        ...resampling,
      }),
      bar: doubtUnrelaxed(basins.difference(CLOSED, OPEN), options.framesRelaxed ?? true),
    },
    evaluationNll: byBasin((basin) => meanWhere(data.basins, basin, (i) => -weighed.logProb[i])),
    gap: withMixture(byBasin((basin) => {
      const energy = basin === null ? null : basins.basins[basin].value;
      if (energy === null) return null;
      const mean = meanWhere(data.basins, basin, (i) => data.logWeights[i]);
      return mean === null ? null : mean + energy;
    })),
    profile: profile.profile,
    reducedEnergies: {
      data: {
        closed: thinned(weighed.reducedEnergy, (i) => data.basins[i] === CLOSED),
        open: thinned(weighed.reducedEnergy, (i) => data.basins[i] === OPEN),
      },
      flow: {
        closed: thinned(drawn.reducedEnergy, (i) => drawn.basins[i] === CLOSED),
        open: thinned(drawn.reducedEnergy, (i) => drawn.basins[i] === OPEN),
      },
    },
    pictures: {
      closed: drawn.pictures.closed?.x ?? null,
      transition: drawn.pictures.transition?.x ?? null,
      open: drawn.pictures.open?.x ?? null,
    },
  };
}

/** Draws samples, and more of them until the difference of the basins is as exact as was asked for. */
async function drawUntil(
  generator: BoltzmannGenerator,
  options: DimerEvaluationOptions,
  solve: (drawn: DrawnSamples) => BasinFreeEnergies,
): Promise<{ drawn: DrawnSamples; basins: BasinFreeEnergies }> {
  const { standardError, maximumSamples } = options.until ?? { standardError: Infinity, maximumSamples: 0 };
  let drawn = await options.keeper?.load() ?? emptyDraw();
  const most = Math.max(options.samples, maximumSamples);
  if (drawn.d.length > most) {
    throw new RangeError(
      `Cannot resume the evaluation: what was kept must hold at most ${most} samples, got ${drawn.d.length}`,
    );
  }
  for (let samples = options.samples;; samples = Math.min(2 * samples, maximumSamples)) {
    // More than that were drawn before the program was stopped, because so many had not sufficed.
    if (drawn.d.length > samples) continue;
    drawn = await draw(generator, drawn, samples, options);
    const basins = solve(drawn);
    const { reliable, standardError: error } = basins.difference(CLOSED, OPEN);
    if ((reliable && error! <= standardError) || samples >= maximumSamples) return { drawn, basins };
  }
}

const emptyDraw = (): DrawnSamples => ({
  logWeights: new Float64Array(0),
  d: new Float64Array(0),
  reducedEnergy: new Float64Array(0),
  basins: new Int8Array(0),
  outside: 0,
  notFinite: 0,
  pictures: { closed: null, transition: null, open: null },
});

/** A copy of a draw with room for more samples. */
function grown(drawn: DrawnSamples, samples: number): DrawnSamples {
  const numbers = (before: Float64Array) => {
    const after = new Float64Array(samples);
    after.set(before);
    return after;
  };
  const basins = new Int8Array(samples);
  basins.set(drawn.basins);
  const { logWeights, d, reducedEnergy, outside, notFinite, pictures } = drawn;
  return {
    logWeights: numbers(logWeights),
    d: numbers(d),
    reducedEnergy: numbers(reducedEnergy),
    basins,
    outside,
    notFinite,
    pictures: { ...pictures },
  };
}

/** The first samples of a draw that has room for more. */
function upTo(drawn: DrawnSamples, n: number): DrawnSamples {
  return {
    ...drawn,
    logWeights: drawn.logWeights.subarray(0, n),
    d: drawn.d.subarray(0, n),
    reducedEnergy: drawn.reducedEnergy.subarray(0, n),
    basins: drawn.basins.subarray(0, n),
  };
}

/** Goes on drawing until there are `samples`. */
async function draw(
  generator: BoltzmannGenerator,
  before: DrawnSamples,
  samples: number,
  { seed, pool, system, signal, onProgress, keeper }: DimerEvaluationOptions,
): Promise<DrawnSamples> {
  const drawn = grown(before, samples);
  const wanted = { from: before.d.length, samples, chunk: CHUNK, seed, pool, onProgress, signal };
  for await (const { at, piece } of samplesInPieces(generator, wanted)) {
    const d = system.distance(piece.x);
    drawn.logWeights.set(piece.logWeights, at);
    drawn.reducedEnergy.set(piece.reducedEnergy, at);
    drawn.d.set(d.map((distance) => Number.isFinite(distance) ? distance : 0), at);
    drawn.basins.set(d.map(basinOf), at);
    drawn.outside += piece.outsideDomain;
    drawn.notFinite += piece.notFinite;
    for (let i = 0; i < d.length; i++) keepPicture(drawn, piece.x, i, system.dim, d[i], piece.logWeights[i]);
    await keeper?.offer(() => upTo(drawn, at + d.length));
  }
  return drawn;
}

/** Keeps a sample as the picture of its region if its weight is the largest there so far. */
function keepPicture(drawn: DrawnSamples, x: Float64Array, i: number, dim: number, d: number, logWeight: number): void {
  if (basinOf(d) === NOWHERE) return;
  const transition = Math.abs(d - DIMER_BOUNDARY) < TRANSITION_WIDTH;
  const region = transition ? "transition" : BASIN_NAMES[basinOf(d)];
  const kept = drawn.pictures[region];
  if (logWeight > (kept?.logWeight ?? -Infinity)) {
    drawn.pictures[region] = { x: x.slice(i * dim, (i + 1) * dim), logWeight };
  }
}

/** At most HISTOGRAM_SAMPLES of the values that `keep` accepts, evenly spaced. */
function thinned(values: Float64Array, keep: (i: number) => boolean): Float64Array {
  const kept = values.filter((_, i) => keep(i));
  const step = Math.max(1, Math.ceil(kept.length / HISTOGRAM_SAMPLES));
  return kept.filter((_, i) => i % step === 0);
}
