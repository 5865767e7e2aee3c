/**
 * Learning from data.
 *
 * @module
 */
import type { Tensor } from "../autodiff/graph.ts";
import { mean, negate } from "../autodiff/operations.ts";

/** What the loss needs of a flow. */
export interface Density {
  /** log p_X(x) in a graph, [n, dim] → [n]. */
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
 */
export function maximumLikelihoodLoss(flow: Density, x: Tensor): Tensor {
  return mean(negate(flow.logProbOf(x)));
}
