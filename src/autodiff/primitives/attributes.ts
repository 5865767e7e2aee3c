/**
 * What each primitive needs beside its inputs: the closed list of primitives.
 *
 * @module
 */
import type { Parameter } from "../parameter.ts";

type None = Record<never, never>;

/** An operation in float64 TypeScript that brings its own derivative: an energy, a batch statistic. */
export interface ExternalOperation {
  /** For messages and profiles. */
  readonly name: string;
  /**
   * Computes the value.
   *
   * @param inputs each input, row-major float64
   * @param n number of samples
   * @returns the value, and whatever the vjp wants to keep
   */
  forward(inputs: readonly Float64Array[], n: number): { value: Float64Array; saved: unknown };
  /**
   * Computes the cotangents of the inputs; null for one that has none.
   *
   * @param cotangent of the value
   * @param inputs as given to `forward`
   * @param saved what `forward` kept
   * @param n number of samples
   */
  vjp(
    cotangent: Float64Array,
    inputs: readonly Float64Array[],
    saved: unknown,
    n: number,
  ): (Float64Array | null)[];
}

/** Attributes by primitive. */
export interface Attributes {
  input: { readonly name: string };
  parameter: { readonly parameter: Parameter };
  external: { readonly operation: ExternalOperation };
  linear: None;
  broadcast: None;
  tanh: None;
  exp: None;
  log: None;
  relu: None;
  sigmoid: None;
  silu: None;
  softplus: None;
  square: None;
  negate: None;
  sqrt: None;
  sin: None;
  cos: None;
  power: { readonly exponent: number };
  scaleShift: { readonly scale: number; readonly shift: number };
  add: None;
  subtract: None;
  multiply: None;
  divide: None;
  gather: { readonly indices: readonly number[] };
  concat: None;
  affineForward: None;
  affineInverse: None;
  sumFeatures: None;
  column: { readonly index: number };
  constantColumn: { readonly value: number };
  mean: None;
  sum: None;
}

/** Name of a primitive. */
export type PrimitiveName = keyof Attributes;
