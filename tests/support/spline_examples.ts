/**
 * Rational-quadratic splines to test: features from gentle to extreme, and places in the middle of bins.
 *
 * @module
 */
import type { Evaluation } from "../../src/graph/columns.ts";
import { type SplineAttributes, splineFeatures } from "../../src/graph/spline_features.ts";
import { RandomStream } from "../../src/random/random_stream.ts";
import { normals } from "./random_arrays.ts";

/** Names of the primitives of a spline. */
export type SplineName = "splineForward" | "splineInverse";

/** Attributes with least lengths and slopes of 0.001. */
export function splineSize(bins: number, bound = 3, least = 1e-3): SplineAttributes {
  return { bins, bound, minimumWidth: least, minimumHeight: least, minimumSlope: least };
}

/** Two bins, an odd number, the usual number, and more than are usual. */
export const sizes: readonly SplineAttributes[] = [splineSize(2), splineSize(3, 1), splineSize(8, 5), splineSize(12)];

/** Standard deviations of features: bins alike, unlike, and nearly all as small and flat as may be. */
export const spreads = [0.5, 2, 20];

/** Features of n samples with d coordinates. */
export function splineExample(size: SplineAttributes, n: number, d: number, spread: number, seed = 1): Float64Array {
  return normals(n * d * splineFeatures(size.bins), seed, spread);
}

/** Knots along one axis from K logits, by the formula of the documentation. */
function knotsOf(logits: Float64Array, least: number, bound: number): Float64Array {
  const largest = Math.max(...logits);
  const weights = logits.map((a) => Math.exp(a - largest));
  const total = weights.reduce((sum, e) => sum + e, 0);
  const knots = new Float64Array(logits.length + 1).fill(-bound);
  weights.forEach((e, k) => {
    knots[k + 1] = knots[k] + 2 * bound * (least + (1 - logits.length * least) * e / total);
  });
  return knots;
}

/** K + 1 knots on both axes from the features of a coordinate. */
export function splineKnots(size: SplineAttributes, features: Float64Array): { x: Float64Array; y: Float64Array } {
  const { bins, bound, minimumWidth, minimumHeight } = size;
  return {
    x: knotsOf(features.subarray(0, bins), minimumWidth, bound),
    y: knotsOf(features.subarray(bins, 2 * bins), minimumHeight, bound),
  };
}

/**
 * Places at least a twentieth of a bin away from knots, where second derivatives jump, so that rounding does not decide
 * on which side they are; one in eight is outside of all bins. Rounded to float32.
 */
export function splinePlaces(name: SplineName, size: SplineAttributes, features: Float64Array, seed = 2): Float64Array {
  const random = new RandomStream(seed, 3);
  const width = splineFeatures(size.bins);
  return Float64Array.from({ length: features.length / width }, (_, i) => {
    const knots = splineKnots(size, features.subarray(i * width, (i + 1) * width));
    const axis = name === "splineForward" ? knots.x : knots.y;
    const [bin, part] = [random.integer(size.bins), 0.05 + 0.9 * random.uniform()];
    if (random.integer(8) === 0) return Math.fround((bin % 2 === 0 ? 1 : -1) * size.bound * (1 + part));
    return Math.fround(axis[bin] + part * (axis[bin + 1] - axis[bin]));
  });
}

/** An evaluation of a primitive. */
export function splineEvaluation<P extends SplineName>(
  _name: P,
  attributes: SplineAttributes,
  d: number,
  places: Float64Array,
  features: Float64Array,
): Evaluation<P> {
  const shapes = [["n", d], ["n", d * splineFeatures(attributes.bins)]];
  return { inputs: [places, features], shapes, shape: ["n", 2 * d], attributes, n: places.length / d } as Evaluation<P>;
}
