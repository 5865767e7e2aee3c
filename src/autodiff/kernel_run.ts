/**
 * Runs a graph: batches as kernels on slices of the samples, columns and scalars in float64 TypeScript.
 *
 * The samples are cut into at most eight slices of at least 128, the same for any number of threads, and sums over
 * slices are taken in order: results do not depend on how many threads there are.
 *
 * @module
 */
import { Base, nextProgramId, type Program } from "../backend/program.ts";
import { type Executor, serialPool } from "../backend/pool.ts";
import { panelsToRows, readColumn, rowsToPanels, sumBuffers, writeColumn } from "../backend/panels.ts";
import { allocate, release } from "../backend/wasm.ts";
import { type Graph, isBatch, isColumn, type Tensor } from "./graph.ts";
import { lower, type Lowered } from "./lower.ts";
import type { Parameter } from "./parameter.ts";
import { type Partition, partition } from "./partition.ts";
import type { Address } from "./primitives/primitive.ts";
import { ReferenceRun } from "./reference_run.ts";

const LANES = 32;
const MAXIMUM_SLICES = 8;
const MINIMUM_SLICE = 128;
const FORWARD = 0;
const BACKWARD = 1;

/** How a graph is to be run. */
export interface KernelRunOptions {
  /** Number of samples. */
  readonly n: number;
  /** Prepare gradients by trainable parameters. Default false. */
  readonly gradient?: boolean;
  /** Prepare gradients by inputs as well. Default false. */
  readonly inputGradients?: boolean;
  /** Threads to use. Default: the calling thread. */
  readonly pool?: Executor;
}

/** The ordered sum of gradient buffers, as the optimiser reads it. */
export interface GradientBuffers {
  /** Address of the first buffer. */
  readonly address: number;
  /** Number of buffers. */
  readonly groups: number;
  /** Bytes from one buffer to the next. */
  readonly stride: number;
  /** Offset in a buffer of each trainable parameter. */
  readonly offsets: ReadonlyMap<Parameter, number>;
}

/** A graph with its memory, ready to run any number of times. Dispose of it when done. */
export class KernelRun implements Disposable {
  readonly #graph: Graph;
  readonly #outputs: readonly Tensor[];
  readonly #parts: Partition;
  readonly #lowered: Lowered;
  readonly #program: Program;
  readonly #pool: Executor;
  readonly #n: number;
  readonly #sliceSamples: number;
  readonly #block: number;
  #head: ReferenceRun;
  #disposed = false;

  /**
   * @param outputs tensors of one graph to compute
   * @param options sizes and threads
   * @throws {RangeError} if n is not a whole number ≥ 1, or memory does not suffice
   */
  constructor(outputs: readonly Tensor[], options: KernelRunOptions) {
    const { n, pool = serialPool } = options;
    if (!Number.isInteger(n) || n < 1) {
      throw new RangeError(`Cannot run a graph: n must be a whole number ≥ 1, got ${n}`);
    }
    this.#graph = outputs[0].graph;
    this.#outputs = outputs;
    this.#pool = pool;
    this.#n = n;
    const slices = Math.min(MAXIMUM_SLICES, Math.ceil(n / MINIMUM_SLICE));
    const panels = Math.ceil(Math.ceil(n / slices) / LANES);
    this.#sliceSamples = panels * LANES;
    const inputGradients = options.inputGradients ?? false;
    const gradient = (options.gradient ?? false) || inputGradients;
    this.#parts = partition(this.#graph, outputs, inputGradients);
    this.#lowered = lower(this.#graph, this.#parts, panels, { gradient, inputGradients });
    const { bytes, forward, backward } = this.#lowered;
    const used = Math.ceil(n / this.#sliceSamples);
    this.#block = allocate(used * (bytes.task + bytes.gradient) + pool.threads * bytes.thread);
    const gradients = this.#block + used * bytes.task;
    const threads = gradients + used * bytes.gradient;
    this.#program = {
      id: nextProgramId(),
      phases: [forward, backward],
      taskBases: Array.from({ length: used }, (_, s) => this.#block + s * bytes.task),
      gradientBases: Array.from({ length: used }, (_, s) => gradients + s * bytes.gradient),
      threadBases: Array.from({ length: pool.threads }, (_, t) => threads + t * bytes.thread),
    };
    this.#head = new ReferenceRun(this.#graph, n);
  }

  /** Number of samples. */
  get n(): number {
    return this.#n;
  }

  /** The buffers that `backward` fills. */
  get gradients(): GradientBuffers {
    return {
      address: this.#program.gradientBases[0],
      groups: this.#program.gradientBases.length,
      stride: this.#lowered.bytes.gradient,
      offsets: this.#lowered.gradientOffsets,
    };
  }

  /**
   * Computes the outputs.
   *
   * @param inputs a value for each input of the graph, row-major [n, d], in the order of their creation
   * @returns a value for each output, row-major float64
   * @throws {RangeError} if a length does not match
   */
  forward(inputs: readonly Float64Array[]): Float64Array[] {
    if (this.#disposed) throw new Error("Cannot run a graph: it must not be disposed of, got one that is");
    this.#head = new ReferenceRun(this.#graph, this.#n);
    const nodes = this.#graph.inputs();
    if (inputs.length !== nodes.length) {
      throw new RangeError(`Cannot run a graph: inputs must be ${nodes.length}, got ${inputs.length}`);
    }
    nodes.forEach((node, i) => {
      this.#head.provide(node.id, inputs[i]);
      this.#writeRows(this.#lowered.values.get(node.id)!, node.shape[1] as number, inputs[i], "repeat");
    });
    for (const parameter of this.#graph.parameters()) parameter.storage.refresh();
    this.#pool.runPhase(this.#program, FORWARD, this.#program.taskBases.length);
    for (const id of this.#parts.boundary) {
      if (this.#head.values[id] === undefined) this.#head.values[id] = this.#read(id, this.#lowered.values.get(id)!);
    }
    this.#head.forward((node) => this.#parts.head.has(node.id) || node.primitive === "parameter");
    return this.#outputs.map((tensor) => this.#head.values[tensor.id]!);
  }

  /**
   * Computes gradients by the parameters (into `gradients`) and, if asked for, by the inputs.
   *
   * @param cotangents for each output, its cotangent, or null
   * @returns gradients by each input, row-major; empty unless `inputGradients` was set
   */
  backward(cotangents: readonly (Float64Array | null)[]): Float64Array[] {
    const seeds = new Map<number, Float64Array>();
    this.#outputs.forEach((tensor, i) => {
      const cotangent = cotangents[i];
      if (cotangent !== null) seeds.set(tensor.id, cotangent);
    });
    const reached = this.#head.backward(seeds, (node) => this.#parts.head.has(node.id));
    for (const [id, address] of this.#lowered.seeds) {
      const { shape } = this.#graph.nodes[id];
      const d = isBatch(shape) ? shape[1] : 1;
      const value = reached.get(id) ?? new Float64Array(this.#n * d);
      if (isColumn(shape)) this.#writeColumn(address, value);
      else this.#writeRows(address, d, value, "zero");
    }
    this.#pool.runPhase(this.#program, BACKWARD, this.#program.taskBases.length);
    const inputs = this.#graph.inputs().filter((node) => this.#lowered.inputGradients.has(node.id));
    return inputs.map((node) => {
      const kernels = this.#read(node.id, this.#lowered.inputGradients.get(node.id)!);
      const direct = reached.get(node.id);
      return direct === undefined ? kernels : kernels.map((g, i) => g + direct[i]);
    });
  }

  /** The gradient by one parameter, summed over slices in float32 as the optimiser does. */
  gradientOf(parameter: Parameter): Float32Array<ArrayBuffer> {
    const { groups, offsets, stride, address } = this.gradients;
    const offset = offsets.get(parameter);
    if (offset === undefined) {
      throw new RangeError(`Cannot read a gradient: ${parameter.name} must be a trainable parameter of the graph`);
    }
    return sumBuffers(parameter.length, address + offset, groups, stride);
  }

  /** Frees the memory. */
  [Symbol.dispose](): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.#pool.forget(this.#program);
    release(this.#block);
    this.#lowered.lists.forEach(release);
  }

  #slices(): { start: number; count: number; base: number }[] {
    return this.#program.taskBases.map((base, s) => {
      const start = s * this.#sliceSamples;
      return { start, count: Math.min(this.#sliceSamples, this.#n - start), base };
    });
  }

  #writeRows(address: Address, d: number, rows: Float64Array, padding: "repeat" | "zero"): void {
    for (const { start, count, base } of this.#slices()) {
      const part = rows.subarray(start * d, (start + count) * d);
      rowsToPanels(part, d, this.#sliceSamples / LANES, base + address.offset, padding);
    }
  }

  #writeColumn(address: Address, values: Float64Array): void {
    for (const { start, count, base } of this.#slices()) {
      writeColumn(values.subarray(start, start + count), this.#sliceSamples, base + address.offset);
    }
  }

  #read(id: number, address: Address): Float64Array {
    if (address.base !== Base.task) throw new Error(`Internal error: node ${id} is read but was not kept`);
    const { shape } = this.#graph.nodes[id];
    const d = isBatch(shape) ? shape[1] : 1;
    const values = new Float64Array(this.#n * d);
    for (const { start, count, base } of this.#slices()) {
      const part = values.subarray(start * d, (start + count) * d);
      if (isColumn(shape)) readColumn(base + address.offset, part);
      else panelsToRows(base + address.offset, d, part);
    }
    return values;
  }
}
