/**
 * Lowers the kernel part of a graph to two lists of kernel calls: forward, and backward.
 *
 * Memory is assigned here, once. A value that the derivative or the head reads lies in the block of its slice; all
 * others share the block of the executing thread, each piece used again as soon as its last reader is done. An
 * operation that may work in place shares the buffer of its input.
 *
 * @module
 */
import { allocate, f32, i32 } from "../backend/wasm.ts";
import { Base, type KernelCall } from "../backend/program.ts";
import { type Graph, isBatch, type Node } from "./graph.ts";
import { Layout } from "./layout.ts";
import type { Parameter } from "./parameter.ts";
import type { Partition } from "./partition.ts";
import { primitiveOf } from "./primitives.ts";
import type { PrimitiveName } from "./primitives/attributes.ts";
import type { Address, ForwardLowering, VjpLowering } from "./primitives/primitive.ts";

/** Calls and sizes of the blocks that they work in. */
export interface Lowered {
  /** Calls that compute the values of a slice. */
  readonly forward: readonly KernelCall[];
  /** Calls that compute the gradients of a slice; empty if none were asked for. */
  readonly backward: readonly KernelCall[];
  /** Where values that outlive the forward calls lie, by node id. */
  readonly values: ReadonlyMap<number, Address>;
  /** Where the head puts the cotangents of boundary values, by node id. */
  readonly seeds: ReadonlyMap<number, Address>;
  /** Where the gradients of inputs lie, by node id. */
  readonly inputGradients: ReadonlyMap<number, Address>;
  /** Offset of each trainable parameter in a gradient block. */
  readonly gradientOffsets: ReadonlyMap<Parameter, number>;
  /** The parameters whose gradients the backward calls write; they leave those of others as they are. */
  readonly kernelGradients: ReadonlySet<Parameter>;
  /** Sizes of the blocks. */
  readonly bytes: { readonly task: number; readonly thread: number; readonly gradient: number };
  /** Addresses allocated for lists of indices: to be released with the plan. */
  readonly lists: readonly number[];
}

/** Lowers the kernel nodes of a partition for slices of `panels` panels. */
export function lower(
  graph: Graph,
  parts: Partition,
  panels: number,
  options: { readonly gradient: boolean; readonly inputGradients: boolean },
): Lowered {
  return new Lowerer(graph, parts, panels, options).result();
}

class Lowerer {
  readonly #graph: Graph;
  readonly #parts: Partition;
  readonly #panels: number;
  readonly #task = new Layout();
  readonly #lists: number[] = [];
  readonly #listsByText = new Map<string, Address>();
  readonly #tables = new Map<Float32Array, Address>();
  readonly #saved = new Map<number, Address>();
  readonly #gradient: boolean;
  readonly #values = new Map<number, Address>();
  readonly #inputGradients = new Map<number, Address>();
  readonly #gradientOffsets = new Map<Parameter, number>();
  readonly #kernelGradients = new Set<Parameter>();
  readonly #seeds = new Map<number, Address>();
  readonly #forward: KernelCall[] = [];
  readonly #backward: KernelCall[] = [];
  #threadBytes = 0;
  #gradientBytes = 0;

  constructor(
    graph: Graph,
    parts: Partition,
    panels: number,
    options: { readonly gradient: boolean; readonly inputGradients: boolean },
  ) {
    this.#graph = graph;
    this.#parts = parts;
    this.#panels = panels;
    this.#gradient = options.gradient;
    const kept = this.#kept(options.gradient);
    for (const node of graph.inputs()) this.#values.set(node.id, this.#taskAddress(node));
    this.#lowerForward(kept);
    if (options.gradient) {
      this.#placeGradients(options.inputGradients);
      this.#lowerBackward();
    }
  }

  result(): Lowered {
    return {
      forward: this.#forward,
      backward: this.#backward,
      values: this.#values,
      seeds: this.#seeds,
      inputGradients: this.#inputGradients,
      gradientOffsets: this.#gradientOffsets,
      kernelGradients: this.#kernelGradients,
      bytes: { task: this.#task.bytes, thread: this.#threadBytes, gradient: this.#gradientBytes },
      lists: this.#lists,
    };
  }

  /** Bytes of a value of a slice: float32 panels of a batch, float64 of a column. */
  #bytes(node: Node): number {
    return isBatch(node.shape) ? 128 * this.#panels * node.shape[1] : 256 * this.#panels;
  }

  #taskAddress(node: Node): Address {
    return { base: Base.task, offset: this.#task.take(this.#bytes(node)) };
  }

  /** Which kernel nodes must outlive the forward calls. */
  #kept(gradient: boolean): Set<number> {
    const kept = new Set(this.#parts.boundary);
    if (!gradient) return kept;
    for (const node of this.#parts.kernelNodes) {
      if (!this.#parts.differentiable[node.id]) continue;
      const { saves } = primitiveOf(node.primitive).lowering!;
      if (saves === "inputs" || saves === "both") node.inputs.forEach((id) => kept.add(id));
      if (saves === "output" || saves === "both") kept.add(node.id);
    }
    return kept;
  }

  /** For each node, the node whose buffer it shares because that one overwrites it in place; itself if none. */
  #shared(kept: ReadonlySet<number>, lastUse: ReadonlyMap<number, number>): Map<number, number> {
    const leader = new Map<number, number>();
    for (const node of [...this.#parts.kernelNodes].reverse()) {
      if (!leader.has(node.id)) leader.set(node.id, node.id);
      const source = this.#graph.nodes[node.inputs[0] ?? 0];
      const may = primitiveOf(node.primitive).lowering!.inPlace === true && isBatch(source.shape) &&
        source.primitive !== "input" && !kept.has(source.id) && lastUse.get(source.id) === node.id;
      if (may) leader.set(source.id, leader.get(node.id)!);
    }
    return leader;
  }

  #lowerForward(kept: ReadonlySet<number>): void {
    const lastUse = new Map<number, number>();
    for (const node of this.#parts.kernelNodes) node.inputs.forEach((id) => lastUse.set(id, node.id));
    const leader = this.#shared(kept, lastUse);
    const thread = new Layout();
    const buffers = new Map<number, Address>();
    for (const node of this.#parts.kernelNodes) {
      const lead = leader.get(node.id)!;
      if (!buffers.has(lead)) {
        const leadNode = this.#graph.nodes[lead];
        buffers.set(
          lead,
          kept.has(lead)
            ? this.#taskAddress(leadNode)
            : { base: Base.thread, offset: thread.take(this.#bytes(leadNode)) },
        );
      }
      this.#values.set(node.id, buffers.get(lead)!);
      this.#with(thread, (scratch) => {
        primitiveOf(node.primitive).lowering!.forward(this.#at(node, this.#forward, scratch));
      });
      for (const id of new Set([...node.inputs, node.id])) {
        const dead = leader.get(id) === id && !kept.has(id) && (lastUse.get(id) ?? node.id) === node.id;
        if (dead) thread.give(buffers.get(id)!.offset);
      }
    }
    this.#threadBytes = thread.bytes;
  }

  #placeGradients(inputGradients: boolean): void {
    for (const parameter of this.#graph.parameters()) {
      if (!parameter.trainable) continue;
      this.#gradientOffsets.set(parameter, this.#gradientBytes);
      this.#gradientBytes += Math.ceil(parameter.length / 16) * 64;
    }
    for (const id of this.#parts.boundary) {
      if (this.#parts.differentiable[id] && this.#graph.nodes[id].primitive !== "input") {
        this.#seeds.set(id, this.#taskAddress(this.#graph.nodes[id]));
      }
    }
    if (!inputGradients) return;
    for (const node of this.#graph.inputs()) this.#inputGradients.set(node.id, this.#taskAddress(node));
  }

  #lowerBackward(): void {
    const thread = new Layout();
    const cotangents = new Map<number, { address: Address; written: boolean }>();
    for (const [id, address] of this.#seeds) cotangents.set(id, { address, written: true });
    for (const [id, address] of this.#inputGradients) cotangents.set(id, { address, written: false });
    const take = (node: Node) => ({ base: Base.thread, offset: thread.take(this.#bytes(node)) });
    const give = ({ base, offset }: Address) => {
      if (base === Base.thread) thread.give(offset);
    };
    for (const node of [...this.#parts.kernelNodes].reverse()) {
      const cotangent = cotangents.get(node.id);
      if (cotangent === undefined || !this.#parts.differentiable[node.id]) continue;
      const discarded: Address[] = [];
      const contribute = (i: number): { address: Address; accumulate: 0 | 1 } => {
        const source = this.#graph.nodes[node.inputs[i]];
        if (source.primitive === "parameter") return this.#parameterGradient(source);
        if (!this.#parts.differentiable[source.id]) {
          const address = take(source);
          discarded.push(address);
          return { address, accumulate: 0 };
        }
        const entry = cotangents.get(source.id) ?? { address: take(source), written: false };
        const accumulate = entry.written ? 1 : 0;
        cotangents.set(source.id, { address: entry.address, written: true });
        return { address: entry.address, accumulate };
      };
      const additions: { elements: number; from: Address; to: Address }[] = [];
      const overwrite = (i: number): Address => {
        const { address, accumulate } = contribute(i);
        if (accumulate === 0) return address;
        const source = this.#graph.nodes[node.inputs[i]];
        const from = take(source);
        discarded.push(from);
        additions.push({ elements: this.#bytes(source) / 4, from, to: address });
        return from;
      };
      this.#with(thread, (scratch) => {
        const at: VjpLowering<PrimitiveName> = {
          ...this.#at(node, this.#backward, scratch),
          cotangent: cotangent.address,
          wants: (i) => this.#parts.differentiable[node.inputs[i]],
          contribute,
          overwrite,
        };
        primitiveOf(node.primitive).lowering!.vjp(at);
        for (const { elements, from, to } of additions) at.emit("accumulateF32", elements, 1, from, to);
      });
      discarded.forEach(give);
      give(cotangent.address);
    }
    this.#threadBytes = Math.max(this.#threadBytes, thread.bytes);
  }

  #parameterGradient(node: Node): { address: Address; accumulate: 0 | 1 } {
    const { parameter } = node.attributes as { parameter: Parameter };
    const accumulate = this.#kernelGradients.has(parameter) ? 1 : 0;
    this.#kernelGradients.add(parameter);
    return { address: { base: Base.gradient, offset: this.#gradientOffsets.get(parameter)! }, accumulate };
  }

  /** Lowers one node with scratch memory that is free again afterwards. */
  #with(thread: Layout, lowerNode: (scratch: (bytes: number) => Address) => void): void {
    const offsets: number[] = [];
    lowerNode((bytes) => {
      const offset = thread.take(bytes);
      offsets.push(offset);
      return { base: Base.thread, offset };
    });
    offsets.forEach((offset) => thread.give(offset));
  }

  #at(node: Node, calls: KernelCall[], scratch: (bytes: number) => Address): ForwardLowering<PrimitiveName> {
    const inputNode = (i: number) => this.#graph.nodes[node.inputs[i]];
    const parameterOf = (i: number) => (inputNode(i).attributes as { parameter: Parameter }).parameter;
    const absolute = (offset: number): Address => ({ base: Base.none, offset });
    return {
      attributes: node.attributes,
      panels: this.#panels,
      outputFeatures: isBatch(node.shape) ? node.shape[1] : 1,
      features: (i) => inputNode(i).shape[1] as number,
      output: this.#values.get(node.id)!,
      input: (i) =>
        inputNode(i).primitive === "parameter"
          ? absolute(parameterOf(i).storage.address)
          : this.#values.get(node.inputs[i])!,
      packed: (i) => {
        const { forward, transposed } = parameterOf(i).storage.packed();
        return { forward: absolute(forward), transposed: absolute(transposed) };
      },
      indices: (list) => this.#list(list),
      constants: (table) => this.#table(table),
      scratch,
      willWant: (i) => this.#gradient && this.#parts.differentiable[node.inputs[i]],
      saved: (features) => this.#savedBatch(node.id, features),
      emit: (kernel, ...args) => {
        calls.push({
          kernel,
          args: args.map((a) => typeof a === "number" ? a : a.offset),
          bases: args.map((a) => typeof a === "number" ? Base.none : a.base),
        });
      },
    };
  }

  #list(list: readonly number[]): Address {
    const text = list.join();
    let address = this.#listsByText.get(text);
    if (address === undefined) {
      const offset = allocate(4 * list.length);
      i32(offset, list.length).set(list);
      this.#lists.push(offset);
      address = { base: Base.none, offset };
      this.#listsByText.set(text, address);
    }
    return address;
  }

  #table(values: Float32Array): Address {
    let address = this.#tables.get(values);
    if (address === undefined) {
      const offset = allocate(4 * values.length);
      f32(offset, values.length).set(values);
      this.#lists.push(offset);
      address = { base: Base.none, offset };
      this.#tables.set(values, address);
    }
    return address;
  }

  #savedBatch(id: number, features: number): Address {
    let address = this.#saved.get(id);
    if (address === undefined) {
      address = { base: Base.task, offset: this.#task.take(128 * this.#panels * features) };
      this.#saved.set(id, address);
    }
    return address;
  }
}
