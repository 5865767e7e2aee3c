/**
 * The network of one particle: coordinates of earlier particles in, the numbers of its density out.
 *
 * @module
 */
import { broadcast } from "../graph/operations.ts";
import type { Graph, Tensor } from "../graph/graph.ts";
import { Parameter } from "../graph/parameter.ts";
import { hashName } from "../nn/initialise.ts";
import { Mlp } from "../nn/mlp.ts";
import { RandomStream } from "../random/random_stream.ts";
import type { ConditionalHead } from "./conditional_head.ts";

/** Size and start of the network. */
export interface ConditionalNetworkOptions {
  /** Prefix of the names of the parameters. */
  readonly name: string;
  /** Coordinates that it sees; with 0 it is a row of numbers. */
  readonly inputs: number;
  /** Hidden layers. */
  readonly hidden: readonly number[];
  /** What it serves. */
  readonly head: ConditionalHead;
  /** Seed of the initial weights. */
  readonly seed: number;
}

/** Variance of initial weights times the number of inputs: in hidden layers, and in the last one. */
const HIDDEN_GAIN = 1.44;
const LAST_GAIN = 0.01;

/** A small fully connected network with SiLU between the layers. */
export class ConditionalNetwork {
  readonly #row: Parameter | null;
  readonly #mlp: Mlp | null;

  constructor({ name, inputs, hidden, head, seed }: ConditionalNetworkOptions) {
    const outputs = head.features;
    const random = new RandomStream(seed, hashName(name));
    const start = head.initialBias?.(() => random.normal()) ?? new Array<number>(outputs).fill(0);
    this.#row = inputs === 0 ? new Parameter(`${name}.row`, [outputs], start) : null;
    this.#mlp = inputs === 0 ? null : new Mlp({ name, inputs, hidden, outputs, activation: "silu", seed });
    if (this.#mlp === null) return;
    const parameters = this.#mlp.parameters();
    parameters.filter(({ shape }) => shape.length === 2).forEach((weight, layer) => {
      const gain = layer < hidden.length ? HIDDEN_GAIN : LAST_GAIN;
      const deviation = Math.sqrt(gain / weight.shape[1]);
      weight.set(Float64Array.from({ length: weight.length }, () => deviation * random.normal()));
    });
    parameters.at(-1)!.set(start);
  }

  parameters(): readonly Parameter[] {
    return this.#row === null ? this.#mlp!.parameters() : [this.#row];
  }

  /**
   * Applies the network.
   *
   * @param graph where to
   * @param seen makes the coordinates that it sees, [n, inputs]
   * @returns [n, features]
   */
  apply(graph: Graph, seen: () => Tensor): Tensor {
    return this.#row === null ? this.#mlp!.apply(seen()) : broadcast(graph, this.#row);
  }
}
