/**
 * What lowering makes of a graph and its derivative: calls, and where values lie.
 *
 * @module
 */
import type { KernelCall } from "../backend/program.ts";
import type { Parameter } from "../graph/parameter.ts";
import type { Address } from "../graph/forward_kernel.ts";
import type { LoweredForward } from "../graph/lower_forward.ts";

/** A stretch of the backward pass. */
export interface Stage {
  /** Calls for each slice. */
  readonly calls: readonly KernelCall[];
  /** Independent lists of calls for all slices together, to run afterwards. */
  readonly sums: readonly (readonly KernelCall[])[];
}

/** Calls and sizes of the blocks that they work in. */
export interface Lowered extends LoweredForward {
  /** The backward pass; empty if no gradients were asked for. */
  readonly stages: readonly Stage[];
  /** Where the head puts the cotangents of boundary values, by node id. */
  readonly seeds: ReadonlyMap<number, Address>;
  /** Where the gradients of inputs lie, by node id. */
  readonly inputGradients: ReadonlyMap<number, Address>;
  /** Offset of each trainable parameter in a gradient block. */
  readonly gradientOffsets: ReadonlyMap<Parameter, number>;
  /** The parameters whose gradients the backward calls write; they leave those of others as they are. */
  readonly kernelGradients: ReadonlySet<Parameter>;
  /** Bytes of the blocks of the batch, of each thread, and of the gradients. */
  readonly bytes: LoweredForward["bytes"] & { readonly gradient: number };
}
