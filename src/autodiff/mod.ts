/**
 * Foundation of stages 3 to 5: computations that know their derivatives.
 *
 * In: functions of batches `[n, d]` written with operations. Out: values and gradients, computed by SIMD kernels in
 * float32 (batches) and in float64 TypeScript (columns and scalars).
 *
 * Start here: {@link valueAndGradient}.
 *
 * @module
 */
export { type ValueAndGradient, valueAndGradient } from "./gradient.ts";
export { checkGradient } from "./check_gradient.ts";
export * from "../graph/operations.ts";
export * from "../graph/affine_coupling.ts";
export * from "../graph/conditional_operations.ts";
export * from "../graph/tilted_operations.ts";
export { splineCoupling, type SplineOptions } from "../graph/spline_operations.ts";
export { Graph, type Node, type Shape, type Tensor } from "../graph/graph.ts";
export { Parameter } from "../graph/parameter.ts";
export type { PackedForm, ParameterStorage } from "../backend/parameters.ts";
export type {
  Attributes,
  ExternalOperation,
  MixtureAttributes,
  NoAttributes,
  PrimitiveName,
  SplineAttributes,
  Tilt,
  TiltTable,
} from "../graph/attributes.ts";
export { type GradientBuffer, KernelRun, type KernelRunOptions } from "./kernel_run.ts";
export { evaluateReference } from "./reference_run.ts";
export { NotFiniteError } from "./not_finite.ts";
