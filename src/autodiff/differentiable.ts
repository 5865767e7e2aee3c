/**
 * Which nodes have a derivative that somebody asks for.
 *
 * @module
 */
import type { Graph } from "../graph/graph.ts";
import type { Parameter } from "../graph/parameter.ts";

/**
 * Finds the nodes on a path from a differentiated parameter or input.
 *
 * @param graph the graph
 * @param inputGradients whether inputs are differentiated
 * @returns by id
 */
export function differentiable(graph: Graph, inputGradients: boolean): boolean[] {
  const wants: boolean[] = [];
  for (const node of graph.nodes) {
    if (node.primitive === "input") wants.push(inputGradients);
    else if (node.primitive === "parameter") {
      wants.push((node.attributes as { parameter: Parameter }).parameter.trainable);
    } else wants.push(node.inputs.some((id) => wants[id]));
  }
  return wants;
}
