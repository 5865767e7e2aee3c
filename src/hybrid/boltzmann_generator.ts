/**
 * The object that joins a flow, a system and a temperature.
 *
 * @module
 */
import type { Executor } from "../backend/pool.ts";
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

  /**
   * Joins a density and a target.
   *
   * @param generator a flow, or another density that can be sampled
   * @param system the target's energy
   * @param options `beta`: 1 / (k_B T), default 1
   * @throws {RangeError} if dimensions differ or beta is not positive
   */
  constructor(generator: Generator, system: Target, options: { readonly beta?: number } = {}) {
    const { beta = 1 } = options;
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
  }

  /**
   * Draws independent samples with their weights.
   *
   * @param n how many
   * @param options `seed`; `first`: number of the first sample; `pool`: threads
   * @returns samples with energies and log-weights
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
    let outsideDomain = 0;
    const logWeights = reducedEnergy.map((u, i) => {
      if (inside === undefined || inside[i]) return -u - logProb[i];
      outsideDomain++;
      return -Infinity;
    });
    return { reducedEnergy, logProb, logWeights, outsideDomain };
  }
}
