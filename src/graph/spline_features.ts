/**
 * Sizes and limits of a rational-quadratic spline: how many features describe it.
 *
 * @module
 */

/** Size and limits of a spline. */
export interface SplineAttributes {
  /** Number of bins K, at least 1. */
  readonly bins: number;
  /** Bound B: the spline maps [−B, B] to itself, and outside it is the identity. */
  readonly bound: number;
  /** Least width of a bin, as a part of 2B. */
  readonly minimumWidth: number;
  /** Least height of a bin, as a part of 2B. */
  readonly minimumHeight: number;
  /** Least slope at a knot. */
  readonly minimumSlope: number;
}

/** Number of features that describe the spline of one coordinate: K widths, K heights and K − 1 slopes. */
export function splineFeatures(bins: number): number {
  return 3 * bins - 1;
}

/** Slope features above this count as this: what is steeper than any bin can be would only overflow. */
export const LARGEST_SLOPE_FEATURE = 1000;
/** ln(e − 1), where softplus is 1: a slope feature of 0 is a slope of 1. */
export const UNIT_SLOPE_FEATURE = 0.5413248546129181;
