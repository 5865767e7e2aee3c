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
export { loadSampler, ModelSampler, type SampleBatch, type SampleOptions, type SamplerOptions } from "./sampler.ts";
export { DensityModel, type LatentBatch, loadDensity } from "./density.ts";
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
