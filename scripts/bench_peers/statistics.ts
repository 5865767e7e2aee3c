/**
 * What many timings say: medians, quartiles, slopes.
 *
 * @module
 */

/** The middle of many numbers and how far they spread. */
export interface Spread {
  /** A quarter of them is smaller. */
  readonly low: number;
  /** Half of them is smaller. */
  readonly median: number;
  /** A quarter of them is larger. */
  readonly high: number;
}

/**
 * Finds median and quartiles, by linear interpolation between the sorted values.
 *
 * @param values one or more numbers
 * @returns their spread
 */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (q: number) => {
    const place = q * (sorted.length - 1);
    const below = Math.floor(place);
    const above = Math.min(below + 1, sorted.length - 1);
    return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
  };
  return { low: at(0.25), median: at(0.5), high: at(0.75) };
}

/** An exponent fitted to points. */
export interface Exponent {
  /** p of y ∝ xᵖ. */
  readonly exponent: number;
  /** Its standard error by the scatter of the points around the line; NaN for two points. */
  readonly error: number;
}

/**
 * Fits y = c xᵖ by least squares of logarithms.
 *
 * @param x positive, two or more different ones
 * @param y positive, as many
 * @returns p and its standard error
 */
export function fitExponent(x: readonly number[], y: readonly number[]): Exponent {
  const [u, v] = [x.map(Math.log), y.map(Math.log)];
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [um, vm] = [mean(u), mean(v)];
  const uu = u.reduce((sum, value) => sum + (value - um) ** 2, 0);
  const exponent = u.reduce((sum, value, i) => sum + (value - um) * (v[i] - vm), 0) / uu;
  const rest = u.reduce((sum, value, i) => sum + (v[i] - vm - exponent * (value - um)) ** 2, 0);
  return { exponent, error: Math.sqrt(rest / (x.length - 2) / uu) };
}
