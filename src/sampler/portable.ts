/**
 * Opens models where there is no Deno: the entry of the bundle.
 *
 * Nothing is found by itself here: the caller passes the kernels' `.wasm` or onnxruntime, in whatever form its host gives
 * them. There is no top-level await, nothing is read, and nothing is fetched but what is asked for.
 *
 * @module
 */
import "./own_memory.ts";
import { instantiateKernels, kernelBuild } from "../backend/wasm.ts";
import { type DensityModel, type DensityOptions, openDensity } from "./density.ts";
import { showText } from "../format/parse_json.ts";
import { fetchBytes } from "./fetch_bytes.ts";
import type { OnnxRuntime } from "./onnx_session.ts";
import type { Host, ModelSource } from "./open_model.ts";
import { type ModelSampler, openSampler, type SamplerOptions } from "./sampler.ts";

export type { OnnxRuntime, RuntimeSession, RuntimeTensor } from "./onnx_session.ts";
export type { ModelSource, RunOptions } from "./open_model.ts";
export type { Backend } from "./session.ts";
export type { WeighedSystem } from "./system_energy.ts";
export type { ModelSampler, SampleBatch, SampleOptions, SamplerOptions } from "./sampler.ts";
export type { DensityModel, DensityOptions, LatentBatch } from "./density.ts";
export type { ModelDescription, ModelMetadata, ModelRole, ParticleLayout, Precision } from "./metadata.ts";
export { encodeNpy, type NpyArray, type NpyData } from "../format/npy.ts";
export { encodeNpz, type NpzOptions } from "../format/npz.ts";
export { encodeXyz, type XyzLayout } from "../format/xyz.ts";

/** What runs models here. */
export interface GivenHost {
  /** Kernels of this package: a compiled module, or bytes, or where these are. The first that are loaded stay. */
  readonly kernels?: WebAssembly.Module | BufferSource | URL | undefined;
  /** The module `onnxruntime-web/wasm` or `onnxruntime-node`. */
  readonly onnxruntime?: OnnxRuntime | undefined;
}

let loading: Promise<void> | undefined;

async function instantiate(kernels: WebAssembly.Module | BufferSource | URL): Promise<void> {
  const source = kernels instanceof URL ? await fetchBytes(kernels, "load the kernels") : kernels;
  try {
    await instantiateKernels(source, "baseline");
  } catch (cause) {
    const said = showText(cause instanceof Error ? cause.message : String(cause), 200);
    if (said.startsWith("Cannot ")) throw cause;
    throw new Error(
      `Cannot load the kernels: the .wasm must be one of this package that the host compiles, got: ${said}`,
      { cause },
    );
  }
}

function hostOf({ kernels, onnxruntime }: GivenHost): Host {
  const load = async () => {
    loading ??= kernelBuild === undefined ? instantiate(kernels!) : Promise.resolve();
    await loading.catch((error) => {
      loading = undefined;
      throw error;
    });
  };
  return {
    kernels: kernels === undefined && kernelBuild === undefined ? undefined : load,
    onnxruntime: onnxruntime && (() => Promise.resolve(onnxruntime)),
  };
}

/**
 * Opens a `sampler.onnx`.
 *
 * @param source the file: bytes, or a URL
 * @param options what runs it, the density that goes with it, the size of chunks, and an energy for log-weights
 * @returns the sampler; close it when done
 * @throws {Error} if a file is damaged, foreign, of the wrong direction, or the two are not of one flow, or if nothing
 * that was given runs them
 */
export function loadSampler(source: ModelSource, options: SamplerOptions & GivenHost = {}): Promise<ModelSampler> {
  return openSampler(source, options, hostOf(options));
}

/**
 * Opens a `density.onnx`.
 *
 * @param source the file: bytes, or a URL
 * @param options what runs it, and the size of chunks
 * @returns the density
 * @throws {Error} if the file is damaged, foreign, or a sampler, or if nothing that was given runs it
 */
export function loadDensity(source: ModelSource, options: DensityOptions & GivenHost = {}): Promise<DensityModel> {
  return openDensity(source, options, hostOf(options));
}
