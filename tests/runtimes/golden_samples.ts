/**
 * What the deterministic kernels draw of the golden models in this process: the bits that other runtimes must give.
 *
 * When arithmetic or the shipped model is changed on purpose, write the checksums anew:
 *
 *     deno run -A --no-check tests/runtimes/golden_samples.ts > tests/runtimes/golden.json
 *
 * @module
 */
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { sha256 } from "../../src/format/sha256.ts";
import type { FlowModels } from "../../src/onnx/export_flow.ts";
import { loadSampler } from "../../src/sampler/load.ts";
import type { Answer } from "./ask.ts";
import { dimer, goldenModels, samples, seed } from "./golden_models.ts";

/** The arrays of an answer. */
export type Samples = Pick<Answer, "x" | "logProb" | "logWeights" | "again">;

/**
 * Draws in this process with the baseline kernels.
 *
 * @param models by name
 * @returns samples by name; log-weights of the dimer only
 */
export async function drawHere(models: Readonly<Record<string, FlowModels>>): Promise<Record<string, Samples>> {
  await loadKernels({ deterministic: true });
  const drawn: Record<string, Samples> = {};
  for (const [name, { sampler, density }] of Object.entries(models)) {
    await using model = await loadSampler(sampler, { density, backend: "kernels" });
    const { x, logProb } = await model.sample(samples, { seed });
    const logWeights = name === dimer ? await model.logWeights(x, logProb) : new Float64Array();
    drawn[name] = { x, logProb, logWeights, again: await model.logProb(x) };
  }
  return drawn;
}

/** SHA-256 of the bytes of each array. */
export function checksums({ x, logProb, logWeights, again }: Samples): Record<keyof Samples, string> {
  const of = (a: Float64Array) => sha256(new Uint8Array(a.buffer, a.byteOffset, a.byteLength));
  return { x: of(x), logProb: of(logProb), logWeights: of(logWeights), again: of(again) };
}

if (import.meta.main) {
  const models = await goldenModels();
  const drawn = await drawHere({ [dimer]: models[dimer] });
  console.log(JSON.stringify({ seed, samples, [dimer]: checksums(drawn[dimer]) }, null, 2));
}
