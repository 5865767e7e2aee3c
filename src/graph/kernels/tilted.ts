/**
 * Kernels of the energy-tilted density.
 *
 * @module
 */
import type { Address, ForwardKernel, ForwardLowering } from "../forward_kernel.ts";
import { tiltedLayout } from "../tilted_layout.ts";

/** The primitives of this density. */
export type TiltedName = "tiltedLogProb" | "tiltedEncode" | "tiltedDecode";

/** Positions of the inputs. */
export const TILTED_INPUT = { features: 0, place: 1, scale: 2, knots: 3, neighbours: 4 } as const;

/** The arguments of every kernel: sizes, tables, inputs and scratch memory. */
export function tiltedOperands(at: ForwardLowering<TiltedName>): (number | Address)[] {
  const { tilt } = at.attributes;
  const { sizes, constants, scratchBytes } = tiltedLayout(tilt);
  const neighbours = tilt.pairs.length === 0 ? 0 : at.input(TILTED_INPUT.neighbours);
  const inputs = [TILTED_INPUT.features, TILTED_INPUT.place, TILTED_INPUT.scale, TILTED_INPUT.knots].map(at.input);
  return [at.panels, at.indices(sizes), at.constants(constants), ...inputs, neighbours, at.scratch(scratchBytes)];
}

/** The batch inputs that a derivative is, or will be, asked for. */
export function wantedInputs(at: ForwardLowering<TiltedName>, asks: (i: number) => boolean): number[] {
  const { features, place, scale, neighbours } = TILTED_INPUT;
  const batches = [features, place, scale, ...at.attributes.tilt.pairs.length === 0 ? [] : [neighbours]];
  return batches.filter(asks);
}

/** Whether the derivative by the features is all that is asked for: it is computed with the value. */
export function keepsScore(wanted: readonly number[]): boolean {
  return wanted.length === 1 && wanted[0] === TILTED_INPUT.features;
}

/** log p(r), with the score if the derivative by the features is all that will be asked for. */
export const tiltedLogProb: ForwardKernel<"tiltedLogProb"> = {
  forward(at) {
    const score = keepsScore(wantedInputs(at, at.willWant)) ? at.saved(at.features(TILTED_INPUT.features)) : 0;
    at.emit("tiltedLogProbF32", ...tiltedOperands(at), at.output, score);
  },
};

/** The map to normal numbers or back, with log p(r). */
export function tiltedMap<P extends "tiltedEncode" | "tiltedDecode">(name: P): ForwardKernel<P> {
  return { forward: (at) => at.emit(`${name}F32`, ...tiltedOperands(at), at.output) };
}
