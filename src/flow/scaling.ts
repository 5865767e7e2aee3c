/**
 * A trainable factor for each coordinate.
 *
 * @module
 */
import { broadcast, exp, multiply, negate, sumFeatures } from "../graph/operations.ts";
import type { Tensor } from "../graph/graph.ts";
import { Parameter } from "../graph/parameter.ts";
import type { Bijector } from "./bijector.ts";

/** How a {@link Scaling} starts. */
export interface ScalingOptions {
  /** Number of coordinates, ≥ 1. */
  readonly dim: number;
  /** Initial log-scales k, [dim]. Default zeros: the identity. */
  readonly logScale?: ArrayLike<number>;
  /** Prefix of the name of the parameter. Default "scaling". */
  readonly name?: string;
}

/**
 * Multiplies each coordinate by a positive number that training finds.
 *
 *     forward: xⱼ = zⱼ exp(kⱼ), logDet = Σⱼ kⱼ, the same for every sample
 *
 * The factor e^k cannot change sign or vanish, so the map stays invertible. After volume-preserving layers such as
 * {@link NICE} it is what lets the flow fit the widths of a density.
 *
 * Reference: Dinh, Krueger & Bengio 2014, arXiv 1410.8516, section 3.3.
 *
 * @example
 * ```ts
 * import { Flow, Scaling } from "@boltzflow/boltzflow";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const flow = new Flow(new Scaling({ dim: 2, logScale: [Math.log(3), 0] }));
 *
 * assertAlmostEquals(flow.decode(Float64Array.of(1, 1)).x[0], 3, 1e-6);
 * ```
 */
export class Scaling implements Bijector {
  readonly dim: number;
  readonly #logScale: Parameter;

  /**
   * Makes a scaling.
   *
   * @param options size and start
   * @throws {RangeError} if `dim` is not a whole number ≥ 1 or `logScale` has another length
   */
  constructor(options: ScalingOptions) {
    const { dim, logScale, name = "scaling" } = options;
    if (!Number.isInteger(dim) || dim < 1) {
      throw new RangeError(`Cannot make a scaling: dim must be a whole number ≥ 1, got ${dim}`);
    }
    this.dim = dim;
    this.#logScale = new Parameter(`${name}.logScale`, [dim], logScale);
  }

  parameters(): readonly Parameter[] {
    return [this.#logScale];
  }

  forward(z: Tensor): { x: Tensor; logDet: Tensor } {
    const k = broadcast(z.graph, this.#logScale);
    return { x: multiply(z, exp(k)), logDet: sumFeatures(k) };
  }

  inverse(x: Tensor): { z: Tensor; logDet: Tensor } {
    const k = negate(broadcast(x.graph, this.#logScale));
    return { z: multiply(x, exp(k)), logDet: sumFeatures(k) };
  }
}
