/** How far kernels may lie from float64: bounds that their own tests and the fuzz test share. */
import { type Argument, type Bound, referenceResult, smallest, ulp, unitRoundoff } from "./kernel_harness.ts";

/** Largest error of each function, as its kernel states it. */
export const functionBounds: Readonly<Record<string, (y: number, x: number) => number>> = {
  tanhF32: (y) => Math.min(4.5 * ulp(y), 2.1e-7),
  expF32: (y) => ulp(y),
  logF32: (y) => ulp(y),
  reluF32: () => 0,
  sigmoidF32: (y) => 2.5 * ulp(y),
  siluF32: (y, x) => 4 * ulp(y) + 2 * smallest * Math.abs(x),
  softplusF32: (y) => 3 * ulp(y),
  squareF32: (y) => ulp(y) / 2,
  negateF32: () => 0,
  sqrtF32: (y) => ulp(y) / 2,
  sinF32: () => 1.2e-7,
  cosF32: () => 1.2e-7,
};

/** The normal distribution, as wasm/normal.ts states it; below Φ(−12.9) = 2.24e-38 the kernel says 0. */
export const normalBounds = {
  normalCdfF32: (y: number): number => Math.max(7 * ulp(y), y < 2.25e-38 ? y : 0),
  normalQuantileF32: (z: number): number => 6 * ulp(z),
} as const;

/** Where a derivative is tested, and how far from float64 it may lie. */
export interface GradientBound {
  /** Range and special values of what the kernel reads beside dy. */
  readonly from: number;
  readonly to: number;
  readonly special: readonly number[];
  /** Error of slope·dy in units of u: roundings times magnitude of what is rounded. */
  readonly error: (saved: number, dy: number) => number;
}

const outputs = [0, 1, smallest, NaN];
const inputs = [0, -0, Infinity, -Infinity, NaN, smallest];
const finite = [0, -0, NaN, smallest];

/** By kernel. The rounding of a function's own error bound, in units of u: n ULP are at most 2n units. */
export const gradientBounds: Readonly<Record<string, GradientBound>> = {
  tanhGradF32: { from: -1, to: 1, special: [-1, ...outputs], error: (y, dy) => 2 * Math.abs(dy) * (1 + y * y) },
  expGradF32: { from: 0, to: 9, special: [Infinity, ...outputs], error: (y, dy) => Math.abs(dy * y) },
  logGradF32: { from: 0.1, to: 9, special: inputs, error: (x, dy) => Math.abs(dy / x) },
  reluGradF32: { from: -2, to: 2, special: inputs, error: () => 0 },
  sigmoidGradF32: { from: 0, to: 1, special: outputs, error: (y, dy) => 3 * Math.abs(dy) * (y + y * y) },
  siluGradF32: { from: -9, to: 9, special: inputs, error: (x, dy) => 14 * Math.abs(dy) * (1 + Math.abs(x)) },
  softplusGradF32: { from: -9, to: 9, special: inputs, error: (_, dy) => 6 * Math.abs(dy) },
  squareGradF32: { from: -9, to: 9, special: finite, error: (x, dy) => 2 * Math.abs(dy * x) },
  sqrtGradF32: { from: 0.1, to: 9, special: [Infinity, ...outputs], error: (y, dy) => Math.abs(dy / y) / 2 },
  sinGradF32: { from: -20, to: 20, special: inputs, error: (_, dy) => (1.2e-7 / unitRoundoff + 1) * Math.abs(dy) },
  cosGradF32: { from: -20, to: 20, special: inputs, error: (_, dy) => (1.2e-7 / unitRoundoff + 1) * Math.abs(dy) },
  // 3 ULP of the Gaussian, a constant and two products or quotients.
  normalCdfGradF32: {
    from: -9,
    to: 9,
    special: inputs,
    error: (x, dy) => 9 * Math.abs(dy) * 0.4 * Math.exp(-x * x / 2),
  },
  probitGradF32: { from: -9, to: 9, special: inputs, error: (z, dz) => 9 * Math.abs(dz) * 2.51 * Math.exp(z * z / 2) },
  multiplyGradF32: { from: -9, to: 9, special: finite, error: (x, dy) => Math.abs(dy * x) },
  divideGradNumeratorF32: { from: 0.1, to: 9, special: inputs, error: (x, dy) => Math.abs(dy / x) },
};

/**
 * Error of a sum of products in float32, whatever its order: |error| ≤ terms·u·Σ|products| (Higham 2002, §3.1), with one
 * rounding per product and per addition. Σ|products| is the reference of the absolute values.
 */
export function sumBound(kernel: string, args: readonly Argument[], roundings: number): Bound {
  const magnitudes = referenceResult(kernel, args, Math.abs).args;
  return (_, i, a) => a < 0 ? 0 : roundings * unitRoundoff * (magnitudes[a] as Float64Array)[i] + roundings * smallest;
}
