/**
 * The contract of a primitive: its formula in float64, its derivative, and the kernels of the derivative.
 *
 * @module
 */
import type { PrimitiveName } from "../../graph/attributes.ts";
import type { Evaluation } from "../../graph/columns.ts";
import type { Address, Call, ForwardLowering } from "../../graph/forward_kernel.ts";

/** What a primitive sees while it writes down the kernel calls of its derivative. */
export interface VjpLowering<P extends PrimitiveName> extends ForwardLowering<P> {
  /** Where the cotangent of the result lies. */
  readonly cotangent: Address;
  /** Whether input i wants a cotangent. */
  wants(i: number): boolean;
  /**
   * Where the cotangent of input i goes and whether to add to what is there (1) or overwrite (0). Each call counts as
   * one contribution, so it must be followed by calls that write there once: in `emit` for a batch, in `emitSums` for a
   * parameter.
   */
  contribute(i: number): { readonly address: Address; readonly accumulate: 0 | 1 };
  /**
   * Where a kernel that cannot add puts the cotangent of input i, a batch; what it writes there is added to other
   * contributions afterwards. It takes the place of `contribute`.
   */
  overwrite(i: number): Address;
  /** Panels of the whole batch. */
  readonly allPanels: number;
  /**
   * Appends sums over all samples: independent lists of calls that run once, when the cotangent of the result is known
   * for the whole batch. That and values of the batch are there, but no scratch.
   */
  emitSums(...lists: Call[][]): void;
}

/** Which values a derivative reads, so that the others can be freed early. */
export type Saved = "inputs" | "output" | "both" | "nothing";

/** The kernels of a derivative on batches. */
export interface VjpKernel<P extends PrimitiveName> {
  /** Writes down the calls that compute the cotangents of the inputs. */
  vjp(at: VjpLowering<P>): void;
  /** What `vjp` reads. */
  readonly saves: Saved;
}

/** A primitive: everything there is to know about one operation, apart from its kernels in src/graph. */
export interface Primitive<P extends PrimitiveName> {
  /** y = f(inputs), in float64. */
  forward(at: Evaluation<P>): Float64Array;
  /** Cotangents of the inputs from the cotangent of y, in float64. */
  vjp(at: Evaluation<P> & { readonly output: Float64Array }, cotangent: Float64Array): (Float64Array | null)[];
  /** The kernels of its derivative, where it works on batches. */
  readonly kernel?: VjpKernel<P>;
}
