/**
 * Kernels of the rational-quadratic spline.
 *
 * @module
 */
import type { SplineAttributes } from "../spline_features.ts";
import type { ForwardKernel } from "../forward_kernel.ts";

/** Bytes of scratch of the kernels: see wasm/spline.ts. */
export const splineScratchBytes = (bins: number): number => 32 * bins + 272;

/** What every kernel of splines is told before its inputs. */
export function splineSettings(panels: number, dim: number, attributes: SplineAttributes): number[] {
  const { bins, bound, minimumWidth, minimumHeight, minimumSlope } = attributes;
  return [panels, dim, bins, bound, minimumWidth, minimumHeight, minimumSlope];
}

/** Values and logarithms of slopes, one way or the other. */
export function spline<P extends "splineForward" | "splineInverse">(name: P): ForwardKernel<P> {
  return {
    forward(at) {
      const settings = splineSettings(at.panels, at.features(0), at.attributes);
      const scratch = at.scratch(splineScratchBytes(at.attributes.bins));
      at.emit(`${name}F32`, ...settings, at.input(0), at.input(1), at.output, scratch);
    },
  };
}
