/**
 * What rounding may do to a rational-quadratic spline that is evaluated in float32.
 *
 * @module
 */
import { primitives } from "../../src/autodiff/primitives.ts";
import { type SplineAttributes, splineFeatures } from "../../src/graph/spline_features.ts";
import { RandomStream } from "../../src/random/random_stream.ts";
import { FLOAT32_ROUNDING } from "./assert_close.ts";
import { splineEvaluation, type SplineName } from "./spline_examples.ts";

/** Values and logarithms of slopes, with the cotangents of places and features. */
export type Results = readonly [output: Float64Array, byPlaces: Float64Array, byFeatures: Float64Array];
/** Places and features. */
export type Inputs = readonly [places: Float64Array, features: Float64Array];

/** In float64. */
export function exactly(
  name: SplineName,
  size: SplineAttributes,
  d: number,
  inputs: Inputs,
  cotangent: Float64Array,
): Results {
  const at = splineEvaluation(name, size, d, ...inputs);
  const output = primitives[name].forward(at as never);
  const [byPlaces, byFeatures] = primitives[name].vjp({ ...at, output } as never, cotangent) as Float64Array[];
  return [output, byPlaces, byFeatures];
}

/** Directions in which everything is moved at once; more than K, so that knots move both apart and together. */
const DRAWS = 12;

/**
 * Roundings that a float32 evaluation makes where a draw makes one. A share: exp, the sum and two products; a knot: the
 * shares below it, a product and a sum; then about ten to ξ and to each result. A draw moves all of them by the full
 * amount, but twelve draws may miss the worst signs: twice that number.
 */
const SAFETY = 20;

/**
 * How far each result may be off. The largest change of the results of a coordinate when its place moves by a rounding of
 * B and its features by one of 1 + |feature| (what shares and slopes are relative in), and a rounding of each result and
 * of the largest cotangent.
 */
export function tolerances(
  name: SplineName,
  size: SplineAttributes,
  d: number,
  inputs: Inputs,
  cotangent: Float64Array,
  right: Results,
): Results {
  const random = new RandomStream(7, 1);
  const { bound, bins } = size;
  const largest = cotangent.reduce((most, c) => Math.max(most, Math.abs(c)), 0);
  const scale = [bound, largest, largest];
  const widths = [1, 1, splineFeatures(bins)];
  const moves = right.map((result, k) => new Float64Array(result.length / widths[k]));
  for (let draw = 0; draw < DRAWS; draw++) {
    const step = () => FLOAT32_ROUNDING * (random.uniform() < 0.5 ? -1 : 1);
    const places = inputs[0].map((x) => Math.abs(x) < bound ? x + step() * bound : x);
    const moved = exactly(name, size, d, [places, inputs[1].map((f) => f + step() * (1 + Math.abs(f)))], cotangent);
    moved.forEach((result, k) =>
      result.forEach((v, i) => {
        const at = Math.floor(i / widths[k]);
        moves[k][at] = Math.max(moves[k][at], Math.abs(v - right[k][i]));
      })
    );
  }
  return right.map((result, k) =>
    result.map((v, i) => SAFETY * (moves[k][Math.floor(i / widths[k])] + FLOAT32_ROUNDING * (Math.abs(v) + scale[k])))
  ) as unknown as Results;
}
