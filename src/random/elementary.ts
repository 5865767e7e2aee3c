/**
 * Elementary functions from additions, multiplications, divisions, square roots and bit operations.
 *
 * `Math.exp`, `Math.log`, `Math.sin`, `**` and their like may differ in the last bits from engine to engine and from
 * processor to processor; these may not. Random numbers, and everything else from data to the bytes of a model, use them.
 *
 * @module
 */

const double = new Float64Array(1);
/** The same eight bytes as words; all runtimes that have WebAssembly are little-endian. */
const words = new Int32Array(double.buffer);
/** Exponent field of 1. */
const BIAS = 1023;
/** 2⁻ᵏ at index k + 1023, by halving and doubling, which are exact. */
const inversePowers = new Float64Array(2 * BIAS + 2);
inversePowers[BIAS] = 1;
for (let k = BIAS + 1; k < inversePowers.length; k++) inversePowers[k] = inversePowers[k - 1] / 2;
for (let k = BIAS - 1; k >= 0; k--) inversePowers[k] = inversePowers[k + 1] * 2;

const LEAST_NORMAL = inversePowers[2 * BIAS - 1];
const TWO_52 = 4503599627370496;

const LN_2 = 0.6931471805599453;
/** ln 2 in two parts, the first of 32 bits: its products with whole numbers up to 2²¹ are exact. */
const LN_2_HIGH = 0.6931471803691238;
const LN_2_LOW = 1.9082149292705877e-10;
/** ln √(2π). */
export const HALF_LOG_TWO_PI = 0.9189385332046728;
const HALF_PI = 1.5707963267948966;

/**
 * Computes the natural logarithm.
 *
 * ln(2ᵏ m) = k ln 2 + 2 artanh s with s = (m − 1)/(m + 1), m in [√½, √2). The series ends at s²³: the rest is below 1e-18.
 * Relative error below 4e-16.
 *
 * @param x any number
 * @returns ln x; −∞ at 0, NaN below
 */
export function logOf(x: number): number {
  if (!(x >= LEAST_NORMAL && x < Infinity)) {
    return x > 0 && x < 1 ? logOf(x * TWO_52) - 52 * LN_2 : x === 0 ? -Infinity : x > 0 ? x : NaN;
  }
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
export function sineNearZero(x: number): number {
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
export function cosineNearZero(x: number): number {
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

/** e^r − 1 for |r| ≤ 0.35: the series to r¹³, whose rest is below 1e-17 of it. */
function expm1NearZero(r: number): number {
  let sum = 1 / 6227020800;
  sum = sum * r + 1 / 479001600;
  sum = sum * r + 1 / 39916800;
  sum = sum * r + 1 / 3628800;
  sum = sum * r + 1 / 362880;
  sum = sum * r + 1 / 40320;
  sum = sum * r + 1 / 5040;
  sum = sum * r + 1 / 720;
  sum = sum * r + 1 / 120;
  sum = sum * r + 1 / 24;
  sum = sum * r + 1 / 6;
  sum = sum * r + 0.5;
  return r + r * r * sum;
}

/**
 * Computes the exponential function.
 *
 * e^x = 2ᵏ e^r with r = x − k ln 2, |r| ≤ 0.35. Relative error below 2.3e-16 + 2⁻⁵³ (where e^x is a normal number).
 *
 * @param x any number
 * @returns e^x
 */
export function expOf(x: number): number {
  if (!(x > -746 && x < 710)) return x > 0 ? Infinity : x < 0 ? 0 : x;
  const k = Math.floor(x / LN_2 + 0.5);
  const r = x - k * LN_2_HIGH - k * LN_2_LOW;
  const y = 1 + expm1NearZero(r);
  if (k >= -BIAS + 1 && k < BIAS) return y * inversePowers[BIAS - k];
  // Two factors, so that both are normal numbers and only the last product is rounded.
  const half = k >> 1;
  return y * inversePowers[BIAS - half] * inversePowers[BIAS - (k - half)];
}

/**
 * Computes e^x − 1, also where x is small. Relative error below 7e-16.
 *
 * @param x any number
 * @returns e^x − 1
 */
export function expm1Of(x: number): number {
  if (x > -0.35 && x < 0.35) return x === 0 ? x : expm1NearZero(x);
  return expOf(x) - 1;
}

/**
 * Computes ln(1 + x), also where x is small. Relative error below 8e-16.
 *
 * ln u · x / (u − 1) with u = 1 + x as rounded: what rounding does to u is taken back by the quotient. Reference: Kahan;
 * Goldberg 1991, theorem 4.
 *
 * @param x any number
 * @returns ln(1 + x); −∞ at −1, NaN below
 */
export function log1pOf(x: number): number {
  const u = 1 + x;
  if (u === 1) return x;
  return u > 0 && u < Infinity ? logOf(u) * (x / (u - 1)) : logOf(u);
}

/**
 * Computes the hyperbolic tangent. Relative error below 2e-15 (measured: 5e-16).
 *
 * @param x any number
 * @returns tanh x = (e²ˣ − 1) / (e²ˣ + 1)
 */
export function tanhOf(x: number): number {
  if (x > 20) return 1;
  if (x < -20) return -1;
  const e = expm1Of(2 * x);
  return x === 0 ? x : e / (e + 2);
}

/** Whole exponents up to here are products; more factors would lose more than logarithm and exponential do. */
const MOST_FACTORS = 64;

/**
 * Raises a number to a power.
 *
 * Whole and half-whole exponents up to 64 are products of squares, and of a root; relative error below |y| · 2⁻⁵². Others
 * are e^(y ln x), with a relative error below (2 + 4 |y ln x|) · 2⁻⁵³.
 *
 * @param x base
 * @param y exponent
 * @returns x^y, with the special cases of `**`
 */
export function powerOf(x: number, y: number): number {
  if (y === 0) return 1;
  const size = Math.abs(y);
  if (size <= MOST_FACTORS && Number.isInteger(2 * size)) {
    const whole = Number.isInteger(size);
    if (x === -Infinity && !whole) return y > 0 ? Infinity : 0;
    const product = whole ? powerOfSquares(x, size) : powerOfSquares(x + 0, Math.floor(size)) * Math.sqrt(x + 0);
    // 1 / x⁻ʸ would overflow a little before x^y underflows: the reciprocal goes first then.
    return y > 0 ? product : product === Infinity || product === -Infinity ? powerOf(1 / x, size) : 1 / product;
  }
  if (!(Math.abs(x) > 0 && Math.abs(x) < Infinity) || !(size < Infinity)) return x ** y; // exact in every engine
  const value = expOf(y * logOf(Math.abs(x)));
  if (x > 0) return value;
  return Number.isInteger(y) ? (y % 2 === 0 ? value : -value) : NaN;
}

function powerOfSquares(x: number, exponent: number): number {
  let result = 1;
  for (let square = x, left = exponent; left > 0; left = Math.floor(left / 2)) {
    if (left % 2 === 1) result *= square;
    if (left > 1) square *= square;
  }
  return result;
}
