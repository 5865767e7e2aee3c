/**
 * What an audit of a flow says, and how a number becomes a verdict.
 *
 * @module
 */

/** What is checked: each by numbers that the others do not use. */
export type AuditName = "round trip" | "both directions" | "log-determinant" | "kernels" | "integral";

/** One check of an audit. */
export interface AuditCheck {
  /** Which check. */
  readonly name: AuditName;
  /** What is compared, in a sentence. */
  readonly compares: string;
  /** Number of points at which it was. */
  readonly points: number;
  /** Largest error found; null if it is not finite, or nothing was compared. */
  readonly error: number | null;
  /** Error that a correct flow may have; null if it is not finite, or nothing was compared. */
  readonly tolerance: number | null;
  /** "failed" if the error exceeds the tolerance or is no number; "not possible" if nothing could be compared. */
  readonly verdict: "passed" | "failed" | "not possible";
  /** Why nothing could be compared, or where it failed; else null. */
  readonly reason: string | null;
}

/** An audit of a flow. */
export interface FlowAudit {
  /** Whether no check failed. */
  readonly passed: boolean;
  /** The checks. */
  readonly checks: readonly AuditCheck[];
}

/**
 * Kernels err by up to 5 units in the last place where an emulation rounds by half a one (10), and one set of rounding
 * errors is one draw of chance, of which another may be ten times as large. Real faults are thousands of times larger.
 */
export const SAFETY = 100;
/** Half the distance of float32 numbers near 1. */
const HALF_ULP = 2 ** -24;

/** Largest absolute value; NaN if one is no number. */
export function largest(values: ArrayLike<number>): number {
  let most = 0;
  for (let i = 0; i < values.length; i++) most = Math.max(most, Math.abs(values[i]));
  return most;
}

/** Largest distance of corresponding numbers. */
export function largestDistance(a: Float64Array, b: Float64Array): number {
  return largest(a.map((v, i) => v - b[i]));
}

/** The error that float32 may make in numbers, from their exact values and those with rounded inputs or steps. */
export function roundingTolerance(exact: Float64Array, rounded: Float64Array): number {
  return SAFETY * (largestDistance(exact, rounded) + HALF_ULP * largest(exact));
}

/** An error with the tolerance that belongs to it. */
export interface Measured {
  /** What was compared. */
  readonly what: string;
  /** Largest error. */
  readonly error: number;
  /** What is allowed. */
  readonly tolerance: number;
}

/** A check of one or more comparisons: the one that comes nearest to its tolerance, or exceeds it most, speaks for all. */
export function checkOf(name: AuditName, compares: string, points: number, measured: readonly Measured[]): AuditCheck {
  // What is no number is worst.
  const excess = ({ error, tolerance }: Measured) => error <= tolerance ? error / tolerance || 0 : Infinity;
  const worst = measured.reduce((a, b) => excess(b) > excess(a) ? b : a);
  const failed = !(worst.error <= worst.tolerance);
  return {
    name,
    compares,
    points,
    error: finiteOrNull(worst.error),
    tolerance: finiteOrNull(worst.tolerance),
    verdict: failed ? "failed" : "passed",
    reason: failed ? worst.what : null,
  };
}

const finiteOrNull = (value: number) => Number.isFinite(value) ? value : null;

/** A check for which there is nothing to compare. */
export function notPossible(name: AuditName, compares: string, reason: string): AuditCheck {
  return { name, compares, points: 0, error: null, tolerance: null, verdict: "not possible", reason };
}
