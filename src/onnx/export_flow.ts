import { Graph } from "../graph/graph.ts";
import { input } from "../graph/operations.ts";
import type { Parameter } from "../graph/parameter.ts";
import type { Bijector } from "../flow/bijector.ts";
import type { Flow } from "../flow/flow.ts";
import { NormalPrior } from "../flow/prior.ts";
import { encodePlan, planKey } from "../sampler/encode_plan.ts";
import { exportOnnx } from "./export_graph.ts";
import { metadataEntries, type ModelDescription, type ModelMetadata, type ModelRole } from "../sampler/metadata.ts";
import { fromHalf, toHalf } from "../format/half.ts";
import type { Precision } from "../sampler/metadata.ts";
import type { WeightStorage } from "./model_builder.ts";
import { sha256 } from "../format/sha256.ts";
import { packageVersion } from "../sampler/version.ts";

/** The two files of one flow. */
export interface FlowModels {
  /** z → (x, logDet), logDet = log |det ∂x/∂z|: draws samples. */
  readonly sampler: Uint8Array<ArrayBuffer>;
  /** x → (z, logDet), logDet = log |det ∂z/∂x|: tells densities. */
  readonly density: Uint8Array<ArrayBuffer>;
}

/**
 * Exports a flow as two `.onnx` files, one for each direction.
 *
 * Both hold the same SHA-256 of the weights in their metadata, together with `description`, the package version and
 * nothing that changes from run to run: the same flow gives the same bytes. x and z have the chosen precision, logDet is
 * float64. The float64 files hold the same float32 weights, widened exactly, and serve as a check.
 *
 * @param flow over the standard normal prior, with its present weights
 * @param description what it was trained for
 * With `storage: "float16"` trained weights take half the space. Sampler and density round them alike and are exact for
 * the flow with rounded weights, whose checksum they hold: what was lost is efficiency, and for networks of 64 units
 * less than 0.001 nats of it.
 *
 * @param options `precision` of x, z and weights, `storage` of trained weights; default "float32" both
 * @returns the bytes of both files
 * @throws {RangeError} if a number of the description is not finite, or parameters share a name
 * @throws {TypeError} if the prior is another one
 *
 * @example Export, then sample elsewhere
 * ```ts
 * import { exportFlow, Flow, loadSampler, RealNVP } from "@boltzflow/boltzflow";
 * import { assertEquals } from "@std/assert";
 *
 * const flow = new Flow(new RealNVP({ dim: 2, blocks: 1, hidden: [8] }));
 * const { sampler, density } = exportFlow(flow, {
 *   system: "my energy",
 *   preset: "custom",
 *   parameters: { barrier: 5 },
 *   particles: null,
 *   temperature: 1,
 *   units: { energy: "k_B T₀" },
 *   referenceDomain: "everywhere",
 *   seed: 0,
 * });
 *
 * await using model = await loadSampler(sampler, { density });
 * const { x, logProb } = await model.sample(100, { seed: 1 });
 * const again = await model.logProb(x);
 *
 * assertEquals(again.map((value, i) => Math.round(1e3 * (value - logProb[i]))), new Float64Array(100));
 * ```
 */
export function exportFlow(
  flow: Pick<Flow, "bijector" | "prior">,
  description: ModelDescription,
  options: { readonly precision?: Precision; readonly storage?: WeightStorage } = {},
): FlowModels {
  const { precision = "float32", storage = "float32" } = options;
  const { bijector, prior } = flow;
  if (!(prior instanceof NormalPrior)) {
    throw new TypeError(`Cannot export flow: prior must be a NormalPrior, got ${prior.constructor.name}`);
  }
  const common = {
    ...description,
    precision,
    dim: bijector.dim,
    prior: "normal",
    weights: weightsChecksum(bijector.parameters(), storage),
    packageVersion,
  };
  return {
    sampler: exportDirection(bijector, { ...common, role: "sampler" }, storage),
    density: exportDirection(bijector, { ...common, role: "density" }, storage),
  };
}

function exportDirection(
  bijector: Bijector,
  metadata: ModelMetadata,
  storage: WeightStorage,
): Uint8Array<ArrayBuffer> {
  const graph = new Graph();
  const outputs = metadata.role === "sampler"
    ? { ...bijector.forward(input(graph, "z", bijector.dim)) }
    : { ...bijector.inverse(input(graph, "x", bijector.dim)) };
  const entries = metadataEntries(metadata);
  return exportOnnx(outputs, {
    name: graphNames[metadata.role],
    precision: metadata.precision,
    storage,
    // kernels compute in float32
    metadata: metadata.precision === "float32"
      ? { ...entries, [planKey]: encodePlan(Object.values(outputs)) }
      : entries,
  });
}

const graphNames: Readonly<Record<ModelRole, string>> = { sampler: "boltzflow_sampler", density: "boltzflow_density" };

/**
 * Names a set of weights by what they are: SHA-256 over name, shape and float32 bytes of each, in the order given.
 *
 * @param parameters the weights
 * @param storage element type that trainable ones are rounded to; default "float32"
 * @returns 64 hexadecimal digits
 */
export function weightsChecksum(parameters: readonly Parameter[], storage: WeightStorage = "float32"): string {
  const parts = parameters.flatMap((parameter) => [
    new TextEncoder().encode(`${JSON.stringify(parameter.name)}[${parameter.shape}]`),
    new Uint8Array(storedValues(parameter, storage).buffer),
  ]);
  const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return sha256(bytes);
}

/**
 * Rounds trainable weights to what files hold of them, so that whatever is said of the flow is true of its models.
 *
 * @param parameters the weights; changed in place
 * @param storage element type that trainable ones are rounded to
 */
export function roundWeights(parameters: readonly Parameter[], storage: WeightStorage): void {
  for (const parameter of parameters) {
    if (parameter.trainable) parameter.set(storedValues(parameter, storage));
  }
}

/** The numbers that a file stores for a parameter. */
function storedValues(parameter: Parameter, storage: WeightStorage): Float32Array {
  const values = parameter.values();
  return storage === "float16" && parameter.trainable ? fromHalf(toHalf(values)) : values;
}
