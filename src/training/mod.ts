/**
 * Stage 5 of 8: how a flow learns.
 *
 * In: losses, batches of data, a list of stages. Out: trained parameters, a history, checkpoints that can be resumed.
 *
 * Start here: {@link train}.
 *
 * @module
 */
import "../backend/loaded.ts";

export {
  type HistoryEntry,
  type Objective,
  type RunningSums,
  type Stage,
  train,
  type TrainingPosition,
  type TrainOptions,
  type TrainProgress,
  type TrainResult,
} from "./train.ts";
export { restoreSnapshot, takeSnapshot } from "./snapshot.ts";
export { FrameBuffer, type FrameBufferOptions } from "./frame_buffer.ts";
export { type Checkpoint, loadCheckpoint, saveCheckpoint } from "./checkpoint.ts";
export type { JsonObject, JsonValue } from "../format/json.ts";
export type { StoredTensor, TensorData } from "./safetensors.ts";
export type { FileContent } from "./write_atomically.ts";
