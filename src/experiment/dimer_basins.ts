/**
 * The basins of the dimer: which one a configuration is in, and numbers for each.
 *
 * @module
 */
import { DIMER_BOUNDARY } from "../system/particle_dimer.ts";
import type { ByBasin } from "./dimer_results.ts";

/** Label of the basin d < 1.5. */
export const CLOSED = 0;
/** Label of the basin d ≥ 1.5. */
export const OPEN = 1;
/** Label of samples that left the range of numbers: they are in no basin and have no weight, but count. */
export const NOWHERE = -1;
/** Names by label. */
export const BASIN_NAMES = ["closed", "open"] as const;

/** Label of the basin of a distance. */
export const basinOf = (d: number): number => !Number.isFinite(d) ? NOWHERE : d < DIMER_BOUNDARY ? CLOSED : OPEN;

/** Computes something for each basin, and for both together (null). */
export function byBasin<T>(f: (basin: number | null) => T | null): ByBasin<T> {
  return { closed: f(CLOSED), open: f(OPEN), all: f(null) };
}

/**
 * Adds the divergence from the half-and-half mixture of the basins to those from each basin: at a configuration of a basin
 * the mixture has half the density that the basin alone has, and half of the configurations come from each.
 */
export function withMixture({ closed, open }: ByBasin): ByBasin {
  return { closed, open, all: closed === null || open === null ? null : (closed + open) / 2 - Math.LN2 };
}

/** Log-weights of samples, and the basin of each. */
export interface BasinWeights {
  readonly logWeights: Float64Array;
  readonly basins: ArrayLike<number>;
}

/** Measures the weights of the samples in each basin, and of all; null where there is no weight. */
export function measureWeights<T>(
  { logWeights, basins }: BasinWeights,
  measure: (logWeights: Float64Array) => T | null,
): ByBasin<T> {
  return byBasin((basin) => {
    const own = basin === null ? logWeights : logWeights.filter((_, i) => basins[i] === basin);
    return own.some((w) => w > -Infinity) ? measure(own) : null;
  });
}

/** Mean of f over the indices of a basin (of all for null); null where there are none. */
export function meanWhere(basins: ArrayLike<number>, basin: number | null, f: (i: number) => number): number | null {
  let sum = 0;
  let count = 0;
  for (let i = 0; i < basins.length; i++) {
    if (basin !== null && basins[i] !== basin) continue;
    sum += f(i);
    count++;
  }
  return count === 0 ? null : sum / count;
}

/** The number, or null where it is none. */
export const finite = (value: number | null): number | null => value !== null && Number.isFinite(value) ? value : null;
