/**
 * Learning from the energy.
 *
 * @module
 */
import type { Tensor } from "../graph/graph.ts";
import { NotFiniteError, rowIsFinite, rowsNotFinite } from "../autodiff/not_finite.ts";
import { add, external, mean } from "../graph/operations.ts";
import type { ExternalOperation } from "../graph/attributes.ts";
import { logOf } from "../random/elementary.ts";
import { cosOf } from "../random/elementary_sine.ts";

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
 *     u ≤ a: u      a < u ≤ b: a + ln(u − a + 1)      u > b, also ∞: a + ln(b − a + 1)
 *
 * It keeps gradients of overlapping particles finite. For training only: every reported number uses the exact energy. What
 * is not a number stays none.
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
  if (u <= a || Number.isNaN(u)) return { value: u, slope: u <= a ? 1 : NaN };
  if (u <= b) return { value: a + logOf(u - a + 1), slope: 1 / (u - a + 1) };
  return { value: a + logOf(b - a + 1), slope: 0 };
}

/**
 * The (softened) reduced energy u(x) = βU(x) as an operation.
 *
 * Softened, it is finite with a finite gradient at every configuration that has an energy, which may be ∞. Where the
 * energy is finite and its gradient is not, as at the cusp of a bond of length zero, the gradient is the mean of those at
 * x ± δ, δ about 1e-6: the directions of a cusp cancel. Configurations and energies that are no numbers are refused.
 *
 * @param system energy and gradient, evaluated in float64
 * @param beta 1 / (k_B T) in the inverse unit of the energy; of several, sample i has number i modulo their count
 * @param softening bounds, or null for the exact energy; it is u that is softened, not U
 * @returns an operation [n, dim] → [n]
 * @throws {RangeError} if a beta is not positive and finite, or the bounds are not finite or do not increase
 */
export function reducedEnergyOperation(
  system: EnergyFunction,
  beta: number | readonly number[],
  softening: Softening | null,
): ExternalOperation {
  const betas = typeof beta === "number" ? [beta] : beta;
  if (betas.length === 0 || !betas.every((one) => one > 0 && one < Infinity)) {
    throw new RangeError(`Cannot make a reduced energy: beta must be positive and finite, got ${beta}`);
  }
  if (softening !== null) requireSoftening(softening);
  const soften = softening === null ? (u: number) => ({ value: u, slope: 1 }) : (u: number) => linLogCut(u, softening);
  return {
    name: "reduced energy",
    forward([x]) {
      requireRows("samples", x, system.dim);
      const { energy, gradient } = system.energyAndGradient(x);
      requireRows("energies", energy.map((u) => u === Infinity ? 0 : u), 1);
      const value = new Float64Array(energy.length);
      const slopes = new Float64Array(energy.length);
      for (let i = 0; i < energy.length; i++) {
        const softened = soften(betas[i % betas.length] * energy[i]);
        value[i] = softened.value;
        slopes[i] = softened.slope;
      }
      return {
        value,
        saved: { gradient: softening === null ? gradient : mended(system, x, gradient, slopes), slopes },
      };
    },
    vjp(cotangent, _inputs, saved) {
      const { gradient, slopes } = saved as { gradient: Float64Array; slopes: Float64Array };
      const { dim } = system;
      const result = new Float64Array(gradient.length);
      for (let i = 0; i < slopes.length; i++) {
        // Where the softened energy is constant the gradient may be infinite: its product with zero is zero here.
        if (slopes[i] === 0) continue;
        const factor = cotangent[i] * slopes[i] * betas[i % betas.length];
        for (let k = i * dim; k < (i + 1) * dim; k++) result[k] = factor * gradient[k];
      }
      return [result];
    },
  };
}

function requireSoftening({ highEnergy, maxEnergy }: Softening): void {
  if (maxEnergy > highEnergy && Number.isFinite(maxEnergy) && Number.isFinite(highEnergy)) return;
  throw new RangeError(
    `Cannot soften an energy: maxEnergy must exceed highEnergy, both finite, got ${maxEnergy} and ${highEnergy}`,
  );
}

/** Refuses samples of which one is not finite: a mean over them would be no number, or hide it. */
function requireRows(what: string, rows: Float64Array, dim: number): void {
  const { count, first } = rowsNotFinite(rows, dim);
  if (count === 0) return;
  throw new NotFiniteError(
    `the ${what} of the energy loss must be finite, got ${count} of ${
      rows.length / dim
    } that are not, the first with ` +
      `index ${first}: lower the learning rate, clip gradients or weigh the energy less`,
  );
}

/** How far to either side gradients are taken where there is none, relative where coordinates are above 1. */
const ASIDE = 1e-6;

/** Gradients with those replaced that are not finite though they count. */
function mended(system: EnergyFunction, x: Float64Array, gradient: Float64Array, slopes: Float64Array): Float64Array {
  const { dim } = system;
  if (rowsNotFinite(gradient, dim).count === 0) return gradient;
  const counting = (all: Float64Array) => all.map((g, k) => slopes[Math.floor(k / dim)] === 0 ? 0 : g);
  const counts = counting(gradient);
  const { count, first } = rowsNotFinite(counts, dim);
  if (count === 0) return gradient;
  const result = gradient.slice();
  for (let i = first; i < slopes.length; i++) {
    const at = x.subarray(i * dim, (i + 1) * dim);
    if (rowIsFinite(counts, dim, i)) continue;
    // Every coordinate is moved by an amount of its own, so that what coincides comes apart.
    const [plus, minus] = [ASIDE, -ASIDE].map((by) =>
      system.energyAndGradient(at.map((v, k) => v + by * Math.max(1, Math.abs(v)) * cosOf(1 + k))).gradient
    );
    result.set(plus.map((g, k) => (g + minus[k]) / 2), i * dim);
  }
  requireRows("energy gradients", counting(result), dim);
  return result;
}

/**
 * Enters u(x) + log p_X(x) of each sample into a graph: minus its log-weight. Its mean is {@link energyLoss}, its mean
 * distance from the mean `logWeightSpreadLoss`.
 *
 * @param samples x and log p_X(x) of prior samples, from `Flow.pushForward`
 * @param operation from {@link reducedEnergyOperation}
 * @returns [n]
 */
export function negativeLogWeights(
  samples: { readonly x: Tensor; readonly logProb: Tensor },
  operation: ExternalOperation,
): Tensor {
  return add(external(operation, [samples.x], ["n"]), samples.logProb);
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
  return mean(negativeLogWeights(samples, operation));
}
