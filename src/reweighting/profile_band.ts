import { MINIMUM_EFFECTIVE_SAMPLES, standardDeviation } from "./reliability.ts";
import { studentQuantile } from "./student_t.ts";

/** A free-energy profile F(d) = −ln p(d) on bins, with its error. */
export interface FreeEnergyProfile {
  /** Bin edges, [bins + 1]. */
  readonly edges: Float64Array;
  /** Middle of each bin, [bins]. */
  readonly centers: Float64Array;
  /** −ln of the mean density over the bin in k_BT, [bins]; null for a bin without weight. */
  readonly freeEnergy: readonly (number | null)[];
  /** Its standard error, [bins]; null where it cannot be estimated. */
  readonly standardError: readonly (number | null)[];
  /** Lower end of the 95 % band, [bins]. */
  readonly lower: readonly (number | null)[];
  /** Upper end of the 95 % band, [bins]. */
  readonly upper: readonly (number | null)[];
  /** Effective number of independent samples behind each bin, [bins]. */
  readonly effectiveSamples: Float64Array;
  /** Whether a bin has at least 50 effective samples and an error, [bins]. */
  readonly reliable: readonly boolean[];
}

/** With more than this share of replicates empty, a bin has no error. */
const LARGEST_EMPTY_SHARE = 0.02;

/**
 * Turns bin masses and their replicates into a profile with a band.
 *
 *     F = −ln (mass / width)
 *
 * No Jacobian of the coordinate is removed: F(d) is minus the logarithm of the density of d itself. The masses are shares
 * of all the weight, so that profiles of the same system share their zero: ∫ exp(−F) dd = 1 over all d.
 *
 * @param edges bin edges, [bins + 1]
 * @param masses share of the weight in each bin, [bins]
 * @param replicates the same for every replicate, row-major [replicates, bins]
 * @param effectiveSamples effective number of samples in each bin, [bins]
 * @param freedom degrees of freedom of the error of each bin, [bins]; default ∞
 * @returns the profile; the band is F ± t standard errors, with Student's t where few chains stand behind a bin
 */
export function profileFromMasses(
  edges: Float64Array,
  masses: Float64Array,
  replicates: Float64Array,
  effectiveSamples: Float64Array,
  freedom: Float64Array = new Float64Array(masses.length).fill(Infinity),
): FreeEnergyProfile {
  const bins = masses.length;
  const width = (bin: number) => edges[bin + 1] - edges[bin];
  const level = (mass: number, bin: number) => mass > 0 ? -Math.log(mass / width(bin)) : null;
  const freeEnergy = Array.from(masses, level);
  const standardError = freeEnergy.map((value, bin) => {
    if (value === null) return null;
    const values = new Float64Array(replicates.length / bins);
    for (let r = 0; r < values.length; r++) values[r] = level(replicates[r * bins + bin], bin) ?? NaN;
    const empty = values.filter(Number.isNaN).length;
    const deviation = standardDeviation(values);
    return empty > LARGEST_EMPTY_SHARE * values.length || Number.isNaN(deviation) ? null : deviation;
  });
  const end = (sign: number) =>
    freeEnergy.map((value, bin) => {
      const error = standardError[bin];
      return value === null || error === null ? null : value + sign * studentQuantile(freedom[bin]) * error;
    });
  return {
    edges: Float64Array.from(edges),
    centers: masses.map((_, bin) => 0.5 * (edges[bin] + edges[bin + 1])),
    freeEnergy,
    standardError,
    lower: end(-1),
    upper: end(1),
    effectiveSamples,
    reliable: freeEnergy.map((_, bin) =>
      effectiveSamples[bin] >= MINIMUM_EFFECTIVE_SAMPLES && standardError[bin] !== null
    ),
  };
}

/**
 * Finds the bin of a value by bisection.
 *
 * @param edges rising bin edges, [bins + 1]
 * @param value the value
 * @returns the bin with edges[bin] ≤ value < edges[bin + 1]; −1 below the first, bins at or above the last edge
 */
export function binOf(edges: Float64Array, value: number): number {
  if (!(value >= edges[0])) return -1;
  let low = 0;
  let high = edges.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (edges[middle] <= value) low = middle;
    else high = middle;
  }
  return low;
}
