/**
 * Runs model files in onnxruntime-web, without any code of the package's own sampler.
 *
 * @module
 */
import * as ort from "npm:onnxruntime-web@1.30.0/wasm";

ort.env.wasm.numThreads = 1;

/** Outputs of a model by name, as float64, with the element type that the runtime reports. */
export interface RunResult {
  readonly values: Record<string, Float64Array>;
  readonly types: Record<string, string>;
  readonly dims: Record<string, readonly number[]>;
}

/** A model opened in onnxruntime-web; close it, so that tests stay small. */
export class TestSession implements AsyncDisposable {
  readonly #session: ort.InferenceSession;
  readonly #type: "float32" | "float64";

  private constructor(session: ort.InferenceSession, type: "float32" | "float64") {
    this.#session = session;
    this.#type = type;
  }

  /** Opens a file whose batches have the given element type. */
  static async open(bytes: Uint8Array, type: "float32" | "float64"): Promise<TestSession> {
    return new TestSession(await ort.InferenceSession.create(bytes, { logSeverityLevel: 3 }), type);
  }

  /** Runs n samples; inputs row-major by name. */
  async run(inputs: Record<string, ArrayLike<number>>, n: number): Promise<RunResult> {
    const feeds = Object.entries(inputs).map(([name, values]) => {
      const data = this.#type === "float32" ? Float32Array.from(values) : Float64Array.from(values);
      return [name, new ort.Tensor(this.#type, data, [n, values.length / n])] as const;
    });
    return await this.#run(Object.fromEntries(feeds));
  }

  /** Runs a model that draws n samples itself. */
  async draw(n: number): Promise<RunResult> {
    return await this.#run({ n: new ort.Tensor("int64", BigInt64Array.of(BigInt(n)), [1]) });
  }

  async #run(feeds: Record<string, ort.Tensor>): Promise<RunResult> {
    const outputs = await this.#session.run(feeds);
    const result: RunResult = { values: {}, types: {}, dims: {} };
    for (const [name, tensor] of Object.entries(outputs)) {
      result.values[name] = Float64Array.from(tensor.data as Float32Array | Float64Array);
      result.types[name] = tensor.type;
      result.dims[name] = tensor.dims;
    }
    return result;
  }

  /** Frees the runtime's memory. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#session.release();
  }
}

/** Opens a file, runs it once and closes it. */
export async function runOnce(
  bytes: Uint8Array,
  type: "float32" | "float64",
  inputs: Record<string, ArrayLike<number>>,
  n: number,
): Promise<RunResult> {
  await using session = await TestSession.open(bytes, type);
  return await session.run(inputs, n);
}
