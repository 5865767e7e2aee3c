/**
 * One smooth curve through free energies and energies at many temperatures.
 *
 * @module
 */
import type { Estimate } from "../reweighting/estimate.ts";
import { solveLinearSystem } from "../reweighting/linear_system.ts";

/** Changes of free energy and energy at one temperature, in k_BT there. */
export interface CurveData {
  /** T in units of T₀. */
  readonly temperature: number;
  /** ΔF. */
  readonly freeEnergy: Estimate;
  /** ΔU. */
  readonly energy: Estimate;
  /** Covariance of their errors. */
  readonly covariance: number | null;
}

/** A value with its standard error. */
export interface CurveValue {
  /** The value. */
  readonly value: number;
  /** One standard error. */
  readonly standardError: number;
}

/** Values of a curve at one temperature, in k_BT there. */
export interface CurvePoint {
  /** T in units of T₀. */
  readonly temperature: number;
  /** ΔF. */
  readonly freeEnergy: CurveValue;
  /** ΔU. */
  readonly energy: CurveValue;
  /** TΔS. */
  readonly entropy: CurveValue;
}

/** A curve through many temperatures, and how well it fits. */
export interface ThermodynamicCurve {
  /** Degree of the polynomial; −1 where too few data were reliable for a curve. */
  readonly degree: number;
  /** Σ (residual / error)², with the covariance of the two numbers of each temperature. */
  readonly chiSquare: number;
  /** Numbers fitted minus coefficients. */
  readonly freedom: number;
  /** Factor by which all errors of the curve are wider than those of the data alone: √(χ² / freedom), at least 1. */
  readonly widening: number;
  /**
   * Evaluates the curve.
   *
   * @param temperature T within the range of the data
   * @returns ΔF, ΔU and TΔS there with errors; null where there is no curve
   */
  at(temperature: number): CurvePoint | null;
}

/** Terms of the polynomial: ΔF/k_BT is e^{−t} times a constant plus another where ΔU and ΔS do not depend on T. */
const DEGREE = 4;

/**
 * Fits f(t) = ΔF/k_BT as a polynomial of degree four in t = ln T, to the free energies and to the energies at once.
 *
 *     ΔU/k_BT = −df/dt,   TΔS/k_BT = −df/dt − f
 *
 * (Gibbs and Helmholtz.) Two numbers of each temperature enter, with their covariance; other temperatures are independent.
 * χ² says whether free energies and energies, which are estimated apart, are those of one curve. Where it exceeds its
 * degrees of freedom, errors of the curve are widened by the root of their ratio (Birge, Phys. Rev. 40, 207 (1932)).
 * Unreliable estimates are left out.
 *
 * @param data what was estimated, at any temperatures
 * @returns the curve
 */
export function thermodynamicCurve(data: readonly CurveData[]): ThermodynamicCurve {
  const used = data.filter(({ freeEnergy, energy, covariance }) =>
    freeEnergy.reliable && energy.reliable && freeEnergy.standardError! > 0 && energy.standardError! > 0 &&
    covariance !== null
  );
  const size = DEGREE + 1;
  if (2 * used.length <= size) return noCurve(2 * used.length - size);
  const [middle, half] = scaleOf(used.map(({ temperature }) => Math.log(temperature)));
  const rowsAt = (temperature: number) => rows((Math.log(temperature) - middle) / half, half);
  const normal = new Float64Array(size * size);
  const right = new Float64Array(size);
  const blocks = used.map((point) => ({ ...rowsAt(point.temperature), ...whitening(point), point }));
  for (const { value, slope, whiten, point } of blocks) {
    const targets = whiten(point.freeEnergy.value!, point.energy.value!);
    const columns = value.map((v, k) => whiten(v, slope[k]));
    for (let i = 0; i < size; i++) {
      for (const side of [0, 1]) {
        right[i] += columns[i][side] * targets[side];
        for (let j = 0; j < size; j++) normal[i * size + j] += columns[i][side] * columns[j][side];
      }
    }
  }
  const inverse = Float64Array.from({ length: size * size }, (_, i) => i % (size + 1) === 0 ? 1 : 0);
  if (!solveLinearSystem(normal, inverse, size)) return noCurve(2 * used.length - size);
  const coefficients = Array.from(
    { length: size },
    (_, i) => right.reduce((sum, r, j) => sum + inverse[i * size + j] * r, 0),
  );
  const apply = (row: readonly number[]): CurveValue => {
    const variance = row.reduce(
      (sum, a, i) => sum + a * row.reduce((inner, b, j) => inner + inverse[i * size + j] * b, 0),
      0,
    );
    const value = row.reduce((sum, a, i) => sum + a * coefficients[i], 0);
    return { value, standardError: Math.sqrt(Math.max(0, variance)) };
  };
  const chiSquare = blocks.reduce((sum, { value, slope, whiten, point }) => {
    const residual = whiten(point.freeEnergy.value! - apply(value).value, point.energy.value! - apply(slope).value);
    return sum + residual[0] ** 2 + residual[1] ** 2;
  }, 0);
  const freedom = 2 * used.length - size;
  const widening = Math.sqrt(Math.max(1, chiSquare / freedom));
  return {
    degree: DEGREE,
    chiSquare,
    freedom,
    widening,
    at(temperature) {
      const { value, slope } = rowsAt(temperature);
      const widened = (row: readonly number[]): CurveValue => {
        const { value, standardError } = apply(row);
        return { value, standardError: widening * standardError };
      };
      const entropy = slope.map((v, k) => v - value[k]);
      return { temperature, freeEnergy: widened(value), energy: widened(slope), entropy: widened(entropy) };
    },
  };
}

function noCurve(freedom: number): ThermodynamicCurve {
  return { degree: -1, chiSquare: NaN, freedom, widening: 1, at: () => null };
}

/** Middle and half width of the values. */
function scaleOf(values: readonly number[]): [number, number] {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return [(low + high) / 2, (high - low) / 2 || 1];
}

/** Chebyshev polynomials at s, and minus their derivatives by t = half · s: the rows of f and of −df/dt. */
function rows(s: number, half: number): { value: number[]; slope: number[] } {
  const value = [1, s];
  const derivative = [0, 1];
  for (let k = 2; k <= DEGREE; k++) {
    value.push(2 * s * value[k - 1] - value[k - 2]);
    derivative.push(2 * value[k - 1] + 2 * s * derivative[k - 1] - derivative[k - 2]);
  }
  return { value, slope: derivative.map((d) => -d / half) };
}

/** Turns numbers with a covariance into two independent ones of variance one (Cholesky). */
function whitening({ freeEnergy, energy, covariance }: CurveData): { whiten(f: number, u: number): [number, number] } {
  const deviation = freeEnergy.standardError!;
  const slope = covariance! / deviation ** 2;
  // The correlation is kept off ±1, where the second number would have no error of its own.
  const rest = Math.sqrt(Math.max(1e-6 * energy.standardError! ** 2, energy.standardError! ** 2 - slope * covariance!));
  return { whiten: (f, u) => [f / deviation, (u - slope * f) / rest] };
}
