/**
 * The affine coupling of RealNVP as operations of a graph (Dinh et al. 2017, eq. 8).
 *
 * @module
 */
import type { Tensor } from "./graph.ts";
import { negate, sumFeatures } from "./operations.ts";
import { requireBatch, shapeText } from "./shapes.ts";

/**
 * Applies the affine coupling x eˢ + t (`forward`) or its inverse (y − t) e⁻ˢ, with its log-determinant.
 *
 * @param direction which of the two
 * @param x [n, d]
 * @param s log-scales [n, d]
 * @param t shifts [n, d]
 * @returns `value` [n, d] and `logDet` [n], ± the sum of s
 */
export function affineCoupling(
  direction: "forward" | "inverse",
  x: Tensor,
  s: Tensor,
  t: Tensor,
): { readonly value: Tensor; readonly logDet: Tensor } {
  couplingWidth(x, s, t);
  // The log-determinant comes first in the graph: in reverse order the coupling's kernel, which cannot add to the
  // cotangent of s, then runs before the sum, which can.
  const total = sumFeatures(s);
  const logDet = direction === "forward" ? total : negate(total);
  return { value: affineMap(direction, x, s, t), logDet };
}

/**
 * Applies the affine coupling x eˢ + t (`forward`) or its inverse (y − t) e⁻ˢ without its log-determinant.
 *
 * @param direction which of the two
 * @param x [n, d]
 * @param s log-scales [n, d]
 * @param t shifts [n, d]
 * @returns [n, d]
 */
export function affineMap(direction: "forward" | "inverse", x: Tensor, s: Tensor, t: Tensor): Tensor {
  const shape = ["n", couplingWidth(x, s, t)] as const;
  return x.graph.add(direction === "forward" ? "affineForward" : "affineInverse", [x, s, t], {}, shape);
}

function couplingWidth(x: Tensor, s: Tensor, t: Tensor): number {
  const d = requireBatch("apply an affine coupling", "x", x);
  for (const [name, tensor] of [["s", s], ["t", t]] as const) {
    if (requireBatch("apply an affine coupling", name, tensor) !== d) {
      throw new RangeError(
        `Cannot apply an affine coupling: ${name} must be [n, ${d}], got ${shapeText(tensor.shape)}`,
      );
    }
  }
  return d;
}
