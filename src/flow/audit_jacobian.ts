/**
 * The log-determinant of a map beside the determinant of its Jacobian by differences.
 *
 * @module
 */
import { largest, type Measured } from "./audit_checks.ts";

/** A map of n points at once, [n, dim] → [n, dim]. */
export type PointMap = (x: Float64Array) => Float64Array;

/** Step of the differences in units of the scale of a coordinate. */
const STEP = 1e-6;
/** Units in the last place by which either end of a difference may be off. */
const ENDS = 16;
/**
 * Sets of constants of a map that were rounded to float32 apart from its log-determinant, as in a whitening. Each moves
 * log|det| by tr(W⁻¹ δW), which for rows v/d of orthonormal v is at most 2⁻²⁴ Σ v² = 2⁻²⁴ dim.
 */
const ROUNDED_SETS = 16;

/**
 * log|det| of a row-major matrix by elimination with pivots.
 *
 * @param matrix [dim, dim]
 * @param dim number of rows
 * @returns −∞ for a singular one
 */
export function logAbsDeterminant(matrix: Float64Array, dim: number): number {
  const a = matrix.slice();
  let log = 0;
  for (let k = 0; k < dim; k++) {
    let pivot = k;
    for (let i = k + 1; i < dim; i++) if (Math.abs(a[i * dim + k]) > Math.abs(a[pivot * dim + k])) pivot = i;
    for (let j = 0; j < dim; j++) [a[k * dim + j], a[pivot * dim + j]] = [a[pivot * dim + j], a[k * dim + j]];
    log += Math.log(Math.abs(a[k * dim + k]));
    for (let i = k + 1; i < dim; i++) {
      const factor = a[i * dim + k] / a[k * dim + k];
      for (let j = k; j < dim; j++) a[i * dim + j] -= factor * a[k * dim + j];
    }
  }
  return log;
}

/** Jacobians of a map at one point, by differences to either side. */
interface Sided {
  readonly plus: Float64Array;
  readonly minus: Float64Array;
  readonly step: Float64Array;
}

/** Differences along every coordinate; `between` is awaited after each. */
async function differences(
  map: PointMap,
  x: Float64Array,
  image: Float64Array,
  scale: Float64Array,
  between: () => Promise<void>,
): Promise<Sided> {
  const dim = x.length;
  const [plus, minus] = [new Float64Array(dim * dim), new Float64Array(dim * dim)];
  const step = scale.map((s) => STEP * s);
  for (let j = 0; j < dim; j++) {
    const ends = new Float64Array(2 * dim);
    [1, -1].forEach((sign, k) => {
      ends.set(x, k * dim);
      ends[k * dim + j] += sign * step[j];
    });
    // What is added is what is divided by, to the last bit.
    const [up, down] = [ends[j] - x[j], x[j] - ends[dim + j]];
    const images = map(ends);
    for (let i = 0; i < dim; i++) {
      plus[i * dim + j] = (images[i] - image[i]) / up;
      minus[i * dim + j] = (image[i] - images[dim + i]) / down;
    }
    await between();
  }
  return { plus, minus, step };
}

/**
 * Compares the log-determinant of a map at one point with that of its Jacobian by central differences.
 *
 * The tolerance is the distance between the determinants of the Jacobians by forward and by backward differences, of
 * which the error is of first order in the step, that of central ones of second; and for rounding how far the determinant
 * moves when every column is changed by 16 units in the last place of the images over the step. Constants that are float32
 * add 16 · 2⁻²⁴ · dim.
 *
 * @param map in float64
 * @param point x, its image and the log-determinant there; `scale`: size of variations of each coordinate
 * @param between awaited between evaluations
 * @returns error and tolerance
 */
export async function compareLogDet(
  map: PointMap,
  point: {
    readonly x: Float64Array;
    readonly image: Float64Array;
    readonly logDet: number;
    readonly scale: Float64Array;
  },
  between: () => Promise<void>,
): Promise<Measured> {
  const { x, image, logDet, scale } = point;
  const dim = x.length;
  const { plus, minus, step } = await differences(map, x, image, scale, between);
  const central = logAbsDeterminant(plus.map((v, i) => (v + minus[i]) / 2), dim);
  const forward = logAbsDeterminant(plus, dim);
  const sides = Math.abs(forward - logAbsDeterminant(minus, dim));
  const noise = ENDS * 2 ** -52 * Math.max(1, largest(image));
  let rounding = 0;
  for (let j = 0; j < dim; j++) {
    const moved = plus.slice();
    for (let i = 0; i < dim; i++) moved[i * dim + j] += (i % 2 === 0 ? noise : -noise) / step[j];
    rounding += Math.abs(logAbsDeterminant(moved, dim) - forward);
  }
  const constants = ROUNDED_SETS * 2 ** -24 * dim;
  const error = Math.abs(logDet - central);
  return { what: "the log-determinant of the inverse", error, tolerance: sides + rounding + constants };
}
