import { Graph } from "../graph/graph.ts";
import { input } from "../graph/operations.ts";
import type { Parameter } from "../graph/parameter.ts";
import type { Bijector } from "../flow/bijector.ts";
import type { Flow } from "../flow/flow.ts";
import { NormalPrior } from "../flow/prior.ts";
import { planEntry } from "../sampler/encode_plan.ts";
import { checkSystem } from "./check_system.ts";
import { lowerOutputs } from "./export_graph.ts";
import type { WritableSystem } from "./lower_energy.ts";
import { lowerLogWeight } from "./lower_log_weight.ts";
import { metadataEntries, type ModelDescription, type ModelMetadata, type ModelRole } from "../sampler/metadata.ts";
import { fromHalf, toHalf } from "../format/half.ts";
import type { Precision } from "../sampler/metadata.ts";
import { batchSize, ModelBuilder, type WeightStorage } from "./model_builder.ts";
import { encodeModel } from "../format/encode_model.ts";
import { sha256 } from "../format/sha256.ts";
import { packageVersion } from "../sampler/version.ts";

/** The two files of one flow. */
export interface FlowModels {
  /** z → (x, logDet), logDet = log |det ∂x/∂z|: draws samples. */
  readonly sampler: Uint8Array<ArrayBuffer>;
  /** x → (z, logDet), logDet = log |det ∂z/∂x|: tells densities. */
  readonly density: Uint8Array<ArrayBuffer>;
}

/** Settings of {@linkcode exportFlow}. */
export interface FlowExportOptions {
  /** Element type of x, z and weights. The float64 files hold the same float32 weights, widened exactly. Default "float32". */
  readonly precision?: Precision;
  /**
   * Element type in which trained weights are stored, default "float32". With "float16" they take half the space. Sampler
   * and density round them alike and are exact for the flow with rounded weights, whose checksum they hold: what was lost
   * is efficiency, and for networks of 64 units less than 0.001 nats of it.
   */
  readonly storage?: WeightStorage;
  /**
   * The system of the description. Its energy goes into both graphs, which then return a third value, for users of
   * onnxruntime alone, who have no energy of ours:
   *
   *     logWeight = −U(x)/T − log q(x)  [n], −∞ outside the reference domain
   *
   * T is the description's temperature, x what the sampler returns or the density is given, in its precision; the rest is
   * float64. Overlapping particles weigh −∞. The domain of a `ParticleDimer` or `LennardJonesFluid` is checked in the graph,
   * with the tolerance of `inDomain`. A system of `systemFromEnergy` has no domain: where labels matter, the caller must
   * leave out samples outside.
   */
  readonly system?: WritableSystem;
  /**
   * Whether the sampler draws z itself. It then takes the number of samples, `n` (int64 [1]), and returns z besides. A
   * convenience: the numbers come from a generator of the runtime of 31 bits, are others in every engine, and without a
   * seed; two sessions of one process may even repeat each other. What is reported should come from `loadSampler`, whose
   * kernels draw for such files from the package's own generator. The density stays as it is. Default false.
   */
  readonly drawsItself?: boolean;
}

/**
 * Exports a flow as two `.onnx` files, one for each direction.
 *
 * Both hold the same SHA-256 of the weights in their metadata, together with `description`, the package version and
 * nothing that changes from run to run: the same flow gives the same bytes. x and z have the chosen precision, logDet is
 * float64.
 *
 * @param flow over the standard normal prior, with its present weights
 * @param description what it was trained for
 * @param options precision, storage, and what the graphs do besides mapping
 * @returns the bytes of both files
 * @throws {RangeError} if a number of the description is not finite, parameters share a name, the variance of the prior is
 * not 1, or the system is not the one described
 * @throws {TypeError} if the prior is not normal, or the system's energy cannot be written
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
 *
 * @example A file for onnxruntime alone, which draws and weighs
 * ```ts
 * import { DoubleWell, exportFlow, Flow, RealNVP } from "@boltzflow/boltzflow";
 *
 * const system = new DoubleWell();
 * const flow = new Flow(new RealNVP({ dim: 2, blocks: 1, hidden: [8] }));
 * const { preset, parameters } = system;
 * const { sampler } = exportFlow(flow, {
 *   ...{ system: "DoubleWell", preset, parameters, particles: null, temperature: 1 },
 *   ...{ units: { energy: "k_B T₀" }, referenceDomain: "everywhere", seed: 0 },
 * }, { system, drawsItself: true });
 *
 * const ort = await import("npm:onnxruntime-web@1.30.0/wasm" as string);
 * ort.env.wasm.numThreads = 1;
 * const session = await ort.InferenceSession.create(sampler);
 * const { x, logWeight } = await session.run({ n: new ort.Tensor("int64", BigInt64Array.of(1000n), [1]) });
 *
 * if (x.dims.join() !== "1000,2" || logWeight.dims.join() !== "1000") throw new Error("1000 weighted samples");
 * ```
 */
export function exportFlow(
  flow: Pick<Flow, "bijector" | "prior">,
  description: ModelDescription,
  options: FlowExportOptions = {},
): FlowModels {
  const { precision = "float32", storage = "float32", system, drawsItself = false } = options;
  const { bijector, prior } = flow;
  if (!(prior instanceof NormalPrior)) {
    throw new TypeError(`Cannot export flow: prior must be a NormalPrior, got ${prior.constructor.name}`);
  }
  if (prior.variance !== 1) {
    throw new RangeError(
      `Cannot export flow: prior must have variance 1, got ${prior.variance}: export a flow whose bijector is a Chain of ` +
        "a Scaling with logScale ½ ln variance and this one",
    );
  }
  if (system !== undefined) checkSystem(system, description, bijector.dim);
  const common = {
    ...description,
    precision,
    dim: bijector.dim,
    prior: "normal",
    weights: weightsChecksum(bijector.parameters(), storage),
    packageVersion,
    ...system && { logWeight: true as const },
  };
  const draws = drawsItself ? { draws: true } as const : {};
  return {
    sampler: exportDirection(bijector, { ...common, ...draws, role: "sampler" }, { storage, system }),
    density: exportDirection(bijector, { ...common, role: "density" }, { storage, system }),
  };
}

function exportDirection(
  bijector: Bijector,
  metadata: ModelMetadata,
  { storage, system }: { readonly storage: WeightStorage; readonly system: WritableSystem | undefined },
): Uint8Array<ArrayBuffer> {
  const { role, precision, dim } = metadata;
  const builder = new ModelBuilder(precision, storage);
  const [from, map] = role === "sampler" ? ["z", "forward"] as const : ["x", "inverse"] as const;
  const start = input(new Graph(), from, dim);
  const outputs = { ...bijector[map](start) };
  const drawn = metadata.draws ? lowerLatent(builder, dim) : null;
  const values = lowerOutputs(outputs, builder, new Map(drawn === null ? [] : [[start.id, drawn]]));
  if (drawn !== null) builder.output("z", drawn, precision, [batchSize, dim]);
  if (system !== undefined) {
    const mapped = { x: "x", z: drawn ?? "z", logDet: values.logDet, ...values };
    builder.output("logWeight", lowerLogWeight(builder, system, mapped, metadata), "float64", [batchSize]);
  }
  const entries = metadataEntries(metadata);
  // kernels compute in float32
  const plan = precision === "float32" ? planEntry(Object.values(outputs)) : {};
  return encodeModel(builder.build(graphNames[role], packageVersion, { ...entries, ...plan }));
}

/** Emits z [n, dim] from a generator of the runtime, where n is what the caller gives. */
function lowerLatent(builder: ModelBuilder, dim: number): string {
  const { precision } = builder;
  builder.countInput("n");
  const shape = builder.emit("Concat", [builder.batchShape(1), builder.constant("int64", [dim], [1])], {
    axis: { kind: "integer", value: 0 },
  });
  const zeros = builder.emit("Expand", [builder.constant(precision, [0], []), shape]);
  return builder.declare(builder.emit("RandomNormalLike", [zeros]), precision, [batchSize, dim]);
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
