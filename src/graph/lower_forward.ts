/**
 * Lowers the kernel part of a graph to a list of kernel calls for each slice of the samples.
 *
 * Memory is assigned here, once. A value that somebody reads afterwards lies in the block of the batch, all slices one
 * behind the other; all others share the block of the executing thread, each piece used again as soon as its last reader
 * is done. An operation that may work in place shares the buffer of its input.
 *
 * @module
 */
import { Base, type KernelCall } from "../backend/program.ts";
import { absolute, Constants } from "./constants.ts";
import type { PrimitiveName } from "./attributes.ts";
import type { Address, Call, ForwardLowering } from "./forward_kernel.ts";
import { forwardKernelOf } from "./forward_kernels.ts";
import { type Graph, isBatch, type Node } from "./graph.ts";
import { Layout } from "./layout.ts";
import type { Parameter } from "./parameter.ts";
import type { Partition } from "./partition.ts";
import { sharedBuffers } from "./shared_buffers.ts";
import type { Slicing } from "./slicing.ts";

/** Calls and sizes of the blocks that they work in. */
export interface LoweredForward {
  /** Calls that compute the values of a slice. */
  readonly forward: readonly KernelCall[];
  /** Where values that outlive the forward calls lie, by node id. */
  readonly values: ReadonlyMap<number, Address>;
  /** Bytes of the blocks of the batch and of each thread. */
  readonly bytes: { readonly batch: number; readonly thread: number };
  /** Addresses of constants: to be released with the plan. */
  readonly constants: readonly number[];
}

/** What derivatives need of the forward calls. */
export interface DerivativeNeeds {
  /** Nodes whose values must be there afterwards. */
  readonly saved: ReadonlySet<number>;
  /** Whether a node has a derivative, by id. */
  readonly differentiable: readonly boolean[];
}

const nothing: DerivativeNeeds = { saved: new Set(), differentiable: [] };

/** Lowers the kernel nodes of a partition. */
export class ForwardLowerer {
  /** The block of the batch. */
  protected readonly batch: Layout = new Layout();
  /** Where values lie, by node id. */
  protected readonly values: Map<number, Address> = new Map();
  /** Bytes of the block of a thread. */
  protected threadBytes = 0;
  protected readonly graph: Graph;
  protected readonly parts: Partition;
  protected readonly slicing: Slicing;
  readonly #needs: DerivativeNeeds;
  readonly #constants = new Constants();
  readonly #saved = new Map<number, Address>();
  readonly #forward: KernelCall[] = [];

  /**
   * @param graph the graph
   * @param parts where its nodes run
   * @param slicing how samples are cut
   * @param needs of a backward pass that will follow; nothing by default
   */
  constructor(graph: Graph, parts: Partition, slicing: Slicing, needs: DerivativeNeeds = nothing) {
    this.graph = graph;
    this.parts = parts;
    this.slicing = slicing;
    this.#needs = needs;
    for (const node of graph.inputs()) this.values.set(node.id, this.batchAddress(node));
    this.#lower(new Set([...parts.boundary, ...graph.inputs().map(({ id }) => id), ...needs.saved]));
  }

  /** What came of it. */
  result(): LoweredForward {
    return {
      forward: this.#forward,
      values: this.values,
      bytes: { batch: this.batch.bytes, thread: this.threadBytes },
      constants: this.#constants.addresses,
    };
  }

  /** Bytes of a value of a slice: float32 panels of a batch, float64 of a column. */
  protected bytes(node: Node): number {
    return (isBatch(node.shape) ? 128 * node.shape[1] : 256) * this.slicing.panels;
  }

  /** A piece of the block of the batch for a value. */
  protected batchAddress(node: Node): Address {
    return this.#keptBatch(this.bytes(node));
  }

  /** A piece of the block of the batch, of so many bytes for each slice. */
  #keptBatch(stride: number): Address {
    return { base: Base.batch, offset: this.batch.take(this.slicing.slices * stride), stride };
  }

  #lower(kept: ReadonlySet<number>): void {
    const lastUse = new Map<number, number>();
    for (const node of this.parts.kernelNodes) node.inputs.forEach((id) => lastUse.set(id, node.id));
    const leader = sharedBuffers(this.graph, this.parts, kept, lastUse);
    const thread = new Layout();
    const buffers = new Map<number, Address>();
    for (const node of this.parts.kernelNodes) {
      const lead = leader.get(node.id)!;
      if (!buffers.has(lead)) {
        const leadNode = this.graph.nodes[lead];
        const address = kept.has(lead)
          ? this.batchAddress(leadNode)
          : { base: Base.thread, offset: thread.take(this.bytes(leadNode)), stride: 0 };
        buffers.set(lead, address);
      }
      this.values.set(node.id, buffers.get(lead)!);
      this.withScratch(thread, (scratch) => {
        forwardKernelOf(node.primitive)!.forward(this.at(node, (call) => this.#forward.push(call), scratch));
      });
      for (const id of new Set([...node.inputs, node.id])) {
        const dead = leader.get(id) === id && !kept.has(id) && (lastUse.get(id) ?? node.id) === node.id;
        if (dead) thread.give(buffers.get(id)!.offset);
      }
    }
    this.threadBytes = thread.bytes;
  }

  /** Lowers one node with scratch memory that is free again afterwards. */
  protected withScratch(thread: Layout, lowerNode: (scratch: (bytes: number) => Address) => void): void {
    const offsets: number[] = [];
    lowerNode((bytes) => {
      const offset = thread.take(bytes);
      offsets.push(offset);
      return { base: Base.thread, offset, stride: 0 };
    });
    offsets.forEach((offset) => thread.give(offset));
  }

  /** What a primitive sees of its node. */
  protected at(
    node: Node,
    push: (call: KernelCall) => void,
    scratch: (bytes: number) => Address,
  ): ForwardLowering<PrimitiveName> {
    const inputNode = (i: number) => this.graph.nodes[node.inputs[i]];
    const parameterOf = (i: number) => (inputNode(i).attributes as { parameter: Parameter }).parameter;
    return {
      attributes: node.attributes,
      panels: this.slicing.panels,
      outputFeatures: isBatch(node.shape) ? node.shape[1] : 1,
      features: (i) => inputNode(i).shape[1] as number,
      output: this.values.get(node.id)!,
      input: (i) =>
        inputNode(i).primitive === "parameter"
          ? absolute(parameterOf(i).storage.address)
          : this.values.get(node.inputs[i])!,
      packed: (i, form) => absolute(parameterOf(i).storage.packed(form)),
      indices: (list) => this.#constants.list(list),
      constants: (table) => this.#constants.table(table),
      scratch,
      willWant: (i) => this.#needs.differentiable[node.inputs[i]] ?? false,
      saved: (features) => this.#savedBatch(node.id, features),
      emit: (...call) => push(kernelCall(call)),
    };
  }

  #savedBatch(id: number, features: number): Address {
    let address = this.#saved.get(id);
    if (address === undefined) {
      address = this.#keptBatch(128 * this.slicing.panels * features);
      this.#saved.set(id, address);
    }
    return address;
  }
}

/** A call as programs hold it. */
export function kernelCall([kernel, ...args]: Call): KernelCall {
  return {
    kernel,
    args: args.map((a) => typeof a === "number" ? a : a.offset),
    bases: args.map((a) => typeof a === "number" ? Base.none : a.base),
    strides: args.map((a) => typeof a === "number" ? 0 : a.stride),
  };
}
