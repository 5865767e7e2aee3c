/**
 * Loads the kernels when it is imported, unless they are loaded: for `mod.ts` and the entries of single stages.
 *
 * @module
 */
import { kernelBuild } from "./wasm.ts";
import { loadKernels } from "./wasm_deno.ts";

if (kernelBuild === undefined) await loadKernels();
