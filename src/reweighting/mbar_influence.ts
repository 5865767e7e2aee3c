import { degreesOfFreedom, varianceOfBlockSums } from "./blocks.ts";
import { solveLinearSystem } from "./linear_system.ts";
import type { MbarSamples } from "./mbar_samples.ts";
import type { MbarSolution } from "./mbar_solver.ts";

/**
 * How every block of samples moves the free energies of all states, to first order.
 *
 * The multistate equations Σₙ Pₖ(xₙ) = Nₖ, linearised: a block whose samples have shares Pₖ moves the sampled states by
 * −H⁻¹ Σ (P − P̄), P̄ the mean of the state that drew them. A target (a state without samples, or a subset of
 * configurations) follows with −Σ W + Σₖ (∂f/∂fₖ) δfₖ. The variance of the sums over blocks is the error, with the
 * correlation inside a block in it.
 */
export interface MbarInfluence {
  /**
   * Influence of each block on the free energy of each sampled state, row-major [blocks, sampled]; 0 for the first. Null
   * when the states do not overlap.
   */
  readonly onSampled: Float64Array | null;
  /** Influence of each block on the free energy of each target, row-major [blocks, targets]; null likewise. */
  readonly onTargets: Float64Array | null;
  /** Free energies of the targets, in the gauge in which the first sampled state is 0, [targets]. */
  readonly targetFreeEnergies: Float64Array;
}

/**
 * Linearises a solution.
 *
 * @param samples the samples
 * @param solution their solution
 * @param targets writes the reduced potentials of a point in all targets, [targets]
 * @param targetCount number of targets
 * @returns influences and the targets' free energies
 */
export function mbarInfluence(
  samples: MbarSamples,
  solution: MbarSolution,
  targets: (point: number, reducedPotentials: Float64Array) => void,
  targetCount: number,
): MbarInfluence {
  const { sampled } = solution.table;
  const size = sampled.length;
  const shares = new PointShares(samples, solution, targets, targetCount);
  const width = size + targetCount;
  const inverse = gaugedInverse(solution.hessian, size);
  const { targetFreeEnergies } = shares;
  if (!inverse) return { onSampled: null, onTargets: null, targetFreeEnergies };
  const scores = blockScores(samples, shares, width);
  const coupling = shares.coupling;
  const blocks = samples.blocks.count;
  const onSampled = new Float64Array(blocks * size);
  const onTargets = new Float64Array(blocks * targetCount);
  for (let block = 0; block < blocks; block++) {
    for (let k = 1; k < size; k++) {
      let sum = 0;
      for (let l = 1; l < size; l++) sum -= inverse[(k - 1) * (size - 1) + l - 1] * scores[block * width + l];
      onSampled[block * size + k] = sum;
    }
    for (let t = 0; t < targetCount; t++) {
      let sum = -scores[block * width + size + t];
      for (let k = 1; k < size; k++) sum += coupling[t * size + k] * onSampled[block * size + k];
      onTargets[block * targetCount + t] = sum;
    }
  }
  return { onSampled, onTargets, targetFreeEnergies };
}

/**
 * Computes the variance of one linear combination of influences.
 *
 * @param samples the samples
 * @param influence value of each block, [blocks]
 * @returns standard error and its degrees of freedom
 */
export function influenceError(
  samples: MbarSamples,
  influence: Float64Array,
): { standardError: number; degreesOfFreedom: number } {
  const { variance, spread } = varianceOfBlockSums(samples.blocks, influence);
  return { standardError: Math.sqrt(variance), degreesOfFreedom: degreesOfFreedom(variance, spread) };
}

/** Shares of the sampled states and weights of the targets at one point after another. */
class PointShares {
  readonly targetFreeEnergies: Float64Array;
  /** ∂f_target/∂fₖ = Σ m W_target Pₖ, row-major [targets, sampled]. */
  readonly coupling: Float64Array;
  readonly #samples: MbarSamples;
  readonly #solution: MbarSolution;
  readonly #targets: (point: number, row: Float64Array) => void;
  readonly #row: Float64Array;
  readonly #targetRow: Float64Array;
  readonly #logCounts: Float64Array;

  constructor(
    samples: MbarSamples,
    solution: MbarSolution,
    targets: (point: number, row: Float64Array) => void,
    targetCount: number,
  ) {
    const { sampled } = solution.table;
    this.#samples = samples;
    this.#solution = solution;
    this.#targets = targets;
    this.#row = new Float64Array(samples.states);
    this.#targetRow = new Float64Array(targetCount);
    const counts = new Float64Array(samples.states);
    samples.counts.forEach((count, e) => counts[samples.stateOf[e]] += count);
    this.#logCounts = Float64Array.from(sampled, (k) => Math.log(counts[k]));
    this.targetFreeEnergies = this.#solveTargets(targetCount);
    this.coupling = new Float64Array(targetCount * sampled.length);
    for (const [e, values] of this.entries(sampled.length + targetCount)) {
      for (let t = 0; t < targetCount; t++) {
        const weight = samples.counts[e] * values[sampled.length + t];
        if (weight === 0) continue;
        for (let k = 0; k < sampled.length; k++) this.coupling[t * sampled.length + k] += weight * values[k];
      }
    }
  }

  /** Goes through the entries, each with Pₖ of all sampled states and then W of all targets at its point. */
  *entries(width: number): Generator<readonly [number, Float64Array]> {
    const values = new Float64Array(width);
    const { pointOf } = this.#samples;
    for (let e = 0; e < pointOf.length; e++) {
      if (e === 0 || pointOf[e] !== pointOf[e - 1]) this.#fill(pointOf[e], values);
      yield [e, values];
    }
  }

  #fill(point: number, values: Float64Array): void {
    const { table, freeEnergies, logDenominators } = this.#solution;
    this.#samples.fill(point, this.#row);
    this.#targets(point, this.#targetRow);
    const size = table.sampled.length;
    for (let k = 0; k < size; k++) {
      const exponent = this.#logCounts[k] + freeEnergies[k] - this.#row[table.sampled[k]];
      values[k] = Math.exp(exponent - logDenominators[point]);
    }
    for (let t = 0; t < this.#targetRow.length; t++) {
      const reduced = this.#targetRow[t];
      const inside = reduced < Infinity;
      values[size + t] = inside ? Math.exp(this.targetFreeEnergies[t] - reduced - logDenominators[point]) : 0;
    }
  }

  #solveTargets(targetCount: number): Float64Array {
    const { logDenominators } = this.#solution;
    const largest = new Float64Array(targetCount).fill(-Infinity);
    const sums = new Float64Array(targetCount);
    const { pointOf, counts } = this.#samples;
    for (let e = 0; e < counts.length; e++) {
      this.#targets(pointOf[e], this.#targetRow);
      for (let t = 0; t < targetCount; t++) {
        const exponent = -this.#targetRow[t] - logDenominators[pointOf[e]];
        if (exponent > largest[t]) {
          sums[t] *= Math.exp(largest[t] - exponent);
          largest[t] = exponent;
        }
        if (exponent > -Infinity) sums[t] += counts[e] * Math.exp(exponent - largest[t]);
      }
    }
    return sums.map((sum, t) => -largest[t] - Math.log(sum));
  }
}

/** Σ over the samples of a block of (share − mean share of the state that drew them), row-major [blocks, width]. */
function blockScores(samples: MbarSamples, shares: PointShares, width: number): Float64Array {
  const { stateOf, counts, blocks } = samples;
  const means = new Float64Array(samples.states * width);
  const sizes = new Float64Array(samples.states);
  for (const [e, values] of shares.entries(width)) {
    sizes[stateOf[e]] += counts[e];
    for (let k = 0; k < width; k++) means[stateOf[e] * width + k] += counts[e] * values[k];
  }
  for (let i = 0; i < means.length; i++) means[i] /= sizes[Math.floor(i / width)] || 1;
  const scores = new Float64Array(blocks.count * width);
  for (const [e, values] of shares.entries(width)) {
    const row = blocks.blockOf[e] * width;
    const mean = stateOf[e] * width;
    for (let k = 0; k < width; k++) scores[row + k] += counts[e] * (values[k] - means[mean + k]);
  }
  return scores;
}

/** Inverse of the second derivatives without the first state, whose free energy is fixed; null when singular. */
function gaugedInverse(hessian: Float64Array, size: number): Float64Array | null {
  const inner = size - 1;
  const matrix = new Float64Array(inner * inner);
  const inverse = new Float64Array(inner * inner);
  for (let k = 0; k < inner; k++) {
    inverse[k * inner + k] = 1;
    for (let l = 0; l < inner; l++) matrix[k * inner + l] = hessian[(k + 1) * size + l + 1];
  }
  return solveLinearSystem(matrix, inverse, inner) ? inverse : null;
}
