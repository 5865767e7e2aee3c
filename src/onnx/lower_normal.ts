/**
 * The normal distribution in ONNX operators, exact in both tails: the runtime's `Erf` is absolute, and for float32 only.
 *
 * @module
 */
import { FAR, NEAR, TAIL } from "../backend/reference_normal.ts";
import { HALF_LOG_TWO_PI } from "../random/elementary.ts";
import type { Algebra } from "./algebra.ts";

/** ln √(2π). */
export const halfLogTwoPi: number = HALF_LOG_TWO_PI;

/** Φ(−t) e^(t²/2) = p(t)/q(t) on 0 ≤ t ≤ 14: our own minimax fit in relative error (6e-9), for float32. */
const TAIL_32 = {
  p: [0.39894730577994797, 3.9499840360989773, 17.85174528572011, 42.77982611784034, 48.91903693166733],
  q: [1, 9.901807935298786, 45.732445783554915, 117.33642006890403, 163.62317900422917, 97.83807332354617],
};

/** Tail masses below this have their quantile from the fit for far tails. */
const FAR_BELOW = 0.115;

/**
 * Φ(−t) e^(t²/2).
 *
 * @param algebra where operators go
 * @param t ≥ 0
 */
export function scaledTail(algebra: Algebra, t: string): string {
  if (algebra.type === "float32") {
    return algebra.divide(algebra.polynomial(TAIL_32.p, t), algebra.polynomial(TAIL_32.q, t));
  }
  const q = algebra.divide(1, algebra.add(t, 5));
  return algebra.multiply(q, algebra.polynomial(TAIL, algebra.subtract(1, algebra.multiply(q, 10))));
}

/** −x²/2. */
export function gaussExponent(algebra: Algebra, x: string): string {
  return algebra.multiply(algebra.square(x), -0.5);
}

/** Φ(−|z|), the smaller of the masses on either side. */
export function normalMasses(algebra: Algebra, z: string): string {
  const t = algebra.absolute(z);
  return algebra.multiply(algebra.exp(gaussExponent(algebra, t)), scaledTail(algebra, t));
}

/**
 * e^(−x²/2) to a few roundings: the square of the leading half of the digits (Dekker's split) is exact, so that the
 * exponent loses nothing to its size.
 */
function gaussian(algebra: Algebra, x: string): string {
  const { add, subtract, multiply, exp } = algebra;
  const scaled = multiply(x, algebra.type === "float32" ? 4097 : 134217729);
  const leading = subtract(scaled, subtract(scaled, x));
  const rest = multiply(subtract(x, leading), add(x, leading));
  return multiply(exp(gaussExponent(algebra, leading)), exp(multiply(rest, -0.5)));
}

/** Φ(x), from the tail that is no difference. */
export function normalDistribution(algebra: Algebra, x: string): string {
  // Beyond, where both tails are below the smallest number, the fit would have no value.
  const t = algebra.minimum(algebra.absolute(x), algebra.type === "float32" ? 14 : 39);
  const mass = algebra.multiply(gaussian(algebra, t), scaledTail(algebra, t));
  return algebra.where(algebra.less(x, 0), mass, algebra.subtract(1, mass));
}

/** Φ⁻¹(p); ∓∞ at 0 and 1, NaN beyond. */
export function probit(algebra: Algebra, p: string): string {
  const { equal, log, where } = algebra;
  const z = normalQuantiles(algebra, [{ lower: log(p), upper: log(algebra.subtract(1, p)) }]);
  return where(equal(p, 0), -Infinity, where(equal(p, 1), Infinity, z));
}

/**
 * ln Φ(−t).
 *
 * @param algebra where operators go
 * @param t ≥ 0
 */
export function logTail(algebra: Algebra, t: string): string {
  return algebra.add(gaussExponent(algebra, t), algebra.log(scaledTail(algebra, t)));
}

/** Logarithms of the masses below and above a place, which sum to 1; [1, n] each. */
export interface LogMasses {
  readonly lower: string;
  readonly upper: string;
}

/**
 * Φ⁻¹ from the logarithms of the masses below and above, which sum to 1: from the smaller, so that no tail underflows.
 *
 * In float32 fits do: they are exact to rounding as far as z = 50, and good to 2e-5 z beyond. In float64 they start
 * Newton's method for ln Φ(−y) = ln mass, whose derivative is −1/(√(2π) Φ(−y) e^(y²/2)).
 *
 * @param algebra where operators go
 * @param masses of several places
 * @returns [places, n]
 */
export function normalQuantiles(algebra: Algebra, masses: readonly LogMasses[]): string {
  const logLower = algebra.concat(masses.map(({ lower }) => lower), 0);
  const logUpper = algebra.concat(masses.map(({ upper }) => upper), 0);
  const { add, subtract, multiply, divide, where, less, exp } = algebra;
  const log = algebra.minimum(logLower, logUpper);
  const mass = exp(log);
  const t = add(algebra.sqrt(multiply(log, -2)), -2);
  const far = divide(algebra.polynomial(FAR.p, t), algebra.polynomial(FAR.q, t));
  const c = subtract(0.5, mass);
  const r = subtract(0.15, algebra.square(c));
  const near = multiply(c, divide(algebra.polynomial(NEAR.p, r), algebra.polynomial(NEAR.q, r)));
  const isFar = less(mass, FAR_BELOW);
  const step = (y: string) => {
    const factor = scaledTail(algebra, y);
    const excess = subtract(add(gaussExponent(algebra, y), algebra.log(factor)), log);
    return add(y, multiply(multiply(excess, factor), Math.sqrt(2 * Math.PI)));
  };
  const start = where(isFar, far, near);
  const y = algebra.type === "float32" ? start : step(step(start));
  return where(less(logLower, logUpper), algebra.negate(y), y);
}
