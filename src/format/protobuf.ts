/** How a value stands on the wire: the lowest three bits of a field's tag. */
const WireType = { Varint: 0, LengthDelimited: 2, Bit32: 5 } as const;

/** Integers of one byte: nearly all there are. */
const singleBytes = Array.from({ length: 0x80 }, (_, value) => Uint8Array.of(value));

/** Writes an integer of 64 bits, seven in each byte, the lowest first. */
function encodeInteger(value: number): Uint8Array {
  if (value >= 0 && value < 0x80 && Number.isInteger(value)) return singleBytes[value];
  if (!Number.isSafeInteger(value)) {
    throw new RangeError(`Cannot write a model: integers must be whole numbers within ±2^53, got ${value}`);
  }
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return Uint8Array.of(...bytes, Number(rest));
}

const encoder = new TextEncoder();

/**
 * Writes the fields of one protobuf message after another, in the order of the calls.
 *
 * It joins a field's tag with its value, so that the ONNX encoder reads like the message definition. Equal calls give
 * equal bytes.
 *
 * Reference: https://protobuf.dev/programming-guides/encoding
 */
export class MessageWriter {
  /** What was written, in order; bytes of tensors are not copied before the end. */
  #pieces: Uint8Array[] = [];

  #tag(field: number, wire: number): void {
    this.#pieces.push(encodeInteger(8 * field + wire));
  }

  /** Writes an integer field (varint; negative numbers take ten bytes, as protobuf wants). */
  integer(field: number, value: number): this {
    this.#tag(field, WireType.Varint);
    this.#pieces.push(encodeInteger(value));
    return this;
  }

  /** Writes a float field of 32 bits. */
  float(field: number, value: number): this {
    this.#tag(field, WireType.Bit32);
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value, true);
    this.#pieces.push(bytes);
    return this;
  }

  /** Writes a text field in UTF-8. */
  string(field: number, value: string): this {
    return this.bytes(field, encoder.encode(value));
  }

  /** Writes a field of raw bytes. */
  bytes(field: number, value: Uint8Array): this {
    this.#tag(field, WireType.LengthDelimited);
    this.#pieces.push(encodeInteger(value.length), value);
    return this;
  }

  /** Writes an embedded message whose fields `body` writes with this same writer. */
  message(field: number, body: (writer: this) => void): this {
    const outer = this.#pieces;
    this.#pieces = [];
    body(this);
    const inner = this.#pieces;
    this.#pieces = outer;
    this.#tag(field, WireType.LengthDelimited);
    this.#pieces.push(encodeInteger(lengthOf(inner)));
    for (const piece of inner) this.#pieces.push(piece);
    return this;
  }

  /** Returns everything written and empties the writer. */
  finish(): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(lengthOf(this.#pieces));
    let at = 0;
    for (const piece of this.#pieces) {
      bytes.set(piece, at);
      at += piece.length;
    }
    this.#pieces = [];
    return bytes;
  }
}

function lengthOf(pieces: readonly Uint8Array[]): number {
  return pieces.reduce((sum, { length }) => sum + length, 0);
}

/** A field of a protobuf message as it stands on the wire, before anyone knows its meaning. */
export type WireField =
  | { readonly number: number; readonly kind: "integer"; readonly value: number }
  | { readonly number: number; readonly kind: "float"; readonly value: number }
  | { readonly number: number; readonly kind: "bytes"; readonly value: Uint8Array };

/** Where a message cannot be read; its message is a few words for the end of a sentence. */
export class WireFault extends Error {}

/** How many more fields may be read from one file, over all its messages. */
export interface FieldBudget {
  /** Counted down by one for each field. */
  left: number;
}

/**
 * Reads the fields of one protobuf message.
 *
 * The reader is our own because a hostile file must end in a sentence: lengths are compared with what is there, integers
 * must be in their shortest form and within ±2⁵³, and wire types that ONNX messages of ours never use (fixed 64 bits,
 * groups) are refused. Byte fields are views into `bytes`, not copies.
 *
 * @param bytes one whole message
 * @param budget how many fields may be read, this message's included
 * @throws {WireFault} if the bytes are not such a message, break off inside a field, or hold too many
 */
export function* readFields(bytes: Uint8Array, budget: FieldBudget): Generator<WireField> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at < bytes.length;) {
    if (--budget.left < 0) throw new WireFault("more fields than any model has");
    const tag = readInteger(bytes, at);
    at = tag.end;
    const [number, wire] = [Math.floor(tag.value / 8), tag.value & 7];
    if (number < 1 || number >= 2 ** 29) throw new WireFault(`a field with number ${number}`);
    if (wire === WireType.Varint) {
      const { value, end } = readInteger(bytes, at);
      at = end;
      yield { number, kind: "integer", value };
    } else if (wire === WireType.Bit32) {
      if (bytes.length - at < 4) throw new WireFault("a field that breaks off");
      yield { number, kind: "float", value: view.getFloat32(at, true) };
      at += 4;
    } else if (wire === WireType.LengthDelimited) {
      const { value: length, end } = readInteger(bytes, at);
      if (length < 0 || length > bytes.length - end) throw new WireFault("a field that breaks off");
      at = end + length;
      yield { number, kind: "bytes", value: bytes.subarray(end, at) };
    } else throw new WireFault(`a field of wire type ${wire}`);
  }
}

/** Reads an integer of 64 bits, seven in each byte. */
function readInteger(bytes: Uint8Array, start: number): { value: number; end: number } {
  let value = 0;
  for (let i = 0; i < 10; i++) {
    if (start + i >= bytes.length) throw new WireFault("a field that breaks off");
    const byte = bytes[start + i];
    if (i === 9) break; // negative numbers take ten bytes
    value += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) {
      if (byte === 0 && i > 0) throw new WireFault("an integer that is not in its shortest form");
      return { value: checkSafe(value), end: start + i + 1 };
    }
  }
  if (bytes[start + 9] !== 1) throw new WireFault("an integer of more than 64 bits");
  let bits = 0n;
  for (let i = 9; i >= 0; i--) bits = bits << 7n | BigInt(bytes[start + i] & 0x7f);
  return { value: checkSafe(Number(BigInt.asIntN(64, bits))), end: start + 10 };
}

function checkSafe(value: number): number {
  if (!Number.isSafeInteger(value)) throw new WireFault("an integer beyond 2^53");
  return value;
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Decodes a UTF-8 field.
 *
 * @throws {WireFault} if the bytes are not valid UTF-8, or more than a text of a model has
 */
export function readText(bytes: Uint8Array): string {
  if (bytes.length > longestText) throw new WireFault(`a text of ${bytes.length} bytes`);
  // Names, of which a model has tens of thousands.
  if (bytes.length <= 32 && bytes.every((byte) => byte < 0x80)) return String.fromCharCode(...bytes);
  try {
    // A copy, because TextDecoder refuses shared memory.
    return decoder.decode(bytes.slice());
  } catch {
    throw new WireFault("a text that is not UTF-8");
  }
}

/** Largest number of bytes of a text: the species of 10⁵ particles fit, and plans of tens of thousands of steps. */
export const longestText = 2 ** 23;
