/**
 * Autocorrelation times with errors.
 *
 * @module
 */
import { integratedAutocorrelationTime } from "../sampling/autocorrelation.ts";
import { type Estimate, estimateFrom, noEstimate } from "../reweighting/estimate.ts";

/** Groups of chains that are left out in turn, at the most. */
const MOST_GROUPS = 16;
/** An error of fewer groups says nothing. */
const LEAST_GROUPS = 4;
/** Autocorrelation times that a chain must be long. */
const LEAST_LENGTH = 20;

/**
 * Measures the integrated autocorrelation time of chains that share a distribution, with its error.
 *
 *     τ = ½ + Σ_{t ≥ 1} ρ(t);   error² = (G − 1)/G Σ_g (τ₋g − mean τ₋g)²
 *
 * τ is that of `integratedAutocorrelationTime` from all chains together, and τ₋g the same without group g of them: the
 * jackknife over up to 16 groups of whole chains, which are independent. Unreliable where chains are shorter than 20 τ
 * or fewer than four. Where nothing varies there is no estimate: nothing has happened in all that time, which is not the
 * same as a short τ.
 *
 * Units: steps of the series.
 *
 * @param values numbers in the order of time within a chain [n]
 * @param chain chain of each number [n]
 * @returns τ with its error
 * @throws {RangeError} if lengths differ, or a chain has fewer than two numbers
 *
 * @example Independent numbers have τ = ½
 * ```ts
 * import { autocorrelationEstimate, RandomStream } from "@boltzflow/boltzflow";
 * import { assert } from "@std/assert";
 *
 * const values = new RandomStream(1).fillNormals(new Float64Array(8000));
 * const { value, standardError } = autocorrelationEstimate(values, values.map((_, i) => i % 8));
 *
 * assert(Math.abs(value! - 0.5) < 4 * standardError!);
 * ```
 */
export function autocorrelationEstimate(values: ArrayLike<number>, chain: ArrayLike<number>): Estimate {
  if (values.length !== chain.length) {
    throw new RangeError(
      `Cannot estimate an autocorrelation time: chain must name one for each of ${values.length} values, got ` +
        `${chain.length}`,
    );
  }
  const byChain = new Map<number, number[]>();
  for (let i = 0; i < values.length; i++) {
    const own = byChain.get(chain[i]);
    if (own === undefined) byChain.set(chain[i], [values[i]]);
    else own.push(values[i]);
  }
  const series = Array.from(byChain.values(), (own) => Float64Array.from(own));
  const tau = integratedAutocorrelationTime(series);
  if (Number.isNaN(tau)) return noEstimate("nothing varies");
  const groups = Math.min(MOST_GROUPS, series.length);
  const doubt = series.length < LEAST_GROUPS
    ? `only ${series.length} chains, fewer than ${LEAST_GROUPS}`
    : Math.min(...series.map(({ length }) => length)) < LEAST_LENGTH * tau
    ? `chains are shorter than ${LEAST_LENGTH} autocorrelation times`
    : null;
  return estimateFrom(tau, jackknifeError(series, groups), { degreesOfFreedom: groups - 1, reason: doubt });
}

function jackknifeError(series: readonly Float64Array[], groups: number): number {
  if (groups < 2) return NaN;
  const without = Array.from(
    { length: groups },
    (_, g) => integratedAutocorrelationTime(series.filter((_, i) => i % groups !== g)),
  );
  const mean = without.reduce((sum, tau) => sum + tau, 0) / groups;
  return Math.sqrt((groups - 1) / groups * without.reduce((sum, tau) => sum + (tau - mean) * (tau - mean), 0));
}
