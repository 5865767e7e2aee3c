import { BinaryReader, BinaryWriter, WireType } from "npm:@bufbuild/protobuf@2.17.0/wire";

/**
 * Writes the fields of one protobuf message after another, in the order of the calls.
 *
 * A thin layer over the wire writer that joins a field's tag with its value, so that the ONNX encoder reads like the
 * message definition. Equal calls give equal bytes.
 */
export class MessageWriter {
  readonly #writer = new BinaryWriter();

  /** Writes an integer field (varint; negative numbers take ten bytes, as protobuf wants). */
  integer(field: number, value: number): this {
    this.#writer.tag(field, WireType.Varint).int64(value);
    return this;
  }

  /** Writes a float field of 32 bits. */
  float(field: number, value: number): this {
    this.#writer.tag(field, WireType.Bit32).float(value);
    return this;
  }

  /** Writes a text field in UTF-8. */
  string(field: number, value: string): this {
    this.#writer.tag(field, WireType.LengthDelimited).string(value);
    return this;
  }

  /** Writes a field of raw bytes. */
  bytes(field: number, value: Uint8Array): this {
    this.#writer.tag(field, WireType.LengthDelimited).bytes(value);
    return this;
  }

  /** Writes an embedded message whose fields `body` writes with this same writer. */
  message(field: number, body: (writer: this) => void): this {
    this.#writer.tag(field, WireType.LengthDelimited).fork();
    body(this);
    this.#writer.join();
    return this;
  }

  /** Returns everything written and empties the writer. */
  finish(): Uint8Array<ArrayBuffer> {
    return this.#writer.finish();
  }
}

/** A field of a protobuf message as it stands on the wire, before anyone knows its meaning. */
export type WireField =
  | { readonly number: number; readonly kind: "integer"; readonly value: number }
  | { readonly number: number; readonly kind: "float"; readonly value: number }
  | { readonly number: number; readonly kind: "bytes"; readonly value: Uint8Array };

/**
 * Reads the fields of one protobuf message, skipping wire types that ONNX messages of ours never use.
 *
 * Byte fields are views into `bytes`, not copies.
 *
 * @param bytes one whole message
 * @throws {Error} if the bytes are not a protobuf message or break off inside a field
 */
export function* readFields(bytes: Uint8Array): Generator<WireField> {
  const reader = new BinaryReader(bytes);
  while (reader.pos < reader.len) {
    const [number, wire] = reader.tag();
    if (wire === WireType.Varint) yield { number, kind: "integer", value: Number(reader.int64()) };
    else if (wire === WireType.Bit32) yield { number, kind: "float", value: reader.float() };
    else if (wire === WireType.LengthDelimited) yield { number, kind: "bytes", value: reader.bytes() };
    else reader.skip(wire, number);
  }
}

/**
 * Decodes a UTF-8 field.
 *
 * @throws {TypeError} if the bytes are not valid UTF-8
 */
export function readText(bytes: Uint8Array): string {
  return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
}
