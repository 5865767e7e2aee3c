/**
 * Flows with random weights, and what their models say about themselves.
 *
 * @module
 */
import type { Bijector } from "../../src/flow/bijector.ts";
import { NormalPrior } from "../../src/flow/prior.ts";
import { RealNVP, type RealNVPOptions } from "../../src/flow/real_nvp.ts";
import { exportFlow, type FlowModels } from "../../src/onnx/export_flow.ts";
import type { ModelDescription } from "../../src/sampler/metadata.ts";
import type { Precision } from "../../src/sampler/metadata.ts";

/** A description with every field set. */
export const description: ModelDescription = {
  system: "ParticleDimer",
  preset: "noe2019",
  parameters: { epsilon: 1, slope: -0.5, boxStrength: 200 },
  particles: null,
  temperature: 1.25,
  units: { length: "reduced", energy: "k_B T₀" },
  referenceDomain: "x₀ ≤ x₁, solvent in its optimal order",
  seed: 42,
};

/** Numbers of both signs within ±scale, exact in float32. */
export function noise(length: number, seed: number, scale = 1): Float64Array {
  return Float64Array.from({ length }, (_, i) => Math.fround(scale * Math.sin(12.9898 * (i + 1) * (i + 3) + seed)));
}

/** A RealNVP whose weights are all random, those that start at zero too. */
export function randomRealNVP(options: RealNVPOptions, scale = 0.8): RealNVP {
  const flow = new RealNVP(options);
  flow.parameters().forEach((parameter, i) => {
    const fanIn = parameter.shape[1] ?? 4;
    parameter.set(noise(parameter.length, i, scale / Math.sqrt(fanIn)));
  });
  return flow;
}

/** Exports a bijector over the standard normal. */
export function exportBijector(bijector: Bijector, precision: Precision = "float32"): FlowModels {
  return exportFlow({ bijector, prior: new NormalPrior(bijector.dim) }, description, { precision });
}
