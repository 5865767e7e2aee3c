/**
 * What a dimer run keeps on disk so that it can go on: its data, and where training stands.
 *
 * | name (T: tensor)                   | what                                                                        |
 * | ---------------------------------- | --------------------------------------------------------------------------- |
 * | `train/x`, `…/d`, `…/chain` (T)    | frames of a split: configurations, distances, chains; in the file of data   |
 * | `chains/…` (T), `chains`           | the training chains: positions, generators, counts; in both files           |
 * | `statistics`                       | how the chains behaved; in the file of data                                 |
 * | `ring` (T), `pushed`, `counts`     | frames of the training ring, how many ever came in, what losses have counted |
 * | `cost`                             | minutes of processor time of a training that is compared                    |
 *
 * and parameters with the position of training as in `training/position_checkpoint.ts`.
 *
 * @module
 */
import type { Parameter } from "../graph/parameter.ts";
import type { MetropolisState } from "../sampling/chain_state.ts";
import { MetropolisChains } from "../sampling/metropolis_chains.ts";
import type { ParticleDimer } from "../system/particle_dimer.ts";
import type { JsonObject } from "../format/json.ts";
import { takeArray, takeTable } from "../training/content_fields.ts";
import { type CheckpointContent, packPosition, unpackPosition } from "../training/position_checkpoint.ts";
import type { StoredTensor, TensorData } from "../training/safetensors.ts";
import type { TrainingPosition } from "../training/train.ts";
import type { SampledDimerData } from "./dimer_data.ts";
import { dimerFiles } from "./dimer_files.ts";
import type { DimerFrames } from "./dimer_results.ts";
import type { TrainingCounts } from "./dimer_training.ts";
import type { RunCheckpoints } from "./run_checkpoints.ts";

const DATA_KIND = "dimer data";
const TRAINING_KIND = "dimer training";
const SPLITS = ["train", "validate", "evaluate"] as const;
const CHAIN_ARRAYS = {
  positions: Float64Array,
  generators: Int32Array,
  accepted: Float64Array,
  biasCentres: Float64Array,
  labels: Int32Array,
  basins: Int32Array,
  crossings: Int32Array,
} as const satisfies Record<keyof MetropolisState["arrays"], unknown>;

/** Kinds of the values that belong to chains, to data and to training; the numbers are none of anybody's. */
const CHAIN_NUMBERS = { chains: 2, temperature: 1, step: 1, biasConstant: 0, sweeps: 0, countedSweeps: 0 };
const STATISTICS = {
  burnIn: 0,
  relaxed: true,
  evaluationRelaxed: true,
  stride: { train: 1, validate: 1, evaluate: 1 },
  autocorrelationSweeps: 0,
  acceptance: 0,
  crossings: 0,
  moves: 0,
  energyEvaluations: 0,
};
const COUNTS = { energies: 0, outOfBounds: 0, coordinates: 0 };

type Tensors = Map<string, StoredTensor>;

const stored = (data: TensorData): StoredTensor => ({ shape: [data.length], data });

function putChains(tensors: Tensors, { arrays }: MetropolisState): void {
  for (const [name, data] of Object.entries(arrays)) tensors.set(`chains/${name}`, stored(data));
}

function takeChains(system: ParticleDimer, content: CheckpointContent, path: string): MetropolisChains {
  const arrays = Object.fromEntries(
    Object.entries(CHAIN_ARRAYS).map(([name, kind]) => [
      name,
      takeArray<Float64Array | Int32Array>(content, path, `chains/${name}`, kind),
    ]),
  );
  const numbers = takeTable(content, path, "chains", CHAIN_NUMBERS);
  return MetropolisChains.fromState(system, { numbers, arrays } as unknown as MetropolisState);
}

/** Packs the data of a run. */
export function packDimerData(data: SampledDimerData): CheckpointContent {
  const tensors: Tensors = new Map();
  for (const split of SPLITS) {
    for (const [name, values] of Object.entries(data[split])) tensors.set(`${split}/${name}`, stored(values));
  }
  const { state } = data.chains;
  putChains(tensors, state);
  return { state: { statistics: data.statistics, chains: state.numbers } as unknown as JsonObject, tensors };
}

/**
 * Unpacks what {@link packDimerData} packed.
 *
 * @throws {RangeError} if something is missing
 */
export function unpackDimerData(system: ParticleDimer, content: CheckpointContent, path: string): SampledDimerData {
  const frames = (split: string): DimerFrames => {
    const x = takeArray(content, path, `${split}/x`, Float64Array);
    const chain = takeArray(content, path, `${split}/chain`, Int32Array);
    const d = takeArray(content, path, `${split}/d`, Float64Array);
    if (chain.length * system.dim === x.length && d.length === chain.length) return { x, chain, d };
    throw new RangeError(
      `Cannot resume from ${path}: ${split} must have ${system.dim} coordinates, a chain and a distance for each frame, ` +
        `got ${x.length}, ${chain.length} and ${d.length} numbers: start anew with --force`,
    );
  };
  return {
    train: frames("train"),
    validate: frames("validate"),
    evaluate: frames("evaluate"),
    statistics: takeTable(content, path, "statistics", STATISTICS),
    chains: takeChains(system, content, path),
  };
}

/** Saves the data of a run. */
export async function saveDimerData(checkpoints: RunCheckpoints, data: SampledDimerData): Promise<void> {
  await checkpoints.save(dimerFiles.data, DATA_KIND, packDimerData(data));
}

/** Loads what {@link saveDimerData} saved; null if there is no file, or a damaged one: data are sampled anew then. */
export async function loadDimerData(
  checkpoints: RunCheckpoints,
  system: ParticleDimer,
): Promise<SampledDimerData | null> {
  const content = await checkpoints.loadIfWhole(dimerFiles.data, DATA_KIND);
  return content && unpackDimerData(system, content, dimerFiles.data);
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
  /** Minutes of processor time so far, where they count. */
  readonly minutes?: number;
}

/** Saves parameters and the state of training. */
export async function saveDimerTraining(
  checkpoints: RunCheckpoints,
  parameters: readonly Parameter[],
  { position, counts, frames, pushed, chains, minutes }: DimerTrainingState,
  file: string = dimerFiles.training,
): Promise<void> {
  const { state, tensors } = packPosition(parameters, position);
  tensors.set("ring", stored(frames));
  putChains(tensors, chains.state);
  const cost = minutes === undefined ? {} : { cost: { minutes } };
  const numbers = { counts, pushed, chains: chains.state.numbers, ...cost } as unknown as JsonObject;
  await checkpoints.save(file, TRAINING_KIND, { state: { ...state, ...numbers }, tensors });
}

/** Loads what {@link saveDimerTraining} saved and sets the parameters; null if there is no file. */
export async function loadDimerTraining(
  checkpoints: RunCheckpoints,
  system: ParticleDimer,
  parameters: readonly Parameter[],
  path: string = dimerFiles.training,
): Promise<DimerTrainingState | null> {
  const content = await checkpoints.load(path, TRAINING_KIND);
  if (content === null) return null;
  const { pushed } = content.state;
  if (!Number.isSafeInteger(pushed)) {
    throw new RangeError(`Cannot resume from ${path}: pushed must be a whole number, got another value`);
  }
  return {
    frames: takeArray(content, path, "ring", Float64Array),
    chains: takeChains(system, content, path),
    counts: takeTable(content, path, "counts", COUNTS),
    pushed: pushed as number,
    ...content.state.cost !== undefined && takeTable(content, path, "cost", { minutes: 0 }),
    position: unpackPosition(parameters, content, path),
  };
}
