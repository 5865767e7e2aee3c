/**
 * Runs a graph: batches as kernels on slices of the samples, columns and scalars in float64 TypeScript.
 *
 * The samples are cut into at most eight slices of about 128, the same for any number of threads, and sums over slices
 * are taken in order: results do not depend on how many threads there are. Smaller batches make two slices, of 32 samples
 * or more, so that two threads share them.
 *
 * @module
 */
import { Base, nextProgramId, type Program } from "../backend/program.ts";
import { type Executor, independentCalls, serialPool } from "../backend/pool.ts";
import type { ParameterStorage } from "../backend/parameters.ts";
import { panelsToRows, readColumn, rowsToPanels, sumBuffers, writeBuffer, writeColumn } from "../backend/panels.ts";
import { allocate, release } from "../backend/wasm.ts";
import { type Graph, isBatch, isColumn, sizeOf, type Tensor } from "./graph.ts";
import { lower, type Lowered } from "./lower.ts";
import type { Parameter } from "./parameter.ts";
import { type Partition, partition } from "./partition.ts";
import type { Address } from "./primitives/primitive.ts";
import { ReferenceRun } from "./reference_run.ts";

const LANES = 32;
const MAXIMUM_SLICES = 8;
const USUAL_SLICE = 128;
const SMALLEST_SLICE = 32;
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

/** Frees the memory of runs that nobody refers to any more. */
const abandoned = new FinalizationRegistry<() => void>((free) => free());

/** What frees the memory of a run; apart from the class so that it does not keep the run alive. */
function releaser(
  pool: Executor,
  programs: readonly Program[],
  block: number,
  lists: readonly number[],
): () => void {
  return () => {
    programs.forEach((program) => pool.forget(program));
    release(block);
    lists.forEach(release);
  };
}

/**
 * A graph with its memory, ready to run any number of times. Dispose of it when done.
 *
 * @example
 * ```ts
 * import { Graph, input, KernelRun, square, sumFeatures } from "@boltzflow/boltzflow";
 * import { assertEquals } from "@std/assert";
 *
 * using run = new KernelRun([sumFeatures(square(input(new Graph(), "x", 2)))], { n: 1, inputGradients: true });
 *
 * assertEquals(run.forward([Float64Array.of(3, 4)]), [Float64Array.of(25)]);
 * assertEquals(run.backward([Float64Array.of(1)]), [Float64Array.of(6, 8)]);
 * ```
 */
export class KernelRun implements Disposable {
  readonly #graph: Graph;
  readonly #outputs: readonly Tensor[];
  readonly #parts: Partition;
  readonly #lowered: Lowered;
  readonly #program: Program;
  /** Parameters of which the kernels read packed copies, and the calls that make these. */
  readonly #packed: readonly ParameterStorage[];
  readonly #packing: Program;
  readonly #pool: Executor;
  readonly #n: number;
  readonly #sliceSamples: number;
  readonly #differentiable: boolean;
  readonly #free: () => void;
  #head: ReferenceRun;
  #disposed = false;

  /**
   * Lowers the graph to kernel calls and reserves their memory.
   *
   * @param outputs tensors of one graph to compute
   * @param options sizes and threads
   * @throws {RangeError} if n is not a whole number ≥ 1, outputs are none or of several graphs, or memory does not
   * suffice
   */
  constructor(outputs: readonly Tensor[], options: KernelRunOptions) {
    const { n, pool = serialPool } = options;
    if (!Number.isInteger(n) || n < 1) {
      throw new RangeError(`Cannot run a graph: n must be a whole number ≥ 1, got ${n}`);
    }
    if (outputs.length === 0 || outputs.some((tensor) => tensor.graph !== outputs[0].graph)) {
      throw new RangeError("Cannot run a graph: outputs must be one or more tensors of one graph");
    }
    this.#graph = outputs[0].graph;
    this.#outputs = outputs;
    this.#pool = pool;
    this.#n = n;
    const fewest = n < 2 * SMALLEST_SLICE ? 1 : 2;
    const slices = Math.min(MAXIMUM_SLICES, Math.max(fewest, Math.ceil(n / USUAL_SLICE)));
    const panels = Math.ceil(Math.ceil(n / slices) / LANES);
    this.#sliceSamples = panels * LANES;
    const inputGradients = options.inputGradients ?? false;
    const gradient = (options.gradient ?? false) || inputGradients;
    this.#differentiable = gradient;
    this.#parts = partition(this.#graph, outputs, inputGradients);
    this.#lowered = lower(this.#graph, this.#parts, panels, { gradient, inputGradients });
    const { bytes, forward, backward } = this.#lowered;
    const used = Math.ceil(n / this.#sliceSamples);
    const block = allocate(used * (bytes.task + bytes.gradient) + pool.threads * bytes.thread);
    const gradients = block + used * bytes.task;
    const threads = gradients + used * bytes.gradient;
    this.#program = {
      id: nextProgramId(),
      phases: [forward, backward],
      taskBases: Array.from({ length: used }, (_, s) => block + s * bytes.task),
      gradientBases: Array.from({ length: used }, (_, s) => gradients + s * bytes.gradient),
      threadBases: Array.from({ length: pool.threads }, (_, t) => threads + t * bytes.thread),
    };
    this.#packed = this.#graph.parameters().map(({ storage }) => storage).filter((s) => s.packing().length > 0);
    this.#packing = independentCalls(this.#packed.map((storage) => storage.packing()), pool.threads);
    this.#head = new ReferenceRun(this.#graph, n);
    this.#free = releaser(pool, [this.#program, this.#packing], block, this.#lowered.lists);
    abandoned.register(this, this.#free, this);
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
    this.#pack();
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
   * @throws {RangeError} if a length does not match
   * @throws {Error} if `forward` has not run, or gradients were not prepared
   */
  backward(cotangents: readonly (Float64Array | null)[]): Float64Array[] {
    const seeds = this.#seeds(cotangents);
    const reached = this.#head.backward(seeds, (node) => this.#parts.head.has(node.id));
    for (const [id, address] of this.#lowered.seeds) {
      const { shape } = this.#graph.nodes[id];
      const d = isBatch(shape) ? shape[1] : 1;
      const value = reached.get(id) ?? new Float64Array(this.#n * d);
      if (isColumn(shape)) this.#writeColumn(address, value);
      else this.#writeRows(address, d, value, "zero");
    }
    this.#pool.runPhase(this.#program, BACKWARD, this.#program.taskBases.length);
    this.#addHeadGradients(reached);
    const inputs = this.#graph.inputs().filter((node) => this.#lowered.inputGradients.has(node.id));
    return inputs.map((node) => {
      const kernels = this.#read(node.id, this.#lowered.inputGradients.get(node.id)!);
      const direct = reached.get(node.id);
      return direct === undefined ? kernels : kernels.map((g, i) => g + direct[i]);
    });
  }

  /** The cotangents of the outputs by node; those of an output that is listed twice are added. */
  #seeds(cotangents: readonly (Float64Array | null)[]): Map<number, Float64Array> {
    if (this.#disposed || !this.#differentiable || this.#head.values.every((value) => value === undefined)) {
      const state = this.#disposed ? "disposed of" : this.#differentiable ? "not run" : "made without gradients";
      throw new Error(`Cannot differentiate a graph: it must be made with gradients and run first, got one ${state}`);
    }
    if (cotangents.length !== this.#outputs.length) {
      throw new RangeError(
        `Cannot differentiate a graph: cotangents must be ${this.#outputs.length}, got ${cotangents.length}`,
      );
    }
    const seeds = new Map<number, Float64Array>();
    this.#outputs.forEach(({ id, shape }, i) => {
      const cotangent = cotangents[i];
      if (cotangent === null) return;
      if (cotangent.length !== sizeOf(shape, this.#n)) {
        throw new RangeError(
          `Cannot differentiate a graph: cotangent ${i} must have ${
            sizeOf(shape, this.#n)
          } numbers, got ${cotangent.length}`,
        );
      }
      const before = seeds.get(id);
      seeds.set(id, before === undefined ? cotangent : cotangent.map((c, k) => c + before[k]));
    });
    return seeds;
  }

  /** Gradients by parameters that operations of the head read themselves: they go into the first buffer. */
  #addHeadGradients(reached: ReadonlyMap<number, Float64Array>): void {
    for (const [parameter, offset] of this.#lowered.gradientOffsets) {
      const fromKernels = this.#lowered.kernelGradients.has(parameter);
      const fromHead = reached.get(this.#graph.parameter(parameter).id);
      if (fromKernels && fromHead === undefined) continue;
      const values = fromHead ?? new Float64Array(parameter.length);
      writeBuffer(values, this.#program.gradientBases[0] + offset, fromKernels ? "add" : "replace");
    }
  }

  /**
   * Reads the gradient by one parameter, summed over slices in float32 as the optimiser does.
   *
   * @param parameter a trainable parameter of the graph
   * @returns as many numbers as the parameter has, row-major
   * @throws {RangeError} if the graph does not use it, or it is not trainable
   */
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
    abandoned.unregister(this);
    this.#free();
  }

  /** Brings the packed copies of weights up to date, all at once: a step of training changes every one. */
  #pack(): void {
    const stale = this.#packed.map((storage) => storage.takeStale()); // each is asked
    if (stale.includes(true)) this.#pool.runEach(this.#packing);
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
