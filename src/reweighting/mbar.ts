import { kishEffectiveSampleSize } from "./effective_sample_size.ts";
import { integerLabels, requireSameLength, requireSamples } from "./input_checks.ts";
import { influenceError, mbarInfluence } from "./mbar_influence.ts";
import { type MbarSamples, samplesFromMatrix } from "./mbar_samples.ts";
import { type MbarSolution, solveMbar } from "./mbar_solver.ts";
import { countInWords, firstDoubt, MINIMUM_EFFECTIVE_SAMPLES } from "./reliability.ts";
import { connectionDoubt } from "./state_overlap.ts";

/** What `mbar` may be told beside the potentials. */
export interface MbarOptions {
  /** Block (chain) of each sample, [n]: errors then come from whole blocks. Default: samples are independent. */
  readonly blocks?: ArrayLike<number>;
  /** The largest change of a free energy at which the solver stops, default 1e-8. */
  readonly tolerance?: number;
}

/** Free energies of several states from samples of some of them. */
export interface MbarResult {
  /** Fₖ − F₀ of every state, [states]. */
  readonly freeEnergies: Float64Array;
  /** Standard error of Fₖ − F₀, linearised, [states]; NaN where states do not overlap. */
  readonly standardErrors: Float64Array;
  /**
   * Degrees of freedom of these errors, [states]: few where few blocks stand behind them, and an interval of 95 % is then
   * wider than ±1.96 standard errors (Student's t); NaN where states do not overlap, +Infinity without any scatter.
   */
  readonly degreesOfFreedom: Float64Array;
  /**
   * ln of the weight of every sample in an ensemble of reduced potential 0, [n]: −ln Σₖ Nₖ exp(Fₖ − F₀ − uₖ(xₙ)).
   * Subtract a target's reduced potential to get its weights; for umbrella biases they are those of the unbiased system.
   */
  readonly logWeights: Float64Array;
  /** Whether the equations are solved, states are tied by overlap, and those without samples are reached by 50. */
  readonly reliable: boolean;
  /** Why not, or null. */
  readonly reason: string | null;
}

/**
 * Estimates free energies of several states from samples of all of them, with the least variance that is possible.
 *
 *     Fₖ = −ln Σₙ exp(−uₖ(xₙ)) / Σₗ Nₗ exp(Fₗ − uₗ(xₙ))
 *
 * The multistate Bennett acceptance ratio. States without samples are allowed and are reweighted to. Potentials of
 * +Infinity mean that a state cannot hold a sample. Any function of xₙ that all states share may be left out of the
 * potentials. Errors come from the linearised equations: for independent samples they are the known asymptotic ones, with
 * `blocks` they hold for samples correlated within a block. For up to about 1e5 samples times 100 states; umbrella
 * windows along a coordinate are faster with `umbrellaFreeEnergies`.
 *
 * Units: k_BT. Reference: Shirts and Chodera, J. Chem. Phys. 129, 124105 (2008), equations 11 and 8.
 *
 * @param reducedPotentials uₖ(xₙ), row-major [states, n]
 * @param states state that drew each sample, [n]
 * @param options blocks, tolerance
 * @returns free energies relative to state 0 with errors, and log weights of the samples
 * @throws {RangeError} if sizes do not match, a potential is NaN or −Infinity, or a sample has an infinite potential in
 *   the state that drew it
 *
 * @example Two flat states, the second one raised by 2 k_BT
 * ```ts
 * import { mbar } from "@boltzflow/boltzflow";
 * import assert from "node:assert/strict";
 *
 * const { freeEnergies } = mbar(Float64Array.of(0, 0, 0, 2, 2, 2), [0, 0, 1]);
 *
 * assert.ok(Math.abs(freeEnergies[1] - 2) < 1e-8);
 * ```
 */
export function mbar(
  reducedPotentials: Float64Array,
  states: ArrayLike<number>,
  options: MbarOptions = {},
): MbarResult {
  const task = "solve the multistate equations";
  const { tolerance = 1e-8, blocks } = options;
  requireSamples(task, states.length, "states");
  const n = states.length;
  const count = reducedPotentials.length / n;
  if (!Number.isInteger(count) || count < 1) {
    throw new RangeError(
      `Cannot ${task}: reducedPotentials must have a multiple of ${n} entries, got ${reducedPotentials.length}`,
    );
  }
  if (!(tolerance > 0)) throw new RangeError(`Cannot ${task}: tolerance must be positive, got ${tolerance}`);
  if (blocks) requireSameLength(task, "blocks", blocks.length, "states", n);
  const stateOf = integerLabels(task, "states", states, { minimum: 0, maximum: count - 1 });
  requirePotentials(task, reducedPotentials, stateOf);

  const samples = samplesFromMatrix(task, reducedPotentials, stateOf, blocks);
  const solution = solveMbar(samples, tolerance);
  const { freeEnergies, standardErrors, freedom } = allStates(samples, solution);
  const first = freeEnergies[0];
  const unsolved = `the multistate equations are solved to ${solution.residual.toExponential(1)} only`;
  const reason = firstDoubt([
    solution.residual > tolerance ? unsolved : null,
    connectionDoubt(samples, solution, (state) => `state ${state}`),
    coverageDoubt(reducedPotentials, solution, count),
  ]);
  return {
    freeEnergies: freeEnergies.map((value) => value - first),
    standardErrors,
    degreesOfFreedom: freedom,
    logWeights: solution.logDenominators.map((value) => first - value),
    reliable: reason === null,
    reason,
  };
}

function requirePotentials(task: string, reducedPotentials: Float64Array, stateOf: Int32Array): void {
  const n = stateOf.length;
  for (let i = 0; i < reducedPotentials.length; i++) {
    if (!(reducedPotentials[i] > -Infinity)) {
      throw new RangeError(
        `Cannot ${task}: reducedPotentials must be above -Infinity and not NaN, got ${reducedPotentials[i]} ` +
          `for sample ${i % n} in state ${Math.floor(i / n)}`,
      );
    }
  }
  for (let i = 0; i < n; i++) {
    if (reducedPotentials[stateOf[i] * n + i] === Infinity) {
      throw new RangeError(
        `Cannot ${task}: reducedPotentials must be finite in the state that drew the sample, got Infinity ` +
          `for sample ${i} in state ${stateOf[i]}`,
      );
    }
  }
}

/** Doubts states without samples that few of the others' samples reach. */
function coverageDoubt(reducedPotentials: Float64Array, solution: MbarSolution, count: number): string | null {
  const n = solution.logDenominators.length;
  for (let k = 0; k < count; k++) {
    if (solution.table.sampled.includes(k)) continue;
    const row = reducedPotentials.subarray(k * n, (k + 1) * n);
    const effective = kishEffectiveSampleSize(row.map((u, i) => -u - solution.logDenominators[i]));
    if (effective >= MINIMUM_EFFECTIVE_SAMPLES) continue;
    return `only ${
      countInWords(effective)
    } samples are effective for state ${k}, fewer than ${MINIMUM_EFFECTIVE_SAMPLES}`;
  }
  return null;
}

/** Free energies of all states in the solver's gauge, and errors of their differences from state 0. */
function allStates(
  samples: MbarSamples,
  solution: MbarSolution,
): { freeEnergies: Float64Array; standardErrors: Float64Array; freedom: Float64Array } {
  const { sampled } = solution.table;
  const rest = Int32Array.from({ length: samples.states }, (_, k) => k).filter((k) => !sampled.includes(k));
  const row = new Float64Array(samples.states);
  const influence = mbarInfluence(samples, solution, (point, out) => {
    samples.fill(point, row);
    rest.forEach((k, t) => out[t] = row[k]);
  }, rest.length);
  const freeEnergies = new Float64Array(samples.states);
  const standardErrors = new Float64Array(samples.states).fill(NaN);
  const freedom = new Float64Array(samples.states).fill(NaN);
  sampled.forEach((k, index) => freeEnergies[k] = solution.freeEnergies[index]);
  rest.forEach((k, t) => freeEnergies[k] = influence.targetFreeEnergies[t]);
  const { onSampled, onTargets } = influence;
  if (!onSampled || !onTargets) return { freeEnergies, standardErrors, freedom };
  const blocks = samples.blocks.count;
  const column = (k: number) => {
    const index = sampled.indexOf(k);
    return new Float64Array(blocks).map((_, block) =>
      index >= 0 ? onSampled[block * sampled.length + index] : onTargets[block * rest.length + rest.indexOf(k)]
    );
  };
  const first = column(0);
  for (let k = 0; k < samples.states; k++) {
    const difference = column(k).map((value, block) => value - first[block]);
    const error = influenceError(samples, difference);
    standardErrors[k] = error.standardError;
    freedom[k] = error.degreesOfFreedom;
  }
  return { freeEnergies, standardErrors, freedom };
}
