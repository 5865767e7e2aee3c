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
export { loadSampler, ModelSampler, type SampleBatch, type SampleOptions, type SamplerOptions } from "../sampler/sampler.ts";
export { DensityModel, type LatentBatch, loadDensity } from "../sampler/density.ts";
export {
  type ModelDescription,
  type ModelMetadata,
  type ModelRole,
  parseMetadata,
  type ParticleLayout,
} from "../sampler/metadata.ts";
export { encodeModel } from "./encode_model.ts";
export { decodeModel } from "../sampler/decode_model.ts";
export type { ElementType, Model, ModelAttribute, ModelGraph, ModelNode, ModelTensor, ModelValue } from "../sampler/model.ts";
export { decodeNpy, encodeNpy, type NpyArray, type NpyData } from "../format/npy.ts";
export { decodeNpz, encodeNpz, type NpzLimits, type NpzOptions } from "../format/npz.ts";
export { encodeXyz, type XyzLayout } from "../format/xyz.ts";
