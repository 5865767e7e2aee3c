/**
 * The integral of a density by quadrature, in one or two dimensions.
 *
 * @module
 */
import type { Measured } from "./audit_checks.ts";

/** Dimensions in which a grid can hold a density. */
export const MOST_DIMENSIONS = 2;
/** Intervals along each axis; even, so that every other point makes the coarser rule. */
const INTERVALS = { 1: 8192, 2: 512 } as const;
/** Half the width of the cube of z of which the image says where the density is: outside a normal one holds 2e-9. */
const REACH = 6;
/** Points along each axis of that cube. */
const PROBES = 41;
/** Part of the range that is added at either end. */
const MARGIN = 0.02;
/** Probability outside the image of the cube, for two dimensions. */
const OUTSIDE = 4e-9;

/** What quadrature needs of a density. */
export interface Integrand {
  /** 1 or 2. */
  readonly dim: number;
  /** x = f(z), [n, dim], for z in units of the prior's standard deviation. */
  decode(z: Float64Array): Float64Array;
  /** log p(x) [n]. */
  logProb(x: Float64Array): Float64Array;
  /** Error that float32 may make in log p where the density is. */
  readonly rounding: number;
}

/** All points with the given coordinates along each axis, the last axis running fastest. */
function product(axes: readonly Float64Array[]): Float64Array {
  if (axes.length === 1) return axes[0];
  const [a, b] = axes;
  return Float64Array.from({ length: 2 * a.length * b.length }, (_, i) => {
    const point = i >> 1;
    return i % 2 === 0 ? a[Math.floor(point / b.length)] : b[point % b.length];
  });
}

const highest = (values: Float64Array) => values.reduce((most, value) => Math.max(most, value), -Infinity);

const line = (low: number, high: number, intervals: number) =>
  Float64Array.from({ length: intervals + 1 }, (_, k) => low + (high - low) * k / intervals);

/**
 * Integrates a density by the trapezoid rule over the range of its samples.
 *
 * The tolerance is the distance to the same rule with every other point, which for a resolved density exceeds the error of
 * the finer one, and the error of float32 in log p. It is infinite where the grid misses the highest peak: some sample lies
 * where the density is more than twice that of every point of the grid.
 *
 * @param density in one or two dimensions
 * @returns |∫p − 1| and tolerance; where the tolerance is above 0.01, the grid does not resolve the density
 */
export function integrate(density: Integrand): Measured {
  const { dim, rounding } = density;
  const intervals = INTERVALS[dim as 1 | 2];
  const image = density.decode(product(Array.from({ length: dim }, () => line(-REACH, REACH, PROBES - 1))));
  const axes = Array.from({ length: dim }, (_, axis) => {
    let [low, high] = [Infinity, -Infinity];
    for (let i = axis; i < image.length; i += dim) [low, high] = [Math.min(low, image[i]), Math.max(high, image[i])];
    const margin = MARGIN * (high - low);
    return line(low - margin, high + margin, intervals);
  });
  const cell = axes.reduce((area, [first, second]) => area * (second - first), 1);
  const logProb = density.logProb(product(axes));
  let [fine, coarse] = [0, 0];
  logProb.forEach((log, i) => {
    const place = dim === 1 ? [i] : [Math.floor(i / (intervals + 1)), i % (intervals + 1)];
    const p = Math.exp(log) * cell;
    fine += p;
    if (place.every((k) => k % 2 === 0)) coarse += p * 2 ** dim;
  });
  const missed = highest(density.logProb(image)) - highest(logProb) > Math.LN2;
  return {
    what: "the integral of the density",
    error: Math.abs(fine - 1),
    tolerance: missed ? Infinity : Math.abs(fine - coarse) + rounding + OUTSIDE,
  };
}
