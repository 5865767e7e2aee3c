/**
 * Lowers the kernel part of a graph with its derivative: forward and backward calls for each slice, and the sums over all
 * samples that are the gradients of parameters.
 *
 * A value that the derivative or the head reads lies in the block of the batch; the rest is as without derivatives.
 *
 * The backward calls are cut into stages, after each of which the sums run that have become possible: one call for all
 * samples, while their cotangents are still in the cache. Cotangents that sums or later stages read lie in the block of
 * the batch, and their memory is free again at the end of the stage that read them.
 *
 * @module
 */
import { Base, type KernelCall } from "../backend/program.ts";
import type { PrimitiveName } from "../graph/attributes.ts";
import type { Address } from "../graph/forward_kernel.ts";
import type { Graph, Node } from "../graph/graph.ts";
import { Layout } from "../graph/layout.ts";
import { ForwardLowerer, kernelCall } from "../graph/lower_forward.ts";
import type { Parameter } from "../graph/parameter.ts";
import type { Partition } from "../graph/partition.ts";
import type { Slicing } from "../graph/slicing.ts";
import { differentiable } from "./differentiable.ts";
import type { Lowered, Stage } from "./lowered.ts";
import { primitiveOf } from "./primitives.ts";
import type { VjpLowering } from "./primitives/primitive.ts";
import { savedNodes } from "./saved_nodes.ts";
import { cutBackward, type Cuts, isSummed } from "./stages.ts";

/** Which derivatives are asked for. */
export interface Derivatives {
  /** By parameters. */
  readonly gradient: boolean;
  /** By inputs. */
  readonly inputGradients: boolean;
}

/** Lowers the kernel nodes of a partition. */
export function lower(graph: Graph, parts: Partition, slicing: Slicing, derivatives: Derivatives): Lowered {
  if (!derivatives.gradient) return withoutDerivatives(new ForwardLowerer(graph, parts, slicing));
  return new Lowerer(graph, parts, slicing, differentiable(graph, derivatives.inputGradients), derivatives)
    .withDerivatives();
}

function withoutDerivatives(lowerer: ForwardLowerer): Lowered {
  const result = lowerer.result();
  return {
    ...result,
    stages: [],
    seeds: new Map(),
    inputGradients: new Map(),
    gradientOffsets: new Map(),
    kernelGradients: new Set(),
    bytes: { ...result.bytes, gradient: 0 },
  };
}

class Lowerer extends ForwardLowerer {
  readonly #differentiable: readonly boolean[];
  readonly #inputGradients = new Map<number, Address>();
  readonly #gradientOffsets = new Map<Parameter, number>();
  readonly #kernelGradients = new Set<Parameter>();
  readonly #seeds = new Map<number, Address>();
  readonly #stages: Stage[] = [];
  /** The stage in progress: its calls and sums, and the offsets in the block of the batch that are free after it. */
  #stage = emptyStage();
  #gradientBytes = 0;

  constructor(
    graph: Graph,
    parts: Partition,
    slicing: Slicing,
    differentiable: readonly boolean[],
    { inputGradients }: Derivatives,
  ) {
    super(graph, parts, slicing, { saved: savedNodes(parts, differentiable), differentiable });
    this.#differentiable = differentiable;
    this.#placeGradients(inputGradients);
    this.#lowerBackward();
  }

  withDerivatives(): Lowered {
    const result = this.result();
    return {
      ...result,
      stages: this.#stages,
      seeds: this.#seeds,
      inputGradients: this.#inputGradients,
      gradientOffsets: this.#gradientOffsets,
      kernelGradients: this.#kernelGradients,
      bytes: { ...result.bytes, gradient: this.#gradientBytes },
    };
  }

  #placeGradients(inputGradients: boolean): void {
    for (const parameter of this.graph.parameters()) {
      if (!parameter.trainable) continue;
      this.#gradientOffsets.set(parameter, this.#gradientBytes);
      this.#gradientBytes += Math.ceil(parameter.length / 16) * 64;
    }
    for (const id of this.parts.boundary) {
      if (this.#differentiable[id] && this.graph.nodes[id].primitive !== "input") {
        this.#seeds.set(id, this.batchAddress(this.graph.nodes[id]));
      }
    }
    if (!inputGradients) return;
    for (const node of this.graph.inputs()) this.#inputGradients.set(node.id, this.batchAddress(node));
  }

  #lowerBackward(): void {
    const thread = new Layout();
    const cotangents = new Map<number, { address: Address; written: boolean }>();
    for (const [id, address] of this.#seeds) cotangents.set(id, { address, written: true });
    for (const [id, address] of this.#inputGradients) cotangents.set(id, { address, written: false });
    const given = new Set(cotangents.keys());
    const nodes = this.#differentiated(given);
    const cuts = this.#cuts(nodes, given);
    const take = (node: Node) => ({ base: Base.thread, offset: thread.take(this.bytes(node)), stride: 0 });
    for (const node of nodes) {
      const cotangent = cotangents.get(node.id)!;
      const discarded: Address[] = [];
      const contribute = (i: number): { address: Address; accumulate: 0 | 1 } => {
        const source = this.graph.nodes[node.inputs[i]];
        if (source.primitive === "parameter") return this.#parameterGradient(source);
        if (!this.#differentiable[source.id]) {
          const address = take(source);
          discarded.push(address);
          return { address, accumulate: 0 };
        }
        const place = () => this.#outlivesCalls(source, cuts) ? this.batchAddress(source) : take(source);
        const entry = cotangents.get(source.id) ?? { address: place(), written: false };
        const accumulate = entry.written ? 1 : 0;
        cotangents.set(source.id, { address: entry.address, written: true });
        return { address: entry.address, accumulate };
      };
      const additions: { elements: number; from: Address; to: Address }[] = [];
      const overwrite = (i: number): Address => {
        const { address, accumulate } = contribute(i);
        if (accumulate === 0) return address;
        const source = this.graph.nodes[node.inputs[i]];
        const from = take(source);
        discarded.push(from);
        additions.push({ elements: this.bytes(source) / 4, from, to: address });
        return from;
      };
      this.withScratch(thread, (scratch) => {
        const at: VjpLowering<PrimitiveName> = {
          ...this.at(node, (call) => this.#stage.calls.push(call), scratch),
          cotangent: cotangent.address,
          wants: (i) => this.#differentiable[node.inputs[i]],
          contribute,
          overwrite,
          allPanels: this.slicing.allPanels,
          emitSums: (...lists) => this.#stage.sums.push(...lists.map((list) => list.map(kernelCall))),
        };
        primitiveOf(node.primitive).kernel!.vjp(at);
        for (const { elements, from, to } of additions) at.emit("accumulateF32", elements, 1, from, to);
      });
      for (const { base, offset } of [...discarded, cotangent.address]) if (base === Base.thread) thread.give(offset);
      if (cotangent.address.base === Base.batch && !given.has(node.id)) {
        this.#stage.ending.push(cotangent.address.offset);
      }
      if (cuts.last.has(node.id)) this.#closeStage();
    }
    this.#closeStage();
    this.threadBytes = Math.max(this.threadBytes, thread.bytes);
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
    return [...this.parts.kernelNodes].reverse().filter(({ id, inputs }) => {
      if (!reached.has(id) || !this.#differentiable[id]) return false;
      inputs.forEach((input) => reached.add(input));
      return true;
    });
  }

  #cuts(nodes: readonly Node[], given: ReadonlySet<number>): Cuts {
    const bytes = (node: Node) => this.slicing.slices * this.bytes(node);
    return cutBackward({ graph: this.graph, nodes, seeded: given, differentiable: this.#differentiable, bytes });
  }

  /** Whether something reads the cotangent of a node after the calls of the stage in which it begins. */
  #outlivesCalls(node: Node, { crossing }: Cuts): boolean {
    return crossing.has(node.id) || isSummed(this.graph, this.#differentiable, node);
  }

  #closeStage(): void {
    const { calls, sums, ending } = this.#stage;
    if (calls.length > 0 || sums.length > 0) this.#stages.push({ calls, sums });
    ending.forEach((offset) => this.batch.give(offset));
    this.#stage = emptyStage();
  }
}

function emptyStage() {
  return { calls: [] as KernelCall[], sums: [] as KernelCall[][], ending: [] as number[] };
}
