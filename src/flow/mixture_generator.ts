/**
 * Two densities mixed.
 *
 * @module
 */
import type { Executor } from "../backend/executor.ts";
import { expOf, log1pOf, logOf } from "../random/elementary.ts";
import type { FlowSamples, Generator } from "./flow.ts";

/** The second generator's samples start at this number, so that two flows of one prior do not share their z. */
const SECOND_STARTS_AT = 2 ** 36;

/**
 * The density (1 − α) p(x) + α q(x) of two generators.
 *
 * Beside a flow that may have forgotten a part of the target, a wider density in a small share is a defence: weights are
 * at most 1/α of what they would be under q alone, while a good p loses the share 1 − α of its samples at most.
 * Sample number i comes from q if α (i + 1) has a larger whole part than α i, else from p: shares are exact in every long
 * enough run of numbers, and averages over it have no more noise than with components drawn at random.
 *
 * Reference: Hesterberg, Technometrics 37, 185 (1995), defensive mixtures.
 *
 * @example A fifth of the samples of a wide normal density beside a narrow one
 * ```ts
 * import { Flow, MixtureGenerator, Scaling } from "@boltzflow/boltzflow";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const normal = (width: number) => new Flow(new Scaling({ dim: 1, logScale: [Math.log(width)] }));
 * const mixture = new MixtureGenerator(normal(1), normal(5), { share: 0.2 });
 * const density = (0.8 + 0.2 / 5) / Math.sqrt(2 * Math.PI);
 *
 * assertAlmostEquals(Math.exp(mixture.logProb(Float64Array.of(0))[0]), density, 1e-6);
 * ```
 */
export class MixtureGenerator implements Generator {
  readonly dim: number;
  /** p. */
  readonly first: Generator;
  /** q. */
  readonly second: Generator;
  /** α, the share of q. */
  readonly share: number;

  /**
   * Mixes two densities.
   *
   * @param first p
   * @param second q
   * @param options `share`: α, between 0 and 1
   * @throws {RangeError} if dimensions differ or the share is not between 0 and 1
   */
  constructor(first: Generator, second: Generator, options: { readonly share: number }) {
    const { share } = options;
    if (first.dim !== second.dim) {
      throw new RangeError(
        `Cannot mix generators: both must have one dim, got ${first.dim} and ${second.dim}`,
      );
    }
    if (!(share > 0 && share < 1)) {
      throw new RangeError(`Cannot mix generators: share must lie between 0 and 1, got ${share}`);
    }
    this.dim = first.dim;
    this.first = first;
    this.second = second;
    this.share = share;
  }

  /**
   * Draws independent samples. Sample number i depends on the seed and on i alone, and so does where it comes from.
   *
   * @param n how many, ≥ 1
   * @param options `seed`; `first`: number of the first sample, default 0; `pool`: threads
   * @returns x, the z that its generator made it of, and the log of the mixed density
   * @throws {RangeError} if n is not a whole number ≥ 1
   */
  sample(
    n: number,
    options: { readonly seed: number; readonly first?: number; readonly pool?: Executor },
  ): FlowSamples {
    if (!Number.isInteger(n) || n < 1) {
      throw new RangeError(`Cannot sample from the mixture: n must be a whole number ≥ 1, got ${n}`);
    }
    const { dim } = this;
    const { first = 0 } = options;
    const before = this.#ofSecond(first);
    const count = this.#ofSecond(first + n) - before;
    const parts = [
      { from: this.first, to: this.second, count: n - count, first: first - before },
      { from: this.second, to: this.first, count, first: SECOND_STARTS_AT + before },
    ].map((part) => part.count === 0 ? null : this.#part(part, options));
    const samples = { x: new Float64Array(n * dim), z: new Float64Array(n * dim), logProb: new Float64Array(n) };
    const taken = [0, 0];
    for (let i = 0; i < n; i++) {
      const which = this.#ofSecond(first + i + 1) - this.#ofSecond(first + i);
      const [part, k] = [parts[which]!, taken[which]++];
      samples.x.set(part.x.subarray(k * dim, (k + 1) * dim), i * dim);
      samples.z.set(part.z.subarray(k * dim, (k + 1) * dim), i * dim);
      const [p, q] = which === 0 ? [part.own[k], part.other[k]] : [part.other[k], part.own[k]];
      samples.logProb[i] = this.#mix(p, q);
    }
    return samples;
  }

  logProb(x: Float64Array, options: { readonly pool?: Executor } = {}): Float64Array {
    const [p, q] = [this.first.logProb(x, options), this.second.logProb(x, options)];
    return p.map((value, i) => this.#mix(value, q[i]));
  }

  /** How many of the first n samples are of the second generator. */
  #ofSecond(n: number): number {
    return Math.floor(this.share * n);
  }

  /** Samples of one generator with both densities. */
  #part(
    { from, to, count, first }: { from: Generator; to: Generator; count: number; first: number },
    { seed, pool }: { readonly seed: number; readonly pool?: Executor },
  ): { x: Float64Array; z: Float64Array; own: Float64Array; other: Float64Array } {
    const { x, z, logProb } = from.sample(count, { seed, first, ...pool && { pool } });
    return { x, z, own: logProb, other: to.logProb(x, pool && { pool }) };
  }

  #mix(p: number, q: number): number {
    const [a, b] = [p + log1pOf(-this.share), q + logOf(this.share)];
    const largest = Math.max(a, b);
    return largest === -Infinity ? -Infinity : largest + logOf(expOf(a - largest) + expOf(b - largest));
  }
}
