/**
 * Learning from data.
 *
 * @module
 */
import type { Tensor } from "../autodiff/graph.ts";
import { mean, negate } from "../autodiff/operations.ts";

/** What the loss needs of a flow. */
export interface Density {
  /**
   * Enters log p_X(x) into a graph.
   *
   * @param x [n, dim]
   * @returns [n]
   */
  logProbOf(x: Tensor): Tensor;
}

/**
 * J_ML = −mean log p_X(x) over data x: minimises KL(data ‖ flow), the "forward" KL of statistics.
 *
 * The density is normalised, so values are comparable between flows and with the entropy of the target.
 * Reference: Noé et al. 2019, eq. 5 (theirs leaves out the constant).
 *
 * @param flow the density to fit
 * @param x data [n, dim]
 * @returns scalar
 *
 * @example The normal density of one point at the origin
 * ```ts
 * import { evaluateReference, Flow, Graph, input, maximumLikelihoodLoss, Scaling } from "@boltzflow/boltzflow";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const x = input(new Graph(), "x", 1);
 * const loss = maximumLikelihoodLoss(new Flow(new Scaling({ dim: 1 })), x);
 *
 * const [value] = evaluateReference([loss], [Float64Array.of(0)], 1);
 * assertAlmostEquals(value[0], Math.log(Math.sqrt(2 * Math.PI)), 1e-12);
 * ```
 */
export function maximumLikelihoodLoss(flow: Density, x: Tensor): Tensor {
  return mean(negate(flow.logProbOf(x)));
}
