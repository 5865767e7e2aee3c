import type { ModelMetadata } from "./metadata.ts";
import type { Model } from "../format/model.ts";
import { type Mapped, requireOpen, type Session } from "./session.ts";

/** A tensor of onnxruntime, as much of it as is used here. */
export interface RuntimeTensor {
  /** Its numbers. */
  readonly data: unknown;
}

/** A session of onnxruntime, as much of it as is used here. */
export interface RuntimeSession {
  /**
   * Computes.
   *
   * @param feeds inputs by name
   * @param options of the run
   * @returns outputs by name
   */
  run(feeds: Record<string, RuntimeTensor>, options?: object): Promise<Readonly<Record<string, RuntimeTensor>>>;
  /** Frees the memory. */
  release(): Promise<void>;
}

/** The module `onnxruntime-web/wasm`, `onnxruntime-web` or `onnxruntime-node`, as much of it as is used here. */
export interface OnnxRuntime {
  /** Opens models. */
  readonly InferenceSession: {
    /** Opens one. */
    create(bytes: Uint8Array, options?: object): Promise<RuntimeSession>;
  };
  /** Makes tensors. */
  readonly Tensor: new (type: "float32" | "float64", data: never, dims: readonly number[]) => RuntimeTensor;
}

/**
 * Does something with onnxruntime and puts `globalThis.Worker` back afterwards: while it starts up in Deno and Node it
 * replaces that class by the one of node:worker_threads, under which the program's own workers no longer start.
 */
async function keepingWorker<T>(work: () => Promise<T>): Promise<T> {
  const { Worker } = globalThis;
  try {
    return await work();
  } finally {
    if (globalThis.Worker !== Worker) globalThis.Worker = Worker;
  }
}

/** What the runtime says belongs to developers; it is kept as the cause. Missing permissions are the user's to give. */
function describeRefusal(cause: unknown, action: "open" | "run"): Error {
  const said = String((cause as Error)?.message ?? cause);
  if (/Requires read access/.test(said)) {
    return new Error(
      "Cannot open ONNX model: onnxruntime-web must be allowed to read its own files, got a refusal: run with --allow-read",
      { cause },
    );
  }
  if (/no available backend/.test(said)) {
    return new Error(
      "Cannot open ONNX model: onnxruntime must start in this runtime, got a refusal: set onnxruntime.env.wasm.numThreads " +
        "to 1 before",
      { cause },
    );
  }
  const rule = action === "open" ? "the graph must be one that onnxruntime-web opens" : "the graph must run to its end";
  return new Error(`Cannot ${action} ONNX model: ${rule}, got one that it refuses: export the model again`, { cause });
}

/** What the runtime has to say comes as an error, not as a line of its own log. */
const quiet = { logSeverityLevel: 4 } as const;

/** Most samples per call of the runtime, and most numbers in one value. */
const mostSamples = 1024;
const mostNumbers = 2 ** 21;

/** Models of more operations than these are opened as they are: looking for improvements takes seconds and finds none. */
const improvable = 2000;

/** How many samples a call of the runtime should take so that the largest value inside stays within bounds. */
function suitableChunk({ values }: Model): number {
  const width = values.reduce((most, { dims }) => {
    const numbers = dims.map((size) => typeof size === "number" ? size : parseInt(size) || 1);
    return Math.max(most, numbers.reduce((product, size) => product * size, 1));
  }, 1);
  return Math.max(1, Math.min(mostSamples, 2 ** Math.floor(Math.log2(mostNumbers / width))));
}

/** A flow's model opened in onnxruntime. */
export class OnnxSession implements Session {
  readonly metadata: ModelMetadata;
  readonly chunk: number;
  readonly backend = "onnxruntime";
  readonly #runtime: OnnxRuntime;
  readonly #session: RuntimeSession;
  #open = true;

  private constructor(metadata: ModelMetadata, chunk: number, runtime: OnnxRuntime, session: RuntimeSession) {
    this.metadata = metadata;
    this.chunk = chunk;
    this.#runtime = runtime;
    this.#session = session;
  }

  /**
   * Opens a checked model.
   *
   * @param bytes the file
   * @param model what is in it
   * @param metadata what it says about itself
   * @param runtime onnxruntime
   * @throws {Error} if the runtime refuses it, or the model draws z itself
   */
  static async open(
    bytes: Uint8Array,
    model: Model,
    metadata: ModelMetadata,
    runtime: OnnxRuntime,
  ): Promise<OnnxSession> {
    if (metadata.draws) {
      throw new Error(
        "Cannot open ONNX model: onnxruntime must be given z here, got a model that draws z itself: run it with the " +
          "kernels, or with onnxruntime alone",
      );
    }
    const graphOptimizationLevel = model.nodes.length > improvable ? "disabled" : "all";
    const options = { ...quiet, graphOptimizationLevel } as const;
    const session = await keepingWorker(() => runtime.InferenceSession.create(bytes, options)).catch((error) => {
      throw describeRefusal(error, "open");
    });
    return new OnnxSession(metadata, suitableChunk(model), runtime, session);
  }

  async run(input: Float64Array): Promise<Mapped> {
    requireOpen(this.#open);
    const { dim, precision } = this.metadata;
    const rows = input.length / dim;
    const data = precision === "float32" ? Float32Array.from(input) : input;
    const tensor = new this.#runtime.Tensor(precision, data as never, [rows, dim]);
    const [from, to] = this.metadata.role === "sampler" ? ["z", "x"] : ["x", "z"];
    const outputs = await this.#session.run({ [from]: tensor }, quiet).catch((error) => {
      throw describeRefusal(error, "run");
    });
    const value = Float64Array.from(outputs[to].data as Float32Array | Float64Array);
    const logDet = Float64Array.from(outputs.logDet.data as Float64Array);
    if (value.length !== input.length || logDet.length !== rows) {
      throw new Error(
        `Cannot run ONNX model: ${to} and logDet must have ${input.length} and ${rows} numbers, got ${value.length} ` +
          `and ${logDet.length}: export the model again`,
      );
    }
    return { value, logDet };
  }

  async close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    await this.#session.release();
  }
}
