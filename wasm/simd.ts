/**
 * Helpers shared by all float32 kernels: fused multiply-add, panel constants, horizontal sums.
 * Everything here is inlined at compile time; nothing is exported from the module.
 */

/** Bytes of one feature row of a panel: a batch of float32 activations is stored as [panel][feature][32 samples]. */
export const ROW: usize = 128;

// @ts-ignore: decorator
@inline
/** a·b + c, rounded once in the relaxed build (where the CPU can) and twice in the baseline build. */
export function madd(a: v128, b: v128, c: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? f32x4.relaxed_madd(a, b, c) : f32x4.add(f32x4.mul(a, b), c);
}

// @ts-ignore: decorator
@inline
/** c − a·b, rounded once in the relaxed build (where the CPU can) and twice in the baseline build. */
export function nmadd(a: v128, b: v128, c: v128): v128 {
  return ASC_FEATURE_RELAXED_SIMD ? f32x4.relaxed_nmadd(a, b, c) : f32x4.sub(c, f32x4.mul(a, b));
}

// @ts-ignore: decorator
@inline
/** (v₀ + v₂) + (v₁ + v₃). */
export function horizontalSum(v: v128): f32 {
  const pair = f32x4.add(v, upperHalf(v));
  return f32x4.extract_lane(pair, 0) + f32x4.extract_lane(pair, 1);
}

// @ts-ignore: decorator
@inline
/** [v₂, v₃, v₀, v₁]. */
export function upperHalf(v: v128): v128 {
  return v128.shuffle<f32>(v, v, 2, 3, 0, 1);
}

// @ts-ignore: decorator
@inline
/** Four float64 of a column as float32. */
export function columnQuad(column: usize): v128 {
  const low = f32x4.demote_f64x2_zero(v128.load(column)), high = f32x4.demote_f64x2_zero(v128.load(column, 16));
  return v128.shuffle<f32>(low, high, 0, 1, 4, 5);
}

// @ts-ignore: decorator
@inline
/** Stores four float32 as float64. */
export function storeColumnQuad(column: usize, v: v128): void {
  v128.store(column, f64x2.promote_low_f32x4(v));
  v128.store(column, f64x2.promote_low_f32x4(upperHalf(v)), 16);
}

/** Loads the first 1 to 3 floats at `address`; the other lanes are 0. */
export function loadRest(address: usize, count: i32): v128 {
  let v = v128.load32_zero(address);
  if (count > 1) v = v128.load_lane<f32>(address, v, 1, 4);
  if (count > 2) v = v128.load_lane<f32>(address, v, 2, 8);
  return v;
}

/** Stores the first 1 to 3 lanes at `address`. */
export function storeRest(address: usize, count: i32, v: v128): void {
  v128.store_lane<f32>(address, v, 0);
  if (count > 1) v128.store_lane<f32>(address, v, 1, 4);
  if (count > 2) v128.store_lane<f32>(address, v, 2, 8);
}
