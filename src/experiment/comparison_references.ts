/**
 * The methods of a comparison that need no flow: umbrella sampling and plain Monte Carlo, for the same time.
 *
 * @module
 */
import type { ProgressKeeper } from "../sampling/keeper.ts";
import { MetropolisChains } from "../sampling/metropolis_chains.ts";
import type { UmbrellaProgress } from "../sampling/umbrella_sample.ts";
import { DIMER_BOUNDARY } from "../system/particle_dimer.ts";
import type { ComparisonReferences, ReferencePoint } from "./comparison_results.ts";
import type { ComparisonSurroundings } from "./comparison_training.ts";
import { dimerRange } from "./dimer_bins.ts";
import { plainMonteCarlo, type PlainProgress } from "./dimer_reference.ts";
import { bondlessWindows, dimerUmbrella } from "./dimer_umbrella.ts";
import { costed } from "./processor_time.ts";

/** Chains of each window, as umbrella sampling has them; plain Monte Carlo gets as many chains in all. */
const CHAINS_PER_WINDOW = 4;
/** Fewer sweeps make no estimate. */
const FEWEST_SWEEPS = 40;
/** Share of the sweeps of umbrella sampling that its burn-in adds. */
const BURN_IN = 0.1;
/** Its shortest burn-in, in sweeps. */
const SHORTEST_BURN_IN = 2000;
/** k_BT above the minimum of either basin that the single bin of each reaches to. */
const REACH = 16;
/** Sweeps between two records, as in a run. */
const LOOK_EVERY = 50;
/** Sweeps of the first look at the clock. */
const FIRST_LOOK = 100;

type Surroundings = Omit<ComparisonSurroundings, "data">;

const chainsOf = ({ system, temperature }: Surroundings) =>
  CHAINS_PER_WINDOW * bondlessWindows(system, temperature).centres.length;

/**
 * Finds how many sweeps of all chains fit into times.
 *
 * @param around system, threads, clock
 * @param minutes of processor time, one number for each run
 * @returns sweeps of each chain after burn-in, for each run
 */
export async function sweepsWithin(
  around: Surroundings,
  minutes: readonly number[],
): Promise<{ readonly umbrella: number[]; readonly plain: number[] }> {
  const { system, temperature, seed, pool, clock } = around;
  const chains = new MetropolisChains(system, { chains: chainsOf(around), temperature, seed });
  const least = Math.min(0.05, 0.02 * Math.max(...minutes));
  let [sweeps, spent] = [FIRST_LOOK, 0];
  for (; spent < least; sweeps *= 2) {
    ({ minutes: spent } = await costed(clock, () => chains.advance(sweeps, { every: LOOK_EVERY, pool })));
  }
  const perMinute = sweeps / 2 / spent;
  const within = minutes.map((time) => {
    const total = perMinute * time;
    return Math.max(FEWEST_SWEEPS, Math.floor(Math.min(total / (1 + BURN_IN), total - SHORTEST_BURN_IN)));
  });
  return { umbrella: within, plain: within };
}

/**
 * Names the parts of a comparison that run the methods, in order.
 *
 * @param runs runs of each method
 * @returns the names
 */
export const referenceParts = (runs: number): string[] =>
  ["umbrella", "plain"].flatMap((method) => Array.from({ length: runs }, (_, k) => `${method} ${k}`));

/**
 * Runs both methods for each number of sweeps. Each run is a part of the comparison, see {@link referenceParts}.
 *
 * @param around system, threads, clock
 * @param sweeps of each chain, for each run
 * @param onProgress told the share that is done
 * @returns estimates and costs
 */
export async function comparisonReferences(
  around: Surroundings,
  sweeps: { readonly umbrella: readonly number[]; readonly plain: readonly number[] },
  onProgress: (done: number) => void,
): Promise<ComparisonReferences> {
  const total = [...sweeps.umbrella, ...sweeps.plain].reduce((sum, count) => sum + count, 0);
  let before = 0;
  const along = async <T>(count: number, work: (onProgress: (done: number) => void) => Promise<T>) => {
    const result = await work((done) => onProgress((before + done * count) / total));
    before += count;
    return result;
  };
  const points = async (method: "umbrella" | "plain", point: typeof umbrellaPoint) => {
    const found: ReferencePoint[] = [];
    for (const [k, count] of sweeps[method].entries()) {
      const part = `${method} ${k}`;
      found.push(await along(count, (told) => around.parts.kept(part, () => point(around, part, count, told))));
    }
    return found;
  };
  return { umbrella: await points("umbrella", umbrellaPoint), plain: await points("plain", plainPoint) };
}

async function umbrellaPoint(
  { system, temperature, seed, settings, pool, clock, signal, parts }: Surroundings,
  part: string,
  sweeps: number,
  onProgress: (done: number) => void,
): Promise<ReferencePoint> {
  const [low, high] = dimerRange(system, temperature, REACH);
  const { result, minutes } = await costed(clock, (keeper?: ProgressKeeper<UmbrellaProgress>) =>
    dimerUmbrella(system, {
      temperature,
      sweeps,
      bootstraps: settings.bootstraps,
      edges: Float64Array.of(low, DIMER_BOUNDARY, high),
      seed,
      pool,
      onProgress,
      signal,
      keeper,
    }), parts.keeper(part, "chains"));
  const { moves, energyEvaluations: energies, freeEnergyDifference } = result;
  return { sweeps, moves, energies, minutes, freeEnergyDifference };
}

async function plainPoint(
  around: Surroundings,
  part: string,
  sweeps: number,
  onProgress: (done: number) => void,
): Promise<ReferencePoint> {
  const { system, temperature, seed, settings, pool, clock, signal, parts } = around;
  const { result, minutes } = await costed(clock, (keeper?: ProgressKeeper<PlainProgress>) =>
    plainMonteCarlo(system, {
      temperature,
      sweepsPerWindow: sweeps,
      bootstraps: settings.bootstraps,
      chains: chainsOf(around),
      burnIn: Math.max(SHORTEST_BURN_IN, Math.ceil(BURN_IN * sweeps)),
      seed,
      pool,
      onProgress,
      signal,
      keeper,
    }), parts.keeper(part, "chains"));
  const { moves, energyEvaluations: energies, result: { freeEnergyDifference } } = result;
  return { sweeps, moves, energies, minutes, freeEnergyDifference };
}
