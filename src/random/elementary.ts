/**
 * Logarithm, sine and cosine from additions, multiplications, divisions and bit operations.
 *
 * `Math.log`, `Math.sin` and `Math.cos` may differ in the last bits from engine to engine; these may not, which makes
 * normal random numbers identical wherever the package runs.
 *
 * @module
 */

const double = new Float64Array(1);
/** The same eight bytes as words; all runtimes that have WebAssembly are little-endian. */
const words = new Int32Array(double.buffer);
/** Exponent field of 1. */
const BIAS = 1023;
/** 2⁻ᵏ at index k + 1023. */
const inversePowers = Float64Array.from({ length: 2 * BIAS + 2 }, (_, index) => 2 ** (BIAS - index));

const LN_2 = 0.6931471805599453;
const HALF_PI = 1.5707963267948966;

/**
 * Computes the natural logarithm of a positive normal number.
 *
 * ln(2ᵏ m) = k ln 2 + 2 artanh s with s = (m − 1)/(m + 1), m in [√½, √2). The series ends at s²³: the rest is below 1e-18.
 * Relative error below 4e-16.
 *
 * @param x a number from 2⁻¹⁰²² up, finite (not checked)
 * @returns ln x
 */
export function logOf(x: number): number {
  double[0] = x;
  // What is added carries mantissas above √2 into the next power of two.
  const exponent = (words[1] + 0x95f62) >> 20;
  const k = exponent - BIAS;
  const m = x * inversePowers[exponent];
  const s = (m - 1) / (m + 1);
  const w = s * s;
  let sum = 1 / 23;
  sum = sum * w + 1 / 21;
  sum = sum * w + 1 / 19;
  sum = sum * w + 1 / 17;
  sum = sum * w + 1 / 15;
  sum = sum * w + 1 / 13;
  sum = sum * w + 1 / 11;
  sum = sum * w + 1 / 9;
  sum = sum * w + 1 / 7;
  sum = sum * w + 1 / 5;
  sum = sum * w + 1 / 3;
  return k * LN_2 + 2 * (s + s * (w * sum));
}

/** sin x for |x| ≤ π/4 by its series to x¹⁷. Absolute error below 2e-16. */
function sineNearZero(x: number): number {
  const w = x * x;
  let sum = 2.8114572543455206e-15;
  sum = sum * w - 7.647163731819816e-13;
  sum = sum * w + 1.6059043836821613e-10;
  sum = sum * w - 2.505210838544172e-8;
  sum = sum * w + 2.7557319223985893e-6;
  sum = sum * w - 1.984126984126984e-4;
  sum = sum * w + 8.333333333333333e-3;
  sum = sum * w - 0.16666666666666666;
  return x + x * (w * sum);
}

/** cos x for |x| ≤ π/4 by its series to x¹⁶. Absolute error below 2e-16. */
function cosineNearZero(x: number): number {
  const w = x * x;
  let sum = 4.779477332387385e-14;
  sum = sum * w - 1.1470745597729725e-11;
  sum = sum * w + 2.08767569878681e-9;
  sum = sum * w - 2.755731922398589e-7;
  sum = sum * w + 2.48015873015873e-5;
  sum = sum * w - 1.388888888888889e-3;
  sum = sum * w + 4.1666666666666664e-2;
  return 1 - 0.5 * w + w * w * sum;
}

/**
 * Writes the point of the unit circle at a fraction of a turn: (cos 2πt, sin 2πt).
 *
 * The nearest quarter turn is taken off exactly. Absolute error below 4e-16.
 *
 * @param t fraction of a turn, 0 ≤ t ≤ 1
 * @param out receives cosine and sine in its elements 0 and 1
 */
export function circlePoint(t: number, out: Float64Array): void {
  const quarter = (4 * t + 0.5) | 0;
  const x = (4 * t - quarter) * HALF_PI;
  const s = sineNearZero(x);
  const c = cosineNearZero(x);
  const swap = (quarter & 1) === 1;
  out[0] = (quarter + 1 & 2) === 0 ? (swap ? s : c) : -(swap ? s : c);
  out[1] = (quarter & 2) === 0 ? (swap ? c : s) : -(swap ? c : s);
}
