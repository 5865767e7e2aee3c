/** Generators of the fuzz test: rational-quadratic splines, whose references are primitives in float64. */
import { splineFeatures } from "../../src/graph/spline_features.ts";
import { splineExample, type SplineName, splinePlaces, splineSize, spreads } from "../support/spline_examples.ts";
import { exactly, type Inputs, tolerances } from "../support/spline_rounding.ts";
import type { Generator, Generators } from "./fuzz_draw.ts";
import { known } from "./fuzz_densities.ts";
import { splineArguments } from "./spline_calls.ts";
import { panelsOf } from "./tilted_calls.ts";

/** Splines of 2 to 9 bins of up to 3 coordinates, gentle or extreme. */
function spline(name: SplineName, derivative: boolean): Generator {
  return (draw) => {
    const size = splineSize(draw.integer(2, 9), draw.pick([0.5, 3, 40]));
    const [n, d] = [32 * draw.integer(1, 2), draw.integer(1, 3)];
    const features = splineExample(size, n, d, draw.pick(spreads), draw.integer(0, 1e6));
    const inputs: Inputs = [splinePlaces(name, size, features, draw.integer(0, 1e6)), features];
    const cotangent = Float64Array.from(draw.floats(n * 2 * d, { from: -2, to: 2, special: [0, -0] }));
    const right = exactly(name, size, d, inputs, cotangent);
    const allowed = tolerances(name, size, d, inputs, cotangent, right);
    const result = (at: number, k: number) => ({ at, rows: right[k], tolerance: allowed[k] });
    const width = d * splineFeatures(size.bins);
    const panels = [panelsOf(inputs[0], n, d), panelsOf(features, n, width)];
    const [given, scratch] = splineArguments(n / 32, d, size, panels);
    // A feature of a bin reaches only who is in that bin: kernel_spline_test.ts has NaN in each of them.
    const batches = [7];
    if (!derivative) return { ...known([...given, draw.room(2 * n * d), scratch], n, [result(9, 0)], 10), batches };
    const rooms = [draw.room(n * d), draw.room(n * width)];
    const args = [...given, panelsOf(cotangent, n, 2 * d), ...rooms, scratch];
    return { ...known(args, n, [result(10, 1), result(11, 2)], 12), batches };
  };
}

/** Generators for the kernels of splines. */
export const splines: Generators = {
  splineForwardF32: spline("splineForward", false),
  splineInverseF32: spline("splineInverse", false),
  splineForwardGradF32: spline("splineForward", true),
  splineInverseGradF32: spline("splineInverse", true),
};
