/**
 * Reading whole files that somebody named: of bounded size, and only what is a file.
 *
 * @module
 */

import { describeFileError } from "./write_atomically.ts";

/** Largest file that is read whole unless a caller says otherwise: 4 GiB. */
const MAXIMUM_BYTES = 2 ** 32;

/**
 * Reads a whole file.
 *
 * Refuses what is no regular file (reading from a pipe may never end, and devices may have no end) and what is larger than
 * the limit, before anything of it is in memory.
 *
 * @param path the file
 * @param task what the caller is about to do, for messages
 * @param maximumBytes largest accepted size; default 4 GiB
 * @returns its bytes
 * @throws {Error} with one sentence if it is missing, no file, too large or cannot be read; `cause` holds the original
 */
export async function readWholeFile(
  path: string,
  task: string,
  maximumBytes: number = MAXIMUM_BYTES,
): Promise<Uint8Array<ArrayBuffer>> {
  if (path.includes("\0")) throw new RangeError(`Cannot ${task}: the path must not hold NUL characters, got one`);
  let bytes: Uint8Array<ArrayBuffer>;
  try {
    const { isFile, isDirectory, size } = await Deno.stat(path);
    if (!isFile) {
      throw new KnownFault(`${path} must be a file, got ${isDirectory ? "a directory" : "a device or pipe"}`);
    }
    if (size > maximumBytes) throw new KnownFault(`${path} must have at most ${maximumBytes} bytes, got ${size}`);
    bytes = await Deno.readFile(path);
  } catch (error) {
    if (error instanceof KnownFault) throw new Error(`Cannot ${task}: ${error.message}`);
    throw new Error(`Cannot ${task}: ${describeFileError(error, path)}`, { cause: error });
  }
  return bytes;
}

/**
 * Reads a whole text file; see {@link readWholeFile}.
 *
 * @param path the file
 * @param task what the caller is about to do, for messages
 * @param maximumBytes largest accepted size; default 16 MiB
 * @returns its text
 * @throws {Error} also if it is not UTF-8
 */
export async function readTextFile(path: string, task: string, maximumBytes: number = 2 ** 24): Promise<string> {
  const bytes = await readWholeFile(path, task, maximumBytes);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new RangeError(`Cannot ${task}: ${path} must be UTF-8, got other bytes`);
  }
}

/** A fault that we found ourselves. */
class KnownFault extends Error {}
