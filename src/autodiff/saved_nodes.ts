/**
 * Decides which values a backward pass needs, so that no buffer of theirs is used again before.
 *
 * @module
 */
import type { Partition } from "../graph/partition.ts";
import { primitiveOf } from "./primitives.ts";

/**
 * Finds the kernel nodes and inputs whose values derivatives read.
 *
 * @param parts where its nodes run
 * @param differentiable whether a node has a derivative, by id
 */
export function savedNodes(parts: Partition, differentiable: readonly boolean[]): Set<number> {
  const saved = new Set<number>();
  for (const node of parts.kernelNodes) {
    if (!differentiable[node.id]) continue;
    const { saves } = primitiveOf(node.primitive).kernel!;
    if (saves === "inputs" || saves === "both") node.inputs.forEach((id) => saved.add(id));
    if (saves === "output" || saves === "both") saved.add(node.id);
  }
  return saved;
}
