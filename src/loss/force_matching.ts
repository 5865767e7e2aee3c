/**
 * Learning from forces at data.
 *
 * @module
 */
import type { Tensor } from "../graph/graph.ts";
import { NotFiniteError, rowsNotFinite } from "../autodiff/not_finite.ts";
import { divide, mean, square, subtract } from "../graph/operations.ts";
import type { EnergyFunction } from "./energy.ts";
import type { Density } from "./maximum_likelihood.ts";

/** Configurations to either side of data, and how the log-density should change between them. */
export interface ForceSlices {
  /** x + hv, as float32 knows it, [n, dim]. */
  readonly plus: Float64Array;
  /** x − hv, as float32 knows it, [n, dim]. */
  readonly minus: Float64Array;
  /** βF · (plus − minus)/2h with the force F = −∇U half-way, [n]. */
  readonly slopes: Float64Array;
}

/** Half the distance of the slices where nobody says otherwise. */
export const FORCE_STEP = 1 / 128;

/**
 * Prepares what {@link forceMatchingLoss} compares: one energy gradient for each configuration.
 *
 * The ends of each slice are rounded to float32 first, and force and direction are taken of what is left, so that rounding
 * coordinates adds no error.
 *
 * @param system energy and gradient
 * @param beta 1 / (k_B T)
 * @param x data [n, dim], row-major
 * @param directions v, [n, dim]: normal numbers of variance 1
 * @param step h, half the distance of the ends for |v| = 1. Default 1/128
 * @returns ends and slopes
 * @throws {RangeError} if beta or the step is not positive and finite, or directions are not as many as data
 * @throws {NotFiniteError} if a force is not finite
 */
export function forceSlices(
  system: EnergyFunction,
  beta: number,
  x: Float64Array,
  directions: Float64Array,
  step: number = FORCE_STEP,
): ForceSlices {
  const { dim } = system;
  for (const [name, value] of [["beta", beta], ["step", step]] as const) {
    if (value > 0 && value < Infinity) continue;
    throw new RangeError(`Cannot match forces: ${name} must be positive and finite, got ${value}`);
  }
  if (directions.length !== x.length) {
    throw new RangeError(`Cannot match forces: directions must have length ${x.length}, got ${directions.length}`);
  }
  const plus = x.map((v, i) => Math.fround(v + step * directions[i]));
  const minus = x.map((v, i) => Math.fround(v - step * directions[i]));
  const { gradient } = system.energyAndGradient(plus.map((v, i) => (v + minus[i]) / 2));
  const { count, first } = rowsNotFinite(gradient, dim);
  if (count > 0) {
    throw new NotFiniteError(
      `the forces must be finite, got ${count} of ${
        x.length / dim
      } that are not, the first with index ${first}: match ` +
        "forces at data of moderate energy",
    );
  }
  const slopes = new Float64Array(x.length / dim);
  gradient.forEach((g, i) => slopes[Math.floor(i / dim)] -= beta * g * (plus[i] - minus[i]) / (2 * step));
  return { plus, minus, slopes };
}

/**
 * The mean squared difference of the slopes of log p_X and of −βU along random directions at data:
 *
 *     J_F = mean ((log p_X(x + hv) − log p_X(x − hv)) / 2h − βF·v)²,   v ~ N(0, I),   F = −∇U
 *
 * Over v and for h → 0 its mean is |∇log p_X + β∇U|², the squared error of all forces: what the published code matches,
 * without second derivatives, as sliced score matching does. No energies enter, so that no constant does. (The published
 * `ForceMatching` adds (log p_X + u)², which is (ln Z)² for the exact flow; at data that are no samples of the target
 * another flow has less, unless ln Z = 0.)
 *
 * It is zero for the exact flow only, at the data and near them; how much probability each basin has it does not see where
 * data between them are missing. Its mean square has a relative variance of 2 by v alone: use many samples.
 *
 * **Step.** In float32 log p_X has an error ε, about 2⁻²⁴ times the sum of |z|² and all |log-scales|: 1e-6 for a few
 * coordinates, 1e-5 for a hundred. So the slope has an error of ε/h by rounding and of h²M/6 by truncation, M the third
 * derivative along v; their sum is least at h = (3ε/M)^⅓. With features of length ℓ, M ≈ ℓ⁻³ and h ≈ 0.015 ℓ to 0.03 ℓ.
 * The default 1/128 suits ℓ between 0.2 and 1, with errors of 1e-4 to 1e-3: a loss below 1e-6 is noise. It was chosen for
 * coordinates in units of a molecule's size; for others give your own.
 *
 * Reference: Noé et al. 2019, published code (`ForceMatching`); Song, Garg, Shi & Ermon, UAI 2019 (sliced score matching).
 *
 * @param flow the density to fit
 * @param plus x + hv, [n, dim], from {@link forceSlices}
 * @param minus x − hv, [n, dim]
 * @param slopes βF · v, [n]
 * @param step h, the same as for the slices. Default 1/128
 * @returns scalar
 *
 * @example The residual of a normal density that is twice too wide for a spring
 * ```ts
 * import { column, evaluateReference, Flow, forceMatchingLoss, forceSlices, Graph, input, Scaling } from "@boltzflow/boltzflow";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const spring = {
 *   dim: 1,
 *   energyAndGradient: (x: Float64Array) => ({ energy: x.map((v) => v * v / 2), gradient: x }),
 * };
 * const graph = new Graph();
 * const [plus, minus] = [input(graph, "plus", 1), input(graph, "minus", 1)];
 * const slopes = column(input(graph, "slopes", 1), 0);
 * const flow = new Flow(new Scaling({ dim: 1, logScale: [Math.log(2)] }));
 * const loss = forceMatchingLoss(flow, plus, minus, slopes);
 *
 * const slices = forceSlices(spring, 1, Float64Array.of(1), Float64Array.of(1));
 * const [[value]] = evaluateReference([loss], [slices.plus, slices.minus, slices.slopes], 1);
 * assertAlmostEquals(value, (1 - 1 / 4) ** 2, 1e-6); // log p_X = −x²/8 + …
 * ```
 */
export function forceMatchingLoss(
  flow: Density,
  plus: Tensor,
  minus: Tensor,
  slopes: Tensor,
  step: number = FORCE_STEP,
): Tensor {
  const slope = divide(subtract(flow.logProbOf(plus), flow.logProbOf(minus)), 2 * step);
  return mean(square(subtract(slope, slopes)));
}
