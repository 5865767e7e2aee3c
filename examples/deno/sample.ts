/**
 * Samples a model in Deno. Our own kernels need no permission but to read the model:
 *
 *     deno run --allow-read=examples examples/deno/sample.ts
 *
 * onnxruntime-web reads its own files, too, from Deno's cache of packages:
 *
 *     deno run --allow-read examples/deno/sample.ts onnxruntime
 *
 * @module
 */
import { loadSampler } from "../../src/sampler/mod.ts";
import { summary } from "../summary.js";

const backend = Deno.args[0] === "onnxruntime" ? "onnxruntime" : "kernels";
const model = await Deno.readFile(new URL("../models/dimer.onnx", import.meta.url));

await using sampler = await loadSampler(model, { backend });
const { x, logProb } = await sampler.sample(1000, { seed: 1 });
const logWeights = await sampler.logWeights(x, logProb);

console.log(summary(sampler.metadata, logProb, logWeights));
