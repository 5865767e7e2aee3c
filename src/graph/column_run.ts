/**
 * Runs the part of a graph that works on columns and scalars, in float64 TypeScript.
 *
 * @module
 */
import type { PrimitiveName } from "./attributes.ts";
import { evaluateColumn, type Evaluation } from "./columns.ts";
import { type Graph, type Node, sizeOf } from "./graph.ts";
import type { Parameter } from "./parameter.ts";

/** Values of nodes by id, for one batch. */
export class ColumnRun {
  /** The values computed or provided so far. */
  readonly values: (Float64Array | undefined)[];
  protected readonly graph: Graph;
  protected readonly n: number;

  /**
   * @param graph what to run
   * @param n number of samples
   */
  constructor(graph: Graph, n: number) {
    this.graph = graph;
    this.n = n;
    this.values = new Array(graph.nodes.length);
  }

  /** Gives a node its value from outside. */
  provide(id: number, value: Float64Array): void {
    const expected = sizeOf(this.graph.nodes[id].shape, this.n);
    if (value.length !== expected) {
      throw new RangeError(`Cannot run a graph: node ${id} must have ${expected} numbers, got ${value.length}`);
    }
    this.values[id] = value;
  }

  /** Computes the nodes that have no value yet, in order, of those that `only` accepts. */
  forward(only: (node: Node) => boolean = () => true): void {
    for (const node of this.graph.nodes) {
      if (this.values[node.id] !== undefined || !only(node)) continue;
      if (node.primitive === "parameter") {
        const { parameter } = node.attributes as { parameter: Parameter };
        this.values[node.id] = Float64Array.from(parameter.storage.view());
      } else {
        this.values[node.id] = this.compute(node);
      }
    }
  }

  /** Computes one node from the values of its inputs. */
  protected compute(node: Node): Float64Array {
    return evaluateColumn(node.primitive, this.evaluation(node));
  }

  /** Values of the inputs of a node. */
  protected inputs(node: Node): Float64Array[] {
    return node.inputs.map((id) => this.values[id]!);
  }

  /** What a formula sees of a node. */
  protected evaluation(node: Node): Evaluation<PrimitiveName> {
    return {
      inputs: this.inputs(node),
      shapes: node.inputs.map((id) => this.graph.nodes[id].shape),
      shape: node.shape,
      attributes: node.attributes,
      n: this.n,
    };
  }
}
