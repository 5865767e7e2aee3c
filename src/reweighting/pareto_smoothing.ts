import { fitGeneralisedPareto, type GeneralisedPareto, generalisedParetoQuantile } from "./generalised_pareto.ts";
import { requireLogWeights } from "./input_checks.ts";

/** The shortest tail that a shape is fitted to. */
const SHORTEST_TAIL = 5;

/**
 * Computes the Pareto shape k̂ of the largest importance weights: how heavy their tail is.
 *
 * A generalised Pareto distribution is fitted to the M = ⌈min(0.2 S, 3 √S)⌉ largest weights. Its shape k tells how many
 * moments the weights have (fewer than 1/k): below 0.5 the variance is finite and the usual errors hold; up to
 * `paretoKLimit(S)` estimates still converge at a usable rate; beyond it neither the estimate nor its error can be
 * trusted, however good the effective sample size looks.
 *
 * S counts the weights above zero: zero weights say nothing about the tail. The result is −Infinity when all weights of
 * the tail are equal (bounded, as good as it gets) and +Infinity when there is no telling: fewer than 5 weights in the
 * tail (S ≤ 20), or a tail that spans more than float64 does. Where equal weights lie across the lower end of the tail, as
 * those of spins often do, the tail is what exceeds them or, if that is too short, what they exceed is left out.
 *
 * Units: none. Reference: Vehtari, Simpson, Gelman, Yao, Gabry, J. Mach. Learn. Res. 25, 72 (2024), section 3.
 *
 * @param logWeights log importance weights of independent samples, [n]; −Infinity is a weight of zero
 * @returns k̂
 * @throws {RangeError} if `logWeights` is empty or holds NaN or +Infinity
 *
 * @example Usage
 * ```ts
 * import { paretoK, paretoKLimit } from "@boltzflow/boltzflow";
 * import assert from "node:assert/strict";
 *
 * // weights (i/1000)^(-0.3): a Pareto tail of shape 0.3
 * const logWeights = Float64Array.from({ length: 1000 }, (_, i) => -0.3 * Math.log((i + 0.5) / 1000));
 *
 * assert.ok(Math.abs(paretoK(logWeights) - 0.3) < 0.1);
 * assert.ok(paretoK(logWeights) < paretoKLimit(1000));
 * ```
 */
export function paretoK(logWeights: Float64Array): number {
  requireLogWeights("fit the tail of the weights", logWeights);
  return fitTail(logWeights).distribution.shape;
}

/**
 * Computes the largest Pareto shape at which S samples still give a usable estimate.
 *
 *     limit(S) = min(0.7, 1 − 1/log₁₀ S)
 *
 * Units: none. Reference: Vehtari et al. 2024, section 3.2.4, equation 13.
 *
 * @param samples S, the number of weights above zero that k̂ was fitted to
 * @returns the limit; −Infinity for S ≤ 1
 */
export function paretoKLimit(samples: number): number {
  return samples > 1 ? Math.min(0.7, 1 - 1 / Math.log10(samples)) : -Infinity;
}

/** From this shape on the squares of weights have no mean, which the sampling efficiency needs. */
const SHAPE_OF_SQUARES = 0.5;

/**
 * Doubts a sampling efficiency whose heaviest weights may not have been drawn.
 *
 * @param shape k̂ of the weights
 * @returns a clause, or null where the efficiency is no mere upper bound
 */
export function efficiencyDoubt(shape: number): string | null {
  if (shape < SHAPE_OF_SQUARES) return null;
  return `the weights are heavy-tailed (Pareto k ${shape.toFixed(2)}): this is an upper bound`;
}

/**
 * Replaces the largest weights by the expected order statistics of the fitted Pareto tail.
 *
 *     the z-th smallest of the M tail weights becomes min(F⁻¹((z − ½)/M), largest weight)
 *
 * This takes the noise, and a little of the mass, out of the few heaviest weights; sums change by a small bias for a
 * large gain in variance. The other weights, and all of them when no tail can be fitted (k̂ infinite), stay as they are.
 *
 * Units: none. Reference: Vehtari et al. 2024, section 3.1.
 *
 * @param logWeights log importance weights of independent samples, [n]; −Infinity is a weight of zero
 * @returns smoothed log weights in the order and on the scale of the given ones, [n]
 * @throws {RangeError} if `logWeights` is empty or holds NaN or +Infinity
 */
export function paretoSmoothedLogWeights(logWeights: Float64Array): Float64Array {
  requireLogWeights("smooth the weights", logWeights);
  const { tail, distribution, largest, smallest, threshold } = fitTail(logWeights);
  const smoothed = Float64Array.from(logWeights);
  if (!Number.isFinite(distribution.shape)) return smoothed;
  const rising = Int32Array.from(logWeights.keys()).filter((i) => logWeights[i] >= smallest)
    .sort((i, j) => logWeights[i] - logWeights[j]);
  for (let z = 0; z < tail; z++) {
    const weight = threshold + generalisedParetoQuantile(distribution, (z + 0.5) / tail);
    smoothed[rising[rising.length - tail + z]] = largest + Math.min(0, Math.log(weight));
  }
  return smoothed;
}

interface Tail {
  /** How many weights make the tail. */
  readonly tail: number;
  readonly distribution: GeneralisedPareto;
  /** Largest log weight. */
  readonly largest: number;
  /** Smallest log weight of the tail. */
  readonly smallest: number;
  /** Largest weight below the tail, relative to the largest one. */
  readonly threshold: number;
}

function fitTail(logWeights: Float64Array): Tail {
  const sorted = logWeights.filter((value) => value > -Infinity).sort();
  const samples = sorted.length;
  const wanted = Math.ceil(Math.min(0.2 * samples, 3 * Math.sqrt(samples)));
  const largest = samples > 0 ? sorted[samples - 1] : -Infinity;
  const tail = untiedTail(sorted, wanted);
  const smallest = sorted[samples - tail];
  const unknown = { tail, largest, smallest, threshold: NaN };
  if (wanted >= SHORTEST_TAIL && sorted[samples - wanted] === largest) {
    return { ...unknown, distribution: { shape: -Infinity, scale: NaN } };
  }
  if (tail < SHORTEST_TAIL) return { ...unknown, distribution: { shape: Infinity, scale: NaN } };
  const threshold = Math.exp(sorted[samples - tail - 1] - largest);
  const exceedances = sorted.subarray(samples - tail).map((value) => Math.exp(value - largest) - threshold);
  return { tail, largest, smallest, threshold, distribution: fitGeneralisedPareto(exceedances) };
}

/** The length of the tail that is nearest to the one wanted and does not begin among equal weights; 0 if there is none. */
function untiedTail(sorted: Float64Array, wanted: number): number {
  const below = sorted[sorted.length - wanted - 1];
  const above = sorted.length - 1 - sorted.lastIndexOf(below);
  if (wanted < SHORTEST_TAIL || above >= SHORTEST_TAIL) return above;
  const tied = sorted.indexOf(below);
  return tied > 0 ? sorted.length - tied : 0;
}
