/**
 * The kernels of each primitive that works on batches.
 *
 * @module
 */
import type { PrimitiveName } from "./attributes.ts";
import type { ForwardKernel } from "./forward_kernel.ts";
import { binary, probit, scaleShift, unary } from "./kernels/elementwise.ts";
import { broadcast, coupling, linear } from "./kernels/layers.ts";
import { mixtureLogProb, mixtureMap } from "./kernels/mixture.ts";
import { column, concat, gather, sumFeatures } from "./kernels/movement.ts";
import { spline } from "./kernels/spline.ts";
import { tiltedLogProb, tiltedMap } from "./kernels/tilted.ts";

/** Primitives that no kernel computes: they are given from outside, or work on columns and scalars alone. */
type WithoutKernel = "input" | "parameter" | "external" | "power" | "constantColumn" | "mean" | "sum";

type Table = { readonly [P in Exclude<PrimitiveName, WithoutKernel>]: ForwardKernel<P> };

const forwardKernels: Table = {
  tanh: unary("tanh"),
  exp: unary("exp"),
  log: unary("log"),
  relu: unary("relu"),
  sigmoid: unary("sigmoid"),
  silu: unary("silu"),
  softplus: unary("softplus"),
  square: unary("square"),
  negate: unary("negate"),
  sqrt: unary("sqrt"),
  sin: unary("sin"),
  cos: unary("cos"),
  normalCdf: unary("normalCdf"),
  probit,
  scaleShift,
  add: binary("add"),
  subtract: binary("subtract"),
  multiply: binary("multiply"),
  divide: binary("divide"),
  linear,
  broadcast,
  gather,
  concat,
  column,
  sumFeatures,
  affineForward: coupling("affineForward"),
  affineInverse: coupling("affineInverse"),
  mixtureLogProb,
  mixtureEncode: mixtureMap("mixtureEncode"),
  mixtureDecode: mixtureMap("mixtureDecode"),
  tiltedLogProb,
  tiltedEncode: tiltedMap("tiltedEncode"),
  tiltedDecode: tiltedMap("tiltedDecode"),
  splineForward: spline("splineForward"),
  splineInverse: spline("splineInverse"),
};

/** The kernels of a primitive, typed for use with its node; undefined if there are none. */
export function forwardKernelOf(name: PrimitiveName): ForwardKernel<PrimitiveName> | undefined {
  return (forwardKernels as unknown as Partial<Record<PrimitiveName, ForwardKernel<PrimitiveName>>>)[name];
}
