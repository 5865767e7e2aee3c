/**
 * NumPy's .npy format: one array in one file.
 *
 * @module
 */

import { showText } from "./parse_json.ts";

/** The array types we exchange with NumPy. */
export type NpyData =
  | Float64Array
  | Float32Array
  | BigInt64Array
  | BigUint64Array
  | Int32Array
  | Uint32Array
  | Int16Array
  | Uint16Array
  | Int8Array
  | Uint8Array;

/** An array as NumPy has it: its shape and its elements, row-major. */
export interface NpyArray {
  /** Sizes of the axes, slowest first; empty for a scalar. */
  readonly shape: readonly number[];
  /** The elements; their class decides NumPy's dtype. */
  readonly data: NpyData;
}

const ARRAY_CLASSES = {
  "<f8": Float64Array,
  "<f4": Float32Array,
  "<i8": BigInt64Array,
  "<u8": BigUint64Array,
  "<i4": Int32Array,
  "<u4": Uint32Array,
  "<i2": Int16Array,
  "<u2": Uint16Array,
  "|i1": Int8Array,
  "|u1": Uint8Array,
} as const;

/** Longest header; NumPy's own limit for untrusted files is 10 000. */
const LONGEST_HEADER = 10_000;

const MAGIC = "\x93NUMPY";
const HEADER_PATTERN =
  /^\{'descr': '([^']*)', 'fortran_order': (True|False), 'shape': \(((?:\d+(?:, \d+)*)?,?)\), ?\} *\n?$/;

/**
 * Writes an array as a .npy file, version 1.0.
 *
 * Reference: NumPy, numpy.lib.format ("NPY format").
 *
 * @param array shape and elements
 * @returns the bytes of the file; equal arrays give equal bytes
 * @throws {RangeError} if the shape does not match the number of elements
 * @throws {TypeError} if the data are of a type that is not exchanged
 */
export function encodeNpy({ shape, data }: NpyArray): Uint8Array<ArrayBuffer> {
  const count = shape.reduce((product, size) => product * size, 1);
  if (!shape.every((size) => Number.isSafeInteger(size) && size >= 0) || count !== data.length) {
    throw new RangeError(
      `Cannot encode a NumPy array: shape must describe ${data.length} elements, got [${shape.join(", ")}]`,
    );
  }
  const descr = Object.entries(ARRAY_CLASSES).find(([, arrayClass]) => data instanceof arrayClass)?.[0];
  if (descr === undefined) {
    const kind = Object(data).constructor?.name;
    throw new TypeError(`Cannot encode a NumPy array: data must be a typed array that NumPy knows, got ${kind}`);
  }
  const tuple = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const dictionary = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${tuple}), }`;
  const prefixBytes = MAGIC.length + 4;
  // NumPy aligns the data to 64 bytes with blanks before the final newline.
  const headerBytes = Math.ceil((prefixBytes + dictionary.length + 1) / 64) * 64 - prefixBytes;
  const bytes = new Uint8Array(prefixBytes + headerBytes + data.byteLength);
  const header = `${MAGIC}\x01\x00\x00\x00${dictionary.padEnd(headerBytes - 1)}\n`;
  for (let i = 0; i < header.length; i++) bytes[i] = header.charCodeAt(i);
  new DataView(bytes.buffer).setUint16(MAGIC.length + 2, headerBytes, true);
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), header.length);
  return bytes;
}

/**
 * Reads a .npy file of version 1.0, 2.0 or 3.0.
 *
 * Little-endian numbers in row-major order; what else NumPy can write (objects, text, Fortran order) is refused. The format
 * has no checksum: a flipped bit in the elements is only found in a .npz.
 *
 * @param bytes the whole file
 * @param task what the caller is about to do, for the messages
 * @returns shape and elements, a copy
 * @throws {RangeError} with one sentence if the file is foreign, truncated, or of a kind that is not read
 */
export function decodeNpy(bytes: Uint8Array, task = "decode a NumPy array"): NpyArray {
  const fail = (rest: string): never => {
    throw new RangeError(`Cannot ${task}: ${rest}`);
  };
  if (String.fromCharCode(...bytes.subarray(0, MAGIC.length)) !== MAGIC || bytes.length < 12) {
    fail("the file must start as NumPy files do, got other content");
  }
  const major = bytes[MAGIC.length];
  if (major < 1 || major > 3) fail(`format version must be 1, 2 or 3, got ${major}`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = MAGIC.length + (major === 1 ? 4 : 6);
  const end = start + (major === 1 ? view.getUint16(MAGIC.length + 2, true) : view.getUint32(MAGIC.length + 2, true));
  if (end - start > LONGEST_HEADER) fail(`header must have at most ${LONGEST_HEADER} bytes, got ${end - start}`);
  if (end > bytes.length) fail(`the file must hold a header of ${end - start} bytes, got ${bytes.length - start}`);
  const header = Array.from(bytes.subarray(start, end), (code) => String.fromCharCode(code)).join("");
  const match = HEADER_PATTERN.exec(header);
  if (match === null) {
    return fail(
      `header must name descr, fortran_order and shape, got ${showText(header.trim(), 81)}`,
    );
  }
  const [, descr, fortranOrder, tuple] = match;
  if (!Object.hasOwn(ARRAY_CLASSES, descr)) {
    fail(`dtype must be one of ${Object.keys(ARRAY_CLASSES).join(", ")}, got ${showText(descr, 40)}`);
  }
  const shape = tuple.split(",").filter((size) => size.trim() !== "").map(Number);
  if (fortranOrder === "True" && shape.length > 1) fail("order must be C (row-major), got Fortran");
  const arrayClass = ARRAY_CLASSES[descr as keyof typeof ARRAY_CLASSES];
  const expected = shape.reduce((product, size) => product * size, arrayClass.BYTES_PER_ELEMENT);
  if (!shape.every(Number.isSafeInteger) || !Number.isSafeInteger(expected)) {
    fail(`shape must describe fewer than 2^53 bytes, got (${showText(tuple, 80)})`);
  }
  if (bytes.length - end !== expected) fail(`data must take ${expected} bytes, got ${bytes.length - end}`);
  const copy = new Uint8Array(expected);
  copy.set(bytes.subarray(end));
  return { shape, data: new arrayClass(copy.buffer) };
}
