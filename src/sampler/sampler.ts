import { RandomStream } from "../random/random_stream.ts";
import { checkChunk, type DensityModel, openDensity } from "./density.ts";
import type { ModelMetadata } from "./metadata.ts";
import { type Host, type ModelSource, openModel, type RunOptions } from "./open_model.ts";
import { type Backend, type Session, standardNormalLogDensity } from "./session.ts";
import { logWeightsOf, systemOf, type WeighedSystem } from "./system_energy.ts";

/** Stream of the generator that z is drawn from: that of the flow's own prior, so that one seed gives one sample. */
const priorStream = 0x7a;

/** Positions of a stream that one normal takes. */
const wordsPerNormal = 2;

/** Most numbers of one array: what every engine has. */
const mostNumbers = 2 ** 31;

/** Samples of a flow with their density. */
export interface SampleBatch {
  /** Configurations, [n, dim] row-major. */
  readonly x: Float64Array;
  /** log q(x) of each configuration, [n]; normalised. */
  readonly logProb: Float64Array;
}

/** Which samples to draw. */
export interface SampleOptions {
  /** Seed of the generator, a whole number from 0 to 2⁵³ − 1. */
  readonly seed: number;
  /** Number of the first sample in the sequence that belongs to the seed. Default 0. */
  readonly first?: number | undefined;
  /** Stops between two chunks; the call is rejected with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** A flow to sample from: what {@linkcode loadSampler} returns. */
export class ModelSampler {
  /** What the file says about itself. */
  readonly metadata: ModelMetadata;
  /** What runs the model. */
  readonly backend: Backend;
  /** Number of coordinates of a configuration. */
  readonly dim: number;
  readonly #session: Session;
  readonly #density: DensityModel | null;
  readonly #chunk: number;
  readonly #makeSystem: () => Promise<WeighedSystem>;
  #system: WeighedSystem | undefined;

  /**
   * Joins the opened models of a flow: use {@linkcode loadSampler}.
   *
   * @param session z → x
   * @param density x → z, if there is one
   * @param chunk samples per call of what runs them
   * @param makeSystem returns the energy for log-weights; called when they are first asked for
   */
  constructor(
    session: Session,
    density: DensityModel | null,
    chunk: number,
    makeSystem: () => Promise<WeighedSystem>,
  ) {
    this.metadata = session.metadata;
    this.backend = session.backend;
    this.dim = session.metadata.dim;
    this.#makeSystem = makeSystem;
    this.#session = session;
    this.#density = density;
    this.#chunk = chunk;
  }

  /**
   * Draws independent samples.
   *
   *     z ~ N(0, 1),  x = f(z),  log q(x) = log N(z; 0, 1) − log |det ∂x/∂z|
   *
   * Sample i belongs to the seed and to i alone, however many are drawn at once. A model of float32 sees z rounded to
   * float32, and the density is that of the rounded z. Across runtimes x agrees up to the rounding of
   * the model; the baseline kernels of this package give the same bits everywhere.
   *
   * @param n how many, ≥ 0
   * @param options seed, number of the first sample, and what stops it
   * @returns x [n, dim] and log q(x) [n]
   * @throws {RangeError} if `n` or an option is no whole number in its range
   */
  async sample(n: number, options: SampleOptions): Promise<SampleBatch> {
    const { dim } = this.metadata;
    checkWhole("n", n);
    checkMost("n", n, mostNumbers / dim, ": take them in chunks()");
    const result = { x: new Float64Array(n * dim), logProb: new Float64Array(n) };
    let at = 0;
    for await (const { x, logProb } of this.chunks(n, options)) {
      result.x.set(x, at * dim);
      result.logProb.set(logProb, at);
      at += logProb.length;
    }
    return result;
  }

  /**
   * Draws the samples of {@linkcode sample} piece by piece, for more than fit into memory at once.
   *
   * @param n how many in all, ≥ 0
   * @param options seed, number of the first sample, and what stops it
   * @returns batches of at most `chunk` samples
   * @throws {RangeError} if `n` or an option is no whole number in its range
   */
  async *chunks(n: number, options: SampleOptions): AsyncGenerator<SampleBatch> {
    const { seed, first = 0, signal } = options;
    const { dim } = this.metadata;
    checkWhole("n", n);
    checkWhole("first", first);
    checkWhole("seed", seed);
    checkMost("first + n", first + n, Number.MAX_SAFE_INTEGER / (wordsPerNormal * dim));
    const random = new RandomStream(seed, priorStream);
    random.seek(wordsPerNormal * first * dim);
    for (let start = 0; start < n; start += this.#chunk) {
      signal?.throwIfAborted();
      const rows = Math.min(this.#chunk, n - start);
      yield await this.#push(random.fillNormals(new Float64Array(rows * dim)));
    }
  }

  async #push(latent: Float64Array): Promise<SampleBatch> {
    const { dim, precision } = this.metadata;
    const z = precision === "float32" ? latent.map(Math.fround) : latent;
    const { value: x, logDet } = await this.#session.run(z);
    return { x, logProb: standardNormalLogDensity(z, dim).map((p, i) => p - logDet[i]) };
  }

  /**
   * Maps given latent points, for instance of a path between two configurations.
   *
   *     x = f(z),  log q(x) = log N(z; 0, 1) − log |det ∂x/∂z|
   *
   * @param z [n, dim], row-major; a model of float32 sees it rounded
   * @returns x [n, dim] and log q(x) [n]
   * @throws {RangeError} if the length of `z` is not a multiple of dim
   */
  async map(z: Float64Array): Promise<SampleBatch> {
    const { dim } = this;
    if (z.length % dim !== 0) {
      throw new RangeError(`Cannot map latent points: z must have a multiple of ${dim} numbers, got ${z.length}`);
    }
    const result = { x: new Float64Array(z.length), logProb: new Float64Array(z.length / dim) };
    for (let row = 0; row < result.logProb.length; row += this.#chunk) {
      const { x, logProb } = await this.#push(z.slice(row * dim, (row + this.#chunk) * dim));
      result.x.set(x, row * dim);
      result.logProb.set(logProb, row);
    }
    return result;
  }

  /**
   * Computes the log-density of given configurations.
   *
   * @param x [n, dim], row-major
   * @returns log q(x), [n], normalised
   * @throws {Error} if the sampler was loaded without its density
   */
  async logProb(x: Float64Array): Promise<Float64Array> {
    if (this.#density === null) {
      throw new Error(
        "Cannot compute log-densities: sampler must be loaded with its density, got none: pass density.onnx as options.density",
      );
    }
    return await this.#density.logProb(x);
  }

  /**
   * Computes logarithms of importance weights.
   *
   *     log w(x) = −U(x)/T − log q(x),  −∞ outside the reference domain
   *
   * U is the energy of the system that the file describes, or `options.system` of {@linkcode loadSampler}. An average with
   * these weights is exact in the limit of many samples, however good the flow is.
   *
   * @param x [n, dim], row-major
   * @param logProb log q(x), [n], as it comes with samples; left out, the density computes it
   * @returns [n]
   * @throws {Error} if the system is none of this package, its energy needs kernels that were not given, or the density is
   * needed and was not loaded
   * @throws {RangeError} if lengths do not match
   */
  async logWeights(x: Float64Array, logProb?: Float64Array): Promise<Float64Array> {
    const system = this.#system ??= await this.#makeSystem();
    return logWeightsOf(system, this.metadata.temperature, x, logProb ?? await this.logProb(x));
  }

  /** Frees the memory; a second call does nothing. */
  async close(): Promise<void> {
    await this.#density?.close();
    await this.#session.close();
  }

  /** Closes at the end of an `await using` block. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** Settings of {@linkcode loadSampler}. */
export interface SamplerOptions extends RunOptions {
  /** The `density.onnx` of the same flow, for `logProb`. */
  readonly density?: ModelSource | undefined;
  /** Samples per call of what runs the model. Default 256 by kernels; by onnxruntime 1024, or fewer where each is large. */
  readonly chunk?: number | undefined;
  /** Energy in units of k_BT₀ for `logWeights`, where the system is none of this package. */
  readonly system?: WeighedSystem | undefined;
}

/**
 * Opens a `sampler.onnx`.
 *
 * @param source the file
 * @param options what runs it, the density that goes with it, and the size of chunks
 * @param host what there is to run it with
 * @throws {Error} if a file is damaged, foreign, of the wrong direction, or the two are not of one flow, or if nothing
 * here runs them
 */
export async function openSampler(source: ModelSource, options: SamplerOptions, host: Host): Promise<ModelSampler> {
  const { density: densitySource, chunk, system = null } = options;
  if (chunk !== undefined) checkChunk(chunk);
  const session = await openModel(source, "sampler", options, host);
  try {
    const { dim, weights: own } = session.metadata;
    if (system !== null && system.dim !== dim) {
      throw new RangeError(`Cannot open ONNX model: system must have dim = ${dim}, got ${system.dim}`);
    }
    const density = densitySource === undefined ? null : await openDensity(densitySource, options, host);
    const other = density?.metadata.weights ?? own;
    if (own !== other) {
      await density?.close();
      throw new Error(
        `Cannot open ONNX model: sampler and density must have the same weights, got ${own.slice(0, 8)} and ` +
          `${other.slice(0, 8)}: use the files of one export`,
      );
    }
    const makeSystem = async () => system ?? await systemOf(session.metadata, host.kernels);
    return new ModelSampler(session, density, chunk ?? session.chunk, makeSystem);
  } catch (error) {
    await session.close();
    throw error;
  }
}

function checkWhole(name: string, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new RangeError(`Cannot draw samples: ${name} must be a whole number from 0 to 2^53 - 1, got ${value}`);
  }
}

function checkMost(name: string, value: number, most: number, remedy = ""): void {
  if (value <= most) return;
  throw new RangeError(`Cannot draw samples: ${name} must be at most ${Math.floor(most)}, got ${value}${remedy}`);
}
