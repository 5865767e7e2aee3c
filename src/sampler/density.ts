import type { ModelMetadata } from "./metadata.ts";
import { type Host, type ModelSource, openModel, type RunOptions } from "./open_model.ts";
import { type Backend, type Session, standardNormalLogDensity } from "./session.ts";

/** Configurations mapped to the prior side, and the density of the flow there. */
export interface LatentBatch {
  /** Latent points, [n, dim] row-major. */
  readonly z: Float64Array;
  /** log q(x) of each configuration, [n]; normalised. */
  readonly logProb: Float64Array;
}

/** The density of a flow: what {@linkcode loadDensity} returns. */
export class DensityModel {
  /** What the file says about itself. */
  readonly metadata: ModelMetadata;
  /** What runs it. */
  readonly backend: Backend;
  readonly #session: Session;
  readonly #chunk: number;

  /**
   * Takes an opened model: use {@linkcode loadDensity}.
   *
   * @param session x → z
   * @param chunk samples per call of what runs it
   */
  constructor(session: Session, chunk: number) {
    this.metadata = session.metadata;
    this.backend = session.backend;
    this.#session = session;
    this.#chunk = chunk;
  }

  /**
   * Computes the log-density of configurations under the flow.
   *
   *     log q(x) = log N(z; 0, 1) + log |det ∂z/∂x|
   *
   * @param x [n, dim], row-major
   * @returns [n], normalised
   * @throws {RangeError} if the length of `x` is not a multiple of dim
   */
  async logProb(x: Float64Array): Promise<Float64Array> {
    return (await this.latent(x)).logProb;
  }

  /**
   * Maps configurations to the prior side.
   *
   * @param x [n, dim], row-major
   * @returns z [n, dim] and log q(x) [n]
   * @throws {RangeError} if the length of `x` is not a multiple of dim
   */
  async latent(x: Float64Array): Promise<LatentBatch> {
    const { dim } = this.metadata;
    const n = x.length / dim;
    if (!Number.isInteger(n)) {
      throw new RangeError(`Cannot compute log-densities: x must have a multiple of ${dim} numbers, got ${x.length}`);
    }
    const result = { z: new Float64Array(x.length), logProb: new Float64Array(n) };
    for (let start = 0; start < n; start += this.#chunk) {
      const end = Math.min(n, start + this.#chunk);
      const { value: z, logDet } = await this.#session.run(x.slice(start * dim, end * dim));
      result.z.set(z, start * dim);
      result.logProb.set(standardNormalLogDensity(z, dim).map((p, i) => p + logDet[i]), start);
    }
    return result;
  }

  /** Frees the runtime's memory; a second call does nothing. */
  async close(): Promise<void> {
    await this.#session.close();
  }

  /** Closes at the end of an `await using` block. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** Settings of {@linkcode loadDensity}. */
export interface DensityOptions extends RunOptions {
  /** Configurations per call of what runs it. Default 256 by kernels; by onnxruntime 1024, or fewer where each is large. */
  readonly chunk?: number | undefined;
}

/**
 * Opens a `density.onnx`.
 *
 * @param source the file
 * @param options what runs it, and the size of chunks
 * @param host what there is to run it with
 * @throws {Error} if the file is damaged, foreign, or a sampler, or if nothing here runs it
 */
export async function openDensity(source: ModelSource, options: DensityOptions, host: Host): Promise<DensityModel> {
  if (options.chunk !== undefined) checkChunk(options.chunk);
  const session = await openModel(source, "density", options, host);
  return new DensityModel(session, options.chunk ?? session.chunk);
}

/** Throws unless a number can be the number of rows for one call of the runtime. */
export function checkChunk(chunk: number): void {
  if (!Number.isInteger(chunk) || chunk < 1) {
    throw new RangeError(`Cannot open ONNX model: chunk must be a whole number ≥ 1, got ${chunk}`);
  }
}
