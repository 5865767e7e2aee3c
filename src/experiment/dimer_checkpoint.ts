/**
 * What a dimer run keeps on disk so that it can go on: its data, and where training stands.
 *
 * @module
 */
import type { Parameter } from "../autodiff/parameter.ts";
import type { MetropolisState } from "../sampling/chain_state.ts";
import { MetropolisChains } from "../sampling/metropolis_chains.ts";
import type { ParticleDimer } from "../system/particle_dimer.ts";
import { loadCheckpoint, saveCheckpoint } from "../training/checkpoint.ts";
import { firstDifference, type JsonObject, type JsonValue } from "../training/json.ts";
import type { StoredTensor, TensorData } from "../training/safetensors.ts";
import { restoreSnapshot, takeSnapshot } from "../training/snapshot.ts";
import type { HistoryEntry, RunningSums, TrainingPosition } from "../training/train.ts";
import type { SampledDimerData } from "./dimer_data.ts";
import type { DimerData, DimerFrames } from "./dimer_results.ts";
import type { TrainingCounts } from "./dimer_training.ts";

const DATA_KIND = "dimer data";
const TRAINING_KIND = "dimer training";
const SPLITS = ["train", "validate", "evaluate"] as const;
const CHAIN_ARRAYS = [
  "positions",
  "generators",
  "accepted",
  "biasCentres",
  "labels",
  "basins",
  "crossings",
] as const satisfies readonly (keyof MetropolisState["arrays"])[];

type Tensors = Map<string, StoredTensor>;

/** What data and parameters belong to: they mean nothing for another system or temperature. */
function identityOf({ preset, parameters }: ParticleDimer, temperature: number): JsonObject {
  return { system: preset, parameters, temperature } as unknown as JsonObject;
}

/** Refuses a file that belongs to something else. */
function checkIdentity(
  path: string,
  recorded: JsonValue | undefined,
  system: ParticleDimer,
  temperature: number,
): void {
  const difference = firstDifference(identityOf(system, temperature), recorded);
  if (difference === undefined) return;
  const { path: name, expected, actual } = difference;
  throw new RangeError(
    `Cannot resume from ${path}: its ${
      name || "identity"
    } must be ${expected}, got ${actual}: put the file of this run ` +
      "back, or start anew with --force",
  );
}

/** A tensor of a file that must have it. */
function need(path: string, tensors: ReadonlyMap<string, StoredTensor>, name: string): TensorData {
  const tensor = tensors.get(name);
  if (tensor === undefined) {
    throw new RangeError(`Cannot resume from ${path}: the file must hold ${name}, got none: start anew with --force`);
  }
  return tensor.data;
}

const stored = (data: TensorData): StoredTensor => ({ shape: [data.length], data });

function put(tensors: Tensors, prefix: string, arrays: ReadonlyMap<string, TensorData>): void {
  for (const [name, data] of arrays) tensors.set(`${prefix}/${name}`, stored(data));
}

function take(tensors: ReadonlyMap<string, StoredTensor>, prefix: string): Map<string, Float32Array> {
  const found = new Map<string, Float32Array>();
  for (const [name, { data }] of tensors) {
    if (name.startsWith(`${prefix}/`) && data instanceof Float32Array) found.set(name.slice(prefix.length + 1), data);
  }
  return found;
}

function putChains(tensors: Tensors, { arrays }: MetropolisState): void {
  for (const name of CHAIN_ARRAYS) tensors.set(`chains/${name}`, stored(arrays[name]));
}

function takeChains(
  path: string,
  system: ParticleDimer,
  tensors: ReadonlyMap<string, StoredTensor>,
  numbers: unknown,
): MetropolisChains {
  const arrays = Object.fromEntries(CHAIN_ARRAYS.map((name) => [name, need(path, tensors, `chains/${name}`)]));
  return MetropolisChains.fromState(system, { numbers, arrays } as unknown as MetropolisState);
}

/** Saves the data of a run. */
export async function saveDimerData(path: string, data: SampledDimerData): Promise<void> {
  const tensors: Tensors = new Map();
  for (const split of SPLITS) put(tensors, split, new Map(Object.entries(data[split])));
  const { state } = data.chains;
  putChains(tensors, state);
  const identity = identityOf(data.chains.system, data.chains.temperature);
  const document = { identity, statistics: data.statistics, chains: state.numbers } as unknown as JsonObject;
  await saveCheckpoint(path, { kind: DATA_KIND, state: document, tensors });
}

/**
 * Loads what {@link saveDimerData} saved; null if there is no file.
 *
 * @throws {RangeError} if the file is not whole, or belongs to another system or temperature
 */
export async function loadDimerData(
  path: string,
  system: ParticleDimer,
  temperature: number,
): Promise<SampledDimerData | null> {
  if (!await exists(path)) return null;
  const { state, tensors } = await loadCheckpoint(path, DATA_KIND);
  checkIdentity(path, state.identity, system, temperature);
  const frames = (split: string): DimerFrames => ({
    x: need(path, tensors, `${split}/x`) as Float64Array,
    chain: need(path, tensors, `${split}/chain`) as Int32Array,
    d: need(path, tensors, `${split}/d`) as Float64Array,
  });
  return {
    train: frames("train"),
    validate: frames("validate"),
    evaluate: frames("evaluate"),
    statistics: state.statistics as unknown as DimerData["statistics"],
    chains: takeChains(path, system, tensors, state.chains),
  };
}

/** Where training stands, with everything that it changes. */
export interface DimerTrainingState {
  /** Stage, step, optimiser, history, best parameters. */
  readonly position: TrainingPosition;
  /** What has been counted. */
  readonly counts: TrainingCounts;
  /** The frames of the training ring. */
  readonly frames: Float64Array;
  /** Frames ever pushed into the ring. */
  readonly pushed: number;
  /** The training chains. */
  readonly chains: MetropolisChains;
}

/** Saves parameters and the state of training. */
export async function saveDimerTraining(
  path: string,
  parameters: readonly Parameter[],
  training: DimerTrainingState,
): Promise<void> {
  const { position, counts, frames, pushed, chains } = training;
  const tensors: Tensors = new Map();
  put(tensors, "parameter", takeSnapshot(parameters));
  put(tensors, "best", position.best as ReadonlyMap<string, TensorData>);
  if (position.optimiser) put(tensors, "optimiser", position.optimiser.tensors as ReadonlyMap<string, TensorData>);
  tensors.set("ring", stored(frames));
  const { state } = chains;
  putChains(tensors, state);
  const document = {
    identity: identityOf(chains.system, chains.temperature),
    stage: position.stage,
    step: position.step,
    optimiserSteps: position.optimiser?.steps ?? null,
    history: position.history,
    running: position.running,
    bestValidation: Number.isFinite(position.bestValidation) ? position.bestValidation : null,
    counts,
    pushed,
    chains: state.numbers,
  } as unknown as JsonObject;
  await saveCheckpoint(path, { kind: TRAINING_KIND, state: document, tensors });
}

/** Loads what {@link saveDimerTraining} saved and sets the parameters; null if there is no file. */
export async function loadDimerTraining(
  path: string,
  system: ParticleDimer,
  temperature: number,
  parameters: readonly Parameter[],
): Promise<DimerTrainingState | null> {
  if (!await exists(path)) return null;
  const { state, tensors } = await loadCheckpoint(path, TRAINING_KIND);
  checkIdentity(path, state.identity, system, temperature);
  restoreSnapshot(parameters, take(tensors, "parameter"));
  const steps = state.optimiserSteps as number | null;
  return {
    position: {
      stage: state.stage as number,
      step: state.step as number,
      optimiser: steps === null ? null : { steps, tensors: take(tensors, "optimiser") },
      history: state.history as unknown as HistoryEntry[],
      running: state.running as unknown as RunningSums,
      bestValidation: state.bestValidation as number | null ?? Infinity,
      best: take(tensors, "best"),
    },
    counts: state.counts as unknown as TrainingCounts,
    frames: need(path, tensors, "ring") as Float64Array,
    pushed: state.pushed as number,
    chains: takeChains(path, system, tensors, state.chains),
  };
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
