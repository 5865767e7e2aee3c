import type { MbarSamples, MbarWeights } from "./mbar_samples.ts";

/** Terms below exp(−40) = 4e-18 of the largest term of a point are left out: they vanish in float64 sums. */
const LARGEST_GAP = 40;

/** Value, gradient and occupations of the multistate objective. */
export interface MbarValue {
  /** Negative log-likelihood up to a constant: Σ m ln D − Σ N f. */
  readonly objective: number;
  /** Expected number of samples of each sampled state, [sampled]; equals N at the solution. */
  readonly expected: Float64Array;
}

/**
 * Holds Nₖ exp(fₖ − uₖ) at every point, relative to the largest of the point, for fixed reference free energies f.
 *
 * Near that reference the multistate equations need no exponentials per point, only these terms, and of the states only
 * those that reach a point: for umbrella windows about a dozen.
 */
export class MbarTable {
  /** The states that drew samples. */
  readonly sampled: Int32Array;
  /** Free energies of the sampled states that the terms belong to, [sampled]. */
  readonly reference: Float64Array;
  /** ln of the largest term of each point, which the terms are relative to, [points]. */
  readonly shift: Float64Array;
  readonly #offsets: Int32Array;
  readonly #state: Uint16Array;
  readonly #term: Float64Array;

  /**
   * Tabulates the terms.
   *
   * @param samples the samples
   * @param sampled the states that drew samples
   * @param counts Nₖ of the sampled states, [sampled]
   * @param reference fₖ of the sampled states, [sampled]
   */
  constructor(samples: MbarSamples, sampled: Int32Array, counts: Float64Array, reference: Float64Array) {
    this.sampled = sampled;
    this.reference = Float64Array.from(reference);
    this.shift = new Float64Array(samples.points);
    this.#offsets = new Int32Array(samples.points + 1);
    const row = new Float64Array(samples.states);
    const exponents = new Float64Array(sampled.length);
    let state = new Uint16Array(16 * samples.points + sampled.length);
    let term = new Float64Array(state.length);
    let used = 0;
    for (let point = 0; point < samples.points; point++) {
      samples.fill(point, row);
      let largest = -Infinity;
      for (let k = 0; k < sampled.length; k++) {
        exponents[k] = Math.log(counts[k]) + reference[k] - row[sampled[k]];
        largest = Math.max(largest, exponents[k]);
      }
      this.shift[point] = largest;
      if (used + sampled.length > state.length) {
        state = grown(state, new Uint16Array(2 * state.length));
        term = grown(term, new Float64Array(2 * term.length));
      }
      for (let k = 0; k < sampled.length; k++) {
        if (exponents[k] < largest - LARGEST_GAP) continue;
        state[used] = k;
        term[used++] = Math.exp(exponents[k] - largest);
      }
      this.#offsets[point + 1] = used;
    }
    this.#state = state;
    this.#term = term;
  }

  /**
   * Evaluates the objective and its gradient.
   *
   * @param weights how often points and states occur
   * @param factors exp(f − reference) times the states' counts relative to those of the table, [sampled]
   * @param moves f − reference, [sampled]
   * @param denominators receives Σₖ of the terms of each point, relative to exp(shift), [points]
   * @returns objective and expected counts; the gradient is expected − N
   */
  evaluate(weights: MbarWeights, factors: Float64Array, moves: Float64Array, denominators: Float64Array): MbarValue {
    const expected = new Float64Array(factors.length);
    let objective = 0;
    for (let point = 0; point < denominators.length; point++) {
      const from = this.#offsets[point];
      const to = this.#offsets[point + 1];
      let sum = 0;
      for (let j = from; j < to; j++) sum += factors[this.#state[j]] * this.#term[j];
      denominators[point] = sum;
      const multiplicity = weights.points[point];
      if (multiplicity === 0) continue;
      objective += multiplicity * Math.log(sum);
      const share = multiplicity / sum;
      for (let j = from; j < to; j++) expected[this.#state[j]] += share * this.#term[j];
    }
    for (let k = 0; k < factors.length; k++) {
      expected[k] *= factors[k];
      objective -= weights.states[this.sampled[k]] * moves[k];
    }
    return { objective, expected };
  }

  /**
   * Computes the second derivatives of the objective.
   *
   * @param weights how often points and states occur
   * @param factors as in `evaluate`, [sampled]
   * @param denominators as `evaluate` left them, [points]
   * @param expected as `evaluate` returned them, [sampled]
   * @returns Hₖₗ = δₖₗ Eₖ − Σ m Pₖ Pₗ with Pₖ the share of state k at a point, row-major, [sampled, sampled]
   */
  hessian(
    weights: MbarWeights,
    factors: Float64Array,
    denominators: Float64Array,
    expected: Float64Array,
  ): Float64Array {
    const size = factors.length;
    const matrix = new Float64Array(size * size);
    for (let point = 0; point < denominators.length; point++) {
      const multiplicity = weights.points[point];
      if (multiplicity === 0) continue;
      const share = multiplicity / denominators[point] ** 2;
      const to = this.#offsets[point + 1];
      for (let i = this.#offsets[point]; i < to; i++) {
        const row = this.#state[i] * size;
        const left = share * this.#term[i];
        for (let j = this.#offsets[point]; j < to; j++) matrix[row + this.#state[j]] -= left * this.#term[j];
      }
    }
    for (let k = 0; k < size; k++) {
      for (let l = 0; l < size; l++) matrix[k * size + l] *= factors[k] * factors[l];
      matrix[k * size + k] += expected[k];
    }
    return matrix;
  }
}

function grown<T extends Uint16Array | Float64Array>(from: T, into: T): T {
  into.set(from);
  return into;
}
