/**
 * The header of a safetensors file: which arrays it holds, of which type and shape, and where their bytes lie.
 *
 * Everything that a foreign or damaged file could get wrong is checked here, before a single array is made.
 *
 * @module
 */

import type { JsonObject, JsonValue } from "../format/json.ts";
import { isJsonObject, parseJsonObject, type Refusal, showJson, showText } from "../format/parse_json.ts";

/** Limits under which a header is read: a hostile or foreign file must not cost more than this. */
export interface SafetensorsLimits {
  /** Largest accepted header in bytes; default 16 MiB. */
  readonly maximumHeaderBytes?: number;
  /** Largest accepted number of arrays; default 65 536. */
  readonly maximumTensors?: number;
  /** What the reader was about to do, for its messages; default "decode safetensors". */
  readonly task?: string;
}

/** One array as the header describes it; `begin` and `end` count bytes from the end of the header. */
export interface TensorEntry {
  /** Name of the array, unique in its file. */
  readonly name: string;
  /** Element type in safetensors' spelling. */
  readonly dtype: Dtype;
  /** Sizes of the axes, slowest first; empty for a scalar. */
  readonly shape: readonly number[];
  /** First byte. */
  readonly begin: number;
  /** One past the last byte. */
  readonly end: number;
}

/** A checked header. */
export interface SafetensorsHeader {
  /** The arrays, in the order of their bytes. */
  readonly entries: readonly TensorEntry[];
  /** The free text entries under `__metadata__`. */
  readonly metadata: ReadonlyMap<string, string>;
  /** Position of the first data byte in the file. */
  readonly dataStart: number;
}

/** Bytes of one element of every type we read and write. */
export const ITEM_BYTES = { F64: 8, I64: 8, U64: 8, F32: 4, I32: 4, U32: 4, I16: 2, U16: 2, I8: 1, U8: 1 } as const;

/** Element types we read and write, in safetensors' spelling. */
export type Dtype = keyof typeof ITEM_BYTES;

/** The one header key that is not an array. */
export const METADATA_KEY = "__metadata__";

const MAXIMUM_NAME_LENGTH = 512;
const MAXIMUM_RANK = 16;
// deno-lint-ignore no-control-regex
const CONTROL_CHARACTER = /[\u0000-\u001f\u007f-\u009f]/;

/**
 * Says what is wrong with the name of an array, or nothing when it is good.
 *
 * A name is 1 to 512 characters of well-formed Unicode without control characters, and neither `__metadata__` (taken
 * by the format) nor `__proto__` (which careless readers turn into something else).
 *
 * @param name the candidate
 * @returns the end of an error message, or undefined
 */
export function nameFault(name: string): string | undefined {
  const shown = showJson(name.slice(0, 40));
  if (name.length === 0 || name.length > MAXIMUM_NAME_LENGTH) {
    return `tensor name must have 1 to ${MAXIMUM_NAME_LENGTH} characters, got ${name.length}`;
  }
  if (CONTROL_CHARACTER.test(name)) return `tensor name must hold no control characters, got ${shown}`;
  if (!name.isWellFormed()) return `tensor name must be well-formed Unicode, got ${shown}`;
  if (name === METADATA_KEY || name === "__proto__") return `tensor name must not be reserved, got ${shown}`;
  return undefined;
}

/**
 * Counts the elements of an array of this shape, or says what is wrong with the shape.
 *
 * @param shape sizes of the axes
 * @returns the number of elements (1 for a scalar), or the end of an error message
 */
export function countElements(shape: readonly JsonValue[]): number | string {
  if (shape.length > MAXIMUM_RANK) return `must have at most ${MAXIMUM_RANK} axes, got ${shape.length}`;
  let count = 1;
  let empty = false;
  for (const size of shape) {
    if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0) {
      return `must hold integers ≥ 0, got ${showJson(shape)}`;
    }
    if (size === 0) empty = true;
    else count *= size;
    if (!Number.isSafeInteger(count)) {
      return `must describe fewer than 2^53 elements, got ${showJson(shape as readonly JsonValue[])}`;
    }
  }
  return empty ? 0 : count;
}

/**
 * Reads and checks the header of a safetensors file.
 *
 * Refused are: a file shorter than its header or its data says, bytes after the data, gaps or overlaps between arrays,
 * duplicate keys, unknown element types, shapes that do not match their byte counts, and bad names.
 *
 * Reference: the safetensors format, https://github.com/huggingface/safetensors (README, "Format").
 *
 * @param bytes the whole file
 * @param limits how much a header may cost
 * @returns entries in the order of their bytes, metadata, and where the data start
 * @throws {RangeError} with one sentence on the first fault
 */
export function readHeader(bytes: Uint8Array, limits: SafetensorsLimits = {}): SafetensorsHeader {
  const { maximumHeaderBytes = 1 << 24, maximumTensors = 1 << 16, task = "decode safetensors" } = limits;
  const fail = (rest: string): never => {
    throw new RangeError(`Cannot ${task}: ${rest}`);
  };
  const dataStart = findDataStart(bytes, maximumHeaderBytes, fail);
  const header = parseJsonObject(headerText(bytes, dataStart, fail), "header", fail);
  const metadata = readMetadata(header[METADATA_KEY], fail);
  const names = Object.keys(header).filter((name) => name !== METADATA_KEY);
  if (names.length > maximumTensors) fail(`the file must hold at most ${maximumTensors} tensors, got ${names.length}`);
  const entries = names.map((name) => readEntry(name, header[name], fail));
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end);
  checkContiguous(entries, bytes.length - dataStart, fail);
  return { entries, metadata, dataStart };
}

function findDataStart(bytes: Uint8Array, maximumHeaderBytes: number, fail: Refusal): number {
  if (bytes.length < 10) fail(`the file must hold at least 10 bytes, got ${bytes.length}: it is truncated`);
  if (bytes[8] !== 0x7b) fail("the file must start with a length and a JSON header, got other content: it is foreign");
  const length = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
  if (length > BigInt(maximumHeaderBytes)) fail(`header must have at most ${maximumHeaderBytes} bytes, got ${length}`);
  const rest = bytes.length - 8;
  if (Number(length) > rest) fail(`the file must hold a header of ${length} bytes, got ${rest}: it is truncated`);
  return 8 + Number(length);
}

function headerText(bytes: Uint8Array, dataStart: number, fail: Refusal): string {
  try {
    // A copy, because TextDecoder refuses shared memory.
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes.slice(8, dataStart));
  } catch {
    return fail("header must be UTF-8, got other bytes");
  }
}

function readMetadata(value: JsonValue | undefined, fail: Refusal): Map<string, string> {
  if (value === undefined) return new Map();
  if (!isJsonObject(value)) return fail(`${METADATA_KEY} must be an object of strings, got another value`);
  const entries = Object.entries(value).map(([key, text]): [string, string] =>
    typeof text === "string"
      ? [key, text]
      : fail(`${METADATA_KEY} must hold strings, got ${typeof text} at ${showJson(key)}`)
  );
  return new Map(entries);
}

function readEntry(name: string, value: JsonValue, fail: Refusal): TensorEntry {
  const fault = nameFault(name);
  if (fault !== undefined) fail(fault);
  const about = `tensor ${JSON.stringify(name)}`;
  const keys = isJsonObject(value) ? Object.keys(value).sort().join(", ") : typeof value;
  if (keys !== "data_offsets, dtype, shape") {
    fail(`${about} must have data_offsets, dtype and shape, got ${showText(keys, 80)}`);
  }
  const { dtype, shape, data_offsets: offsets } = value as JsonObject;
  if (typeof dtype !== "string" || !Object.hasOwn(ITEM_BYTES, dtype)) {
    fail(`dtype of ${about} must be one of ${Object.keys(ITEM_BYTES).join(", ")}, got ${showJson(dtype)}`);
  }
  if (!Array.isArray(shape)) return fail(`shape of ${about} must be a list, got ${showJson(shape)}`);
  const count = countElements(shape);
  if (typeof count === "string") return fail(`shape of ${about} ${count}`);
  if (!isByteRange(offsets)) {
    return fail(`data_offsets of ${about} must be two integers 0 ≤ begin ≤ end, got ${showJson(offsets)}`);
  }
  const [begin, end] = offsets;
  const expected = count * ITEM_BYTES[dtype as Dtype];
  if (end - begin !== expected) fail(`${about} must take ${expected} bytes, got ${end - begin}`);
  return { name, dtype: dtype as Dtype, shape, begin, end };
}

function checkContiguous(entries: readonly TensorEntry[], available: number, fail: Refusal): void {
  let cursor = 0;
  for (const { name, begin, end } of entries) {
    if (begin !== cursor) fail(`tensor ${JSON.stringify(name)} must begin at byte ${cursor}, got ${begin}`);
    cursor = end;
  }
  if (cursor > available) fail(`the file must hold ${cursor} bytes of data, got ${available}: it is truncated`);
  if (cursor < available) fail(`the file must end after ${cursor} bytes of data, got ${available - cursor} bytes more`);
}

function isByteRange(value: unknown): value is [number, number] {
  return Array.isArray(value) && value.length === 2 && value.every((v) => Number.isSafeInteger(v) && v >= 0) &&
    value[0] <= value[1];
}
