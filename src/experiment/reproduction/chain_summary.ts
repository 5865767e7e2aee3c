/**
 * What a run of Markov chains is worth: transitions per energy, time to forget, free-energy difference and its price.
 *
 * @module
 */
import { autocorrelationEstimate } from "../../hybrid/autocorrelation_estimate.ts";
import type { FlowMonteCarloResult } from "../../hybrid/flow_monte_carlo.ts";
import { type CountedDifference, freeEnergyDifferenceByCounting } from "../../reweighting/counted_difference.ts";
import { type Estimate, estimateFrom, noEstimate } from "../../reweighting/estimate.ts";
import { logOf } from "../../random/elementary.ts";
import { independentMean } from "./independent_mean.ts";
import type { Reference } from "./row.ts";

/** Energies in which transitions are counted. */
const MILLION = 1e6;
/** −ln 0.05: with no event seen, the mean number is below it with a confidence of 95 %. */
const NONE_SEEN = -logOf(0.05);

/** A run of chains; plain data. */
export interface ChainSummary {
  /** Share of moves accepted, by kind; NaN where there were none. */
  readonly acceptance: { readonly local: number; readonly independence: number; readonly latent: number };
  /** Share of independence moves accepted, with the scatter over walkers as its error. */
  readonly accepted: Estimate;
  /** Changes of basin. */
  readonly transitions: number;
  /** The same in turns with local moves. */
  readonly localTransitions: number;
  /** Energies evaluated after burn-in. */
  readonly energyEvaluations: number;
  /** The same before. */
  readonly burnInEvaluations: number;
  /** Local moves offered. */
  readonly localMoves: number;
  /** Changes of basin per million energies, at equilibrium. */
  readonly rate: Estimate;
  /** Autocorrelation time of the basin in turns. */
  readonly time: Estimate;
  /** F of basin 1 − F of basin 0, from populations. */
  readonly difference: CountedDifference;
  /** Seconds of processor time. */
  readonly seconds: number;
  /** Observed series of a few walkers, [walkers][turns]. */
  readonly traces: readonly Float64Array[];
  /** F₁ − F₀ from growing parts of the chains. */
  readonly growing: readonly { readonly energies: number; readonly difference: CountedDifference }[];
}

/**
 * Sums up a run.
 *
 * @param result the run, which observed `sides` (0 or 1, which populations are counted by), `trace` and `moved`
 * @param seconds of processor time
 * @param seed of the bootstrap
 * @param population share of basin 1 at equilibrium with its error, for chains that do not reach it; left out, they have
 */
export function summarizeChains(
  result: FlowMonteCarloResult,
  seconds: number,
  seed: number,
  population?: Reference,
): ChainSummary {
  const { moves, series, chain, energyEvaluations, burnInEvaluations, transitions } = result;
  const counted = (turns: number) => {
    const n = turns * walkers;
    return freeEnergyDifferenceByCounting(series.sides.subarray(0, n), chain.subarray(0, n), { seed });
  };
  const walkers = 1 + chain.reduce((most, c) => Math.max(most, c), 0);
  const turns = chain.length / walkers;
  const parts = [0.02, 0.05, 0.1, 0.2, 0.5, 1].map((share) => Math.max(2, Math.round(share * turns)));
  return {
    acceptance: {
      local: moves.local.acceptance,
      independence: moves.independence.acceptance,
      latent: moves.latent.acceptance,
    },
    accepted: acceptedOf(result, walkers),
    transitions,
    localTransitions: moves.local.transitions,
    energyEvaluations,
    burnInEvaluations,
    localMoves: moves.local.offered,
    rate: population === undefined
      ? transitionRate(result.basins, walkers, energyEvaluations)
      : equilibriumRate(result.basins, walkers, energyEvaluations, population),
    time: autocorrelationEstimate(series.sides, chain),
    difference: counted(turns),
    seconds,
    traces: [0, 1, 2].map((c) => series.trace.filter((_, i) => chain[i] === (walkers - 1 - 31 * c % walkers))),
    growing: parts.map((n) => ({ energies: energyEvaluations * n / turns, difference: counted(n) })),
  };
}

/**
 * Makes an observable that tells which walkers have moved since the last turn, by their first coordinate.
 *
 * @param dim coordinates of a walker
 */
export function whoMoved(dim: number): (x: Float64Array) => Float64Array {
  let before: Float64Array = new Float64Array(0);
  return (x) => {
    const now = x.filter((_, i) => i % dim === 0);
    const moved = now.map((v, i) => v === before[i] ? 0 : 1);
    before = now;
    return moved;
  };
}

/** Share of the walkers that independence moves have moved; of the first turn it is not known. */
function acceptedOf({ series, kinds }: FlowMonteCarloResult, walkers: number): Estimate {
  const turns = Array.from(kinds.keys()).filter((turn) => turn > 0 && kinds[turn] === "independence");
  if (turns.length === 0) return noEstimate("no independence moves were made");
  return independentMean(Array.from({ length: walkers }, (_, c) => {
    return turns.reduce((sum, turn) => sum + series.moved[turn * walkers + c], 0) / turns.length;
  }));
}

/**
 * Counts changes of basin per million energies. The error is the scatter over walkers, which are independent. None at all
 * is 0 with an upper bound of 95 %: 3 in as many energies.
 *
 * @param basins after every turn [turns · walkers]; negative: in none
 * @param walkers number of walkers
 * @param energies evaluated by all of them
 */
export function transitionRate(basins: Int8Array, walkers: number, energies: number): Estimate {
  const counts = new Float64Array(walkers);
  const last = new Int8Array(walkers).fill(-1);
  basins.forEach((basin, i) => {
    const walker = i % walkers;
    if (basin < 0) return;
    if (last[walker] >= 0 && basin !== last[walker]) counts[walker]++;
    last[walker] = basin;
  });
  const total = counts.reduce((sum, n) => sum + n, 0);
  const unit = MILLION / energies;
  if (total === 0) {
    const most = NONE_SEEN * unit;
    return { value: 0, standardError: unit, interval95: [0, most], reliable: true, reason: null };
  }
  const mean = total / walkers;
  const variance = counts.reduce((sum, n) => sum + (n - mean) ** 2, 0) / (walkers - 1);
  return estimateFrom(total * unit, Math.sqrt(walkers * variance) * unit, { degreesOfFreedom: walkers - 1 });
}

/**
 * Counts changes of basin per million energies as they would be at equilibrium, for chains too short to reach it:
 *
 *     rate = 2 p₁ n₁₀ / t₁,
 *
 * n₁₀ changes from basin 1 to basin 0 in the time t₁ (in energies) that walkers spent after having come from there, and p₁
 * the population of basin 1, known otherwise, whose error the rate shares. At equilibrium there are as many changes back.
 * Chains that start half in each basin would be counted far too high where p₁ is small. None at all is 0 with an upper bound
 * of 95 %.
 *
 * @param basins after every turn [turns · walkers]; negative: in none
 * @param walkers number of walkers
 * @param energies evaluated by all of them
 * @param population p₁
 */
export function equilibriumRate(
  basins: Int8Array,
  walkers: number,
  energies: number,
  { value: population, standardError }: Omit<Reference, "method">,
): Estimate {
  const [left, there] = [new Float64Array(walkers), new Float64Array(walkers)];
  const last = new Int8Array(walkers).fill(-1);
  basins.forEach((basin, i) => {
    const walker = i % walkers;
    if (last[walker] === 1) there[walker]++;
    if (last[walker] === 1 && basin === 0) left[walker]++;
    if (basin >= 0) last[walker] = basin;
  });
  const turnsThere = there.reduce((sum, t) => sum + t, 0);
  if (turnsThere === 0) return noEstimate("no walker was in the basin of less weight");
  const unit = 2 * population * MILLION / (energies * turnsThere / basins.length);
  const total = left.reduce((sum, n) => sum + n, 0);
  if (total === 0) {
    return { value: 0, standardError: unit, interval95: [0, NONE_SEEN * unit], reliable: true, reason: null };
  }
  // Of a ratio Σn/Σt: the scatter of n less what t lets expect.
  const perTurn = total / turnsThere;
  const variance = left.reduce((sum, n, w) => sum + (n - perTurn * there[w]) ** 2, 0) / (walkers - 1);
  const error = Math.hypot(Math.sqrt(walkers * variance), total * standardError / population) * unit;
  return estimateFrom(total * unit, error, { degreesOfFreedom: walkers - 1 });
}

/**
 * Energies for a standard error σ: what is paid beforehand, plus se² · E / σ². The product of standard error² and energies
 * is the same however long a method runs, its relative error that of a variance from as many degrees of freedom as there are
 * independent runs.
 *
 * @param difference what was estimated
 * @param run energies that its standard error took, independent runs that it comes from, energies paid beforehand
 * @param sigma σ in the unit of the estimate
 */
export function energiesFor(
  { standardError, reason }: Estimate,
  { energies, runs, paid = 0 }: { readonly energies: number; readonly runs: number; readonly paid?: number },
  sigma: number,
): Estimate {
  if (standardError === null) return noEstimate(reason ?? "there is no standard error");
  const needed = energies * (standardError / sigma) ** 2;
  return estimateFrom(paid + needed, needed * Math.sqrt(2 / Math.max(1, runs - 1)), { degreesOfFreedom: runs - 1 });
}

/**
 * Transitions per million energies where something is paid beforehand: n / (cost + n / rate).
 *
 * @param rate transitions per million energies
 * @param cost energies beforehand
 * @param wanted n, transitions that are wanted
 */
export function rateWithCost(rate: Estimate, cost: number, wanted: number): Estimate {
  if (rate.value === null || !(rate.value > 0)) return noEstimate(rate.reason ?? "the rate is zero");
  const running = wanted * MILLION / rate.value;
  const value = wanted * MILLION / (cost + running);
  const share = running / (cost + running);
  return estimateFrom(value, value * share * (rate.standardError ?? NaN) / rate.value, { reason: rate.reason });
}

/**
 * A ratio of independent estimates on a scale of logarithms: errors of rates are relative.
 *
 * @param above numerator
 * @param below denominator
 */
export function ratioOf(above: Estimate, below: Estimate): Estimate {
  if (above.value === null || below.value === null) {
    return noEstimate(above.reason ?? below.reason ?? "a rate is missing");
  }
  if (!(above.value > 0 && below.value > 0)) return noEstimate("a rate is zero");
  const value = above.value / below.value;
  const relative = Math.hypot((above.standardError ?? NaN) / above.value, (below.standardError ?? NaN) / below.value);
  const spread = Math.exp(1.96 * relative);
  const reason = above.reason ?? below.reason;
  return {
    value,
    standardError: value * relative,
    interval95: [value / spread, value * spread],
    reliable: reason === null,
    reason,
  };
}
