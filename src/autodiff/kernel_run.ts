/**
 * Runs a graph: batches as kernels on slices of the samples, columns and scalars in float64 TypeScript.
 *
 * Every thread has its slices of the samples; what is computed for a sample does not depend on how they are cut. Sums over
 * samples, which are the gradients of parameters, run over all slices together: their order is fixed by the number of
 * samples alone. So results do not depend on the number of threads.
 *
 * @module
 */
import { Base, nextProgramId, type Program } from "../backend/program.ts";
import { type Executor, independentCalls, serialPool } from "../backend/pool.ts";
import type { ParameterStorage } from "../backend/parameters.ts";
import { panelsToRows, readBuffer, readColumn, rowsToPanels, writeBuffer, writeColumn } from "../backend/panels.ts";
import { allocate, release } from "../backend/wasm.ts";
import { type Graph, isBatch, isColumn, sizeOf, type Tensor } from "../graph/graph.ts";
import { lower } from "./lower.ts";
import type { Lowered, Slicing } from "./lowered.ts";
import type { Parameter } from "../graph/parameter.ts";
import { type Partition, partition } from "../graph/partition.ts";
import type { Address } from "./primitives/primitive.ts";
import { ReferenceRun } from "./reference_run.ts";

const LANES = 32;
/** Most panels in a slice: the fewer slices, the less often weights are read; larger ones leave the cache. */
const SLICE_PANELS = 16;
/** The phase of the program that is the forward pass; those of the backward pass follow. */
const FORWARD = 0;

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

/** Where gradients lie, as the optimiser reads them. */
export interface GradientBuffer {
  /** Address of the buffer. */
  readonly address: number;
  /** Offset in the buffer of each trainable parameter. */
  readonly offsets: ReadonlyMap<Parameter, number>;
}

/** Cuts samples into slices for so many threads: as many as threads, or a multiple. */
function cut(n: number, threads: number): Slicing {
  const allPanels = Math.ceil(n / LANES);
  const wanted = threads * Math.ceil(allPanels / (threads * SLICE_PANELS));
  const panels = Math.ceil(allPanels / Math.min(allPanels, wanted));
  return { panels, slices: Math.ceil(allPanels / panels), allPanels };
}

/** Frees the memory of runs that nobody refers to any more. */
const abandoned = new FinalizationRegistry<() => void>((free) => free());

/** What frees the memory of a run; apart from the class so that it does not keep the run alive. */
function releaser(
  pool: Executor,
  programs: readonly Program[],
  block: number,
  constants: readonly number[],
): () => void {
  return () => {
    programs.forEach((program) => pool.forget(program));
    release(block);
    constants.forEach(release);
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
  /** Parameters that the head or the caller reads. */
  readonly #readParameters: ReadonlySet<number>;
  readonly #pool: Executor;
  readonly #n: number;
  readonly #slicing: Slicing;
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
    this.#slicing = cut(n, pool.threads);
    const inputGradients = options.inputGradients ?? false;
    const gradient = (options.gradient ?? false) || inputGradients;
    this.#differentiable = gradient;
    this.#parts = partition(this.#graph, outputs, inputGradients);
    this.#lowered = lower(this.#graph, this.#parts, this.#slicing, { gradient, inputGradients });
    const { bytes, forward, stages } = this.#lowered;
    const block = this.#reserve(bytes.batch + bytes.gradient + pool.threads * bytes.thread);
    const gradients = block + bytes.batch;
    const threads = gradients + bytes.gradient;
    this.#program = {
      id: nextProgramId(),
      phases: [forward, ...stages.flatMap(({ calls, sums }) => [calls, ...sums])],
      batch: block,
      gradient: gradients,
      threads: Array.from({ length: pool.threads }, (_, t) => threads + t * bytes.thread),
    };
    const read = [...this.#parts.head].flatMap((id) => this.#graph.nodes[id].inputs).concat(
      outputs.map(({ id }) => id),
    );
    this.#readParameters = new Set(read.filter((id) => this.#graph.nodes[id].primitive === "parameter"));
    this.#packed = this.#graph.parameters().map(({ storage }) => storage).filter((s) => s.packing().length > 0);
    this.#packing = independentCalls(this.#packed.map((storage) => storage.packing()), pool.threads);
    this.#head = new ReferenceRun(this.#graph, n);
    this.#free = releaser(pool, [this.#program, this.#packing], block, this.#lowered.constants);
    abandoned.register(this, this.#free, this);
  }

  /** Reserves memory; where it does not suffice, the constants that lowering made go too. */
  #reserve(bytes: number): number {
    try {
      return allocate(bytes);
    } catch (error) {
      this.#lowered.constants.forEach(release);
      throw error;
    }
  }

  /** Number of samples. */
  get n(): number {
    return this.#n;
  }

  /** The buffer that `backward` fills. */
  get gradients(): GradientBuffer {
    return { address: this.#program.gradient, offsets: this.#lowered.gradientOffsets };
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
    this.#pool.runPhase(this.#program, FORWARD, this.#slicing.slices);
    for (const id of this.#parts.boundary) {
      if (this.#head.values[id] === undefined) this.#head.values[id] = this.#read(id, this.#lowered.values.get(id)!);
    }
    this.#head.forward(({ id }) => this.#parts.head.has(id) || this.#readParameters.has(id));
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
    let phase = FORWARD + 1;
    for (const { sums } of this.#lowered.stages) {
      this.#pool.runPhase(this.#program, phase, this.#slicing.slices);
      this.#pool.runEach(this.#program, sums.length, phase + 1);
      phase += 1 + sums.length;
    }
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

  /** Gradients by parameters that operations of the head read themselves: they go into the same buffer. */
  #addHeadGradients(reached: ReadonlyMap<number, Float64Array>): void {
    for (const [parameter, offset] of this.#lowered.gradientOffsets) {
      const fromKernels = this.#lowered.kernelGradients.has(parameter);
      const fromHead = reached.get(this.#graph.parameter(parameter).id);
      if (fromKernels && fromHead === undefined) continue;
      const values = fromHead ?? new Float64Array(parameter.length);
      writeBuffer(values, this.#program.gradient + offset, fromKernels ? "add" : "replace");
    }
  }

  /**
   * Reads the gradient by one parameter.
   *
   * @param parameter a trainable parameter of the graph
   * @returns as many numbers as the parameter has, row-major
   * @throws {RangeError} if the graph does not use it, or it is not trainable
   */
  gradientOf(parameter: Parameter): Float32Array<ArrayBuffer> {
    const { offsets, address } = this.gradients;
    const offset = offsets.get(parameter);
    if (offset === undefined) {
      throw new RangeError(`Cannot read a gradient: ${parameter.name} must be a trainable parameter of the graph`);
    }
    return readBuffer(address + offset, parameter.length);
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
    if (stale.includes(true)) this.#pool.runEach(this.#packing, this.#packed.length);
  }

  /** Panels of the whole batch, those beyond the last sample included. */
  get #panels(): number {
    return this.#slicing.slices * this.#slicing.panels;
  }

  #writeRows({ offset }: Address, d: number, rows: Float64Array, padding: "repeat" | "zero"): void {
    rowsToPanels(rows, d, this.#panels, this.#program.batch + offset, padding);
  }

  #writeColumn({ offset }: Address, values: Float64Array): void {
    writeColumn(values, LANES * this.#panels, this.#program.batch + offset);
  }

  #read(id: number, { base, offset }: Address): Float64Array {
    if (base !== Base.batch) throw new Error(`Internal error: node ${id} is read but was not kept`);
    const { shape } = this.#graph.nodes[id];
    const d = isBatch(shape) ? shape[1] : 1;
    const values = new Float64Array(this.#n * d);
    if (isColumn(shape)) readColumn(this.#program.batch + offset, values);
    else panelsToRows(this.#program.batch + offset, d, values);
    return values;
  }
}
