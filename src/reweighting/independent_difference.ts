import { type Estimate, estimateFrom, noEstimate } from "./estimate.ts";

/**
 * Subtracts one independent estimate from another.
 *
 * Student's t of either stays in the interval of the difference: half-widths add like errors. The first reason for doubt,
 * that of the minuend, remains.
 *
 * @param minuend what is subtracted from
 * @param subtrahend what is subtracted
 * @returns minuend − subtrahend; no value where one of them has none
 */
export function independentDifference(minuend: Estimate, subtrahend: Estimate): Estimate {
  const reason = minuend.reason ?? subtrahend.reason;
  const missing = [minuend, subtrahend].find(({ value }) => value === null);
  if (missing !== undefined) return noEstimate(missing.reason!);
  const value = minuend.value! - subtrahend.value!;
  const error = Math.hypot(minuend.standardError ?? NaN, subtrahend.standardError ?? NaN);
  const estimate = estimateFrom(value, error, { reason });
  if (estimate.interval95 === null) return estimate;
  const half = Math.hypot(halfWidth(minuend), halfWidth(subtrahend));
  return { ...estimate, interval95: [value - half, value + half] };
}

function halfWidth({ interval95 }: Estimate): number {
  return (interval95![1] - interval95![0]) / 2;
}
