/**
 * What users write computations with. Each operation checks shapes and appends a node to the graph of its inputs.
 *
 * Shapes: a batch `["n", d]`, a column `["n"]`, a scalar `[]`. Arithmetic wants equal shapes, or a scalar beside a
 * column. Batches run as float32 kernels; columns and scalars in float64.
 *
 * @module
 */
import { type Graph, isBatch, isColumn, type Shape, type Tensor } from "./graph.ts";
import type { Parameter } from "./parameter.ts";
import type { ExternalOperation, ScalarFunction } from "./attributes.ts";
import { requireBatch, shapeText } from "./shapes.ts";

const elementwise = (name: ScalarFunction) => (x: Tensor): Tensor => x.graph.add(name, [x], {}, x.shape);

/** tanh x, each element. */
export const tanh: (x: Tensor) => Tensor = elementwise("tanh");
/** eˣ, each element. */
export const exp: (x: Tensor) => Tensor = elementwise("exp");
/** ln x, each element. */
export const log: (x: Tensor) => Tensor = elementwise("log");
/** max(x, 0), each element. */
export const relu: (x: Tensor) => Tensor = elementwise("relu");
/** 1 / (1 + e⁻ˣ), each element. */
export const sigmoid: (x: Tensor) => Tensor = elementwise("sigmoid");
/** x / (1 + e⁻ˣ), each element. */
export const silu: (x: Tensor) => Tensor = elementwise("silu");
/** ln(1 + eˣ), each element. */
export const softplus: (x: Tensor) => Tensor = elementwise("softplus");
/** x², each element. */
export const square: (x: Tensor) => Tensor = elementwise("square");
/** −x, each element. */
export const negate: (x: Tensor) => Tensor = elementwise("negate");
/** √x, each element. */
export const sqrt: (x: Tensor) => Tensor = elementwise("sqrt");
/** sin x, each element. */
export const sin: (x: Tensor) => Tensor = elementwise("sin");
/** cos x, each element. */
export const cos: (x: Tensor) => Tensor = elementwise("cos");

/**
 * Computes Φ(x), the normal distribution function, of each element, with a small relative error in the lower tail too.
 *
 * @param x [n, d]
 * @returns [n, d], from 0 to 1
 * @throws {TypeError} if x is no batch
 */
export function normalCdf(x: Tensor): Tensor {
  requireBatch("apply the normal distribution", "x", x);
  return x.graph.add("normalCdf", [x], {}, x.shape);
}

/**
 * Computes Φ⁻¹(p), the normal number below which the part p of the mass lies, of each element: the inverse of
 * {@link normalCdf}. ∓∞ at 0 and 1, NaN beyond.
 *
 * @param p [n, d]
 * @returns [n, d]
 * @throws {TypeError} if p is no batch
 */
export function probit(p: Tensor): Tensor {
  requireBatch("invert the normal distribution", "p", p);
  return p.graph.add("probit", [p], {}, p.shape);
}

/** The shape of a ∘ b: equal shapes, or a scalar beside a column. */
function commonShape(operation: string, a: Tensor, b: Tensor): Shape {
  const equal = a.shape.length === b.shape.length && a.shape.every((size, i) => size === b.shape[i]);
  if (equal) return a.shape;
  if (a.shape.length === 0 && isColumn(b.shape)) return b.shape;
  if (b.shape.length === 0 && isColumn(a.shape)) return a.shape;
  throw new TypeError(
    `Cannot ${operation}: shapes must be equal, or a scalar beside a column, got ${shapeText(a.shape)} and ${
      shapeText(b.shape)
    }`,
  );
}

/**
 * Adds a + b.
 *
 * @param a a tensor
 * @param b a tensor of the same shape, a scalar beside a column, or a number
 * @returns a tensor of the common shape
 * @throws {TypeError} if the shapes do not go together
 */
export function add(a: Tensor, b: Tensor | number): Tensor {
  return typeof b === "number" ? scaleShift(a, 1, b) : a.graph.add("add", [a, b], {}, commonShape("add", a, b));
}

/**
 * Subtracts a − b.
 *
 * @param a a tensor
 * @param b a tensor of the same shape, a scalar beside a column, or a number
 * @returns a tensor of the common shape
 * @throws {TypeError} if the shapes do not go together
 */
export function subtract(a: Tensor, b: Tensor | number): Tensor {
  if (typeof b === "number") return scaleShift(a, 1, -b);
  return a.graph.add("subtract", [a, b], {}, commonShape("subtract", a, b));
}

/**
 * Multiplies a b, element by element.
 *
 * @param a a tensor
 * @param b a tensor of the same shape, a scalar beside a column, or a number
 * @returns a tensor of the common shape
 * @throws {TypeError} if the shapes do not go together
 */
export function multiply(a: Tensor, b: Tensor | number): Tensor {
  if (typeof b === "number") return scaleShift(a, b, 0);
  return a.graph.add("multiply", [a, b], {}, commonShape("multiply", a, b));
}

/**
 * Divides a / b, element by element.
 *
 * @param a a tensor
 * @param b a tensor of the same shape, a scalar beside a column, or a number
 * @returns a tensor of the common shape
 * @throws {TypeError} if the shapes do not go together
 */
export function divide(a: Tensor, b: Tensor | number): Tensor {
  if (typeof b === "number") return scaleShift(a, 1 / b, 0);
  return a.graph.add("divide", [a, b], {}, commonShape("divide", a, b));
}

/**
 * Computes scale · x + shift with constants.
 *
 * @param x a tensor of any shape
 * @param scale factor
 * @param shift what is added
 * @returns a tensor of the shape of x
 */
export function scaleShift(x: Tensor, scale: number, shift: number): Tensor {
  return x.graph.add("scaleShift", [x], { scale, shift }, x.shape);
}

/**
 * Computes xᵏ for a constant k.
 *
 * @param x a column or scalar
 * @param exponent k
 * @returns a tensor of the shape of x
 * @throws {TypeError} if x is a batch: take columns first, or use `square`
 */
export function power(x: Tensor, exponent: number): Tensor {
  if (isBatch(x.shape)) {
    throw new TypeError(
      `Cannot take a power: x must be a column or scalar, got ${shapeText(x.shape)}: use square or column`,
    );
  }
  return x.graph.add("power", [x], { exponent }, x.shape);
}

/**
 * x Wᵀ + b, the affine map of a layer.
 *
 * @param x [n, k]
 * @param weight [m, k], row = output
 * @param bias [m]
 * @returns [n, m]
 */
export function linear(x: Tensor, weight: Parameter, bias: Parameter): Tensor {
  const k = requireBatch("apply a linear layer", "x", x);
  const [rows, columns] = weight.shape;
  if (columns !== k || bias.shape.length !== 1 || bias.shape[0] !== rows) {
    throw new RangeError(
      "Cannot apply a linear layer: x [n, k], weight [m, k] and bias [m] must match, got x " +
        `${shapeText(x.shape)}, weight ${shapeText(weight.shape)} and bias ${shapeText(bias.shape)}`,
    );
  }
  const { graph } = x;
  return graph.add("linear", [x, graph.parameter(weight), graph.parameter(bias)], {}, ["n", rows]);
}

/**
 * A row of parameters repeated for every sample.
 *
 * @param graph where to
 * @param row [d]
 * @returns [n, d]
 */
export function broadcast(graph: Graph, row: Parameter): Tensor {
  if (row.shape.length !== 1) {
    throw new RangeError(`Cannot broadcast ${row.name}: its shape must be [d], got ${shapeText(row.shape)}`);
  }
  return graph.add("broadcast", [graph.parameter(row)], {}, ["n", row.shape[0]]);
}

/**
 * Features in another order, or some of them.
 *
 * @param x [n, d]
 * @param indices distinct features of x
 * @returns [n, indices.length]
 */
export function gather(x: Tensor, indices: readonly number[]): Tensor {
  const d = requireBatch("gather features", "x", x);
  const seen = new Set(indices);
  if (seen.size !== indices.length || indices.some((i) => !Number.isInteger(i) || i < 0 || i >= d)) {
    throw new RangeError(`Cannot gather features: indices must be distinct and from 0 to ${d - 1}, got [${indices}]`);
  }
  return x.graph.add("gather", [x], { indices }, ["n", indices.length]);
}

/**
 * Features of a and b side by side.
 *
 * @param a [n, k]
 * @param b [n, m]
 * @returns [n, k + m]
 */
export function concat(a: Tensor, b: Tensor): Tensor {
  const d = requireBatch("concatenate", "a", a) + requireBatch("concatenate", "b", b);
  return a.graph.add("concat", [a, b], {}, ["n", d]);
}

/**
 * One feature as a column.
 *
 * @param x [n, d]
 * @param index which, 0 … d − 1
 * @returns [n]
 */
export function column(x: Tensor, index: number): Tensor {
  const d = requireBatch("take a column", "x", x);
  if (!Number.isInteger(index) || index < 0 || index >= d) {
    throw new RangeError(`Cannot take a column: index must be from 0 to ${d - 1}, got ${index}`);
  }
  return x.graph.add("column", [x], { index }, ["n"]);
}

/**
 * Sums over features, in float64.
 *
 * @param x [n, d]
 * @returns [n]
 */
export function sumFeatures(x: Tensor): Tensor {
  requireBatch("sum over features", "x", x);
  return x.graph.add("sumFeatures", [x], {}, ["n"]);
}

/**
 * Makes a column that holds the same number for every sample.
 *
 * @param graph where to
 * @param value the number
 * @returns [n]
 */
export function constantColumn(graph: Graph, value: number): Tensor {
  return graph.add("constantColumn", [], { value }, ["n"]);
}

function requireColumn(operation: string, x: Tensor): void {
  if (!isColumn(x.shape)) throw new TypeError(`Cannot ${operation}: x must be a column [n], got ${shapeText(x.shape)}`);
}

/**
 * Takes the mean over samples.
 *
 * @param x [n]
 * @returns a scalar
 */
export function mean(x: Tensor): Tensor {
  requireColumn("take the mean", x);
  return x.graph.add("mean", [x], {}, []);
}

/**
 * Sums over samples.
 *
 * @param x [n]
 * @returns a scalar
 */
export function sum(x: Tensor): Tensor {
  requireColumn("sum over samples", x);
  return x.graph.add("sum", [x], {}, []);
}

/**
 * Applies a float64 TypeScript function that brings its own derivative.
 *
 * @param operation value and vjp
 * @param inputs what it is applied to
 * @param shape a column ["n"], a scalar [] or a vector [k]
 * @returns the result
 * @throws {TypeError} if there are no inputs, or the result is a batch
 *
 * @example The energy of a spring, with its own derivative
 * ```ts
 * import { external, valueAndGradient } from "@boltzflow/boltzflow";
 * import { assertEquals } from "@std/assert";
 *
 * const spring = {
 *   name: "spring",
 *   forward: ([x]: readonly Float64Array[]) => ({ value: x.map((v) => v * v / 2), saved: null }),
 *   vjp: (cotangent: Float64Array, [x]: readonly Float64Array[]) => [x.map((v, i) => cotangent[i] * v)],
 * };
 * const f = valueAndGradient((x) => external(spring, [x], ["n"]), 1);
 *
 * assertEquals([...f(Float64Array.of(3, -4)).gradient], [3, -4]);
 * ```
 */
export function external(operation: ExternalOperation, inputs: readonly Tensor[], shape: Shape): Tensor {
  if (inputs.length === 0 || isBatch(shape)) {
    throw new TypeError(
      `Cannot apply ${operation.name}: it must have inputs and return a column or scalar, got ${inputs.length} inputs ` +
        `and shape ${shapeText(shape)}`,
    );
  }
  return inputs[0].graph.add("external", inputs, { operation }, shape);
}

/**
 * A batch that is given when the graph runs.
 *
 * @param graph where to
 * @param name for messages
 * @param d number of features
 * @returns [n, d]
 */
export function input(graph: Graph, name: string, d: number): Tensor {
  return graph.add("input", [], { name }, ["n", d]);
}
