import type { CounterRandom } from "./counter_random.ts";

/**
 * Draws from a binomial distribution by inversion, searching outwards from the mode.
 *
 *     P(k) = C(n, k) pᵏ (1 − p)ⁿ⁻ᵏ
 *
 * Exact to rounding for any n and p, in about √(n p (1 − p)) steps.
 *
 * @param trials n, an integer ≥ 0
 * @param probability p in [0, 1]
 * @param random where the one uniform number comes from
 * @returns k, an integer from 0 to n
 */
export function drawBinomial(trials: number, probability: number, random: CounterRandom): number {
  if (trials === 0 || probability <= 0) return 0;
  if (probability >= 1) return trials;
  const odds = probability / (1 - probability);
  const mode = Math.min(trials, Math.floor((trials + 1) * probability));
  const atMode = Math.exp(
    logFactorial(trials) - logFactorial(mode) - logFactorial(trials - mode) + mode * Math.log(probability) +
      (trials - mode) * Math.log1p(-probability),
  );
  let left = random.uniform() - atMode;
  let below = mode;
  let above = mode;
  let atBelow = atMode;
  let atAbove = atMode;
  while (left > 0 && (atBelow > 0 || atAbove > 0)) {
    atAbove *= (trials - above) / (above + 1) * odds;
    above++;
    left -= atAbove;
    if (left <= 0) return above;
    atBelow *= below / ((trials - below + 1) * odds);
    below--;
    left -= atBelow;
    if (left <= 0) return below;
  }
  return mode;
}

/** ln n! by Stirling's series, exact to 1e-12 from 10 on; by the product before. */
function logFactorial(n: number): number {
  if (n < 10) {
    let product = 1;
    for (let i = 2; i <= n; i++) product *= i;
    return Math.log(product);
  }
  const inverse = 1 / n;
  const square = inverse * inverse;
  const series = inverse * (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square / 1680)));
  return n * Math.log(n) - n + 0.5 * Math.log(2 * Math.PI * n) + series;
}
