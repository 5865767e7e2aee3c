/**
 * The models of a dimer run: what they say about themselves, and how they compare with the flow they came from.
 *
 * @module
 */
import type { Flow } from "../flow/flow.ts";
import type { FlowModels } from "../onnx/export_flow.ts";
import type { ModelDescription } from "../sampler/metadata.ts";
import { opsetVersion } from "../format/model.ts";
import { loadSampler } from "../sampler/load.ts";
import type { ParticleDimer } from "../system/particle_dimer.ts";

/** Samples for the comparison, and for the timing. */
const SAMPLES = { compared: 1024, timed: 4096 };

/** What the metadata of the models say. */
export function describeDimer(system: ParticleDimer, temperature: number, seed: number): ModelDescription {
  const solvent = new Array<string>(system.particles - 2).fill("S");
  return {
    system: "ParticleDimer",
    preset: system.preset,
    parameters: system.parameters,
    particles: { species: ["D", "D", ...solvent], spatialDim: 2 },
    temperature,
    units: { length: "reduced", energy: "k_B T₀", temperature: "T₀" },
    referenceDomain:
      "particle 0 left of particle 1, and every solvent particle at its own site of the reference grid " +
      "in the assignment of least squared distance",
    seed,
  };
}

/**
 * Runs both models in onnxruntime-web and compares them with the flow.
 *
 * @param models the bytes of the files
 * @param flow what they were exported from
 * @param seed of the samples
 * @returns operator set, largest |difference| of x and of log-densities in both directions, samples per second on one
 * thread of onnxruntime
 */
export async function checkModels(
  models: FlowModels,
  flow: Flow,
  seed: number,
): Promise<{ opset: number; maxAbsDifference: number; samplesPerSecond: number }> {
  await using sampler = await loadSampler(models.sampler, { density: models.density, backend: "onnxruntime" });
  const theirs = await sampler.sample(SAMPLES.compared, { seed });
  const ours = flow.sample(SAMPLES.compared, { seed });
  const density = await sampler.logProb(ours.x);
  const maxAbsDifference = Math.max(
    largestDifference(theirs.x, ours.x),
    largestDifference(theirs.logProb, ours.logProb),
    largestDifference(density, flow.logProb(ours.x)),
  );
  const start = performance.now();
  await sampler.sample(SAMPLES.timed, { seed: seed + 1 });
  const samplesPerSecond = SAMPLES.timed / ((performance.now() - start) / 1000);
  return { opset: opsetVersion, maxAbsDifference, samplesPerSecond };
}

function largestDifference(a: Float64Array, b: Float64Array): number {
  return a.reduce((largest, value, i) => Math.max(largest, Math.abs(value - b[i])), 0);
}
