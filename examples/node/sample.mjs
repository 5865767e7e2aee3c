/**
 * Samples a model in Node 20 or newer. Our own kernels need nothing installed:
 *
 *     node examples/node/sample.mjs
 *
 * The native ONNX Runtime:
 *
 *     npm install onnxruntime-node@1.30.0 --ignore-scripts
 *     node examples/node/sample.mjs onnxruntime
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import process from "node:process";
import { loadSampler } from "../dist/boltzflow_sampler.js";
import { summary } from "../summary.js";

const read = (path) => readFile(new URL(path, import.meta.url));
const backend = process.argv[2] ?? "kernels";
const onnxruntime = backend === "onnxruntime" ? await import("onnxruntime-node") : undefined;
// The energy behind the weights runs on the kernels in any case.
const kernels = await read("../dist/boltzflow_kernels_baseline.wasm");

const sampler = await loadSampler(await read("../models/dimer.onnx"), { backend, kernels, onnxruntime });
const { x, logProb } = await sampler.sample(1000, { seed: 1 });
const logWeights = await sampler.logWeights(x, logProb);
await sampler.close();

console.log(summary(sampler.metadata, logProb, logWeights));
