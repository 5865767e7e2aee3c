/**
 * Decides which values of a plan keep a buffer, and which share one.
 *
 * @module
 */
import { type Graph, isBatch } from "../graph/graph.ts";
import type { Partition } from "../graph/partition.ts";
import { primitiveOf } from "./primitives.ts";

/**
 * Finds the kernel nodes and inputs whose values must outlive the forward calls.
 *
 * @param graph the graph
 * @param parts where its nodes run
 * @param gradient whether the backward pass will read values
 */
export function keptNodes(graph: Graph, parts: Partition, gradient: boolean): Set<number> {
  const kept = new Set(parts.boundary);
  graph.inputs().forEach(({ id }) => kept.add(id));
  if (!gradient) return kept;
  for (const node of parts.kernelNodes) {
    if (!parts.differentiable[node.id]) continue;
    const { saves } = primitiveOf(node.primitive).lowering!;
    if (saves === "inputs" || saves === "both") node.inputs.forEach((id) => kept.add(id));
    if (saves === "output" || saves === "both") kept.add(node.id);
  }
  return kept;
}

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
    const may = primitiveOf(node.primitive).lowering!.inPlace === true && isBatch(source.shape) &&
      !kept.has(source.id) && lastUse.get(source.id) === node.id;
    if (may) leader.set(source.id, leader.get(node.id)!);
  }
  return leader;
}
