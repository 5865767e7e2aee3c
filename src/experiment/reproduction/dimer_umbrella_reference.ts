/**
 * Umbrella sampling of the dimer as the reference of several experiments: each temperature is sampled once for all.
 *
 * @module
 */
import type { Estimate, FreeEnergyEstimate } from "../../reweighting/estimate.ts";
import type { FreeEnergyProfile } from "../../reweighting/profile_band.ts";
import { dimerReferences } from "../../system/dimer_references.ts";
import { DIMER_BOUNDARY, ParticleDimer } from "../../system/particle_dimer.ts";
import { dimerUmbrella } from "../dimer_umbrella.ts";
import { temperatureText } from "../temperature_units.ts";
import { equalBins } from "./exact_profile.ts";
import type { ExperimentContext, ReproductionBudget } from "./experiment.ts";
import type { Reference } from "./row.ts";

/** What umbrella sampling found at a temperature; plain data. */
export interface UmbrellaReference {
  /** T in units of T₀. */
  readonly temperature: number;
  /** F_open − F_closed in k_BT. */
  readonly freeEnergyDifference: FreeEnergyEstimate;
  /** F(d) over {@link profileEdgesOfAll}. */
  readonly profile: FreeEnergyProfile;
  /** What it cost in energy evaluations. */
  readonly energyEvaluations: number;
  /** Seconds of processor time. */
  readonly seconds: number;
}

/** A profile on bins of one's own. */
export interface BinnedProfile {
  /** −ln of the mean density over the bin in k_BT; null without weight. */
  readonly freeEnergy: readonly (number | null)[];
  /** Its standard error, at the most; null where there is none. */
  readonly standardError: readonly (number | null)[];
}

/** Sweeps of each chain, and replicates of the bootstrap. */
const SIZES: Readonly<Record<ReproductionBudget, { readonly sweeps: number; readonly bootstraps: number }>> = {
  smoke: { sweeps: 200, bootstraps: 20 },
  default: { sweeps: 300_000, bootstraps: 200 },
  paper: { sweeps: 1_500_000, bootstraps: 200 },
};

/** Edges of the 29 bins of the published profiles over networks (`mean_free_energy` of the notebook). */
export const NETWORK_EDGES = equalBins(0.5, 2.5, 29);
/** Edges of the 49 bins of the published error of the estimator (`particles_hyperparameters.py`). */
export const ERROR_EDGES = equalBins(0.7, 2.3, 49);
/** Both together, so that umbrella sampling has a bin for each piece of either. */
export const profileEdgesOfAll = Float64Array.from([...new Set([...NETWORK_EDGES, ...ERROR_EDGES])]).sort();

/**
 * Names the part that keeps umbrella sampling at a temperature; experiments share it.
 *
 * @param temperature T in units of T₀
 * @returns the name
 */
export function umbrellaPart(temperature: number): string {
  return `shared dimer umbrella ${temperatureText(temperature)}`;
}

/**
 * Samples the dimer `noe2019` under umbrellas at one temperature, or takes what was found before.
 *
 * @param context budget, seed, threads
 * @param temperature T in units of T₀
 * @returns difference of the basins, profile, cost
 */
export function umbrellaReference(context: ExperimentContext, temperature: number): Promise<UmbrellaReference> {
  const { budget, seed, pool, clock, signal } = context;
  return context.kept(umbrellaPart(temperature), async () => {
    const start = clock();
    const { sweeps, bootstraps } = SIZES[budget];
    const found = await dimerUmbrella(new ParticleDimer(), {
      temperature,
      sweeps,
      bootstraps,
      edges: profileEdgesOfAll,
      // Of its own: chains at other temperatures would draw the same numbers.
      seed: seed + Math.round(1e4 * temperature),
      pool,
      signal,
      onProgress: (done) => context.onProgress(`umbrella sampling at T = ${temperatureText(temperature)}`, done),
    });
    const { freeEnergyDifference, profile, energyEvaluations } = found;
    return { temperature, freeEnergyDifference, profile, energyEvaluations, seconds: (clock() - start) / 1000 };
  });
}

/**
 * Puts the answer of umbrella sampling into a row: the longer runs that come with the package where these have the
 * temperature, else the one of this run.
 *
 * @param umbrella what it found
 * @returns the reference; null where it found nothing or doubts itself
 */
export function referenceOf({ freeEnergyDifference, temperature }: UmbrellaReference): Reference | null {
  const shipped = dimerReferences.find((row) => row.preset === "noe2019" && row.temperature === temperature);
  if (shipped === undefined) return asReference(freeEnergyDifference, "umbrella sampling + MBAR");
  const { value, error } = shipped.freeEnergyDifference;
  return { value, standardError: error, method: "umbrella sampling + MBAR, shipped" };
}

/**
 * Puts an estimate that is no flow's into a row.
 *
 * @param estimate the answer
 * @param method how it was found
 * @returns the reference; null where there is no reliable answer
 */
export function asReference({ value, standardError, reliable }: Estimate, method: string): Reference | null {
  return value === null || standardError === null || !reliable ? null : { value, standardError, method };
}

/**
 * The difference of the two minima of a profile, which is what one reads off a picture: basins that are wider are not deeper.
 *
 * @param umbrella what umbrella sampling found
 * @returns F(open minimum) − F(closed minimum) on the published bins, in k_BT; null where a basin is empty
 */
export function minimaDifference({ profile }: UmbrellaReference): number | null {
  const levels = gatherProfile(profile, NETWORK_EDGES).freeEnergy;
  const lowest = (open: boolean) => {
    return Math.min(...levels.map((level, bin) => {
      const middle = (NETWORK_EDGES[bin] + NETWORK_EDGES[bin + 1]) / 2;
      return level === null || middle >= DIMER_BOUNDARY !== open ? Infinity : level;
    }));
  };
  const difference = lowest(true) - lowest(false);
  return Number.isFinite(difference) ? difference : null;
}

/**
 * Gathers a profile into wider bins, each a union of narrower ones.
 *
 *     F = −ln (Σ mass / width),   mass = width e^(−F) of each narrow bin
 *
 * Errors are added as if they were all of one sign, which is the most that they can come to.
 *
 * @param profile on narrow bins
 * @param edges of the wider ones, [bins + 1], all among those of the profile
 * @returns free energies and errors
 * @throws {RangeError} if an edge is none of the profile
 */
export function gatherProfile(profile: FreeEnergyProfile, edges: Float64Array): BinnedProfile {
  const places = Array.from(edges, (edge) => {
    const place = profile.edges.indexOf(edge);
    if (place >= 0) return place;
    throw new RangeError(`Cannot gather a profile: edges must be among those of the profile, got ${edge}`);
  });
  const bins = Array.from({ length: edges.length - 1 }, (_, bin) => {
    let [mass, errors] = [0, 0];
    for (let k = places[bin]; k < places[bin + 1]; k++) {
      const own = profile.freeEnergy[k];
      if (own === null) continue;
      const share = (profile.edges[k + 1] - profile.edges[k]) * Math.exp(-own);
      mass += share;
      errors += share * (profile.standardError[k] ?? NaN);
    }
    return { mass, error: errors / mass, width: edges[bin + 1] - edges[bin] };
  });
  return {
    freeEnergy: bins.map(({ mass, width }) => mass > 0 ? -Math.log(mass / width) : null),
    standardError: bins.map(({ error }) => Number.isFinite(error) ? error : null),
  };
}
