import type { ElementType, Model, ModelAttribute, ModelNode, ModelTensor, ModelValue } from "./model.ts";

/** Element type of batches in a model; columns are float64 in either case. */
export type Precision = "float32" | "float64";

/** Name of the size that each call chooses: the number of samples. */
export const batchSize = "n";

/**
 * Collects the nodes and constants of a model, with one name for each value and each constant stored once.
 *
 * Names made here start with "/", so that they never meet the name of a parameter, an input or an output.
 */
export class ModelBuilder {
  /** Element type of batches and parameters. */
  readonly precision: Precision;
  readonly #nodes: ModelNode[] = [];
  readonly #initializers = new Map<string, ModelTensor>();
  readonly #inputs: ModelValue[] = [];
  readonly #outputs: ModelValue[] = [];
  readonly #shapes = new Map<number, string>();
  readonly #taken = new Set<string>();

  /** @param precision element type of batches and parameters */
  constructor(precision: Precision) {
    this.precision = precision;
  }

  /** Declares an input of shape [n, …dims]. */
  input(name: string, type: ElementType, dims: readonly number[]): string {
    this.#take(name);
    this.#inputs.push({ name, type, dims: [batchSize, ...dims] });
    return name;
  }

  /** Declares an output and gives it a value made so far. */
  output(name: string, value: string, type: ElementType, dims: ModelValue["dims"]): void {
    this.#take(name);
    this.#outputs.push({ name, type, dims });
    this.#nodes.push({ operator: "Identity", inputs: [value], outputs: [name], attributes: {} });
  }

  /** Stores weights under a name of the caller's, float32 values widened exactly where the model is float64. */
  weights(name: string, dims: readonly number[], values: Float32Array): string {
    this.#take(name);
    this.#initializers.set(name, {
      name,
      dims,
      data: this.precision === "float32" ? values : Float64Array.from(values),
    });
    return name;
  }

  /** Stores a constant, once however often it is asked for. */
  constant(type: "float32" | "float64" | "int64", values: readonly number[], dims: readonly number[]): string {
    const name = `/${type}[${dims}]${this.#digits(type, values)}`;
    if (!this.#initializers.has(name)) {
      const data = type === "int64"
        ? BigInt64Array.from(values, BigInt)
        : type === "float32"
        ? Float32Array.from(values)
        : Float64Array.from(values);
      this.#initializers.set(name, { name, dims, data });
    }
    return name;
  }

  /** Appends a node with one result and returns that result's name. */
  emit(operator: string, inputs: readonly string[], attributes: Readonly<Record<string, ModelAttribute>> = {}): string {
    const result = `/${operator}_${this.#nodes.length}`;
    this.#nodes.push({ operator, inputs, outputs: [result], attributes });
    return result;
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
    };
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
