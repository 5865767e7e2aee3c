/**
 * Weighted samples from a model file: averages that are exact although the flow is not.
 *
 *     deno run --allow-read examples/sample_model.ts runs/dimer/sampler.onnx
 *     deno run --allow-read examples/sample_model.ts runs/well/sampler.onnx        of examples/double_well.ts
 *
 * @module
 */
import { kishEffectiveSampleSize, loadSampler, logPartitionFunction } from "../mod.ts";

function stop(reason: string): never {
  console.error(`Cannot sample a model: ${reason}`);
  Deno.exit(1);
}

const n = 20_000;
const path = Deno.args[0] ?? stop("the path of a sampler.onnx must be given, got nothing");
const file = await Deno.readFile(path).catch(({ message }) => stop(message));
await using sampler = await loadSampler(file);
const { metadata } = sampler;
const { x, logProb } = await sampler.sample(n, { seed: 1 });

// By the energy that the file describes; samples outside its reference domain have weight zero.
const logWeights = await sampler.logWeights(x, logProb);
const energy = logWeights.map((logWeight, i) => -metadata.temperature * (logWeight + logProb[i]));

const largest = logWeights.reduce((a, b) => Math.max(a, b));
const weights = logWeights.map((logWeight) => Math.exp(logWeight - largest));
const sum = (values: Float64Array) => values.reduce((a, b) => a + b);
const mean = sum(weights.map((w, i) => w > 0 ? w * energy[i] : 0)) / sum(weights);
const error = Math.hypot(...weights.map((w, i) => w > 0 ? w * (energy[i] - mean) : 0)) / sum(weights);
const logPartition = logPartitionFunction(logWeights);

console.log(
  `${n} samples of ${metadata.system}, worth ${kishEffectiveSampleSize(logWeights).toFixed(0)} of equal weight`,
);
console.log(`Mean energy: ${mean.toFixed(3)} ± ${error.toFixed(3)} k_BT₀`);
console.log(`log Z: ${logPartition.value?.toFixed(4)} ± ${logPartition.standardError?.toFixed(4)}`);
if (logPartition.reason !== null) console.log(`Do not rely on these: ${logPartition.reason}.`);
