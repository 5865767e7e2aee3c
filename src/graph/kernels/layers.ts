/**
 * Kernels of layers: the affine map of a network, a row for every sample, and the coupling of RealNVP.
 *
 * @module
 */
import type { ForwardKernel } from "../forward_kernel.ts";

/** Y = X Wᵀ + b. */
export const linear: ForwardKernel<"linear"> = {
  forward(at) {
    const operands = [at.input(0), at.packed(1, "forward"), at.input(2)];
    at.emit("linearF32", at.panels, at.features(0), at.outputFeatures, ...operands, at.output);
  },
};

/** Y = p for every sample. */
export const broadcast: ForwardKernel<"broadcast"> = {
  forward: (at) => at.emit("broadcastRowF32", at.panels, at.outputFeatures, at.input(0), at.output),
};

/** The affine coupling, both directions. */
export function coupling<P extends "affineForward" | "affineInverse">(name: P): ForwardKernel<P> {
  return {
    forward(at) {
      const [x, s, t] = [at.input(0), at.input(1), at.input(2)];
      at.emit(`${name}F32`, at.panels, at.outputFeatures, x, s, t, at.output, 0);
    },
  };
}
