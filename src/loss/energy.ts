/**
 * Learning from the energy.
 *
 * @module
 */
import type { Tensor } from "../autodiff/graph.ts";
import { add, external, mean } from "../autodiff/operations.ts";
import type { ExternalOperation } from "../autodiff/primitives/attributes.ts";

/** What the loss needs of a system: its energy and gradient for any number of configurations. */
export interface EnergyFunction {
  /** Number of coordinates. */
  readonly dim: number;
  /**
   * Computes energies and their gradients.
   *
   * @param x configurations [n, dim], row-major
   * @returns U [n] and ∂U/∂x [n, dim]
   */
  energyAndGradient(x: Float64Array): { readonly energy: Float64Array; readonly gradient: Float64Array };
}

/** What the loss needs of a flow. */
export interface Transport {
  /**
   * Enters x = f(z) and its density into a graph.
   *
   * @param z [n, dim]
   * @returns x [n, dim] and log p_X(x) [n]
   */
  pushForward(z: Tensor): { readonly x: Tensor; readonly logProb: Tensor };
}

/** The bounds of {@link linLogCut}. */
export interface Softening {
  /** Reduced energy above which it grows only logarithmically. */
  readonly highEnergy: number;
  /** Reduced energy above which it is constant. */
  readonly maxEnergy: number;
}

/**
 * A softened reduced energy: linear up to a, logarithmic up to b, then constant.
 *
 *     u ≤ a: u      a < u ≤ b: a + ln(u − a + 1)      u > b or not a number: a + ln(b − a + 1)
 *
 * It keeps gradients of overlapping particles finite. For training only: every reported number uses the exact energy.
 * Reference: `linlogcut` of the code published with Noé et al. 2019.
 *
 * @param u reduced energy
 * @param softening a and b
 * @returns the softened value and its slope
 *
 * @example
 * ```ts
 * import { linLogCut } from "@boltzflow/boltzflow";
 * import { assertEquals } from "@std/assert";
 *
 * const softening = { highEnergy: 100, maxEnergy: 1e10 };
 *
 * assertEquals(linLogCut(7, softening), { value: 7, slope: 1 });
 * assertEquals(linLogCut(103, softening), { value: 100 + Math.log(4), slope: 1 / 4 });
 * ```
 */
export function linLogCut(u: number, { highEnergy: a, maxEnergy: b }: Softening): { value: number; slope: number } {
  if (u <= a) return { value: u, slope: 1 };
  if (u <= b) return { value: a + Math.log(u - a + 1), slope: 1 / (u - a + 1) };
  return { value: a + Math.log(b - a + 1), slope: 0 };
}

/**
 * The (softened) reduced energy u(x) = βU(x) as an operation.
 *
 * @param system energy and gradient, evaluated in float64
 * @param beta 1 / (k_B T) in the inverse unit of the energy
 * @param softening bounds, or null for the exact energy
 * @returns an operation [n, dim] → [n]
 * @throws {RangeError} if beta is not positive and finite, or the bounds do not increase
 */
export function reducedEnergyOperation(
  system: EnergyFunction,
  beta: number,
  softening: Softening | null,
): ExternalOperation {
  if (!(beta > 0 && beta < Infinity)) {
    throw new RangeError(`Cannot make a reduced energy: beta must be positive and finite, got ${beta}`);
  }
  if (softening !== null && !(softening.maxEnergy > softening.highEnergy)) {
    const { highEnergy, maxEnergy } = softening;
    throw new RangeError(
      `Cannot soften an energy: maxEnergy must exceed highEnergy, got ${maxEnergy} and ${highEnergy}`,
    );
  }
  const soften = softening === null ? (u: number) => ({ value: u, slope: 1 }) : (u: number) => linLogCut(u, softening);
  return {
    name: "reduced energy",
    forward([x]) {
      const { energy, gradient } = system.energyAndGradient(x);
      const value = new Float64Array(energy.length);
      const slopes = new Float64Array(energy.length);
      for (let i = 0; i < energy.length; i++) {
        const softened = soften(beta * energy[i]);
        value[i] = softened.value;
        slopes[i] = softened.slope;
      }
      return { value, saved: { gradient, slopes } };
    },
    vjp(cotangent, _inputs, saved) {
      const { gradient, slopes } = saved as { gradient: Float64Array; slopes: Float64Array };
      const { dim } = system;
      const result = new Float64Array(gradient.length);
      for (let i = 0; i < slopes.length; i++) {
        // Where the softened energy is constant the gradient may be infinite: its product with zero is zero here.
        if (slopes[i] === 0) continue;
        const factor = cotangent[i] * slopes[i] * beta;
        for (let k = i * dim; k < (i + 1) * dim; k++) result[k] = factor * gradient[k];
      }
      return [result];
    },
  };
}

/**
 * J_KL = mean (u(x) + log p_X(x)), x = f(z): minimises KL(flow ‖ Boltzmann), the "reverse" KL of statistics, up to the
 * constant ln Z. Its smallest value is −ln Z.
 *
 * Reference: Noé et al. 2019, eq. 4 (theirs leaves out the entropy of the prior).
 *
 * @param samples x and log p_X(x) of prior samples, from `Flow.pushForward`
 * @param operation from {@link reducedEnergyOperation}
 * @returns scalar
 *
 * @example The loss of an exact flow is −ln Z
 * ```ts
 * import {
 *   energyLoss,
 *   evaluateReference,
 *   Flow,
 *   Graph,
 *   input,
 *   reducedEnergyOperation,
 *   Scaling,
 * } from "@boltzflow/boltzflow";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const spring = {
 *   dim: 1,
 *   energyAndGradient: (x: Float64Array) => ({ energy: x.map((v) => v * v / 2), gradient: x }),
 * };
 * const z = input(new Graph(), "z", 1);
 * const samples = new Flow(new Scaling({ dim: 1 })).pushForward(z);
 * const loss = energyLoss(samples, reducedEnergyOperation(spring, 1, null));
 *
 * const [value] = evaluateReference([loss], [Float64Array.of(0.3, -2)], 2);
 * assertAlmostEquals(value[0], -Math.log(Math.sqrt(2 * Math.PI)), 1e-12);
 * ```
 */
export function energyLoss(
  samples: { readonly x: Tensor; readonly logProb: Tensor },
  operation: ExternalOperation,
): Tensor {
  return mean(add(external(operation, [samples.x], ["n"]), samples.logProb));
}
