/**
 * Losses of a batch that holds samples at several temperatures in turn.
 *
 * @module
 */
import type { ExternalOperation } from "../graph/attributes.ts";

/**
 * Applies a loss to the samples of each temperature by themselves and averages over temperatures.
 *
 *     J = (1/m) Σₖ J(vₖ, vₖ₊ₘ, vₖ₊₂ₘ, …),   k = 0 … m − 1
 *
 * Sample i has temperature number i modulo m, as the published code interleaves them. A loss that is no mean over samples,
 * such as that of the reaction coordinate, would else judge the mixture of all temperatures.
 *
 * @param operation a loss [n] → [] of one temperature
 * @param temperatures their number m, ≥ 1
 * @returns a loss [n] → [], n a multiple of m
 * @throws {RangeError} if m is not a whole number ≥ 1
 *
 * @example Two temperatures, each spread over the whole range by itself
 * ```ts
 * import { averagedPerTemperature, reactionCoordinateOperation } from "@boltzflow/boltzflow";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const operation = reactionCoordinateOperation({ bounds: [0, 1] });
 * const value = (r: number[], one = operation) => one.forward([Float64Array.from(r)], r.length).value[0];
 *
 * const [cold, hot] = [[0, 0.1], [0.2, 0.9]];
 * const mean = (value(cold) + value(hot)) / 2;
 * assertAlmostEquals(value([0, 0.2, 0.1, 0.9], averagedPerTemperature(operation, 2)), mean, 1e-12);
 * ```
 */
export function averagedPerTemperature(operation: ExternalOperation, temperatures: number): ExternalOperation {
  const m = temperatures;
  if (!Number.isInteger(m) || m < 1) {
    throw new RangeError(`Cannot average a loss: temperatures must be a whole number ≥ 1, got ${m}`);
  }
  if (m === 1) return operation;
  return {
    name: `${operation.name} of ${m} temperatures`,
    forward([v], n) {
      if (n % m !== 0) {
        throw new RangeError(`Cannot average a loss: samples must be a multiple of ${m} temperatures, got ${n}`);
      }
      const parts = Array.from({ length: m }, (_, k) => operation.forward([everyMth(v, k, m)], n / m));
      const total = parts.reduce((sum, { value }) => sum + value[0], 0);
      return { value: Float64Array.of(total / m), saved: parts.map(({ saved }) => saved) };
    },
    vjp([c], [v], saved, n) {
      const gradient = new Float64Array(v.length);
      (saved as unknown[]).forEach((part, k) => {
        const [own] = operation.vjp(Float64Array.of(c / m), [everyMth(v, k, m)], part, n / m);
        own?.forEach((g, i) => gradient[i * m + k] = g);
      });
      return [gradient];
    },
  };
}

function everyMth(v: Float64Array, first: number, m: number): Float64Array {
  return Float64Array.from({ length: v.length / m }, (_, i) => v[first + i * m]);
}
