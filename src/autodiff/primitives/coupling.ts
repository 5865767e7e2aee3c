/**
 * The affine coupling of RealNVP, both directions (Dinh et al. 2017, eq. 8).
 *
 * @module
 */
import { expOf } from "../../random/elementary.ts";
import type { Primitive, VjpKernel } from "./primitive.ts";

type Direction = "affineForward" | "affineInverse";

function kernel<P extends Direction>(name: P, saves: "inputs" | "both"): VjpKernel<P> {
  return {
    saves,
    vjp(at) {
      // The kernel writes all three cotangents in one pass; it can add to the first only.
      const dx = at.contribute(0);
      const [ds, dt] = [at.overwrite(1), at.overwrite(2)];
      const value = saves === "inputs" ? at.input(0) : at.output;
      const args = [at.panels, at.outputFeatures, dx.accumulate, value, at.input(1), at.cotangent, 0];
      at.emit(`${name}GradF32`, ...args, dx.address, ds, dt);
    },
  };
}

/** y = x eˢ + t:  x̄ = ȳ eˢ, s̄ = ȳ x eˢ, t̄ = ȳ */
export const affineForward: Primitive<"affineForward"> = {
  forward: ({ inputs: [x, s, t] }) => x.map((v, i) => v * expOf(s[i]) + t[i]),
  vjp({ inputs: [x, s] }, cotangent) {
    const dx = cotangent.map((c, i) => c * expOf(s[i]));
    return [dx, dx.map((c, i) => c * x[i]), cotangent.slice()];
  },
  kernel: kernel("affineForward", "inputs"),
};

/** x = (y − t) e⁻ˢ:  ȳ = x̄ e⁻ˢ, s̄ = −x̄ x, t̄ = −x̄ e⁻ˢ */
export const affineInverse: Primitive<"affineInverse"> = {
  forward: ({ inputs: [y, s, t] }) => y.map((v, i) => (v - t[i]) * expOf(-s[i])),
  vjp({ inputs: [, s], output: x }, cotangent) {
    const dy = cotangent.map((c, i) => c * expOf(-s[i]));
    return [dy, cotangent.map((c, i) => -c * x[i]), dy.map((c) => -c)];
  },
  kernel: kernel("affineInverse", "both"),
};
