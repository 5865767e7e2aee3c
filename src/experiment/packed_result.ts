/**
 * What a part of a run has found, as the content of a checkpoint: every number comes back as it was, NaN and −0 included.
 *
 * @module
 */
import type { JsonObject, JsonValue } from "../format/json.ts";
import type { CheckpointContent } from "../training/position_checkpoint.ts";
import type { StoredTensor, TensorData } from "../training/safetensors.ts";

/** Key of an object that stands for an array of numbers: its value is the name of a tensor. */
const TENSOR_KEY = "$tensor";
/** Key of an object that stands for a number that JSON has no word for. */
const NUMBER_KEY = "$number";
const NUMBERS = new Map([["NaN", NaN], ["Infinity", Infinity], ["-Infinity", -Infinity], ["-0", -0]]);

/**
 * Packs plain data: objects, lists, texts, numbers, typed arrays.
 *
 * Typed arrays become tensors named after their places, for example `value.pictures.open`; numbers that JSON would change
 * (NaN, ±∞, −0) become objects. Properties that are undefined are left out, as JSON does.
 *
 * @param value what to pack
 * @returns the content of a checkpoint
 * @throws {TypeError} if there is something in it that is not plain data
 */
export function packResult(value: unknown): CheckpointContent {
  const tensors = new Map<string, StoredTensor>();
  return { state: { value: pack(value, "value", tensors) }, tensors };
}

/**
 * Unpacks what {@link packResult} packed.
 *
 * @param content of a checkpoint
 * @param path the file, for messages
 * @returns equal data, independent of the first
 * @throws {RangeError} if a tensor is missing or a number is none
 */
export function unpackResult({ state, tensors }: CheckpointContent, path: string): unknown {
  return unpack(state.value, tensors, path);
}

function pack(value: unknown, place: string, tensors: Map<string, StoredTensor>): JsonValue {
  if (typeof value === "number" && (!Number.isFinite(value) || Object.is(value, -0))) {
    return { [NUMBER_KEY]: Object.is(value, -0) ? "-0" : String(value) };
  }
  if (value === null || typeof value === "number" || typeof value === "boolean" || typeof value === "string") {
    return value;
  }
  if (ArrayBuffer.isView(value) && !(value instanceof DataView)) {
    const data = value as TensorData;
    tensors.set(place, { shape: [data.length], data });
    return { [TENSOR_KEY]: place };
  }
  if (Array.isArray(value)) return value.map((item, i) => pack(item, `${place}[${i}]`, tensors));
  const prototype = typeof value === "object" ? Object.getPrototypeOf(value) : undefined;
  if (prototype !== Object.prototype && prototype !== null) {
    const kind = typeof value === "object" ? prototype.constructor?.name : typeof value;
    throw new TypeError(`Cannot keep a result: ${place} must be plain data, got ${kind}`);
  }
  const entries = Object.entries(value as object).filter(([, item]) => item !== undefined);
  if (entries.some(([key]) => key.startsWith("$"))) {
    throw new TypeError(`Cannot keep a result: keys of ${place} must not begin with $, got ${entries.map(([k]) => k)}`);
  }
  return Object.fromEntries(entries.map(([key, item]) => [key, pack(item, `${place}.${key}`, tensors)]));
}

function unpack(value: JsonValue | undefined, tensors: ReadonlyMap<string, StoredTensor>, path: string): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => unpack(item, tensors, path));
  const packed = value as JsonObject;
  const [name, number] = [packed[TENSOR_KEY], packed[NUMBER_KEY]];
  if (name !== undefined) return tensors.get(String(name))?.data ?? refuse(path, `the tensor ${name}`);
  if (number !== undefined) return NUMBERS.get(String(number)) ?? refuse(path, `a number, not ${number}`);
  return Object.fromEntries(Object.entries(packed).map(([key, item]) => [key, unpack(item, tensors, path)]));
}

function refuse(path: string, wanted: string): never {
  throw new RangeError(`Cannot resume from ${path}: the file must hold ${wanted}: remove it, it is computed anew`);
}
