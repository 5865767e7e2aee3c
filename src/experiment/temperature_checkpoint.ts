/**
 * What a run over temperatures keeps on disk so that it can go on: where training stands. Data are sampled anew, to the
 * same bits.
 *
 * @module
 */
import type { Parameter } from "../autodiff/parameter.ts";
import { loadCheckpoint, saveCheckpoint } from "../training/checkpoint.ts";
import type { JsonObject } from "../training/json.ts";
import type { StoredTensor, TensorData } from "../training/safetensors.ts";
import { restoreSnapshot, takeSnapshot } from "../training/snapshot.ts";
import type { HistoryEntry, RunningSums, TrainingPosition } from "../training/train.ts";

const KIND = "dimer temperatures training";

/**
 * Saves parameters and the state of training.
 *
 * @param path where to
 * @param parameters of the flow, constants included
 * @param position where training stands
 */
export async function saveTemperatureTraining(
  path: string,
  parameters: readonly Parameter[],
  position: TrainingPosition,
): Promise<void> {
  const tensors = new Map<string, StoredTensor>();
  const put = (prefix: string, arrays: ReadonlyMap<string, TensorData>) => {
    for (const [name, data] of arrays) tensors.set(`${prefix}/${name}`, { shape: [data.length], data });
  };
  put("parameter", takeSnapshot(parameters));
  put("best", position.best as ReadonlyMap<string, TensorData>);
  if (position.optimiser) put("optimiser", position.optimiser.tensors as ReadonlyMap<string, TensorData>);
  const state = {
    stage: position.stage,
    step: position.step,
    optimiserSteps: position.optimiser?.steps ?? null,
    history: position.history,
    running: position.running,
    bestValidation: Number.isFinite(position.bestValidation) ? position.bestValidation : null,
  } as unknown as JsonObject;
  await saveCheckpoint(path, { kind: KIND, state, tensors });
}

/**
 * Loads what {@link saveTemperatureTraining} saved and sets the parameters.
 *
 * @param path the file
 * @param parameters of the flow, constants included
 * @returns where training stood; null if there is no file
 * @throws {Error} if the file is not whole, or of another flow
 */
export async function loadTemperatureTraining(
  path: string,
  parameters: readonly Parameter[],
): Promise<TrainingPosition | null> {
  if (!await Deno.stat(path).then(() => true, () => false)) return null;
  const { state, tensors } = await loadCheckpoint(path, KIND);
  const take = (prefix: string) => {
    const found = new Map<string, Float32Array>();
    for (const [name, { data }] of tensors) {
      if (name.startsWith(`${prefix}/`) && data instanceof Float32Array) found.set(name.slice(prefix.length + 1), data);
    }
    return found;
  };
  restoreSnapshot(parameters, take("parameter"));
  const steps = state.optimiserSteps as number | null;
  return {
    stage: state.stage as number,
    step: state.step as number,
    optimiser: steps === null ? null : { steps, tensors: take("optimiser") },
    history: state.history as unknown as HistoryEntry[],
    running: state.running as unknown as RunningSums,
    bestValidation: state.bestValidation as number | null ?? Infinity,
    best: take("best"),
  };
}
