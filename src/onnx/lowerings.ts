/**
 * How each primitive is written in ONNX operators: a table whose type is exhaustive.
 *
 * Batches and parameters have the model's precision. Columns and scalars are float64 in every model, as in the package
 * itself: what is summed over features (the log-determinant) loses nothing in the sum.
 *
 * @module
 */
import { isBatch, isColumn } from "../graph/graph.ts";
import type { PrimitiveName } from "../graph/attributes.ts";
import { Algebra } from "./algebra.ts";
import { lowerMixtureDecode, lowerMixtureEncode, lowerMixtureLogProb } from "./lower_mixture.ts";
import { normalDistribution, probit } from "./lower_normal.ts";
import { lowerSplineForward, lowerSplineInverse } from "./lower_spline.ts";
import { lowerTiltedDecode, lowerTiltedEncode, lowerTiltedLogProb } from "./lower_tilted.ts";
import type { Lowering, LoweringSite } from "./lowering.ts";
import { elementTypeCodes } from "../format/model.ts";
import type { ModelBuilder } from "./model_builder.ts";

/** One operator that does exactly what the primitive does. */
function same<P extends PrimitiveName>(operator: string): Lowering<P> {
  return ({ builder, inputs }) => builder.emit(operator, inputs);
}

/** A number as a constant of the result's type. */
function scalar(site: LoweringSite<PrimitiveName>, value: number): string {
  return site.builder.constant(site.type, [value], []);
}

/** A batch of the model's precision in float64. */
export function toFloat64(builder: ModelBuilder, value: string): string {
  if (builder.precision === "float64") return value;
  return builder.emit("Cast", [value], { to: { kind: "integer", value: elementTypeCodes.float64 } });
}

/** 1 / (1 + e⁻ˣ); the runtime's own Sigmoid gives up below −18 in float32 and −37 in float64. */
function logistic(site: LoweringSite<PrimitiveName>): string {
  const { builder, inputs: [x] } = site;
  const decay = builder.emit("Exp", [builder.emit("Neg", [x])]);
  return builder.emit("Reciprocal", [builder.emit("Add", [scalar(site, 1), decay])]);
}

/**
 * max(x, 0) + ln(1 + e^−|x|); the runtime has Softplus in float32 only.
 *
 * ln(1 + u) for small u by Kahan's quotient u ln w / (w − 1), w = 1 + u rounded, which is u where w = 1.
 */
function softplus(site: LoweringSite<PrimitiveName>): string {
  const { builder, inputs: [x] } = site;
  if (site.type === "float32") return builder.emit("Softplus", [x]);
  const one = scalar(site, 1);
  const u = builder.emit("Exp", [builder.emit("Neg", [builder.emit("Abs", [x])])]);
  const w = builder.emit("Add", [one, u]);
  const quotient = builder.emit("Div", [
    builder.emit("Mul", [u, builder.emit("Log", [w])]),
    builder.emit("Sub", [w, one]),
  ]);
  const log1p = builder.emit("Where", [builder.emit("Equal", [w, one]), u, quotient]);
  return builder.emit("Add", [builder.emit("Relu", [x]), log1p]);
}

/** Features side by side as a slice, all of them as they are: the runtime copies rows faster than single numbers. */
function gather({ builder, sources, inputs: [x], attributes: { indices } }: LoweringSite<"gather">): string {
  const [first, { length }] = [indices[0], indices];
  const constant = (values: readonly number[]) => builder.constant("int64", values, [values.length]);
  if (indices.some((index, i) => index !== first + i)) {
    return builder.emit("Gather", [x, constant(indices)], { axis: { kind: "integer", value: 1 } });
  }
  if (length === sources[0].shape[1]) return x;
  return builder.emit("Slice", [x, constant([first]), constant([first + length]), constant([1])]);
}

/** The lowering of every primitive. */
export const lowerings: { readonly [P in PrimitiveName]: Lowering<P> } = {
  input({ builder, attributes: { name }, shape, type }) {
    if (!isBatch(shape) && !isColumn(shape)) {
      throw new RangeError(`Cannot export graph: input "${name}" must have shape [n] or [n, d], got [${shape}]`);
    }
    return builder.input(name, type, shape.slice(1) as number[]);
  },
  parameter({ builder, attributes: { parameter } }) {
    const [name, shape, values] = [parameter.name, parameter.shape, parameter.values()];
    const isHalf = parameter.trainable && builder.storage === "float16";
    return isHalf ? builder.halfWeights(name, shape, values) : builder.weights(name, shape, values);
  },
  external({ attributes: { operation } }) {
    throw new TypeError(
      `Cannot export graph: every operation must be a primitive, got the external operation "${operation.name}"`,
    );
  },
  linear: ({ builder, inputs }) => builder.emit("Gemm", inputs, { transB: { kind: "integer", value: 1 } }),
  broadcast: ({ builder, inputs: [row] }) => builder.emit("Expand", [row, builder.batchShape(2)]),
  tanh: same("Tanh"),
  exp: same("Exp"),
  log: same("Log"),
  relu: same("Relu"),
  sigmoid: logistic,
  silu: (site) => site.builder.emit("Mul", [site.inputs[0], logistic(site)]),
  softplus,
  square: ({ builder, inputs: [x] }) => builder.emit("Mul", [x, x]),
  negate: same("Neg"),
  sqrt: same("Sqrt"),
  sin: same("Sin"),
  cos: same("Cos"),
  power: (site) => site.builder.emit("Pow", [site.inputs[0], scalar(site, site.attributes.exponent)]),
  normalCdf: ({ builder, inputs: [x] }) => normalDistribution(new Algebra(builder, builder.precision), x),
  probit: ({ builder, inputs: [p] }) => probit(new Algebra(builder, builder.precision), p),
  scaleShift(site) {
    const { builder, attributes: { scale, shift }, inputs: [x] } = site;
    return builder.emit("Add", [builder.emit("Mul", [x, scalar(site, scale)]), scalar(site, shift)]);
  },
  add: same("Add"),
  subtract: same("Sub"),
  multiply: same("Mul"),
  divide: same("Div"),
  gather,
  concat: ({ builder, inputs }) => builder.emit("Concat", inputs, { axis: { kind: "integer", value: 1 } }),
  affineForward({ builder, inputs: [x, s, t] }) {
    return builder.emit("Add", [builder.emit("Mul", [x, builder.emit("Exp", [s])]), t]);
  },
  affineInverse({ builder, inputs: [y, s, t] }) {
    const decay = builder.emit("Exp", [builder.emit("Neg", [s])]);
    return builder.emit("Mul", [builder.emit("Sub", [y, t]), decay]);
  },
  mixtureLogProb: lowerMixtureLogProb,
  mixtureEncode: lowerMixtureEncode,
  mixtureDecode: lowerMixtureDecode,
  tiltedLogProb: lowerTiltedLogProb,
  tiltedEncode: lowerTiltedEncode,
  tiltedDecode: lowerTiltedDecode,
  splineForward: lowerSplineForward,
  splineInverse: lowerSplineInverse,
  sumFeatures: ({ builder, inputs: [x] }) =>
    builder.emit("ReduceSum", [toFloat64(builder, x), builder.constant("int64", [1], [1])], {
      keepdims: { kind: "integer", value: 0 },
    }),
  column: ({ builder, inputs: [x], attributes: { index } }) =>
    toFloat64(
      builder,
      builder.emit("Gather", [x, builder.constant("int64", [index], [])], { axis: { kind: "integer", value: 1 } }),
    ),
  constantColumn: ({ builder, attributes: { value } }) =>
    builder.emit("Expand", [builder.constant("float64", [value], []), builder.batchShape(1)]),
  mean: ({ builder, inputs }) => builder.emit("ReduceMean", inputs, { keepdims: { kind: "integer", value: 0 } }),
  sum: ({ builder, inputs }) => builder.emit("ReduceSum", inputs, { keepdims: { kind: "integer", value: 0 } }),
};
