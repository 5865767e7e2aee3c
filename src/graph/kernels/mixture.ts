/**
 * Kernels of the mixture density.
 *
 * @module
 */
import type { ForwardKernel, ForwardLowering } from "../forward_kernel.ts";

/** Bytes of scratch of the kernels: see wasm/mixture.ts. */
export const mixtureScratchBytes = (components: number): number => 256 * components + 64;

/** The map to normal numbers or back, with log p(r). */
export function mixtureMap<P extends "mixtureEncode" | "mixtureDecode">(name: P): ForwardKernel<P> {
  return {
    forward(at) {
      const { spatialDim, components } = at.attributes;
      const scratch = at.scratch(mixtureScratchBytes(components));
      at.emit(`${name}F32`, at.panels, spatialDim, components, at.input(0), at.input(1), at.output, scratch);
    },
  };
}

/** Panels of the derivative of log p that are saved with the value: that by the features, then that by r. */
export function savedMixtureScore(at: ForwardLowering<"mixtureLogProb">) {
  const [f, d] = [at.features(0), at.features(1)];
  const byFeatures = at.saved(f + d);
  return { byFeatures, byPlace: { ...byFeatures, offset: byFeatures.offset + 128 * at.panels * f } };
}

/** log p(r), with its derivative where that will be asked for. */
export const mixtureLogProb: ForwardKernel<"mixtureLogProb"> = {
  forward(at) {
    const { spatialDim, components } = at.attributes;
    const wanted = at.willWant(0) || at.willWant(1);
    const { byFeatures, byPlace } = wanted ? savedMixtureScore(at) : { byFeatures: 0, byPlace: 0 };
    const scratch = at.scratch(mixtureScratchBytes(components));
    const values = [at.input(0), at.input(1), at.output, byFeatures, byPlace, scratch];
    at.emit("mixtureLogProbF32", at.panels, spatialDim, components, ...values);
  },
};
