import { solveLinearSystem } from "./linear_system.ts";
import { type MbarSamples, type MbarWeights, weighSamples } from "./mbar_samples.ts";
import { MbarTable } from "./mbar_table.ts";

/** A Newton step moves no free energy by more than this many k_BT, so that the table stays valid. */
const LARGEST_STEP = 8;

/** Self-consistent steps that lead to where Newton steps work. */
const FIRST_STEPS = 10;

const MOST_ITERATIONS = 200;

/** A Newton step this small leaves an error of about its square, which no bootstrap error sees. */
const REPLICATE_TOLERANCE = 1e-4;

/** States without overlap leave the Newton matrix singular; this much on its diagonal keeps their distance as it is. */
const RIDGE = 1e-6;

/** A solution of the multistate equations. */
export interface MbarSolution {
  /** Terms at the solution. */
  readonly table: MbarTable;
  /** Free energies of the sampled states, the first one 0, [sampled]. */
  readonly freeEnergies: Float64Array;
  /** ln Σₖ Nₖ exp(fₖ − uₖ) at every point, [points]. */
  readonly logDenominators: Float64Array;
  /** Second derivatives of the objective, [sampled, sampled]. */
  readonly hessian: Float64Array;
  /** Largest change of a free energy in the last step. */
  readonly residual: number;
}

/**
 * Solves the multistate equations for the free energies of the sampled states.
 *
 *     fₖ = −ln Σₙ exp(−uₖ(xₙ)) / Σₗ Nₗ exp(fₗ − uₗ(xₙ))
 *
 * They are the minimum of a convex function: a few self-consistent steps, then Newton steps that are shortened until the
 * function falls.
 *
 * @param samples the samples
 * @param tolerance the largest change of a free energy at which to stop
 * @returns the solution; `residual` is above `tolerance` when 200 steps were not enough
 */
export function solveMbar(samples: MbarSamples, tolerance: number): MbarSolution {
  const weights = weighSamples(samples);
  const sampled = Int32Array.from(weights.states.keys()).filter((k) => weights.states[k] > 0);
  const counts = Float64Array.from(sampled, (k) => weights.states[k]);
  let reference = firstGuess(samples, sampled, counts);
  for (let step = 0; step < FIRST_STEPS; step++) {
    const newton = new MbarNewton(new MbarTable(samples, sampled, counts, reference), weights, counts);
    reference = gauged(newton.selfConsistent());
  }
  for (let iteration = 0; iteration < MOST_ITERATIONS; iteration++) {
    const table = new MbarTable(samples, sampled, counts, reference);
    const newton = new MbarNewton(table, weights, counts);
    const residual = newton.step();
    if (residual <= tolerance) {
      return { table, freeEnergies: gauged(newton.freeEnergies()), ...newton.state(), residual };
    }
    if (residual === Infinity) break;
    for (let inner = 0; inner < 20 && newton.distance() < LARGEST_STEP; inner++) {
      if (newton.step() <= 0.1 * tolerance) break;
    }
    reference = gauged(newton.freeEnergies());
  }
  const table = new MbarTable(samples, sampled, counts, reference);
  const newton = new MbarNewton(table, weights, counts);
  return { table, freeEnergies: reference, ...newton.state(), residual: newton.step() };
}

/**
 * Solves the multistate equations on a bootstrap replicate, starting from the solution of the data.
 *
 * @param solution the solution of the data
 * @param counts Nₖ of the data, [sampled]
 * @param weights weights of the replicate
 * @returns free energies [sampled] and logarithms of the denominators [points] of the replicate, null without a solution
 */
export function solveMbarReplicate(
  solution: MbarSolution,
  counts: Float64Array,
  weights: MbarWeights,
): { freeEnergies: Float64Array; logDenominators: Float64Array } | null {
  const newton = new MbarNewton(solution.table, weights, counts);
  for (let iteration = 0; iteration < 50; iteration++) {
    if (newton.step() > REPLICATE_TOLERANCE) continue;
    return { freeEnergies: gauged(newton.freeEnergies()), logDenominators: newton.state().logDenominators };
  }
  return null;
}

/** How far, on average, a state's own samples lie above the lowest potential that any state gives them. */
function firstGuess(samples: MbarSamples, sampled: Int32Array, counts: Float64Array): Float64Array {
  const { pointOf, stateOf } = samples;
  const row = new Float64Array(samples.states);
  const sums = new Float64Array(samples.states);
  let filled = -1;
  let lowest = 0;
  for (let e = 0; e < pointOf.length; e++) {
    if (pointOf[e] !== filled) {
      filled = pointOf[e];
      samples.fill(filled, row);
      lowest = sampled.reduce((least, k) => Math.min(least, row[k]), Infinity);
    }
    sums[stateOf[e]] += samples.counts[e] * (row[stateOf[e]] - lowest);
  }
  return Float64Array.from(sampled, (k, index) => sums[k] / counts[index]);
}

function gauged(freeEnergies: Float64Array): Float64Array {
  return freeEnergies.map((value) => value - freeEnergies[0]);
}

/** Newton steps on one table and one set of weights. */
class MbarNewton {
  readonly #table: MbarTable;
  readonly #weights: MbarWeights;
  /** Counts of states relative to those that the table was made with. */
  readonly #relative: Float64Array;
  readonly #counts: Float64Array;
  readonly #denominators: Float64Array;
  #moves: Float64Array;
  #objective = 0;
  #expected: Float64Array = new Float64Array(0);

  constructor(table: MbarTable, weights: MbarWeights, tableCounts: Float64Array) {
    this.#table = table;
    this.#weights = weights;
    this.#counts = Float64Array.from(table.sampled, (k) => weights.states[k]);
    this.#relative = this.#counts.map((count, k) => count / tableCounts[k]);
    this.#denominators = new Float64Array(table.shift.length);
    this.#moves = new Float64Array(table.sampled.length);
    this.#evaluate();
  }

  /** Takes one damped Newton step; returns its largest component. */
  step(): number {
    const size = this.#moves.length;
    const hessian = this.#table.hessian(this.#weights, this.#factors(), this.#denominators, this.#expected);
    const inner = size - 1;
    const matrix = new Float64Array(inner * inner);
    const right = new Float64Array(inner);
    for (let k = 1; k < size; k++) {
      for (let l = 1; l < size; l++) matrix[(k - 1) * inner + l - 1] = hessian[k * size + l];
      matrix[(k - 1) * inner + k - 1] += RIDGE * this.#counts[k];
      right[k - 1] = this.#counts[k] - this.#expected[k];
    }
    if (!solveLinearSystem(matrix, right, 1)) return Infinity;
    let longest = 0;
    for (const entry of right) longest = Math.max(longest, Math.abs(entry));
    let length = Math.min(1, LARGEST_STEP / longest);
    const start = this.#moves;
    const objective = this.#objective;
    // Rounding of the objective: a step that small is taken as it is.
    const noise = 1e-12 * (1 + Math.abs(objective));
    for (let halving = 0; halving < 30; halving++) {
      this.#moves = start.map((move, k) => k === 0 ? move : move + length * right[k - 1]);
      this.#evaluate();
      if (this.#objective <= objective + noise) break;
      length *= 0.5;
    }
    return longest * length;
  }

  /** Free energies after one self-consistent step. */
  selfConsistent(): Float64Array {
    const { reference } = this.#table;
    return reference.map((f, k) => this.#expected[k] > 0 ? f + Math.log(this.#counts[k] / this.#expected[k]) : f);
  }

  /** How far the free energies have moved from the table's. */
  distance(): number {
    return this.#moves.reduce((most, move) => Math.max(most, Math.abs(move)), 0);
  }

  freeEnergies(): Float64Array {
    return this.#table.reference.map((f, k) => f + this.#moves[k]);
  }

  /** Denominators and second derivatives where the steps have led. */
  state(): { logDenominators: Float64Array; hessian: Float64Array } {
    const logDenominators = this.#denominators.map((sum, point) => Math.log(sum) + this.#table.shift[point]);
    const hessian = this.#table.hessian(this.#weights, this.#factors(), this.#denominators, this.#expected);
    return { logDenominators, hessian };
  }

  #factors(): Float64Array {
    return this.#moves.map((move, k) => Math.exp(move) * this.#relative[k]);
  }

  #evaluate(): void {
    const { objective, expected } = this.#table.evaluate(
      this.#weights,
      this.#factors(),
      this.#moves,
      this.#denominators,
    );
    this.#objective = objective;
    this.#expected = expected;
  }
}
