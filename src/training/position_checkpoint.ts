/**
 * Parameters and the position of a training as the content of a checkpoint.
 *
 * | name                 | what                                                                                    |
 * | -------------------- | --------------------------------------------------------------------------------------- |
 * | `parameter/<name>`   | float32, a parameter of the flow as it is, constants included                           |
 * | `best/<name>`        | float32, a trainable parameter as it was at the lowest validation loss                  |
 * | `optimiser/<name>`   | float32, a moment of Adam                                                               |
 * | `position` (of JSON) | stage, step, steps of the optimiser, history, running sums and the best validation loss |
 *
 * @module
 */
import type { Parameter } from "../graph/parameter.ts";
import type { Checkpoint } from "./checkpoint.ts";
import type { JsonObject } from "../format/json.ts";
import { isJsonObject } from "../format/parse_json.ts";
import type { StoredTensor, TensorData } from "./safetensors.ts";
import { restoreSnapshot, takeSnapshot } from "./snapshot.ts";
import type { HistoryEntry, RunningSums, TrainingPosition } from "./train.ts";

/** Arrays by name, and a state in JSON. */
export type CheckpointContent = Omit<Checkpoint, "kind">;

/**
 * Collects parameters and where training stands. The numbers are copies.
 *
 * @param parameters of the flow, constants included
 * @param position where training stands
 * @returns what a checkpoint is to hold
 */
export function packPosition(
  parameters: readonly Parameter[],
  position: TrainingPosition,
): { readonly state: JsonObject; readonly tensors: Map<string, StoredTensor> } {
  const tensors = new Map<string, StoredTensor>();
  const put = (prefix: string, arrays: ReadonlyMap<string, TensorData>) => {
    for (const [name, data] of arrays) tensors.set(`${prefix}/${name}`, { shape: [data.length], data });
  };
  const { stage, step, optimiser, history, running, bestValidation, best } = position;
  put("parameter", takeSnapshot(parameters));
  put("best", best as ReadonlyMap<string, TensorData>);
  if (optimiser) put("optimiser", optimiser.tensors as ReadonlyMap<string, TensorData>);
  const state = {
    stage,
    step,
    optimiserSteps: optimiser?.steps ?? null,
    history,
    running,
    bestValidation: Number.isFinite(bestValidation) ? bestValidation : null,
  };
  return { state: { position: state as unknown as JsonObject }, tensors };
}

/**
 * Sets parameters and tells where training stood.
 *
 * @param parameters of the flow, constants included; changed only if the content is acceptable
 * @param content what {@link packPosition} returned, read from a file
 * @param path the file, for messages
 * @returns where training stood
 * @throws {RangeError} if the content has no position, or one that cannot be
 * @throws {Error} if it belongs to another flow
 */
export function unpackPosition(
  parameters: readonly Parameter[],
  { state, tensors }: CheckpointContent,
  path: string,
): TrainingPosition {
  const taken = (prefix: string) => {
    const found = new Map<string, Float32Array>();
    for (const [name, { data }] of tensors) {
      if (name.startsWith(`${prefix}/`) && data instanceof Float32Array) found.set(name.slice(prefix.length + 1), data);
    }
    return found;
  };
  const { position } = state;
  if (!isPosition(position)) {
    throw new RangeError(`Cannot resume from ${path}: its position must be that of a training, got other content`);
  }
  restoreSnapshot(parameters, taken("parameter"));
  const { stage, step, optimiserSteps, history, running, bestValidation } = position;
  return {
    stage,
    step,
    optimiser: optimiserSteps === null ? null : { steps: optimiserSteps, tensors: taken("optimiser") },
    history,
    running,
    bestValidation: bestValidation ?? Infinity,
    best: taken("best"),
  };
}

/** A position as it stands in JSON. */
interface StoredPosition {
  readonly stage: number;
  readonly step: number;
  readonly optimiserSteps: number | null;
  readonly history: readonly HistoryEntry[];
  readonly running: RunningSums;
  readonly bestValidation: number | null;
}

function isPosition(value: unknown): value is StoredPosition {
  if (!isJsonObject(value)) return false;
  const { stage, step, optimiserSteps, history, running, bestValidation } = value;
  return isCount(stage) && isCount(step) && (optimiserSteps === null || isCount(optimiserSteps)) &&
    (bestValidation === null || typeof bestValidation === "number") &&
    Array.isArray(history) && history.every(isEntry) && isJsonObject(running) && isCount(running.count) &&
    Array.isArray(running.sums) && running.sums.every((sum) => typeof sum === "number");
}

function isEntry(value: unknown): value is HistoryEntry {
  if (!isJsonObject(value)) return false;
  const { stage, step, losses, validation } = value;
  return typeof stage === "string" && isCount(step) && (validation === null || typeof validation === "number") &&
    isJsonObject(losses) && Object.values(losses).every((loss) => typeof loss === "number");
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
