/**
 * What rounding may do to a mixture density that is evaluated in float32.
 *
 * @module
 */
import type { MixtureAttributes } from "../../src/graph/mixture_features.ts";
import { primitives } from "../../src/autodiff/primitives.ts";
import { RandomStream } from "../../src/random/random_stream.ts";
import { FLOAT32_ROUNDING } from "./assert_close.ts";
import {
  mixtureEvaluation,
  mixtureExample,
  type MixtureName,
  type MixtureStyle,
  withoutLast,
} from "./mixture_examples.ts";
import { uniforms } from "./random_arrays.ts";

/** A value with the cotangents of features and rows. */
export type Results = readonly [value: ArrayLike<number>, byFeatures: ArrayLike<number>, byRows: ArrayLike<number>];
export type Inputs = readonly [features: Float64Array, rows: Float64Array];

/** In float64; `round` changes the coordinates that decode returns before log p and derivatives are taken there. */
export function exactly(
  name: MixtureName,
  size: MixtureAttributes,
  inputs: Inputs,
  cotangent: Float64Array,
  round?: (v: number) => number,
): Results {
  const at = mixtureEvaluation(name, size, ...inputs);
  const output = primitives[name].forward(at as never);
  if (round !== undefined && name === "mixtureDecode") {
    const dim = size.spatialDim;
    const r = withoutLast(output, dim).map(round);
    const logProb = primitives.mixtureLogProb.forward(mixtureEvaluation("mixtureLogProb", size, inputs[0], r));
    output.forEach((_, i) => {
      const row = Math.floor(i / (dim + 1));
      output[i] = i % (dim + 1) === dim ? logProb[row] : r[i - row];
    });
  }
  const [byFeatures, byRows] = primitives[name].vjp({ ...at, output } as never, cotangent) as Float64Array[];
  return [output, byFeatures, byRows];
}

/**
 * What rounding does to each sample: the largest change in any of its results when every input moves by one rounding
 * (relative, and absolute 2⁻²⁴ because e^a and weights are relative in what is added to a and to logits), in eight draws
 * of directions. Decode also rounds the coordinates that it returns, whose density and derivatives it gives.
 */
export function conditioning(
  name: MixtureName,
  size: MixtureAttributes,
  inputs: Inputs,
  cotangent: Float64Array,
  n: number,
) {
  const right = exactly(name, size, inputs, cotangent);
  const random = new RandomStream(7, 1);
  const largest = right.map(() => new Float64Array(n));
  for (let draw = 0; draw < 8; draw++) {
    const direction = () => FLOAT32_ROUNDING * (random.uniform() < 0.5 ? -1 : 1);
    const moved = inputs.map((x) => x.map((v) => v + direction() * (1 + Math.abs(v))));
    exactly(name, size, moved as unknown as Inputs, cotangent, (v) => v + direction() * Math.abs(v)).forEach(
      (result, k) => {
        const perSample = result.length / n;
        for (let i = 0; i < result.length; i++) {
          const row = Math.floor(i / perSample);
          largest[k][row] = Math.max(largest[k][row], Math.abs(result[i] - right[k][i]));
        }
      },
    );
  }
  return { right, largest };
}

/**
 * A float32 evaluation rounds about ten times where a draw moves each input once (e^a: 2, the difference, the product, two
 * for each shear, gauss 6, tail 8, quantile 12), and eight draws miss the worst signs by up to a factor of three: 30 times
 * what the draws show, and 30 roundings of the largest number. In a derivative, terms of size u² that the exponents bring
 * may cancel: where |z| ≤ reach these are (1 + reach²) times the cotangent.
 */
const SAFETY = 30;

export function tolerances(
  { right, largest }: ReturnType<typeof conditioning>,
  n: number,
  cotangent: Float64Array,
  reach: number,
): Float64Array[] {
  return right.map((result, k) => {
    const perSample = result.length / n;
    const cancelling = (1 + reach * reach) * cotangent.reduce((most, c) => Math.max(most, Math.abs(c)), 0);
    const size = new Float64Array(n).fill(k === 0 ? 0 : cancelling);
    for (let i = 0; i < result.length; i++) {
      const row = Math.floor(i / perSample);
      size[row] = Math.max(size[row], Math.abs(result[i]));
    }
    return Float64Array.from(result, (_, i) => {
      const row = Math.floor(i / perSample);
      return SAFETY * (largest[k][row] + FLOAT32_ROUNDING * size[row]);
    });
  });
}

/** Inputs whose z lie within ±`reach`: for all but decode the coordinates are decoded from them, and rounded. */
export function exampleWithin(
  name: MixtureName,
  size: MixtureAttributes,
  n: number,
  style: MixtureStyle,
  reach: number,
  seed: number,
): Inputs {
  const features = mixtureExample(size, n, style, seed);
  const z = uniforms(n * size.spatialDim, seed + 1, -reach, reach);
  if (name === "mixtureDecode") return [features, z];
  const decoded = primitives.mixtureDecode.forward(mixtureEvaluation("mixtureDecode", size, features, z));
  return [features, withoutLast(decoded, size.spatialDim).map(Math.fround)];
}
