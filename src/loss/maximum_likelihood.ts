/**
 * Learning from data.
 *
 * @module
 */
import type { ExternalOperation } from "../graph/attributes.ts";
import type { Tensor } from "../graph/graph.ts";
import { external, mean, multiply, negate } from "../graph/operations.ts";
import { expOf } from "../random/elementary.ts";
import { negativeLogWeights } from "./energy.ts";

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

/** exp(−v) divided by its mean, as a constant: no gradient goes through. */
const weightsOfMeanOne: ExternalOperation = {
  name: "importance weights",
  forward([v]) {
    const least = v.reduce((low, one) => Math.min(low, one), Infinity);
    const weights = v.map((one) => expOf(least - one));
    const total = weights.reduce((sum, one) => sum + one, 0);
    return { value: weights.map((one) => one * v.length / total), saved: null };
  },
  vjp: () => [null],
};

/**
 * Maximum likelihood on samples that the flow's own weights turn into samples of the target:
 *
 *     J = −mean w log p_X(x),   w = n softmax(−u(x) − log p_X(x)) over the batch, held fixed
 *
 * Of samples x of the flow itself it estimates the cross entropy of target and flow, so KL(Boltzmann ‖ flow) up to a
 * constant. The weights are divided by their own sum: for n samples that is biased by about (1/efficiency)/n, and where one
 * sample holds all the weight, it alone is learnt. `refinementObjective` does the same with caps.
 *
 * **Of any other samples it is biased**, since the weights take x for samples of p_X. With x from a density ρ the flow ends
 * where p_X² ∝ ρ exp(−u), half-way between data and target; at the target itself only if ρ is the target, where plain
 * maximum likelihood has less noise. In the published exploration ρ is the buffer of walkers.
 *
 * The published code lets the gradient through the weights as well, which adds the covariance of log p_X and its gradient
 * and moves the end away from the target; this form holds them fixed.
 *
 * Reference: the published code of Noé et al. 2019 (`FlexibleTrainer`, `weigh_ML`, on by default there).
 *
 * @param flow the density to fit
 * @param x samples [n, dim]
 * @param operation (softened) reduced energy, from `reducedEnergyOperation`
 * @returns scalar
 *
 * @example The weights of an exact flow are all one
 * ```ts
 * import {
 *   evaluateReference,
 *   Flow,
 *   Graph,
 *   importanceWeightedLikelihoodLoss,
 *   input,
 *   maximumLikelihoodLoss,
 *   reducedEnergyOperation,
 *   Scaling,
 * } from "@boltzflow/boltzflow";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const spring = {
 *   dim: 1,
 *   energyAndGradient: (x: Float64Array) => ({ energy: x.map((v) => v * v / 2), gradient: x }),
 * };
 * const flow = new Flow(new Scaling({ dim: 1 }));
 * const x = input(new Graph(), "x", 1);
 * const losses = [
 *   importanceWeightedLikelihoodLoss(flow, x, reducedEnergyOperation(spring, 1, null)),
 *   maximumLikelihoodLoss(flow, x),
 * ];
 *
 * const [[weighted], [plain]] = evaluateReference(losses, [Float64Array.of(0.5, -2)], 2);
 * assertAlmostEquals(weighted, plain, 1e-12);
 * ```
 */
export function importanceWeightedLikelihoodLoss(flow: Density, x: Tensor, operation: ExternalOperation): Tensor {
  const logProb = flow.logProbOf(x);
  const weights = external(weightsOfMeanOne, [negativeLogWeights({ x, logProb }, operation)], ["n"]);
  return weightedMaximumLikelihoodLoss({ logProbOf: () => logProb }, x, weights);
}
