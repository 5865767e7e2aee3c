/** Shape and scale of a generalised Pareto distribution with its lower end at zero. */
export interface GeneralisedPareto {
  /** Shape k: the tail falls as x^(−1 − 1/k); k < 0 means a finite upper end. */
  readonly shape: number;
  /** Scale σ > 0. */
  readonly scale: number;
}

/** Weight of the prior on the shape, in samples, and its centre (Vehtari et al., appendix C). */
const PRIOR_SAMPLES = 10;
const PRIOR_SHAPE = 0.5;

/**
 * Fits a generalised Pareto distribution to exceedances.
 *
 *     p(x) = (1/σ) (1 + k x/σ)^(−1/k − 1),   x ≥ 0
 *
 * The quasi-Bayesian estimator of Zhang and Stephens: with θ = −k/σ the likelihood of θ alone, maximised over k, is
 * averaged over a grid of θ that covers a data-driven prior. The shape is then drawn towards 0.5 with the weight of ten
 * samples, which matters for short tails only.
 *
 * Reference: Zhang and Stephens, Technometrics 51, 316 (2009); Vehtari et al., J. Mach. Learn. Res. 25, 72 (2024),
 * appendix C.
 *
 * @param sorted exceedances over the threshold in rising order, [n], n ≥ 5, the last one positive
 * @returns shape (with the prior) and scale (without); shape +Infinity when a quarter of the exceedances are zero or the
 *   likelihood cannot be evaluated in float64
 */
export function fitGeneralisedPareto(sorted: Float64Array): GeneralisedPareto {
  const n = sorted.length;
  const quartile = sorted[Math.floor(n / 4 + 0.5) - 1];
  const largest = sorted[n - 1];
  if (!(quartile > 0)) return { shape: Infinity, scale: NaN };
  const points = 30 + Math.floor(Math.sqrt(n));
  const thetas = new Float64Array(points);
  const logLikelihoods = new Float64Array(points);
  for (let j = 0; j < points; j++) {
    thetas[j] = 1 / largest + (1 - Math.sqrt(points / (j + 0.5))) / (3 * quartile);
    const shape = meanLog1p(sorted, -thetas[j]);
    logLikelihoods[j] = n * (Math.log(-thetas[j] / shape) - shape - 1);
  }
  const best = logLikelihoods.reduce((a, b) => Math.max(a, b), -Infinity);
  let total = 0;
  let theta = 0;
  for (let j = 0; j < points; j++) {
    const weight = Math.exp(logLikelihoods[j] - best);
    total += weight;
    theta += weight * thetas[j];
  }
  theta /= total;
  const shape = meanLog1p(sorted, -theta);
  if (!Number.isFinite(shape)) return { shape: Infinity, scale: NaN };
  return { shape: (n * shape + PRIOR_SAMPLES * PRIOR_SHAPE) / (n + PRIOR_SAMPLES), scale: -shape / theta };
}

/**
 * Computes a quantile of a generalised Pareto distribution.
 *
 *     x(p) = σ ((1 − p)^(−k) − 1) / k,   −σ ln(1 − p) at k = 0
 *
 * @param distribution shape and scale
 * @param probability p in [0, 1)
 * @returns x with P(X ≤ x) = p
 */
export function generalisedParetoQuantile(distribution: GeneralisedPareto, probability: number): number {
  const { shape, scale } = distribution;
  const exponential = -Math.log1p(-probability);
  return Math.abs(shape) < 1e-12 ? scale * exponential : scale * Math.expm1(shape * exponential) / shape;
}

function meanLog1p(values: Float64Array, factor: number): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += Math.log1p(factor * values[i]);
  return sum / values.length;
}
