/**
 * Random computations: a function of a seed.
 *
 * Values stay of order one, so that an error of the compiler (a wrong buffer, a lost or doubled contribution) stands out
 * from rounding.
 *
 * @module
 */
import { Graph, type Tensor } from "../../src/graph/graph.ts";
import { affineCoupling } from "../../src/graph/affine_coupling.ts";
import * as op from "../../src/graph/operations.ts";
import { Parameter } from "../../src/graph/parameter.ts";
import { RandomStream } from "../../src/random/random_stream.ts";

/** A random computation with the widths of its inputs. */
export interface RandomGraph {
  readonly graph: Graph;
  readonly outputs: readonly Tensor[];
  readonly widths: readonly number[];
}

const widths = [1, 2, 3, 5, 8];

const unary: readonly ((x: Tensor) => Tensor)[] = [
  op.tanh,
  op.sin,
  op.cos,
  op.sigmoid,
  op.silu,
  op.softplus,
  op.negate,
  op.relu,
  (x) => op.square(op.tanh(x)),
  (x) => op.exp(op.tanh(x)),
  (x) => op.log(op.add(op.sigmoid(x), 0.25)),
  (x) => op.sqrt(op.add(op.square(op.sin(x)), 0.25)),
  (x) => op.scaleShift(x, -0.75, 0.5),
];

const binary: readonly ((a: Tensor, b: Tensor) => Tensor)[] = [
  op.add,
  op.subtract,
  (a, b) => op.multiply(a, op.tanh(b)),
  (a, b) => op.divide(a, op.add(op.sigmoid(b), 0.5)),
  (a, b) => op.multiply(op.sin(b), op.cos(a)),
  (a) => op.multiply(op.tanh(a), a),
];

class Builder {
  readonly graph = new Graph();
  readonly #random: RandomStream;
  readonly #batches: Tensor[] = [];
  readonly #columns: Tensor[] = [];
  readonly #parameters: Parameter[] = [];

  constructor(seed: number) {
    this.#random = new RandomStream(seed, 3);
  }

  build(): RandomGraph {
    const inputs = Array.from({ length: 1 + this.#random.integer(3) }, (_, k) => {
      const x = op.input(this.graph, `x${k}`, this.#pick(widths));
      if (k === 0 || this.#random.uniform() < 0.7) this.#batches.push(x); // some inputs are not used
      return x;
    });
    const steps = 6 + this.#random.integer(25);
    for (let step = 0; step < steps; step++) this.#grow();
    this.#columns.push(op.sumFeatures(this.#recent()));
    return { graph: this.graph, outputs: this.#outputs(), widths: inputs.map(({ shape }) => shape[1] as number) };
  }

  #pick<T>(from: readonly T[]): T {
    return from[this.#random.integer(from.length)];
  }

  /** A batch, preferably one of the last, so that graphs become deep and old values are used late. */
  #recent(): Tensor {
    const { length } = this.#batches;
    return this.#random.uniform() < 0.5
      ? this.#pick(this.#batches)
      : this.#batches[length - 1 - this.#random.integer(Math.min(3, length))];
  }

  /** A batch of a given width: one that is there, or one made by a layer. */
  #ofWidth(d: number): Tensor {
    const fitting = this.#batches.filter(({ shape }) => shape[1] === d);
    return fitting.length > 0 && this.#random.uniform() < 0.7 ? this.#pick(fitting) : this.#layer(this.#recent(), d);
  }

  /** A parameter of a shape: a new one, or one that is used already. */
  #parameter(shape: readonly number[]): Parameter {
    const known = this.#parameters.filter((p) => p.shape.join() === shape.join());
    if (known.length > 0 && this.#random.uniform() < 0.4) return this.#pick(known);
    const values = this.#random.fillNormals(new Float64Array(shape.reduce((a, b) => a * b, 1)));
    const parameter = new Parameter(
      `p${this.#parameters.length}`,
      shape,
      values.map((v) => v / Math.sqrt(shape.at(-1)!)),
      {
        trainable: this.#random.uniform() < 0.8,
      },
    );
    this.#parameters.push(parameter);
    return parameter;
  }

  #layer(x: Tensor, d: number): Tensor {
    return op.linear(x, this.#parameter([d, x.shape[1] as number]), this.#parameter([d]));
  }

  #grow(): void {
    const x = this.#recent();
    const d = x.shape[1] as number;
    switch (this.#random.integer(9)) {
      case 0:
      case 1:
        this.#batches.push(this.#pick(unary)(x));
        break;
      case 2:
      case 3:
        this.#batches.push(this.#pick(binary)(x, this.#ofWidth(d)));
        break;
      case 4:
        this.#batches.push(this.#layer(x, this.#pick(widths)));
        break;
      case 5:
        this.#batches.push(op.gather(x, [...this.#random.permutation(d)].slice(0, 1 + this.#random.integer(d))));
        break;
      case 6: {
        const both = op.concat(x, this.#recent());
        this.#batches.push((both.shape[1] as number) > 16 ? op.gather(both, [0, 5, 3, 11]) : both);
        break;
      }
      case 7:
        this.#couple(x, d);
        break;
      case 8:
        this.#batches.push(op.broadcast(this.graph, this.#parameter([d])));
        this.#columns.push(op.column(x, this.#random.integer(d)));
        break;
    }
  }

  #couple(x: Tensor, d: number): void {
    const direction = this.#random.uniform() < 0.5 ? "forward" : "inverse";
    const s = op.tanh(this.#ofWidth(d));
    const t = this.#random.uniform() < 0.8 ? this.#ofWidth(d) : s;
    const { value, logDet } = affineCoupling(direction, x, s, t);
    this.#batches.push(value);
    this.#columns.push(logDet);
    if (this.#random.uniform() < 0.3) this.#batches.push(s);
  }

  /** Some batches, some columns and some means, among them functions of several columns; one may appear twice. */
  #outputs(): Tensor[] {
    const columns = this.#columns;
    const mixed = op.multiply(this.#pick(columns), op.cos(this.#pick(columns)));
    const scalar = op.mean(op.square(this.#pick(columns)));
    const outputs = [mixed, op.add(op.mean(mixed), scalar), op.multiply(scalar, this.#pick(columns))];
    for (let k = this.#random.integer(3); k >= 0; k--) outputs.push(this.#recent());
    if (this.#random.uniform() < 0.5) outputs.push(this.#pick(columns));
    return outputs;
  }
}

/** Makes the random computation of a seed. */
export function randomGraph(seed: number): RandomGraph {
  return new Builder(seed).build();
}
