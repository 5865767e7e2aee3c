/**
 * Rational-quadratic splines of all coordinates of a batch, whose parameters are features, and their inverses.
 *
 * @module
 */
import type { Evaluation } from "../../graph/columns.ts";
import { splineScratchBytes, splineSettings } from "../../graph/kernels/spline.ts";
import { splineFeatures } from "../../graph/spline_features.ts";
import type { Primitive } from "./primitive.ts";
import { RationalQuadratic, type SplineDirection } from "./rational_quadratic.ts";

type Name = "splineForward" | "splineInverse";

/** The spline of each coordinate of each sample, with where it is evaluated and the place of its features. */
function* splines({ inputs: [x, features], shapes, attributes, n }: Evaluation<Name>) {
  const [d, width] = [shapes[0][1] as number, splineFeatures(attributes.bins)];
  for (let i = 0; i < n * d; i++) {
    const range = [i * width, (i + 1) * width] as const;
    // The cotangent of the value stands in the output's row of 2d, that of the logarithm of the slope d later.
    const value = Math.floor(i / d) * 2 * d + i % d;
    const spline = new RationalQuadratic(attributes, features.subarray(...range));
    yield { i, at: x[i], spline, range, value, logSlope: value + d };
  }
}

function primitive<P extends Name>(name: P, direction: SplineDirection): Primitive<P> {
  return {
    forward(at) {
      const result = new Float64Array(2 * at.inputs[0].length);
      for (const { at: place, spline, value, logSlope } of splines(at)) {
        const found = spline.evaluate(direction, place);
        result[value] = found.value;
        result[logSlope] = found.logSlope;
      }
      return result;
    },
    vjp(at, cotangent) {
      const [dx, dFeatures] = at.inputs.map((input) => new Float64Array(input.length));
      for (const { i, at: place, spline, range, value, logSlope } of splines(at)) {
        const by = [cotangent[value], cotangent[logSlope]] as const;
        dx[i] = spline.backward(direction, place, by, dFeatures.subarray(...range));
      }
      return [dx, dFeatures];
    },
    kernel: {
      saves: "inputs",
      vjp(at) {
        const settings = splineSettings(at.panels, at.features(0), at.attributes);
        const scratch = at.scratch(splineScratchBytes(at.attributes.bins));
        const values = [at.input(0), at.input(1), at.cotangent, at.overwrite(0), at.overwrite(1)];
        at.emit(`${name}GradF32`, ...settings, ...values, scratch);
      },
    },
  };
}

/** [y, ln dy/dx], y = f(x):  x̄ = ȳ f′ + ℓ̄ ∂ℓ/∂x, features̄ = ȳ ∂f + ℓ̄ ∂ℓ */
export const splineForward: Primitive<"splineForward"> = primitive("splineForward", "forward");

/** [x, ln dx/dy], f(x) = y:  ȳ = (x̄ − ℓ̄ ∂ℓ/∂x) / f′, features̄ those of f for −ȳ and −ℓ̄ */
export const splineInverse: Primitive<"splineInverse"> = primitive("splineInverse", "inverse");
