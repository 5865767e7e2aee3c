/**
 * The contract of a primitive: its formula in float64, its derivative, and the kernels that compute both.
 *
 * @module
 */
import type { Shape } from "../../graph/graph.ts";
import type { BaseKind } from "../../backend/program.ts";
import type { Attributes, PrimitiveName } from "../../graph/attributes.ts";

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

/** What a primitive sees while it writes down the kernel calls of its value. */
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
  /** Packed forms of the parameter that is input i. */
  packed(i: number): { readonly forward: Address; readonly transposed: Address };
  /** Address of a list of int32 that lives as long as the plan. */
  indices(values: readonly number[]): Address;
  /** Address of a table of float32 that lives as long as the plan; the same array gives the same address. */
  constants(values: Float32Array): Address;
  /** Bytes of the executing thread for use within the calls of this primitive; what they hold is undefined. */
  scratch(bytes: number): Address;
  /** Whether the derivative by input i will be asked for. */
  willWant(i: number): boolean;
  /**
   * A batch that `forward` fills for `vjp`, such as a derivative that is cheap beside the value: the same address in
   * both. Only where a derivative will be asked for.
   */
  saved(features: number): Address;
  /** Appends a kernel call. */
  emit(...call: Call): void;
}

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

/** The kernels of a primitive on batches. */
export interface Lowering<P extends PrimitiveName> {
  /** Writes down the calls that compute the value. */
  forward(at: ForwardLowering<P>): void;
  /** Writes down the calls that compute the cotangents of the inputs. */
  vjp(at: VjpLowering<P>): void;
  /** What `vjp` reads. */
  readonly saves: Saved;
  /** Whether the result may overwrite the first input. */
  readonly inPlace?: boolean;
}

/** A primitive: everything there is to know about one operation. */
export interface Primitive<P extends PrimitiveName> {
  /** y = f(inputs), in float64. */
  forward(at: Evaluation<P>): Float64Array;
  /** Cotangents of the inputs from the cotangent of y, in float64. */
  vjp(at: Evaluation<P> & { readonly output: Float64Array }, cotangent: Float64Array): (Float64Array | null)[];
  /** Its kernels, where it works on batches. */
  readonly lowering?: Lowering<P>;
}
