/**
 * Samples a model in a Vercel Edge Function, with our own kernels:
 *
 *     cd examples && npx vercel dev       and open /vercel/api/sample
 *
 * The edge runtime refuses to compile WebAssembly at run time; `?module` imports it compiled.
 *
 * @module
 */
import kernels from "../../dist/boltzflow_kernels_baseline.wasm?module";
import { loadSampler } from "../../dist/boltzflow_sampler.js";
import { summary } from "../../summary.js";

export const config = { runtime: "edge" };

/** Opened by the first request; later ones find it. */
let sampler;

export default async function handler() {
  // Vercel puts a file that is named like this beside the function.
  const model = new URL("../../models/dimer.onnx", import.meta.url);
  sampler ??= await loadSampler(await (await fetch(model)).arrayBuffer(), { backend: "kernels", kernels });
  const { x, logProb } = await sampler.sample(1000, { seed: 1 });
  const logWeights = await sampler.logWeights(x, logProb);
  return new Response(summary(sampler.metadata, logProb, logWeights));
}
