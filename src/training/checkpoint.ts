/**
 * Checkpoints: arrays and a JSON state in one safetensors file that is either whole and ours, or refused.
 *
 * @module
 */

import { type JsonObject, writeJson } from "../format/json.ts";
import { isJsonObject, parseJsonObject, showJson, showText } from "../format/parse_json.ts";
import { readWholeFile } from "./read_file.ts";
import { decodeSafetensors, encodeSafetensors, type StoredTensor } from "./safetensors.ts";
import { writeAtomically } from "./write_atomically.ts";

/** What a checkpoint keeps. */
export interface Checkpoint {
  /** What sort of state this is, for example "dimer training"; `loadCheckpoint` can insist on it. */
  readonly kind: string;
  /** Everything that is not an array: step, stage, seeds, settings. Finite numbers only. */
  readonly state: JsonObject;
  /** Parameters, moments of the optimiser, generator positions, … by name. */
  readonly tensors: ReadonlyMap<string, StoredTensor>;
}

/** Version of the layout that this release writes and reads. */
export const CHECKPOINT_VERSION = 1;

const DOCUMENT_KEY = "boltzflow.checkpoint";
const CHECKSUM_KEY = "boltzflow.sha256";

/**
 * Writes a checkpoint as bytes; equal content gives equal bytes, tensors in whatever order. Keys of the state keep theirs:
 * what is made of a loaded state, a report for example, is to be the same text.
 *
 * The file is a safetensors file. Its metadata hold a JSON document (version, kind, state) and the SHA-256 of the same file
 * without this sum, so that a change anywhere is found.
 *
 * @param checkpoint what to keep
 * @returns the bytes of the file
 * @throws {RangeError} if a name, a shape or a number of the state is not acceptable
 * @throws {TypeError} if data or state hold something that cannot be stored
 */
export async function encodeCheckpoint({ kind, state, tensors }: Checkpoint): Promise<Uint8Array<ArrayBuffer>> {
  const document = writeJson({ version: CHECKPOINT_VERSION, kind, state });
  const metadata = new Map([[DOCUMENT_KEY, document]]);
  const unsigned = encodeSafetensors(tensors, metadata);
  metadata.set(CHECKSUM_KEY, await sha256(unsigned));
  // From the copy: a caller may have trained on while the sum was taken.
  return encodeSafetensors(decodeSafetensors(unsigned).tensors, metadata);
}

/**
 * Reads a checkpoint from bytes and refuses anything that is not exactly what `encodeCheckpoint` wrote.
 *
 * @param bytes the whole file
 * @param task what the reader was about to do, for its messages
 * @returns the checkpoint; its arrays are copies
 * @throws {RangeError} with one sentence: truncated, foreign, another version, or changed since it was written
 */
export async function decodeCheckpoint(bytes: Uint8Array, task = "decode a checkpoint"): Promise<Checkpoint> {
  const refuse = (rest: string): never => {
    throw new RangeError(`Cannot ${task}: ${rest}`);
  };
  const { tensors, metadata } = decodeSafetensors(bytes, { task });
  const [text, recorded] = [metadata.get(DOCUMENT_KEY), metadata.get(CHECKSUM_KEY)];
  if (text === undefined || recorded === undefined) {
    return refuse("the file must be a boltzflow checkpoint, got another safetensors file");
  }
  const { version, kind, state, ...others } = parseJsonObject(text, "the state", refuse);
  if (version !== CHECKPOINT_VERSION) {
    refuse(
      `version must be ${CHECKPOINT_VERSION}, got ${showJson(version)}: use the release of boltzflow that wrote it`,
    );
  }
  metadata.delete(CHECKSUM_KEY);
  const actual = await sha256(encodeSafetensors(tensors, metadata));
  if (actual !== recorded) {
    const [expected, got] = [recorded, actual].map((sum) => showText(sum, 13).slice(0, 12));
    refuse(`SHA-256 must be ${expected}…, got ${got}…: the file was changed or damaged, use another one`);
  }
  const other = [...metadata.keys()].find((key) => key !== DOCUMENT_KEY) ?? Object.keys(others)[0];
  if (other !== undefined) refuse(`the file must hold version, kind and state, got ${showJson(other)} too`);
  if (typeof kind !== "string" || !isJsonObject(state)) {
    return refuse(`the file must hold a kind and a state, got ${showJson(kind)} and ${showJson(state)}`);
  }
  return { kind, state, tensors };
}

/**
 * Saves a checkpoint under its name only once it is whole; the one it replaces stays as `<path>.previous`.
 *
 * A full disk, missing permissions or a death in the middle leave the file that was there untouched.
 *
 * @param path where to; the directory must exist
 * @param checkpoint what to keep
 * @throws {Error} with one sentence if the file cannot be written
 */
export async function saveCheckpoint(path: string, checkpoint: Checkpoint): Promise<void> {
  await writeAtomically(path, await encodeCheckpoint(checkpoint), { keepPrevious: true });
}

/**
 * Loads the checkpoint at a path.
 *
 * @param path the file
 * @param kind the kind it must be of; any kind if left out
 * @returns the checkpoint
 * @throws {Error} with one sentence: missing, unreadable, truncated, foreign, another version or kind, or damaged; it names
 * `<path>.previous` where that exists
 */
export async function loadCheckpoint(path: string, kind?: string): Promise<Checkpoint> {
  const task = `load checkpoint ${path}`;
  let checkpoint: Checkpoint;
  try {
    checkpoint = await decodeCheckpoint(await readWholeFile(path, task), task);
  } catch (error) {
    throw new Error(await withPrevious((error as Error).message, path), { cause: error });
  }
  if (kind !== undefined && checkpoint.kind !== kind) {
    throw new Error(`Cannot ${task}: kind must be ${JSON.stringify(kind)}, got ${JSON.stringify(checkpoint.kind)}`);
  }
  return checkpoint;
}

async function sha256(bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function withPrevious(message: string, path: string): Promise<string> {
  try {
    await Deno.stat(`${path}.previous`);
  } catch {
    return message;
  }
  return `${message} (the checkpoint before it is kept as ${path}.previous)`;
}
