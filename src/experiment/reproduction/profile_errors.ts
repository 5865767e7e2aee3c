/**
 * How far off a free-energy profile is: by its own error bars, as was published, and against the exact one.
 *
 * @module
 */
import { bootstrap } from "../../reweighting/bootstrap.ts";
import { type Estimate, estimateFrom, noEstimate } from "../../reweighting/estimate.ts";
import { maximum } from "../../reweighting/log_sum_exp.ts";
import { binOf } from "../../reweighting/profile_band.ts";
import { standardDeviation } from "../../reweighting/reliability.ts";

/** Errors of one profile. */
export interface ProfileErrors {
  /** √ of the mean bootstrap variance over bins that have one: what the papers print. */
  readonly bootstrapped: number;
  /** Root of the mean square of F − F_exact over bins that hold weight. */
  readonly deviation: number;
  /** Bins without weight, which both numbers leave out. */
  readonly empty: number;
}

/** Bins, and how often samples are resampled. */
export interface ProfileErrorOptions {
  /** Rising edges [bins + 1]. */
  readonly edges: Float64Array;
  /** Exact F in each bin [bins], of a density that is normalised on all of the line. */
  readonly exact: Float64Array;
  /** Bootstrap replicates; published 100. */
  readonly replicates: number;
  /** Of the replicates. */
  readonly seed: number;
}

/**
 * Finds both errors of a reweighted profile. Samples outside the bins count in its normalisation.
 *
 * Bins without weight are left out, as in the published code: a flow that never visits half of the range has an error all
 * the same, and it may be small.
 *
 * @param coordinate of each sample [n]
 * @param logWeights [n]
 * @param options bins, exact profile, replicates
 * @returns errors in k_BT; NaN where no bin has one
 */
export function profileErrors(
  coordinate: Float64Array,
  logWeights: Float64Array,
  { edges, exact, replicates, seed }: ProfileErrorOptions,
): ProfileErrors {
  const bins = exact.length;
  const largest = maximum(logWeights);
  const weights = logWeights.map((log) => Math.exp(log - largest));
  // Whatever lies outside shares the last place, which is not a bin.
  const binOfSample = Int32Array.from(coordinate, (value) => {
    const bin = binOf(edges, value);
    return bin < 0 ? bins : bin;
  });
  const levels = (counts: Float64Array | null) => {
    const masses = new Float64Array(bins + 1);
    for (let i = 0; i < weights.length; i++) masses[binOfSample[i]] += (counts?.[i] ?? 1) * weights[i];
    const total = masses.reduce((a, b) => a + b, 0);
    return masses.subarray(0, bins).map((mass, bin) =>
      mass > 0 ? -Math.log(mass / (total * (edges[bin + 1] - edges[bin]))) : NaN
    );
  };
  const resampled: Float64Array[] = [];
  bootstrap((counts) => resampled.push(levels(counts)), weights.length, { replicates, seed });
  const variances = exact.map((_, bin) => standardDeviation(Float64Array.from(resampled, (f) => f[bin])) ** 2);
  const squares = levels(null).map((f, bin) => (f - exact[bin]) ** 2);
  return {
    bootstrapped: rootOfMean(variances),
    deviation: rootOfMean(squares),
    empty: squares.filter(Number.isNaN).length,
  };
}

/** √ of the mean of the numbers among values. */
function rootOfMean(values: Float64Array): number {
  const numbers = values.filter(Number.isFinite);
  return Math.sqrt(numbers.reduce((a, b) => a + b, 0) / numbers.length);
}

/**
 * Averages an error over independent repeats; its standard error comes from their scatter.
 *
 * @param repeats errors of each
 * @param which of the two numbers
 * @param bins how many there are
 * @returns the mean; unreliable where bins were left out
 */
export function meanProfileError(
  repeats: readonly ProfileErrors[],
  which: "bootstrapped" | "deviation",
  bins: number,
): Estimate {
  const values = Float64Array.from(repeats, (errors) => errors[which]);
  if (!values.every(Number.isFinite)) return noEstimate("no bin holds enough samples");
  const empty = Math.max(...repeats.map((errors) => errors.empty));
  const reason = empty === 0 ? null : `${empty} of ${bins} bins hold no sample and are left out`;
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  return estimateFrom(mean, standardDeviation(values) / Math.sqrt(values.length), {
    degreesOfFreedom: values.length - 1,
    reason,
  });
}
