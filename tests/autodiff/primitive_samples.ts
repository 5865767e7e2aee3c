/**
 * One sample computation for each primitive: what it is applied to, and how exact its kernels are.
 *
 * The type of the table is exhaustive: a primitive without a sample does not compile.
 *
 * @module
 */
import type { Shape } from "../../src/graph/graph.ts";
import { Parameter } from "../../src/graph/parameter.ts";
import type { Attributes, ExternalOperation, PrimitiveName } from "../../src/graph/attributes.ts";
import { type MixtureAttributes, mixtureFeatures } from "../../src/graph/mixture_features.ts";
import { splineFeatures } from "../../src/graph/spline_features.ts";
import { uniforms } from "../support/random_arrays.ts";
import { type SplineName, splinePlaces, splineSize } from "../support/spline_examples.ts";
import { exampleEvaluation, exampleTilt, type TiltedName } from "../support/tilted_examples.ts";

/**
 * Bound on the rounding error of a kernel, in units of 2⁻²⁴ (one float32 rounding).
 *
 * Elementwise: relative · |y| + absolute for the value, relative · |x̄| + absolute · |ȳ| for the derivative; ofLargest is
 * relative to the largest derivative by the same input of the same sample.
 * Sums: the number of terms times the same sum over absolute values.
 */
export type RoundingBound =
  | {
    readonly forward: { readonly relative: number; readonly absolute?: number };
    readonly vjp: { readonly relative: number; readonly absolute?: number; readonly ofLargest?: number };
  }
  | { readonly forwardTerms: (d: number) => number; readonly vjpTerms: (n: number, d: number) => number };

/** A computation with one primitive. */
export interface PrimitiveSample<P extends PrimitiveName> {
  /** Shapes of the inputs for d features. */
  readonly inputs: (d: number) => readonly Shape[];
  /** Shape of the result. */
  readonly shape: (d: number) => Shape;
  /** Attributes. */
  readonly attributes: (d: number) => Attributes[P];
  /** Where numbers lie. Default −2 to 2. */
  readonly range?: readonly [number, number];
  /** Numbers for each input, where not any will do. */
  readonly values?: (n: number, d: number) => readonly Float64Array[];
  /** Which inputs are constants, without a derivative. */
  readonly constants?: readonly number[];
  /** Exactness of its kernels; absent where it has none. */
  readonly rounding?: RoundingBound;
}

const batch = (d: number): Shape => ["n", d];
const column = (): Shape => ["n"];

const exact = { forward: { relative: 0 }, vjp: { relative: 0 } };

/** A function of one number; ULP counts are those of the kernels' documentation, 1 ULP = 2 · 2⁻²⁴ relative. */
function unary<P extends PrimitiveName>(
  rounding: RoundingBound,
  range?: readonly [number, number],
): PrimitiveSample<P> {
  return {
    inputs: (d) => [batch(d)],
    shape: batch,
    attributes: () => ({} as Attributes[P]),
    rounding,
    ...(range && { range }),
  };
}

function binary<P extends PrimitiveName>(
  rounding: RoundingBound,
  range?: readonly [number, number],
): PrimitiveSample<P> {
  return { ...unary<P>(rounding, range), inputs: (d) => [batch(d), batch(d)] };
}

/** Σᵢ aᵢ bᵢ² over samples: not symmetric in its inputs, with something to save. */
export const weightedSquares: ExternalOperation = {
  name: "weighted squares",
  forward([a, b]) {
    return { value: Float64Array.of(a.reduce((sum, v, i) => sum + v * b[i] * b[i], 0)), saved: b.map((v) => v * v) };
  },
  vjp([c], [a, b], saved) {
    return [(saved as Float64Array).map((square) => c * square), b.map((v, i) => 2 * c * a[i] * v)];
  },
};

/** Every other feature from the last to the first, so that neither order nor number of features stays. */
const everyOther = (d: number) => Array.from({ length: Math.ceil(d / 2) }, (_, i) => d - 1 - 2 * i);

const coupling = {
  inputs: (d: number) => [batch(d), batch(d), batch(d)],
  shape: batch,
  attributes: () => ({}),
};

/** The mixture that stands for d: in one, two or three dimensions, of 1 to 4 components. */
const mixtureOf = (d: number): MixtureAttributes => ({ spatialDim: 1 + d % 3, components: 1 + d % 4 });

const mixtureRounding = {
  forward: { relative: 0, absolute: 9 * 30 },
  // Cotangents up to 4, times |u|² where a log-scale is differentiated, halved by the weights of components
  vjp: { relative: 0, absolute: 9 * 30 * 4 },
};

function mixture<P extends "mixtureLogProb" | "mixtureEncode" | "mixtureDecode">(
  shape: (d: number) => Shape,
  rounding: RoundingBound,
): PrimitiveSample<P> {
  return {
    inputs: (d) => [batch(mixtureFeatures(mixtureOf(d))), batch(mixtureOf(d).spatialDim)],
    shape: (d) => shape(mixtureOf(d).spatialDim),
    attributes: (d) => mixtureOf(d) as Attributes[P],
    range: [-1, 1],
    rounding,
  };
}

/** The tilted density that stands for d: in one, two or three dimensions, with 0 to 3 neighbours. */
const tiltOf = (d: number) => {
  const spatialDim = d === 1 ? 1 : d % 3 === 2 ? 3 : 2;
  return exampleTilt({ spatialDim, basis: spatialDim === 3 ? 2 : 3 + d % 3, fine: 9, neighbours: d % 4 });
};

/**
 * ℓ is a sum of up to 30 terms of size up to 4, A a logarithm of sums of its exponentials, log p and z depend on A by
 * factors up to 1: 100 half units. In a tail the derivative by r is a difference of terms of size 100, each with
 * 20 half units because z²/2 and log p are in an exponent. Decode finds r within 2 half units of F over a density p down to
 * 1/20, and its derivatives 1/p change by factors of 20 per unit of r: 800 half units of the largest of a sample.
 * tests/backend/kernel_tilted_test.ts has closer bounds, because there r is the same for both.
 */
const tiltedRounding: RoundingBound = {
  forward: { relative: 10, absolute: 100 },
  vjp: { relative: 0, absolute: 2000, ofLargest: 800 },
};

/**
 * A tilted density. Its derivatives have steps where a table or an axis has a knot; a difference across one is neither
 * side's derivative. None of the numbers of this seed is within 1e-5 of a step.
 */
function tilted<P extends TiltedName>(name: P): PrimitiveSample<P> {
  return {
    inputs: (d) => exampleEvaluation(name, tiltOf(d), 1).shapes,
    shape: (d) => exampleEvaluation(name, tiltOf(d), 1).shape,
    attributes: (d) => ({ tilt: tiltOf(d) } as Attributes[P]),
    values: (n, d) => exampleEvaluation(name, tiltOf(d), n, 1).inputs,
    constants: [3],
    rounding: tiltedRounding,
  };
}

/** The splines that stand for d coordinates, of 2 to 5 bins. */
const splineOf = (d: number) => splineSize(2 + d % 4, 5);

/**
 * Features within ±¼ give each bin at least an eighth of the way, slopes s of bins up to 2.2 and at knots 0.84 to 1.17: the
 * logarithm of the slope changes by up to 2s/(δw) = 4 per unit of x, and its derivative by the square of that. Places and
 * knots up to 5 err by up to five roundings: 25 half units of x, 100 of the logarithm, 400 of derivatives and as many
 * again for their own roundings, times cotangents of up to 4. tests/support/spline_rounding.ts has the bound of each number.
 */
function spline<P extends SplineName>(name: P): PrimitiveSample<P> {
  const width = (d: number) => d * splineFeatures(splineOf(d).bins);
  return {
    inputs: (d) => [batch(d), batch(width(d))],
    shape: (d) => batch(2 * d),
    attributes: (d) => splineOf(d) as Attributes[P],
    values(n, d) {
      const features = uniforms(n * width(d), n + d, -0.25, 0.25);
      return [splinePlaces(name, splineOf(d), features), features];
    },
    rounding: { forward: { relative: 0, absolute: 100 }, vjp: { relative: 0, absolute: 4 * 800 } },
  };
}

/** A sample of every primitive. */
export const primitiveSamples: { readonly [P in PrimitiveName]: PrimitiveSample<P> } = {
  // The value of these two is given, not computed; a test of their own says so.
  input: { inputs: () => [], shape: batch, attributes: () => ({ name: "x" }) },
  parameter: { inputs: () => [], shape: (d) => [d], attributes: (d) => ({ parameter: new Parameter("p", [d]) }) },
  external: { inputs: () => [column(), column()], shape: () => [], attributes: () => ({ operation: weightedSquares }) },

  // 3 ULP; 1 − y² cancels: 2|y| · 6 from y, 1 from the square, 1 from the difference.
  tanh: unary({ forward: { relative: 6 }, vjp: { relative: 2, absolute: 14 } }),
  exp: unary({ forward: { relative: 3 }, vjp: { relative: 4 } }),
  log: unary({ forward: { relative: 3 }, vjp: { relative: 1 } }, [0.05, 4]),
  relu: unary(exact),
  // 4 ULP; y − y² cancels: |1 − 2y| · 8y from y, 1 from the square.
  sigmoid: unary({ forward: { relative: 8 }, vjp: { relative: 2, absolute: 10 } }),
  // 5 ULP; σ (1 + x (1 − σ)): 8 from σ in both factors, times |x| ≤ 2 in the second.
  silu: unary({ forward: { relative: 10 }, vjp: { relative: 10, absolute: 20 } }),
  softplus: unary({ forward: { relative: 8 }, vjp: { relative: 9 } }),
  square: unary({ forward: { relative: 1 }, vjp: { relative: 1 } }),
  negate: unary(exact),
  sqrt: unary({ forward: { relative: 1 }, vjp: { relative: 2 } }, [0.05, 4]),
  // Absolute error 1.2e-7 = 2.01 · 2⁻²⁴.
  sin: unary({ forward: { relative: 0, absolute: 2.1 }, vjp: { relative: 1, absolute: 2.1 } }, [-9, 9]),
  cos: unary({ forward: { relative: 0, absolute: 2.1 }, vjp: { relative: 1, absolute: 2.1 } }, [-9, 9]),
  // 7 ULP; the Gaussian has 3, beside a constant and a product. What the samples reach is within ±2.
  normalCdf: unary({ forward: { relative: 14 }, vjp: { relative: 9 } }),
  // 6 ULP, and 1 − p rounded: 2⁻²⁶ √(2π) exp(z²/2) ≤ 0.25 · 2.51 · 4 of a unit for z ≤ 1.65.
  probit: unary({ forward: { relative: 12, absolute: 2.5 }, vjp: { relative: 40 } }, [0.05, 0.95]),
  power: {
    inputs: () => [column()],
    shape: column,
    attributes: () => ({ exponent: -1.5 }),
    range: [0.3, 3],
  },
  // The baseline build rounds the product, |1.75 x| ≤ 3.5, before it adds.
  scaleShift: {
    ...unary<"scaleShift">({ forward: { relative: 1, absolute: 3.5 }, vjp: { relative: 1 } }),
    attributes: () => ({ scale: -1.75, shift: 0.625 }),
  },
  add: binary({ forward: { relative: 1 }, vjp: { relative: 0 } }),
  subtract: binary({ forward: { relative: 1 }, vjp: { relative: 0 } }),
  multiply: binary({ forward: { relative: 1 }, vjp: { relative: 1 } }),
  divide: binary({ forward: { relative: 1 }, vjp: { relative: 3 } }, [0.3, 3]),

  // k products and a bias, d + 2 outputs; gradients sum over outputs or over samples.
  linear: {
    inputs: (d) => [batch(d), [d + 2, d], [d + 2]],
    shape: (d) => batch(d + 2),
    attributes: () => ({}),
    rounding: { forwardTerms: (d) => d + 1, vjpTerms: (n, d) => Math.max(n, d + 2) },
  },
  broadcast: {
    inputs: (d) => [[d]],
    shape: batch,
    attributes: () => ({}),
    rounding: { forwardTerms: () => 0, vjpTerms: (n) => n },
  },
  gather: {
    inputs: (d) => [batch(d)],
    shape: (d) => batch(Math.ceil(d / 2)),
    attributes: (d) => ({ indices: everyOther(d) }),
    rounding: exact,
  },
  concat: {
    inputs: (d) => [batch(d), batch(d + 1)],
    shape: (d) => batch(2 * d + 1),
    attributes: () => ({}),
    rounding: exact,
  },
  column: {
    inputs: (d) => [batch(d)],
    shape: column,
    attributes: (d) => ({ index: Math.floor(d / 2) }),
    rounding: exact,
  },
  // exp 3, product and sum 1 each, and one more for second order; the same for ȳ x eˢ.
  affineForward: { ...coupling, rounding: { forwardTerms: () => 6, vjpTerms: () => 6 } },
  affineInverse: { ...coupling, rounding: { forward: { relative: 5.1 }, vjp: { relative: 6.1 } } },
  // Summed in float64: 2⁻⁵³ for each of at most 40 terms of size 2.
  sumFeatures: {
    inputs: (d) => [batch(d)],
    shape: column,
    attributes: () => ({}),
    rounding: { forward: { relative: 0, absolute: 40 * 80 * 2 ** -29 }, vjp: { relative: 0 } },
  },
  // |u| ≤ 9 from terms with 4 roundings of up to 5.4 and 4 of up to 4, so u errs by up to 30 and log p by |u| of that for
  // each coordinate. mixture_kernels_test.ts derives the bound of each sample from its own conditioning.
  mixtureLogProb: mixture(column, mixtureRounding),
  mixtureEncode: mixture((dim) => batch(dim + 1), mixtureRounding),
  mixtureDecode: mixture((dim) => batch(dim + 1), mixtureRounding),
  tiltedLogProb: tilted("tiltedLogProb"),
  tiltedEncode: tilted("tiltedEncode"),
  tiltedDecode: tilted("tiltedDecode"),
  splineForward: spline("splineForward"),
  splineInverse: spline("splineInverse"),
  constantColumn: { inputs: () => [], shape: column, attributes: () => ({ value: -0.75 }) },
  mean: { inputs: () => [column()], shape: () => [], attributes: () => ({}) },
  sum: { inputs: () => [column()], shape: () => [], attributes: () => ({}) },
};
