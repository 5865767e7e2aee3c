import { RandomStream } from "../random/random_stream.ts";
import { checkChunk, type DensityModel, loadDensity } from "./density.ts";
import type { ModelMetadata } from "./metadata.ts";
import { ModelSession, standardNormalLogDensity } from "./onnx_session.ts";

/** Stream of the generator that z is drawn from: that of the flow's own prior, so that one seed gives one sample. */
const priorStream = 0x7a;

/** Positions of a stream that one normal takes. */
const wordsPerNormal = 2;

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
  readonly first?: number;
}

/** A flow run by onnxruntime-web: what {@linkcode loadSampler} returns. */
export class ModelSampler {
  /** What the file says about itself. */
  readonly metadata: ModelMetadata;
  readonly #session: ModelSession;
  readonly #density: DensityModel | null;
  readonly #chunk: number;

  /**
   * Joins the opened models of a flow: use {@linkcode loadSampler}.
   *
   * @param session z → x
   * @param density x → z, if there is one
   * @param chunk samples per call of the runtime
   */
  constructor(session: ModelSession, density: DensityModel | null, chunk: number) {
    this.metadata = session.metadata;
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
   * float32, and the density is that of the rounded z. Across runtimes x agrees up to the rounding of the model.
   *
   * @param n how many, ≥ 0
   * @param options seed, and number of the first sample
   * @returns x [n, dim] and log q(x) [n]
   * @throws {RangeError} if `n` or an option is no whole number in its range
   */
  async sample(n: number, options: SampleOptions): Promise<SampleBatch> {
    const { dim } = this.metadata;
    checkWhole("n", n);
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
   * @param options seed, and number of the first sample
   * @returns batches of at most `chunk` samples
   * @throws {RangeError} if `n` or an option is no whole number in its range
   */
  async *chunks(n: number, options: SampleOptions): AsyncGenerator<SampleBatch> {
    const { seed, first = 0 } = options;
    checkWhole("n", n);
    checkWhole("first", first);
    checkWhole("seed", seed);
    const { dim } = this.metadata;
    const random = new RandomStream(seed, priorStream);
    random.seek(wordsPerNormal * first * dim);
    for (let start = 0; start < n; start += this.#chunk) {
      const rows = Math.min(this.#chunk, n - start);
      yield await this.#push(random.fillNormals(new Float64Array(rows * dim)));
    }
  }

  async #push(normals: Float64Array): Promise<SampleBatch> {
    const { dim, precision } = this.metadata;
    const z = precision === "float32" ? normals.map(Math.fround) : normals;
    const { value: x, logDet } = await this.#session.run(z);
    return { x, logProb: standardNormalLogDensity(z, dim).map((p, i) => p - logDet[i]) };
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

  /** Frees the runtime's memory; a second call does nothing. */
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
export interface SamplerOptions {
  /** The `density.onnx` of the same flow, for `logProb`. */
  readonly density?: Uint8Array;
  /** Samples per call of the runtime. Default 1024, or fewer where a model needs much memory for each. */
  readonly chunk?: number;
}

/**
 * Opens a `sampler.onnx` in onnxruntime-web, which is loaded on first use.
 *
 * @param bytes the file
 * @param options the density that goes with it, and the size of chunks
 * @returns the sampler; close it when done
 * @throws {Error} if a file is damaged, foreign, of the wrong direction, or the two are not of one flow
 */
export async function loadSampler(bytes: Uint8Array, options: SamplerOptions = {}): Promise<ModelSampler> {
  if (options.chunk !== undefined) checkChunk(options.chunk);
  const session = await ModelSession.open(bytes, "sampler");
  try {
    const density = options.density === undefined ? null : await loadDensity(options.density, options);
    const [own, other] = [session.metadata.weights, density?.metadata.weights ?? session.metadata.weights];
    if (own !== other) {
      await density?.close();
      throw new Error(
        `Cannot open ONNX model: sampler and density must have the same weights, got ${own.slice(0, 8)} and ` +
          `${other.slice(0, 8)}: use the files of one export`,
      );
    }
    return new ModelSampler(session, density, options.chunk ?? session.chunk);
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
