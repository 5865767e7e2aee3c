/**
 * What lowering makes of a graph: calls, and where values lie.
 *
 * @module
 */
import type { KernelCall } from "../backend/program.ts";
import type { Parameter } from "../graph/parameter.ts";
import type { Address } from "./primitives/primitive.ts";

/** How the samples are cut. */
export interface Slicing {
  /** Panels of a slice. */
  readonly panels: number;
  /** Number of slices. */
  readonly slices: number;
  /** Panels that hold samples; the slices may have some more. */
  readonly allPanels: number;
}

/** A stretch of the backward pass. */
export interface Stage {
  /** Calls for each slice. */
  readonly calls: readonly KernelCall[];
  /** Independent lists of calls for all slices together, to run afterwards. */
  readonly sums: readonly (readonly KernelCall[])[];
}

/** Calls and sizes of the blocks that they work in. */
export interface Lowered {
  /** Calls that compute the values of a slice. */
  readonly forward: readonly KernelCall[];
  /** The backward pass; empty if no gradients were asked for. */
  readonly stages: readonly Stage[];
  /** Where values that outlive the forward calls lie, by node id. */
  readonly values: ReadonlyMap<number, Address>;
  /** Where the head puts the cotangents of boundary values, by node id. */
  readonly seeds: ReadonlyMap<number, Address>;
  /** Where the gradients of inputs lie, by node id. */
  readonly inputGradients: ReadonlyMap<number, Address>;
  /** Offset of each trainable parameter in a gradient block. */
  readonly gradientOffsets: ReadonlyMap<Parameter, number>;
  /** The parameters whose gradients the backward calls write; they leave those of others as they are. */
  readonly kernelGradients: ReadonlySet<Parameter>;
  /** Sizes of the blocks. */
  readonly bytes: BlockSizes;
  /** Addresses of constants: to be released with the plan. */
  readonly constants: readonly number[];
}

/** Bytes of the blocks of a program. */
export interface BlockSizes {
  readonly batch: number;
  readonly thread: number;
  readonly gradient: number;
}
