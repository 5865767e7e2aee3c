/**
 * ONNX operators as a small algebra, for lowerings that are whole programs.
 *
 * Values are names of float tensors of one element type; numbers may stand for scalar constants.
 *
 * Programs work on tensors whose last axis is the batch, [k, n] rather than [n, k], and on rows [1, n]: the runtime
 * broadcasts and sums along long runs of memory some ten times faster than along rows of a few numbers.
 *
 * @module
 */
import { elementTypeCodes, type ModelAttribute } from "../format/model.ts";
import type { Precision } from "../sampler/metadata.ts";
import { batchSize, type ModelBuilder } from "./model_builder.ts";

/** The name of a tensor, or a number. */
export type Operand = string | number;

const integer = (value: number): ModelAttribute => ({ kind: "integer", value });
const integers = (value: readonly number[]): ModelAttribute => ({ kind: "integers", value });

/** The name of a size that is so many times the number of samples. */
function batchMultiple(factor: number): string {
  return factor === 1 ? batchSize : `${factor}${batchSize}`;
}

/** Emits operators on tensors of one element type. */
export class Algebra {
  /** Where nodes go. */
  readonly builder: ModelBuilder;
  /** Element type. */
  readonly type: Precision;

  /**
   * @param builder where nodes go
   * @param type element type
   */
  constructor(builder: ModelBuilder, type: Precision) {
    this.builder = builder;
    this.type = type;
  }

  /** A constant tensor. */
  constant(values: readonly number[], dims: readonly number[]): string {
    return this.builder.constant(this.type, values, dims);
  }

  /** One operator on numbers or tensors. */
  apply(operator: string, ...operands: readonly Operand[]): string {
    return this.builder.emit(operator, operands.map((x) => typeof x === "number" ? this.constant([x], []) : x));
  }

  add = (a: Operand, b: Operand): string => this.apply("Add", a, b);
  subtract = (a: Operand, b: Operand): string => this.apply("Sub", a, b);
  multiply = (a: Operand, b: Operand): string => this.apply("Mul", a, b);
  divide = (a: Operand, b: Operand): string => this.apply("Div", a, b);
  maximum = (a: Operand, b: Operand): string => this.apply("Max", a, b);
  minimum = (a: Operand, b: Operand): string => this.apply("Min", a, b);
  less = (a: Operand, b: Operand): string => this.apply("Less", a, b);
  atMost = (a: Operand, b: Operand): string => this.apply("LessOrEqual", a, b);
  equal = (a: Operand, b: Operand): string => this.apply("Equal", a, b);
  either = (a: string, b: string): string => this.apply("Or", a, b);
  both = (a: string, b: string): string => this.apply("And", a, b);
  not = (a: string): string => this.apply("Not", a);
  where = (condition: string, yes: Operand, no: Operand): string => this.apply("Where", condition, yes, no);
  exp = (x: Operand): string => this.apply("Exp", x);
  log = (x: Operand): string => this.apply("Log", x);
  sqrt = (x: Operand): string => this.apply("Sqrt", x);
  tanh = (x: Operand): string => this.apply("Tanh", x);
  absolute = (x: Operand): string => this.apply("Abs", x);
  negate = (x: Operand): string => this.apply("Neg", x);
  square = (x: string): string => this.apply("Mul", x, x);
  product = (a: string, b: string): string => this.apply("MatMul", a, b);

  /** c₀ xᵏ + c₁ xᵏ⁻¹ + … */
  polynomial(coefficients: readonly number[], x: string): string {
    const [first, second, ...rest] = coefficients;
    const start = this.add(first === 1 ? x : this.multiply(x, first), second);
    return rest.reduce((sum, c) => this.add(this.multiply(sum, x), c), start);
  }

  /**
   * ln(1 + x) for x > −1, exact near 0 by Kahan's quotient x ln w / (w − 1), w = 1 + x rounded, which is x where w = 1.
   */
  log1p(x: string): string {
    const w = this.add(x, 1);
    const quotient = this.divide(this.multiply(x, this.log(w)), this.subtract(w, 1));
    return this.where(this.equal(w, 1), x, quotient);
  }

  /** The sum over an axis, which stays with size 1 or goes. */
  sum(x: string, axis: number, keep = true): string {
    return this.builder.emit("ReduceSum", [x, this.builder.constant("int64", [axis], [1])], {
      ...!keep && { keepdims: integer(0) },
    });
  }

  /** The largest along axes, which stay with size 1. */
  largest(x: string, ...axes: readonly number[]): string {
    return this.builder.emit("ReduceMax", [x], { axes: integers(axes) });
  }

  /** The smallest along axes, which stay with size 1. */
  smallest(x: string, ...axes: readonly number[]): string {
    return this.builder.emit("ReduceMin", [x], { axes: integers(axes) });
  }

  /** log Σ exp along an axis, which stays with size 1. */
  logSumExp(x: string, axis: number): string {
    const largest = this.largest(x, axis);
    return this.add(largest, this.log(this.sum(this.exp(this.subtract(x, largest)), axis)));
  }

  /**
   * The same numbers in other sizes.
   *
   * @param x a tensor of this element type
   * @param dims sizes; −1 for the one that depends on the batch
   * @param perSample what that one is per sample
   */
  reshape(x: string, dims: readonly number[], perSample = 1): string {
    const value = this.#reshape(x, dims);
    return this.builder.declare(value, this.type, dims.map((size) => size === -1 ? batchMultiple(perSample) : size));
  }

  #reshape(x: string, dims: readonly number[]): string {
    return this.builder.emit("Reshape", [x, this.builder.constant("int64", dims, [dims.length])]);
  }

  /** [n, k] → [k, n] and back. */
  transpose(x: string): string {
    return this.builder.emit("Transpose", [x]);
  }

  /** Part of an axis, every so-manyth. */
  slice(x: string, axis: number, from: number, to: number, step = 1): string {
    const sizes = [[from], [to], [axis], ...step === 1 ? [] : [[step]]];
    return this.builder.emit("Slice", [x, ...sizes.map((value) => this.builder.constant("int64", value, [1]))]);
  }

  /** The axes in another order. */
  permute(x: string, order: readonly number[]): string {
    return this.builder.emit("Transpose", [x], { perm: integers(order) });
  }

  /** Rows of [k, n] whose numbers stand in `index` [m], as [m, n]. */
  rows(x: string, index: string): string {
    return this.builder.emit("Gather", [x, index], { axis: integer(0) });
  }

  /** One row [1, n] of [k, n]. */
  row(x: string, index: number): string {
    return this.slice(x, 0, index, index + 1);
  }

  /** Tensors one after the other along an axis. */
  concat(parts: readonly string[], axis: number): string {
    return parts.length === 1 ? parts[0] : this.builder.emit("Concat", parts, { axis: integer(axis) });
  }

  /** Whole numbers of 32 bits, rounded towards zero. */
  toWhole(x: string): string {
    return this.builder.emit("Cast", [x], { to: integer(elementTypeCodes.int32) });
  }

  /** Numbers of this element type, from truths or whole numbers. */
  toNumber(x: string): string {
    return this.builder.emit("Cast", [x], { to: integer(elementTypeCodes[this.type]) });
  }

  /** A constant tensor of whole numbers of 32 bits. */
  whole(values: readonly number[], dims: readonly number[]): string {
    return this.builder.constant("int32", values, dims);
  }

  /** From [k, n], in each column the element whose number stands in `index` [1, n]; or along another axis. */
  pick(x: string, index: string, axis = 0): string {
    return this.builder.emit("GatherElements", [x, index], { axis: integer(axis) });
  }

  /** The elements of a table [k] at few places, in the shape of the places. */
  at(table: string, index: string): string {
    return this.builder.emit("Gather", [table, index]);
  }

  /**
   * The elements of a table [k] at places given in a tensor of any shape, as [all]. `GatherElements` of one axis takes a
   * tenth of the time of `Gather`.
   *
   * @param table numbers
   * @param index whole numbers of 32 bits
   * @param perSample how many for each sample
   */
  lookUp(table: string, index: string, perSample = 1): string {
    const flat = this.builder.declare(this.#reshape(index, [-1]), "int32", [batchMultiple(perSample)]);
    return this.pick(table, flat);
  }

  /** A row [1, n] as a column [n] of float64. */
  toColumn(row: string): string {
    return this.builder.emit("Cast", [this.reshape(row, [-1])], { to: integer(elementTypeCodes.float64) });
  }

  /** Rows [1, n], or blocks of rows, as a batch [n, k]. */
  batch(rows: readonly string[]): string {
    return this.transpose(this.concat(rows, 0));
  }
}
