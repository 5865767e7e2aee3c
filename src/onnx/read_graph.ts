import { attributeTypeCodes } from "./encode_model.ts";
import {
  type ElementType,
  elementTypeCodes,
  type ModelAttribute,
  type ModelGraph,
  type ModelNode,
  type ModelTensor,
  type ModelValue,
} from "./model.ts";
import { readFields, readText, type WireField } from "./protobuf.ts";

/** Fields of one message by number, each in file order. */
type Fields = Map<number, WireField["value"][]>;

/**
 * Reads a GraphProto of this package, refusing every field that the encoder never writes.
 *
 * @param bytes the message
 * @returns the graph
 * @throws {Error} with a few words that say what is wrong
 */
export function readGraph(bytes: Uint8Array): ModelGraph {
  const fields = collect(bytes, "graph", [1, 2, 5, 11, 12, 13]);
  return {
    name: text(fields, 2),
    nodes: messages(fields, 1).map(readNode),
    initializers: messages(fields, 5).map(readTensor),
    inputs: messages(fields, 11).map(readValue),
    outputs: messages(fields, 12).map(readValue),
    values: messages(fields, 13).map(readValue),
  };
}

function collect(bytes: Uint8Array, message: string, allowed: readonly number[]): Fields {
  const fields: Fields = new Map();
  for (const { number, value } of readFields(bytes)) {
    if (!allowed.includes(number)) throw new Error(`${message} field ${number}`);
    const values = fields.get(number);
    if (values) values.push(value);
    else fields.set(number, [value]);
  }
  return fields;
}

function messages(fields: Fields, number: number): Uint8Array[] {
  return (fields.get(number) ?? []).map((value) => {
    if (typeof value === "number") throw new Error(`a number in field ${number}`);
    return value;
  });
}

function numbers(fields: Fields, number: number): number[] {
  return (fields.get(number) ?? []).map((value) => {
    if (typeof value !== "number") throw new Error(`bytes in field ${number}`);
    return value;
  });
}

function texts(fields: Fields, number: number): string[] {
  return messages(fields, number).map(readText);
}

function text(fields: Fields, number: number): string {
  return texts(fields, number).at(-1) ?? "";
}

function readNode(bytes: Uint8Array): ModelNode {
  const fields = collect(bytes, "node", [1, 2, 3, 4, 5]);
  return {
    operator: text(fields, 4),
    inputs: texts(fields, 1),
    outputs: texts(fields, 2),
    attributes: Object.fromEntries(messages(fields, 5).map(readAttribute)),
  };
}

function readAttribute(bytes: Uint8Array): [string, ModelAttribute] {
  const fields = collect(bytes, "attribute", [1, 2, 3, 4, 6, 8, 20]);
  const [type] = numbers(fields, 20);
  const name = text(fields, 1);
  if (type === attributeTypeCodes.float) return [name, { kind: "float", value: numbers(fields, 2)[0] }];
  if (type === attributeTypeCodes.integer) return [name, { kind: "integer", value: numbers(fields, 3)[0] }];
  if (type === attributeTypeCodes.integers) return [name, { kind: "integers", value: numbers(fields, 8) }];
  if (type === attributeTypeCodes.text) return [name, { kind: "text", value: text(fields, 4) }];
  if (type === attributeTypeCodes.graph) {
    return [name, { kind: "graph", value: readGraph(messages(fields, 6)[0] ?? new Uint8Array()) }];
  }
  throw new Error(`attribute type ${type}`);
}

function elementType(code: number | undefined): ElementType {
  const found = Object.entries(elementTypeCodes).find(([, known]) => known === code);
  if (found === undefined) throw new Error(`element type ${code}`);
  return found[0] as ElementType;
}

function readTensor(bytes: Uint8Array): ModelTensor {
  const fields = collect(bytes, "tensor", [1, 2, 8, 9]);
  const type = elementType(numbers(fields, 2)[0]);
  const name = text(fields, 8);
  const dims = numbers(fields, 1);
  const raw = messages(fields, 9)[0] ?? new Uint8Array();
  const elements = dims.reduce((product, size) => product * size, 1);
  const elementBytes = type === "float16" ? 2 : type === "float32" || type === "int32" ? 4 : 8;
  if (
    type === "bool" || !dims.every((size) => size >= 0) || elements * elementBytes !== raw.length
  ) {
    throw new Error(`${raw.length} bytes for the ${type} [${dims.join(", ")}] "${name}"`);
  }
  const buffer = raw.slice().buffer;
  if (type === "float32") return { name, dims, data: new Float32Array(buffer) };
  if (type === "float16") return { name, dims, data: new Uint16Array(buffer) };
  if (type === "int32") return { name, dims, data: new Int32Array(buffer) };
  return { name, dims, data: type === "float64" ? new Float64Array(buffer) : new BigInt64Array(buffer) };
}

function readValue(bytes: Uint8Array): ModelValue {
  const fields = collect(bytes, "value", [1, 2]);
  const [type] = messages(fields, 2);
  const [tensor] = messages(collect(type ?? new Uint8Array(), "type", [1]), 1);
  const shaped = collect(tensor ?? new Uint8Array(), "tensor type", [1, 2]);
  const shape = collect(messages(shaped, 2)[0] ?? new Uint8Array(), "shape", [1]);
  return {
    name: text(fields, 1),
    type: elementType(numbers(shaped, 1)[0]),
    dims: messages(shape, 1).map((dim) => {
      const size = collect(dim, "dimension", [1, 2]);
      return size.has(2) ? text(size, 2) : numbers(size, 1)[0];
    }),
  };
}
