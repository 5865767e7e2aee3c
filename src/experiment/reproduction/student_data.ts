/**
 * Training data of the CS-230 report, drawn from the distributions that it states.
 *
 * @module
 */
import { HALF_LOG_TWO_PI, logOf } from "../../random/elementary.ts";
import { RandomStream } from "../../random/random_stream.ts";

/** x of each Gaussian, its variance, and the share of the data that it has; y is standard normal. */
const LEFT = { centre: -1.8, share: 0.9 };
const RIGHT = { centre: 1.8, share: 0.1 };
const VARIANCE = 0.05;

/**
 * Draws data for the double well as the students did: 9 of 10 from N((−1.8, 0), diag(0.05, 1)), the others from the same
 * around (1.8, 0). That is neither equilibrium, where the right well has 3.3 %, nor Monte Carlo.
 *
 * @param n how many, a multiple of 10
 * @param seed of the draws
 * @returns [n, 2]
 */
export function twoGaussians(n: number, seed: number): Float64Array {
  const x = new RandomStream(seed).fillNormals(new Float64Array(2 * n));
  for (let i = 0; i < n; i++) {
    const { centre } = i < LEFT.share * n ? LEFT : RIGHT;
    x[2 * i] = centre + Math.sqrt(VARIANCE) * x[2 * i];
  }
  return x;
}

/** Entropy of these data: of one Gaussian, and of the choice between them; they lie 16 deviations apart. */
export const TWO_GAUSSIANS_ENTROPY = 1 + 2 * HALF_LOG_TWO_PI + 0.5 * logOf(VARIANCE) -
  LEFT.share * logOf(LEFT.share) - RIGHT.share * logOf(RIGHT.share);

/**
 * Draws the oscillator in a box exactly: x₁ uniform in [0, L], x₂ − x₁ normal with variance 1/2k.
 *
 * @param n how many
 * @param parameters spring and box
 * @param seed of the draws
 * @returns [n, 2]
 */
export function oscillatorDraws(
  n: number,
  { k, boxLength }: { readonly k: number; readonly boxLength: number },
  seed: number,
): Float64Array {
  // Streams of their own: a normal number also reads the words of its neighbour in the stream.
  const first = new RandomStream(seed, 0).fillUniforms(new Float64Array(n)).map((u) => boxLength * u);
  const distance = new RandomStream(seed, 1).fillNormals(new Float64Array(n)).map((z) => z / Math.sqrt(2 * k));
  return Float64Array.from({ length: 2 * n }, (_, i) => first[i >> 1] + (i % 2) * distance[i >> 1]);
}

/** Entropy of the oscillator in its box: ln L + ½ ln(2πe/2k). */
export function oscillatorEntropy({ k, boxLength }: { readonly k: number; readonly boxLength: number }): number {
  return Math.log(boxLength) + 0.5 * (1 + Math.log(Math.PI / k));
}
