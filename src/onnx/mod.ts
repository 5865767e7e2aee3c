/**
 * Stage 7 of 8: hand over.
 *
 * In: a trained flow. Out: `sampler.onnx` (z → x, logDet) and `density.onnx` (x → z, logDet) for any runtime. What opens
 * these files is the folder `sampler`.
 *
 * Start here: {@link exportFlow}.
 *
 * @module
 */
export { exportFlow, type FlowExportOptions, type FlowModels, weightsChecksum } from "./export_flow.ts";
export { exportOnnx, type ExportOptions } from "./export_graph.ts";
export type { WritableSystem } from "./lower_energy.ts";
export type { WeightStorage } from "./model_builder.ts";
export { encodeModel } from "../format/encode_model.ts";
export { decodeModel } from "../format/decode_model.ts";
export type {
  ElementType,
  Model,
  ModelAttribute,
  ModelGraph,
  ModelNode,
  ModelTensor,
  ModelValue,
} from "../format/model.ts";
