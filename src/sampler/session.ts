import type { ModelMetadata } from "./metadata.ts";

/** What a flow's model returns for a batch: the mapped configurations [n, dim], and log |det| of that map [n]. */
export interface Mapped {
  /** x of a sampler, z of a density, row-major. */
  readonly value: Float64Array;
  /** log |det ∂value/∂input| of each sample. */
  readonly logDet: Float64Array;
}

/** What runs a model. */
export type Backend = "kernels" | "onnxruntime";

/** A flow's model, opened. */
export interface Session {
  /** What the file says about itself. */
  readonly metadata: ModelMetadata;
  /** Samples per call that suit the model. */
  readonly chunk: number;
  /** What runs it. */
  readonly backend: Backend;
  /**
   * Maps a batch.
   *
   * @param input [n, dim], row-major
   * @returns its image, and log |det| of the map
   * @throws {Error} if the session was closed
   */
  run(input: Float64Array): Promise<Mapped>;
  /** Frees the memory; a second call does nothing. */
  close(): Promise<void>;
}

/** log of the standard normal density of each row of z, [n, dim] → [n]. */
export function standardNormalLogDensity(z: Float64Array, dim: number): Float64Array {
  const constant = -0.5 * dim * Math.log(2 * Math.PI);
  return Float64Array.from({ length: z.length / dim }, (_, row) => {
    let squares = 0;
    for (let i = row * dim; i < (row + 1) * dim; i++) squares += z[i] * z[i];
    return constant - 0.5 * squares;
  });
}

/** Throws for a session that was closed. */
export function requireOpen(isOpen: boolean): void {
  if (!isOpen) throw new Error("Cannot run ONNX model: session must be open, got a closed one: load the model again");
}
