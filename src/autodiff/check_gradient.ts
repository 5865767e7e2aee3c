/**
 * Compares derivatives with differences, in float64.
 *
 * @module
 */
import { Graph, isColumn, type Tensor } from "../graph/graph.ts";
import { input, sum } from "../graph/operations.ts";
import { ReferenceRun } from "./reference_run.ts";

/**
 * Checks the derivative of a function by central differences of its float64 reference.
 *
 *     max over elements |g − (f(x + h) − f(x − h)) / 2h| / max(1, |g|)
 *
 * About 1e-9 at h = 1e-5 for smooth functions of order one; a wrong rule gives an error of order one.
 *
 * @param f from a batch [n, dim] to a column or scalar
 * @param x row-major [n, dim]
 * @param dim features
 * @param h half the step of the difference
 * @returns the largest error; NaN if a derivative or a difference is
 *
 * @example
 * ```ts
 * import { checkGradient, column, multiply, power } from "@boltzflow/boltzflow";
 * import { assertLess } from "@std/assert";
 *
 * const error = checkGradient((x) => multiply(power(column(x, 0), 3), column(x, 1)), Float64Array.of(1.5, -2), 2);
 *
 * assertLess(error, 1e-7);
 * ```
 */
export function checkGradient(f: (x: Tensor) => Tensor, x: Float64Array, dim: number, h = 1e-5): number {
  const graph = new Graph();
  const at = input(graph, "x", dim);
  const output = f(at);
  const total = isColumn(output.shape) ? sum(output) : output;
  const n = x.length / dim;
  const run = (values: Float64Array): ReferenceRun => {
    const reference = new ReferenceRun(graph, n);
    reference.provide(at.id, values);
    reference.forward();
    return reference;
  };
  const gradient = run(x).backward(new Map([[total.id, Float64Array.of(1)]])).get(at.id) ?? new Float64Array(x.length);
  let worst = 0;
  for (let i = 0; i < x.length; i++) {
    const moved = (step: number): number => {
      const shifted = x.slice();
      shifted[i] += step;
      return run(shifted).values[total.id]![0];
    };
    const difference = (moved(h) - moved(-h)) / (2 * h);
    const error = Math.abs(gradient[i] - difference) / Math.max(1, Math.abs(gradient[i]));
    if (Number.isNaN(error)) return NaN;
    worst = Math.max(worst, error);
  }
  return worst;
}
