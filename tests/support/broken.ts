/**
 * Wrong implementations on purpose: laws are shown to reject each of them.
 *
 * @module
 */
import { multiply, negate, scaleShift } from "../../src/graph/operations.ts";
import type { Tensor } from "../../src/graph/graph.ts";
import type { PrimitiveName } from "../../src/graph/attributes.ts";
import type { Bijector } from "../../src/flow/bijector.ts";
import type { Rule } from "./vjp_law.ts";

type Cotangents = (Float64Array | null)[];

function indexOfLargest(x: Float64Array): number {
  return x.reduce((best, v, i) => Math.abs(v) > Math.abs(x[best]) ? i : best, 0);
}

/** The ways in which a derivative rule with cotangents that are not all zero can be spoilt. */
export const vjpFaults: Readonly<Record<string, (right: Cotangents) => Cotangents>> = {
  "sign flipped": (right) => right.map((x) => x?.map((v) => -v) ?? null),
  "doubled": (right) => right.map((x) => x?.map((v) => 2 * v) ?? null),
  "left out": (right) => right.map(() => null),
  "last input forgotten": (right) => right.with(-1, null),
  "largest element forgotten": (right) => right.map((x) => x === null ? null : x.with(indexOfLargest(x), 0)),
  "off by one in a million": (right) => right.map((x) => x?.map((v) => v * (1 + 1e-6) + 1e-6) ?? null),
};

/** A rule with the right value and a spoilt derivative. */
export function withBrokenVjp<P extends PrimitiveName>(
  rule: Rule<P>,
  fault: (right: Cotangents) => Cotangents,
): Rule<P> {
  return { forward: (at) => rule.forward(at), vjp: (at, cotangent) => fault(rule.vjp(at, cotangent)) };
}

/** A bijector whose log-determinants are replaced. */
function withLogDet(of: Bijector, logDet: (right: Tensor) => Tensor): Bijector {
  return {
    dim: of.dim,
    parameters: () => of.parameters(),
    forward(z) {
      const right = of.forward(z);
      return { x: right.x, logDet: logDet(right.logDet) };
    },
    inverse(x) {
      const right = of.inverse(x);
      return { z: right.z, logDet: logDet(right.logDet) };
    },
  };
}

/** Wrong log-determinants that agree with each other: a round trip and a sum of both directions do not show them. */
export const logDetFaults: Readonly<Record<string, (of: Bijector) => Bijector>> = {
  "log-det zero": (of) => withLogDet(of, (right) => multiply(right, 0)),
  "log-det flipped": (of) => withLogDet(of, negate),
  "log-det doubled": (of) => withLogDet(of, (right) => multiply(right, 2)),
};

/** Wrong maps. */
export const mapFaults: Readonly<Record<string, (of: Bijector) => Bijector>> = {
  "inverse shifted by a thousandth": (of) => ({
    dim: of.dim,
    parameters: () => of.parameters(),
    forward: (z) => of.forward(z),
    inverse(x) {
      const { z, logDet } = of.inverse(x);
      return { z: scaleShift(z, 1, 1e-3), logDet };
    },
  }),
  "inverse is forward": (of) => ({
    dim: of.dim,
    parameters: () => of.parameters(),
    forward: (z) => of.forward(z),
    inverse(x) {
      const { x: z, logDet } = of.forward(x);
      return { z, logDet: negate(logDet) };
    },
  }),
};
