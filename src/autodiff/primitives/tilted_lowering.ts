/**
 * The kernel calls of the energy-tilted density.
 *
 * @module
 */
import type { Address, ForwardLowering, Lowering, VjpLowering } from "./primitive.ts";
import { tiltedLayout } from "../../graph/tilted_layout.ts";

type Name = "tiltedLogProb" | "tiltedEncode" | "tiltedDecode";

/** Positions of the inputs. */
export const TILTED_INPUT = { features: 0, place: 1, scale: 2, knots: 3, neighbours: 4 } as const;

/** The arguments of every kernel: sizes, tables, inputs and scratch memory. */
function operands(at: ForwardLowering<Name>): (number | Address)[] {
  const { tilt } = at.attributes;
  const { sizes, constants, scratchBytes } = tiltedLayout(tilt);
  const neighbours = tilt.pairs.length === 0 ? 0 : at.input(TILTED_INPUT.neighbours);
  const inputs = [TILTED_INPUT.features, TILTED_INPUT.place, TILTED_INPUT.scale, TILTED_INPUT.knots].map(at.input);
  return [at.panels, at.indices(sizes), at.constants(constants), ...inputs, neighbours, at.scratch(scratchBytes)];
}

/** The batch inputs that a derivative is, or will be, asked for. */
function wantedInputs(at: ForwardLowering<Name>, asks: (i: number) => boolean): number[] {
  const { features, place, scale, neighbours } = TILTED_INPUT;
  const batches = [features, place, scale, ...at.attributes.tilt.pairs.length === 0 ? [] : [neighbours]];
  return batches.filter(asks);
}

/** Whether the derivative by the features is all that is asked for: it is computed with the value. */
function keepsScore(wanted: readonly number[]): boolean {
  return wanted.length === 1 && wanted[0] === TILTED_INPUT.features;
}

/** Writes down the kernel that computes all cotangents at once, from `cotangents` of what the primitive returns. */
function emitGradient(at: VjpLowering<Name>, kernel: string, cotangents: readonly Address[]): void {
  const { features, place, scale, neighbours } = TILTED_INPUT;
  const wanted = wantedInputs(at, at.wants);
  const addresses = [features, place, scale, neighbours].map((i) => wanted.includes(i) ? at.overwrite(i) : 0);
  at.emit(kernel, ...operands(at), ...cotangents, ...addresses);
}

/** log p(r), with the score if the derivative by the features is all that will be asked for. */
export const logProbLowering: Lowering<"tiltedLogProb"> = {
  saves: "inputs",
  forward(at) {
    const score = keepsScore(wantedInputs(at, at.willWant)) ? at.saved(at.features(TILTED_INPUT.features)) : 0;
    at.emit("tiltedLogProbF32", ...operands(at), at.output, score);
  },
  vjp(at) {
    if (!keepsScore(wantedInputs(at, at.wants))) return emitGradient(at, "tiltedLogProbGradF32", [at.cotangent]);
    const width = at.features(TILTED_INPUT.features);
    const { address, accumulate } = at.contribute(TILTED_INPUT.features);
    at.emit("scaleByColumnF32", at.panels, width, accumulate, at.cotangent, at.saved(width), address);
  },
};

/** The map to normal numbers or back, with log p(r). */
function mapLowering<P extends "tiltedEncode" | "tiltedDecode">(name: P): Lowering<P> {
  return {
    saves: "both",
    forward: (at) => at.emit(`${name}F32`, ...operands(at), at.output),
    vjp: (at) => emitGradient(at, `${name}GradF32`, [at.output, at.cotangent]),
  };
}

/** z of r. */
export const encodeLowering: Lowering<"tiltedEncode"> = mapLowering("tiltedEncode");

/** r of z. */
export const decodeLowering: Lowering<"tiltedDecode"> = mapLowering("tiltedDecode");
