/**
 * Float64 functions of two lanes, written with additions, multiplications, divisions and integer operations only.
 *
 * None of them uses a fused multiply-add: they return the same bits in every build and on every machine, and
 * src/backend/particle_reference.ts repeats them operation by operation.
 */

/** Numbers in both lanes at a constant address: a load needs no bounds check and no instruction to spread them. */
const TABLE = memory.data<f64>([
  0.3333333333333333, 0.3333333333333333,
  0.2, 0.2,
  0.14285714285714285, 0.14285714285714285,
  0.1111111111111111, 0.1111111111111111,
  0.09090909090909091, 0.09090909090909091,
  0.07692307692307693, 0.07692307692307693,
  0.06666666666666667, 0.06666666666666667,
  1.0, 1.0,
  -0.6931471805599453, -0.6931471805599453,
  -2.0, -2.0,
], 16);

/** What carries mantissas above √2 into the next power of two when added to the bits. */
const TO_NEXT_POWER: i64 = 0x00095f6200000000;
/** Bits of 2⁵²: an exponent for whole numbers in the lowest bits. */
const WHOLE: i64 = 0x4330000000000000;

// @ts-ignore: decorator
@inline
/**
 * −ln u for 2⁻⁵² ≤ u ≤ 1, with an absolute error below 3e-14.
 *
 * u = 2ᵏ m with m in [√½, √2); ln m = 2 artanh s with s = (m − 1)/(m + 1), whose series ends at s¹⁵. The terms are summed
 * in pairs (Estrin), which keeps the chain of dependent operations short.
 */
export function minusLog(u: v128): v128 {
  const exponent = i64x2.shr_u(i64x2.add(u, i64x2.splat(TO_NEXT_POWER)), 52);
  const k = f64x2.sub(v128.or(exponent, i64x2.splat(WHOLE)), f64x2.splat(4503599627371519.0)); // 2⁵² + 1023
  const m = i64x2.sub(u, i64x2.shl(i64x2.sub(exponent, i64x2.splat(1023)), 52));
  const one = v128.load(TABLE, 112);
  const s = f64x2.div(f64x2.sub(m, one), f64x2.add(m, one));
  const w = f64x2.mul(s, s);
  const w2 = f64x2.mul(w, w);
  const first = f64x2.add(v128.load(TABLE), f64x2.mul(w, v128.load(TABLE, 16)));
  const second = f64x2.add(v128.load(TABLE, 32), f64x2.mul(w, v128.load(TABLE, 48)));
  const third = f64x2.add(v128.load(TABLE, 64), f64x2.mul(w, v128.load(TABLE, 80)));
  const upper = f64x2.add(third, f64x2.mul(w2, v128.load(TABLE, 96)));
  const series = f64x2.add(f64x2.add(first, f64x2.mul(w2, second)), f64x2.mul(f64x2.mul(w2, w2), upper));
  const half = f64x2.add(s, f64x2.mul(s, f64x2.mul(w, series)));
  return f64x2.add(f64x2.mul(k, v128.load(TABLE, 128)), f64x2.mul(half, v128.load(TABLE, 144)));
}
