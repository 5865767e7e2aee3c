/**
 * The service on Cloudflare Workers:
 *
 *     cd examples/edge && npx wrangler dev
 *     curl 'http://localhost:8787/sample?n=10&seed=1&format=xyz'
 *
 * Workers refuse to compile WebAssembly at run time, so the kernels are imported: they come as a compiled module.
 *
 * @module
 */
import kernels from "../dist/boltzflow_kernels.wasm";
import model from "../models/dimer.onnx";
import { handle, open } from "./service.ts";

// The time it takes counts as that of starting up, which may be a second, and not as the first request's.
await open({ model, kernels });

export default {
  /**
   * Answers a request.
   *
   * @param {Request} request what is asked
   * @param {{ MAXIMUM_SAMPLES: number }} variables of wrangler.toml
   * @param {{ waitUntil(work: Promise<unknown>): void }} context of the request
   * @returns {Promise<Response>} the answer
   */
  fetch(request, { MAXIMUM_SAMPLES }, context) {
    return handle(request, {
      model,
      kernels,
      maximumSamples: MAXIMUM_SAMPLES,
      cache: caches.default,
      waitUntil: (work) => context.waitUntil(work),
    });
  },
};
