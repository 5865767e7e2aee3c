/**
 * Learning equal weights.
 *
 * @module
 */
import type { Tensor } from "../graph/graph.ts";
import { external } from "../graph/operations.ts";
import type { ExternalOperation } from "../graph/attributes.ts";
import { averagedPerTemperature } from "./averaged_per_temperature.ts";

const spread: ExternalOperation = {
  name: "log-weight spread",
  forward([v]) {
    const centre = meanOf(v);
    return { value: Float64Array.of(meanOf(v.map((one) => Math.abs(one - centre)))), saved: centre };
  },
  vjp([c], [v], centre) {
    const signs = v.map((one) => Math.sign(one - (centre as number)));
    const net = meanOf(signs);
    return [signs.map((sign) => c * (sign - net) / v.length)];
  },
};

/**
 * The mean distance of log-weights from their mean, at each temperature by itself:
 *
 *     J_W = mean |log w − ⟨log w⟩|,   log w = −u(x) − log p_X(x)
 *
 * It is zero for an exact flow and only there, whatever Z: a constant in u or in log p_X changes nothing. Unlike J_KL, of
 * which it is the fluctuation, it says how good the weights are without knowing ln Z; like it, it sees only where the flow
 * draws samples. Weights of the softened energy, as published, keep overlapping particles from deciding it.
 *
 * Reference: the term "W2" of the code published with Noé et al. 2019, in stages 1–5 of the dimer script; the paper does
 * not mention it.
 *
 * @param logWeights log w of prior samples, [n], or their negatives, as `negativeLogWeights` makes them
 * @param temperatures number of temperatures that the samples have in turn, default 1
 * @returns scalar
 * @throws {RangeError} if the number of temperatures is not whole or < 1
 *
 * @example The weights of an exact flow are equal, those of another one are not
 * ```ts
 * import {
 *   evaluateReference,
 *   Flow,
 *   Graph,
 *   input,
 *   logWeightSpreadLoss,
 *   negativeLogWeights,
 *   reducedEnergyOperation,
 *   Scaling,
 * } from "@boltzflow/boltzflow";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const spring = {
 *   dim: 1,
 *   energyAndGradient: (x: Float64Array) => ({ energy: x.map((v) => v * v / 2), gradient: x }),
 * };
 * const spread = (width: number) => {
 *   const flow = new Flow(new Scaling({ dim: 1, logScale: [Math.log(width)] }));
 *   const samples = flow.pushForward(input(new Graph(), "z", 1));
 *   const loss = logWeightSpreadLoss(negativeLogWeights(samples, reducedEnergyOperation(spring, 1, null)));
 *   return evaluateReference([loss], [Float64Array.of(0, 2)], 2)[0][0];
 * };
 *
 * assertAlmostEquals(spread(1), 0, 1e-12);
 * assertAlmostEquals(spread(2), 3, 1e-6); // log w = −z² (2² − 1)/2 + …: 0 and −6, mean distance 3
 * ```
 */
export function logWeightSpreadLoss(logWeights: Tensor, temperatures = 1): Tensor {
  return external(averagedPerTemperature(spread, temperatures), [logWeights], []);
}

function meanOf(v: Float64Array): number {
  return v.reduce((sum, one) => sum + one, 0) / v.length;
}
