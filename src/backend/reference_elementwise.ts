/**
 * Reference of wasm/elementwise.ts: the same functions in float64 TypeScript, arrays in place of addresses.
 *
 * @module
 */
import { normalCdf, normalQuantile } from "./reference_normal.ts";

/** y[i] = f(x[i]) for i < count. */
export type UnaryReference = (count: number, x: Float64Array, y: Float64Array) => void;

/** y[i] = f(a[i], b[i]) for i < count. */
export type BinaryReference = (count: number, a: Float64Array, b: Float64Array, y: Float64Array) => void;

/** dx[i] (+)= slope(saved[i])·dy[i]; `saved` is y for tanh, exp, sigmoid and sqrt, and x for the others. */
export type GradientReference = (
  count: number,
  accumulate: number,
  saved: Float64Array,
  dy: Float64Array,
  dx: Float64Array,
) => void;

function unary(f: (x: number) => number): UnaryReference {
  return (count, x, y) => {
    for (let i = 0; i < count; ++i) y[i] = f(x[i]);
  };
}

function binary(f: (a: number, b: number) => number): BinaryReference {
  return (count, a, b, y) => {
    for (let i = 0; i < count; ++i) y[i] = f(a[i], b[i]);
  };
}

function gradient(f: (saved: number, dy: number) => number): GradientReference {
  return (count, accumulate, saved, dy, dx) => {
    for (let i = 0; i < count; ++i) dx[i] = (accumulate ? dx[i] : 0) + f(saved[i], dy[i]);
  };
}

/** 1/(1 + e⁻ˣ) without cancellation on either side. */
function logistic(x: number): number {
  const e = Math.exp(-Math.abs(x));
  return (x < 0 ? e : 1) / (1 + e);
}

/** 1 above 0, 0 elsewhere, NaN for NaN. */
function step(x: number): number {
  return Number.isNaN(x) ? x : Number(x > 0);
}

/** y = tanh x. */
export const tanhF32: UnaryReference = unary(Math.tanh);
/** y = eˣ. */
export const expF32: UnaryReference = unary(Math.exp);
/** y = ln x. */
export const logF32: UnaryReference = unary(Math.log);
/** y = max(x, 0). */
export const reluF32: UnaryReference = unary((x) => x < 0 ? 0 : x);
/** y = 1/(1 + e⁻ˣ). */
export const sigmoidF32: UnaryReference = unary(logistic);
/** y = x/(1 + e⁻ˣ). */
export const siluF32: UnaryReference = unary((x) => x * logistic(x));
/** y = ln(1 + eˣ). */
export const softplusF32: UnaryReference = unary((x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))));
/** y = x². */
export const squareF32: UnaryReference = unary((x) => x * x);
/** y = −x. */
export const negateF32: UnaryReference = unary((x) => -x);
/** y = √x. */
export const sqrtF32: UnaryReference = unary(Math.sqrt);
/** y = sin x. */
export const sinF32: UnaryReference = unary(Math.sin);
/** y = cos x. */
export const cosF32: UnaryReference = unary(Math.cos);
/** y = Φ(x). */
export const normalCdfF32: UnaryReference = unary(normalCdf);
/** z = Φ⁻¹(lower/(lower + upper)). */
export const normalQuantileF32: BinaryReference = binary(normalQuantile);

/** dx (+)= dy·(1 − y²). */
export const tanhGradF32: GradientReference = gradient((y, dy) => dy * (1 - y * y));
/** dx (+)= dy·y. */
export const expGradF32: GradientReference = gradient((y, dy) => dy * y);
/** dx (+)= dy/x. */
export const logGradF32: GradientReference = gradient((x, dy) => dy / x);
/** dx (+)= dy·1[x > 0]. */
export const reluGradF32: GradientReference = gradient((x, dy) => dy * step(x));
/** dx (+)= dy·y·(1 − y). */
export const sigmoidGradF32: GradientReference = gradient((y, dy) => dy * y * (1 - y));
/** dx (+)= dy·σ(x)·(1 + x·σ(−x)). */
export const siluGradF32: GradientReference = gradient((x, dy) => dy * logistic(x) * (1 + x * logistic(-x)));
/** dx (+)= dy·σ(x). */
export const softplusGradF32: GradientReference = gradient((x, dy) => dy * logistic(x));
/** dx (+)= 2x·dy. */
export const squareGradF32: GradientReference = gradient((x, dy) => dy * 2 * x);
/** dx (+)= dy/(2y). */
export const sqrtGradF32: GradientReference = gradient((y, dy) => dy / (2 * y));
/** dx (+)= dy·cos x. */
export const sinGradF32: GradientReference = gradient((x, dy) => dy * Math.cos(x));
/** dx (+)= −dy·sin x. */
export const cosGradF32: GradientReference = gradient((x, dy) => -dy * Math.sin(x));
/** dx (+)= dy·φ(x). */
export const normalCdfGradF32: GradientReference = gradient((x, dy) =>
  dy * (Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI))
);
/** dp (+)= dz/φ(z). */
export const probitGradF32: GradientReference = gradient((z, dz) =>
  dz * (Math.sqrt(2 * Math.PI) * Math.exp(z * z / 2))
);

/** y = a + b. */
export const addF32: BinaryReference = binary((a, b) => a + b);
/** y = a − b. */
export const subtractF32: BinaryReference = binary((a, b) => a - b);
/** y = a·b. */
export const multiplyF32: BinaryReference = binary((a, b) => a * b);
/** y = a/b. */
export const divideF32: BinaryReference = binary((a, b) => a / b);
/** dx (+)= dy·other. */
export const multiplyGradF32: GradientReference = gradient((other, dy) => dy * other);
/** da (+)= dy/b. */
export const divideGradNumeratorF32: GradientReference = gradient((b, dy) => dy / b);

/** db (+)= −dy·a/b². */
export function divideGradDenominatorF32(
  count: number,
  accumulate: number,
  a: Float64Array,
  b: Float64Array,
  dy: Float64Array,
  db: Float64Array,
): void {
  for (let i = 0; i < count; ++i) db[i] = (accumulate ? db[i] : 0) - (dy[i] / b[i]) * (a[i] / b[i]);
}

/** y = a·x + b with numbers a and b. */
export function scaleShiftF32(count: number, a: number, b: number, x: Float64Array, y: Float64Array): void {
  for (let i = 0; i < count; ++i) y[i] = a * x[i] + b;
}

/** y += scale·x. */
export function accumulateF32(count: number, scale: number, x: Float64Array, y: Float64Array): void {
  for (let i = 0; i < count; ++i) y[i] += scale * x[i];
}

/** y = scale·x. */
export function copyF32(count: number, scale: number, x: Float64Array, y: Float64Array): void {
  for (let i = 0; i < count; ++i) y[i] = scale * x[i];
}

/** y = value. */
export function fillF32(count: number, value: number, y: Float64Array): void {
  y.fill(value, 0, count);
}

/** y = value. */
export function fillF64(count: number, value: number, y: Float64Array): void {
  y.fill(value, 0, count);
}
