/**
 * The density of z.
 *
 * @module
 */
import { scaleShift, square, sumFeatures } from "../graph/operations.ts";
import type { Tensor } from "../graph/graph.ts";
import { HALF_LOG_TWO_PI, logOf } from "../random/elementary.ts";
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

/** log p(z) = −|z|²/2τ − (dim/2) ln 2πτ of independent normal numbers z [n, dim] of variance τ. */
export function normalLog(z: Tensor, variance = 1): Tensor {
  const constant = (z.shape[1] as number) * (HALF_LOG_TWO_PI + 0.5 * logOf(variance));
  return scaleShift(sumFeatures(square(z)), -0.5 / variance, -constant);
}

/** How wide a {@link NormalPrior} is. */
export interface NormalPriorOptions {
  /** Variance of each coordinate, positive and finite. Default 1. */
  readonly variance?: number;
}

/**
 * Independent normal numbers of one variance τ, default 1: log p(z) = −|z|²/2τ − (dim/2) ln 2πτ.
 *
 * A variance other than 1 is how a flow is asked for another temperature: see {@link flowAtTemperature}. Samples of equal
 * seed are the same points times √τ.
 *
 * @example
 * ```ts
 * import { NormalPrior } from "@boltzflow/boltzflow";
 * import { assertEquals } from "@std/assert";
 *
 * const [cold, hot] = [new NormalPrior(2), new NormalPrior(2, { variance: 4 })];
 *
 * assertEquals(hot.sample(3, 7), cold.sample(3, 7).map((z) => 2 * z));
 * ```
 */
export class NormalPrior implements Prior {
  readonly dim: number;
  /** Variance of each coordinate. */
  readonly variance: number;

  /**
   * Makes the prior of a number of coordinates.
   *
   * @param dim number of coordinates
   * @param options `variance`, default 1
   * @throws {RangeError} if the variance is not positive and finite
   */
  constructor(dim: number, options: NormalPriorOptions = {}) {
    const { variance = 1 } = options;
    if (!(variance > 0 && variance < Infinity)) {
      throw new RangeError(`Cannot make a normal prior: variance must be positive and finite, got ${variance}`);
    }
    this.dim = dim;
    this.variance = variance;
  }

  logProb(z: Tensor): Tensor {
    return normalLog(z, this.variance);
  }

  sample(n: number, seed: number, first = 0): Float64Array {
    const random = new RandomStream(seed, PRIOR_STREAM);
    random.seek(WORDS_PER_NORMAL * first * this.dim);
    const z = random.fillNormals(new Float64Array(n * this.dim));
    const deviation = Math.sqrt(this.variance);
    return deviation === 1 ? z : z.map((v) => deviation * v);
  }
}

/**
 * Whether a prior is normal with variance 1: what bijectors with a density of their own, temperature slices and models in
 * files take for granted.
 */
export function isStandardNormal(prior: Prior): boolean {
  return prior instanceof NormalPrior && prior.variance === 1;
}
