/**
 * The file `run.json`: whose directory this is, and which files in it are the run's own.
 *
 * @module
 */

import { firstDifference, type JsonObject, writeJson } from "../format/json.ts";
import { isJsonObject, parseJsonObject } from "../format/parse_json.ts";
import { readTextFile } from "../training/read_file.ts";
import { describeFileError, writeAtomically } from "../training/write_atomically.ts";
import { LOCK_NAME } from "./run_lock.ts";

/** What a run records about itself. */
export interface RunMarker {
  /** Which pipeline it is. */
  readonly kind: string;
  /** Everything its results depend on. */
  readonly configuration: JsonObject;
  /** Every file it may write, relative to the directory. */
  readonly files: readonly string[];
}

/** Name of the file that says whose directory it is. */
export const MARKER_NAME = "run.json";

const FORMAT = "boltzflow run";
const VERSION = 1;
/** Most files of a run. */
const MAXIMUM_FILES = 10_000;

/**
 * Reads what the run in a directory recorded about itself.
 *
 * @param path the directory
 * @param task what the caller is about to do, for the messages
 * @returns the record, or undefined where there is none
 * @throws {Error} with one sentence if the file is there and cannot be read or understood
 */
export async function readMarker(path: string, task: string): Promise<RunMarker | undefined> {
  const file = `${path}/${MARKER_NAME}`;
  let text: string;
  try {
    text = await readTextFile(file, task);
  } catch (error) {
    if ((error as Error).cause instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  const refuse = (): never => {
    throw new Error(
      `Cannot ${task}: ${file} must describe a run of this release, got other content: choose another directory`,
    );
  };
  const { format, version, kind, configuration, files } = parseJsonObject(text, file, refuse);
  if (format !== FORMAT || version !== VERSION || typeof kind !== "string") return refuse();
  if (!isJsonObject(configuration) || !Array.isArray(files) || files.length > MAXIMUM_FILES) return refuse();
  return { kind, configuration, files: files.map((name) => isFileName(name) ? name : refuse()) };
}

/**
 * Records a run in its directory.
 *
 * @param path the directory
 * @param marker what to record
 * @throws {Error} with one sentence if it cannot be written
 */
export async function writeMarker(path: string, marker: RunMarker): Promise<void> {
  const text = writeJson({ format: FORMAT, version: VERSION, ...marker }, { indent: 2 });
  await writeAtomically(`${path}/${MARKER_NAME}`, text + "\n");
}

/**
 * Makes sure that the run in a directory is the one to go on with.
 *
 * @param marker what is recorded there
 * @param claim kind and configuration to go on with
 * @param task what the caller is about to do, for the messages
 * @throws {Error} that names the first difference
 */
export function checkResumable(
  marker: RunMarker | undefined,
  claim: Pick<RunMarker, "kind" | "configuration">,
  task: string,
): void {
  if (marker === undefined) {
    throw new Error(`Cannot ${task}: the directory must hold a run, got none: start one without --resume`);
  }
  if (marker.kind !== claim.kind) {
    throw new Error(`Cannot ${task}: kind must be ${marker.kind} as recorded, got ${claim.kind}: choose its directory`);
  }
  const difference = firstDifference(marker.configuration, claim.configuration);
  if (difference === undefined) return;
  const { path, expected, actual } = difference;
  throw new Error(
    `Cannot ${task}: ${path} must be ${expected} as recorded, got ${actual}` +
      ": repeat the options of that run, or start anew with --force or in another directory",
  );
}

/**
 * Makes sure that the name of a file cannot lead out of the directory or to the run's own records.
 *
 * @param name relative, "/" between parts
 * @param directory for the message
 * @throws {RangeError} otherwise
 */
export function checkFileName(name: string, directory: string): void {
  if (isFileName(name)) return;
  throw new RangeError(
    `Cannot use ${directory} for a run: names of files must stay inside it, got ${JSON.stringify(name)}`,
  );
}

function isFileName(name: unknown): name is string {
  if (typeof name !== "string" || name === MARKER_NAME || name === LOCK_NAME) return false;
  return name.split("/").every((part) =>
    part !== "" && !part.startsWith(".") && !part.includes("\\") && !/\p{Cc}/u.test(part)
  );
}

/**
 * Turns what a file operation threw into one sentence; other errors stay as they are.
 *
 * @param error what was thrown
 * @param task what failed
 * @param path the file or directory it was about
 * @returns the error to throw
 */
export function describeFault(error: unknown, task: string, path: string): Error {
  const { code, message } = error as { code?: unknown; message?: unknown };
  const isOfFiles = error instanceof Deno.errors.NotCapable || typeof code === "string" ||
    /\(os error \d+\)/.test(String(message));
  if (!isOfFiles) return error as Error;
  return new Error(`Cannot ${task}: ${describeFileError(error, path)}`, { cause: error });
}
