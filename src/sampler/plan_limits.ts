/**
 * How much a plan may cost. Whoever can write a file can write a plan that is sound step by step and never ends, or that
 * takes all memory: so what it will cost is summed up while it is read, before anything is computed or reserved.
 *
 * The flow of the particle dimer, 38 particles one after the other, stays below a hundredth of every bound.
 *
 * @module
 */
import type { Tilt } from "../graph/attributes.ts";
import { isBatch, type Tensor } from "../graph/graph.ts";

/** Bounds of a plan. */
export const planLimits = {
  /** Steps. */
  steps: 2 ** 15,
  /** Features of one value. */
  features: 2 ** 20,
  /** Numbers in the tables of all tilted densities together: each has a copy of those that it needs. */
  tableNumbers: 2 ** 24,
  /** Multiplications for one sample: seconds for a batch. A file of the largest size has a quarter as many weights. */
  work: 2 ** 30,
  /** Bytes of values while it runs. */
  bytes: 2 ** 30,
} as const;

/** What a function of one number costs in multiplications of a matrix; the largest is the solution of a mixture. */
const PER_NUMBER = 64;

/** Numbers of a value for one sample. */
function numbersOf({ shape }: Tensor): number {
  return shape.reduce<number>((product, size) => product * (size === "n" ? 1 : size), 1);
}

/** Multiplications for one sample of the value that was entered last into its graph; a bound within a factor of ten. */
export function workOf(tensor: Tensor): number {
  const { nodes } = tensor.graph;
  const { primitive, inputs, attributes } = nodes[tensor.id];
  if (primitive === "linear") return nodes[inputs[0]].shape[1] as number * numbersOf(tensor);
  if ("tilt" in attributes) return tiltWork(attributes.tilt);
  return PER_NUMBER * numbersOf(tensor);
}

/** Polynomials and pair energies at all nodes, the coefficients, and reading the tables. */
function tiltWork({ spatialDim, basis, fine, coarse, pairs, tables }: Tilt): number {
  const nodes = fine * coarse ** (spatialDim - 1);
  return nodes * (basis + 4 * pairs.length) + PER_NUMBER * basis * (fine + coarse + basis) + tableNumbers(tables);
}

/** Numbers in tables. */
export function tableNumbers(tables: Tilt["tables"]): number {
  return tables.reduce((sum, { values }) => sum + values.length, 0);
}

/** Says what is wrong with the size of a value, if anything: batches have features, and not too many. */
export function widthFault({ shape }: Tensor): string | undefined {
  if (!isBatch(shape) || shape[1] >= 1 && shape[1] <= planLimits.features) return undefined;
  return `values of the plan must have 1 to ${planLimits.features} features, got ${shape[1]}`;
}
