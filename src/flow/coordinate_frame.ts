/**
 * Standardised coordinates: (x − mean) / deviation, coordinate by coordinate.
 *
 * @module
 */
import {
  add,
  broadcast,
  divide,
  gather,
  multiply,
  scaleShift,
  subtract,
  sumFeatures,
  tanh,
} from "../graph/operations.ts";
import type { Graph, Tensor } from "../graph/graph.ts";
import { Parameter } from "../graph/parameter.ts";
import { logOf } from "../random/elementary.ts";

/** Bound of what networks see, in standard deviations of the data. */
const REACH = 6;
/** Least deviation of data in units of the spacing of float32 numbers where they lie: it rounds coordinates to 1 %. */
const LEAST_SPACINGS = 50;

/** Mean and inverse deviation of each coordinate, as constants of a flow. */
export class CoordinateFrame {
  readonly #mean: Parameter;
  readonly #inverse: Parameter;
  readonly #logVolume: Parameter;

  /**
   * Makes the frame that changes nothing.
   *
   * @param dim number of coordinates
   * @param name prefix of the names of the constants
   */
  constructor(dim: number, name: string) {
    const constant = { trainable: false };
    this.#mean = new Parameter(`${name}.mean`, [dim], undefined, constant);
    this.#inverse = new Parameter(`${name}.inverse`, [dim], new Array(dim).fill(1), constant);
    this.#logVolume = new Parameter(`${name}.logVolume`, [2], undefined, constant);
  }

  parameters(): readonly Parameter[] {
    return [this.#mean, this.#inverse, this.#logVolume];
  }

  /**
   * Takes mean and deviation from data.
   *
   * @param data [n, dim], n ≥ 2
   * @param first coordinates before this one stay as they are
   * @throws {RangeError} if a coordinate does not vary, or so little beside its size that float32 does not see it
   */
  fit(data: Float64Array, first: number): void {
    const dim = this.#mean.length;
    const n = data.length / dim;
    const mean = new Float64Array(dim);
    const square = new Float64Array(dim);
    for (let i = 0; i < data.length; i++) mean[i % dim] += data[i] / n;
    for (let i = 0; i < data.length; i++) {
      const deviation = data[i] - mean[i % dim];
      square[i % dim] += deviation * deviation / n;
    }
    const inverse = square.map((variance, i) => {
      if (i >= first && !(variance > 0 && Number.isFinite(variance))) {
        throw new RangeError(
          `Cannot fit a frame: data must vary in every coordinate, got variance ${variance} of ${i}`,
        );
      }
      if (i >= first) requireResolved(mean[i], Math.sqrt(variance), i);
      return i < first ? 1 : Math.fround(1 / Math.sqrt(variance));
    });
    mean.fill(0, 0, first);
    this.#mean.set(mean);
    this.#inverse.set(inverse);
    // Two float32 numbers hold the constant to float64 precision; it is added to every log-probability.
    const logVolume = inverse.reduce((sum, v) => sum + logOf(v), 0);
    const high = Math.fround(logVolume);
    this.#logVolume.set([high, logVolume - high]);
  }

  /** (x − mean) / deviation of some coordinates, x [n, columns]. */
  standardise(x: Tensor, columns: readonly number[]): Tensor {
    const { mean, inverse } = this.#rows(x.graph, columns);
    return multiply(subtract(x, mean), inverse);
  }

  /**
   * What networks see of standardised coordinates: 6 tanh(x / 6). A particle far out must not drive the networks of all
   * later particles further than data ever do, which ends in numbers that are none.
   */
  bounded(x: Tensor): Tensor {
    return scaleShift(tanh(scaleShift(x, 1 / REACH, 0)), REACH, 0);
  }

  /** Undoes `standardise`. */
  restore(x: Tensor, columns: readonly number[]): Tensor {
    const { mean, inverse } = this.#rows(x.graph, columns);
    return add(divide(x, inverse), mean);
  }

  /** log |det| of `standardise` of all coordinates [n]. */
  logVolume(graph: Graph): Tensor {
    return sumFeatures(broadcast(graph, this.#logVolume));
  }

  #rows(graph: Graph, columns: readonly number[]): { mean: Tensor; inverse: Tensor } {
    const all = columns.length === this.#mean.length;
    const [mean, inverse] = [this.#mean, this.#inverse].map((row) => broadcast(graph, row));
    return all ? { mean, inverse } : { mean: gather(mean, columns), inverse: gather(inverse, columns) };
  }
}

/** Refuses a coordinate that varies less than its float32 numbers are apart. */
function requireResolved(mean: number, deviation: number, coordinate: number): void {
  if (deviation >= LEAST_SPACINGS * 2 ** -23 * Math.abs(mean)) return;
  throw new RangeError(
    `Cannot fit a frame: data must vary by more than float32 tells apart, got a deviation of ${
      Number(deviation.toPrecision(3))
    } around ${
      Number(mean.toPrecision(6))
    } in coordinate ${coordinate}: subtract the mean from this coordinate, and add ` +
      "it to the samples",
  );
}
