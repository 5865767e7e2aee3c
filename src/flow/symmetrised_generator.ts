/**
 * The average of a density over the images under symmetries.
 *
 * @module
 */
import type { Executor } from "../backend/executor.ts";
import { expOf, logOf } from "../random/elementary.ts";
import { RandomStream } from "../random/random_stream.ts";
import { symmetryGroup, symmetryImages, type SymmetryOperation } from "../system/symmetry.ts";
import type { FlowSamples, Generator } from "./flow.ts";

/** Stream number of the draws of operations; generators within generators take different substreams. */
const OPERATION_STREAM = 0x5e;
/** Each sample has a block of the stream of its own: its operation depends on the seed and its number alone. */
const WORDS_PER_SAMPLE = 4;

/**
 * The exact average of a generator's density over a group G of symmetries:
 *
 *     p̄(x) = 1/|G| Σ_g p(g x)
 *
 * Operations are orthogonal, so p̄ is normalised like p; and p̄(g x) = p̄(x). A sample is one of p under an operation
 * drawn at random.
 *
 * For a target π with these symmetries it is never worse: 1/t is convex, so that ∫ π²/p̄ ≤ 1/|G| Σ_g ∫ π²/(p∘g) =
 * ∫ π²/p. The second moment of the weights, and the divergence of p from π, can only fall; the Kish efficiency in the
 * limit of many samples can only rise. Each density costs |G| evaluations of p. Sums are float64.
 *
 * @example A flow that knows one well of two finds both
 * ```ts
 * import { Flow, Scaling, SymmetrisedGenerator } from "@boltzflow/boltzflow";
 * import { assertEquals } from "@std/assert";
 *
 * const mirror = { from: [0, 1], signs: [-1, 1] }; // x → −x in two dimensions
 * const both = new SymmetrisedGenerator(new Flow(new Scaling({ dim: 2 })), [mirror]);
 * const [left, right] = both.logProb(Float64Array.of(-1, 0.5, 1, 0.5));
 *
 * assertEquals(left, right);
 * ```
 */
export class SymmetrisedGenerator implements Generator {
  readonly dim: number;
  /** The density that is averaged. */
  readonly generator: Generator;
  /** All operations, the identity first. */
  readonly group: readonly SymmetryOperation[];
  /** How many symmetrised generators are inside. */
  readonly #depth: number;

  /**
   * Joins a density and symmetries.
   *
   * @param generator a flow, or another density that can be sampled
   * @param operations symmetries beside the identity, with which they must form a group
   * @throws {RangeError} if they do not form a group on the generator's coordinates
   */
  constructor(generator: Generator, operations: readonly SymmetryOperation[]) {
    this.generator = generator;
    this.dim = generator.dim;
    this.group = symmetryGroup(operations, generator.dim);
    this.#depth = generator instanceof SymmetrisedGenerator ? generator.#depth + 1 : 0;
  }

  /**
   * Draws independent samples: sample number i of the generator under operation number i. It depends on the seed and on
   * i alone.
   *
   * @param n how many, ≥ 1
   * @param options `seed`; `first`: number of the first sample, default 0; `pool`: threads
   * @returns x and log p̄(x); z is where the generator's sample came from
   * @throws {RangeError} if n is not a whole number ≥ 1
   */
  sample(
    n: number,
    options: { readonly seed: number; readonly first?: number; readonly pool?: Executor },
  ): FlowSamples {
    const { x, z, logProb } = this.generator.sample(n, options);
    // p̄ is the same at x and at its image: the density that came with the sample is one of the terms.
    const average = this.#average(x, logProb, options);
    return { x: this.#move(x, options.seed, options.first ?? 0), z, logProb: average };
  }

  logProb(x: Float64Array, options: { readonly pool?: Executor } = {}): Float64Array {
    return this.#average(x, this.generator.logProb(x, options), options);
  }

  /** The log of the mean density of all images, given that of x itself. */
  #average(x: Float64Array, logProb: Float64Array, { pool }: { readonly pool?: Executor }): Float64Array {
    const others = this.group.slice(1).map((operation) =>
      this.generator.logProb(symmetryImages(operation, x), pool && { pool })
    );
    const terms = [logProb, ...others];
    return logProb.map((_, i) => {
      const largest = Math.max(...terms.map((term) => term[i]));
      if (largest === -Infinity) return -Infinity;
      const sum = terms.reduce((total, term) => total + expOf(term[i] - largest), 0);
      return largest + logOf(sum / terms.length);
    });
  }

  /** Each sample under its operation. */
  #move(x: Float64Array, seed: number, first: number): Float64Array {
    const { dim, group } = this;
    const random = new RandomStream(seed, OPERATION_STREAM, this.#depth);
    const moved = new Float64Array(x.length);
    for (let i = 0; i < x.length / dim; i++) {
      random.seek(WORDS_PER_SAMPLE * (first + i));
      const { from, signs } = group[random.integer(group.length)];
      for (let k = 0; k < dim; k++) moved[i * dim + k] = signs[k] * x[i * dim + from[k]];
    }
    return moved;
  }
}
