/**
 * Upper bounds of free energies, ⟨u + log p⟩ over samples of a flow, and what their difference is worth.
 *
 * @module
 */
import { type Estimate, estimateFrom, noEstimate } from "../reweighting/estimate.ts";
import { standardDeviation } from "../reweighting/reliability.ts";

/** Samples of a flow with what its bound is made of. */
export interface BoundSamples {
  /** u(x) [n]. */
  readonly reducedEnergy: Float64Array;
  /** u(x) + log p_X(x) [n]; ∞ where it is not finite. */
  readonly work: Float64Array;
}

/** What a difference of bounds is judged by. */
export interface BoundOptions {
  /** Free energies of both states, from elsewhere. */
  readonly freeEnergies: readonly [Estimate, Estimate];
  /** Leaves pairs out whose reduced energy in either state lies further above the median. Default ∞. */
  readonly rejectAbove?: number | undefined;
}

/** k_BT that nobody minds, and that float32 networks may scatter by. */
const HARMLESS = 1e-3;
/** Share of its standard error that an estimate may be biased by: its 95 % interval then holds the truth 94 times in 100. */
const TOLERABLE = 0.3;

/**
 * Averages u + log p, which is at least the free energy of what a flow samples.
 *
 *     ⟨u + log p⟩ = F + KL(p ‖ Boltzmann)
 *
 * @param work u + log p of independent samples, [n]
 * @returns the mean with its standard error; no estimate where one is infinite
 */
export function upperBound(work: Float64Array): Estimate {
  const infinite = work.reduce((count, value) => count + (value === Infinity ? 1 : 0), 0);
  if (infinite > 0) {
    return noEstimate(`the bound is infinite: ${infinite} of ${work.length} samples have no finite energy or density`);
  }
  const mean = work.reduce((sum, value) => sum + value / work.length, 0);
  return estimateFrom(mean, standardDeviation(work) / Math.sqrt(work.length), {
    degreesOfFreedom: work.length - 1,
  });
}

/**
 * Subtracts two bounds over samples of the same z, and says how far they lie above the free energies.
 *
 * @param first samples of the first flow
 * @param second samples of the second flow, from the same z in the same order
 * @param options free energies from elsewhere, rejection
 * @returns second − first with the standard error of pairs, and the share of pairs that was left out
 */
export function differenceOfBounds(
  first: BoundSamples,
  second: BoundSamples,
  options: BoundOptions,
): { readonly estimate: Estimate; readonly rejected: number } {
  const { freeEnergies, rejectAbove = Infinity } = options;
  const limits = [first, second].map(({ reducedEnergy }) => median(reducedEnergy) + rejectAbove);
  const n = first.work.length;
  const kept = Int32Array.from(first.work.keys()).filter((i) =>
    rejectAbove === Infinity || (first.reducedEnergy[i] <= limits[0] && second.reducedEnergy[i] <= limits[1])
  );
  const rejected = 1 - kept.length / n;
  if (kept.length < 2) return { estimate: noEstimate("fewer than two pairs are left"), rejected };
  const works = [first, second].map(({ work }) => Float64Array.from(kept, (i) => work[i]));
  const bounds = works.map(upperBound);
  const none = bounds.find(({ value }) => value === null);
  if (none !== undefined) return { estimate: noEstimate(none.reason!), rejected };
  const pairs = upperBound(works[1].map((value, i) => value - works[0][i]));
  const reason = rejected > 0
    ? `${(100 * rejected).toPrecision(2)} % of the pairs are left out for their energy, which leaves no bounds`
    : heightDoubt(bounds, freeEnergies, pairs.standardError!);
  return { estimate: { ...pairs, reliable: reason === null, reason }, rejected };
}

/** Doubts a difference of bounds that lie too high, or nobody knows how high. */
function heightDoubt(
  bounds: readonly Estimate[],
  freeEnergies: readonly [Estimate, Estimate],
  standardError: number,
): string | null {
  const unknown = freeEnergies.find(({ reliable }) => !reliable);
  if (unknown !== undefined) {
    return `a difference of upper bounds, and how far they lie above the free energies is not known (${unknown.reason})`;
  }
  const heights = bounds.map(({ value }, i) => value! - freeEnergies[i].value!);
  // A bound below the free energy of the basin belongs to a flow that has left it.
  const most = heights.reduce((sum, height) => sum + Math.abs(height), 0);
  if (most <= Math.max(HARMLESS, TOLERABLE * standardError)) return null;
  const [one, two] = heights.map((height) => height.toPrecision(2));
  return `a difference of upper bounds, which lie ${one} and ${two} k_BT above the free energies of the states`;
}

function median(values: Float64Array): number {
  return values.toSorted()[values.length >> 1];
}
