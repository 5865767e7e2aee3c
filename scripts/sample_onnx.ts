/**
 * Draws samples from a model that `train_dimer.ts` exported, without the training code.
 *
 *     deno run -A scripts/sample_onnx.ts runs/dimer/sampler.onnx --n 1000 --seed 7
 *
 * @module
 */
import { sampleModel } from "../src/experiment/mod.ts";
import { runCommand } from "./command_line.ts";

await runCommand({
  usage: "deno run -A scripts/sample_onnx.ts",
  summary:
    "Draws independent samples from a sampler.onnx by the package's own kernels and writes them as a NumPy archive " +
    "(x, logProb) and, for particles, as extended XYZ. The same seed gives the same samples.",
  operands: [{ name: "MODEL", help: "path of a sampler.onnx" }],
  options: {
    n: { kind: "integer", minimum: 1, default: 1000, help: "number of samples" },
    seed: { kind: "integer", minimum: 0, default: 0, help: "seed of the random numbers" },
    first: { kind: "integer", minimum: 0, default: 0, help: "number of the first sample, to go on with a sequence" },
    out: { kind: "text", placeholder: "FILE.npz", default: "samples.npz", help: "archive; the .xyz lies beside it" },
    force: { kind: "flag", help: "replace files that are there" },
  },
  needs: ({ options: { out }, operands: [model] }) => [
    { name: "read", path: model, why: "the model" },
    { name: "read", path: out, why: "whether files are there" },
    { name: "write", path: out, why: "the samples" },
  ],
}, async ({ options, operands: [model] }) => {
  const { files, metadata, samplingTimeMs } = await sampleModel({ model, ...options });
  const { system, preset, temperature } = metadata;
  const rate = Math.round(options.n / (samplingTimeMs / 1000));
  console.log(`${options.n} samples of ${system} (${preset}, T = ${temperature} T₀) at ${rate}/s: ${files.join(", ")}`);
});
