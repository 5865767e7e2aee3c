/**
 * A flow: a prior pushed through a bijector, a density that can be sampled and evaluated.
 *
 * @module
 */
import { mapInChunks } from "../graph/chunks.ts";
import { Graph, type Tensor } from "../graph/graph.ts";
import { sampleCount } from "../autodiff/gradient.ts";
import { KernelRun } from "../autodiff/kernel_run.ts";
import { add, input, subtract } from "../graph/operations.ts";
import type { Parameter } from "../graph/parameter.ts";
import { type Executor, serialPool } from "../backend/executor.ts";
import type { Bijector } from "./bijector.ts";
import { isStandardNormal, NormalPrior, type Prior } from "./prior.ts";

/** Most numbers in an array of samples: 8 GiB, and as much again for z. */
const MOST_NUMBERS = 2 ** 30;

/** Samples with their density. */
export interface FlowSamples {
  /** Configurations [n, dim], row-major. */
  readonly x: Float64Array;
  /** Where they came from, [n, dim]. */
  readonly z: Float64Array;
  /** log p_X(x), normalised, [n]. */
  readonly logProb: Float64Array;
}

/** A density that can be sampled and evaluated. */
export interface Generator {
  /** Number of coordinates. */
  readonly dim: number;
  /**
   * Draws independent samples.
   *
   * @param n how many
   * @param options `seed`; `first`: number of the first sample, default 0; `pool`: threads
   * @returns samples with their log-density
   */
  sample(n: number, options: { readonly seed: number; readonly first?: number; readonly pool?: Executor }): FlowSamples;
  /**
   * Computes log p_X(x), normalised.
   *
   * @param x configurations [n, dim]
   * @param options `pool`: threads
   * @returns [n]
   */
  logProb(x: Float64Array, options?: { readonly pool?: Executor }): Float64Array;
}

type Direction = "forward" | "inverse" | "density";

/** Prepared memory of one direction, for one number of samples and one pool. */
interface Prepared {
  readonly direction: Direction;
  readonly pool: Executor;
  readonly run: KernelRun;
}

/**
 * The density of x = f(z), z ~ prior, f a bijector:
 *
 *     log p_X(x) = log p_Z(f⁻¹(x)) + log |det ∂f⁻¹/∂x|
 *
 * Networks run in float32; log-determinants and log-densities are summed in float64.
 *
 * @example Sampling and evaluating
 * ```ts
 * import { Flow, RealNVP } from "@boltzflow/boltzflow";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const flow = new Flow(new RealNVP({ dim: 2, blocks: 2, hidden: [16] }));
 * const { x, logProb } = flow.sample(3, { seed: 1 });
 *
 * assertAlmostEquals(flow.logProb(x)[2], logProb[2], 1e-4);
 * ```
 */
export class Flow implements Generator {
  readonly dim: number;
  /** The map, forward = z → x. */
  readonly bijector: Bijector;
  /** The density of z. */
  readonly prior: Prior;
  #prepared: Prepared[] = [];

  /**
   * Joins a map and a prior.
   *
   * @param bijector the map
   * @param prior the density of z; default the standard normal
   * @throws {RangeError} if their dimensions differ
   */
  constructor(bijector: Bijector, prior: Prior = new NormalPrior(bijector.dim)) {
    if (prior.dim !== bijector.dim) {
      throw new RangeError(
        `Cannot make a flow: prior and bijector must have one dim, got ${prior.dim} and ${bijector.dim}`,
      );
    }
    this.bijector = bijector;
    this.prior = prior;
    this.dim = bijector.dim;
  }

  /** Parameters and constants of the bijector. */
  parameters(): readonly Parameter[] {
    return this.bijector.parameters();
  }

  /**
   * Enters log p_X(x) into a graph.
   *
   * @param x [n, dim]
   * @returns [n]
   */
  logProbOf(x: Tensor): Tensor {
    if (this.bijector.normalLogProb !== undefined && isStandardNormal(this.prior)) {
      return this.bijector.normalLogProb(x);
    }
    const { z, logDet } = this.bijector.inverse(x);
    return add(this.prior.logProb(z), logDet);
  }

  /**
   * Enters x = f(z) and its density into a graph.
   *
   * @param z [n, dim]
   * @returns x [n, dim] and log p_X(x) [n]
   */
  pushForward(z: Tensor): { readonly x: Tensor; readonly logProb: Tensor } {
    const { x, logDet } = this.bijector.forward(z);
    return { x, logProb: subtract(this.prior.logProb(z), logDet) };
  }

  /**
   * Draws independent samples. Sample number i depends on the seed and i alone, not on how many are drawn at once nor
   * on the number of threads.
   *
   * @param n how many, ≥ 1
   * @param options `seed`; `first`: number of the first sample, default 0; `pool`: threads
   * @returns x, z and log p_X(x)
   * @throws {RangeError} if n is not a whole number ≥ 1, or x would hold more than 2³⁰ numbers
   */
  sample(
    n: number,
    options: { readonly seed: number; readonly first?: number; readonly pool?: Executor },
  ): FlowSamples {
    if (!Number.isInteger(n) || n < 1) {
      throw new RangeError(`Cannot sample from the flow: n must be a whole number ≥ 1, got ${n}`);
    }
    if (n * this.dim > MOST_NUMBERS) {
      throw new RangeError(
        `Cannot sample from the flow: n must be at most ${
          Math.floor(MOST_NUMBERS / this.dim)
        } in one call, got ${n}: ` +
          "draw pieces, each with its own first",
      );
    }
    const z = this.prior.sample(n, options.seed, options.first ?? 0);
    return { z, ...this.decode(z, options) };
  }

  /**
   * Maps z to x.
   *
   * @param z [n, dim] row-major
   * @param options `pool`: threads
   * @returns x [n, dim] and log p_X(x) [n]
   */
  decode(z: Float64Array, options: { readonly pool?: Executor } = {}): { x: Float64Array; logProb: Float64Array } {
    const [x, logProb] = this.#map("forward", z, options.pool ?? serialPool);
    return { x, logProb };
  }

  /**
   * Maps x to z.
   *
   * @param x [n, dim] row-major
   * @param options `pool`: threads
   * @returns z [n, dim] and log p_X(x) [n]
   */
  encode(x: Float64Array, options: { readonly pool?: Executor } = {}): { z: Float64Array; logProb: Float64Array } {
    const [z, logProb] = this.#map("inverse", x, options.pool ?? serialPool);
    return { z, logProb };
  }

  logProb(x: Float64Array, options: { readonly pool?: Executor } = {}): Float64Array {
    return this.#map("density", x, options.pool ?? serialPool)[1];
  }

  /** Frees the memory that sampling and evaluation keep for reuse. The flow stays usable. */
  release(): void {
    this.#prepared.forEach(({ run }) => run[Symbol.dispose]());
    this.#prepared = [];
  }

  #map(direction: Direction, from: Float64Array, pool: Executor): [Float64Array, Float64Array] {
    const n = sampleCount(from, this.dim);
    const to = new Float64Array(direction === "density" ? 0 : from.length);
    const logProb = new Float64Array(n);
    mapInChunks(from, this.dim, (chunk) => this.#prepare(direction, chunk, pool), (outputs, first, count) => {
      logProb.set(outputs[0].subarray(0, count), first);
      if (outputs.length > 1) to.set(outputs[1].subarray(0, count * this.dim), first * this.dim);
    });
    return [to, logProb];
  }

  #prepare(direction: Direction, n: number, pool: Executor): KernelRun {
    const found = this.#prepared.find((p) => p.direction === direction && p.pool === pool && p.run.n === n);
    if (found !== undefined) return found.run;
    const graph = new Graph();
    const from = input(graph, direction === "forward" ? "z" : "x", this.dim);
    const run = new KernelRun(this.#outputs(direction, from), { n, pool });
    this.#prepared.push({ direction, pool, run });
    return run;
  }

  /** The log-density, and the image unless the density alone is wanted. */
  #outputs(direction: Direction, from: Tensor): Tensor[] {
    if (direction === "density") return [this.logProbOf(from)];
    if (direction === "forward") {
      const { x, logProb } = this.pushForward(from);
      return [logProb, x];
    }
    const { z, logDet } = this.bijector.inverse(from);
    return [add(this.prior.logProb(z), logDet), z];
  }
}
