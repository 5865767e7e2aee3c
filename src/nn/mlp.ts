/**
 * Fully connected networks.
 *
 * @module
 */
import { Parameter } from "../graph/parameter.ts";
import { linear, relu, silu, tanh } from "../graph/operations.ts";
import type { Tensor } from "../graph/graph.ts";
import { glorotUniform } from "./initialise.ts";

/** Name of an activation function. */
export type Activation = "tanh" | "relu" | "silu";

const activations: { readonly [A in Activation]: (x: Tensor) => Tensor } = { tanh, relu, silu };

/** Sizes and start of a network. */
export interface MlpOptions {
  /** Prefix of the names of the parameters. */
  readonly name: string;
  /** Features in. */
  readonly inputs: number;
  /** Sizes of the hidden layers. */
  readonly hidden: readonly number[];
  /** Features out. */
  readonly outputs: number;
  /** Activation of the hidden layers; the output is linear. Default "tanh". */
  readonly activation?: Activation;
  /** Start of the last layer: zeros make the network start as the constant 0. Default "glorot". */
  readonly lastLayer?: "glorot" | "zero";
  /** Whether layers add trained numbers; without them a network of tanh is odd, net(−x) = −net(x). Default true. */
  readonly biases?: boolean;
  /** Seed of the initial weights. */
  readonly seed: number;
}

/** One affine layer: weight [outputs, inputs], row = output, and bias. */
interface Layer {
  readonly weight: Parameter;
  readonly bias: Parameter;
}

/**
 * A multi-layer perceptron: affine layers with an activation between them.
 *
 * @example The derivative of a network by its input
 * ```ts
 * import { Mlp, sumFeatures, valueAndGradient } from "@boltzflow/boltzflow";
 * import { assertEquals } from "@std/assert";
 *
 * const net = new Mlp({ name: "net", inputs: 3, hidden: [16, 16], outputs: 1, seed: 1 });
 * const f = valueAndGradient((x) => sumFeatures(net.apply(x)), 3);
 *
 * const { gradient, parameters } = f(Float64Array.of(0.1, 0.2, 0.3));
 * assertEquals([gradient.length, parameters.size], [3, 6]);
 * ```
 */
export class Mlp {
  readonly #layers: readonly Layer[];
  readonly #activation: (x: Tensor) => Tensor;

  /**
   * Makes a network with Glorot-uniform weights and zero biases.
   *
   * @param options sizes and start
   * @throws {RangeError} if a size is not a whole number ≥ 1
   */
  constructor(options: MlpOptions) {
    const { name, inputs, hidden, outputs, activation = "tanh", lastLayer = "glorot", biases = true, seed } = options;
    const sizes = [inputs, ...hidden, outputs];
    sizes.forEach((size, i) => {
      if (Number.isInteger(size) && size >= 1) return;
      const which = i === 0 ? "inputs" : i <= hidden.length ? `hidden[${i - 1}]` : "outputs";
      throw new RangeError(`Cannot make the network ${name}: ${which} must be a whole number ≥ 1, got ${size}`);
    });
    this.#activation = activations[activation];
    this.#layers = sizes.slice(1).map((rows, i) => {
      const columns = sizes[i];
      const zero = lastLayer === "zero" && i === sizes.length - 2;
      const weight = new Parameter(`${name}.${i}.weight`, [rows, columns]);
      if (!zero) weight.set(glorotUniform(rows, columns, seed, weight.name));
      return { weight, bias: new Parameter(`${name}.${i}.bias`, [rows], undefined, { trainable: biases }) };
    });
  }

  /** Weights and, if there are any, biases, first layer first. */
  parameters(): Parameter[] {
    return this.#layers.flatMap(({ weight, bias }) => bias.trainable ? [weight, bias] : [weight]);
  }

  /**
   * Applies the network.
   *
   * @param x [n, inputs]
   * @returns [n, outputs]
   */
  apply(x: Tensor): Tensor {
    return this.#layers.reduce((h, { weight, bias }, i) => {
      const y = linear(h, weight, bias);
      return i < this.#layers.length - 1 ? this.#activation(y) : y;
    }, x);
  }
}
