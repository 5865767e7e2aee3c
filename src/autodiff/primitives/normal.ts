/**
 * The normal distribution function and its inverse, element by element.
 *
 * @module
 */
import { normalCdf as distribution, normalQuantile } from "../../backend/reference_normal.ts";
import { map } from "../../graph/columns.ts";
import { expOf } from "../../random/elementary.ts";
import type { Primitive, Saved, VjpKernel } from "./primitive.ts";

/** 1/√(2π). */
const HEIGHT = 0.3989422804014327;
const density = (x: number) => HEIGHT * expOf(-0.5 * x * x);

function kernel<P extends "normalCdf" | "probit">(name: P, saves: Saved): VjpKernel<P> {
  return {
    saves,
    vjp(at) {
      const { address, accumulate } = at.contribute(0);
      const saved = saves === "output" ? at.output : at.input(0);
      at.emit(`${name}GradF32`, 32 * at.panels * at.outputFeatures, accumulate, saved, at.cotangent, address);
    },
  };
}

/** y = Φ(x):  x̄ = ȳ φ(x) */
export const normalCdf: Primitive<"normalCdf"> = {
  forward: ({ inputs: [x] }) => map(x, distribution),
  vjp: ({ inputs: [x] }, cotangent) => [cotangent.map((c, i) => c * density(x[i]))],
  kernel: kernel("normalCdf", "inputs"),
};

/** z = Φ⁻¹(p):  p̄ = z̄ / φ(z) */
export const probit: Primitive<"probit"> = {
  forward: ({ inputs: [p] }) => map(p, (mass) => normalQuantile(mass, 1 - mass)),
  vjp: ({ output }, cotangent) => [cotangent.map((c, i) => c / density(output[i]))],
  kernel: kernel("probit", "output"),
};
