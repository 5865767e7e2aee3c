/**
 * Flow-proposal Monte Carlo of the dimer.
 *
 * @module
 */
import { BoltzmannGenerator } from "../../hybrid/boltzmann_generator.ts";
import { flowMonteCarlo, type FlowMonteCarloOptions } from "../../hybrid/flow_monte_carlo.ts";
import { logSumExp } from "../../reweighting/log_sum_exp.ts";
import { type Estimate, estimateFrom, noEstimate } from "../../reweighting/estimate.ts";
import { DIMER_BOUNDARY, ParticleDimer } from "../../system/particle_dimer.ts";
import { bondlessWindows, dimerUmbrella, type DimerUmbrellaResult } from "../dimer_umbrella.ts";
import { samplesInPieces } from "../sample_pieces.ts";
import { basinPopulation } from "./basin_population.ts";
import { type ChainSummary, equilibriumRate, summarizeChains, whoMoved } from "./chain_summary.ts";
import { ERROR_EDGES, referenceOf, type UmbrellaReference, umbrellaReference } from "./dimer_umbrella_reference.ts";
import type { ExperimentContext, ReproductionBudget } from "./experiment.ts";
import type { Reference } from "./row.ts";
import { type Cost, type TrainedDimer, trainedDimer } from "./trained_dimer.ts";
import { byChain, meanOverChains } from "./independent_mean.ts";

/** Sizes of a budget. */
interface Sizes {
  /** Walkers of every run, half closed and half open at the start. */
  readonly walkers: number;
  /** Turns with a flow, and before they count. */
  readonly turns: number;
  readonly burnIn: number;
  /** Turns of local moves alone, and sweeps in each. */
  readonly local: { readonly turns: number; readonly sweeps: number };
  /** Turns and sweeps of the dimer with half the bond. */
  readonly half: { readonly turns: number; readonly sweeps: number };
  /** Flow samples by which the acceptance is computed beforehand. */
  readonly samples: number;
}

const SIZES: Readonly<Record<ReproductionBudget, Sizes>> = {
  smoke: {
    walkers: 8,
    turns: 20,
    burnIn: 2,
    local: { turns: 10, sweeps: 10 },
    half: { turns: 20, sweeps: 10 },
    samples: 64,
  },
  default: {
    walkers: 64,
    turns: 2400,
    burnIn: 100,
    local: { turns: 1200, sweeps: 100 },
    half: { turns: 1500, sweeps: 20 },
    samples: 8192,
  },
  paper: {
    walkers: 64,
    turns: 40_000,
    burnIn: 200,
    local: { turns: 4000, sweeps: 2000 },
    half: { turns: 2000, sweeps: 100 },
    samples: 65_536,
  },
};

/** Moves of the mixed chains. */
const MIXTURE = { local: 0.45, sweeps: 10, independence: 0.45, latent: 0.1, latentStep: 0.1 } as const;
/** Distances within which a dimer is closed, and beyond which it is open, for transitions. */
const CORES = [1.2, 1.8] as const;
/** A difference of which nothing is known: no rate follows from it. */
const UNKNOWN: Reference = { value: NaN, standardError: NaN, method: "unknown" };
/** Blocks of flow samples by which the error of an expected acceptance is found. */
const BLOCKS = 16;
/** Chains per window of umbrella sampling, as `dimerUmbrella` has them, and the least burn-in of each. */
const UMBRELLA = { chains: 4, burnIn: 2000 } as const;

/** What was found of the dimer. */
export interface DimerChains {
  /** Sweeps of single-particle moves alone. */
  readonly local: ChainSummary;
  /** All moves. */
  readonly mixed: ChainSummary;
  /** Acceptance of independence moves from frames and flow samples, without a chain. */
  readonly expectedAcceptance: Reference | null;
  /** Transitions per million energies at equilibrium if the barrier from open were that of half the bond. */
  readonly halfRate: Estimate;
  /** By how much the bond's barrier from open is higher than that of half the bond, in k_BT. */
  readonly barrierExcess: number;
  /** Umbrella sampling with as many energies as the mixed chains. */
  readonly umbrella: Pick<DimerUmbrellaResult, "freeEnergyDifference" | "energyEvaluations"> & {
    readonly seconds: number;
  };
  /** The reference. */
  readonly reference: UmbrellaReference;
  /** Data and training of the flow. */
  readonly flow: Cost;
  /** Walkers of every run. */
  readonly walkers: number;
}

/**
 * Runs chains of the dimer at T = 1, with and without a flow.
 *
 * @param context budget, seed, threads; keeps the shared flow and the shared umbrella sampling
 * @returns what they did
 */
export async function dimerChains(context: ExperimentContext): Promise<DimerChains> {
  const { budget, seed, pool, signal, clock } = context;
  const sizes = SIZES[budget];
  const trained = await trainedDimer(context);
  const reference = await umbrellaReference(context, 1);
  const { system, flow, generator, step, data, training } = trained;
  const start = startsOf(trained, sizes.walkers);
  const open = basinPopulation(referenceOf(reference) ?? UNKNOWN);
  const run = async (
    what: string,
    of: ParticleDimer,
    moves: FlowMonteCarloOptions["moves"],
    turns: number,
    own: number,
  ) => {
    const began = clock();
    const result = await flowMonteCarlo({
      system: of,
      start,
      turns,
      burnIn: sizes.burnIn,
      moves,
      observe: {
        sides: (x) => system.distance(x).map((d) => d < DIMER_BOUNDARY ? 0 : 1),
        trace: (x) => system.distance(x),
        moved: whoMoved(system.dim),
      },
      basins: (x) => Int8Array.from(system.distance(x), coreOf),
      seed: seed + own,
      pool,
      ...signal && { signal },
      onProgress: (done) => context.onProgress(`dimer, ${what}`, done),
    });
    return { result, seconds: (clock() - began) / 1000 };
  };
  const { local: alone, half: halfSizes } = sizes;
  const local = await run(
    "local moves",
    system,
    { local: { probability: 1, step, sweeps: alone.sweeps } },
    alone.turns,
    21,
  );
  const mixed = await run(
    "all moves",
    system,
    {
      local: { probability: MIXTURE.local, step, sweeps: MIXTURE.sweeps },
      independence: { probability: MIXTURE.independence, generator },
      latent: { probability: MIXTURE.latent, flow, step: MIXTURE.latentStep },
    },
    sizes.turns,
    22,
  );
  const { a, b, slope } = system.parameters;
  const halved = new ParticleDimer({ a: a / 2, b: b / 2, slope: slope / 2 });
  const half = await run(
    "half the bond",
    halved,
    { local: { probability: 1, step, sweeps: halfSizes.sweeps } },
    halfSizes.turns,
    23,
  );
  const expectedAcceptance = await acceptanceOf(context, trained, open, sizes.samples);
  flow.release();
  return {
    local: summarizeChains(local.result, local.seconds, seed, open),
    mixed: summarizeChains(mixed.result, mixed.seconds, seed),
    expectedAcceptance,
    halfRate: equilibriumRate(half.result.basins, sizes.walkers, half.result.energyEvaluations, open),
    barrierExcess: barrierOf(system) - barrierOf(halved),
    umbrella: await umbrellaFor(context, system, mixed.result.energyEvaluations),
    reference,
    flow: {
      energyEvaluations: data.energyEvaluations + training.energyEvaluations,
      seconds: data.seconds + training.seconds,
    },
    walkers: sizes.walkers,
  };
}

function coreOf(d: number): number {
  return d < CORES[0] ? 0 : d > CORES[1] ? 1 : -1;
}

/** Frames spread over all of them: as they come, half are closed and half are open. */
function startsOf({ frames, system }: TrainedDimer, walkers: number): Float64Array {
  const start = new Float64Array(walkers * system.dim);
  const of = (accepts: (d: number) => boolean) => Array.from(frames.d.keys()).filter((i) => accepts(frames.d[i]));
  const basins = [of((d) => d < DIMER_BOUNDARY), of((d) => d >= DIMER_BOUNDARY)];
  for (let c = 0; c < walkers; c++) {
    const own = basins[c % 2];
    const i = own[Math.floor((c >> 1) * own.length / Math.ceil(walkers / 2))];
    start.set(frames.x.subarray(i * system.dim, (i + 1) * system.dim), c * system.dim);
  }
  return start;
}

/** Barrier of a bond by itself, from open, in k_BT₀. */
function barrierOf(system: ParticleDimer): number {
  const energies = (low: number, high: number) =>
    Array.from({ length: 1001 }, (_, k) => system.dimerEnergy(low + (high - low) * k / 1000));
  return Math.max(...energies(1.3, 1.7)) - Math.min(...energies(1.7, 2.5));
}

/** Umbrella sampling that evaluates about as many energies. */
async function umbrellaFor(
  { seed, pool, clock, signal, onProgress }: ExperimentContext,
  system: ParticleDimer,
  energies: number,
) {
  const began = clock();
  const chains = UMBRELLA.chains * bondlessWindows(system, 1).centres.length;
  const found = await dimerUmbrella(system, {
    temperature: 1,
    // Two energies for a sweep.
    sweeps: Math.max(200, Math.round(energies / (2 * chains)) - UMBRELLA.burnIn),
    bootstraps: 200,
    edges: ERROR_EDGES,
    seed: seed + 24,
    pool,
    signal,
    onProgress: (done) => onProgress("umbrella sampling of as many energies", done),
  });
  const { freeEnergyDifference, energyEvaluations } = found;
  return { freeEnergyDifference, energyEvaluations, seconds: (clock() - began) / 1000 };
}

/**
 * Mean acceptance of independence moves in equilibrium, without running any: min(1, w′/w) averaged over Monte Carlo frames,
 * weighted by the populations that umbrella sampling gives the basins, and over flow samples. The error is the scatter over
 * chains of frames and over blocks of flow samples, and that of the populations.
 */
async function acceptanceOf(
  { seed, pool, signal }: ExperimentContext,
  { generator, system, frames }: TrainedDimer,
  { value: open, standardError }: Reference,
  samples: number,
): Promise<Reference | null> {
  if (Number.isNaN(open)) return null;
  const target = new BoltzmannGenerator(generator, system);
  const drawn = new Float64Array(samples);
  const wanted = { from: 0, samples, chunk: 2048, seed: seed + 25, pool, onProgress: undefined, signal };
  for await (const { at, piece } of samplesInPieces(target, wanted)) drawn.set(piece.logWeights, at);
  const frameWeights = target.logWeights(frames.x, { pool });
  const averaged = (own: Float64Array) => {
    const accepted = acceptances(own, frameWeights);
    const [closed, opened] = [0, 1].map((basin) => overChains(frames, accepted, basin));
    return {
      value: (1 - open) * closed.mean + open * opened.mean,
      error: Math.hypot((1 - open) * closed.error, open * opened.error, (closed.mean - opened.mean) * standardError),
    };
  };
  const { value, error } = averaged(drawn.slice());
  const parts = Array.from({ length: BLOCKS }, (_, k) => averaged(drawn.filter((_, i) => i % BLOCKS === k)).value);
  const mean = parts.reduce((sum, v) => sum + v, 0) / BLOCKS;
  const ofSamples = Math.sqrt(parts.reduce((sum, v) => sum + (v - mean) ** 2, 0) / (BLOCKS - 1) / BLOCKS);
  return {
    value,
    standardError: Math.hypot(error, ofSamples),
    method: "Monte Carlo frames × flow samples, populations of umbrella sampling",
  };
}

/** Mean of min(1, w′/w) over proposals, for each weight w. */
function acceptances(proposed: Float64Array, logWeights: Float64Array): Float64Array {
  proposed.sort();
  const n = proposed.length;
  // ln Σ_{w′ ≤ w} w′, from below.
  const sums = new Float64Array(n + 1).fill(-Infinity);
  proposed.forEach((log, k) => sums[k + 1] = logSumExp(Float64Array.of(sums[k], log)));
  return logWeights.map((log) => {
    let [low, high] = [0, n];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (proposed[middle] <= log) low = middle + 1;
      else high = middle;
    }
    return (Math.exp(sums[low] - log) + n - low) / n;
  });
}

/** Mean over the chains of frames in a basin, with the error that their scatter says. */
function overChains({ d, chain }: TrainedDimer["frames"], values: Float64Array, basin: number) {
  const { value, standardError } = meanOverChains(
    byChain(values, chain, (i) => (d[i] < DIMER_BOUNDARY ? 0 : 1) === basin),
  );
  return { mean: value ?? NaN, error: standardError ?? NaN };
}

/**
 * Transitions per million energies at equilibrium that local moves would make, by the published argument with a lower
 * barrier than the true one: the rate of leaving the open basin with half the bond, times exp(−ΔU), ΔU by how much the true
 * barrier is higher, times twice the true population of the basin.
 *
 * @param found what the chains did
 */
export function extrapolatedRate({ halfRate, barrierExcess }: DimerChains): Estimate {
  const { value, standardError, reason } = halfRate;
  if (value === null || !(value > 0)) return noEstimate(reason ?? "no transition with half the bond");
  const factor = Math.exp(-barrierExcess);
  const doubt = `it is extrapolated over ${barrierExcess.toFixed(1)} k_BT, good for an order of magnitude`;
  return estimateFrom(value * factor, (standardError ?? NaN) * factor, { reason: reason ?? doubt });
}
