/**
 * NumPy's .npz format: named arrays in one zip file, for whoever goes on in Python.
 *
 * @module
 */

import { decodeNpy, encodeNpy, type NpyArray } from "./npy.ts";
import { readZip } from "./zip.ts";

/** Limits under which a .npz file is read. */
export interface NpzLimits {
  /** Largest accepted number of arrays; default 4096. */
  readonly maximumArrays?: number;
  /** Largest accepted size of all arrays together, unpacked, in bytes; default 2 GiB. */
  readonly maximumBytes?: number;
}

/** How a .npz file is written. */
export interface NpzOptions {
  /** Deflate the arrays; default false, as `numpy.savez`. Random numbers hardly shrink. */
  readonly compress?: boolean;
}

/**
 * Writes named arrays as a .npz file, which `numpy.load` opens.
 *
 * Arrays lie in sorted order and without times: equal arrays give equal bytes. Loads npm:fflate on first use.
 *
 * @param arrays the arrays by name
 * @param options whether to compress
 * @returns the bytes of the file
 * @throws {RangeError} if a name cannot be the name of a file in a zip, or a shape does not match its elements
 *
 * @example Samples for Python
 * ```ts
 * import { decodeNpz, encodeNpz } from "@boltzflow/boltzflow";
 * import { assertEquals } from "@std/assert";
 *
 * const x = { shape: [2, 2], data: Float64Array.of(1, 2, 3, 4) };
 * const bytes = await encodeNpz({ x });
 *
 * assertEquals((await decodeNpz(bytes)).get("x"), x);
 * ```
 */
export async function encodeNpz(
  arrays: { readonly [name: string]: NpyArray },
  options: NpzOptions = {},
): Promise<Uint8Array<ArrayBuffer>> {
  const { zipSync } = await import("npm:fflate@0.8.3");
  const names = Object.keys(arrays).sort();
  for (const name of names) {
    if (!/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}$/.test(name)) {
      throw new RangeError(
        `Cannot encode NumPy arrays: name must be letters, digits, "_", "-" and ".", got ${JSON.stringify(name)}`,
      );
    }
  }
  // Names end in ".npy", so that none is an integer key, which objects would put first, or "__proto__".
  const files = Object.fromEntries(names.map((name) => [`${name}.npy`, encodeNpy(arrays[name])]));
  // Zip files carry a time; the earliest one they can express, in local time as they have it, keeps bytes reproducible.
  return zipSync(files, { level: options.compress ? 6 : 0, mtime: new Date(1980, 0, 1) });
}

/**
 * Reads a .npz file, whether ours, `numpy.savez`'s or `numpy.savez_compressed`'s.
 *
 * Checks the CRC-32 of every array. Names may hold "/" but lead nowhere: no file is written.
 *
 * @param bytes the whole file
 * @param limits how large the content may be
 * @returns the arrays by name, copies
 * @throws {RangeError} with one sentence if the file is foreign, truncated, damaged, too large, or holds what is not read
 */
export async function decodeNpz(bytes: Uint8Array, limits: NpzLimits = {}): Promise<Map<string, NpyArray>> {
  const { maximumArrays = 4096, maximumBytes = 2 ** 31 } = limits;
  const task = "decode NumPy arrays";
  const refuse = (rest: string): never => {
    throw new RangeError(`Cannot ${task}: ${rest}`);
  };
  const { inflateSync } = await import("npm:fflate@0.8.3");
  // A byte more than there should be: what does not fit is dropped in silence.
  const inflate = (packed: Uint8Array, size: number) => inflateSync(packed, { out: new Uint8Array(size + 1) });
  const files = readZip(bytes, { maximumEntries: maximumArrays, maximumBytes }, inflate, refuse);
  const arrays = new Map<string, NpyArray>();
  for (const [name, content] of files) {
    if (!name.endsWith(".npy")) refuse(`names of arrays must end in .npy, got ${JSON.stringify(name)}`);
    arrays.set(name.slice(0, -".npy".length), decodeNpy(content, `${task}, ${name}`));
  }
  return arrays;
}
