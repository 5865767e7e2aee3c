import { mapInChunks } from "../graph/chunks.ts";
import { ForwardRun, type LoweredRun, lowerForward } from "../graph/forward_run.ts";
import type { Graph } from "../graph/graph.ts";
import type { LoweredForward } from "../graph/lower_forward.ts";
import { Parameter } from "../graph/parameter.ts";
import type { Partition } from "../graph/partition.ts";
import type { Slicing } from "../graph/slicing.ts";
import { release } from "../backend/wasm.ts";
import { fromHalf } from "../format/half.ts";
import type { Model, ModelTensor } from "../format/model.ts";
import { decodePlan, type RecordedGraph } from "./decode_plan.ts";
import { planKey } from "./encode_plan.ts";
import { showJson } from "../format/parse_json.ts";
import type { ModelMetadata } from "./metadata.ts";
import { planLimits } from "./plan_limits.ts";
import { type Mapped, requireOpen, type Session } from "./session.ts";

/** Samples per call: as many as memory is prepared for at once. */
const suitableChunk = 256;

/** Most coordinates of a configuration: a panel of 32 passes the kernels' stack of 4 MiB in float64. */
export const mostCoordinates = 2 ** 14;

/** Milliseconds of work after which the event loop has its turn: signals, timers and keys wait for it. */
const TURN = 50;

/** A flow's model run by the kernels of this package, through the plan that lies in the file. */
export class KernelSession implements Session {
  readonly metadata: ModelMetadata;
  readonly chunk = suitableChunk;
  readonly backend = "kernels";
  /** Null once it is closed: weights are freed with the last that refers to them. */
  #recorded: RecordedGraph | null;
  readonly #runs = new Map<number, ForwardRun<LoweredForward>>();
  /** Milliseconds of work since the event loop had its turn. */
  #busy = 0;

  /**
   * Opens a checked model. The kernels must be loaded.
   *
   * @param model what is in the file, float32, with a plan
   * @param metadata what it says about itself
   * @throws {Error} if the plan does not fit the model
   */
  constructor(model: Model, metadata: ModelMetadata) {
    this.metadata = metadata;
    const tensors = new Map(model.initializers.map((tensor) => [tensor.name, tensor]));
    const trained = new Map<string, Parameter>();
    this.#recorded = decodePlan(model.metadata[planKey], metadata.dim, (name) => {
      let parameter = trained.get(name);
      if (parameter === undefined) trained.set(name, parameter = toParameter(name, tensors.get(name)));
      return parameter;
    });
    checkOutputs(this.#recorded, metadata.dim);
  }

  async run(input: Float64Array): Promise<Mapped> {
    if (this.#busy >= TURN) {
      await new Promise((resolve) => setTimeout(resolve, 0));
      this.#busy = 0;
    }
    requireOpen(this.#recorded !== null);
    const start = performance.now();
    const mapped = this.#map(input);
    this.#busy += performance.now() - start;
    return mapped;
  }

  #map(input: Float64Array): Mapped {
    const { dim } = this.metadata;
    const value = new Float64Array(input.length);
    const logDet = new Float64Array(input.length / dim);
    mapInChunks(input, dim, (samples) => this.#runFor(samples), ([values, logDets], first, count) => {
      value.set(values.subarray(0, count * dim), first * dim);
      logDet.set(logDets.subarray(0, count), first);
    });
    return { value, logDet };
  }

  #runFor(n: number): ForwardRun<LoweredForward> {
    let run = this.#runs.get(n);
    if (run === undefined) this.#runs.set(n, run = new ForwardRun(this.#recorded!.outputs, { n }, lowerWithinBounds));
    return run;
  }

  close(): Promise<void> {
    this.#recorded = null;
    this.#runs.forEach((run) => run[Symbol.dispose]());
    this.#runs.clear();
    return Promise.resolve();
  }
}

/** Lowers a plan, and refuses one that would take too much memory before any is reserved. */
function lowerWithinBounds(graph: Graph, parts: Partition, slicing: Slicing): LoweredRun<LoweredForward> {
  const run = lowerForward(graph, parts, slicing);
  const { batch, thread } = run.lowered.bytes;
  if (batch + thread <= planLimits.bytes) return run;
  run.lowered.constants.forEach(release);
  const [most, got] = [planLimits.bytes, batch + thread].map((bytes) => Math.ceil(bytes / 2 ** 20));
  throw new Error(
    `Cannot run ONNX model: the plan must need at most ${most} MiB for its values, got ${got}: choose backend ` +
      '"onnxruntime"',
  );
}

/** The numbers of a tensor as a parameter; all that matters of trainable ones is that a knot must not be. */
function toParameter(name: string, tensor: ModelTensor | undefined): Parameter {
  const data = tensor?.data instanceof Uint16Array ? fromHalf(tensor.data) : tensor?.data;
  // Tensors with "/" are constants of the graph, which nobody has looked at.
  const isWeight = !name.startsWith("/") && data instanceof Float32Array && data.length > 0;
  if (tensor === undefined || !isWeight || tensor.dims.length < 1 || tensor.dims.length > 2) {
    throw new Error(
      "Cannot open ONNX model: parameters of the plan must be weights of the file with one or two sizes, got " +
        showJson(name),
    );
  }
  return new Parameter(name, tensor.dims, data, { trainable: false });
}

function checkOutputs({ outputs }: RecordedGraph, dim: number): void {
  const [value, logDet] = outputs.map(({ shape }) => shape.join());
  if (outputs.length === 2 && value === `n,${dim}` && logDet === "n") return;
  throw new Error(
    `Cannot open ONNX model: the plan must return [n, ${dim}] and [n], got ${
      outputs.map(({ shape }) => `[${shape.join(", ")}]`).join(" and ")
    }`,
  );
}
