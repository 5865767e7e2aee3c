/**
 * Runs a graph in float64 TypeScript: the oracle of the kernels, and the part of every computation that works on
 * columns and scalars.
 *
 * @module
 */
import type { ExternalOperation } from "../graph/attributes.ts";
import { ColumnRun } from "../graph/column_run.ts";
import { type Node, sizeOf, type Tensor } from "../graph/graph.ts";
import { primitiveOf } from "./primitives.ts";

/** Values of nodes by id, and what external operations kept for their vjp. */
export class ReferenceRun extends ColumnRun {
  readonly #saved = new Map<number, unknown>();

  protected override compute(node: Node): Float64Array {
    if (node.primitive !== "external") return primitiveOf(node.primitive).forward(this.evaluation(node));
    const { operation } = node.attributes as { operation: ExternalOperation };
    const { value, saved } = operation.forward(this.inputs(node), this.n);
    requireLength(`apply ${operation.name}: its value`, value, sizeOf(node.shape, this.n));
    this.#saved.set(node.id, saved);
    return value;
  }

  /**
   * Propagates cotangents backwards.
   *
   * @param seeds cotangents to start from, by node id
   * @param only which nodes to pass through; the others keep the cotangent that reaches them
   * @returns cotangents by node id
   */
  backward(
    seeds: ReadonlyMap<number, Float64Array>,
    only: (node: Node) => boolean = () => true,
  ): Map<number, Float64Array> {
    const cotangents = new Map(seeds);
    for (let id = this.graph.nodes.length - 1; id >= 0; id--) {
      const node = this.graph.nodes[id];
      const cotangent = cotangents.get(id);
      if (cotangent === undefined || node.inputs.length === 0 || !only(node)) continue;
      this.#vjp(node, cotangent).forEach((contribution, i) => {
        if (contribution === null) return;
        const input = node.inputs[i];
        const before = cotangents.get(input);
        cotangents.set(input, before === undefined ? contribution : before.map((c, k) => c + contribution[k]));
      });
    }
    return cotangents;
  }

  #vjp(node: Node, cotangent: Float64Array): (Float64Array | null)[] {
    if (node.primitive === "external") {
      const { operation } = node.attributes as { operation: ExternalOperation };
      const inputs = this.inputs(node);
      const cotangents = operation.vjp(cotangent, inputs, this.#saved.get(node.id), this.n);
      cotangents.forEach((found, i) => {
        if (found === null) return;
        requireLength(`differentiate ${operation.name}: the cotangent of input ${i}`, found, inputs[i]?.length);
      });
      return cotangents;
    }
    const evaluation = { ...this.evaluation(node), output: this.values[node.id]! };
    return primitiveOf(node.primitive).vjp(evaluation, cotangent);
  }
}

function requireLength(what: string, { length }: Float64Array, expected: number): void {
  if (length !== expected) throw new RangeError(`Cannot ${what} must have ${expected} numbers, got ${length}`);
}

/**
 * Evaluates tensors in float64.
 *
 * @param outputs tensors of one graph
 * @param inputs a value for each input of the graph, row-major [n, d], in the order of their creation
 * @param n number of samples
 * @returns a value for each output, row-major
 *
 * @example
 * ```ts
 * import { evaluateReference, Graph, input, square } from "@boltzflow/boltzflow";
 * import { assertEquals } from "@std/assert";
 *
 * const y = square(input(new Graph(), "x", 1));
 *
 * assertEquals(evaluateReference([y], [Float64Array.of(0.5)], 1), [Float64Array.of(0.25)]);
 * ```
 */
export function evaluateReference(
  outputs: readonly Tensor[],
  inputs: readonly Float64Array[],
  n: number,
): Float64Array[] {
  const { graph } = outputs[0];
  const run = new ReferenceRun(graph, n);
  graph.inputs().forEach((node, i) => run.provide(node.id, inputs[i]));
  run.forward();
  return outputs.map((tensor) => run.values[tensor.id]!);
}
