/**
 * Named arrays in one file: the safetensors format, written with the same bytes for the same content.
 *
 * @module
 */

import {
  countElements,
  type Dtype,
  ITEM_BYTES,
  METADATA_KEY,
  nameFault,
  readHeader,
  type SafetensorsLimits,
} from "./safetensors_header.ts";

/** The array types a file can hold. */
export type TensorData =
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

/** An array as it is stored: its shape and its elements, row-major. */
export interface StoredTensor {
  /** Sizes of the axes, slowest first; empty for a scalar. */
  readonly shape: readonly number[];
  /** The elements; their class decides the element type of the file. */
  readonly data: TensorData;
}

/** What a safetensors file holds. */
export interface SafetensorsContent {
  /** The arrays by name, in the order of their bytes. */
  readonly tensors: Map<string, StoredTensor>;
  /** Free text by key. */
  readonly metadata: Map<string, string>;
}

const ARRAY_CLASSES = {
  F64: Float64Array,
  I64: BigInt64Array,
  U64: BigUint64Array,
  F32: Float32Array,
  I32: Int32Array,
  U32: Uint32Array,
  I16: Int16Array,
  U16: Uint16Array,
  I8: Int8Array,
  U8: Uint8Array,
} satisfies { [D in Dtype]: unknown };

/**
 * Writes named arrays and metadata as one safetensors file.
 *
 * Arrays lie by falling element size, then by name (code units), so that each starts on a multiple of its element size;
 * metadata keys are sorted; the header is padded with blanks to a multiple of 8. Equal content gives equal bytes,
 * in whatever order it came.
 *
 * Reference: the safetensors format, https://github.com/huggingface/safetensors (README, "Format").
 *
 * @param tensors the arrays by name
 * @param metadata free text by key
 * @returns the bytes of the file
 * @throws {RangeError} if a name is not acceptable or a shape does not match its data
 * @throws {TypeError} if data are not of a type that the format knows
 *
 * @example Write and read
 * ```ts
 * import { assertEquals } from "@std/assert";
 *
 * const bytes = encodeSafetensors(new Map([["bias", { shape: [2], data: Float32Array.of(1, -2) }]]));
 *
 * assertEquals(decodeSafetensors(bytes).tensors.get("bias")!.data, Float32Array.of(1, -2));
 * ```
 */
export function encodeSafetensors(
  tensors: ReadonlyMap<string, StoredTensor>,
  metadata: ReadonlyMap<string, string> = new Map(),
): Uint8Array<ArrayBuffer> {
  const entries = [...tensors].map(([name, tensor]) => ({ name, tensor, dtype: checkTensor(name, tensor) }));
  entries.sort((a, b) => ITEM_BYTES[b.dtype] - ITEM_BYTES[a.dtype] || compareText(a.name, b.name));
  const fields: string[] = [];
  if (metadata.size > 0) fields.push(`"${METADATA_KEY}":{${[...metadata].sort(compareEntries).map(textField)}}`);
  let length = 0;
  for (const { name, tensor, dtype } of entries) {
    const offsets = `[${length},${length += tensor.data.byteLength}]`;
    fields.push(`${JSON.stringify(name)}:{"dtype":"${dtype}","shape":[${tensor.shape}],"data_offsets":${offsets}}`);
  }
  const header = new TextEncoder().encode(`{${fields}}`);
  const headerLength = Math.ceil(header.length / 8) * 8;
  const bytes = new Uint8Array(8 + headerLength + length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(headerLength), true);
  bytes.fill(0x20, 8, 8 + headerLength).set(header, 8);
  let cursor = 8 + headerLength;
  for (const { tensor: { data } } of entries) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), cursor);
    cursor += data.byteLength;
  }
  return bytes;
}

/**
 * Reads a safetensors file; the arrays are copies, independent of `bytes`.
 *
 * @param bytes the whole file
 * @param limits how much a header may cost
 * @returns the arrays and the metadata
 * @throws {RangeError} with one sentence on the first fault: truncated, foreign, overlapping, unknown type, …
 */
export function decodeSafetensors(bytes: Uint8Array, limits: SafetensorsLimits = {}): SafetensorsContent {
  const { entries, metadata, dataStart } = readHeader(bytes, limits);
  const tensors = new Map<string, StoredTensor>();
  for (const { name, dtype, shape, begin, end } of entries) {
    const copy = new Uint8Array(end - begin);
    copy.set(bytes.subarray(dataStart + begin, dataStart + end));
    tensors.set(name, { shape, data: new ARRAY_CLASSES[dtype](copy.buffer) });
  }
  return { tensors, metadata: new Map(metadata) };
}

function checkTensor(name: string, { shape, data }: StoredTensor): Dtype {
  const fault = nameFault(name);
  if (fault !== undefined) throw new RangeError(`Cannot encode safetensors: ${fault}`);
  const about = `tensor ${JSON.stringify(name)}`;
  const dtype = (Object.keys(ARRAY_CLASSES) as Dtype[]).find((key) => data instanceof ARRAY_CLASSES[key]);
  if (dtype === undefined) {
    throw new TypeError(`Cannot encode safetensors: data of ${about} must be a typed array, got ${typeName(data)}`);
  }
  const count = countElements(shape);
  if (typeof count === "string") throw new RangeError(`Cannot encode safetensors: shape of ${about} ${count}`);
  if (count !== data.length) {
    throw new RangeError(
      `Cannot encode safetensors: data of ${about} must match its shape [${shape}] (${count}), got ${data.length}`,
    );
  }
  return dtype;
}

function typeName(value: unknown): string {
  return Object(value).constructor?.name ?? typeof value;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function compareEntries(a: [string, string], b: [string, string]): number {
  return compareText(a[0], b[0]);
}

function textField([key, text]: [string, string]): string {
  return `${JSON.stringify(key)}:${JSON.stringify(text)}`;
}
