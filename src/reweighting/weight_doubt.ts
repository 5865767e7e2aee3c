import { paretoK, paretoKLimit } from "./pareto_smoothing.ts";
import { countInWords, MINIMUM_EFFECTIVE_SAMPLES } from "./reliability.ts";

/**
 * Says why importance weights should not be trusted, if so.
 *
 * @param logWeights log weights of independent samples, [n]; −Infinity is a weight of zero
 * @param effective their effective number, known to the caller
 * @param place what the weights belong to, such as " of basin open", for the sentence
 * @returns a clause, or null when at least 50 samples are effective and k̂ is below its limit
 */
export function weightDoubt(logWeights: Float64Array, effective: number, place: string): string | null {
  if (effective < MINIMUM_EFFECTIVE_SAMPLES) {
    return `only ${countInWords(effective)} samples${place} are effective, fewer than ${MINIMUM_EFFECTIVE_SAMPLES}`;
  }
  const positive = logWeights.filter((logWeight) => logWeight > -Infinity);
  const shape = paretoK(positive);
  const limit = paretoKLimit(positive.length);
  if (shape <= limit) return null;
  return `the weights${place} are too heavy-tailed: Pareto k is ${shape.toFixed(2)}, above its limit ${
    limit.toFixed(2)
  }`;
}
