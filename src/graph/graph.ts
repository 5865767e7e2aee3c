/**
 * The record of a computation: nodes in the order of their creation, each a primitive applied to earlier nodes.
 *
 * A graph holds no numbers. It is run by `reference_run.ts` in float64 (the oracle), by `kernel_run.ts` as kernel calls
 * over float32 panels (what training and sampling use), and read by the ONNX exporter.
 *
 * @module
 */
import type { Parameter } from "./parameter.ts";
import type { Attributes, PrimitiveName } from "./attributes.ts";

/**
 * Size along each axis; "n" is the number of samples.
 *
 * `["n", d]`: a batch of d features; `["n"]`: one number per sample, a column; `[]`: a scalar; anything else: a parameter.
 */
export type Shape = readonly (number | "n")[];

/** One application of a primitive. */
export interface Node<P extends PrimitiveName = PrimitiveName> {
  /** Position in the graph. */
  readonly id: number;
  /** Which primitive. */
  readonly primitive: P;
  /** Ids of the nodes it is applied to. */
  readonly inputs: readonly number[];
  /** What the primitive needs beside its inputs. */
  readonly attributes: Attributes[P];
  /** Shape of the result. */
  readonly shape: Shape;
}

/** A value in a graph: what operations take and return. */
export interface Tensor {
  /** The graph it belongs to. */
  readonly graph: Graph;
  /** Its node. */
  readonly id: number;
  /** Its shape. */
  readonly shape: Shape;
}

/** Nodes in topological order, and what goes in. */
export class Graph {
  /** All nodes; inputs of a node come before it. */
  readonly nodes: Node[] = [];
  readonly #parameters = new Map<Parameter, Tensor>();

  /**
   * Appends a node. Operations call this after they have checked shapes.
   *
   * @param primitive what to apply
   * @param inputs what to apply it to
   * @param attributes what it needs besides
   * @param shape shape of the result
   * @returns the result
   * @throws {Error} if an input belongs to another graph
   */
  add<P extends PrimitiveName>(
    primitive: P,
    inputs: readonly Tensor[],
    attributes: Attributes[P],
    shape: Shape,
  ): Tensor {
    for (const input of inputs) {
      if (input.graph !== this) {
        throw new Error(`Cannot apply ${primitive}: all inputs must belong to one graph, got two`);
      }
    }
    const id = this.nodes.length;
    this.nodes.push({ id, primitive, inputs: inputs.map((t) => t.id), attributes, shape } as Node);
    return { graph: this, id, shape };
  }

  /**
   * Enters a parameter: one node however often it is used.
   *
   * @param parameter numbers that outlive the graph
   * @returns its tensor
   */
  parameter(parameter: Parameter): Tensor {
    let tensor = this.#parameters.get(parameter);
    if (tensor === undefined) {
      tensor = this.add("parameter", [], { parameter }, parameter.shape);
      this.#parameters.set(parameter, tensor);
    }
    return tensor;
  }

  /** The parameters that the computation uses, in the order of first use. */
  parameters(): Parameter[] {
    return [...this.#parameters.keys()];
  }

  /** The inputs of the computation, in the order of their creation. */
  inputs(): Node<"input">[] {
    return this.nodes.filter((node): node is Node<"input"> => node.primitive === "input");
  }
}

/** Whether a shape is a batch of features, `["n", d]`. */
export function isBatch(shape: Shape): shape is readonly ["n", number] {
  return shape.length === 2 && shape[0] === "n";
}

/** Whether a shape is one number per sample, `["n"]`. */
export function isColumn(shape: Shape): boolean {
  return shape.length === 1 && shape[0] === "n";
}

/** Number of elements of a shape for n samples. */
export function sizeOf(shape: Shape, n: number): number {
  return shape.reduce<number>((product, size) => product * (size === "n" ? n : size), 1);
}
