import { toHalf } from "../format/half.ts";
import {
  type ElementType,
  elementTypeCodes,
  type Model,
  type ModelAttribute,
  type ModelNode,
  type ModelTensor,
  type ModelValue,
} from "../format/model.ts";
import type { Precision } from "../sampler/metadata.ts";
import { sha256 } from "../format/sha256.ts";

/** Element type in which trained weights are stored. */
export type WeightStorage = "float16" | "float32";

/** Name of the size that each call chooses: the number of samples. */
export const batchSize = "n";

const arrays = { float32: Float32Array, float64: Float64Array, int32: Int32Array } as const;

/** Constants of more numbers than these are known by their checksum, not by the numbers. */
const longestText = 8;

const rowShape: ModelValue["dims"] = [1, batchSize];

/** What a loop starts from. */
export interface LoopState {
  /** The value before the first step. */
  readonly value: string;
  /** Its element type. */
  readonly type: ElementType;
  /** Its shape, which no step changes; [1, n] if left out. */
  readonly dims?: ModelValue["dims"];
}

/** What the body of a loop computes. */
export interface LoopStep {
  /** Whether to go on, a bool of shape []. */
  readonly again: string;
  /** The states after the step. */
  readonly states: readonly string[];
}

/**
 * Collects the nodes and constants of a model; what is the same is stored and computed once.
 *
 * Names made here start with "/", so that they never meet the name of a parameter, an input or an output. They are
 * short, and nodes have none: large models are largely names.
 */
export class ModelBuilder {
  #precision: Precision;
  #storage: WeightStorage;
  #nodes: ModelNode[] = [];
  #made = 0;
  readonly #initializers = new Map<string, ModelTensor>();
  /** Names of constants by what they are. */
  readonly #constants = new Map<string, string>();
  /** Results of the nodes of this graph by what they compute. */
  #emitted = new Map<string, string>();
  readonly #declared = new Set<string>();
  readonly #inputs: ModelValue[] = [];
  readonly #outputs: ModelValue[] = [];
  readonly #shapes = new Map<number, string>();
  readonly #taken = new Set<string>();
  #values: ModelValue[] = [];

  /**
   * @param precision element type of batches and parameters
   * @param storage element type in which trained weights are stored
   */
  constructor(precision: Precision, storage: WeightStorage = "float32") {
    this.#precision = precision;
    this.#storage = storage;
  }

  /** Element type of batches and parameters. */
  get precision(): Precision {
    return this.#precision;
  }

  /** Element type in which trained weights are stored. */
  get storage(): WeightStorage {
    return this.#storage;
  }

  /** Emits a part of the graph whose batches and parameters are float64, whatever the others are, unrounded. */
  inFloat64<T>(work: () => T): T {
    const [precision, storage] = [this.#precision, this.#storage];
    [this.#precision, this.#storage] = ["float64", "float32"];
    try {
      return work();
    } finally {
      [this.#precision, this.#storage] = [precision, storage];
    }
  }

  /** Declares an input of shape [n, …dims]. */
  input(name: string, type: ElementType, dims: readonly number[]): string {
    this.#take(name);
    this.#inputs.push({ name, type, dims: [batchSize, ...dims] });
    return name;
  }

  /** Declares an input of shape [1] that tells the number of samples, for graphs that take no batch. */
  countInput(name: string): void {
    this.#take(name);
    this.#inputs.push({ name, type: "int64", dims: [1] });
    this.#shapes.set(1, name);
  }

  /** Declares an output and gives it a value made so far. */
  output(name: string, value: string, type: ElementType, dims: ModelValue["dims"]): void {
    this.#take(name);
    this.#outputs.push({ name, type, dims });
    this.#nodes.push({ operator: "Identity", inputs: [value], outputs: [name], attributes: {} });
  }

  /** Stores numbers under a name of the caller's, float32 values widened exactly where the model is float64. */
  weights(name: string, dims: readonly number[], values: Float32Array): string {
    this.#take(name);
    this.#initializers.set(name, {
      name,
      dims,
      data: this.precision === "float32" ? values : Float64Array.from(values),
    });
    return name;
  }

  /** Stores numbers as float16 under a name of the caller's; returns their value in the model's precision. */
  halfWeights(name: string, dims: readonly number[], values: Float32Array): string {
    this.#take(name);
    this.#initializers.set(name, { name, dims, data: toHalf(values) });
    return this.emit("Cast", [name], { to: { kind: "integer", value: elementTypeCodes[this.precision] } });
  }

  /** Stores a constant, once however often it is asked for. */
  constant(
    type: "float32" | "float64" | "int32" | "int64",
    values: readonly number[],
    dims: readonly number[],
  ): string {
    const data = type === "int64" ? BigInt64Array.from(values, BigInt) : arrays[type].from(values);
    const text = values.length > longestText
      ? sha256(new Uint8Array(data.buffer)).slice(0, 16)
      : this.#digits(type, values);
    const key = `${type}[${dims}]${text}`;
    const known = this.#constants.get(key);
    if (known !== undefined) return known;
    const name = this.#name();
    this.#constants.set(key, name);
    this.#initializers.set(name, { name, dims, data });
    return name;
  }

  /** Returns the name of a node's one result; the node is appended unless the graph has it already. */
  emit(operator: string, inputs: readonly string[], attributes: Readonly<Record<string, ModelAttribute>> = {}): string {
    const key = JSON.stringify([operator, inputs, attributes]);
    const known = this.#emitted.get(key);
    if (known !== undefined) return known;
    const result = this.#push(operator, inputs, attributes);
    this.#emitted.set(key, result);
    return result;
  }

  #push(operator: string, inputs: readonly string[], attributes: ModelNode["attributes"] = {}): string {
    const result = this.#name();
    this.#nodes.push({ operator, inputs, outputs: [result], attributes });
    return result;
  }

  /**
   * Appends a loop that changes states until they are good.
   *
   * @param limit largest number of steps
   * @param states values before the first step, each of the element type and shape given with it; [1, n] by default
   * @param body emits one step: takes the number of the step (int64 []) and the states
   * @returns the states after the last step
   */
  loop(
    limit: number,
    states: readonly LoopState[],
    body: (step: string, states: readonly string[]) => LoopStep,
  ): string[] {
    const [outer, outerValues, outerEmitted] = [this.#nodes, this.#values, this.#emitted];
    [this.#nodes, this.#values, this.#emitted] = [[], [], new Map()];
    const [step, condition] = [this.#name(), this.#name()];
    const own = states.map(({ type, dims = rowShape }) => ({ name: this.#name(), type, dims }));
    const { again, states: next } = body(step, own.map(({ name }) => name));
    // A value from outside, or one that is two states, needs a name of the body's own.
    const [goOn, ...after] = [again, ...next].map((value) => this.#push("Identity", [value]));
    const graph = {
      name: this.#name(),
      nodes: this.#nodes,
      initializers: [],
      values: this.#values,
      inputs: [
        { name: step, type: "int64" as const, dims: [] },
        { name: condition, type: "bool" as const, dims: [] },
        ...own,
      ],
      outputs: [
        { name: goOn, type: "bool" as const, dims: [] },
        ...after.map((name, i) => ({ name, type: states[i].type, dims: states[i].dims ?? rowShape })),
      ],
    };
    [this.#nodes, this.#values, this.#emitted] = [outer, outerValues, outerEmitted];
    const outputs = states.map(({ type, dims = rowShape }) => this.declare(this.#name(), type, dims));
    this.#nodes.push({
      operator: "Loop",
      inputs: [this.constant("int64", [limit], []), "", ...states.map(({ value }) => value)],
      outputs,
      attributes: { body: { kind: "graph", value: graph } },
    });
    return outputs;
  }

  /**
   * Returns the shape [n] (rank 1) or [n, 1] (rank 2) as an int64 tensor, for `Expand`.
   *
   * @throws {Error} if no input was declared, since only an input tells the number of samples
   */
  batchShape(rank: 1 | 2): string {
    const known = this.#shapes.get(rank);
    if (known !== undefined) return known;
    if (this.#inputs.length === 0) throw new Error("Cannot export graph: graph must have an input, got none");
    const range = { start: { kind: "integer", value: 0 }, end: { kind: "integer", value: 1 } } as const;
    const shape = rank === 1
      ? this.emit("Shape", [this.#inputs[0].name], range)
      : this.emit("Concat", [this.batchShape(1), this.constant("int64", [1], [1])], {
        axis: { kind: "integer", value: 0 },
      });
    this.#shapes.set(rank, shape);
    return shape;
  }

  /**
   * Writes down the shape of a value, with names for sizes that depend on the number of samples.
   *
   * Runtimes reuse memory among values whose shapes they know to be equal. Where they know nothing they search through
   * all memory that is free, which made onnxruntime take minutes to open a large model.
   */
  declare(value: string, type: ElementType, dims: ModelValue["dims"]): string {
    if (!this.#declared.has(value)) this.#values.push({ name: value, type, dims });
    this.#declared.add(value);
    return value;
  }

  /** Returns everything collected. */
  build(name: string, producerVersion: string, metadata: Readonly<Record<string, string>>): Model {
    return {
      name,
      producerVersion,
      metadata,
      inputs: this.#inputs,
      outputs: this.#outputs,
      initializers: [...this.#initializers.values()],
      nodes: this.#nodes,
      values: this.#values,
    };
  }

  #name(): string {
    return `/${(this.#made++).toString(36)}`;
  }

  #take(name: string): void {
    if (name === "" || name.startsWith("/")) {
      throw new RangeError(`Cannot export graph: names must not be empty or start with "/", got "${name}"`);
    }
    if (this.#taken.has(name)) {
      throw new RangeError(`Cannot export graph: names must be unique, got "${name}" twice`);
    }
    this.#taken.add(name);
  }

  /** Text that is equal for equal constants: the numbers themselves, −0 told from 0. */
  #digits(type: string, values: readonly number[]): string {
    const numbers = type === "float32" ? values.map(Math.fround) : values;
    return numbers.map((value) => Object.is(value, -0) ? "-0" : String(value)).join(",");
  }
}
