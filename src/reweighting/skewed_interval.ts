import { studentQuantile } from "./student_t.ts";

/** Below this skewness the correction is smaller than rounding of any report. */
const NEGLIGIBLE = 1e-6;

/**
 * Computes how many standard errors an interval of 95 % reaches below and above a mean of skewed contributions.
 *
 *     g(T) = T + γT²/3 + γ²T³/27 + γ/6 is nearly normal for T = (mean − truth)/error,   γ = Σ s³ / (Σ s²)^{3/2}
 *
 * A mean of weights with a long tail is mostly a little too small, and its error with it: the truth lies further above than
 * below. g is inverted in closed form; Student's t takes the place of the normal quantile where contributions are few.
 *
 * Reference: Hall, J. R. Stat. Soc. B 54, 221 (1992).
 *
 * @param scores what each independent contribution adds to the mean, less their average, [n]
 * @returns standard errors from the mean down to the lower end and up to the upper end, both positive
 */
export function skewedReach(scores: Float64Array): { readonly below: number; readonly above: number } {
  let squares = 0;
  let cubes = 0;
  for (const score of scores) {
    squares += score * score;
    cubes += score ** 3;
  }
  const quantile = studentQuantile(Math.max(1, scores.length - 1));
  const skewness = squares > 0 ? cubes / squares ** 1.5 : 0;
  if (Math.abs(skewness) < NEGLIGIBLE) return { below: quantile, above: quantile };
  const deviation = (z: number) => 3 / skewness * (Math.cbrt(1 + skewness * (z - skewness / 6)) - 1);
  return { below: deviation(quantile), above: -deviation(-quantile) };
}
