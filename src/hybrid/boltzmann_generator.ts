/**
 * The object that joins a flow, a system and a temperature.
 *
 * @module
 */
import { NotFiniteError, rowIsFinite } from "../autodiff/not_finite.ts";
import type { Executor } from "../backend/executor.ts";
import type { FlowSamples, Generator } from "../flow/flow.ts";
import type { System } from "../system/system.ts";

/** What a Boltzmann generator needs of a system. */
export type Target = Pick<System, "dim" | "energy" | "inDomain">;

/** What reweighting needs to know of configurations. */
export interface Weights {
  /** u(x) = βU(x), exact, [n]. */
  readonly reducedEnergy: Float64Array;
  /** log p_X(x), normalised, [n]. */
  readonly logProb: Float64Array;
  /** −u(x) − log p_X(x), and −∞ outside the reference domain, [n]. */
  readonly logWeights: Float64Array;
  /** Number of configurations outside the reference domain: they keep their place, with weight zero. */
  readonly outsideDomain: number;
  /** Number of configurations without a weight that is a number, which count as weight zero if that was allowed; else 0. */
  readonly notFinite: number;
}

/** Samples of a generator with what reweighting needs. */
export interface WeightedSamples extends FlowSamples, Weights {}

/**
 * A generator of configurations beside the Boltzmann distribution that it is meant to sample:
 *
 *     log w(x) = −βU(x) − log p_X(x)
 *
 * Averages with these weights are exact for any flow; the mean weight estimates the partition function
 * Z = ∫ exp(−βU) over the reference domain. Reference: Noé et al. 2019, eq. 7.
 */
export class BoltzmannGenerator {
  /** The density that is sampled. */
  readonly generator: Generator;
  /** The system. */
  readonly system: Target;
  /** 1 / (k_B T) in the inverse unit of the system's energy. */
  readonly beta: number;
  /** Whether configurations without a weight that is a number are counted and skipped. */
  readonly skipNotFinite: boolean;

  /**
   * Joins a density and a target.
   *
   * @param generator a flow, or another density that can be sampled
   * @param system the target's energy
   * @param options `beta`: 1 / (k_B T), default 1; `skipNotFinite`: give weight zero to samples whose coordinates, density
   * or energy are not finite, and count them, default false: they are refused
   * @throws {RangeError} if dimensions differ or beta is not positive
   */
  constructor(
    generator: Generator,
    system: Target,
    options: { readonly beta?: number; readonly skipNotFinite?: boolean } = {},
  ) {
    const { beta = 1, skipNotFinite = false } = options;
    if (generator.dim !== system.dim) {
      throw new RangeError(
        `Cannot make a Boltzmann generator: flow and system must have one dim, got ${generator.dim} and ${system.dim}`,
      );
    }
    if (!(beta > 0 && Number.isFinite(beta))) {
      throw new RangeError(`Cannot make a Boltzmann generator: beta must be a positive number, got ${beta}`);
    }
    this.generator = generator;
    this.system = system;
    this.beta = beta;
    this.skipNotFinite = skipNotFinite;
  }

  /**
   * Draws independent samples with their weights.
   *
   * @param n how many
   * @param options `seed`; `first`: number of the first sample; `pool`: threads
   * @returns samples with energies and log-weights
   * @throws {NotFiniteError} if coordinates, a density or an energy are not finite and may not be skipped; +∞ is an energy
   */
  sample(
    n: number,
    options: { readonly seed: number; readonly first?: number; readonly pool?: Executor },
  ): WeightedSamples {
    const samples = this.generator.sample(n, options);
    return { ...samples, ...this.#weigh(samples.x, samples.logProb, options.pool) };
  }

  /**
   * Weighs given configurations, for instance data: one energy and one density for each.
   *
   * @param x [n, dim] row-major
   * @param options `pool`: threads
   * @returns energies, densities and log-weights, [n] each
   * @throws {NotFiniteError} if coordinates, a density or an energy are not finite and may not be skipped; +∞ is an energy
   *
   * @example The weights of a flow that is already the Boltzmann distribution are all Z
   * ```ts
   * import { BoltzmannGenerator, Flow, Scaling } from "@boltzflow/boltzflow";
   * import { assertAlmostEquals } from "@std/assert";
   *
   * const spring = { dim: 1, energy: (x: Float64Array) => x.map((v) => v * v / 2) };
   * const generator = new BoltzmannGenerator(new Flow(new Scaling({ dim: 1 })), spring);
   * const { reducedEnergy, logProb, logWeights } = generator.weigh(Float64Array.of(0, 2));
   *
   * assertAlmostEquals(reducedEnergy[1], 2);
   * assertAlmostEquals(logProb[0], -Math.log(Math.sqrt(2 * Math.PI)), 1e-6);
   * assertAlmostEquals(logWeights[0], logWeights[1], 1e-6);
   * ```
   */
  weigh(x: Float64Array, options: { readonly pool?: Executor } = {}): Weights {
    return this.#weigh(x, this.generator.logProb(x, options), options.pool);
  }

  /**
   * The log-weights of given configurations alone; {@link weigh} also returns what they are made of.
   *
   * @param x [n, dim] row-major
   * @param options `pool`: threads
   * @returns [n]; −∞ outside the reference domain
   */
  logWeights(x: Float64Array, options: { readonly pool?: Executor } = {}): Float64Array {
    return this.weigh(x, options).logWeights;
  }

  #weigh(x: Float64Array, logProb: Float64Array, pool: Executor | undefined): Weights {
    const reducedEnergy = this.system.energy(x, { pool }).map((energy) => this.beta * energy);
    const inside = this.system.inDomain?.(x, { pool });
    const broken = this.#notFinite(x, logProb, reducedEnergy, inside);
    let outsideDomain = 0;
    const logWeights = reducedEnergy.map((u, i) => {
      if (broken?.[i]) return -Infinity;
      if (inside === undefined || inside[i]) return -u - logProb[i];
      outsideDomain++;
      return -Infinity;
    });
    const notFinite = broken?.reduce((sum, is) => sum + is, 0) ?? 0;
    return { reducedEnergy, logProb, logWeights, outsideDomain, notFinite };
  }

  /** Marks configurations that have no weight, or a senseless one, each for the first reason; null if there is none. */
  #notFinite(
    x: Float64Array,
    logProb: Float64Array,
    reducedEnergy: Float64Array,
    inside: Uint8Array | undefined,
  ): Uint8Array | null {
    const { dim } = this.system;
    const reasons = { coordinate: 0, density: 0, energy: 0 };
    const marks = new Uint8Array(logProb.length);
    const mark = (i: number, reason: keyof typeof reasons) => [marks[i], reasons[reason]] = [1, reasons[reason] + 1];
    for (let i = 0; i < marks.length; i++) {
      // A density of zero is no fault outside the domain: the weight is zero there.
      const density = Number.isFinite(logProb[i]) || (logProb[i] === -Infinity && inside?.[i] === 0);
      if (!rowIsFinite(x, dim, i)) mark(i, "coordinate");
      else if (!density) mark(i, "density");
      else if (!(reducedEnergy[i] > -Infinity)) mark(i, "energy");
    }
    const first = marks.indexOf(1);
    if (first < 0) return null;
    if (this.skipNotFinite) return marks;
    const parts = Object.entries(reasons).filter(([, count]) => count > 0).map(([name, count]) => `${name} ${count}`);
    throw new NotFiniteError(
      `Cannot weigh configurations: coordinates, log-density and energy must be finite, got ` +
        `${marks.reduce((sum, is) => sum + is, 0)} of ${marks.length} for which one is not (${
          parts.join(", ")
        }), the ` +
        `first with index ${first}: mend flow or data, or have them skipped and counted by skipNotFinite`,
    );
  }
}
