/**
 * Bijectors one after the other, and a bijector turned round.
 *
 * @module
 */
import { add } from "../graph/operations.ts";
import type { Tensor } from "../graph/graph.ts";
import type { Parameter } from "../graph/parameter.ts";
import type { Bijector } from "./bijector.ts";

/**
 * x = f_m(… f_2(f_1(z))): the first bijector stands next to the prior.
 *
 * @example
 * ```ts
 * import { Chain, Flow, RealNVP, Whitening } from "@boltzflow/boltzflow";
 * import { assertEquals } from "@std/assert";
 *
 * const whitening = Whitening.fit(Float64Array.of(0, 0, 2, 1, 1, 3, 4, 4), 2);
 * const flow = new Flow(new Chain([new RealNVP({ dim: 2, blocks: 2, hidden: [8] }), whitening]));
 *
 * assertEquals(flow.dim, 2);
 * ```
 */
export class Chain implements Bijector {
  readonly dim: number;
  readonly #parts: readonly Bijector[];

  /**
   * Joins bijectors.
   *
   * @param parts one or more bijectors of the same dimension, prior side first
   * @throws {RangeError} if there are none, or dimensions differ
   */
  constructor(parts: readonly Bijector[]) {
    if (parts.length === 0 || parts.some((part) => part.dim !== parts[0].dim)) {
      throw new RangeError(
        `Cannot chain bijectors: parts must be one or more of equal dim, got dims [${parts.map((p) => p.dim)}]`,
      );
    }
    this.dim = parts[0].dim;
    this.#parts = parts;
  }

  parameters(): readonly Parameter[] {
    return this.#parts.flatMap((part) => part.parameters());
  }

  forward(z: Tensor): { x: Tensor; logDet: Tensor } {
    const [first, ...rest] = this.#parts;
    return rest.reduce((from, part) => {
      const { x, logDet } = part.forward(from.x);
      return { x, logDet: add(from.logDet, logDet) };
    }, first.forward(z));
  }

  inverse(x: Tensor): { z: Tensor; logDet: Tensor } {
    const [last, ...rest] = [...this.#parts].reverse();
    return rest.reduce((from, part) => {
      const { z, logDet } = part.inverse(from.z);
      return { z, logDet: add(from.logDet, logDet) };
    }, last.inverse(x));
  }
}

/**
 * The inverse of a bijector as a bijector: forward and inverse exchanged.
 *
 * @example
 * ```ts
 * import { Flow, Inverse, Scaling } from "@boltzflow/boltzflow";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const flow = new Flow(new Inverse(new Scaling({ dim: 1, logScale: [Math.log(2)] })));
 *
 * assertAlmostEquals(flow.decode(Float64Array.of(3)).x[0], 1.5, 1e-6);
 * ```
 */
export class Inverse implements Bijector {
  readonly dim: number;
  readonly #of: Bijector;

  /**
   * Turns a bijector round.
   *
   * @param of the bijector
   */
  constructor(of: Bijector) {
    this.dim = of.dim;
    this.#of = of;
  }

  parameters(): readonly Parameter[] {
    return this.#of.parameters();
  }

  forward(z: Tensor): { x: Tensor; logDet: Tensor } {
    const { z: x, logDet } = this.#of.inverse(z);
    return { x, logDet };
  }

  inverse(x: Tensor): { z: Tensor; logDet: Tensor } {
    const { x: z, logDet } = this.#of.forward(x);
    return { z, logDet };
  }
}
