import { checkGraph } from "./check_graph.ts";
import { decodeModel } from "../format/decode_model.ts";
import { type ModelMetadata, type ModelRole, parseMetadata } from "./metadata.ts";
import type { Model } from "../format/model.ts";

type Runtime = typeof import("npm:onnxruntime-web@1.30.0/wasm");
type Session = Awaited<ReturnType<Runtime["InferenceSession"]["create"]>>;

/** What a flow's model returns for a batch: the mapped configurations [n, dim], and log |det| of that map [n]. */
export interface Mapped {
  /** x of a sampler, z of a density, row-major. */
  readonly value: Float64Array;
  /** log |det ∂value/∂input| of each sample. */
  readonly logDet: Float64Array;
}

let runtime: Promise<Runtime> | undefined;

/**
 * Loads onnxruntime-web on first use: a program that never opens a model pays nothing for it. The specifier is no
 * literal, because Deno downloads literal ones with the module graph, here more than 150 MB.
 */
function loadRuntime(): Promise<Runtime> {
  runtime ??= import("npm:onnxruntime-web@1.30.0/wasm" as string).then((ort: Runtime) => {
    ort.env.wasm.numThreads = 1; // more than one fails outside browsers that are cross-origin isolated
    return ort;
  });
  return runtime;
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

/** A flow's model opened in onnxruntime-web. */
export class ModelSession {
  /** What the file says about itself. */
  readonly metadata: ModelMetadata;
  /** Samples per call that suit the model. */
  readonly chunk: number;
  readonly #runtime: Runtime;
  readonly #session: Session;
  #open = true;

  private constructor(metadata: ModelMetadata, chunk: number, runtime: Runtime, session: Session) {
    this.metadata = metadata;
    this.chunk = chunk;
    this.#runtime = runtime;
    this.#session = session;
  }

  /**
   * Checks a model file and opens it.
   *
   * @param bytes the file
   * @param role which way it must go
   * @throws {Error} if the file is damaged, foreign, or goes the other way
   */
  static async open(bytes: Uint8Array, role: ModelRole): Promise<ModelSession> {
    const model = decodeModel(bytes);
    const metadata = parseMetadata(model.metadata);
    if (metadata.role !== role) {
      throw new Error(
        `Cannot open ONNX model: file must be a ${role}, got a ${metadata.role}: use ${role}.onnx of the same run`,
      );
    }
    if (metadata.prior !== "normal") {
      throw new Error(`Cannot open ONNX model: prior must be "normal", got "${metadata.prior}"`);
    }
    checkGraph(model, metadata);
    const runtime = await loadRuntime();
    const graphOptimizationLevel = model.nodes.length > improvable ? "disabled" : "all";
    const options = { ...quiet, graphOptimizationLevel } as const;
    const session = await keepingWorker(() => runtime.InferenceSession.create(bytes, options)).catch((error) => {
      throw describeRefusal(error, "open");
    });
    return new ModelSession(metadata, suitableChunk(model), runtime, session);
  }

  /**
   * Maps a batch.
   *
   * @param input [n, dim], row-major
   * @throws {Error} if the session was closed
   */
  async run(input: Float64Array): Promise<Mapped> {
    if (!this.#open) {
      throw new Error("Cannot run ONNX model: session must be open, got a closed one: load the model again");
    }
    const { dim, precision } = this.metadata;
    const sizes = [input.length / dim, dim];
    const tensor = precision === "float32"
      ? new this.#runtime.Tensor("float32", Float32Array.from(input), sizes)
      : new this.#runtime.Tensor("float64", input, sizes);
    const [from, to] = this.metadata.role === "sampler" ? ["z", "x"] : ["x", "z"];
    const outputs = await this.#session.run({ [from]: tensor }, quiet).catch((error) => {
      throw describeRefusal(error, "run");
    });
    const value = Float64Array.from(outputs[to].data as Float32Array | Float64Array);
    const logDet = Float64Array.from(outputs.logDet.data as Float64Array);
    if (value.length !== input.length || logDet.length !== sizes[0]) {
      throw new Error(
        `Cannot run ONNX model: ${to} and logDet must have ${input.length} and ${
          sizes[0]
        } numbers, got ${value.length} ` +
          `and ${logDet.length}: export the model again`,
      );
    }
    return { value, logDet };
  }

  /** Frees the runtime's memory; a second call does nothing. */
  async close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    await this.#session.release();
  }
}

/** log of the standard normal density of each row of z, [n, dim] → [n]. */
export function standardNormalLogDensity(z: Float64Array, dim: number): Float64Array {
  const constant = -0.5 * dim * Math.log(2 * Math.PI);
  return Float64Array.from({ length: z.length / dim }, (_, row) => {
    let squares = 0;
    for (let i = row * dim; i < (row + 1) * dim; i++) squares += z[i] * z[i];
    return constant - 0.5 * squares;
  });
}
