/**
 * Samples a model in Bun. Our own kernels need nothing installed:
 *
 *     bun examples/bun/sample.js
 *
 * onnxruntime-web (onnxruntime-node works as well):
 *
 *     bun add onnxruntime-web@1.30.0
 *     bun examples/bun/sample.js onnxruntime
 *
 * @module
 */
import { loadSampler } from "../dist/boltzflow_sampler.js";
import { summary } from "../summary.js";

const read = (path) => Bun.file(new URL(path, import.meta.url)).bytes();
const backend = Bun.argv[2] ?? "kernels";
const onnxruntime = backend === "onnxruntime" ? await import("onnxruntime-web/wasm") : undefined;
// The energy behind the weights runs on the kernels in any case.
const kernels = await read("../dist/boltzflow_kernels_baseline.wasm");

const sampler = await loadSampler(await read("../models/dimer.onnx"), { backend, kernels, onnxruntime });
const { x, logProb } = await sampler.sample(1000, { seed: 1 });
const logWeights = await sampler.logWeights(x, logProb);
await sampler.close();

console.log(summary(sampler.metadata, logProb, logWeights));
