/**
 * The temperatures of a run, and how a flow sees them.
 *
 * @module
 */
import { temperatureCoordinate } from "../flow/temperature_slice.ts";
import { logOf, powerOf } from "../random/elementary.ts";
import type { SymmetryOperation } from "../system/symmetry.ts";

/** A temperature of a run. */
export interface LadderTemperature {
  /** T in units of T₀. */
  readonly temperature: number;
  /** Whether the flow is trained at it; if not, it lies between two rungs. */
  readonly trained: boolean;
}

/** Centre and spread of ln T: what an `AutoregressiveParticleFlow` takes as `temperatures`. */
export interface LogTemperatures {
  /** Middle of ln T. */
  readonly centre: number;
  /** Unit of the coordinate. */
  readonly spread: number;
}

/**
 * Lists the temperatures of a run in rising order: the rungs of a geometric ladder, on which the flow is trained, and
 * between each two neighbours their geometric mean, at which it is only judged.
 *
 * @param range lowest and highest temperature
 * @param rungs number of rungs, ≥ 2
 * @returns 2 · rungs − 1 temperatures
 * @throws {RangeError} if the range is not positive and rising, or there are fewer than two rungs
 */
export function temperatureLadder(range: readonly [number, number], rungs: number): LadderTemperature[] {
  requireRange(range);
  if (!Number.isInteger(rungs) || rungs < 2) {
    throw new RangeError(`Cannot make a temperature ladder: rungs must be a whole number ≥ 2, got ${rungs}`);
  }
  const [low, high] = range;
  const steps = 2 * rungs - 2;
  return Array.from({ length: steps + 1 }, (_, k) => ({
    temperature: k === steps ? high : low * powerOf(high / low, k / steps),
    trained: k % 2 === 0,
  }));
}

/**
 * Chooses the coordinate c = (ln T − centre) / spread so that temperatures that are uniform in ln T give it mean 0 and
 * variance 1: it lies between −√3 and √3.
 *
 * @param range lowest and highest temperature
 * @returns centre and spread
 * @throws {RangeError} if the range is not positive and rising
 */
export function logTemperatures(range: readonly [number, number]): LogTemperatures {
  requireRange(range);
  const [low, high] = range.map(logOf);
  return { centre: (low + high) / 2, spread: (high - low) / Math.sqrt(12) };
}

/**
 * Puts the coordinate of a temperature before configurations.
 *
 * @param x configurations [n, dim], row-major
 * @param dim number of coordinates
 * @param temperature T
 * @param temperatures centre and spread of ln T
 * @returns rows (c, x), [n, 1 + dim]
 */
export function temperatureRows(
  x: Float64Array,
  dim: number,
  temperature: number,
  temperatures: LogTemperatures,
): Float64Array {
  const c = temperatureCoordinate(temperature, temperatures);
  const rows = new Float64Array(x.length / dim * (dim + 1));
  for (let from = 0, to = 0; from < x.length; from += dim, to += dim + 1) {
    rows[to] = c;
    rows.set(x.subarray(from, from + dim), to + 1);
  }
  return rows;
}

/**
 * Extends a symmetry of configurations to rows (c, x): the temperature stays.
 *
 * @param operation a symmetry of x
 * @returns the symmetry of (c, x)
 */
export function besideTemperature({ from, signs }: SymmetryOperation): SymmetryOperation {
  return { from: [0, ...from.map((i) => i + 1)], signs: [1, ...signs] };
}

function requireRange([low, high]: readonly [number, number]): void {
  if (low > 0 && high > low && Number.isFinite(high)) return;
  throw new RangeError(
    `Cannot make a temperature ladder: range must be two rising positive numbers, got ${low} and ${high}`,
  );
}
