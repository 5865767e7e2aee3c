/**
 * Primitives that act on each element alone.
 *
 * Bars are cotangents: x̄ is the derivative of the loss by x.
 *
 * @module
 */
import { powerOf } from "../../random/elementary.ts";
import { cosOf, sinOf } from "../../random/elementary_sine.ts";
import { formulas, logistic, map, zip } from "../../graph/columns.ts";
import type { Evaluation } from "../../graph/columns.ts";
import type { ScalarFunction } from "../../graph/attributes.ts";
import type { Primitive, Saved, VjpKernel } from "./primitive.ts";

/** dy/dx from x and y. */
type Derivative = (x: number, y: number) => number;

/** A primitive y = f(x) with the kernel `<name>GradF32`, whose vjp reads what `saves` says. */
function unary<P extends ScalarFunction>(name: P, saves: Saved, derivative: Derivative): Primitive<P> {
  const kernel: VjpKernel<P> = {
    saves,
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
    forward: formulas[name],
    vjp: ({ inputs: [x], output }, cotangent) => [cotangent.map((c, i) => c * derivative(x[i], output[i]))],
    kernel,
  };
}

/** y = tanh x:  x̄ = ȳ (1 − y²) */
export const tanh: Primitive<"tanh"> = unary("tanh", "output", (_, y) => 1 - y * y);
/** y = eˣ:  x̄ = ȳ y */
export const exp: Primitive<"exp"> = unary("exp", "output", (_, y) => y);
/** y = ln x:  x̄ = ȳ / x */
export const log: Primitive<"log"> = unary("log", "inputs", (x) => 1 / x);
/** y = max(x, 0):  x̄ = ȳ for x > 0, else 0 */
export const relu: Primitive<"relu"> = unary("relu", "inputs", (x) => x > 0 ? 1 : 0);
/** y = 1 / (1 + e⁻ˣ):  x̄ = ȳ y (1 − y) */
export const sigmoid: Primitive<"sigmoid"> = unary("sigmoid", "output", (_, y) => y * (1 - y));
/** y = x / (1 + e⁻ˣ):  x̄ = ȳ (σ + y (1 − σ)), σ = sigmoid x */
export const silu: Primitive<"silu"> = unary("silu", "inputs", (x, y) => logistic(x) + y * (1 - logistic(x)));
/** y = ln(1 + eˣ):  x̄ = ȳ sigmoid x */
export const softplus: Primitive<"softplus"> = unary("softplus", "inputs", logistic);
/** y = x²:  x̄ = 2 ȳ x */
export const square: Primitive<"square"> = unary("square", "inputs", (x) => 2 * x);
/** y = −x:  x̄ = −ȳ */
export const negate: Primitive<"negate"> = unary("negate", "nothing", () => -1);
/** y = √x:  x̄ = ȳ / (2 y) */
export const sqrt: Primitive<"sqrt"> = unary("sqrt", "output", (_, y) => 0.5 / y);
/** y = sin x:  x̄ = ȳ cos x */
export const sin: Primitive<"sin"> = unary("sin", "inputs", cosOf);
/** y = cos x:  x̄ = −ȳ sin x */
export const cos: Primitive<"cos"> = unary("cos", "inputs", (x) => -sinOf(x));

/** y = xᵏ, k constant, columns and scalars only:  x̄ = ȳ k xᵏ⁻¹ */
export const power: Primitive<"power"> = {
  forward: formulas.power,
  vjp({ inputs: [x], attributes: { exponent: k } }, cotangent) {
    return [cotangent.map((c, i) => k === 0 ? 0 : c * k * powerOf(x[i], k - 1))];
  },
};

/** y = a x + b with constants a, b:  x̄ = a ȳ */
export const scaleShift: Primitive<"scaleShift"> = {
  forward: formulas.scaleShift,
  vjp: ({ attributes: { scale } }, cotangent) => [map(cotangent, (c) => scale * c)],
  kernel: {
    saves: "nothing",
    vjp(at) {
      const { address, accumulate } = at.contribute(0);
      const kernel = accumulate ? "accumulateF32" : "copyF32";
      at.emit(kernel, 32 * at.panels * at.outputFeatures, at.attributes.scale, at.cotangent, address);
    },
  },
};

/** Sums a cotangent to the length of an input that was repeated. */
function reduceTo(length: number, cotangent: Float64Array): Float64Array {
  if (cotangent.length === length) return cotangent;
  return Float64Array.of(cotangent.reduce((sum, c) => sum + c, 0));
}

type Binary = "add" | "subtract" | "multiply" | "divide";

interface Partials {
  /** ∂y/∂a and ∂y/∂b. */
  byA(a: number, b: number): number;
  byB(a: number, b: number): number;
}

function binary<P extends Binary>(name: P, partials: Partials, kernel: VjpKernel<P>): Primitive<P> {
  return {
    forward: formulas[name],
    vjp({ inputs: [a, b] }: Evaluation<P>, cotangent) {
      const partial = (by: (a: number, b: number) => number, length: number) =>
        reduceTo(length, zip(a, b, by).map((d, i) => d * cotangent[i]));
      return [partial(partials.byA, a.length), partial(partials.byB, b.length)];
    },
    kernel,
  };
}

/** Kernels of y = a ± b: both cotangents are multiples of ȳ. */
function additive<P extends "add" | "subtract">(signB: 1 | -1): VjpKernel<P> {
  return {
    saves: "nothing",
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
export const add: Primitive<"add"> = binary("add", { byA: () => 1, byB: () => 1 }, additive(1));

/** y = a − b:  ā = ȳ, b̄ = −ȳ */
export const subtract: Primitive<"subtract"> = binary("subtract", { byA: () => 1, byB: () => -1 }, additive(-1));

/** y = a b:  ā = ȳ b, b̄ = ȳ a */
export const multiply: Primitive<"multiply"> = binary("multiply", { byA: (_, b) => b, byB: (a) => a }, {
  saves: "inputs",
  vjp(at) {
    for (const i of [0, 1]) {
      if (!at.wants(i)) continue;
      const { address, accumulate } = at.contribute(i);
      const count = 32 * at.panels * at.outputFeatures;
      at.emit("multiplyGradF32", count, accumulate, at.input(1 - i), at.cotangent, address);
    }
  },
});

/** y = a / b:  ā = ȳ / b, b̄ = −ȳ a / b² */
export const divide: Primitive<"divide"> = binary("divide", { byA: (_, b) => 1 / b, byB: (a, b) => -a / (b * b) }, {
  saves: "inputs",
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
});
