/**
 * The exact map between normal numbers and the oscillator in a box.
 *
 * @module
 */
import { add, concat, gather, scaleShift, subtract } from "../graph/operations.ts";
import type { Tensor } from "../graph/graph.ts";
import type { Parameter } from "../graph/parameter.ts";
import { logOf } from "../random/elementary.ts";
import type { Bijector } from "./bijector.ts";
import { Interval } from "./interval.ts";

/** The numbers of a {@link HarmonicBoxMap}, as those of the `HarmonicOscillatorBox`. */
export interface HarmonicBoxMapOptions {
  /** k > 0, energy of a spring of unit length. */
  readonly k: number;
  /** L > 0, length of the box of the first particle. */
  readonly boxLength: number;
  /** T in units of T₀, default 1. */
  readonly temperature?: number;
}

/**
 * x₁ = L Φ(z₁), x₂ = x₁ + z₂ √(T/2k), the inverse of z₁ = Φ⁻¹(x₁/L), z₂ = √(2k/T) (x₂ − x₁).
 *
 * With a standard normal prior it is the density exp(−U/T)/Z of `HarmonicOscillatorBox` itself: all log-weights are ln Z. What
 * a flow learns can be compared with it, point by point. (The student report prints the distance as |x₂ − x₁|, which has no
 * inverse.) Outside the box the density is zero, as with {@link Interval}.
 *
 * @example
 * ```ts
 * import { Flow, HarmonicBoxMap, HarmonicOscillatorBox } from "@boltzflow/boltzflow";
 * const system = new HarmonicOscillatorBox();
 * const flow = new Flow(new HarmonicBoxMap({ k: 1, boxLength: 4 }));
 * const { x, logProb } = flow.sample(100, { seed: 1 });
 * const { logPartition } = system.exact(1);
 * system.energy(x).forEach((u, i) => {
 *   if (!(Math.abs(-u - logProb[i] - logPartition) < 1e-4)) throw new Error("every weight is Z");
 * });
 * ```
 */
export class HarmonicBoxMap implements Bijector {
  readonly dim = 2;
  readonly #interval: Interval;
  /** Standard deviation of x₂ − x₁. */
  readonly #deviation: number;

  /**
   * Makes the map.
   *
   * @param options spring, box and temperature
   * @throws {RangeError} if a number is not positive
   */
  constructor(options: HarmonicBoxMapOptions) {
    const { k, boxLength, temperature = 1 } = options;
    for (const [name, value] of [["k", k], ["boxLength", boxLength], ["temperature", temperature]] as const) {
      if (!(value > 0 && Number.isFinite(value))) {
        throw new RangeError(`Cannot make a HarmonicBoxMap: ${name} must be a positive number, got ${value}`);
      }
    }
    this.#interval = new Interval({ bounds: [[0, boxLength], null], name: "box" });
    this.#deviation = Math.sqrt(temperature / (2 * k));
  }

  parameters(): readonly Parameter[] {
    return this.#interval.parameters();
  }

  forward(z: Tensor): { x: Tensor; logDet: Tensor } {
    const { x, logDet } = this.#interval.forward(z);
    const first = gather(x, [0]);
    const second = add(first, scaleShift(gather(x, [1]), this.#deviation, 0));
    return { x: concat(first, second), logDet: scaleShift(logDet, 1, logOf(this.#deviation)) };
  }

  inverse(x: Tensor): { z: Tensor; logDet: Tensor } {
    const first = gather(x, [0]);
    const distance = scaleShift(subtract(gather(x, [1]), first), 1 / this.#deviation, 0);
    const { z, logDet } = this.#interval.inverse(concat(first, distance));
    return { z, logDet: scaleShift(logDet, 1, -logOf(this.#deviation)) };
  }
}
