/**
 * What each primitive needs beside its inputs: the closed list of primitives.
 *
 * @module
 */
import type { Parameter } from "./parameter.ts";
import type { MixtureAttributes } from "./mixture_features.ts";
import type { SplineAttributes } from "./spline_features.ts";
import type { Tilt } from "./tilt.ts";

export type { MixtureAttributes } from "./mixture_features.ts";
export type { SplineAttributes } from "./spline_features.ts";
export type { Tilt, TiltTable } from "./tilt.ts";

/** What most primitives need beside their inputs: nothing. */
export type NoAttributes = Record<never, never>;

/** An operation in float64 TypeScript that brings its own derivative: an energy, a batch statistic. */
export interface ExternalOperation {
  /** For messages and profiles. */
  readonly name: string;
  /**
   * Computes the value.
   *
   * @param inputs each input, row-major float64
   * @param n number of samples
   * @returns the value, and whatever the vjp wants to keep
   */
  forward(inputs: readonly Float64Array[], n: number): { value: Float64Array; saved: unknown };
  /**
   * Computes the cotangents of the inputs; null for one that has none.
   *
   * @param cotangent of the value
   * @param inputs as given to `forward`
   * @param saved what `forward` kept
   * @param n number of samples
   * @returns a cotangent for each input, of its size
   */
  vjp(
    cotangent: Float64Array,
    inputs: readonly Float64Array[],
    saved: unknown,
    n: number,
  ): (Float64Array | null)[];
}

/** Attributes by primitive. */
export interface Attributes {
  /** A batch that is given. */
  input: { readonly name: string };
  /** The numbers of a parameter. */
  parameter: { readonly parameter: Parameter };
  /** A function with its own derivative. */
  external: { readonly operation: ExternalOperation };
  /** x Wᵀ + b. */
  linear: NoAttributes;
  /** A row for every sample. */
  broadcast: NoAttributes;
  /** tanh x. */
  tanh: NoAttributes;
  /** eˣ. */
  exp: NoAttributes;
  /** ln x. */
  log: NoAttributes;
  /** max(x, 0). */
  relu: NoAttributes;
  /** 1 / (1 + e⁻ˣ). */
  sigmoid: NoAttributes;
  /** x / (1 + e⁻ˣ). */
  silu: NoAttributes;
  /** ln(1 + eˣ). */
  softplus: NoAttributes;
  /** x². */
  square: NoAttributes;
  /** −x. */
  negate: NoAttributes;
  /** √x. */
  sqrt: NoAttributes;
  /** sin x. */
  sin: NoAttributes;
  /** cos x. */
  cos: NoAttributes;
  /** Φ(x). */
  normalCdf: NoAttributes;
  /** Φ⁻¹(p). */
  probit: NoAttributes;
  /** xᵏ. */
  power: { readonly exponent: number };
  /** a x + b. */
  scaleShift: { readonly scale: number; readonly shift: number };
  /** a + b. */
  add: NoAttributes;
  /** a − b. */
  subtract: NoAttributes;
  /** a b. */
  multiply: NoAttributes;
  /** a / b. */
  divide: NoAttributes;
  /** Some features. */
  gather: { readonly indices: readonly number[] };
  /** Features side by side. */
  concat: NoAttributes;
  /** x eˢ + t. */
  affineForward: NoAttributes;
  /** (y − t) e⁻ˢ. */
  affineInverse: NoAttributes;
  /** The sum over features. */
  sumFeatures: NoAttributes;
  /** One feature. */
  column: { readonly index: number };
  /** The same number for every sample. */
  constantColumn: { readonly value: number };
  /** log p(r) of a mixture density. */
  mixtureLogProb: MixtureAttributes;
  /** Normal numbers of coordinates by a mixture density. */
  mixtureEncode: MixtureAttributes;
  /** Coordinates of normal numbers by a mixture density. */
  mixtureDecode: MixtureAttributes;
  /** log p(r) of an energy-tilted density. */
  tiltedLogProb: { readonly tilt: Tilt };
  /** Normal numbers of coordinates by an energy-tilted density. */
  tiltedEncode: { readonly tilt: Tilt };
  /** Coordinates of normal numbers by an energy-tilted density. */
  tiltedDecode: { readonly tilt: Tilt };
  /** Values and logarithms of slopes of rational-quadratic splines. */
  splineForward: SplineAttributes;
  /** The same for their inverses. */
  splineInverse: SplineAttributes;
  /** The mean over samples. */
  mean: NoAttributes;
  /** The sum over samples. */
  sum: NoAttributes;
}

/** Name of a primitive. */
export type PrimitiveName = keyof Attributes;

/** Primitives that are functions of one number, with kernels on batches and a formula for columns. */
export type ScalarFunction =
  | "tanh"
  | "exp"
  | "log"
  | "relu"
  | "sigmoid"
  | "silu"
  | "softplus"
  | "square"
  | "negate"
  | "sqrt"
  | "sin"
  | "cos";
