/**
 * Formulas in float64: of every function of one or two numbers, and of what makes columns and scalars.
 *
 * Columns are computed by these and by nothing else; for batches they are the reference that kernels are held against.
 *
 * @module
 */
import { expOf, log1pOf, logOf, powerOf, tanhOf } from "../random/elementary.ts";
import { cosOf, sinOf } from "../random/elementary_sine.ts";
import type { Attributes, PrimitiveName } from "./attributes.ts";
import type { Shape } from "./graph.ts";

/** One evaluation in float64, row-major. */
export interface Evaluation<P extends PrimitiveName> {
  /** Values of the inputs. */
  readonly inputs: readonly Float64Array[];
  /** Shapes of the inputs. */
  readonly shapes: readonly Shape[];
  /** Shape of the result. */
  readonly shape: Shape;
  /** Attributes of the node. */
  readonly attributes: Attributes[P];
  /** Number of samples. */
  readonly n: number;
}

/** A formula. */
export type Formula<P extends PrimitiveName> = (at: Evaluation<P>) => Float64Array;

/** 1 / (1 + e⁻ˣ), without overflow. */
export const logistic = (x: number): number => x >= 0 ? 1 / (1 + expOf(-x)) : expOf(x) / (1 + expOf(x));

/** Applies f to each number. */
export function map(x: Float64Array, f: (x: number) => number): Float64Array {
  const y = new Float64Array(x.length);
  for (let i = 0; i < x.length; i++) y[i] = f(x[i]);
  return y;
}

/** Applies f to two arrays of which either may be a single number (a scalar beside a column). */
export function zip(a: Float64Array, b: Float64Array, f: (a: number, b: number) => number): Float64Array {
  const y = new Float64Array(Math.max(a.length, b.length));
  const stepA = a.length === 1 ? 0 : 1;
  const stepB = b.length === 1 ? 0 : 1;
  for (let i = 0; i < y.length; i++) y[i] = f(a[i * stepA], b[i * stepB]);
  return y;
}

const unary = (f: (x: number) => number) => ({ inputs: [x] }: { readonly inputs: readonly Float64Array[] }) =>
  map(x, f);

const binary =
  (f: (a: number, b: number) => number) => ({ inputs: [a, b] }: { readonly inputs: readonly Float64Array[] }) =>
    zip(a, b, f);

const total = (x: Float64Array) => x.reduce((sum, v) => sum + v, 0);

/** The formulas by primitive. */
export const formulas = {
  tanh: unary(tanhOf),
  exp: unary(expOf),
  log: unary(logOf),
  relu: unary((x) => x > 0 || Number.isNaN(x) ? x : 0),
  sigmoid: unary(logistic),
  silu: unary((x) => x * logistic(x)),
  softplus: unary((x) => Math.max(x, 0) + log1pOf(expOf(-Math.abs(x)))),
  square: unary((x) => x * x),
  negate: unary((x) => -x),
  sqrt: unary(Math.sqrt),
  sin: unary(sinOf),
  cos: unary(cosOf),
  power: ({ inputs: [x], attributes: { exponent } }) => map(x, (v) => powerOf(v, exponent)),
  scaleShift: ({ inputs: [x], attributes: { scale, shift } }) => map(x, (v) => scale * v + shift),
  add: binary((a, b) => a + b),
  subtract: binary((a, b) => a - b),
  multiply: binary((a, b) => a * b),
  divide: binary((a, b) => a / b),
  constantColumn: ({ attributes: { value }, n }) => new Float64Array(n).fill(value),
  mean: ({ inputs: [x] }) => Float64Array.of(total(x) / x.length),
  sum: ({ inputs: [x] }) => Float64Array.of(total(x)),
} satisfies { readonly [P in PrimitiveName]?: Formula<P> };

/** Computes a node of columns and scalars. */
export function evaluateColumn(name: PrimitiveName, at: Evaluation<PrimitiveName>): Float64Array {
  const formula = (formulas as unknown as Partial<Record<PrimitiveName, Formula<PrimitiveName>>>)[name];
  if (formula === undefined) throw new Error(`Internal error: ${name} is no operation of columns`);
  return formula(at);
}
