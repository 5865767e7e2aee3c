/**
 * Sine and cosine of any angle in radians, the same bits in every engine.
 *
 * @module
 */
import { cosineNearZero, sineNearZero } from "./elementary.ts";

/** π/2 in three parts; products of the first two, of 32 bits each, with whole numbers up to 2²¹ are exact. */
const [FIRST, SECOND, THIRD] = [1.5707963267341256, 6.07710049817245e-11, 8.333742918520879e-20];
const TWO_OVER_PI = 0.6366197723675814;
/** Angles up to here are reduced by the three parts, larger ones by whole numbers of any length. */
const LARGEST_NEAR = 1e6;

/** Binary digits after the point of π in the reduction of large angles: 1024 of the angle, and 128 that are left. */
const DIGITS = 1152n;
/** (π/2) · 2^DIGITS, from the first large angle on. */
let halfPi: bigint | undefined;

/** arctan(1/n) · 2^(DIGITS + 32) by its series. */
function inverseTangent(n: bigint): bigint {
  let power = (1n << (DIGITS + 32n)) / n;
  let sum = power;
  for (let k = 3n; power !== 0n; k += 2n) {
    power /= -n * n;
    sum += power / k;
  }
  return sum;
}

/** Machin: π/4 = 4 arctan(1/5) − arctan(1/239). */
function computeHalfPi(): bigint {
  return (8n * inverseTangent(5n) - 2n * inverseTangent(239n)) >> 32n;
}

/** x less the nearest multiple of π/2, and that multiple modulo 4. */
function reduce(x: number): { rest: number; quarter: number } {
  if (Math.abs(x) <= LARGEST_NEAR) {
    const k = Math.floor(x * TWO_OVER_PI + 0.5);
    return { rest: x - k * FIRST - k * SECOND - k * THIRD, quarter: k & 3 };
  }
  halfPi ??= computeHalfPi();
  // Numbers beyond 10⁶ are whole multiples of 2⁻³³.
  const scaled = BigInt(Math.abs(x) < 9007199254740992 ? x * 8589934592 : x) *
    (1n << (Math.abs(x) < 9007199254740992 ? DIGITS - 33n : DIGITS));
  const shifted = scaled + (halfPi >> 1n);
  let k = shifted / halfPi;
  if (shifted < 0n && k * halfPi !== shifted) k -= 1n;
  const rest = Number(BigInt.asIntN(Number(DIGITS) + 8, scaled - k * halfPi) >> (DIGITS - 96n)) / 2 ** 96;
  return { rest, quarter: Number(BigInt.asUintN(2, k)) };
}

/**
 * Computes the sine. Absolute error below 4e-16.
 *
 * @param x angle in radians, any number
 * @returns sin x; NaN for ±∞
 */
export function sinOf(x: number): number {
  if (x === 0 || x - x !== 0) return x === 0 ? x : NaN;
  const { rest, quarter } = reduce(x);
  const size = quarter % 2 === 0 ? sineNearZero(rest) : cosineNearZero(rest);
  return quarter < 2 ? size : -size;
}

/**
 * Computes the cosine. Absolute error below 4e-16.
 *
 * @param x angle in radians, any number
 * @returns cos x; NaN for ±∞
 */
export function cosOf(x: number): number {
  if (x - x !== 0) return NaN;
  const { rest, quarter } = reduce(x);
  const size = quarter % 2 === 0 ? cosineNearZero(rest) : sineNearZero(rest);
  return quarter === 0 || quarter === 3 ? size : -size;
}
