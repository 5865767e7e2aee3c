/**
 * Whether two peers computed the same thing, and how much float32 rounding may make them differ.
 *
 * @module
 */
import type { FlowAnswer } from "./serve.ts";
import type { FlowTask, Workload } from "./workload.ts";

/** Unit roundoff of float32. */
const U = 2 ** -24;

/** What a peer computed in the compared steps. */
export interface Outcome extends FlowAnswer {
  /** Training: change of every parameter over the compared steps. Sampling: x [batch, dim], then log-det [batch]. */
  readonly numbers: Float32Array;
}

/** How far one outcome is from another, by quantity. */
export type Deviation = Readonly<Record<string, number>>;

/** Measures ‖a − b‖ / ‖b‖; NaN if lengths differ or a number is not one. */
export function relativeDistance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return NaN;
  let [apart, size] = [0, 0];
  for (let i = 0; i < b.length; i++) {
    apart += (a[i] - b[i]) ** 2;
    size += b[i] ** 2;
  }
  return Math.sqrt(apart / size);
}

/** Largest relative difference of numbers that count alone. */
function largestRelative(a: readonly number[], b: readonly number[]): number {
  return a.length === b.length ? Math.max(...a.map((value, i) => Math.abs(value / b[i] - 1))) : NaN;
}

/**
 * Measures how far an outcome is from another.
 *
 * @param task what was computed
 * @param workload of what size
 * @param outcome a peer's
 * @param reference the other
 * @returns relative deviations: each loss, the norm of the gradient by each parameter, the change of all parameters; or x
 * and log-determinants
 */
export function deviationOf(task: FlowTask, workload: Workload, outcome: Outcome, reference: Outcome): Deviation {
  const [a, b] = [outcome.numbers, reference.numbers];
  if (task !== "sampling") {
    return {
      "losses": largestRelative(outcome.losses, reference.losses),
      "gradient norms": largestRelative(outcome.gradientNorms, reference.gradientNorms),
      "change of parameters": relativeDistance(a, b),
    };
  }
  const end = workload.batch * workload.dim;
  return {
    "x": relativeDistance(a.subarray(0, end), b.subarray(0, end)),
    "log-determinant": relativeDistance(a.subarray(end), b.subarray(end)),
  };
}

/**
 * Derives what correct programs may differ by.
 *
 * A float32 sum of K products is the exact sum for weights that are off by at most K·2⁻²⁴ (backward error of a dot
 * product), so each of the rounded workloads is as far from ours as the worst rounding may be; typical rounding is √K
 * times smaller. The largest of a few draws, since one may be near by chance. Nothing is multiplied to it.
 *
 * @param deviations of our outcomes on rounded workloads from ours on the workload itself
 * @param least what is allowed in any case, by {@link leastTolerance}
 * @returns the largest deviation allowed, by quantity
 */
export function toleranceOf(deviations: readonly Deviation[], least: Deviation): Deviation {
  const names = Object.keys(deviations[0]);
  return Object.fromEntries(
    names.map((name) => [name, Math.max(least[name] ?? 0, ...deviations.map((deviation) => deviation[name]))]),
  );
}

/**
 * Derives the rounding that no change of weights stands for: a mean over the batch that is itself taken in float32, in
 * pairs; and parameters that each step rounds to float32, differently in two programs, beside which the steps are small.
 *
 * @param workload of what size
 * @param weights all parameters
 * @param reference our outcome
 * @returns relative deviations
 */
export function leastTolerance(
  { batch, checkedFactors }: Workload,
  weights: Float32Array,
  reference: Outcome,
): Deviation {
  const length = (values: Float32Array) => Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
  const roundings = 2 * checkedFactors.length * U * length(weights);
  return { "losses": (1 + Math.log2(batch)) * U, "change of parameters": roundings / length(reference.numbers) };
}

/**
 * Stops where a peer computed something else.
 *
 * @param peer its name
 * @param deviation of its outcome from ours
 * @param tolerance by quantity
 * @throws {Error} if a quantity deviates by more, or is not a number
 */
export function requireAgreement(peer: string, deviation: Deviation, tolerance: Deviation): void {
  for (const [name, most] of Object.entries(tolerance)) {
    if (deviation[name] <= most) continue;
    throw new Error(
      `Cannot compare with ${peer}: its ${name} must agree with ours to ${most.toExponential(1)}, got a deviation of ` +
        `${deviation[name].toExponential(1)}: one of the two computes something else`,
    );
  }
}
