/**
 * onnxruntime-web for Cloudflare Workers and Vercel Edge Functions. It would compile its own WebAssembly from bytes,
 * which these refuse, and takes no compiled module; so whoever asks for bytes to be instantiated is given the module that
 * was imported.
 *
 * @module
 */
import * as onnxruntime from "onnxruntime-web/wasm";
import compiled from "onnxruntime-web/ort-wasm-simd-threaded.wasm?module";

const instantiate = WebAssembly.instantiate;
WebAssembly.instantiate = async (source, imports) =>
  source instanceof WebAssembly.Module
    ? instantiate(source, imports)
    : { module: compiled, instance: await instantiate(compiled, imports) };

onnxruntime.env.wasm.numThreads = 1;
// Anything that is not empty keeps onnxruntime-web from fetching the file.
onnxruntime.env.wasm.wasmBinary = new ArrayBuffer(8);

export { onnxruntime };
