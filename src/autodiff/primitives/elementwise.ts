/**
 * Primitives that act on each element alone.
 *
 * Bars are cotangents: x̄ is the derivative of the loss by x.
 *
 * @module
 */
import { expOf, log1pOf, logOf, powerOf, tanhOf } from "../../random/elementary.ts";
import { cosOf, sinOf } from "../../random/elementary_sine.ts";
import type { PrimitiveName } from "../../graph/attributes.ts";
import type { Evaluation, Lowering, Primitive, Saved } from "./primitive.ts";

/** Value and derivative of a function of one number; the derivative may use the value. */
interface Scalar {
  f(x: number): number;
  /** dy/dx from x and y. */
  derivative(x: number, y: number): number;
}

function map(x: Float64Array, f: (x: number) => number): Float64Array {
  const y = new Float64Array(x.length);
  for (let i = 0; i < x.length; i++) y[i] = f(x[i]);
  return y;
}

/** A primitive y = f(x) with kernels `<name>F32` and `<name>GradF32`, whose vjp reads what `saves` says. */
function unary<P extends PrimitiveName>(name: P, saves: Saved, scalar: Scalar): Primitive<P> {
  const lowering: Lowering<P> = {
    saves,
    inPlace: saves !== "inputs",
    forward: (at) => at.emit(`${name}F32`, 32 * at.panels * at.outputFeatures, at.input(0), at.output),
    vjp(at) {
      const { address, accumulate } = at.contribute(0);
      const count = 32 * at.panels * at.outputFeatures;
      if (name === "negate") {
        at.emit(accumulate ? "accumulateF32" : "copyF32", count, -1, at.cotangent, address);
      } else {
        const saved = saves === "output" ? at.output : at.input(0);
        at.emit(`${name}GradF32`, count, accumulate, saved, at.cotangent, address);
      }
    },
  };
  return {
    forward: ({ inputs: [x] }) => map(x, scalar.f),
    vjp({ inputs: [x], output }, cotangent) {
      return [cotangent.map((c, i) => c * scalar.derivative(x[i], output[i]))];
    },
    lowering,
  };
}

const logistic = (x: number): number => x >= 0 ? 1 / (1 + expOf(-x)) : expOf(x) / (1 + expOf(x));

/** y = tanh x:  x̄ = ȳ (1 − y²) */
export const tanh: Primitive<"tanh"> = unary("tanh", "output", { f: tanhOf, derivative: (_, y) => 1 - y * y });
/** y = eˣ:  x̄ = ȳ y */
export const exp: Primitive<"exp"> = unary("exp", "output", { f: expOf, derivative: (_, y) => y });
/** y = ln x:  x̄ = ȳ / x */
export const log: Primitive<"log"> = unary("log", "inputs", { f: logOf, derivative: (x) => 1 / x });
/** y = max(x, 0):  x̄ = ȳ for x > 0, else 0 */
export const relu: Primitive<"relu"> = unary("relu", "inputs", {
  f: (x) => x > 0 || Number.isNaN(x) ? x : 0,
  derivative: (x) => x > 0 ? 1 : 0,
});
/** y = 1 / (1 + e⁻ˣ):  x̄ = ȳ y (1 − y) */
export const sigmoid: Primitive<"sigmoid"> = unary("sigmoid", "output", {
  f: logistic,
  derivative: (_, y) => y * (1 - y),
});
/** y = x / (1 + e⁻ˣ):  x̄ = ȳ (σ + y (1 − σ)), σ = sigmoid x */
export const silu: Primitive<"silu"> = unary("silu", "inputs", {
  f: (x) => x * logistic(x),
  derivative: (x, y) => logistic(x) + y * (1 - logistic(x)),
});
/** y = ln(1 + eˣ):  x̄ = ȳ sigmoid x */
export const softplus: Primitive<"softplus"> = unary("softplus", "inputs", {
  f: (x) => Math.max(x, 0) + log1pOf(expOf(-Math.abs(x))),
  derivative: logistic,
});
/** y = x²:  x̄ = 2 ȳ x */
export const square: Primitive<"square"> = unary("square", "inputs", { f: (x) => x * x, derivative: (x) => 2 * x });
/** y = −x:  x̄ = −ȳ */
export const negate: Primitive<"negate"> = unary("negate", "nothing", { f: (x) => -x, derivative: () => -1 });
/** y = √x:  x̄ = ȳ / (2 y) */
export const sqrt: Primitive<"sqrt"> = unary("sqrt", "output", { f: Math.sqrt, derivative: (_, y) => 0.5 / y });
/** y = sin x:  x̄ = ȳ cos x */
export const sin: Primitive<"sin"> = unary("sin", "inputs", { f: sinOf, derivative: cosOf });
/** y = cos x:  x̄ = −ȳ sin x */
export const cos: Primitive<"cos"> = unary("cos", "inputs", { f: cosOf, derivative: (x) => -sinOf(x) });

/** y = xᵏ, k constant, columns and scalars only:  x̄ = ȳ k xᵏ⁻¹ */
export const power: Primitive<"power"> = {
  forward: ({ inputs: [x], attributes: { exponent } }) => map(x, (v) => powerOf(v, exponent)),
  vjp({ inputs: [x], attributes: { exponent: k } }, cotangent) {
    return [cotangent.map((c, i) => k === 0 ? 0 : c * k * powerOf(x[i], k - 1))];
  },
};

/** y = a x + b with constants a, b:  x̄ = a ȳ */
export const scaleShift: Primitive<"scaleShift"> = {
  forward: ({ inputs: [x], attributes: { scale, shift } }) => map(x, (v) => scale * v + shift),
  vjp: ({ attributes: { scale } }, cotangent) => [map(cotangent, (c) => scale * c)],
  lowering: {
    saves: "nothing",
    inPlace: true,
    forward(at) {
      const { scale, shift } = at.attributes;
      at.emit("scaleShiftF32", 32 * at.panels * at.outputFeatures, scale, shift, at.input(0), at.output);
    },
    vjp(at) {
      const { address, accumulate } = at.contribute(0);
      const kernel = accumulate ? "accumulateF32" : "copyF32";
      at.emit(kernel, 32 * at.panels * at.outputFeatures, at.attributes.scale, at.cotangent, address);
    },
  },
};

/** Applies f to two arrays of which either may be a single number (a scalar beside a column). */
function zip(a: Float64Array, b: Float64Array, f: (a: number, b: number) => number): Float64Array {
  const y = new Float64Array(Math.max(a.length, b.length));
  const stepA = a.length === 1 ? 0 : 1;
  const stepB = b.length === 1 ? 0 : 1;
  for (let i = 0; i < y.length; i++) y[i] = f(a[i * stepA], b[i * stepB]);
  return y;
}

/** Sums a cotangent to the length of an input that was repeated. */
function reduceTo(length: number, cotangent: Float64Array): Float64Array {
  if (cotangent.length === length) return cotangent;
  return Float64Array.of(cotangent.reduce((sum, c) => sum + c, 0));
}

type Binary = "add" | "subtract" | "multiply" | "divide";

interface BinaryRule {
  f(a: number, b: number): number;
  /** ∂y/∂a and ∂y/∂b. */
  byA(a: number, b: number): number;
  byB(a: number, b: number): number;
}

function binary<P extends Binary>(lowering: Lowering<P>, rule: BinaryRule): Primitive<P> {
  return {
    forward: ({ inputs: [a, b] }) => zip(a, b, rule.f),
    vjp({ inputs: [a, b] }: Evaluation<P>, cotangent) {
      const partial = (by: (a: number, b: number) => number, length: number) =>
        reduceTo(length, zip(a, b, by).map((d, i) => d * cotangent[i]));
      return [partial(rule.byA, a.length), partial(rule.byB, b.length)];
    },
    lowering,
  };
}

/** Kernels of y = a ± b: both cotangents are multiples of ȳ. */
function additive<P extends "add" | "subtract">(name: P, signB: 1 | -1): Lowering<P> {
  return {
    saves: "nothing",
    inPlace: true,
    forward: (at) => at.emit(`${name}F32`, 32 * at.panels * at.outputFeatures, at.input(0), at.input(1), at.output),
    vjp(at) {
      for (const [i, sign] of [[0, 1], [1, signB]] as const) {
        if (!at.wants(i)) continue;
        const { address, accumulate } = at.contribute(i);
        const kernel = accumulate ? "accumulateF32" : "copyF32";
        at.emit(kernel, 32 * at.panels * at.outputFeatures, sign, at.cotangent, address);
      }
    },
  };
}

/** y = a + b:  ā = ȳ, b̄ = ȳ */
export const add: Primitive<"add"> = binary(additive("add", 1), {
  f: (a, b) => a + b,
  byA: () => 1,
  byB: () => 1,
});

/** y = a − b:  ā = ȳ, b̄ = −ȳ */
export const subtract: Primitive<"subtract"> = binary(additive("subtract", -1), {
  f: (a, b) => a - b,
  byA: () => 1,
  byB: () => -1,
});

/** y = a b:  ā = ȳ b, b̄ = ȳ a */
export const multiply: Primitive<"multiply"> = binary<"multiply">({
  saves: "inputs",
  forward: (at) => at.emit("multiplyF32", 32 * at.panels * at.outputFeatures, at.input(0), at.input(1), at.output),
  vjp(at) {
    for (const i of [0, 1]) {
      if (!at.wants(i)) continue;
      const { address, accumulate } = at.contribute(i);
      const count = 32 * at.panels * at.outputFeatures;
      at.emit("multiplyGradF32", count, accumulate, at.input(1 - i), at.cotangent, address);
    }
  },
}, { f: (a, b) => a * b, byA: (_, b) => b, byB: (a) => a });

/** y = a / b:  ā = ȳ / b, b̄ = −ȳ a / b² */
export const divide: Primitive<"divide"> = binary<"divide">({
  saves: "inputs",
  forward: (at) => at.emit("divideF32", 32 * at.panels * at.outputFeatures, at.input(0), at.input(1), at.output),
  vjp(at) {
    const count = 32 * at.panels * at.outputFeatures;
    if (at.wants(0)) {
      const { address, accumulate } = at.contribute(0);
      at.emit("divideGradNumeratorF32", count, accumulate, at.input(1), at.cotangent, address);
    }
    if (at.wants(1)) {
      const { address, accumulate } = at.contribute(1);
      at.emit("divideGradDenominatorF32", count, accumulate, at.input(0), at.input(1), at.cotangent, address);
    }
  },
}, { f: (a, b) => a / b, byA: (_, b) => 1 / b, byB: (a, b) => -a / (b * b) });
