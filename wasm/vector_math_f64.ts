/**
 * Float64 functions of two lanes, written with additions, multiplications and integer operations only.
 *
 * None of them uses a fused multiply-add: they return the same bits in every build and on every machine, and
 * src/backend/particle_reference.ts repeats them operation by operation.
 */

/** 1.5·2⁵²: adding it rounds to the nearest integer, which then stands in the lowest bits. */
const ROUNDER: f64 = 6755399441055744.0;
const LOG2_E: f64 = 1.4426950408889634;
/** ln 2 in two parts; the first has 32 significant bits, so that its product with an exponent is exact. */
const LN2_HIGH: f64 = 6.93147180369123816490e-1;
const LN2_LOW: f64 = 1.90821492927058770002e-10;

// @ts-ignore: decorator
@inline
/** sum·r + c. */
function horner(sum: v128, r: v128, c: f64): v128 {
  return f64x2.add(f64x2.mul(sum, r), f64x2.splat(c));
}

// @ts-ignore: decorator
@inline
/** eᵗ for −700 ≤ t ≤ 0; smaller t count as −700, larger as 0; NaN stays NaN. Relative error below 4e-16. */
export function expOfNegative(t: v128): v128 {
  t = f64x2.pmin(f64x2.pmax(t, f64x2.splat(-700.0)), f64x2.splat(0.0));
  const shifted = f64x2.add(f64x2.mul(t, f64x2.splat(LOG2_E)), f64x2.splat(ROUNDER));
  const k = f64x2.sub(shifted, f64x2.splat(ROUNDER));
  const high = f64x2.sub(t, f64x2.mul(k, f64x2.splat(LN2_HIGH)));
  const r = f64x2.sub(high, f64x2.mul(k, f64x2.splat(LN2_LOW)));
  // The Taylor series of eʳ to r¹³: |r| ≤ 0.347, so that the rest is below 1e-17.
  let sum = f64x2.splat(1.6059043836821613e-10);
  sum = horner(sum, r, 2.08767569878681e-9);
  sum = horner(sum, r, 2.505210838544172e-8);
  sum = horner(sum, r, 2.755731922398589e-7);
  sum = horner(sum, r, 2.7557319223985893e-6);
  sum = horner(sum, r, 2.48015873015873e-5);
  sum = horner(sum, r, 1.984126984126984e-4);
  sum = horner(sum, r, 1.388888888888889e-3);
  sum = horner(sum, r, 8.333333333333333e-3);
  sum = horner(sum, r, 4.1666666666666664e-2);
  sum = horner(sum, r, 0.16666666666666666);
  sum = horner(sum, r, 0.5);
  sum = horner(sum, r, 1.0);
  sum = horner(sum, r, 1.0);
  return i64x2.add(sum, i64x2.shl(shifted, 52));
}
