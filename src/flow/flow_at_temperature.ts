/**
 * A flow at another temperature: the same map, another width of the prior.
 *
 * @module
 */
import { Flow } from "./flow.ts";
import { NormalPrior } from "./prior.ts";

/**
 * Makes the density that a flow stands for at another temperature: the same bijector with τ times the variance of the prior.
 *
 *     z ~ N(0, τ),   x = f(z),   log p_X(x | τ) = −|z|²/2τ − (dim/2) ln 2πτ + log |det ∂z/∂x|
 *
 * Where the log-determinant of the flow is constant, and p_X(x) ∝ exp(−U(x)/T₀), this is the Boltzmann density at τT₀
 * exactly; else it is what training at several temperatures makes of it (`temperatures` of `boltzmannObjective`). Weights
 * are exact in any case. The parameters are shared, not copied: training one trains the other.
 *
 * Reference: Noé et al. 2019; the published code draws z with the deviation √τ.
 *
 * @param flow whose prior is a {@link NormalPrior}
 * @param temperature τ = T/T₀, relative to the temperature at which `flow` stands for its target
 * @returns a flow with the same parameters
 * @throws {TypeError} if the prior is not normal
 * @throws {RangeError} if τ is not positive and finite
 *
 * @example A spring at four times the temperature is twice as wide
 * ```ts
 * import { BoltzmannGenerator, Flow, flowAtTemperature, Scaling } from "@boltzflow/boltzflow";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const spring = { dim: 1, energy: (x: Float64Array) => x.map((v) => v * v / 2) };
 * const hot = flowAtTemperature(new Flow(new Scaling({ dim: 1 })), 4);
 * const { logWeights } = new BoltzmannGenerator(hot, spring, { beta: 1 / 4 }).sample(10, { seed: 1 });
 *
 * // All weights are Z = √(2π 4): the flow is exact.
 * for (const log of logWeights) assertAlmostEquals(log, Math.log(Math.sqrt(8 * Math.PI)), 1e-5);
 * ```
 */
export function flowAtTemperature(flow: Flow, temperature: number): Flow {
  const { bijector, prior, dim } = flow;
  if (!(prior instanceof NormalPrior)) {
    throw new TypeError(
      `Cannot change the temperature of a flow: its prior must be a NormalPrior, got ${prior.constructor.name}`,
    );
  }
  if (!(temperature > 0 && temperature < Infinity)) {
    throw new RangeError(
      `Cannot change the temperature of a flow: temperature must be positive and finite, got ${temperature}`,
    );
  }
  return new Flow(bijector, new NormalPrior(dim, { variance: temperature * prior.variance }));
}
