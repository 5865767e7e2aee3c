/**
 * Runs a graph and its derivative: batches as kernels on slices of the samples, columns and scalars in float64 TypeScript.
 *
 * Sums over samples, which are the gradients of parameters, run over all slices together: their order is fixed by the
 * number of samples alone. So gradients do not depend on the number of threads, as values do not.
 *
 * @module
 */
import { LANES } from "../backend/dense_layout.ts";
import { readBuffer, writeBuffer, writeColumn } from "../backend/panels.ts";
import type { Executor } from "../backend/executor.ts";
import { FORWARD, ForwardRun } from "../graph/forward_run.ts";
import { isBatch, isColumn, sizeOf, type Tensor } from "../graph/graph.ts";
import type { Parameter } from "../graph/parameter.ts";
import { lower } from "./lower.ts";
import type { Lowered } from "./lowered.ts";
import { ReferenceRun } from "./reference_run.ts";

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
  readonly #run: ForwardRun<Lowered>;
  readonly #differentiable: boolean;
  #head: ReferenceRun;

  /**
   * Lowers the graph to kernel calls and reserves their memory.
   *
   * @param outputs tensors of one graph to compute
   * @param options sizes and threads
   * @throws {RangeError} if n is not a whole number ≥ 1, outputs are none or of several graphs, or memory does not
   * suffice
   */
  constructor(outputs: readonly Tensor[], options: KernelRunOptions) {
    const { inputGradients = false } = options;
    const gradient = (options.gradient ?? false) || inputGradients;
    this.#run = new ForwardRun(outputs, options, (graph, parts, slicing) => {
      const lowered = lower(graph, parts, slicing, { gradient, inputGradients });
      const further = lowered.stages.flatMap(({ calls, sums }) => [calls, ...sums]);
      return { lowered, further, gradientBytes: lowered.bytes.gradient };
    });
    this.#differentiable = gradient;
    this.#head = new ReferenceRun(this.#run.graph, this.n);
  }

  /** Number of samples. */
  get n(): number {
    return this.#run.n;
  }

  /** The buffer that `backward` fills. */
  get gradients(): GradientBuffer {
    return { address: this.#run.program.gradient, offsets: this.#run.lowered.gradientOffsets };
  }

  /**
   * Computes the outputs.
   *
   * @param inputs a value for each input of the graph, row-major [n, d], in the order of their creation
   * @returns a value for each output, row-major float64
   * @throws {RangeError} if a length does not match
   */
  forward(inputs: readonly Float64Array[]): Float64Array[] {
    this.#head = new ReferenceRun(this.#run.graph, this.n);
    return this.#run.forward(inputs, this.#head);
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
    const reached = this.#head.backward(seeds, (node) => this.#run.parts.head.has(node.id));
    for (const [id, address] of this.#run.lowered.seeds) {
      const { shape } = this.#run.graph.nodes[id];
      const d = isBatch(shape) ? shape[1] : 1;
      const value = reached.get(id) ?? new Float64Array(this.n * d);
      if (isColumn(shape)) writeColumn(value, LANES * this.#run.panels, this.#run.program.batch + address.offset);
      else this.#run.writeRows(address, d, value, "zero");
    }
    let phase = FORWARD + 1;
    for (const { sums } of this.#run.lowered.stages) {
      this.#run.pool.runPhase(this.#run.program, phase, this.#run.slicing.slices);
      this.#run.pool.runEach(this.#run.program, sums.length, phase + 1);
      phase += 1 + sums.length;
    }
    this.#addHeadGradients(reached);
    const inputs = this.#run.graph.inputs().filter((node) => this.#run.lowered.inputGradients.has(node.id));
    return inputs.map((node) => {
      const kernels = this.#run.read(node.id, this.#run.lowered.inputGradients.get(node.id)!);
      const direct = reached.get(node.id);
      return direct === undefined ? kernels : kernels.map((g, i) => g + direct[i]);
    });
  }

  /** The cotangents of the outputs by node; those of an output that is listed twice are added. */
  #seeds(cotangents: readonly (Float64Array | null)[]): Map<number, Float64Array> {
    if (this.#run.disposed || !this.#differentiable || this.#head.values.every((value) => value === undefined)) {
      const state = this.#run.disposed ? "disposed of" : this.#differentiable ? "not run" : "made without gradients";
      throw new Error(`Cannot differentiate a graph: it must be made with gradients and run first, got one ${state}`);
    }
    if (cotangents.length !== this.#run.outputs.length) {
      throw new RangeError(
        `Cannot differentiate a graph: cotangents must be ${this.#run.outputs.length}, got ${cotangents.length}`,
      );
    }
    const seeds = new Map<number, Float64Array>();
    this.#run.outputs.forEach(({ id, shape }, i) => {
      const cotangent = cotangents[i];
      if (cotangent === null) return;
      if (cotangent.length !== sizeOf(shape, this.n)) {
        throw new RangeError(
          `Cannot differentiate a graph: cotangent ${i} must have ${
            sizeOf(shape, this.n)
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
    for (const [parameter, offset] of this.#run.lowered.gradientOffsets) {
      const fromKernels = this.#run.lowered.kernelGradients.has(parameter);
      const fromHead = reached.get(this.#run.graph.parameter(parameter).id);
      if (fromKernels && fromHead === undefined) continue;
      const values = fromHead ?? new Float64Array(parameter.length);
      writeBuffer(values, this.#run.program.gradient + offset, fromKernels ? "add" : "replace");
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
    this.#run[Symbol.dispose]();
  }
}
