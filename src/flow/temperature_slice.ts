/**
 * One temperature of a flow that serves many.
 *
 * @module
 */
import { sampleCount } from "../autodiff/gradient.ts";
import type { Executor } from "../backend/executor.ts";
import { HALF_LOG_TWO_PI, logOf } from "../random/elementary.ts";
import { AutoregressiveParticleFlow } from "./autoregressive_particle_flow.ts";
import type { Flow, FlowSamples, Generator } from "./flow.ts";
import { isStandardNormal, NormalPrior } from "./prior.ts";

/**
 * The density p(x | T) of an {@link AutoregressiveParticleFlow} that was made with `temperatures`.
 *
 * The flow's first coordinate is c = (ln T − centre) / spread. Here it is fixed, and taken out of configurations and
 * densities.
 */
export class TemperatureSlice implements Generator {
  readonly dim: number;
  /** T. */
  readonly temperature: number;
  readonly #flow: Flow;
  readonly #prior: NormalPrior;
  readonly #coordinate: number;

  /**
   * Fixes the temperature of a flow.
   *
   * @param flow a flow whose bijector is an `AutoregressiveParticleFlow` with `temperatures`
   * @param temperature T > 0
   * @throws {TypeError} if the flow has no temperature, or a prior other than the standard normal
   * @throws {RangeError} if T is not positive
   */
  constructor(flow: Flow, temperature: number) {
    const { bijector } = flow;
    const temperatures = bijector instanceof AutoregressiveParticleFlow ? bijector.options.temperatures : undefined;
    if (temperatures === undefined) {
      throw new TypeError(
        "Cannot fix a temperature: flow must be an AutoregressiveParticleFlow made with temperatures, got another one",
      );
    }
    if (!isStandardNormal(flow.prior)) {
      throw new TypeError(
        "Cannot fix a temperature: the flow must have a normal prior of variance 1, got another one: the flow knows its " +
          "temperatures by itself",
      );
    }
    this.#coordinate = temperatureCoordinate(temperature, temperatures);
    this.#flow = flow;
    this.dim = flow.dim - 1;
    this.temperature = temperature;
    this.#prior = new NormalPrior(this.dim);
  }

  sample(
    n: number,
    options: { readonly seed: number; readonly first?: number; readonly pool?: Executor },
  ): FlowSamples {
    if (!Number.isInteger(n) || n < 1) {
      throw new RangeError(`Cannot sample from the flow: n must be a whole number ≥ 1, got ${n}`);
    }
    const z = this.#prior.sample(n, options.seed, options.first ?? 0);
    const { x, logProb } = this.#flow.decode(this.#withCoordinate(z), options);
    const kept = x.filter((_, i) => i % (this.dim + 1) !== 0);
    return { x: kept, z, logProb: this.#conditional(logProb) };
  }

  logProb(x: Float64Array, options: { readonly pool?: Executor } = {}): Float64Array {
    return this.#conditional(this.#flow.logProb(this.#withCoordinate(x), options));
  }

  /** Puts the coordinate before every configuration. */
  #withCoordinate(x: Float64Array): Float64Array {
    const { dim } = this;
    const wide = new Float64Array(sampleCount(x, dim) * (dim + 1));
    for (let from = 0, to = 0; from < x.length; from += dim, to += dim + 1) {
      wide[to] = this.#coordinate;
      wide.set(x.subarray(from, from + dim), to + 1);
    }
    return wide;
  }

  /** ln p(x | T) from ln p(c, x): the flow's prior gives c a standard normal density. */
  #conditional(logProb: Float64Array): Float64Array {
    const marginal = -0.5 * this.#coordinate * this.#coordinate - HALF_LOG_TWO_PI;
    return logProb.map((log) => log - marginal);
  }
}

/**
 * The first coordinate of a flow with `temperatures`, as data for training need it.
 *
 * @param temperature T > 0
 * @param temperatures centre and spread of ln T
 * @returns (ln T − centre) / spread, rounded to float32 as the flow sees it
 * @throws {RangeError} if T is not positive
 */
export function temperatureCoordinate(
  temperature: number,
  { centre, spread }: { readonly centre: number; readonly spread: number },
): number {
  if (!(temperature > 0 && Number.isFinite(temperature))) {
    throw new RangeError(`Cannot fix a temperature: temperature must be a positive number, got ${temperature}`);
  }
  return Math.fround((logOf(temperature) - centre) / spread);
}
