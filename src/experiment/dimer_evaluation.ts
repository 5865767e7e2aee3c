/**
 * What a trained flow yields for the dimer: weights, efficiencies, free energies, profile. Exact energies, float64.
 *
 * @module
 */
import type { Executor } from "../backend/pool.ts";
import { BoltzmannGenerator } from "../hybrid/boltzmann_generator.ts";
import type { Generator } from "../flow/flow.ts";
import { type BasinFreeEnergies, basinFreeEnergies } from "../reweighting/basin_free_energies.ts";
import { combinedProfile } from "../reweighting/combined_profile.ts";
import { samplingEfficiency } from "../reweighting/effective_sample_size.ts";
import { samplingEfficiencyInterval } from "../reweighting/efficiency_interval.ts";
import type { FreeEnergyEstimate } from "../reweighting/estimate.ts";
import type { ResamplingOptions } from "../reweighting/bootstrap.ts";
import { paretoK, paretoKLimit } from "../reweighting/pareto_smoothing.ts";
import { freeEnergyDifferenceByReweighting } from "../reweighting/reweighted_difference.ts";
import { DIMER_BOUNDARY, type ParticleDimer } from "../system/particle_dimer.ts";
import type { ByBasin, DimerEvaluation, DimerFrames } from "./dimer_results.ts";

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
  /** Replicates of the bootstrap. */
  readonly bootstraps: number;
  /** Edges of the profile's bins. */
  readonly edges: Float64Array;
  /** Seed of the flow samples and of the bootstrap. */
  readonly seed: number;
  /** Threads. */
  readonly pool: Executor;
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
const CLOSED = 0;
const OPEN = 1;
const NAMES = ["closed", "open"] as const;

/** What is kept of the flow samples: all but the configurations. */
interface Drawn {
  readonly logWeights: Float64Array;
  readonly d: Float64Array;
  readonly reducedEnergy: Float64Array;
  readonly basins: Int8Array;
  outside: number;
  readonly pictures: Record<"closed" | "transition" | "open", { x: Float64Array; logWeight: number } | null>;
}

/** Label of samples that left the range of numbers: they are in no basin and have no weight, but count. */
const NOWHERE = -1;

const basinOf = (d: number): number => !Number.isFinite(d) ? NOWHERE : d < DIMER_BOUNDARY ? CLOSED : OPEN;

/**
 * Draws flow samples, weighs them against the target in its reference domain, and estimates F_open − F_closed by plain
 * reweighting and by the Bennett acceptance ratio with evaluation frames.
 *
 * @param options what, and how thoroughly
 * @returns weights, estimates and profile
 * @throws {DOMException} "AbortError" if the signal says so
 */
export async function evaluateDimer(options: DimerEvaluationOptions): Promise<DimerEvaluation> {
  const { system, beta, frames, bootstraps, edges, seed, pool } = options;
  const generator = new BoltzmannGenerator(options.generator, system, { beta });
  const weighed = generator.weigh(frames.x, { pool });
  const data = {
    logWeights: weighed.logWeights,
    basins: Int32Array.from(frames.d, basinOf),
    chains: frames.chain,
  };
  const resampling = { replicates: bootstraps, seed };
  const names = [...NAMES];
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
    samplingEfficiency: byBasin((basin) => efficiency(restrict(drawn, basin))),
    samplingEfficiencyInterval: byBasin((basin) => efficiencyInterval(restrict(drawn, basin), resampling)),
    paretoK: { ...byBasin((basin) => tailShape(restrict(drawn, basin))), limit: paretoKLimit(samples) },
    freeEnergyDifference: {
      reweighting: freeEnergyDifferenceByReweighting(drawn.logWeights, drawn.basins, { names, ...resampling }),
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

/**
 * The estimate that a report stands by: the reliable one of smallest standard error, or none with the reasons.
 *
 * @param estimates by name, none of which uses umbrella data
 */
export function headlineOf(estimates: Readonly<Record<string, FreeEnergyEstimate>>): FreeEnergyEstimate {
  const reliable = Object.values(estimates).filter((estimate) => estimate.reliable);
  if (reliable.length > 0) {
    return reliable.reduce((best, estimate) => estimate.standardError! < best.standardError! ? estimate : best);
  }
  const reasons = Object.entries(estimates).map(([name, estimate]) => `${name}: ${estimate.reason}`);
  return { value: null, standardError: null, interval95: null, reliable: false, reason: reasons.join("; ") };
}

/** Marks an estimate as unreliable where its frames come from chains that still remembered their starts. */
function doubtUnrelaxed(estimate: FreeEnergyEstimate, relaxed: boolean): FreeEnergyEstimate {
  if (relaxed || !estimate.reliable) return estimate;
  return { ...estimate, reliable: false, reason: "the evaluation chains had not relaxed when burn-in ended" };
}

/** Draws samples, and more of them until the difference of the basins is as exact as was asked for. */
async function drawUntil(
  generator: BoltzmannGenerator,
  options: DimerEvaluationOptions,
  solve: (drawn: Drawn) => BasinFreeEnergies,
): Promise<{ drawn: Drawn; basins: BasinFreeEnergies }> {
  const { standardError, maximumSamples } = options.until ?? { standardError: Infinity, maximumSamples: 0 };
  let drawn = emptyDraw();
  for (let samples = options.samples;; samples = Math.min(2 * samples, maximumSamples)) {
    drawn = await draw(generator, drawn, samples, options);
    const basins = solve(drawn);
    const { reliable, standardError: error } = basins.difference(CLOSED, OPEN);
    if ((reliable && error! <= standardError) || samples >= maximumSamples) return { drawn, basins };
  }
}

const emptyDraw = (): Drawn => ({
  logWeights: new Float64Array(0),
  d: new Float64Array(0),
  reducedEnergy: new Float64Array(0),
  basins: new Int8Array(0),
  outside: 0,
  pictures: { closed: null, transition: null, open: null },
});

/** A copy of a draw with room for more samples. */
function grown(drawn: Drawn, samples: number): Drawn {
  const numbers = (before: Float64Array) => {
    const after = new Float64Array(samples);
    after.set(before);
    return after;
  };
  const basins = new Int8Array(samples);
  basins.set(drawn.basins);
  const { logWeights, d, reducedEnergy, outside, pictures } = drawn;
  return {
    logWeights: numbers(logWeights),
    d: numbers(d),
    reducedEnergy: numbers(reducedEnergy),
    basins,
    outside,
    pictures: { ...pictures },
  };
}

/** Goes on drawing until there are `samples`. */
async function draw(
  generator: BoltzmannGenerator,
  before: Drawn,
  samples: number,
  { seed, pool, system, signal, onProgress }: DimerEvaluationOptions,
): Promise<Drawn> {
  const drawn = grown(before, samples);
  for (let first = before.d.length; first < samples; first += CHUNK) {
    signal?.throwIfAborted();
    const n = Math.min(CHUNK, samples - first);
    const batch = generator.sample(n, { seed, first, pool });
    const d = system.distance(batch.x);
    drawn.logWeights.set(batch.logWeights, first);
    drawn.reducedEnergy.set(batch.reducedEnergy, first);
    drawn.d.set(d.map((distance) => Number.isFinite(distance) ? distance : 0), first);
    drawn.basins.set(d.map(basinOf), first);
    drawn.outside += batch.outsideDomain;
    for (let i = 0; i < n; i++) keepPicture(drawn, batch.x, i, system.dim, d[i], batch.logWeights[i]);
    onProgress?.((first + n) / samples);
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  return drawn;
}

/** Keeps a sample as the picture of its region if its weight is the largest there so far. */
function keepPicture(drawn: Drawn, x: Float64Array, i: number, dim: number, d: number, logWeight: number): void {
  if (basinOf(d) === NOWHERE) return;
  const transition = Math.abs(d - DIMER_BOUNDARY) < TRANSITION_WIDTH;
  const region = transition ? "transition" : NAMES[basinOf(d)];
  const kept = drawn.pictures[region];
  if (logWeight > (kept?.logWeight ?? -Infinity)) {
    drawn.pictures[region] = { x: x.slice(i * dim, (i + 1) * dim), logWeight };
  }
}

function byBasin<T>(f: (basin: number | null) => T | null): ByBasin<T> {
  return { closed: f(CLOSED), open: f(OPEN), all: f(null) };
}

/**
 * Adds the divergence from the half-and-half mixture of the basins to those from each basin: at a configuration of a basin
 * the mixture has half the density that the basin alone has, and half of the configurations come from each.
 */
function withMixture({ closed, open }: ByBasin): ByBasin {
  return { closed, open, all: closed === null || open === null ? null : (closed + open) / 2 - Math.LN2 };
}

/** Log-weights of the samples in a basin (of all for null). */
function restrict({ logWeights, basins }: Drawn, basin: number | null): Float64Array {
  return basin === null ? logWeights : logWeights.filter((_, i) => basins[i] === basin);
}

const hasWeight = (logWeights: Float64Array): boolean => logWeights.some((w) => w > -Infinity);

function efficiency(logWeights: Float64Array): number | null {
  return hasWeight(logWeights) ? samplingEfficiency(logWeights) : null;
}

function efficiencyInterval(logWeights: Float64Array, resampling: ResamplingOptions): readonly [number, number] | null {
  return hasWeight(logWeights) ? samplingEfficiencyInterval(logWeights, resampling) : null;
}

function tailShape(logWeights: Float64Array): number | null {
  if (!hasWeight(logWeights)) return null;
  const k = paretoK(logWeights);
  return Number.isFinite(k) ? k : null;
}

function meanWhere(basins: Int32Array, basin: number | null, f: (i: number) => number): number | null {
  let sum = 0;
  let count = 0;
  for (let i = 0; i < basins.length; i++) {
    if (basin !== null && basins[i] !== basin) continue;
    sum += f(i);
    count++;
  }
  return count === 0 ? null : sum / count;
}

/** At most HISTOGRAM_SAMPLES of the values that `keep` accepts, evenly spaced. */
function thinned(values: Float64Array, keep: (i: number) => boolean): Float64Array {
  const kept = values.filter((_, i) => keep(i));
  const step = Math.max(1, Math.ceil(kept.length / HISTOGRAM_SAMPLES));
  return kept.filter((_, i) => i % step === 0);
}
