/**
 * Systems whose energy a user writes with autodiff operations.
 *
 * @module
 */
import { sampleCount } from "../autodiff/gradient.ts";
import { Graph, isColumn, type Tensor } from "../graph/graph.ts";
import { input } from "../graph/operations.ts";
import { ReferenceRun } from "../autodiff/reference_run.ts";

/** A system made by {@link systemFromEnergy}. */
export interface AutodiffSystem {
  /** What it is called. */
  readonly name: string;
  /** Number of coordinates. */
  readonly dim: number;
  /** The energy as it was given: x [n, dim] → U [n], for programs that write it elsewhere, as into model files. */
  readonly formula: (x: Tensor) => Tensor;
  /**
   * Computes energies.
   *
   * @param x configurations [n, dim], row-major
   * @returns U [n]
   */
  energy(x: Float64Array): Float64Array;
  /**
   * Computes energies and their gradients.
   *
   * @param x configurations [n, dim], row-major
   * @returns U [n] and ∂U/∂x [n, dim]
   */
  energyAndGradient(x: Float64Array): { energy: Float64Array; gradient: Float64Array };
}

/**
 * Makes a system of an energy written with operations. It is evaluated in float64, value and gradient alike.
 *
 * @param energy from configurations x [n, dim] to U [n]
 * @param options `dim`: number of coordinates; `name` for reports, default "user energy"
 * @returns the system
 * @throws {TypeError} if the energy is not one number per configuration
 *
 * @example The double well of Noé et al. 2019
 * ```ts
 * import { add, column, power, square, scaleShift, systemFromEnergy } from "@boltzflow/boltzflow";
 *
 * const system = systemFromEnergy((x) => {
 *   const [a, b] = [column(x, 0), column(x, 1)];
 *   const well = add(add(power(a, 4), scaleShift(square(a), -6, 0)), a);
 *   return add(well, scaleShift(square(b), 0.5, 0));
 * }, { dim: 2 });
 *
 * if (system.energy(Float64Array.of(1, 2))[0] !== -2) throw new Error("1 − 6 + 1 + 2 = −2");
 * ```
 */
export function systemFromEnergy(
  energy: (x: Tensor) => Tensor,
  options: { readonly dim: number; readonly name?: string },
): AutodiffSystem {
  const { dim, name = "user energy" } = options;
  const graph = new Graph();
  const x = input(graph, "x", dim);
  const u = energy(x);
  if (!isColumn(u.shape)) {
    throw new TypeError(
      `Cannot make a system: the energy must return one number per configuration [n], got [${u.shape.join(", ")}]`,
    );
  }
  const run = (values: Float64Array): ReferenceRun => {
    const reference = new ReferenceRun(graph, sampleCount(values, dim));
    reference.provide(x.id, values);
    reference.forward();
    return reference;
  };
  return {
    name,
    dim,
    formula: energy,
    energy: (values) => run(values).values[u.id]!,
    energyAndGradient(values) {
      const reference = run(values);
      const value = reference.values[u.id]!;
      const seeds = new Map([[u.id, new Float64Array(value.length).fill(1)]]);
      const gradient = reference.backward(seeds).get(x.id) ?? new Float64Array(values.length);
      return { energy: value, gradient };
    },
  };
}
