/**
 * The normal distribution far out, in float64: logarithms of tail masses that would underflow, and back.
 *
 * @module
 */
import { normalCdf, normalQuantile } from "./reference_normal.ts";

/** ln √(2π). */
const HALF_LOG_TWO_PI = 0.9189385332046728;
/** From here on the asymptotic series is exact to rounding. */
const FAR = -30;
/** The logarithm of a mass whose quantile is about {@link FAR}. */
const FAR_LOG = -454;

/** ln(1 − 1/z² + 3/z⁴ − 15/z⁶ + 105/z⁸ − 945/z¹⁰): Φ(z) = φ(z)/|z| · that. */
function logMillsSeries(z: number): number {
  const w = 1 / (z * z);
  return Math.log1p(-w * (1 - w * (3 - w * (15 - w * (105 - 945 * w)))));
}

/** ln Φ(z), for any z. */
export function logNormalCdf(z: number): number {
  if (z > FAR) return z > 5 ? Math.log1p(-normalCdf(-z)) : Math.log(normalCdf(z));
  return -z * z / 2 - HALF_LOG_TWO_PI - Math.log(-z) + logMillsSeries(z);
}

/** Φ⁻¹ of the masses e^logLower below and e^logUpper above: exact from whichever is smaller. */
export function normalQuantileOfLogs(logLower: number, logUpper: number): number {
  const log = Math.min(logLower, logUpper);
  if (!(log < FAR_LOG)) return normalQuantile(Math.exp(logLower), Math.exp(logUpper));
  if (log === -Infinity) return logLower < logUpper ? log : -log;
  // Newton's method for ln Φ(−y) = log, whose derivative is −(y + 1/y − …)
  let y = Math.sqrt(-2 * log);
  for (let i = 0; i < 6; i++) y += (logNormalCdf(-y) - log) / (y + 1 / y);
  return logLower < logUpper ? -y : y;
}
