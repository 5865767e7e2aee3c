/**
 * Kernels that act on each element alone.
 *
 * @module
 */
import type { PrimitiveName } from "../attributes.ts";
import type { ForwardKernel, ForwardLowering } from "../forward_kernel.ts";

/** Elements of the result in a slice. */
function elements(at: ForwardLowering<PrimitiveName>): number {
  return 32 * at.panels * at.outputFeatures;
}

/** A function of one number, kernel `<name>F32`. */
export function unary<P extends PrimitiveName>(name: P): ForwardKernel<P> {
  return { inPlace: true, forward: (at) => at.emit(`${name}F32`, elements(at), at.input(0), at.output) };
}

/** A function of two numbers, kernel `<name>F32`. */
export function binary<P extends PrimitiveName>(name: P): ForwardKernel<P> {
  return { inPlace: true, forward: (at) => at.emit(`${name}F32`, elements(at), at.input(0), at.input(1), at.output) };
}

/** z = Φ⁻¹(p) from the masses on both sides; that above is written where the result will be. */
export const probit: ForwardKernel<"probit"> = {
  inPlace: false,
  forward(at) {
    at.emit("scaleShiftF32", elements(at), -1, 1, at.input(0), at.output);
    at.emit("normalQuantileF32", elements(at), at.input(0), at.output, at.output);
  },
};

/** y = a x + b. */
export const scaleShift: ForwardKernel<"scaleShift"> = {
  inPlace: true,
  forward(at) {
    const { scale, shift } = at.attributes;
    at.emit("scaleShiftF32", elements(at), scale, shift, at.input(0), at.output);
  },
};
