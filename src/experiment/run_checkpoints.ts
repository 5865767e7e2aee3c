/**
 * The checkpoints of a run: what they hold beside numbers, and what becomes of damaged ones.
 *
 * Each is one safetensors file (see `training/checkpoint.ts`) that stands for itself. Its JSON state holds
 *
 * - `run`: kind and configuration of the run, that is every option its results depend on, the seed included;
 * - `versions`: release of the package, build of the kernels, Deno;
 * - what the part of the run adds, with its arrays as tensors: `position` of a training (see
 *   `training/position_checkpoint.ts`), chains and frames of a Monte Carlo, or a finished result (`value`).
 *
 * @module
 */
import type { Parameter } from "../graph/parameter.ts";
import { kernelBuild } from "../backend/wasm.ts";
import { packageVersion } from "../sampler/version.ts";
import { firstDifference, type JsonObject, type JsonValue } from "../format/json.ts";
import { type CheckpointContent, packPosition, unpackPosition } from "../training/position_checkpoint.ts";
import { recoverCheckpoint } from "../training/recover_checkpoint.ts";
import type { TrainingPosition } from "../training/train.ts";
import type { RunDirectory } from "./run_directory.ts";

/** Keeps where a training stands. */
export interface TrainingKeeper {
  /**
   * Sets parameters and tells where a training stood.
   *
   * @param parameters of the flow, constants included
   * @returns null if there is nothing to go on with
   */
  load(parameters: readonly Parameter[]): Promise<TrainingPosition | null>;
  /**
   * Keeps parameters and position.
   *
   * @param parameters of the flow, constants included
   * @param position where the training stands
   */
  save(parameters: readonly Parameter[], position: TrainingPosition): Promise<void>;
}

/** Saves and loads the checkpoints of one run. */
export class RunCheckpoints {
  readonly #directory: RunDirectory;
  readonly #note: (text: string) => void;
  readonly #noted = new Set<string>();

  /**
   * Takes the checkpoints of a run in hand.
   *
   * @param directory of the run
   * @param note told in a sentence what the user should know: a damaged file, another version
   */
  constructor(directory: RunDirectory, note: (text: string) => void) {
    this.#directory = directory;
    this.#note = note;
  }

  /**
   * Saves a checkpoint; the one before is kept.
   *
   * @param name one of the files of the run
   * @param kind what it is
   * @param content what it holds beside the identity of the run
   * @throws {Error} with one sentence if it cannot be written
   */
  async save(name: string, kind: string, content: CheckpointContent): Promise<void> {
    const { state, tensors } = content;
    const whole = { run: this.#directory.identity, versions: versions(), ...state };
    await this.#directory.saveCheckpoint(name, { kind, state: whole, tensors });
  }

  /**
   * Loads what a resumed run has saved; where the newest generation is damaged, the one before, and says so.
   *
   * @param name one of the files of the run
   * @param kind what it must be
   * @returns null if there is none, or the run is not resumed
   * @throws {Error} if no generation is whole, or it belongs to another run or release
   */
  async load(name: string, kind: string): Promise<CheckpointContent | null> {
    if (!this.#directory.resumed) return null;
    const path = this.#directory.pathOf(name);
    const found = await recoverCheckpoint(path, kind);
    if (found === null) return null;
    const { checkpoint, warning } = found;
    if (warning !== null) this.#say(warning);
    checkIdentity(path, this.#directory.identity, checkpoint.state.run);
    this.#checkVersions(path, checkpoint.state.versions);
    return checkpoint;
  }

  /**
   * As {@link RunCheckpoints.load}, but what is damaged is not there: for what can be computed anew.
   *
   * @param name one of the files of the run
   * @param kind what it must be
   * @returns null if there is none, or it is damaged, which is told
   */
  async loadIfWhole(name: string, kind: string): Promise<CheckpointContent | null> {
    try {
      return await this.load(name, kind);
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith("Cannot load checkpoint"))) throw error;
      this.#say(`${error.message}; computes it anew`);
      return null;
    }
  }

  /**
   * Removes checkpoints that are no longer needed.
   *
   * @param which tells of a file of the run whether it is one of them
   */
  async forget(which: (name: string) => boolean): Promise<void> {
    await this.#directory.remove(which);
  }

  /**
   * Keeps the position of a training.
   *
   * @param name one of the files of the run
   * @param kind what the checkpoint is
   * @returns what the training is to be given
   */
  training(name: string, kind: string): TrainingKeeper {
    return {
      load: async (parameters) => {
        const content = await this.load(name, kind);
        return content && unpackPosition(parameters, content, this.#directory.pathOf(name));
      },
      save: (parameters, position) => this.save(name, kind, packPosition(parameters, position)),
    };
  }

  #checkVersions(path: string, recorded: JsonValue | undefined): void {
    const difference = firstDifference(recorded, versions());
    if (difference === undefined) return;
    const { path: name, expected, actual } = difference;
    if (name === "kernels" || name === "deno") {
      return this.#say(
        `Results may differ in the last bits from those of a run that was never stopped: ${name} was ${expected}, is ` +
          actual,
      );
    }
    throw new RangeError(
      `Cannot resume from ${path}: ${name || "versions"} must be ${expected}, got ${actual}: go on with the release ` +
        "that began the run, or start anew with --force",
    );
  }

  /** Says a sentence once. */
  #say(text: string): void {
    if (!this.#noted.has(text)) this.#note(text);
    this.#noted.add(text);
  }
}

/** What results depend on beside the configuration. */
function versions(): JsonObject {
  return { boltzflow: packageVersion, deno: Deno.version.deno, kernels: kernelBuild };
}

/** Refuses a file that belongs to another run. */
function checkIdentity(path: string, expected: JsonObject, recorded: JsonValue | undefined): void {
  const difference = firstDifference(expected, recorded);
  if (difference === undefined) return;
  const { path: name, expected: wanted, actual } = difference;
  throw new RangeError(
    `Cannot resume from ${path}: its ${
      name || "run"
    } must be ${wanted}, got ${actual}: put the file of this run back, ` +
      "or start anew with --force",
  );
}
