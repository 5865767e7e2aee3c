import { showJson } from "./parse_json.ts";
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
import { type FieldBudget, readFields, readText, WireFault, type WireField } from "./protobuf.ts";

/** Fields of one message by number, each in file order. */
type Fields = Map<number, WireField["value"][]>;

/** What a graph may cost: fields in all, and how deep bodies of loops may lie in each other. */
interface Limits {
  readonly budget: FieldBudget;
  readonly depth: number;
}

/** The main graph and the body of a loop in it. */
const maximumDepth = 2;

/**
 * Reads a GraphProto of this package, refusing every field that the encoder never writes.
 *
 * @param bytes the message
 * @param budget how many fields may be read
 * @returns the graph
 * @throws {WireFault} with a few words that say what is wrong
 */
export function readGraph(bytes: Uint8Array, budget: FieldBudget): ModelGraph {
  return readGraphAt(bytes, { budget, depth: 1 });
}

function readGraphAt(bytes: Uint8Array, limits: Limits): ModelGraph {
  if (limits.depth > maximumDepth) throw new WireFault(`graphs inside each other, more than ${maximumDepth} deep`);
  const { budget } = limits;
  const fields = collect(bytes, "graph", [1, 2, 5, 11, 12, 13], budget);
  return {
    name: text(fields, 2),
    nodes: messages(fields, 1).map((node) => readNode(node, limits)),
    initializers: messages(fields, 5).map((tensor) => readTensor(tensor, budget)),
    inputs: messages(fields, 11).map((value) => readValue(value, budget)),
    outputs: messages(fields, 12).map((value) => readValue(value, budget)),
    values: messages(fields, 13).map((value) => readValue(value, budget)),
  };
}

function collect(bytes: Uint8Array, message: string, allowed: readonly number[], budget: FieldBudget): Fields {
  const fields: Fields = new Map();
  for (const { number, value } of readFields(bytes, budget)) {
    if (!allowed.includes(number)) throw new WireFault(`${message} field ${number}`);
    const values = fields.get(number);
    if (values) values.push(value);
    else fields.set(number, [value]);
  }
  return fields;
}

function messages(fields: Fields, number: number): Uint8Array[] {
  return (fields.get(number) ?? []).map((value) => {
    if (typeof value === "number") throw new WireFault(`a number in field ${number}`);
    return value;
  });
}

function numbers(fields: Fields, number: number): number[] {
  return (fields.get(number) ?? []).map((value) => {
    if (typeof value !== "number") throw new WireFault(`bytes in field ${number}`);
    return value;
  });
}

function number(fields: Fields, field: number): number {
  const [value] = numbers(fields, field);
  if (value === undefined) throw new WireFault(`no number in field ${field}`);
  return value;
}

function message(fields: Fields, field: number): Uint8Array {
  return messages(fields, field)[0] ?? new Uint8Array();
}

function texts(fields: Fields, number: number): string[] {
  return messages(fields, number).map(readText);
}

function text(fields: Fields, number: number): string {
  return texts(fields, number).at(-1) ?? "";
}

function readNode(bytes: Uint8Array, limits: Limits): ModelNode {
  const fields = collect(bytes, "node", [1, 2, 3, 4, 5], limits.budget);
  return {
    operator: text(fields, 4),
    inputs: texts(fields, 1),
    outputs: texts(fields, 2),
    attributes: Object.fromEntries(messages(fields, 5).map((attribute) => readAttribute(attribute, limits))),
  };
}

function readAttribute(bytes: Uint8Array, { budget, depth }: Limits): [string, ModelAttribute] {
  const fields = collect(bytes, "attribute", [1, 2, 3, 4, 6, 8, 20], budget);
  const [type] = numbers(fields, 20);
  const name = text(fields, 1);
  if (type === attributeTypeCodes.float) return [name, { kind: "float", value: number(fields, 2) }];
  if (type === attributeTypeCodes.integer) return [name, { kind: "integer", value: number(fields, 3) }];
  if (type === attributeTypeCodes.integers) return [name, { kind: "integers", value: numbers(fields, 8) }];
  if (type === attributeTypeCodes.text) return [name, { kind: "text", value: text(fields, 4) }];
  if (type === attributeTypeCodes.graph) {
    return [name, { kind: "graph", value: readGraphAt(message(fields, 6), { budget, depth: depth + 1 }) }];
  }
  throw new WireFault(`attribute type ${type}`);
}

function elementType(code: number | undefined): ElementType {
  const found = Object.entries(elementTypeCodes).find(([, known]) => known === code);
  if (found === undefined) throw new WireFault(`element type ${code}`);
  return found[0] as ElementType;
}

function readTensor(bytes: Uint8Array, budget: FieldBudget): ModelTensor {
  const fields = collect(bytes, "tensor", [1, 2, 8, 9], budget);
  const type = elementType(numbers(fields, 2)[0]);
  const name = text(fields, 8);
  const dims = numbers(fields, 1);
  const raw = message(fields, 9);
  const elements = dims.reduce((product, size) => product * size, 1);
  const elementBytes = type === "float16" ? 2 : type === "float32" || type === "int32" ? 4 : 8;
  if (
    type === "bool" || !dims.every((size) => size >= 0) || elements * elementBytes !== raw.length
  ) {
    throw new WireFault(
      `${raw.length} bytes for the ${type} [${dims.slice(0, 8).join(", ")}] ${showJson(name.slice(0, 40))}`,
    );
  }
  const buffer = raw.slice().buffer;
  if (type === "float32") return { name, dims, data: new Float32Array(buffer) };
  if (type === "float16") return { name, dims, data: new Uint16Array(buffer) };
  if (type === "int32") return { name, dims, data: new Int32Array(buffer) };
  return { name, dims, data: type === "float64" ? new Float64Array(buffer) : new BigInt64Array(buffer) };
}

function readValue(bytes: Uint8Array, budget: FieldBudget): ModelValue {
  const fields = collect(bytes, "value", [1, 2], budget);
  const tensor = message(collect(message(fields, 2), "type", [1], budget), 1);
  const shaped = collect(tensor, "tensor type", [1, 2], budget);
  const shape = collect(message(shaped, 2), "shape", [1], budget);
  return {
    name: text(fields, 1),
    type: elementType(numbers(shaped, 1)[0]),
    dims: messages(shape, 1).map((dim) => {
      const size = collect(dim, "dimension", [1, 2], budget);
      return size.has(2) ? text(size, 2) : number(size, 1);
    }),
  };
}
