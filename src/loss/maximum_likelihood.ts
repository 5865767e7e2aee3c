/**
 * Learning from data.
 *
 * @module
 */
import type { Tensor } from "../graph/graph.ts";
import { mean, multiply, negate } from "../graph/operations.ts";

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

/**
 * J = −mean w log p_X(x) over samples x with weights w: maximum likelihood for data that are worth unequally much.
 *
 * With importance weights of mean 1 it estimates the cross entropy of the target and the flow, whatever distribution the
 * samples come from, so that a flow can learn from samples of its own and the energy alone. With w − 1 in place of w,
 * for samples of the flow itself, its gradient has the same mean, since that of log p_X(x) is zero, and no variance where
 * all weights are equal; the value is then the difference of two cross entropies.
 *
 * Reference: Rubinstein, Methodol. Comput. Appl. Probab. 1, 127 (1999), the cross-entropy method.
 *
 * @param flow the density to fit
 * @param x samples [n, dim]
 * @param w weights [n], any sign; as they are: nothing divides by their sum
 * @returns scalar
 *
 * @example Weights of 0 and 2 leave one sample of two
 * ```ts
 * import {
 *   column,
 *   evaluateReference,
 *   Flow,
 *   Graph,
 *   input,
 *   Scaling,
 *   weightedMaximumLikelihoodLoss,
 * } from "@boltzflow/boltzflow";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const graph = new Graph();
 * const [x, w] = [input(graph, "x", 1), column(input(graph, "w", 1), 0)];
 * const loss = weightedMaximumLikelihoodLoss(new Flow(new Scaling({ dim: 1 })), x, w);
 *
 * const [value] = evaluateReference([loss], [Float64Array.of(0, 7), Float64Array.of(2, 0)], 2);
 * assertAlmostEquals(value[0], Math.log(Math.sqrt(2 * Math.PI)), 1e-12);
 * ```
 */
export function weightedMaximumLikelihoodLoss(flow: Density, x: Tensor, w: Tensor): Tensor {
  return mean(negate(multiply(w, flow.logProbOf(x))));
}
