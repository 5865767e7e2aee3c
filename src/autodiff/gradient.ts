/**
 * Value and gradient of a function written with operations: the functional form of the autodiff.
 *
 * @module
 */
import { Graph, type Tensor } from "../graph/graph.ts";
import { KernelRun } from "./kernel_run.ts";
import { input, sum } from "../graph/operations.ts";
import type { Parameter } from "../graph/parameter.ts";
import { isColumn } from "../graph/graph.ts";

/** What {@link valueAndGradient} returns. */
export interface ValueAndGradient {
  /** The value: one number for a scalar function, [n] for one number per sample. */
  readonly value: Float64Array;
  /** ∂(sum of the values)/∂x, [n, dim] row-major; for one number per sample that is each sample's own gradient. */
  readonly gradient: Float64Array;
  /** ∂(sum of the values)/∂p for every trainable parameter that the function uses. */
  readonly parameters: ReadonlyMap<Parameter, Float32Array>;
}

/**
 * Makes a function that returns the value and the gradient of f by reverse-mode differentiation.
 *
 * The function is traced once; runs for the same number of samples reuse its memory.
 * Batches are float32, columns and scalars float64.
 *
 * @param f from a batch x [n, dim] to a column [n] or a scalar, written with operations
 * @param dim number of features of x
 * @returns a function of x, row-major [n, dim]
 * @throws {TypeError} if f returns a batch
 *
 * @example Gradient of Σⱼ xⱼ²
 * ```ts
 * import { square, sumFeatures, valueAndGradient } from "@boltzflow/boltzflow";
 * import { assertEquals } from "@std/assert";
 *
 * const f = valueAndGradient((x) => sumFeatures(square(x)), 2);
 * const { value, gradient } = f(Float64Array.of(1, 2, 3, 4)); // two samples
 *
 * assertEquals([...value], [5, 25]);
 * assertEquals([...gradient], [2, 4, 6, 8]);
 * ```
 */
export function valueAndGradient(f: (x: Tensor) => Tensor, dim: number): (x: Float64Array) => ValueAndGradient {
  const graph = new Graph();
  const output = f(input(graph, "x", dim));
  if (output.shape.length > 1) {
    throw new TypeError(
      `Cannot differentiate f: it must return a column or a scalar, got [${output.shape.join(", ")}]`,
    );
  }
  const total = isColumn(output.shape) ? sum(output) : output;
  let run: KernelRun | null = null;
  return (x) => {
    const n = sampleCount(x, dim);
    if (run?.n !== n) {
      run?.[Symbol.dispose]();
      run = new KernelRun([output, total], { n, gradient: true, inputGradients: true });
    }
    const [value] = run.forward([x]);
    const [gradient] = run.backward([null, Float64Array.of(1)]);
    const trainable = graph.parameters().filter((parameter) => parameter.trainable);
    const current = run;
    return { value, gradient, parameters: new Map(trainable.map((p) => [p, current.gradientOf(p)])) };
  };
}

/** Number of rows of a row-major array; throws if the length is no multiple of `dim`. */
export function sampleCount(x: Float64Array, dim: number): number {
  if (x.length === 0 || x.length % dim !== 0) {
    throw new RangeError(
      `Cannot read a batch: x must hold a whole number ≥ 1 of rows of ${dim}, got length ${x.length}`,
    );
  }
  return x.length / dim;
}
