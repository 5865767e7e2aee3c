/**
 * The normal distribution of four float32 at once, inlined into the kernels that use it.
 *
 * Coefficients are our own minimax fits in relative error, rounded to float32; all of them are positive, so that no sum
 * cancels. Constants are stored four times over as in math.ts.
 */
import { exp, log, ones } from "./math";
import { madd, nmadd } from "./simd";

/**
 * Φ(−t) = e^(−t²/2)·p(t)/q(t) on 0 ≤ t ≤ 14.5 (fit error 5.9e-9). Beyond 12.9, where
 * Φ(−t) = 2e-38, it counts as 0: further out are denormal numbers, which would slow everything down several times.
 */
const TAIL: usize = memory.data<f32>([
  // p₄ … p₀
  0.3989469110965729, 0.3989469110965729, 0.3989469110965729, 0.3989469110965729,
  3.9381144046783447, 3.9381144046783447, 3.9381144046783447, 3.9381144046783447,
  17.758886337280273, 17.758886337280273, 17.758886337280273, 17.758886337280273,
  42.478912353515625, 42.478912353515625, 42.478912353515625, 42.478912353515625,
  48.45927810668945, 48.45927810668945, 48.45927810668945, 48.45927810668945,
  // q₄ … q₀, with q₅ = 1
  9.872013092041016, 9.872013092041016, 9.872013092041016, 9.872013092041016,
  45.50041961669922, 45.50041961669922, 45.50041961669922, 45.50041961669922,
  116.54486846923828, 116.54486846923828, 116.54486846923828, 116.54486846923828,
  162.28768920898438, 162.28768920898438, 162.28768920898438, 162.28768920898438,
  96.9185562133789, 96.9185562133789, 96.9185562133789, 96.9185562133789,
  // the limit of t; ½
  12.9, 12.9, 12.9, 12.9,
  0.5, 0.5, 0.5, 0.5,
], 16);
const LEADING: usize = memory.data<u32>([0xfffff000, 0xfffff000, 0xfffff000, 0xfffff000], 16);

/** z = c·p(r)/q(r), r = 0.15 − c², c = Φ(z) − ½, on |c| ≤ 0.385 (fit error 4.0e-9). */
const NEAR: usize = memory.data<f32>([
  // p₃ … p₀
  25.9600887298584, 25.9600887298584, 25.9600887298584, 25.9600887298584,
  84.44802856445312, 84.44802856445312, 84.44802856445312, 84.44802856445312,
  34.5314826965332, 34.5314826965332, 34.5314826965332, 34.5314826965332,
  3.130106210708618, 3.130106210708618, 3.130106210708618, 3.130106210708618,
  // q₃ … q₁, with q₀ = 1
  31.429353713989258, 31.429353713989258, 31.429353713989258, 31.429353713989258,
  44.99333953857422, 44.99333953857422, 44.99333953857422, 44.99333953857422,
  13.26462459564209, 13.26462459564209, 13.26462459564209, 13.26462459564209,
  // 0.15; the tail mass from which on this is used
  0.15000000596046448, 0.15000000596046448, 0.15000000596046448, 0.15000000596046448,
  0.11500000208616257, 0.11500000208616257, 0.11500000208616257, 0.11500000208616257,
], 16);

/** |z| = p(t − 2)/q(t − 2), t = √(−2 ln m), for tail masses m from 1e-45 to 0.115 (fit error 1.7e-8). */
const FAR: usize = memory.data<f32>([
  // p₄ … p₀
  1.0002281665802002, 1.0002281665802002, 1.0002281665802002, 1.0002281665802002,
  19.966447830200195, 19.966447830200195, 19.966447830200195, 19.966447830200195,
  112.8709716796875, 112.8709716796875, 112.8709716796875, 112.8709716796875,
  221.0801239013672, 221.0801239013672, 221.0801239013672, 221.0801239013672,
  116.14461517333984, 116.14461517333984, 116.14461517333984, 116.14461517333984,
  // q₂ … q₀, with q₃ = 1
  17.992660522460938, 17.992660522460938, 17.992660522460938, 17.992660522460938,
  81.57513427734375, 81.57513427734375, 81.57513427734375, 81.57513427734375,
  105.44033813476562, 105.44033813476562, 105.44033813476562, 105.44033813476562,
  // −2; ∞
  -2, -2, -2, -2,
  Infinity, Infinity, Infinity, Infinity,
], 16);
const SIGN: usize = memory.data<f32>([-0.0, -0.0, -0.0, -0.0], 16);

// @ts-ignore: decorator
@inline
/**
 * e^(−x²/2) within 3 ULP for |x| ≤ 12.9, 0 beyond. What the rounded square misses (the square of the
 * leading 12 bits is exact) is put back as a factor; without it the relative error would grow as x²/2.
 */
export function gauss(x: v128): v128 {
  const size = f32x4.abs(x);
  const t = f32x4.pmin(size, v128.load(TAIL, 160));
  const square = f32x4.mul(t, t);
  const leading = v128.and(t, v128.load(LEADING));
  const rest = f32x4.mul(f32x4.sub(t, leading), f32x4.add(t, leading));
  const missing = f32x4.add(f32x4.sub(f32x4.mul(leading, leading), square), rest);
  const half = v128.load(TAIL, 176);
  const g = exp(f32x4.neg(f32x4.mul(square, half)));
  return v128.andnot(nmadd(g, f32x4.mul(missing, half), g), f32x4.gt(size, v128.load(TAIL, 160)));
}

// @ts-ignore: decorator
@inline
/** Φ(−|x|) from g = gauss(x): g times a factor within 4 ULP. */
export function normalTail(x: v128, g: v128): v128 {
  const t = f32x4.pmin(f32x4.abs(x), v128.load(TAIL, 160));
  let p = madd(v128.load(TAIL), t, v128.load(TAIL, 16));
  let q = f32x4.add(t, v128.load(TAIL, 80));
  p = madd(p, t, v128.load(TAIL, 32));
  q = madd(q, t, v128.load(TAIL, 96));
  p = madd(p, t, v128.load(TAIL, 48));
  q = madd(q, t, v128.load(TAIL, 112));
  p = madd(p, t, v128.load(TAIL, 64));
  q = madd(q, t, v128.load(TAIL, 128));
  q = madd(q, t, v128.load(TAIL, 144));
  return f32x4.mul(g, f32x4.div(p, q));
}

// @ts-ignore: decorator
@inline
/** Φ(x) within 7 ULP for x ≥ −12.9, also where it is nearly 0; 0 below. */
export function normalCdf(x: v128): v128 {
  const tail = normalTail(x, gauss(x));
  return v128.bitselect(f32x4.sub(ones(), tail), tail, f32x4.gt(x, f32x4.splat(0)));
}

// @ts-ignore: decorator
@inline
/**
 * Φ⁻¹(lower/(lower + upper)) from the masses on both sides, within 6 ULP for exact masses of normal size. Their
 * sum and its inverse must be normal numbers. ∓∞ where lower or upper is 0.
 */
export function normalQuantile(lower: v128, upper: v128): v128 {
  const inverse = f32x4.div(ones(), f32x4.add(lower, upper));
  const mass = f32x4.mul(f32x4.pmin(lower, upper), inverse);
  const c = f32x4.mul(f32x4.mul(f32x4.sub(lower, upper), inverse), v128.load(TAIL, 176));
  const r = nmadd(c, c, v128.load(NEAR, 112));
  let p = madd(v128.load(NEAR), r, v128.load(NEAR, 16));
  let q = madd(v128.load(NEAR, 64), r, v128.load(NEAR, 80));
  p = madd(p, r, v128.load(NEAR, 32));
  q = madd(q, r, v128.load(NEAR, 96));
  p = f32x4.mul(c, madd(p, r, v128.load(NEAR, 48)));
  q = madd(q, r, ones());
  const far = f32x4.lt(mass, v128.load(NEAR, 128));
  if (!v128.any_true(far)) return f32x4.div(p, q);
  const t = f32x4.add(f32x4.sqrt(f32x4.mul(log(mass), v128.load(FAR, 128))), v128.load(FAR, 128));
  let u = madd(v128.load(FAR), t, v128.load(FAR, 16));
  let v = f32x4.add(t, v128.load(FAR, 80));
  u = madd(u, t, v128.load(FAR, 32));
  v = madd(v, t, v128.load(FAR, 96));
  u = madd(u, t, v128.load(FAR, 48));
  v = madd(v, t, v128.load(FAR, 112));
  u = madd(u, t, v128.load(FAR, 64));
  const sign = v128.load(SIGN);
  const z = f32x4.div(v128.bitselect(v128.bitselect(c, u, sign), p, far), v128.bitselect(v, q, far));
  const none = f32x4.eq(mass, f32x4.splat(0));
  return v128.bitselect(v128.bitselect(c, v128.load(FAR, 144), sign), z, none);
}
