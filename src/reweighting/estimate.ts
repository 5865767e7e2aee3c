import { studentQuantile } from "./student_t.ts";

/**
 * A number with its error, and whether to believe it.
 *
 * `value` is null when there is no estimate at all, `standardError` and `interval95` when there is no error. `reason` is
 * null for a reliable estimate and otherwise a clause that says why it is not, fit to follow "unreliable: ".
 */
export interface Estimate {
  /** The estimate, or null when there is none. */
  readonly value: number | null;
  /** One standard error, or null when there is none. */
  readonly standardError: number | null;
  /** Interval [lower, upper] that covers the truth 95 times in 100, with Student's t where the error has few sources. */
  readonly interval95: readonly [number, number] | null;
  /** Whether every check passed. */
  readonly reliable: boolean;
  /** Why not, or null. */
  readonly reason: string | null;
}

/** A free energy or free-energy difference in units of k_BT, with its error. */
export type FreeEnergyEstimate = Estimate;

/**
 * Puts a value and its error into an `Estimate`.
 *
 * @param value the estimate
 * @param standardError its standard error; not finite means that there is none, which makes the estimate unreliable
 * @param details degrees of freedom of the error (default ∞), and the first reason for doubt (default none)
 * @returns the estimate with its 95 % interval value ± t·standardError
 */
export function estimateFrom(
  value: number,
  standardError: number,
  details: { degreesOfFreedom?: number; reason?: string | null } = {},
): Estimate {
  const { degreesOfFreedom = Infinity, reason = null } = details;
  if (!Number.isFinite(value)) return noEstimate(reason ?? `the estimate is ${value}`);
  if (!Number.isFinite(standardError)) {
    const doubt = reason ?? "its standard error cannot be estimated";
    return { value, standardError: null, interval95: null, reliable: false, reason: doubt };
  }
  const half = studentQuantile(degreesOfFreedom >= 1 ? degreesOfFreedom : 1) * standardError;
  return { value, standardError, interval95: [value - half, value + half], reliable: reason === null, reason };
}

/**
 * Says that there is no estimate, and why.
 *
 * @param reason a clause, fit to follow "no estimate: "
 * @returns an `Estimate` without numbers
 */
export function noEstimate(reason: string): Estimate {
  return { value: null, standardError: null, interval95: null, reliable: false, reason };
}
