/**
 * What a primitive sees while it writes down the kernel calls that compute it.
 *
 * @module
 */
import type { PackedForm } from "../backend/parameters.ts";
import type { BaseKind } from "../backend/program.ts";
import type { Attributes, PrimitiveName } from "./attributes.ts";

/** An address that is relative to the block of the batch, a thread or the gradients. */
export interface Address {
  /** What it is relative to. */
  readonly base: BaseKind;
  /** Bytes from there, for the first slice. */
  readonly offset: number;
  /** Bytes from one slice to the next. */
  readonly stride: number;
}

/** A kernel and its arguments. */
export type Call = readonly [kernel: string, ...args: (number | Address)[]];

/** Sizes and addresses of one application of a primitive. */
export interface ForwardLowering<P extends PrimitiveName> {
  /** Attributes of the node. */
  readonly attributes: Attributes[P];
  /** Panels of 32 samples in a slice. */
  readonly panels: number;
  /** Number of features of input i. */
  features(i: number): number;
  /** Number of features of the result. */
  readonly outputFeatures: number;
  /** Where input i lies. */
  input(i: number): Address;
  /** Where the result goes. */
  readonly output: Address;
  /** A packed form of the parameter that is input i. */
  packed(i: number, form: PackedForm): Address;
  /** Address of a list of int32 that lives as long as the plan. */
  indices(values: readonly number[]): Address;
  /** Address of a table of float32 that lives as long as the plan; the same array gives the same address. */
  constants(values: Float32Array): Address;
  /** Bytes of the executing thread for use within the calls of this primitive; what they hold is undefined. */
  scratch(bytes: number): Address;
  /** Whether the derivative by input i will be asked for. */
  willWant(i: number): boolean;
  /**
   * A batch that `forward` fills for a derivative, such as one that is cheap beside the value: the same address in
   * both. Only where a derivative will be asked for.
   */
  saved(features: number): Address;
  /** Appends a kernel call. */
  emit(...call: Call): void;
}

/** The kernels that compute a primitive on batches. */
export interface ForwardKernel<P extends PrimitiveName> {
  /** Writes down the calls. */
  forward(at: ForwardLowering<P>): void;
  /** Whether the result may overwrite the first input. */
  readonly inPlace?: boolean;
}
