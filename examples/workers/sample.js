/**
 * Samples a model in a Cloudflare Worker, with our own kernels:
 *
 *     cd examples/workers && npx wrangler dev
 *
 * Workers refuse to compile WebAssembly at run time, so the kernels are imported: they come as a compiled module.
 *
 * @module
 */
import kernels from "../dist/boltzflow_kernels.wasm";
import { loadSampler } from "../dist/boltzflow_sampler.js";
import model from "../models/dimer.onnx";
import { summary } from "../summary.js";

/** Opened by the first request; later ones find it. */
let sampler;

export default {
  async fetch() {
    sampler ??= await loadSampler(model, { backend: "kernels", kernels });
    const { x, logProb } = await sampler.sample(1000, { seed: 1 });
    const logWeights = await sampler.logWeights(x, logProb);
    return new Response(summary(sampler.metadata, logProb, logWeights));
  },
};
