/**
 * What float32 does to a computation: the float64 reference with every batch and every contribution rounded to float32.
 *
 * The distance between this and the exact run is the size of rounding errors of any correct float32 run, which the
 * tolerances of whole graphs are derived from.
 *
 * @module
 */
import { type Graph, isBatch, type Node, type Tensor } from "../../src/graph/graph.ts";
import type { Parameter } from "../../src/graph/parameter.ts";
import { primitiveOf } from "../../src/autodiff/primitives.ts";

/** Values and cotangents of a run, by node id. */
export interface Trace {
  readonly values: readonly Float64Array[];
  readonly cotangents: ReadonlyMap<number, Float64Array>;
  /** For each parameter, the sum over samples of the absolute values of what its cotangent is the sum of. */
  readonly absoluteSums: ReadonlyMap<number, Float64Array>;
}

const toFloat32 = (values: Float64Array): Float64Array => values.map(Math.fround);

/**
 * Runs a graph and its derivative in TypeScript.
 *
 * @param graph what to run
 * @param inputs a value for each input
 * @param n number of samples
 * @param seeds cotangents by node id
 * @param precision whether batches and gradients of parameters are rounded after each operation
 */
export function runTraced(
  graph: Graph,
  inputs: readonly Float64Array[],
  n: number,
  seeds: ReadonlyMap<number, Float64Array>,
  precision: "float32" | "float64",
): Trace {
  const rounds = ({ shape, primitive }: Node) =>
    precision === "float32" && (isBatch(shape) || primitive === "parameter");
  const values: Float64Array[] = [];
  const evaluation = (node: Node) => ({
    inputs: node.inputs.map((id) => values[id]),
    shapes: node.inputs.map((id) => graph.nodes[id].shape),
    shape: node.shape,
    attributes: node.attributes,
    n,
  });
  const order = graph.inputs().map((node) => node.id);
  for (const node of graph.nodes) {
    let value: Float64Array;
    if (node.primitive === "input") value = inputs[order.indexOf(node.id)];
    else if (node.primitive === "parameter") {
      value = Float64Array.from((node.attributes as { parameter: Parameter }).parameter.values());
    } else value = primitiveOf(node.primitive).forward(evaluation(node) as never);
    values.push(rounds(node) ? toFloat32(value) : value);
  }
  const cotangents = new Map(seeds);
  const absoluteSums = new Map<number, Float64Array>();
  for (const node of [...graph.nodes].reverse()) {
    const cotangent = cotangents.get(node.id);
    if (cotangent === undefined || node.inputs.length === 0) continue;
    const at = { ...evaluation(node), output: values[node.id] };
    addAbsoluteSums(graph, node, at, cotangent, absoluteSums);
    primitiveOf(node.primitive).vjp(at as never, cotangent).forEach((contribution, i) => {
      if (contribution === null) return;
      const target = graph.nodes[node.inputs[i]];
      const sum = cotangents.get(target.id)?.map((c, k) => c + contribution[k]) ?? contribution;
      cotangents.set(target.id, rounds(target) ? toFloat32(sum) : sum);
    });
  }
  return { values, cotangents, absoluteSums };
}

function addAbsoluteSums(
  graph: Graph,
  node: Node,
  at: { readonly inputs: readonly Float64Array[] },
  cotangent: Float64Array,
  sums: Map<number, Float64Array>,
): void {
  const isParameter = (id: number) => graph.nodes[id].primitive === "parameter";
  if (!node.inputs.some(isParameter)) return;
  const absolute = { ...at, inputs: at.inputs.map((x) => x.map(Math.abs)) };
  primitiveOf(node.primitive).vjp(absolute as never, cotangent.map(Math.abs)).forEach((sum, i) => {
    const id = node.inputs[i];
    if (sum !== null && isParameter(id)) sums.set(id, sums.get(id)?.map((s, k) => s + sum[k]) ?? sum);
  });
}

/**
 * Kernels err by up to 5 ULP where the emulation rounds by half a one (10), and the emulation is one draw of chance:
 * the largest of a few numbers (one sample, one feature) may well be a tenth of what another draw would show (10). An
 * error of the compiler is a hundred thousand times the rounding.
 */
const SAFETY = 100;

/** Additions in float32 one after the other in a sum over a slice of 256 samples: 8 panels of 4, then lanes. */
const SUM_DEPTH = 64;

/**
 * The largest error that a correct float32 run of a tensor may have, from the exact and the emulated one.
 *
 * @param absoluteSum for a sum over samples, the sum of the absolute values of its terms
 */
export function float32Tolerance(exact: Float64Array, emulated: Float64Array, absoluteSum?: Float64Array): number {
  let rounding = 0;
  let largest = 0;
  exact.forEach((value, i) => {
    rounding = Math.max(rounding, Math.abs(value - emulated[i]));
    largest = Math.max(largest, Math.abs(value));
  });
  const largestSum = absoluteSum?.reduce((most, sum) => Math.max(most, sum), 0) ?? 0;
  return SAFETY * (rounding + 2 ** -24 * largest) + SUM_DEPTH * 2 ** -24 * largestSum;
}

/**
 * Exact values of tensors with the error that float32 may make in each.
 *
 * @param outputs tensors of one graph
 * @param inputs a value for each input
 * @param n number of samples
 */
export function exactWithTolerance(
  outputs: readonly Tensor[],
  inputs: readonly Float64Array[],
  n: number,
): { readonly value: Float64Array; readonly tolerance: number }[] {
  const [exact, emulated] = (["float64", "float32"] as const).map((precision) =>
    runTraced(outputs[0].graph, inputs, n, new Map(), precision).values
  );
  return outputs.map(({ id }) => ({ value: exact[id], tolerance: float32Tolerance(exact[id], emulated[id]) }));
}
