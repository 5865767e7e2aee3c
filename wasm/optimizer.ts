/** Kernels on flat parameter buffers: any count ≥ 0. */
import { loadRest, madd, storeRest, upperHalf } from "./simd";

/**
 * One step of Adam (Kingma and Ba 2015, algorithm 1) with g = scale·gradient:
 * m ← β₁m + (1 − β₁)g, v ← β₂v + (1 − β₂)g², p ← p − learningRate·(m/correction1)/(√(v/correction2) + ε).
 * `settings` holds the float64 learningRate, β₁, β₂, ε, correction1 = 1 − β₁ᵗ, correction2 = 1 − β₂ᵗ at step t = 1, 2, …
 * and scale; the buffers are float32.
 */
export function adamF32(
  count: i32, settings: usize, gradient: usize, parameters: usize, m: usize, v: usize,
): void {
  const beta1 = load<f64>(settings, 8), beta2 = load<f64>(settings, 16);
  const keep1 = f32x4.splat(<f32>beta1), take1 = f32x4.splat(<f32>(1 - beta1));
  const keep2 = f32x4.splat(<f32>beta2), take2 = f32x4.splat(<f32>(1 - beta2));
  const small = f32x4.splat(<f32>load<f64>(settings, 24)), scale = f32x4.splat(<f32>load<f64>(settings, 48));
  const step = f32x4.splat(<f32>(-load<f64>(settings) / load<f64>(settings, 32)));
  const spread = f32x4.splat(<f32>(1 / load<f64>(settings, 40)));
  const end = parameters + ((<usize>(count & ~3)) << 2);
  while (parameters < end) {
    const g = f32x4.mul(v128.load(gradient), scale);
    const mean = madd(keep1, v128.load(m), f32x4.mul(take1, g));
    const square = madd(keep2, v128.load(v), f32x4.mul(take2, f32x4.mul(g, g)));
    const ratio = f32x4.div(mean, f32x4.add(f32x4.sqrt(f32x4.mul(square, spread)), small));
    v128.store(m, mean), v128.store(v, square);
    v128.store(parameters, madd(step, ratio, v128.load(parameters)));
    gradient += 16, parameters += 16, m += 16, v += 16;
  }
  const rest = count & 3;
  if (rest) {
    const g = f32x4.mul(loadRest(gradient, rest), scale);
    const mean = madd(keep1, loadRest(m, rest), f32x4.mul(take1, g));
    const square = madd(keep2, loadRest(v, rest), f32x4.mul(take2, f32x4.mul(g, g)));
    const ratio = f32x4.div(mean, f32x4.add(f32x4.sqrt(f32x4.mul(square, spread)), small));
    storeRest(m, rest, mean), storeRest(v, rest, square);
    storeRest(parameters, rest, madd(step, ratio, loadRest(parameters, rest)));
  }
}

/**
 * sum = Σ x² in float64, one number: the square of a norm, NaN or ∞ if any element is. The order of the sum depends on
 * count alone.
 */
export function sumSquaresF32(count: i32, x: usize, sum: usize): void {
  let low = f64x2.splat(0), high = f64x2.splat(0);
  for (const end = x + ((<usize>(count & ~3)) << 2); x < end; x += 16) {
    const four = v128.load(x);
    const first = f64x2.promote_low_f32x4(four), second = f64x2.promote_low_f32x4(upperHalf(four));
    low = f64x2.add(low, f64x2.mul(first, first));
    high = f64x2.add(high, f64x2.mul(second, second));
  }
  if (count & 3) {
    const four = loadRest(x, count & 3);
    const first = f64x2.promote_low_f32x4(four), second = f64x2.promote_low_f32x4(upperHalf(four));
    low = f64x2.add(low, f64x2.mul(first, first));
    high = f64x2.add(high, f64x2.mul(second, second));
  }
  const both = f64x2.add(low, high);
  store<f64>(sum, f64x2.extract_lane(both, 0) + f64x2.extract_lane(both, 1));
}
