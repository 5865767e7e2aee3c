/**
 * Spins placed one after the other, each with a probability given those before.
 *
 * @module
 */
import { type Executor, serialPool } from "../backend/executor.ts";
import { sampleCount } from "../autodiff/gradient.ts";
import { mapInChunks } from "../graph/chunks.ts";
import type { Tensor } from "../graph/graph.ts";
import { add, concat, gather, linear, multiply, negate, softplus, sumFeatures } from "../graph/operations.ts";
import { Parameter } from "../graph/parameter.ts";
import { Mlp } from "../nn/mlp.ts";
import { RandomStream } from "../random/random_stream.ts";
import type { SpinBond } from "../system/ising_lattice.ts";
import type { FlowSamples, Generator } from "./flow.ts";
import { placeSpins } from "./spin_order.ts";
import { type ConditionalSpin, drawingRun, type SpinRun, weighingRun } from "./spin_runs.ts";

/** How to make {@link AutoregressiveSpins}. */
export interface AutoregressiveSpinsOptions {
  /** Number of spins. */
  readonly dim: number;
  /** Which spins feel each other, such as `IsingLattice.bonds`. */
  readonly bonds: readonly SpinBond[];
  /** 1/T at which the strengths of the bonds are taken to start with. Default 1. */
  readonly beta?: number;
  /** Hidden layers of each spin's network. Default [32]. */
  readonly hidden?: readonly number[];
  /** Seed of the initial weights. Default 0. */
  readonly seed?: number;
}

/** A spin that depends on others, with its weights. */
interface Conditional extends ConditionalSpin {
  readonly parameters: readonly Parameter[];
}

/** Stream number of the uniform numbers. */
const SPIN_STREAM = 0x59;
/** Words of the generator that one uniform number takes. */
const WORDS_PER_UNIFORM = 2;

type Direction = "draw" | "weigh";

/** Prepared memory of one direction, for one number of samples and one pool. */
interface Prepared {
  readonly direction: Direction;
  readonly n: number;
  readonly pool: Executor;
  readonly run: SpinRun;
}

/** Batches side by side, joined in pairs: each is copied as often as there are levels. */
function sideBySide(batches: readonly Tensor[]): Tensor {
  if (batches.length === 1) return batches[0];
  const half = batches.length >> 1;
  return concat(sideBySide(batches.slice(0, half)), sideBySide(batches.slice(half)));
}

/**
 * An autoregressive density of spins −1 and 1, with networks for the conditional probabilities:
 *
 *     p(s) = Π_i p_i(s_i | s_1 … s_{i−1}),   p_i(1) = 1 / (1 + e^(−l_i)),   l_i = w_i · s + net_i(s)
 *
 * Each spin has a network of its own. It sees the earlier spins on which the probability can depend at all, those that
 * are connected with it by spins to come: 2L at most on an L × L lattice. w starts as twice the reduced strength of
 * the bonds, which is exact for the last spin; net is odd (tanh without biases) and starts as zero. So
 *
 *     p(−s) = p(s)
 *
 * exactly, whatever was learnt: no state is lost to its mirror image, and no magnetic field can be modelled. Samples are
 * drawn spin by spin, batches at a time; logits are float32, probabilities and their logarithms float64, and the density
 * that comes with a sample is to the last bit the one that was drawn from.
 *
 * Reference: Wu, Wang, Zhang, Phys. Rev. Lett. 122, 080602 (2019), with masked networks; Białas, Korcyl, Stebel, Comput.
 * Phys. Commun. 281, 108502 (2022), on which spins matter.
 *
 * @example The start is exact for two spins
 * ```ts
 * import { AutoregressiveSpins } from "@boltzflow/boltzflow";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const spins = new AutoregressiveSpins({ dim: 2, bonds: [{ i: 0, j: 1, strength: 0.5 }] });
 * const logProb = spins.logProb(Float64Array.of(1, 1, 1, -1));
 *
 * assertAlmostEquals(logProb[0] - logProb[1], 1, 1e-6);
 * ```
 */
export class AutoregressiveSpins implements Generator {
  readonly dim: number;
  readonly #conditionals: readonly Conditional[];
  #prepared: Prepared[] = [];

  /**
   * Makes a density that knows its direct couplings.
   *
   * @param options spins, bonds and networks
   * @throws {RangeError} if dim is not a whole number ≥ 1, a bond does not join two of the spins, beta is not finite, or a
   * hidden layer is empty
   */
  constructor(options: AutoregressiveSpinsOptions) {
    const { dim, bonds, beta = 1, hidden = [32], seed = 0 } = options;
    if (!Number.isInteger(dim) || dim < 1) {
      throw new RangeError(`Cannot make AutoregressiveSpins: dim must be a whole number ≥ 1, got ${dim}`);
    }
    if (!Number.isFinite(beta)) {
      throw new RangeError(`Cannot make AutoregressiveSpins: beta must be a finite number, got ${beta}`);
    }
    this.dim = dim;
    this.#conditionals = placeSpins(dim, bonds).filter(({ seen }) => seen.length > 0).map((placed) => {
      const { site, seen, strengths } = placed;
      const direct = new Parameter(`spin${site}.direct`, [1, seen.length], strengths.map((j) => 2 * beta * j));
      const none = new Parameter(`spin${site}.none`, [1], undefined, { trainable: false });
      const sizes = { inputs: seen.length, hidden, outputs: 1 };
      const network = new Mlp({ name: `spin${site}.net`, ...sizes, lastLayer: "zero", biases: false, seed });
      const logit = (seen: Tensor) => add(linear(seen, direct, none), network.apply(seen));
      return { ...placed, logit, parameters: [direct, ...network.parameters()] };
    });
  }

  /** Weights of all spins, first spin first. */
  parameters(): Parameter[] {
    return this.#conditionals.flatMap(({ parameters }) => parameters);
  }

  /**
   * Enters log p(s) into a graph.
   *
   * @param x spins [n, dim]
   * @returns [n]
   */
  logProbOf(x: Tensor): Tensor {
    const free = -(this.dim - this.#conditionals.length) * Math.LN2;
    if (this.#conditionals.length === 0) return add(sumFeatures(multiply(x, 0)), free);
    const spins = gather(x, this.#conditionals.map(({ site }) => site));
    return add(negate(sumFeatures(softplus(negate(multiply(spins, this.#logits(x)))))), free);
  }

  /**
   * Draws independent samples. Sample number i depends on the seed and i alone, not on how many are drawn at once nor on
   * the number of threads.
   *
   * @param n how many, ≥ 1
   * @param options `seed`; `first`: number of the first sample, default 0; `pool`: threads
   * @returns spins x [n, dim], the uniform numbers z [n, dim] that decided them, and log p [n]
   * @throws {RangeError} if n is not a whole number ≥ 1
   */
  sample(
    n: number,
    options: { readonly seed: number; readonly first?: number; readonly pool?: Executor },
  ): FlowSamples {
    if (!Number.isInteger(n) || n < 1) {
      throw new RangeError(`Cannot sample spins: n must be a whole number ≥ 1, got ${n}`);
    }
    const { seed, first = 0, pool = serialPool } = options;
    const random = new RandomStream(seed, SPIN_STREAM);
    random.seek(WORDS_PER_UNIFORM * first * this.dim);
    const z = random.fillUniforms(new Float64Array(n * this.dim));
    const x = new Float64Array(z.length);
    const logProb = this.#map("draw", z, pool, x);
    return { x, z, logProb };
  }

  /**
   * Computes log p(s).
   *
   * @param x spins [n, dim], each −1 or 1
   * @param options `pool`: threads
   * @returns [n]
   * @throws {RangeError} if the length of x is not a multiple of dim, or a number is no spin
   */
  logProb(x: Float64Array, options: { readonly pool?: Executor } = {}): Float64Array {
    const bad = x.findIndex((spin) => spin !== 1 && spin !== -1);
    if (bad >= 0) {
      throw new RangeError(`Cannot compute densities of spins: they must be −1 or 1, got ${x[bad]} at ${bad}`);
    }
    return this.#map("weigh", x, options.pool ?? serialPool);
  }

  /** Frees the memory that sampling and evaluation keep for reuse. The density stays usable. */
  release(): void {
    this.#prepared.forEach(({ run }) => run[Symbol.dispose]());
    this.#prepared = [];
  }

  /** The logits of all spins that depend on others [n, conditionals]. */
  #logits(x: Tensor): Tensor {
    return sideBySide(this.#conditionals.map(({ seen, logit }) => logit(gather(x, seen))));
  }

  #map(direction: Direction, from: Float64Array, pool: Executor, to?: Float64Array): Float64Array {
    const { dim } = this;
    const logProb = new Float64Array(sampleCount(from, dim));
    mapInChunks(from, dim, (n) => this.#prepare(direction, n, pool), (outputs, first, count) => {
      logProb.set(outputs[0].subarray(0, count), first);
      to?.set(outputs[1].subarray(0, count * dim), first * dim);
    });
    return logProb;
  }

  #prepare(direction: Direction, n: number, pool: Executor): SpinRun {
    const found = this.#prepared.find((p) => p.direction === direction && p.pool === pool && p.n === n);
    if (found !== undefined) return found.run;
    const run = direction === "draw"
      ? drawingRun(this.dim, this.#conditionals, n, pool)
      : weighingRun(this.dim, this.#conditionals, (x) => this.#logits(x), n, pool);
    this.#prepared.push({ direction, n, pool, run });
    return run;
  }
}
