import {
  type ElementType,
  elementTypeCodes,
  elementTypeOf,
  irVersion,
  type Model,
  type ModelAttribute,
  type ModelGraph,
  type ModelNode,
  type ModelTensor,
  type ModelValue,
  opsetVersion,
  producerName,
} from "./model.ts";
import { MessageWriter } from "./protobuf.ts";
import { sha256 } from "./sha256.ts";

/** Metadata key of the first entry of a file: the version of this package's conventions, a whole number. */
export const formatKey = "boltzflow.format";

/** Version of the conventions that this program writes, and the only one that it reads; 1 gave nodes names. */
export const formatVersion = 2;

/** Metadata key of the last entry of a file: the SHA-256 of every byte before that entry. */
export const digestKey = "boltzflow.digest";

/** Numbers of the AttributeProto types in use. */
export const attributeTypeCodes = { float: 1, integer: 2, text: 3, graph: 5, integers: 7 } as const;

/**
 * Encodes a model as the bytes of an `.onnx` file.
 *
 * The same model gives the same bytes: no time stamps, no hash order. The last entry of the metadata holds the SHA-256
 * of all bytes before it, by which {@linkcode decodeModel} recognises a file that is cut off or was changed.
 *
 * Reference: onnx.proto of ONNX 1.12; field numbers as in its messages ModelProto, GraphProto, NodeProto, TensorProto.
 *
 * @param model the model
 * @returns the file
 * @throws {RangeError} if a tensor's sizes and elements disagree, or metadata uses a key of the encoder's own
 */
export function encodeModel(model: Model): Uint8Array<ArrayBuffer> {
  return seal(encodeBody(model));
}

/**
 * Encodes a model without the digest that seals it.
 *
 * @param model the model
 * @returns the bytes that `seal` takes
 * @throws {RangeError} as {@linkcode encodeModel}
 */
export function encodeBody(model: Model): Uint8Array<ArrayBuffer> {
  const writer = new MessageWriter();
  writer.integer(1, irVersion).string(2, producerName).string(3, model.producerVersion);
  writer.message(7, (graph) => writeGraph(graph, model));
  writer.message(8, (opset) => opset.string(1, "").integer(2, opsetVersion));
  writeEntry(writer, formatKey, String(formatVersion));
  for (const [key, value] of Object.entries(model.metadata)) {
    if (key === digestKey || key === formatKey) {
      throw new RangeError(`Cannot encode ONNX model: metadata must leave "${key}" to the encoder, got "${value}"`);
    }
    writeEntry(writer, key, value);
  }
  return writer.finish();
}

/**
 * Appends the digest entry to the bytes of a model.
 *
 * @param body the model's bytes without digest entry
 * @returns the complete file
 */
export function seal(body: Uint8Array): Uint8Array<ArrayBuffer> {
  const entry = digestEntry(sha256(body));
  const file = new Uint8Array(body.length + entry.length);
  file.set(body);
  file.set(entry, body.length);
  return file;
}

/** The bytes of the metadata entry that seals a body with this SHA-256, 64 hexadecimal digits. */
export function digestEntry(digest: string): Uint8Array {
  const writer = new MessageWriter();
  writeEntry(writer, digestKey, digest);
  return writer.finish();
}

function writeEntry(writer: MessageWriter, key: string, value: string): void {
  writer.message(14, (entry) => entry.string(1, key).string(2, value));
}

function writeGraph(writer: MessageWriter, graph: ModelGraph): void {
  for (const node of graph.nodes) writer.message(1, (message) => writeNode(message, node));
  writer.string(2, graph.name);
  for (const tensor of graph.initializers) writer.message(5, (message) => writeTensor(message, tensor));
  for (const value of graph.inputs) writer.message(11, (message) => writeValue(message, value));
  for (const value of graph.outputs) writer.message(12, (message) => writeValue(message, value));
  for (const value of graph.values) writer.message(13, (message) => writeValue(message, value));
}

function writeNode(writer: MessageWriter, node: ModelNode): void {
  for (const name of node.inputs) writer.string(1, name);
  for (const name of node.outputs) writer.string(2, name);
  writer.string(4, node.operator);
  for (const [name, attribute] of Object.entries(node.attributes)) {
    writer.message(5, (message) => writeAttribute(message.string(1, name), attribute));
  }
}

function writeAttribute(writer: MessageWriter, attribute: ModelAttribute): void {
  if (attribute.kind === "float") writer.float(2, attribute.value);
  else if (attribute.kind === "integer") writer.integer(3, attribute.value);
  else if (attribute.kind === "text") writer.string(4, attribute.value);
  else if (attribute.kind === "graph") writer.message(6, (message) => writeGraph(message, attribute.value));
  else for (const value of attribute.value) writer.integer(8, value);
  writer.integer(20, attributeTypeCodes[attribute.kind]);
}

function writeTensor(writer: MessageWriter, { name, dims, data }: ModelTensor): void {
  if (dims.reduce((product, size) => product * size, 1) !== data.length) {
    throw new RangeError(
      `Cannot encode ONNX model: elements of "${name}" must fill [${dims.join(", ")}], got ${data.length}`,
    );
  }
  for (const size of dims) writer.integer(1, size);
  writer.integer(2, elementTypeCodes[elementTypeOf(data)]).string(8, name).bytes(9, littleEndianBytes(data));
}

function writeValue(writer: MessageWriter, value: ModelValue): void {
  writer.string(1, value.name);
  writer.message(2, (type) => type.message(1, (tensor) => writeTensorType(tensor, value.type, value.dims)));
}

function writeTensorType(writer: MessageWriter, type: ElementType, dims: ModelValue["dims"]): void {
  writer.integer(1, elementTypeCodes[type]);
  writer.message(2, (shape) => {
    for (const size of dims) {
      shape.message(1, (dim) => typeof size === "string" ? dim.string(2, size) : dim.integer(1, size));
    }
  });
}

/** The elements' bytes in the file's order, which is the order of every machine that WebAssembly runs on. */
function littleEndianBytes(data: ModelTensor["data"]): Uint8Array {
  if (new Uint8Array(Uint16Array.of(1).buffer)[0] !== 1) {
    throw new Error("Cannot encode ONNX model: processor must be little-endian, got a big-endian one");
  }
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
