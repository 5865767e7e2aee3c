import { expOf, logOf } from "../random/elementary.ts";
import { requireLogWeights } from "./input_checks.ts";

/**
 * Computes the logarithm of a sum of exponentials without overflow or underflow.
 *
 *     logSumExp(v) = ln Σᵢ exp(vᵢ) = m + ln Σᵢ exp(vᵢ − m),   m = maxᵢ vᵢ
 *
 * An entry of −Infinity adds nothing; when all entries are −Infinity, so is the result.
 *
 * Units: those of `values` (a logarithm, so none).
 *
 * @param values exponents, [n]
 * @returns ln Σ exp(values)
 * @throws {RangeError} if `values` is empty or holds NaN or +Infinity
 *
 * @example Usage
 * ```ts
 * import { logSumExp } from "@boltzflow/boltzflow";
 * import assert from "node:assert/strict";
 *
 * assert.equal(logSumExp(Float64Array.of(1000, 1000)), 1000 + Math.LN2);
 * ```
 */
export function logSumExp(values: Float64Array): number {
  requireLogWeights("sum exponentials", values, "values");
  const largest = maximum(values);
  if (largest === -Infinity) return -Infinity;
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += expOf(values[i] - largest);
  return largest + logOf(sum);
}

/**
 * Computes the logarithm of the mean of exponentials.
 *
 *     logMeanExp(v) = ln (1/n) Σᵢ exp(vᵢ)
 *
 * For log weights −u(x) − ln q(x) of samples x ~ q (q normalised) this is the importance-sampling estimate of ln Z,
 * Z = ∫ exp(−u) dx. Entries of −Infinity count in n. The estimate of Z is unbiased, that of ln Z is low by about half
 * its variance; `logPartitionFunction` adds the error and says when not to trust it.
 *
 * Units: none.
 *
 * @param values exponents, [n]
 * @returns ln of the mean of exp(values)
 * @throws {RangeError} if `values` is empty or holds NaN or +Infinity
 */
export function logMeanExp(values: Float64Array): number {
  return logSumExp(values) - logOf(values.length);
}

/**
 * Finds the largest entry of a list.
 *
 * @param values the list, [n]
 * @returns the largest entry, −Infinity for an empty list
 */
export function maximum(values: Float64Array): number {
  let largest = -Infinity;
  for (let i = 0; i < values.length; i++) if (values[i] > largest) largest = values[i];
  return largest;
}
