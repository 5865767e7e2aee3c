/**
 * What a model of ours computes with, checked before any runtime sees it.
 *
 * A sealed file may still be hostile: whoever can change it can seal it again. So only operators that the exporter writes
 * are let through, every value is made once and before it is used, loops end, and weights are numbers.
 *
 * @module
 */
import { showJson, showText } from "../format/parse_json.ts";
import type { ModelMetadata } from "./metadata.ts";
import type { Model, ModelGraph, ModelNode, ModelTensor, ModelValue } from "../format/model.ts";

/** The operators that lowerings emit. */
export const operators: ReadonlySet<string> = new Set(
  ("Abs Add And Cast Concat Cos CumSum Div Equal Exp Expand Gather GatherElements Gemm Identity Less LessOrEqual Log " +
    "Loop MatMul Max Min Mul Neg Not Or Pow RandomNormalLike Reciprocal ReduceMax ReduceMean ReduceMin " +
    "ReduceSum Relu Reshape Shape Sin Slice Softplus Sqrt Sub Tanh Transpose Where").split(" "),
);

/** The operator that draws random numbers. */
const drawing = "RandomNormalLike";

/** Most steps of a loop. */
const maximumSteps = 1024;

/** Most characters of the name of a value. */
const longestName = 1024;

/**
 * Checks that a decoded model is one that maps configurations as its metadata say.
 *
 * @param model what `decodeModel` returned
 * @param metadata what it says about itself
 * @throws {Error} that names the value, the node or the tensor that is wrong
 */
export function checkGraph(model: Model, metadata: ModelMetadata): void {
  checkInterface(model, metadata);
  const constants = new Map(model.initializers.map((tensor) => [tensor.name, tensor]));
  model.initializers.forEach(checkWeights);
  checkDraws(model, metadata);
  checkScope(model, new Set(), constants);
}

function refuse(rest: string): never {
  throw new Error(`Cannot open ONNX model: ${rest}`);
}

/** A name as messages show it. */
function show(name: string): string {
  return showJson(name.slice(0, 60));
}

/** Inputs and outputs must be those of a flow's direction, with what the metadata say besides. */
function checkInterface({ inputs, outputs }: Model, metadata: ModelMetadata): void {
  const { role, precision, dim, draws, logWeight } = metadata;
  if (draws && role !== "sampler") refuse(`only a sampler must draw, got a ${role} that says so`);
  const [from, to] = role === "sampler" ? ["z", "x"] : ["x", "z"];
  const batch = (name: string): ModelValue => ({ name, type: precision, dims: ["n", dim] });
  const column = (name: string): ModelValue => ({ name, type: "float64", dims: ["n"] });
  compareValues("inputs", inputs, [draws ? { name: "n", type: "int64", dims: [1] } : batch(from)]);
  compareValues("outputs", outputs, [
    batch(to),
    column("logDet"),
    ...draws ? [batch(from)] : [],
    ...logWeight ? [column("logWeight")] : [],
  ]);
}

/** Random numbers are drawn once in a model that says so, and nowhere in others. */
function checkDraws(model: Model, { draws }: ModelMetadata): void {
  const count = drawsIn(model);
  if (count !== (draws ? 1 : 0)) {
    refuse(`the graph must draw random numbers ${draws ? "once" : "nowhere"}, got ${count} ${drawing}`);
  }
}

function drawsIn({ nodes }: ModelGraph): number {
  return nodes.reduce((sum, { operator, attributes }) => {
    const inside = Object.values(attributes).map((given) => given.kind === "graph" ? drawsIn(given.value) : 0);
    return inside.reduce((all, count) => all + count, sum + (operator === drawing ? 1 : 0));
  }, 0);
}

function compareValues(what: string, found: readonly ModelValue[], wanted: readonly ModelValue[]): void {
  const [got, expected] = [found.slice(0, 8), wanted].map((values) => values.map(describe).sort().join(", "));
  if (found.length > 8 || got !== expected) refuse(`${what} must be ${expected}, got ${got || "none"}`);
}

function describe({ name, type, dims }: ModelValue): string {
  return `${showText(name, 60)} ${type} [${dims.slice(0, 4).map((size) => showText(String(size), 20)).join(", ")}]`;
}

/** Names of constants start with "/"; all other tensors are weights, and finite. */
function checkWeights({ name, data }: ModelTensor): void {
  if (name.startsWith("/") || data instanceof BigInt64Array || data instanceof Int32Array) return;
  // An exponent of all ones is ∞ or NaN in float16 too.
  const isFinite = data instanceof Uint16Array ? (bits: number) => (bits & 0x7c00) !== 0x7c00 : Number.isFinite;
  for (let i = 0; i < data.length; i++) {
    if (isFinite(data[i])) continue;
    refuse(`weights ${show(name)} must be finite numbers, got another at ${i}: train the flow again`);
  }
}

/** Values of a graph in the order of its nodes; those of the graph around it are known. */
function checkScope(graph: ModelGraph, outside: ReadonlySet<string>, constants: Constants): void {
  const known = new Set(outside);
  const define = (name: string) => {
    if (name === "" || name.length > longestName) {
      refuse(`names of values must have 1 to ${longestName} characters, got ${name.length}`);
    }
    if (known.has(name)) refuse(`every value must be made once, got ${show(name)} twice`);
    known.add(name);
  };
  for (const { name } of [...graph.initializers, ...graph.inputs]) define(name);
  for (const node of graph.nodes) {
    checkNode(node, known, constants);
    node.outputs.forEach(define);
  }
  for (const { name } of graph.outputs) {
    if (!known.has(name)) refuse(`every output must be made by a node, got ${show(name)} from nowhere`);
  }
}

type Constants = ReadonlyMap<string, ModelTensor>;

function checkNode(node: ModelNode, known: ReadonlySet<string>, constants: Constants): void {
  const { operator, inputs, outputs } = node;
  if (!operators.has(operator)) refuse(`operators must be those of this package, got ${show(operator)}`);
  if (outputs.length === 0) refuse(`every node must make a value, got a ${operator} without`);
  const missing = inputs.find((name) => name !== "" && !known.has(name));
  if (missing !== undefined) refuse(`every value must be made before it is used, got ${show(missing)} in ${operator}`);
  if (operator === "Loop") checkLoop(node, known, constants);
  else if (Object.values(node.attributes).some(({ kind }) => kind === "graph")) {
    refuse(`only loops must hold a graph, got one in ${operator}`);
  }
  if (operator === "Expand" && constants.has(inputs[1])) {
    refuse(`shapes of Expand must follow from the number of samples, got the constant ${show(inputs[1])}`);
  }
}

/** A loop over states: as many steps as a constant says, and bodies that know as many states as they are given. */
function checkLoop({ inputs, outputs, attributes }: ModelNode, known: ReadonlySet<string>, constants: Constants): void {
  const steps = constants.get(inputs[0])?.data;
  if (!(steps instanceof BigInt64Array) || steps.length !== 1 || steps[0] < 0n || steps[0] > BigInt(maximumSteps)) {
    refuse(`steps of a Loop must be a constant from 0 to ${maximumSteps}, got ${show(inputs[0] ?? "")}`);
  }
  const { body } = attributes;
  if (body?.kind !== "graph" || Object.keys(attributes).length !== 1) {
    return refuse("a Loop must have a body and nothing else, got other attributes");
  }
  const states = inputs.length - 2;
  const sizes = [outputs.length + 2, body.value.inputs.length, body.value.outputs.length + 1];
  if (states < 1 || sizes.some((size) => size !== states + 2)) {
    refuse(`a Loop must return the ${states} states that it takes, got ${outputs.length}`);
  }
  checkScope(body.value, known, constants);
}
