/**
 * Samples a model in a Cloudflare Worker through onnxruntime-web: 3.6 MB gzipped, so it needs a paid plan. The energy
 * behind the weights runs on our own kernels.
 *
 *     cd examples/workers && npm install onnxruntime-web@1.30.0 && npx wrangler dev -c wrangler.onnxruntime.jsonc
 *
 * @module
 */
import kernels from "../dist/boltzflow_kernels.wasm";
import { loadSampler } from "../dist/boltzflow_sampler.js";
import model from "../models/dimer.onnx";
import { onnxruntime } from "../onnxruntime_edge.js";
import { summary } from "../summary.js";

/** Opened by the first request; later ones find it. */
let sampler;

export default {
  async fetch() {
    sampler ??= await loadSampler(model, { backend: "onnxruntime", onnxruntime, kernels });
    const { x, logProb } = await sampler.sample(1000, { seed: 1 });
    const logWeights = await sampler.logWeights(x, logProb);
    return new Response(summary(sampler.metadata, logProb, logWeights));
  },
};
