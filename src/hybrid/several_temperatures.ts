/**
 * A flow at several temperatures in one batch.
 *
 * @module
 */
import type { ExternalOperation } from "../graph/attributes.ts";
import type { Tensor } from "../graph/graph.ts";
import { external, square, sumFeatures } from "../graph/operations.ts";
import { Flow } from "../flow/flow.ts";
import { NormalPrior, type Prior } from "../flow/prior.ts";
import { HALF_LOG_TWO_PI, logOf } from "../random/elementary.ts";

/** Normal numbers of which sample i has the variance number i modulo their count. */
class InterleavedPrior implements Prior {
  readonly dim: number;
  readonly #standard: NormalPrior;
  readonly #variances: readonly number[];

  constructor(dim: number, variances: readonly number[]) {
    this.dim = dim;
    this.#standard = new NormalPrior(dim);
    this.#variances = variances;
  }

  /** The first row of z must be a sample whose number is a multiple of the count. */
  logProb(z: Tensor): Tensor {
    return external(this.#logDensity, [sumFeatures(square(z))], ["n"]);
  }

  sample(n: number, seed: number, first = 0): Float64Array {
    const deviations = this.#variances.map(Math.sqrt);
    const z = this.#standard.sample(n, seed, first);
    return z.map((v, i) => v * deviations[(first + Math.floor(i / this.dim)) % deviations.length]);
  }

  /** −s/2τ − (dim/2) ln 2πτ of sums of squares s. */
  get #logDensity(): ExternalOperation {
    const slopes = this.#variances.map((variance) => -0.5 / variance);
    const constants = this.#variances.map((variance) => this.dim * (HALF_LOG_TWO_PI + 0.5 * logOf(variance)));
    return {
      name: "prior at several temperatures",
      forward: ([s]) => ({
        value: s.map((one, i) => slopes[i % slopes.length] * one - constants[i % slopes.length]),
        saved: null,
      }),
      vjp: (cotangent) => [cotangent.map((c, i) => c * slopes[i % slopes.length])],
    };
  }
}

/**
 * Makes a flow of which sample i of a batch has temperature number i modulo their count.
 *
 * @param flow at relative temperature 1
 * @param temperatures relative ones, τ
 * @returns a flow with the same parameters
 * @throws {TypeError} if the prior of the flow is not normal
 * @throws {RangeError} if there are no temperatures, or one is not positive and finite
 */
export function flowAtTemperaturesInTurn(flow: Flow, temperatures: readonly number[]): Flow {
  const { bijector, prior, dim } = flow;
  if (!(prior instanceof NormalPrior)) {
    throw new TypeError(
      `Cannot train at several temperatures: the flow's prior must be a NormalPrior, got ${prior.constructor.name}`,
    );
  }
  if (temperatures.length === 0 || !temperatures.every((tau) => tau > 0 && tau < Infinity)) {
    throw new RangeError(
      `Cannot train at several temperatures: temperatures must be positive and finite, got [${
        temperatures.join(", ")
      }]`,
    );
  }
  return new Flow(bijector, new InterleavedPrior(dim, temperatures.map((tau) => tau * prior.variance)));
}
