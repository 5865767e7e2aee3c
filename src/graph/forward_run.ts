/**
 * Runs a graph: batches as kernels on slices of the samples, columns and scalars in float64 TypeScript.
 *
 * Every thread has its slices of the samples; what is computed for a sample does not depend on how they are cut, and so
 * not on the number of threads.
 *
 * @module
 */
import { Base, nextProgramId, type Program } from "../backend/program.ts";
import { type Executor, independentCalls, serialPool } from "../backend/executor.ts";
import type { PackedForm, ParameterStorage } from "../backend/parameters.ts";
import { panelsToRows, readColumn, rowsToPanels } from "../backend/panels.ts";
import { allocate, release } from "../backend/wasm.ts";
import { ColumnRun } from "./column_run.ts";
import type { Address } from "./forward_kernel.ts";
import { type Graph, isBatch, isColumn, type Tensor } from "./graph.ts";
import { ForwardLowerer, type LoweredForward } from "./lower_forward.ts";
import { type Partition, partition } from "./partition.ts";
import { cutSlices, type Slicing } from "./slicing.ts";

/** The phase of a program that is the forward pass. */
export const FORWARD = 0;

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

/** Calls of a graph, with those that follow the forward pass, and the size of the block that these write to. */
export interface LoweredRun<L extends LoweredForward> {
  /** What lowering made. */
  readonly lowered: L;
  /** Phases after the forward pass. */
  readonly further: Program["phases"];
  /** Bytes of the gradients. */
  readonly gradientBytes: number;
}

/** Number of samples, and threads to use. */
export interface ForwardRunOptions {
  /** Number of samples. */
  readonly n: number;
  /** Threads to use. Default: the calling thread. */
  readonly pool?: Executor;
}

/** Lowers a graph without derivatives. */
export function lowerForward(graph: Graph, parts: Partition, slicing: Slicing): LoweredRun<LoweredForward> {
  return { lowered: new ForwardLowerer(graph, parts, slicing).result(), further: [], gradientBytes: 0 };
}

/** A graph with its memory, ready to be run any number of times. Dispose of it when done. */
export class ForwardRun<L extends LoweredForward> implements Disposable {
  /** The graph that is run. */
  readonly graph: Graph;
  /** What is computed. */
  readonly outputs: readonly Tensor[];
  /** Where nodes run. */
  readonly parts: Partition;
  /** Calls, and where values lie. */
  readonly lowered: L;
  /** The calls with the addresses of their blocks. */
  readonly program: Program;
  /** What runs the program. */
  readonly pool: Executor;
  /** How samples are cut. */
  readonly slicing: Slicing;
  /** Whether the memory was given back. */
  disposed = false;
  /** Parameters of which the kernels read packed forms, and the calls that make these. */
  readonly #packed: readonly { readonly storage: ParameterStorage; readonly forms: readonly PackedForm[] }[];
  readonly #packing: Program;
  /** Parameters that the head or the caller reads. */
  readonly #readParameters: ReadonlySet<number>;
  readonly #n: number;
  readonly #free: () => void;

  /**
   * Lowers the graph to kernel calls and reserves their memory.
   *
   * @param outputs tensors of one graph to compute
   * @param options sizes and threads
   * @param lower makes the calls, for instance {@link lowerForward}
   * @throws {RangeError} if n is not a whole number ≥ 1, outputs are none or of several graphs, or memory does not
   * suffice
   */
  constructor(
    outputs: readonly Tensor[],
    options: ForwardRunOptions,
    lower: (graph: Graph, parts: Partition, slicing: Slicing) => LoweredRun<L>,
  ) {
    const { n, pool = serialPool } = options;
    if (!Number.isInteger(n) || n < 1) {
      throw new RangeError(`Cannot run a graph: n must be a whole number ≥ 1, got ${n}`);
    }
    if (outputs.length === 0 || outputs.some((tensor) => tensor.graph !== outputs[0].graph)) {
      throw new RangeError("Cannot run a graph: outputs must be one or more tensors of one graph");
    }
    const { graph } = outputs[0];
    this.graph = graph;
    this.outputs = outputs;
    this.pool = pool;
    this.#n = n;
    this.slicing = cutSlices(n, pool.threads);
    this.parts = partition(graph, outputs);
    const run = lower(graph, this.parts, this.slicing);
    this.lowered = run.lowered;
    this.program = place(run, pool.threads);
    const read = [...this.parts.head].flatMap((id) => graph.nodes[id].inputs).concat(outputs.map(({ id }) => id));
    this.#readParameters = new Set(read.filter((id) => graph.nodes[id].primitive === "parameter"));
    this.#packed = graph.parameters()
      .map(({ storage }) => ({ storage, forms: storage.forms() }))
      .filter(({ forms }) => forms.length > 0);
    this.#packing = independentCalls(this.#packed.map(({ storage, forms }) => storage.packing(forms)), pool.threads);
    this.#free = releaser(pool, [this.program, this.#packing], this.program.batch, this.lowered.constants);
    abandoned.register(this, this.#free, this);
  }

  /** Number of samples. */
  get n(): number {
    return this.#n;
  }

  /**
   * Computes the outputs.
   *
   * @param inputs a value for each input of the graph, row-major [n, d], in the order of their creation
   * @param head computes columns and scalars; a new one each time
   * @returns a value for each output, row-major float64
   * @throws {RangeError} if a length does not match
   */
  forward(
    inputs: readonly Float64Array[],
    head: ColumnRun = new ColumnRun(this.graph, this.#n),
  ): Float64Array[] {
    if (this.disposed) throw new Error("Cannot run a graph: it must not be disposed of, got one that is");
    const nodes = this.graph.inputs();
    if (inputs.length !== nodes.length) {
      throw new RangeError(`Cannot run a graph: inputs must be ${nodes.length}, got ${inputs.length}`);
    }
    nodes.forEach((node, i) => {
      head.provide(node.id, inputs[i]);
      this.writeRows(this.lowered.values.get(node.id)!, node.shape[1] as number, inputs[i], "repeat");
    });
    this.#pack();
    this.pool.runPhase(this.program, FORWARD, this.slicing.slices);
    for (const id of this.parts.boundary) {
      if (head.values[id] === undefined) head.values[id] = this.read(id, this.lowered.values.get(id)!);
    }
    head.forward(({ id }) => this.parts.head.has(id) || this.#readParameters.has(id));
    return this.outputs.map((tensor) => head.values[tensor.id]!);
  }

  /** Frees the memory. */
  [Symbol.dispose](): void {
    if (this.disposed) return;
    this.disposed = true;
    abandoned.unregister(this);
    this.#free();
  }

  /** Brings the packed forms of weights up to date, all at once: a step of training changes every one. */
  #pack(): void {
    const stale = this.#packed.map(({ storage, forms }) => storage.takeStale(forms)); // each is asked
    if (stale.includes(true)) this.pool.runEach(this.#packing, this.#packed.length);
  }

  /** Panels of the whole batch, those beyond the last sample included. */
  get panels(): number {
    return this.slicing.slices * this.slicing.panels;
  }

  /** Writes rows into the block of the batch. */
  writeRows({ offset }: Address, d: number, rows: Float64Array, padding: "repeat" | "zero"): void {
    rowsToPanels(rows, d, this.panels, this.program.batch + offset, padding);
  }

  /** Reads a value from the block of the batch. */
  read(id: number, { base, offset }: Address): Float64Array {
    if (base !== Base.batch) throw new Error(`Internal error: node ${id} is read but was not kept`);
    const { shape } = this.graph.nodes[id];
    const d = isBatch(shape) ? shape[1] : 1;
    const values = new Float64Array(this.#n * d);
    if (isColumn(shape)) readColumn(this.program.batch + offset, values);
    else panelsToRows(this.program.batch + offset, d, values);
    return values;
  }
}

/** Reserves the blocks of a lowered graph; where memory does not suffice, the constants that lowering made go too. */
function place({ lowered, further, gradientBytes }: LoweredRun<LoweredForward>, threads: number): Program {
  const { batch, thread } = lowered.bytes;
  let block: number;
  try {
    block = allocate(batch + gradientBytes + threads * thread);
  } catch (error) {
    lowered.constants.forEach(release);
    throw error;
  }
  const gradient = block + batch;
  const first = gradient + gradientBytes;
  return {
    id: nextProgramId(),
    phases: [lowered.forward, ...further],
    batch: block,
    gradient,
    threads: Array.from({ length: threads }, (_, t) => first + t * thread),
  };
}
