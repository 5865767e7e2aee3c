/**
 * The density of z.
 *
 * @module
 */
import { scaleShift, square, sumFeatures } from "../graph/operations.ts";
import type { Tensor } from "../graph/graph.ts";
import { HALF_LOG_TWO_PI } from "../random/elementary.ts";
import { RandomStream } from "../random/random_stream.ts";

/** A density that can be sampled and evaluated on the prior side. */
export interface Prior {
  /** Number of coordinates. */
  readonly dim: number;
  /**
   * Enters log p(z), normalised, into a graph.
   *
   * @param z [n, dim]
   * @returns [n]
   */
  logProb(z: Tensor): Tensor;
  /**
   * Draws samples. Sample i depends on the seed and on i alone.
   *
   * @param n how many
   * @param seed of the generator
   * @param first index of the first sample
   * @returns row-major [n, dim]
   */
  sample(n: number, seed: number, first?: number): Float64Array;
}

/** Stream number of the prior's generator: other users of the same seed take other streams. */
const PRIOR_STREAM = 0x7a;
/** Words of the generator that one normal takes. */
const WORDS_PER_NORMAL = 2;

/** log p(z) = −|z|²/2 − (dim/2) ln 2π of standard normal numbers z [n, dim]. */
export function normalLog(z: Tensor): Tensor {
  return scaleShift(sumFeatures(square(z)), -0.5, -(z.shape[1] as number) * HALF_LOG_TWO_PI);
}

/** The standard normal: log p(z) = −|z|²/2 − (dim/2) ln 2π. */
export class NormalPrior implements Prior {
  readonly dim: number;

  /**
   * Makes the prior of a number of coordinates.
   *
   * @param dim number of coordinates
   */
  constructor(dim: number) {
    this.dim = dim;
  }

  logProb(z: Tensor): Tensor {
    return normalLog(z);
  }

  sample(n: number, seed: number, first = 0): Float64Array {
    const random = new RandomStream(seed, PRIOR_STREAM);
    random.seek(WORDS_PER_NORMAL * first * this.dim);
    return random.fillNormals(new Float64Array(n * this.dim));
  }
}
