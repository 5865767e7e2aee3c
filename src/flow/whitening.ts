/**
 * Whitening: the fixed affine map between data and uncorrelated coordinates of unit variance.
 *
 * @module
 */
import { broadcast, linear, negate, sumFeatures } from "../graph/operations.ts";
import type { Tensor } from "../graph/graph.ts";
import { Parameter } from "../graph/parameter.ts";
import { logOf } from "../random/elementary.ts";
import type { Bijector } from "./bijector.ts";
import { symmetricEigen } from "./symmetric_eigen.ts";

/** How data are whitened. */
export interface WhiteningOptions {
  /**
   * Groups of coordinates that are whitened each for itself; default one group of all. Principal components of group
   * g keep the places of the group's coordinates, in the order of descending variance.
   */
  readonly groups?: readonly (readonly number[])[];
  /** Prefix of the names of the parameters. Default "whitening". */
  readonly name?: string;
}

/**
 * z = D⁻¹ Vᵀ (x − mean) with the principal axes V and standard deviations D of data (PCA whitening, Noé et al. 2019).
 *
 *     forward: x = mean + V D z, logDet = Σ ln D, the same for every sample
 *
 * The map is constant: its parameters are not trainable.
 *
 * @example Coordinates of data in units of their standard deviations
 * ```ts
 * import { Flow, Whitening } from "@boltzflow/boltzflow";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const data = Float64Array.of(9, 10, 11, 10); // one coordinate: mean 10, variance 2/3
 * const flow = new Flow(Whitening.fit(data, 1));
 *
 * assertAlmostEquals(flow.encode(Float64Array.of(11)).z[0], Math.sqrt(1.5), 1e-6);
 * ```
 */
export class Whitening implements Bijector {
  readonly dim: number;
  readonly #unwhiten: { readonly weight: Parameter; readonly bias: Parameter };
  readonly #whiten: { readonly weight: Parameter; readonly bias: Parameter };
  readonly #logDet: Parameter;

  private constructor(dim: number, name: string) {
    const constant = (part: string, shape: readonly number[]) =>
      new Parameter(`${name}.${part}`, shape, undefined, { trainable: false });
    this.dim = dim;
    this.#unwhiten = { weight: constant("unwhiten.weight", [dim, dim]), bias: constant("unwhiten.bias", [dim]) };
    this.#whiten = { weight: constant("whiten.weight", [dim, dim]), bias: constant("whiten.bias", [dim]) };
    this.#logDet = constant("logDet", [2]);
  }

  /**
   * Makes a whitening that is the identity: to be filled from a checkpoint.
   *
   * @param dim number of coordinates
   * @param options name
   * @returns the whitening
   */
  static identity(dim: number, options: WhiteningOptions = {}): Whitening {
    const whitening = new Whitening(dim, options.name ?? "whitening");
    const one = Float64Array.from({ length: dim * dim }, (_, i) => i % (dim + 1) === 0 ? 1 : 0);
    whitening.#unwhiten.weight.set(one);
    whitening.#whiten.weight.set(one);
    return whitening;
  }

  /**
   * Fits mean and principal axes.
   *
   * @param data row-major [n, dim], n > dim
   * @param dim number of coordinates
   * @param options groups of coordinates, name
   * @returns the whitening
   * @throws {RangeError} if there are too few rows, a direction without variance or with less than float32 resolves, or a
   * coordinate in no group or two
   */
  static fit(data: Float64Array, dim: number, options: WhiteningOptions = {}): Whitening {
    const n = data.length / dim;
    if (!Number.isInteger(n) || n <= dim) {
      throw new RangeError(`Cannot fit a whitening: data must hold more than ${dim} rows of ${dim}, got ${n} rows`);
    }
    const groups = options.groups ?? [Array.from({ length: dim }, (_, i) => i)];
    const grouped = groups.flat().sort((a, b) => a - b);
    if (grouped.length !== dim || grouped.some((coordinate, i) => coordinate !== i)) {
      throw new RangeError(
        `Cannot fit a whitening: groups must hold each coordinate from 0 to ${dim - 1} once, got [${grouped}]`,
      );
    }
    const mean = new Float64Array(dim);
    for (let i = 0; i < data.length; i++) mean[i % dim] += data[i] / n;
    const unwhiten = new Float64Array(dim * dim);
    const whiten = new Float64Array(dim * dim);
    let logDet = 0;
    for (const group of groups) {
      const { values, vectors } = symmetricEigen(covariance(data, dim, group, mean), group.length);
      values.forEach((variance, k) => {
        if (!(variance > 1e-12 * values[0])) {
          throw new RangeError(
            `Cannot fit a whitening: data must vary in every direction, got variance ${variance} of component ${k}`,
          );
        }
        const deviation = Math.sqrt(variance);
        logDet += logOf(deviation);
        group.forEach((coordinate, i) => {
          const v = vectors[k * group.length + i];
          unwhiten[coordinate * dim + group[k]] = v * deviation;
          whiten[group[k] * dim + coordinate] = v / deviation;
        });
      });
    }
    requireResolved(whiten, mean);
    const whitening = new Whitening(dim, options.name ?? "whitening");
    whitening.#unwhiten.weight.set(unwhiten);
    whitening.#unwhiten.bias.set(mean);
    whitening.#whiten.weight.set(whiten);
    whitening.#whiten.bias.set(negativeProduct(whiten, mean));
    // Two float32 numbers hold the constant to float64 precision; it is added to every log-probability.
    const high = Math.fround(logDet);
    whitening.#logDet.set([high, logDet - high]);
    return whitening;
  }

  parameters(): readonly Parameter[] {
    return [
      this.#unwhiten.weight,
      this.#unwhiten.bias,
      this.#whiten.weight,
      this.#whiten.bias,
      this.#logDet,
    ];
  }

  forward(z: Tensor): { x: Tensor; logDet: Tensor } {
    return { x: linear(z, this.#unwhiten.weight, this.#unwhiten.bias), logDet: this.#constant(z) };
  }

  inverse(x: Tensor): { z: Tensor; logDet: Tensor } {
    return { z: linear(x, this.#whiten.weight, this.#whiten.bias), logDet: negate(this.#constant(x)) };
  }

  /** The constant as a column: read when the graph runs, so that a graph traced before a checkpoint is loaded is right. */
  #constant({ graph }: Tensor): Tensor {
    return sumFeatures(broadcast(graph, this.#logDet));
  }
}

/** Error of a component, in deviations, that the rounding of coordinates to float32 may make: 1 %. */
const LARGEST_ROUNDING = 0.01;

/** Refuses data that lie so far from the origin that float32 cannot tell them apart. */
function requireResolved(whiten: Float64Array, mean: Float64Array): void {
  const { length } = mean;
  for (let k = 0; k < length; k++) {
    const size = mean.reduce((sum, v, i) => sum + Math.abs(whiten[k * length + i] * v), 0);
    if (size * 2 ** -24 <= LARGEST_ROUNDING) continue;
    throw new RangeError(
      `Cannot fit a whitening: data must vary by more than float32 tells apart, got component ${k} at ${
        Number(size.toPrecision(3))
      } deviations from the origin: subtract the mean of each coordinate, and add it to the samples`,
    );
  }
}

function covariance(data: Float64Array, dim: number, group: readonly number[], mean: Float64Array): Float64Array {
  const d = group.length;
  const n = data.length / dim;
  const sums = new Float64Array(d * d);
  const centred = new Float64Array(d);
  for (let row = 0; row < n; row++) {
    for (let i = 0; i < d; i++) centred[i] = data[row * dim + group[i]] - mean[group[i]];
    for (let i = 0; i < d; i++) {
      for (let j = 0; j <= i; j++) sums[i * d + j] += centred[i] * centred[j];
    }
  }
  const matrix = new Float64Array(d * d);
  for (let i = 0; i < d; i++) {
    for (let j = 0; j <= i; j++) matrix[i * d + j] = matrix[j * d + i] = sums[i * d + j] / (n - 1);
  }
  return matrix;
}

function negativeProduct(matrix: Float64Array, vector: Float64Array): Float64Array {
  const d = vector.length;
  return vector.map((_, i) => -vector.reduce((sum, v, j) => sum + matrix[i * d + j] * v, 0));
}
