/**
 * The contract that every flow layer obeys.
 *
 * @module
 */
import type { Tensor } from "../graph/graph.ts";
import type { Parameter } from "../graph/parameter.ts";

/**
 * An invertible, differentiable map between the prior side z and the target side x.
 *
 *     forward: z [n, dim] → x [n, dim], logDet [n] = log |det ∂x/∂z|
 *     inverse: x [n, dim] → z [n, dim], logDet [n] = log |det ∂z/∂x|
 *
 * The log-determinants of corresponding points are negatives of each other; each belongs to the direction called.
 */
export interface Bijector {
  /** Number of coordinates. */
  readonly dim: number;
  /** Lists everything that must be stored to rebuild the map: trainable parameters and constants. */
  parameters(): readonly Parameter[];
  /**
   * Maps the prior side to the target side.
   *
   * @param z [n, dim]
   * @returns x [n, dim] and log |det ∂x/∂z| [n]
   */
  forward(z: Tensor): { readonly x: Tensor; readonly logDet: Tensor };
  /**
   * Maps the target side to the prior side.
   *
   * @param x [n, dim]
   * @returns z [n, dim] and log |det ∂z/∂x| [n]
   */
  inverse(x: Tensor): { readonly z: Tensor; readonly logDet: Tensor };
  /**
   * Enters log p_X(x) for a standard normal prior into a graph, where that is cheaper than through z.
   *
   * @param x [n, dim]
   * @returns [n]
   */
  normalLogProb?(x: Tensor): Tensor;
}
