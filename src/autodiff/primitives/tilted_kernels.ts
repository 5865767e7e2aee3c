/**
 * The kernels of the derivatives of the energy-tilted density.
 *
 * @module
 */
import type { Address } from "../../graph/forward_kernel.ts";
import { keepsScore, TILTED_INPUT, type TiltedName, tiltedOperands, wantedInputs } from "../../graph/kernels/tilted.ts";
import type { VjpKernel, VjpLowering } from "./primitive.ts";

/** Writes down the kernel that computes all cotangents at once, from `cotangents` of what the primitive returns. */
function emitGradient(at: VjpLowering<TiltedName>, kernel: string, cotangents: readonly Address[]): void {
  const { features, place, scale, neighbours } = TILTED_INPUT;
  const wanted = wantedInputs(at, at.wants);
  const addresses = [features, place, scale, neighbours].map((i) => wanted.includes(i) ? at.overwrite(i) : 0);
  at.emit(kernel, ...tiltedOperands(at), ...cotangents, ...addresses);
}

/** That of log p(r): the score that came with the value, if the derivative by the features is all that is asked for. */
export const logProbKernel: VjpKernel<"tiltedLogProb"> = {
  saves: "inputs",
  vjp(at) {
    if (!keepsScore(wantedInputs(at, at.wants))) return emitGradient(at, "tiltedLogProbGradF32", [at.cotangent]);
    const width = at.features(TILTED_INPUT.features);
    const { address, accumulate } = at.contribute(TILTED_INPUT.features);
    at.emit("scaleByColumnF32", at.panels, width, accumulate, at.cotangent, at.saved(width), address);
  },
};

/** That of the map to normal numbers or back, with log p(r). */
export function mapKernel<P extends "tiltedEncode" | "tiltedDecode">(name: P): VjpKernel<P> {
  return { saves: "both", vjp: (at) => emitGradient(at, `${name}GradF32`, [at.output, at.cotangent]) };
}
