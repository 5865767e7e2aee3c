/**
 * Elementwise functions and their derivatives on `count` contiguous floats; any count ≥ 0.
 *
 * Each operation is a class with one inlined method; `map…` are the loops. Where accumulate = 0 an output may be the
 * same buffer as an input. `…GradF32` computes dx = dy·f′ (accumulate = 0) or dx += dy·f′ (accumulate = 1).
 */
import { exp, log, ones, sigmoid, sine, softplus, tanh } from "./math";
import { gauss, normalCdf, normalQuantile } from "./normal";
import { loadRest, madd, nmadd, storeRest } from "./simd";

// @ts-ignore: decorator
@inline
function mapOne<F>(count: i32, x: usize, y: usize): void {
  const f = changetype<F>(0);
  const end = x + ((<usize>(count & ~3)) << 2);
  while (x < end) {
    v128.store(y, f.of(v128.load(x)));
    x += 16, y += 16;
  }
  if (count & 3) storeRest(y, count & 3, f.of(loadRest(x, count & 3)));
}

// @ts-ignore: decorator
@inline
function mapTwo<F>(count: i32, accumulate: i32, a: usize, b: usize, y: usize): void {
  const f = changetype<F>(0);
  const end = a + ((<usize>(count & ~3)) << 2);
  while (a < end) {
    let value = f.of(v128.load(a), v128.load(b));
    if (accumulate) value = f32x4.add(v128.load(y), value);
    v128.store(y, value);
    a += 16, b += 16, y += 16;
  }
  const rest = count & 3;
  if (rest) {
    let value = f.of(loadRest(a, rest), loadRest(b, rest));
    if (accumulate) value = f32x4.add(loadRest(y, rest), value);
    storeRest(y, rest, value);
  }
}

@unmanaged class Tanh { @inline of(x: v128): v128 { return tanh(x); } }
@unmanaged class Exp { @inline of(x: v128): v128 { return exp(x); } }
@unmanaged class Log { @inline of(x: v128): v128 { return log(x); } }
@unmanaged class Relu { @inline of(x: v128): v128 { return f32x4.pmax(x, f32x4.splat(0)); } }
@unmanaged class Sigmoid { @inline of(x: v128): v128 { return sigmoid(x); } }
@unmanaged class Silu { @inline of(x: v128): v128 { return f32x4.mul(x, sigmoid(x)); } }
@unmanaged class Softplus { @inline of(x: v128): v128 { return softplus(x); } }
@unmanaged class Square { @inline of(x: v128): v128 { return f32x4.mul(x, x); } }
@unmanaged class Negate { @inline of(x: v128): v128 { return f32x4.neg(x); } }
@unmanaged class Sqrt { @inline of(x: v128): v128 { return f32x4.sqrt(x); } }
@unmanaged class Sin { @inline of(x: v128): v128 { return sine(x, 0); } }
@unmanaged class NormalCdf { @inline of(x: v128): v128 { return normalCdf(x); } }
@unmanaged class NormalQuantile { @inline of(a: v128, b: v128): v128 { return normalQuantile(a, b); } }
@unmanaged class Cos { @inline of(x: v128): v128 { return sine(x, 1); } }

/** y = tanh x, within 4.5 ULP and within 2.1e-7. */
export function tanhF32(count: i32, x: usize, y: usize): void {
  mapOne<Tanh>(count, x, y);
}

/** y = eˣ, within 1 ULP; not clamped. */
export function expF32(count: i32, x: usize, y: usize): void {
  mapOne<Exp>(count, x, y);
}

/** y = ln x, within 1 ULP; −∞ at 0, NaN below. */
export function logF32(count: i32, x: usize, y: usize): void {
  mapOne<Log>(count, x, y);
}

/** y = max(x, 0). */
export function reluF32(count: i32, x: usize, y: usize): void {
  mapOne<Relu>(count, x, y);
}

/** y = 1/(1 + e⁻ˣ), within 2.5 ULP. */
export function sigmoidF32(count: i32, x: usize, y: usize): void {
  mapOne<Sigmoid>(count, x, y);
}

/** y = x/(1 + e⁻ˣ), within 4 ULP where the logistic factor is a normal number; NaN at −∞. */
export function siluF32(count: i32, x: usize, y: usize): void {
  mapOne<Silu>(count, x, y);
}

/** y = ln(1 + eˣ), within 3 ULP. */
export function softplusF32(count: i32, x: usize, y: usize): void {
  mapOne<Softplus>(count, x, y);
}

/** y = x². */
export function squareF32(count: i32, x: usize, y: usize): void {
  mapOne<Square>(count, x, y);
}

/** y = −x. */
export function negateF32(count: i32, x: usize, y: usize): void {
  mapOne<Negate>(count, x, y);
}

/** y = √x, correctly rounded; NaN below 0. */
export function sqrtF32(count: i32, x: usize, y: usize): void {
  mapOne<Sqrt>(count, x, y);
}

/** y = sin x, absolute error ≤ 1.2e-7 for every finite x. */
export function sinF32(count: i32, x: usize, y: usize): void {
  mapOne<Sin>(count, x, y);
}

/** y = cos x, absolute error ≤ 1.2e-7 for every finite x. */
export function cosF32(count: i32, x: usize, y: usize): void {
  mapOne<Cos>(count, x, y);
}

/** y = Φ(x), relative error as stated in normal.ts, also in the lower tail. */
export function normalCdfF32(count: i32, x: usize, y: usize): void {
  mapOne<NormalCdf>(count, x, y);
}

/** z = Φ⁻¹(lower/(lower + upper)), relative error as stated in normal.ts; ∓∞ where lower or upper is 0. */
export function normalQuantileF32(count: i32, lower: usize, upper: usize, z: usize): void {
  mapTwo<NormalQuantile>(count, 0, lower, upper, z);
}

@unmanaged class TanhGrad { @inline of(y: v128, dy: v128): v128 { return nmadd(f32x4.mul(y, y), dy, dy); } }
@unmanaged class Product { @inline of(a: v128, b: v128): v128 { return f32x4.mul(a, b); } }
@unmanaged class DividedBy { @inline of(a: v128, b: v128): v128 { return f32x4.div(a, b); } }
@unmanaged class Sum { @inline of(a: v128, b: v128): v128 { return f32x4.add(a, b); } }
@unmanaged class Difference { @inline of(a: v128, b: v128): v128 { return f32x4.sub(a, b); } }
@unmanaged class Ratio { @inline of(x: v128, dy: v128): v128 { return f32x4.div(dy, x); } }

@unmanaged class ReluGrad {
  /** dy·1[x > 0], NaN where x is NaN. */
  @inline of(x: v128, dy: v128): v128 {
    const step = v128.and(f32x4.gt(x, f32x4.splat(0)), ones());
    return f32x4.mul(dy, v128.bitselect(step, x, f32x4.eq(x, x)));
  }
}

@unmanaged class SigmoidGrad {
  @inline of(y: v128, dy: v128): v128 { return f32x4.mul(dy, nmadd(y, y, y)); }
}

@unmanaged class SiluGrad {
  /** dy·σ(x)·(1 + x·σ(−x)). */
  @inline of(x: v128, dy: v128): v128 {
    const s = sigmoid(x);
    return f32x4.mul(f32x4.mul(dy, s), madd(x, f32x4.sub(ones(), s), ones()));
  }
}

@unmanaged class SoftplusGrad { @inline of(x: v128, dy: v128): v128 { return f32x4.mul(dy, sigmoid(x)); } }
@unmanaged class SquareGrad { @inline of(x: v128, dy: v128): v128 { return f32x4.mul(dy, f32x4.add(x, x)); } }
@unmanaged class SqrtGrad { @inline of(y: v128, dy: v128): v128 { return f32x4.div(dy, f32x4.add(y, y)); } }
@unmanaged class SinGrad { @inline of(x: v128, dy: v128): v128 { return f32x4.mul(dy, sine(x, 1)); } }
@unmanaged class NormalCdfGrad {
  /** dy·φ(x), 1/√(2π) = 0.39894228. */
  @inline of(x: v128, dy: v128): v128 { return f32x4.mul(dy, f32x4.mul(gauss(x), f32x4.splat(0.3989422804014327))); }
}

@unmanaged class ProbitGrad {
  /** dy/φ(z), √(2π) = 2.5066283. */
  @inline of(z: v128, dy: v128): v128 { return f32x4.mul(dy, f32x4.div(f32x4.splat(2.5066282746310002), gauss(z))); }
}

@unmanaged class CosGrad { @inline of(x: v128, dy: v128): v128 { return f32x4.neg(f32x4.mul(dy, sine(x, 0))); } }

/** dx (+)= dy·(1 − y²), y = tanh x. */
export function tanhGradF32(count: i32, accumulate: i32, y: usize, dy: usize, dx: usize): void {
  mapTwo<TanhGrad>(count, accumulate, y, dy, dx);
}

/** dx (+)= dy·y, y = eˣ. */
export function expGradF32(count: i32, accumulate: i32, y: usize, dy: usize, dx: usize): void {
  mapTwo<Product>(count, accumulate, y, dy, dx);
}

/** dx (+)= dy/x. */
export function logGradF32(count: i32, accumulate: i32, x: usize, dy: usize, dx: usize): void {
  mapTwo<Ratio>(count, accumulate, x, dy, dx);
}

/** dx (+)= dy where x > 0 and 0 elsewhere (also at 0). */
export function reluGradF32(count: i32, accumulate: i32, x: usize, dy: usize, dx: usize): void {
  mapTwo<ReluGrad>(count, accumulate, x, dy, dx);
}

/** dx (+)= dy·y·(1 − y), y = 1/(1 + e⁻ˣ). */
export function sigmoidGradF32(count: i32, accumulate: i32, y: usize, dy: usize, dx: usize): void {
  mapTwo<SigmoidGrad>(count, accumulate, y, dy, dx);
}

/** dx (+)= dy·s·(1 + x·(1 − s)), s = 1/(1 + e⁻ˣ); NaN at ±∞. */
export function siluGradF32(count: i32, accumulate: i32, x: usize, dy: usize, dx: usize): void {
  mapTwo<SiluGrad>(count, accumulate, x, dy, dx);
}

/** dx (+)= dy/(1 + e⁻ˣ). */
export function softplusGradF32(count: i32, accumulate: i32, x: usize, dy: usize, dx: usize): void {
  mapTwo<SoftplusGrad>(count, accumulate, x, dy, dx);
}

/** dx (+)= 2x·dy. */
export function squareGradF32(count: i32, accumulate: i32, x: usize, dy: usize, dx: usize): void {
  mapTwo<SquareGrad>(count, accumulate, x, dy, dx);
}

/** dx (+)= dy/(2y), y = √x. */
export function sqrtGradF32(count: i32, accumulate: i32, y: usize, dy: usize, dx: usize): void {
  mapTwo<SqrtGrad>(count, accumulate, y, dy, dx);
}

/** dx (+)= dy·cos x. */
export function sinGradF32(count: i32, accumulate: i32, x: usize, dy: usize, dx: usize): void {
  mapTwo<SinGrad>(count, accumulate, x, dy, dx);
}

/** dx (+)= −dy·sin x. */
export function cosGradF32(count: i32, accumulate: i32, x: usize, dy: usize, dx: usize): void {
  mapTwo<CosGrad>(count, accumulate, x, dy, dx);
}

/** dx (+)= dy·φ(x), the slope of Φ; 0 beyond |x| = 12.9. */
export function normalCdfGradF32(count: i32, accumulate: i32, x: usize, dy: usize, dx: usize): void {
  mapTwo<NormalCdfGrad>(count, accumulate, x, dy, dx);
}

/** dp (+)= dz/φ(z), the slope of z = Φ⁻¹(p); ∞ beyond |z| = 12.9. */
export function probitGradF32(count: i32, accumulate: i32, z: usize, dz: usize, dp: usize): void {
  mapTwo<ProbitGrad>(count, accumulate, z, dz, dp);
}

/** y = a + b. */
export function addF32(count: i32, a: usize, b: usize, y: usize): void {
  mapTwo<Sum>(count, 0, a, b, y);
}

/** y = a − b. */
export function subtractF32(count: i32, a: usize, b: usize, y: usize): void {
  mapTwo<Difference>(count, 0, a, b, y);
}

/** y = a·b. */
export function multiplyF32(count: i32, a: usize, b: usize, y: usize): void {
  mapTwo<Product>(count, 0, a, b, y);
}

/** y = a/b. */
export function divideF32(count: i32, a: usize, b: usize, y: usize): void {
  mapTwo<DividedBy>(count, 0, a, b, y);
}

/** dx (+)= dy·other: the derivative of a product with respect to either factor. */
export function multiplyGradF32(count: i32, accumulate: i32, other: usize, dy: usize, dx: usize): void {
  mapTwo<Product>(count, accumulate, other, dy, dx);
}

/** da (+)= dy/b, the derivative of y = a/b with respect to a. */
export function divideGradNumeratorF32(count: i32, accumulate: i32, b: usize, dy: usize, da: usize): void {
  mapTwo<Ratio>(count, accumulate, b, dy, da);
}

/** db (+)= −(dy/b)·(a/b), the derivative of y = a/b with respect to b. */
export function divideGradDenominatorF32(
  count: i32, accumulate: i32, a: usize, b: usize, dy: usize, db: usize,
): void {
  const end = a + ((<usize>(count & ~3)) << 2);
  while (a < end) {
    const divisor = v128.load(b);
    const start = accumulate ? v128.load(db) : f32x4.splat(0);
    v128.store(db, nmadd(f32x4.div(v128.load(dy), divisor), f32x4.div(v128.load(a), divisor), start));
    a += 16, b += 16, dy += 16, db += 16;
  }
  const rest = count & 3;
  if (rest) {
    const divisor = loadRest(b, rest);
    const start = accumulate ? loadRest(db, rest) : f32x4.splat(0);
    storeRest(db, rest, nmadd(f32x4.div(loadRest(dy, rest), divisor), f32x4.div(loadRest(a, rest), divisor), start));
  }
}

/** y = a·x + b with numbers a and b. */
export function scaleShiftF32(count: i32, a: f32, b: f32, x: usize, y: usize): void {
  const scale = f32x4.splat(a), shift = f32x4.splat(b);
  const end = x + ((<usize>(count & ~3)) << 2);
  while (x < end) {
    v128.store(y, madd(scale, v128.load(x), shift));
    x += 16, y += 16;
  }
  if (count & 3) storeRest(y, count & 3, madd(scale, loadRest(x, count & 3), shift));
}

/** y += scale·x. */
export function accumulateF32(count: i32, scale: f32, x: usize, y: usize): void {
  const factor = f32x4.splat(scale);
  const end = x + ((<usize>(count & ~3)) << 2);
  while (x < end) {
    v128.store(y, madd(factor, v128.load(x), v128.load(y)));
    x += 16, y += 16;
  }
  if (count & 3) storeRest(y, count & 3, madd(factor, loadRest(x, count & 3), loadRest(y, count & 3)));
}

/** y = scale·x. */
export function copyF32(count: i32, scale: f32, x: usize, y: usize): void {
  const factor = f32x4.splat(scale);
  const end = x + ((<usize>(count & ~3)) << 2);
  while (x < end) {
    v128.store(y, f32x4.mul(factor, v128.load(x)));
    x += 16, y += 16;
  }
  if (count & 3) storeRest(y, count & 3, f32x4.mul(factor, loadRest(x, count & 3)));
}

/** y = value. */
export function fillF32(count: i32, value: f32, y: usize): void {
  const four = f32x4.splat(value);
  const end = y + ((<usize>(count & ~3)) << 2);
  while (y < end) {
    v128.store(y, four);
    y += 16;
  }
  if (count & 3) storeRest(y, count & 3, four);
}

/** y = value, in float64. */
export function fillF64(count: i32, value: f64, y: usize): void {
  const end = y + ((<usize>count) << 3);
  while (y < end) {
    store<f64>(y, value);
    y += 8;
  }
}
