/**
 * What float32 does to a computation, in TypeScript.
 *
 * @module
 */
import { isBatch, type Tensor } from "../graph/graph.ts";
import { ReferenceRun } from "./reference_run.ts";

/**
 * Evaluates tensors in float64 with every batch rounded to float32, as kernels keep them.
 *
 * The distance to `evaluateReference` is the size of rounding errors of any correct float32 run of the same graph.
 *
 * @param outputs tensors of one graph
 * @param inputs a value for each input of the graph, row-major [n, d], in the order of their creation
 * @param n number of samples
 * @returns a value for each output, row-major
 */
export function evaluateRounded(
  outputs: readonly Tensor[],
  inputs: readonly Float64Array[],
  n: number,
): Float64Array[] {
  const { graph } = outputs[0];
  const run = new ReferenceRun(graph, n);
  const rounded = new Set<number>();
  const round = (id: number) => {
    if (rounded.has(id) || !isBatch(graph.nodes[id].shape)) return;
    rounded.add(id);
    run.values[id] = run.values[id]!.map(Math.fround);
  };
  graph.inputs().forEach((node, i) => run.provide(node.id, inputs[i]));
  run.forward((node) => {
    node.inputs.forEach(round); // they are computed: inputs come before a node
    return true;
  });
  outputs.forEach(({ id }) => round(id));
  return outputs.map(({ id }) => run.values[id]!);
}
