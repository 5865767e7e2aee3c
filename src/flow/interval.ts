/**
 * Coordinates that cannot leave an interval.
 *
 * @module
 */
import {
  add,
  broadcast,
  column,
  concat,
  divide,
  gather,
  log,
  multiply,
  normalCdf,
  probit,
  relu,
  scaleShift,
  square,
  subtract,
  sumFeatures,
} from "../graph/operations.ts";
import type { Tensor } from "../graph/graph.ts";
import { Parameter } from "../graph/parameter.ts";
import { HALF_LOG_TWO_PI, logOf } from "../random/elementary.ts";
import type { Bijector } from "./bijector.ts";

/** What an {@link Interval} is made from. */
export interface IntervalOptions {
  /** Lower and upper end for each coordinate, both finite; null for one that is free. */
  readonly bounds: readonly (readonly [lower: number, upper: number] | null)[];
  /** Prefix of the names of the constants. Default "interval". */
  readonly name?: string;
}

/** Masses outside these count as these, so that every x has a finite z: little more than Φ(−12.9), and 1 − 2⁻²⁴. */
const LEAST = 2.3e-38;
const MOST = 1 - 2 ** -24;
/** Steeper than any difference of two numbers is small. */
const STEEP = 1e300;

/**
 * Maps normal numbers into intervals: x = a + (b − a) Φ(z), coordinate by coordinate; a free one stays as it is.
 *
 *     forward: logDet = Σ [ln(b − a) − z²/2 − ½ ln 2π] over the bounded coordinates
 *
 * Standard normal z become uniform x. Next to the data side of a {@link Chain}, behind trainable bijectors, it makes a flow
 * all of whose mass lies inside, walls included: the inverse gives any x outside a log-determinant of −∞, hence the density
 * zero. The ends are rounded inwards to float32. The map is constant: nothing is trained.
 *
 * In float32 x is on a wall for z < −12.9 and, b being the larger end, for z > 5.4: one sample in 3e7.
 *
 * @example
 * ```ts
 * import { Chain, Flow, Interval, RealNVP } from "@boltzflow/boltzflow";
 * const inside = new Interval({ bounds: [[0, 4], null] });
 * const flow = new Flow(new Chain([new RealNVP({ dim: 2, blocks: 2, hidden: [8] }), inside]));
 * const { x } = flow.sample(1000, { seed: 1 });
 * if (x.some((v, i) => i % 2 === 0 && !(v >= 0 && v <= 4))) throw new Error("no mass outside");
 * if (flow.logProb(Float64Array.of(4.001, 0))[0] !== -Infinity) throw new Error("no density outside");
 * ```
 */
export class Interval implements Bijector {
  readonly dim: number;
  /** Bounded coordinates, and the free ones. */
  readonly #bounded: readonly number[];
  readonly #free: readonly number[];
  readonly #lower: Parameter;
  readonly #upper: Parameter;
  readonly #width: Parameter;

  /**
   * Makes the map.
   *
   * @param options ends of the intervals
   * @throws {RangeError} if no coordinate is bounded, or an interval is not finite or holds no more than a float32
   */
  constructor(options: IntervalOptions) {
    const { bounds, name = "interval" } = options;
    this.dim = bounds.length;
    this.#bounded = bounds.flatMap((ends, i) => ends === null ? [] : [i]);
    this.#free = bounds.flatMap((ends, i) => ends === null ? [i] : []);
    if (this.#bounded.length === 0) {
      throw new RangeError(`Cannot make an interval: bounds must hold one or more pairs, got none in ${bounds.length}`);
    }
    const ends = bounds.flatMap((pair) => pair === null ? [] : [inwards(pair)]);
    const constant = (part: string, values: number[]) =>
      new Parameter(`${name}.${part}`, [values.length], values, { trainable: false });
    this.#lower = constant("lower", ends.map(([lower]) => lower));
    this.#upper = constant("upper", ends.map(([, upper]) => upper));
    this.#width = constant("width", ends.map(([lower, upper]) => upper - lower));
  }

  parameters(): readonly Parameter[] {
    return [this.#lower, this.#upper, this.#width];
  }

  forward(z: Tensor): { x: Tensor; logDet: Tensor } {
    const { graph } = z;
    const normal = this.#some(z);
    const [lower, upper] = [broadcast(graph, this.#lower), broadcast(graph, this.#upper)];
    const inside = add(multiply(normalCdf(normal), broadcast(graph, this.#width)), lower);
    // Rounding may lie an ulp beyond an end.
    const x = atLeast(atMost(inside, upper), lower);
    return { x: this.#withFree(x, z), logDet: this.#logSlope(normal) };
  }

  inverse(x: Tensor): { z: Tensor; logDet: Tensor } {
    const { graph } = x;
    const some = this.#some(x);
    const distance = subtract(some, broadcast(graph, this.#lower));
    const mass = divide(distance, broadcast(graph, this.#width));
    const above = (m: Tensor) => add(m, relu(scaleShift(m, -1, LEAST)));
    const below = (m: Tensor) => subtract(m, relu(scaleShift(m, 1, -MOST)));
    // What lies far outside cancels to 0 and is lifted once more.
    const z = probit(above(below(above(mass))));
    const logDet = scaleShift(this.#logSlope(z), -1, 0);
    return {
      z: this.#withFree(z, x),
      logDet: this.#bounded.reduce((sum, _, i) => add(sum, this.#inside(some, i)), logDet),
    };
  }

  /** Σ ln(b − a) + ln φ(z). */
  #logSlope(z: Tensor): Tensor {
    const constant = this.#width.values().reduce((sum, width) => sum + logOf(width) - HALF_LOG_TWO_PI, 0);
    return scaleShift(sumFeatures(square(z)), -0.5, constant);
  }

  /** 0 where bounded coordinate i is in its interval, else −∞; in float64. */
  #inside(x: Tensor, i: number): Tensor {
    const at = column(x, i);
    const [lower, upper] = [this.#lower.values()[i], this.#upper.values()[i]];
    return add(logStep(scaleShift(at, 1, -lower)), logStep(scaleShift(at, -1, upper)));
  }

  #some(x: Tensor): Tensor {
    return this.#free.length === 0 ? x : gather(x, this.#bounded);
  }

  /** Puts bounded coordinates back between the free ones of x. */
  #withFree(some: Tensor, x: Tensor): Tensor {
    if (this.#free.length === 0) return some;
    const order = [...this.#bounded, ...this.#free];
    return gather(concat(some, gather(x, this.#free)), order.map((_, i) => order.indexOf(i)));
  }
}

/** The smallest interval of float32 numbers' ends that holds no more than the given one. */
function inwards([lower, upper]: readonly [number, number]): [number, number] {
  const next = (value: number, direction: 1 | -1) => {
    const rounded = Math.fround(value);
    if ((rounded - value) * direction >= 0) return rounded;
    const step = Math.max(Math.abs(rounded) * 2 ** -23, 2 ** -149);
    return Math.fround(rounded + direction * step);
  };
  const ends: [number, number] = [next(lower, 1), next(upper, -1)];
  if (!Number.isFinite(Math.fround(ends[1] - ends[0])) || !(ends[0] < ends[1])) {
    throw new RangeError(
      `Cannot make an interval: bounds must be finite pairs, the lower end first, got [${lower}, ${upper}]`,
    );
  }
  return ends;
}

/** min(x, limit), and x itself to the last bit where it is below. */
function atMost(x: Tensor, limit: Tensor): Tensor {
  return subtract(x, relu(subtract(x, limit)));
}

/** max(x, limit), and x itself to the last bit where it is above. */
function atLeast(x: Tensor, limit: Tensor): Tensor {
  return add(x, relu(subtract(limit, x)));
}

/** 0 for t ≥ 0 and −∞ for t < 0: ln(1 − max(0, 1 − max(0, 1 + steep t))) of a column. */
function logStep(t: Tensor): Tensor {
  return log(scaleShift(relu(scaleShift(relu(scaleShift(t, STEEP, 1)), -1, 1)), -1, 1));
}
