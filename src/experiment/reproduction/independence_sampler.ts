/**
 * Independence moves exactly: acceptance and autocorrelation time by quadrature.
 *
 * @module
 */

/** A target and a proposal on a grid. */
export interface TabulatedSampler {
  /** Log of the target up to a constant [n]. */
  readonly logTarget: Float64Array;
  /** Log of the proposal's density [n]. */
  readonly logProposal: Float64Array;
  /** A function of the configuration [n]. */
  readonly observable: Float64Array;
  /** Volume of a cell. */
  readonly cell: number;
  /**
   * Mass of the target that may be left out, that of the largest weights: a chain that is too short to come there does not
   * know how long it would stay. Default 0.
   */
  readonly leftOut?: number;
}

/** What chains of independence moves do in the long run. */
export interface IndependenceSampler {
  /** Mean acceptance. */
  readonly acceptance: number;
  /** Integrated autocorrelation time of the observable in moves, at least ½ where moves are independent. */
  readonly autocorrelationTime: number;
  /** Mass of the proposal on the grid: what it lacks of 1 lies outside, and is rejected. */
  readonly mass: number;
}

/**
 * Solves chains of independence moves, x′ ~ q accepted with probability min(1, w′/w), w = π/q.
 *
 * With f the observable less its mean and P one move, τ = ⟨f, (1 − P)⁻¹ f⟩ / ⟨f, f⟩ − ½ in the scalar product of π. In the
 * order of rising weights
 *
 *     (1 − P) g = f:   (Σ_{j ≤ i} πⱼ / wᵢ + Σ_{j > i} qⱼ) gᵢ = fᵢ + Σ_{j < i} πⱼ gⱼ / wᵢ + Σ_{j > i, j = i} qⱼ gⱼ,
 *
 * which, since g has a free constant that sets Σ qⱼ gⱼ = 0, is solved from the lowest weight to the highest. Reference: J. S.
 * Liu, Stat. Comput. 6, 113 (1996), for the spectrum.
 *
 * Where π²/q has no finite integral, τ is infinite: states that are hardly ever visited would be kept for ever. That is why some mass can be left out.
 *
 * @param table target, proposal and observable on a grid
 * @returns acceptance, autocorrelation time, and the mass of the proposal that the grid holds
 */
export function independenceSampler(table: TabulatedSampler): IndependenceSampler {
  const { logTarget, logProposal, observable, cell, leftOut = 0 } = table;
  const highest = logTarget.reduce((most, v) => Math.max(most, v), -Infinity);
  const target = logTarget.map((v) => Math.exp(v - highest));
  const total = target.reduce((sum, v) => sum + v, 0);
  const whole = target.map((v) => v / total);
  const q = logProposal.map((v) => cell * Math.exp(v));
  const order = Array.from(whole.keys()).filter((i) => whole[i] > 0 && q[i] > 0);
  const logRatio = whole.map((p, i) => Math.log(p) - Math.log(q[i]));
  order.sort((i, j) => logRatio[i] - logRatio[j]);
  let lost = 0;
  while (order.length > 1 && lost + whole[order[order.length - 1]] <= leftOut) lost += whole[order.pop()!];
  const kept = order.reduce((sum, i) => sum + whole[i], 0);
  const pi = new Float64Array(whole.length);
  for (const i of order) pi[i] = whole[i] / kept;
  const mean = pi.reduce((sum, p, i) => sum + p * observable[i], 0);
  const mass = q.reduce((sum, v) => sum + v, 0);
  // Σ_{j > i} q, summed from the highest weight: as a difference it would be lost in the rounding of 1.
  const above = new Float64Array(order.length);
  for (let k = order.length - 2; k >= 0; k--) above[k] = above[k + 1] + q[order[k + 1]];
  let below = 0;
  let [acceptance, sumPi, sumQ, product, square] = [0, 0, 0, 0, 0];
  for (const [k, i] of order.entries()) {
    const w = Math.exp(logRatio[i]);
    const f = observable[i] - mean;
    below += pi[i];
    const leaving = below / w + above[k];
    // sumPi = Σ_{j < i} π g, sumQ = −Σ_{j < i} q g = Σ_{j ≥ i} q g; what i itself adds to both cancels.
    const g = (f + sumPi / w + sumQ) / leaving;
    sumPi += pi[i] * g;
    sumQ -= q[i] * g;
    acceptance += pi[i] * leaving;
    product += pi[i] * f * g;
    square += pi[i] * f * f;
  }
  return { acceptance, autocorrelationTime: product / square - 0.5, mass };
}
