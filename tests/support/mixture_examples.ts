/**
 * Mixture densities to test: features and coordinates from gentle to extreme.
 *
 * @module
 */
import type { Shape } from "../../src/graph/graph.ts";
import { type MixtureAttributes, mixtureFeatures } from "../../src/graph/mixture_features.ts";
import type { Evaluation } from "../../src/graph/columns.ts";
import { normals } from "./random_arrays.ts";

/** Names of the primitives of a mixture. */
export type MixtureName = "mixtureLogProb" | "mixtureEncode" | "mixtureDecode";

/** How far apart and how narrow components are. */
export interface MixtureStyle {
  /** Standard deviation of the means. */
  readonly spread: number;
  /** Mean of the log-scales. */
  readonly sharpness: number;
}

/** From overlapping components to islands of width 0.02 in a space of 30. */
export const styles: readonly MixtureStyle[] = [
  { spread: 1, sharpness: 0 },
  { spread: 3, sharpness: 1 },
  { spread: 30, sharpness: 4 },
];

/** Sizes: one component, an even and an odd number of them, in every dimension. */
export const sizes: readonly MixtureAttributes[] = [1, 2, 3].flatMap((spatialDim) =>
  [1, 4, 7].map((components) => ({ spatialDim, components }))
);

/** Features of n samples. */
export function mixtureExample(size: MixtureAttributes, n: number, style: MixtureStyle, seed = 1): Float64Array {
  const { spatialDim: dim, components } = size;
  const width = mixtureFeatures(size);
  return normals(n * width, seed).map((v, i) => {
    const quantity = Math.floor(i % width / components);
    if (quantity >= 1 && quantity <= dim) return Math.fround(style.spread * v);
    if (quantity > dim && quantity <= 2 * dim) return Math.fround(style.sharpness + v / 2);
    return Math.fround(v);
  });
}

/** An evaluation of a primitive. */
export function mixtureEvaluation<P extends MixtureName>(
  name: P,
  size: MixtureAttributes,
  features: Float64Array,
  rows: Float64Array,
): Evaluation<P> {
  const dim = size.spatialDim;
  const shape: Shape = name === "mixtureLogProb" ? ["n"] : ["n", dim + 1];
  const shapes: Shape[] = [["n", mixtureFeatures(size)], ["n", dim]];
  return { inputs: [features, rows], shapes, shape, attributes: size, n: rows.length / dim } as Evaluation<P>;
}

/** The first D of D + 1 features. */
export function withoutLast(rows: Float64Array, dim: number): Float64Array {
  return rows.filter((_, i) => i % (dim + 1) < dim);
}

/** The last of D + 1 features. */
export function lastOf(rows: Float64Array, dim: number): Float64Array {
  return rows.filter((_, i) => i % (dim + 1) === dim);
}
