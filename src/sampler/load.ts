/**
 * Opens models in Deno: kernels and onnxruntime are found without being asked for.
 *
 * @module
 */
import { kernelBuild } from "../backend/wasm.ts";
import { loadKernels } from "../backend/wasm_deno.ts";
import { type DensityModel, type DensityOptions, openDensity } from "./density.ts";
import type { OnnxRuntime } from "./onnx_session.ts";
import type { Host, ModelSource } from "./open_model.ts";
import { type ModelSampler, openSampler, type SamplerOptions } from "./sampler.ts";

let runtime: Promise<OnnxRuntime> | undefined;

/**
 * Loads onnxruntime-web on first use: a program that never opens a model with it pays nothing. The specifier is no
 * literal, because Deno downloads literal ones with the module graph, here more than 150 MB.
 */
function loadRuntime(): Promise<OnnxRuntime> {
  runtime ??= import("npm:onnxruntime-web@1.30.0/wasm" as string).then((ort) => {
    ort.env.wasm.numThreads = 1; // more than one fails outside browsers that are cross-origin isolated
    return ort as OnnxRuntime;
  }, (cause) => {
    runtime = undefined; // the network may be back by the next call
    throw new Error(
      "Cannot open ONNX model: onnxruntime-web must be there or be downloaded, got neither: go online, or pass " +
        "options.onnxruntime",
      { cause },
    );
  });
  return runtime;
}

async function ensureKernels(): Promise<void> {
  if (kernelBuild === undefined) await loadKernels();
}

/** What can be given to run models with, in place of what is found. */
export interface GivenRuntime {
  /**
   * The module `onnxruntime-web/wasm`, `onnxruntime-web` or `onnxruntime-node` in place of onnxruntime-web, which is
   * loaded on first use.
   */
  readonly onnxruntime?: OnnxRuntime | undefined;
}

function hostOf({ onnxruntime }: GivenRuntime): Host {
  return { kernels: ensureKernels, onnxruntime: () => onnxruntime ? Promise.resolve(onnxruntime) : loadRuntime() };
}

/**
 * Opens a `sampler.onnx`.
 *
 * The kernels of this package run it, in one thread and without any permission; files without a plan, and those of
 * float64, onnxruntime-web runs, which needs `--allow-read` for its own files.
 *
 * @param source the file: bytes, or a URL
 * @param options the density that goes with it, what runs it, the size of chunks, and an energy for log-weights
 * @returns the sampler; close it when done
 * @throws {Error} if a file is damaged, foreign, of the wrong direction, or the two are not of one flow
 */
export function loadSampler(
  source: ModelSource,
  options: SamplerOptions & GivenRuntime = {},
): Promise<ModelSampler> {
  return openSampler(source, options, hostOf(options));
}

/**
 * Opens a `density.onnx`.
 *
 * @param source the file: bytes, or a URL
 * @param options what runs it, and the size of chunks
 * @returns the density
 * @throws {Error} if the file is damaged, foreign, or a sampler
 */
export function loadDensity(
  source: ModelSource,
  options: DensityOptions & GivenRuntime = {},
): Promise<DensityModel> {
  return openDensity(source, options, hostOf(options));
}
