/**
 * Finds the committed kernels: the only file that names them.
 *
 * The imports are dynamic and literal: an engine that cannot compile the relaxed build throws here, where it can be
 * caught, and Deno needs no permission for them (from a URL only `--allow-import`).
 *
 * @module
 */
import { type KernelBuild, type Kernels, useKernels } from "./wasm.ts";

/**
 * Loads the kernels and makes them the ones in use: the relaxed-SIMD build where the engine has it, else the baseline.
 *
 * With `deterministic` everything from data to the bytes of a model, samples and their densities included, is additions,
 * multiplications, divisions, square roots and bit operations, each rounded as IEEE 754 says, in an order of its own: the
 * same bytes on every processor, in every engine and for any number of threads. Estimates and figures made of them use
 * `Math` and may differ in their last bits from engine to engine.
 *
 * @param options `deterministic`: use the baseline build everywhere, whose results do not depend on whether the engine
 * fuses a multiply with an add
 * @returns the build that now runs
 * @throws {Error} if the engine has no WebAssembly SIMD
 */
export async function loadKernels(options: { readonly deterministic?: boolean } = {}): Promise<KernelBuild> {
  if (!options.deterministic) {
    try {
      useKernels(await import("./kernels_relaxed.wasm") as Kernels, "relaxed");
      return "relaxed";
    } catch (error) {
      if (!(error instanceof WebAssembly.CompileError) && !(error instanceof SyntaxError)) throw error;
    }
  }
  try {
    useKernels(await import("./kernels_baseline.wasm") as Kernels, "baseline");
    return "baseline";
  } catch (error) {
    throw new Error(
      "Cannot load the kernels: the runtime must support WebAssembly SIMD and threads, got " +
        `${error instanceof Error ? error.message : error}: use Deno 2, Node 20 or a current browser`,
      { cause: error },
    );
  }
}
