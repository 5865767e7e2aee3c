import { isBatch, type Node, type Tensor } from "../graph/graph.ts";
import type { PrimitiveName } from "../graph/attributes.ts";
import { encodeModel } from "../format/encode_model.ts";
import { type Lowering, typeOfShape } from "./lowering.ts";
import { lowerings } from "./lowerings.ts";
import type { Precision } from "../sampler/metadata.ts";
import { ModelBuilder, type WeightStorage } from "./model_builder.ts";
import { packageVersion } from "../sampler/version.ts";

/** Settings of {@linkcode exportOnnx}. */
export interface ExportOptions {
  /** Name of the graph inside the file. Default "graph". */
  readonly name?: string;
  /** Element type of batches and weights; float64 holds the same float32 weights, widened exactly. Default "float32". */
  readonly precision?: Precision;
  /**
   * Element type in which trainable weights are stored; computation is as without. float16 halves the file and rounds
   * weights by up to 2⁻¹¹ of themselves. Default "float32".
   */
  readonly storage?: WeightStorage;
  /** Entries for the file's metadata, in this order. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/**
 * Translates a traced computation into the bytes of an `.onnx` file, primitive by primitive.
 *
 * Opset 17, IR 8, a free batch size "n". Columns [n], such as a log-determinant, are computed and returned in float64
 * also where the rest is float32. The same graph and the same weights give the same bytes.
 *
 * @param outputs tensors of one graph by the names that they shall have in the file
 * @param options precision, graph name and metadata
 * @returns the file
 * @throws {TypeError} if the graph holds an external operation
 * @throws {RangeError} if there is no output, or two values have one name
 *
 * @example An energy of one's own
 * ```ts
 * import { decodeModel, exportOnnx, Graph, input, square, sumFeatures } from "@boltzflow/boltzflow";
 * import { assertEquals } from "@std/assert";
 *
 * const x = input(new Graph(), "x", 3);
 * const file = exportOnnx({ energy: sumFeatures(square(x)) });
 *
 * assertEquals(decodeModel(file).outputs, [{ name: "energy", type: "float64", dims: ["n"] }]);
 * ```
 */
export function exportOnnx(
  outputs: Readonly<Record<string, Tensor>>,
  options: ExportOptions = {},
): Uint8Array<ArrayBuffer> {
  const { name = "graph", precision = "float32", storage = "float32", metadata = {} } = options;
  const builder = new ModelBuilder(precision, storage);
  lowerOutputs(outputs, builder);
  return encodeModel(builder.build(name, packageVersion, metadata));
}

/**
 * Lowers what outputs need and declares them, in their order.
 *
 * @param outputs tensors of one graph by the names that they shall have in the file
 * @param builder where nodes go
 * @param given values that the file has already, by the ids of the nodes that they stand for
 * @returns the names of the outputs' values
 * @throws {TypeError} as {@linkcode exportOnnx}
 * @throws {RangeError} as {@linkcode exportOnnx}
 */
export function lowerOutputs(
  outputs: Readonly<Record<string, Tensor>>,
  builder: ModelBuilder,
  given: ReadonlyMap<number, string> = new Map(),
): Record<string, string> {
  const tensors = Object.values(outputs);
  if (tensors.length === 0) {
    throw new RangeError("Cannot export graph: outputs must name at least one tensor, got none");
  }
  if (tensors.some((tensor) => tensor.graph !== tensors[0].graph)) {
    throw new RangeError("Cannot export graph: outputs must belong to one graph, got tensors of several");
  }
  const values = lowerNodes(tensors, builder, given);
  for (const [label, tensor] of Object.entries(outputs)) {
    builder.output(label, values[tensor.id], typeOfShape(tensor.shape, builder.precision), tensor.shape);
  }
  return Object.fromEntries(Object.entries(outputs).map(([label, { id }]) => [label, values[id]]));
}

/**
 * Lowers every input of the graph and every node that the outputs need.
 *
 * @param outputs tensors of one graph
 * @param builder where nodes go
 * @param given values that the file has already, by node id
 * @returns value names by node id
 */
export function lowerNodes(
  outputs: readonly Tensor[],
  builder: ModelBuilder,
  given: ReadonlyMap<number, string>,
): string[] {
  const { nodes } = outputs[0].graph;
  const needed = new Set(outputs.map((tensor) => tensor.id));
  for (const node of nodes.toReversed()) {
    if (node.primitive === "input") needed.add(node.id);
    if (needed.has(node.id)) node.inputs.forEach((id) => needed.add(id));
  }

  const values: string[] = [];
  for (const node of nodes) {
    if (!needed.has(node.id)) continue;
    const known = given.get(node.id);
    if (known !== undefined) {
      values[node.id] = known;
      continue;
    }
    const sources = node.inputs.map((id) => nodes[id]);
    values[node.id] = lowerNode(node, sources, sources.map(({ id }) => values[id]), builder);
  }
  return values;
}

function lowerNode(node: Node, sources: readonly Node[], inputs: readonly string[], builder: ModelBuilder): string {
  const lowering = lowerings[node.primitive] as Lowering<PrimitiveName>;
  const { attributes, shape } = node;
  const type = typeOfShape(shape, builder.precision);
  const value = lowering({ builder, sources, inputs, attributes, shape, type });
  const isNew = node.primitive !== "input" && !inputs.includes(value);
  return isNew && isBatch(shape) ? builder.declare(value, type, shape) : value;
}
