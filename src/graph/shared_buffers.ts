/**
 * Decides which values of a plan share a buffer.
 *
 * @module
 */
import { forwardKernelOf } from "./forward_kernels.ts";
import { type Graph, isBatch } from "./graph.ts";
import type { Partition } from "./partition.ts";

/**
 * Finds for each kernel node the node whose buffer it shares because that one overwrites it in place; itself if none.
 *
 * @param graph the graph
 * @param parts where its nodes run
 * @param kept nodes that nothing may overwrite
 * @param lastUse the last reader of each node
 */
export function sharedBuffers(
  graph: Graph,
  parts: Partition,
  kept: ReadonlySet<number>,
  lastUse: ReadonlyMap<number, number>,
): Map<number, number> {
  const leader = new Map<number, number>();
  for (const node of [...parts.kernelNodes].reverse()) {
    if (!leader.has(node.id)) leader.set(node.id, node.id);
    const source = graph.nodes[node.inputs[0] ?? 0];
    const may = forwardKernelOf(node.primitive)!.inPlace === true && isBatch(source.shape) &&
      !kept.has(source.id) && lastUse.get(source.id) === node.id;
    if (may) leader.set(source.id, leader.get(node.id)!);
  }
  return leader;
}
