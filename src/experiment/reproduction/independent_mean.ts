/**
 * Means of independent numbers, such as those of chains.
 *
 * @module
 */
import { type Estimate, estimateFrom } from "../../reweighting/estimate.ts";

/**
 * Averages independent numbers; their scatter is the error.
 *
 * @param values two or more
 * @param reason why the mean is to be doubted; default: it is not
 * @returns the mean with its standard error, Student's t; doubted where there is no scatter
 */
export function independentMean(values: readonly number[], reason: string | null = null): Estimate {
  const n = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1);
  return estimateFrom(mean, Math.sqrt(variance / n), { degreesOfFreedom: n - 1, reason });
}

/**
 * Sorts numbers by the chains that they come from.
 *
 * @param values [n]
 * @param chain of each [n]
 * @param keep which of them are wanted
 * @returns those of each chain that has any
 */
export function byChain(
  values: Float64Array,
  chain: ArrayLike<number>,
  keep: (i: number) => boolean,
): readonly (readonly number[])[] {
  const found = new Map<number, number[]>();
  values.forEach((value, i) => {
    if (!keep(i)) return;
    const own = found.get(chain[i]);
    if (own === undefined) found.set(chain[i], [value]);
    else own.push(value);
  });
  return [...found.values()];
}

/**
 * Averages each chain, then the chains.
 *
 * @param chains numbers of each
 * @returns the mean with the error that the scatter of chains says
 */
export function meanOverChains(chains: readonly (readonly number[])[]): Estimate {
  return independentMean(chains.map((own) => own.reduce((sum, value) => sum + value, 0) / own.length));
}
