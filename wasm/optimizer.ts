/**
 * Kernels on flat parameter buffers: any count ≥ 0.
 *
 * The gradient is the sum of `groups` ≥ 1 buffers that lie `groupStride` bytes apart, always added in their order, so
 * that it does not depend on which thread filled which buffer.
 */
import { loadRest, madd, storeRest, upperHalf } from "./simd";

// @ts-ignore: decorator
@inline
function groupSum(groups: i32, groupStride: usize, gradients: usize): v128 {
  let sum = v128.load(gradients);
  for (; groups > 1; --groups) {
    gradients += groupStride;
    sum = f32x4.add(sum, v128.load(gradients));
  }
  return sum;
}

// @ts-ignore: decorator
@inline
function groupSumRest(groups: i32, groupStride: usize, gradients: usize, rest: i32): v128 {
  let sum = loadRest(gradients, rest);
  for (; groups > 1; --groups) {
    gradients += groupStride;
    sum = f32x4.add(sum, loadRest(gradients, rest));
  }
  return sum;
}

/**
 * One step of Adam (Kingma and Ba 2015, algorithm 1) with g = gradScale·Σ groups:
 * m ← β₁m + (1 − β₁)g, v ← β₂v + (1 − β₂)g², p ← p − learningRate·(m/correction1)/(√(v/correction2) + ε).
 * correction1 = 1 − β₁ᵗ and correction2 = 1 − β₂ᵗ at step t = 1, 2, …; the numbers are float64, the buffers float32.
 */
export function adamF32(
  count: i32, learningRate: f64, beta1: f64, beta2: f64, epsilon: f64, correction1: f64, correction2: f64,
  gradScale: f64, groups: i32, groupStride: usize, gradients: usize, parameters: usize, m: usize, v: usize,
): void {
  const keep1 = f32x4.splat(<f32>beta1), take1 = f32x4.splat(<f32>(1 - beta1));
  const keep2 = f32x4.splat(<f32>beta2), take2 = f32x4.splat(<f32>(1 - beta2));
  const scale = f32x4.splat(<f32>gradScale), small = f32x4.splat(<f32>epsilon);
  const step = f32x4.splat(<f32>(-learningRate / correction1)), spread = f32x4.splat(<f32>(1 / correction2));
  const end = parameters + ((<usize>(count & ~3)) << 2);
  while (parameters < end) {
    const g = f32x4.mul(groupSum(groups, groupStride, gradients), scale);
    const mean = madd(keep1, v128.load(m), f32x4.mul(take1, g));
    const square = madd(keep2, v128.load(v), f32x4.mul(take2, f32x4.mul(g, g)));
    const ratio = f32x4.div(mean, f32x4.add(f32x4.sqrt(f32x4.mul(square, spread)), small));
    v128.store(m, mean), v128.store(v, square);
    v128.store(parameters, madd(step, ratio, v128.load(parameters)));
    gradients += 16, parameters += 16, m += 16, v += 16;
  }
  const rest = count & 3;
  if (rest) {
    const g = f32x4.mul(groupSumRest(groups, groupStride, gradients, rest), scale);
    const mean = madd(keep1, loadRest(m, rest), f32x4.mul(take1, g));
    const square = madd(keep2, loadRest(v, rest), f32x4.mul(take2, f32x4.mul(g, g)));
    const ratio = f32x4.div(mean, f32x4.add(f32x4.sqrt(f32x4.mul(square, spread)), small));
    storeRest(m, rest, mean), storeRest(v, rest, square);
    storeRest(parameters, rest, madd(step, ratio, loadRest(parameters, rest)));
  }
}

/**
 * Σ g² in float64 of the summed gradient g (not scaled): the square of its norm, NaN or ∞ if any element is. The order of
 * the sum depends on count alone.
 */
export function sumSquaresF32(count: i32, groups: i32, groupStride: usize, gradients: usize): f64 {
  let low = f64x2.splat(0), high = f64x2.splat(0);
  for (const end = gradients + ((<usize>(count & ~3)) << 2); gradients < end; gradients += 16) {
    const g = groupSum(groups, groupStride, gradients);
    const first = f64x2.promote_low_f32x4(g), second = f64x2.promote_low_f32x4(upperHalf(g));
    low = f64x2.add(low, f64x2.mul(first, first));
    high = f64x2.add(high, f64x2.mul(second, second));
  }
  if (count & 3) {
    const g = groupSumRest(groups, groupStride, gradients, count & 3);
    const first = f64x2.promote_low_f32x4(g), second = f64x2.promote_low_f32x4(upperHalf(g));
    low = f64x2.add(low, f64x2.mul(first, first));
    high = f64x2.add(high, f64x2.mul(second, second));
  }
  const sum = f64x2.add(low, high);
  return f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
}

/** average ← decay·average + (1 − decay)·x. */
export function emaF32(count: i32, decay: f64, x: usize, average: usize): void {
  const keep = f32x4.splat(<f32>decay), take = f32x4.splat(<f32>(1 - decay));
  const end = x + ((<usize>(count & ~3)) << 2);
  while (x < end) {
    v128.store(average, madd(keep, v128.load(average), f32x4.mul(take, v128.load(x))));
    x += 16, average += 16;
  }
  const rest = count & 3;
  if (rest) storeRest(average, rest, madd(keep, loadRest(average, rest), f32x4.mul(take, loadRest(x, rest))));
}
