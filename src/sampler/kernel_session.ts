import { mapInChunks } from "../graph/chunks.ts";
import { ForwardRun } from "../graph/forward_run.ts";
import { lowerForward } from "../graph/forward_run.ts";
import type { LoweredForward } from "../graph/lower_forward.ts";
import { Parameter } from "../graph/parameter.ts";
import { fromHalf } from "../format/half.ts";
import type { Model, ModelTensor } from "../format/model.ts";
import { decodePlan, type RecordedGraph } from "./decode_plan.ts";
import { planKey } from "./encode_plan.ts";
import type { ModelMetadata } from "./metadata.ts";
import { type Mapped, requireOpen, type Session } from "./session.ts";

/** Samples per call: as many as memory is prepared for at once. */
const suitableChunk = 256;

/** A flow's model run by the kernels of this package, through the plan that lies in the file. */
export class KernelSession implements Session {
  readonly metadata: ModelMetadata;
  readonly chunk = suitableChunk;
  readonly backend = "kernels";
  readonly #recorded: RecordedGraph;
  readonly #runs = new Map<number, ForwardRun<LoweredForward>>();
  #open = true;

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

  run(input: Float64Array): Promise<Mapped> {
    return new Promise((resolve) => resolve(this.#map(input)));
  }

  #map(input: Float64Array): Mapped {
    requireOpen(this.#open);
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
    if (run === undefined) this.#runs.set(n, run = new ForwardRun(this.#recorded.outputs, { n }, lowerForward));
    return run;
  }

  close(): Promise<void> {
    this.#open = false;
    this.#runs.forEach((run) => run[Symbol.dispose]());
    this.#runs.clear();
    return Promise.resolve();
  }
}

/** The numbers of a tensor as a parameter; all that matters of trainable ones is that a knot must not be. */
function toParameter(name: string, tensor: ModelTensor | undefined): Parameter {
  const data = tensor?.data instanceof Uint16Array ? fromHalf(tensor.data) : tensor?.data;
  if (tensor === undefined || !(data instanceof Float32Array)) {
    throw new Error(
      `Cannot open ONNX model: parameters of the plan must be weights of the file, got ${JSON.stringify(name)}`,
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
