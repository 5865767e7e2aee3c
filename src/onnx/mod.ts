/**
 * Stage 7 of 8: hand over.
 *
 * In: a trained flow. Out: `sampler.onnx` (z → x, logDet) and `density.onnx` (x → z, logDet) for any runtime, samples
 * from them without the training code, and files that other programs read.
 *
 * Start here: {@link exportFlow}, then {@link loadSampler}.
 *
 * @module
 */
export { exportFlow, type FlowModels, weightsChecksum } from "./export_flow.ts";
export { exportOnnx, type ExportOptions } from "./export_graph.ts";
export type { Precision, WeightStorage } from "./model_builder.ts";
export { loadSampler, ModelSampler, type SampleBatch, type SampleOptions, type SamplerOptions } from "./sampler.ts";
export { DensityModel, type LatentBatch, loadDensity } from "./density.ts";
export {
  type ModelDescription,
  type ModelMetadata,
  type ModelRole,
  parseMetadata,
  type ParticleLayout,
} from "./metadata.ts";
export { encodeModel } from "./encode_model.ts";
export { decodeModel } from "./decode_model.ts";
export type { ElementType, Model, ModelAttribute, ModelGraph, ModelNode, ModelTensor, ModelValue } from "./model.ts";
export { decodeNpy, encodeNpy, type NpyArray, type NpyData } from "./npy.ts";
export { decodeNpz, encodeNpz, type NpzLimits, type NpzOptions } from "./npz.ts";
export { encodeXyz, type XyzLayout } from "./xyz.ts";
