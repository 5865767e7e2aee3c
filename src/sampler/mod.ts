/**
 * Opens model files anywhere: no training, no derivatives, no plots.
 *
 * In: `sampler.onnx` and `density.onnx` of a flow. Out: independent samples with their density, and files that other
 * programs read.
 *
 * Start here: {@link loadSampler}.
 *
 * @module
 */
export { type GivenRuntime, loadDensity, loadSampler } from "./load.ts";
export { ModelSampler, type SampleBatch, type SampleOptions, type SamplerOptions } from "./sampler.ts";
export { DensityModel, type DensityOptions, type LatentBatch } from "./density.ts";
export type { OnnxRuntime, RuntimeSession, RuntimeTensor } from "./onnx_session.ts";
export type { ModelSource, RunOptions } from "./open_model.ts";
export type { Backend, Mapped, Session } from "./session.ts";
export type { WeighedSystem } from "./system_energy.ts";
export {
  type ModelDescription,
  type ModelMetadata,
  type ModelRole,
  parseMetadata,
  type ParticleLayout,
  type Precision,
} from "./metadata.ts";
export { decodeNpy, encodeNpy, type NpyArray, type NpyData } from "../format/npy.ts";
export { decodeNpz, encodeNpz, type NpzLimits, type NpzOptions } from "../format/npz.ts";
export { encodeXyz, type XyzLayout } from "../format/xyz.ts";
