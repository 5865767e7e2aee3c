/**
 * Decides where each node of a graph runs: as kernels on slices of the batch, or in float64 TypeScript over all samples.
 *
 * @module
 */
import { type Graph, isBatch, type Node, type Tensor } from "./graph.ts";
import { forwardKernelOf } from "./forward_kernels.ts";

/** Where nodes run, and which values cross. */
export interface Partition {
  /** Nodes that run as kernels, in order. */
  readonly kernelNodes: readonly Node[];
  /** Nodes that run in the head, by id. */
  readonly head: ReadonlySet<number>;
  /** Kernel nodes and inputs whose values the head (or the caller) reads. */
  readonly boundary: readonly number[];
}

/** Whether a node runs as a kernel: batches do, and primitives that make a column of batches. */
function isKernelNode(graph: Graph, node: Node): boolean {
  if (node.primitive === "input" || node.primitive === "parameter") return false;
  if (isBatch(node.shape)) return true;
  return forwardKernelOf(node.primitive) !== undefined && node.inputs.some((id) => isBatch(graph.nodes[id].shape));
}

/**
 * Partitions the part of a graph that given outputs need.
 *
 * @param graph the graph
 * @param outputs what is wanted
 */
export function partition(graph: Graph, outputs: readonly Tensor[]): Partition {
  const needed = ancestors(graph, outputs.map((tensor) => tensor.id));
  const kernelNodes: Node[] = [];
  const head = new Set<number>();
  for (const node of graph.nodes) {
    if (!needed.has(node.id)) continue;
    if (isKernelNode(graph, node)) kernelNodes.push(node);
    else if (node.primitive !== "input" && node.primitive !== "parameter") head.add(node.id);
  }
  const boundary = new Set<number>();
  for (const id of head) graph.nodes[id].inputs.filter((i) => !head.has(i)).forEach((i) => boundary.add(i));
  outputs.filter((tensor) => !head.has(tensor.id)).forEach((tensor) => boundary.add(tensor.id));
  return {
    kernelNodes,
    head,
    boundary: [...boundary].filter((id) => graph.nodes[id].primitive !== "parameter").sort((a, b) => a - b),
  };
}

function ancestors(graph: Graph, ids: readonly number[]): Set<number> {
  const found = new Set(ids);
  for (let id = graph.nodes.length - 1; id >= 0; id--) {
    if (found.has(id)) graph.nodes[id].inputs.forEach((input) => found.add(input));
  }
  return found;
}
