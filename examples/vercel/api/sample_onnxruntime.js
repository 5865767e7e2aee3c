/**
 * Samples a model in a Vercel Edge Function, through onnxruntime-web: 3.6 MB gzipped, which only plans with
 * more than the usual 1 or 2 MB take. The energy behind the weights runs on our own kernels.
 *
 *     npm install onnxruntime-web@1.30.0
 *
 * @module
 */
import kernels from "../../dist/boltzflow_kernels_baseline.wasm?module";
import { loadSampler } from "../../dist/boltzflow_sampler.js";
import { onnxruntime } from "../../onnxruntime_edge.js";
import { summary } from "../../summary.js";

export const config = { runtime: "edge" };

/** Opened by the first request; later ones find it. */
let sampler;

export default async function handler() {
  // Vercel puts a file that is named like this beside the function.
  const model = new URL("../../models/dimer.onnx", import.meta.url);
  sampler ??= await loadSampler(await (await fetch(model)).arrayBuffer(), {
    backend: "onnxruntime",
    onnxruntime,
    kernels,
  });
  const { x, logProb } = await sampler.sample(1000, { seed: 1 });
  const logWeights = await sampler.logWeights(x, logProb);
  return new Response(summary(sampler.metadata, logProb, logWeights));
}
