/**
 * Lowers the kernel part of a graph to lists of kernel calls: forward and backward for each slice, and the sums over all
 * samples that are the gradients of parameters.
 *
 * Memory is assigned here, once. A value that the derivative or the head reads lies in the block of the batch, all slices
 * one behind the other; all others share the block of the executing thread, each piece used again as soon as its last
 * reader is done. An operation that may work in place shares the buffer of its input.
 *
 * The backward calls are cut into stages, after each of which the sums run that have become possible: one call for all
 * samples, while their cotangents are still in the cache. Cotangents that sums or later stages read lie in the block of
 * the batch, and their memory is free again at the end of the stage that read them.
 *
 * @module
 */
import { Base, type KernelCall } from "../backend/program.ts";
import { keptNodes, sharedBuffers } from "./buffers.ts";
import { absolute, Constants } from "../graph/constants.ts";
import { type Graph, isBatch, type Node } from "../graph/graph.ts";
import { Layout } from "../graph/layout.ts";
import type { Lowered, Slicing, Stage } from "./lowered.ts";
import type { Parameter } from "../graph/parameter.ts";
import type { Partition } from "../graph/partition.ts";
import { primitiveOf } from "./primitives.ts";
import type { PrimitiveName } from "../graph/attributes.ts";
import { cutBackward, type Cuts, isSummed } from "./stages.ts";
import type { Address, Call, ForwardLowering, VjpLowering } from "./primitives/primitive.ts";

/** Lowers the kernel nodes of a partition. */
export function lower(
  graph: Graph,
  parts: Partition,
  slicing: Slicing,
  options: { readonly gradient: boolean; readonly inputGradients: boolean },
): Lowered {
  return new Lowerer(graph, parts, slicing, options).result();
}

class Lowerer {
  readonly #graph: Graph;
  readonly #parts: Partition;
  readonly #slicing: Slicing;
  readonly #batch = new Layout();
  readonly #constants = new Constants();
  readonly #saved = new Map<number, Address>();
  readonly #gradient: boolean;
  readonly #values = new Map<number, Address>();
  readonly #inputGradients = new Map<number, Address>();
  readonly #gradientOffsets = new Map<Parameter, number>();
  readonly #kernelGradients = new Set<Parameter>();
  readonly #seeds = new Map<number, Address>();
  readonly #forward: KernelCall[] = [];
  readonly #stages: Stage[] = [];
  /** The stage in progress: its calls and sums, and the offsets in the block of the batch that are free after it. */
  #stage = emptyStage();
  #threadBytes = 0;
  #gradientBytes = 0;

  constructor(
    graph: Graph,
    parts: Partition,
    slicing: Slicing,
    options: { readonly gradient: boolean; readonly inputGradients: boolean },
  ) {
    this.#graph = graph;
    this.#parts = parts;
    this.#slicing = slicing;
    this.#gradient = options.gradient;
    const kept = keptNodes(graph, parts, options.gradient);
    for (const node of graph.inputs()) this.#values.set(node.id, this.#batchAddress(node));
    this.#lowerForward(kept);
    if (options.gradient) {
      this.#placeGradients(options.inputGradients);
      this.#lowerBackward();
    }
  }

  result(): Lowered {
    return {
      forward: this.#forward,
      stages: this.#stages,
      values: this.#values,
      seeds: this.#seeds,
      inputGradients: this.#inputGradients,
      gradientOffsets: this.#gradientOffsets,
      kernelGradients: this.#kernelGradients,
      bytes: { batch: this.#batch.bytes, thread: this.#threadBytes, gradient: this.#gradientBytes },
      constants: this.#constants.addresses,
    };
  }

  /** Bytes of a value of a slice: float32 panels of a batch, float64 of a column. */
  #bytes(node: Node): number {
    return (isBatch(node.shape) ? 128 * node.shape[1] : 256) * this.#slicing.panels;
  }

  #batchAddress(node: Node): Address {
    return this.#keptBatch(this.#bytes(node));
  }

  /** A piece of the block of the batch, of so many bytes for each slice. */
  #keptBatch(stride: number): Address {
    return { base: Base.batch, offset: this.#batch.take(this.#slicing.slices * stride), stride };
  }

  #lowerForward(kept: ReadonlySet<number>): void {
    const lastUse = new Map<number, number>();
    for (const node of this.#parts.kernelNodes) node.inputs.forEach((id) => lastUse.set(id, node.id));
    const leader = sharedBuffers(this.#graph, this.#parts, kept, lastUse);
    const thread = new Layout();
    const buffers = new Map<number, Address>();
    for (const node of this.#parts.kernelNodes) {
      const lead = leader.get(node.id)!;
      if (!buffers.has(lead)) {
        const leadNode = this.#graph.nodes[lead];
        buffers.set(
          lead,
          kept.has(lead)
            ? this.#batchAddress(leadNode)
            : { base: Base.thread, offset: thread.take(this.#bytes(leadNode)), stride: 0 },
        );
      }
      this.#values.set(node.id, buffers.get(lead)!);
      this.#with(thread, (scratch) => {
        primitiveOf(node.primitive).lowering!.forward(this.#at(node, (call) => this.#forward.push(call), scratch));
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
        this.#seeds.set(id, this.#batchAddress(this.#graph.nodes[id]));
      }
    }
    if (!inputGradients) return;
    for (const node of this.#graph.inputs()) this.#inputGradients.set(node.id, this.#batchAddress(node));
  }

  #lowerBackward(): void {
    const thread = new Layout();
    const cotangents = new Map<number, { address: Address; written: boolean }>();
    for (const [id, address] of this.#seeds) cotangents.set(id, { address, written: true });
    for (const [id, address] of this.#inputGradients) cotangents.set(id, { address, written: false });
    const given = new Set(cotangents.keys());
    const nodes = this.#differentiated(given);
    const cuts = this.#cuts(nodes, given);
    const take = (node: Node) => ({ base: Base.thread, offset: thread.take(this.#bytes(node)), stride: 0 });
    for (const node of nodes) {
      const cotangent = cotangents.get(node.id)!;
      const discarded: Address[] = [];
      const contribute = (i: number): { address: Address; accumulate: 0 | 1 } => {
        const source = this.#graph.nodes[node.inputs[i]];
        if (source.primitive === "parameter") return this.#parameterGradient(source);
        if (!this.#parts.differentiable[source.id]) {
          const address = take(source);
          discarded.push(address);
          return { address, accumulate: 0 };
        }
        const place = () => this.#outlivesCalls(source, cuts) ? this.#batchAddress(source) : take(source);
        const entry = cotangents.get(source.id) ?? { address: place(), written: false };
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
          ...this.#at(node, (call) => this.#stage.calls.push(call), scratch),
          cotangent: cotangent.address,
          wants: (i) => this.#parts.differentiable[node.inputs[i]],
          contribute,
          overwrite,
          allPanels: this.#slicing.allPanels,
          emitSums: (...lists) => this.#stage.sums.push(...lists.map((list) => list.map(kernelCall))),
        };
        primitiveOf(node.primitive).lowering!.vjp(at);
        for (const { elements, from, to } of additions) at.emit("accumulateF32", elements, 1, from, to);
      });
      for (const { base, offset } of [...discarded, cotangent.address]) if (base === Base.thread) thread.give(offset);
      if (cotangent.address.base === Base.batch && !given.has(node.id)) {
        this.#stage.ending.push(cotangent.address.offset);
      }
      if (cuts.last.has(node.id)) this.#closeStage();
    }
    this.#closeStage();
    this.#threadBytes = Math.max(this.#threadBytes, thread.bytes);
  }

  #parameterGradient(node: Node): { address: Address; accumulate: 0 | 1 } {
    const { parameter } = node.attributes as { parameter: Parameter };
    const accumulate = this.#kernelGradients.has(parameter) ? 1 : 0;
    this.#kernelGradients.add(parameter);
    return { address: { base: Base.gradient, offset: this.#gradientOffsets.get(parameter)!, stride: 0 }, accumulate };
  }

  /** The kernel nodes that a cotangent reaches, last first, given where cotangents come from. */
  #differentiated(given: ReadonlySet<number>): Node[] {
    const reached = new Set(given);
    return [...this.#parts.kernelNodes].reverse().filter(({ id, inputs }) => {
      if (!reached.has(id) || !this.#parts.differentiable[id]) return false;
      inputs.forEach((input) => reached.add(input));
      return true;
    });
  }

  #cuts(nodes: readonly Node[], given: ReadonlySet<number>): Cuts {
    const bytes = (node: Node) => this.#slicing.slices * this.#bytes(node);
    const { differentiable } = this.#parts;
    return cutBackward({ graph: this.#graph, nodes, seeded: given, differentiable, bytes });
  }

  /** Whether something reads the cotangent of a node after the calls of the stage in which it begins. */
  #outlivesCalls(node: Node, { crossing }: Cuts): boolean {
    return crossing.has(node.id) || isSummed(this.#graph, this.#parts.differentiable, node);
  }

  #closeStage(): void {
    const { calls, sums, ending } = this.#stage;
    if (calls.length > 0 || sums.length > 0) this.#stages.push({ calls, sums });
    ending.forEach((offset) => this.#batch.give(offset));
    this.#stage = emptyStage();
  }

  /** Lowers one node with scratch memory that is free again afterwards. */
  #with(thread: Layout, lowerNode: (scratch: (bytes: number) => Address) => void): void {
    const offsets: number[] = [];
    lowerNode((bytes) => {
      const offset = thread.take(bytes);
      offsets.push(offset);
      return { base: Base.thread, offset, stride: 0 };
    });
    offsets.forEach((offset) => thread.give(offset));
  }

  #at(
    node: Node,
    push: (call: KernelCall) => void,
    scratch: (bytes: number) => Address,
  ): ForwardLowering<PrimitiveName> {
    const inputNode = (i: number) => this.#graph.nodes[node.inputs[i]];
    const parameterOf = (i: number) => (inputNode(i).attributes as { parameter: Parameter }).parameter;
    return {
      attributes: node.attributes,
      panels: this.#slicing.panels,
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
      indices: (list) => this.#constants.list(list),
      constants: (table) => this.#constants.table(table),
      scratch,
      willWant: (i) => this.#gradient && this.#parts.differentiable[node.inputs[i]],
      saved: (features) => this.#savedBatch(node.id, features),
      emit: (...call) => push(kernelCall(call)),
    };
  }

  #savedBatch(id: number, features: number): Address {
    let address = this.#saved.get(id);
    if (address === undefined) {
      address = this.#keptBatch(128 * this.#slicing.panels * features);
      this.#saved.set(id, address);
    }
    return address;
  }
}

function emptyStage() {
  return { calls: [] as KernelCall[], sums: [] as KernelCall[][], ending: [] as number[] };
}

function kernelCall([kernel, ...args]: Call): KernelCall {
  return {
    kernel,
    args: args.map((a) => typeof a === "number" ? a : a.offset),
    bases: args.map((a) => typeof a === "number" ? Base.none : a.base),
    strides: args.map((a) => typeof a === "number" ? 0 : a.stride),
  };
}
