/**
 * The normal distribution in float64, exact to rounding also far out in the tails.
 *
 * @module
 */

/** Φ(−t) = e^(−t²/2)·q·P(s), q = 1/(t + 5), s = 1 − 10q, for t ≥ 0: truncated Chebyshev series (error 6e-16). */
export const TAIL: readonly number[] = [
  ...[-7.854458583247658e-10, 5.059297487966696e-10, 9.275082241537343e-9, -5.027231930966982e-9],
  ...[-6.741689051823604e-8, 3.5844546560871596e-8, 4.3347664285137567e-7, -3.311028544331811e-7],
  ...[-2.7688787836720915e-6, 3.977938262343427e-6, 1.6680852719925394e-5, -4.976178374018789e-5],
  ...[-5.937558833377767e-5, 0.0005448988347568596, -0.0007978694277475297, -0.0029933767389359726],
  ...[0.02079506680323404, -0.06911863870874183, 0.16502036617019517, -0.3135331566712172],
  ...[0.4953056159699805, -0.6653825028900576, 0.769193049750063],
];

/** |z| = P(t − 2)/Q(t − 2), t = √(−2 ln p), for p from 5e-324 to 0.115: minimax (error 3e-9). */
export const FAR = {
  p: [
    1.0000300678341865,
    47.733237093563744,
    596.7702149166105,
    2735.644114495604,
    4759.458074636874,
    2374.715739649632,
  ],
  q: [1, 45.74284910210404, 510.9715222777591, 1885.0616988256272, 2155.8541704851546],
};

/** z = c·P(r)/Q(r), r = 0.15 − c², c = Φ(z) − ½, for |c| ≤ 0.385: minimax (error 4e-9). */
export const NEAR = {
  p: [25.960089208447453, 84.44802764388035, 34.53148199713857, 3.1301061830757093],
  q: [31.42935299029662, 44.99333851591576, 13.264624463181647, 1],
};

function polynomial(coefficients: readonly number[], x: number): number {
  return coefficients.reduce((sum, c) => sum * x + c);
}

/** Φ(−t)·e^(t²/2) for t ≥ 0. */
function scaledTail(t: number): number {
  const q = 1 / (t + 5);
  return q * polynomial(TAIL, 1 - 10 * q);
}

/** Φ(−t) for t ≥ 0. The square of the leading 24 bits is exact, so that no digit of the exponent is lost. */
function tail(t: number): number {
  if (t > 39) return 0;
  const leading = Math.fround(t);
  return scaledTail(t) * Math.exp(-leading * leading / 2) * Math.exp((leading - t) * (leading + t) / 2);
}

/**
 * Computes Φ(x), the probability that a standard normal number is below x.
 *
 * The relative error is below 5e-15 for x ≥ −37; below that the result is a denormal number, and 0 below −38.6.
 *
 * @param x any number
 * @returns Φ(x), from 0 to 1; NaN for NaN
 */
export function normalCdf(x: number): number {
  return x > 0 ? 1 - tail(x) : tail(-x);
}

/**
 * Computes Φ⁻¹(lower / (lower + upper)), the normal number below which that part of the mass lies.
 *
 * With both masses there is no cancellation at either end: the relative error in z is about that in the smaller mass,
 * divided by 1 + z². One Halley step refines a minimax fit.
 *
 * @param lower mass below, ≥ 0, in any unit
 * @param upper mass above, ≥ 0, in the same unit
 * @returns z, with |error| ≤ 2e-15·max(1, |z|) for exact masses of normal size; ∓∞ where lower or upper is 0
 */
export function normalQuantile(lower: number, upper: number): number {
  const total = lower + upper;
  const p = Math.min(lower, upper) / total;
  const sign = lower < upper ? -1 : 1;
  if (p === 0) return sign * Infinity;
  const c = Math.abs(lower - upper) / (2 * total);
  const t = Math.sqrt(-2 * Math.log(p)) - 2;
  const start = p < 0.115
    ? polynomial(FAR.p, t) / polynomial(FAR.q, t)
    : c * polynomial(NEAR.p, 0.15 - c * c) / polynomial(NEAR.q, 0.15 - c * c);
  const newton = Math.sqrt(2 * Math.PI) * scaledTail(start) * (1 - p / tail(start));
  return sign * (start + newton / (1 - start * newton / 2));
}
