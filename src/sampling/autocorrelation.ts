/**
 * How long a chain remembers: autocorrelation times and what follows from them.
 *
 * @module
 */

/** Sokal's window: the sum ends where it has reached this many autocorrelation times. */
const WINDOW = 5;

/**
 * Measures the integrated autocorrelation time of series that share a distribution, in steps of the series.
 *
 * τ = ½ + Σ_{t ≥ 1} ρ(t), summed to the first t ≥ 5 τ (A. D. Sokal, Lausanne lectures, 1989). Independent numbers give ½;
 * the variance of a mean over n steps is 2τ/n times that of one number. With several series, such as one per chain, the
 * mean is common to all: chains that stay apart count as slow. A series shorter than about 50 τ gives too small a value.
 *
 * @param series one series [n], or several
 * @returns τ ≥ ½; NaN where all numbers are equal
 * @throws {RangeError} if a series has fewer than two numbers
 *
 * @example
 * ```ts
 * import { integratedAutocorrelationTime, RandomStream } from "@boltzflow/boltzflow";
 * const independent = new RandomStream(1).fillNormals(new Float64Array(10_000));
 * const tau = integratedAutocorrelationTime(independent);
 * if (Math.abs(tau - 0.5) > 0.1) throw new Error("independent numbers have τ = ½");
 * ```
 */
export function integratedAutocorrelationTime(series: Float64Array | readonly Float64Array[]): number {
  return pooledAutocorrelationTime([series instanceof Float64Array ? [series] : series]);
}

/**
 * Measures the statistical inefficiency g = 2τ ≥ 1: n steps are worth n/g independent ones.
 *
 * @param series one series [n], or several that share a distribution
 * @returns g ≥ 1; NaN where all numbers are equal
 * @throws {RangeError} if a series has fewer than two numbers
 */
export function statisticalInefficiency(series: Float64Array | readonly Float64Array[]): number {
  const g = 2 * integratedAutocorrelationTime(series);
  return g < 1 ? 1 : g;
}

/**
 * Measures one autocorrelation time of many coordinates: their autocovariances are summed before they are divided.
 *
 * @param groups series that share a mean, group by group (one group for each coordinate, say)
 * @returns τ ≥ ½ in steps; NaN where nothing varies
 * @throws {RangeError} if a series has fewer than two numbers
 */
export function pooledAutocorrelationTime(groups: readonly (readonly Float64Array[])[]): number {
  const centred = groups.flatMap(centre);
  const longest = centred.reduce((most, series) => Math.max(most, series.length), 0);
  const variance = covariance(centred, 0);
  if (!(variance > 0)) return NaN;
  let tau = 0.5;
  for (let lag = 1; lag < longest && lag < WINDOW * tau; lag++) tau += covariance(centred, lag) / variance;
  return Math.max(0.5, tau);
}

/** Takes the common mean of a group off its series. */
function centre(group: readonly Float64Array[]): Float64Array[] {
  let sum = 0;
  let count = 0;
  for (const series of group) {
    if (series.length < 2) {
      throw new RangeError(
        `Cannot measure an autocorrelation time: series must have at least 2 numbers, got ${series.length}`,
      );
    }
    for (const value of series) sum += value;
    count += series.length;
  }
  return group.map((series) => series.map((value) => value - sum / count));
}

/** Mean of the products at one distance in time, over all series long enough. */
function covariance(series: readonly Float64Array[], lag: number): number {
  let sum = 0;
  let count = 0;
  for (const values of series) {
    for (let t = lag; t < values.length; t++) sum += values[t] * values[t - lag];
    count += Math.max(0, values.length - lag);
  }
  return sum / count;
}

/**
 * Finds where a series has forgotten its start: the first step of the part that holds most independent numbers.
 *
 * Every tenth of the series is tried as a start t₀; (n − t₀)/g(t₀) decides (J. D. Chodera, J. Chem. Theory Comput. 12,
 * 1799, 2016).
 *
 * @param series numbers in the order of time [n], n ≥ 20
 * @returns t₀, a multiple of n/10 below n
 * @throws {RangeError} if the series has fewer than 20 numbers
 */
export function equilibrationStart(series: Float64Array): number {
  if (series.length < 20) {
    throw new RangeError(`Cannot find where a series relaxes: it must have at least 20 numbers, got ${series.length}`);
  }
  let best = 0;
  let most = -1;
  for (let tenth = 0; tenth < 10; tenth++) {
    const start = Math.floor(series.length * tenth / 10);
    const rest = series.subarray(start);
    const g = statisticalInefficiency(rest);
    const independent = rest.length / (Number.isNaN(g) ? 1 : g);
    if (independent > most) [most, best] = [independent, start];
  }
  return best;
}
