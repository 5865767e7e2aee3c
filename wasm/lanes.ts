/**
 * Vectors of configurations for kernels that are generic in the precision: two float64 or four float32 in the lanes.
 * Methods are inlined; nothing is exported from the module.
 */
import { madd, nmadd } from "./simd";

/** Two float64. */
export class Doubles {
  // @ts-ignore: decorator
  @inline
  /** The float64 at an address in all lanes. */
  splat(address: usize, offset: usize): v128 {
    return v128.load64_splat(address + offset);
  }
  // @ts-ignore: decorator
  @inline
  constant(value: f64): v128 {
    return f64x2.splat(value);
  }
  // @ts-ignore: decorator
  @inline
  add(a: v128, b: v128): v128 {
    return f64x2.add(a, b);
  }
  // @ts-ignore: decorator
  @inline
  sub(a: v128, b: v128): v128 {
    return f64x2.sub(a, b);
  }
  // @ts-ignore: decorator
  @inline
  mul(a: v128, b: v128): v128 {
    return f64x2.mul(a, b);
  }
  // @ts-ignore: decorator
  @inline
  div(a: v128, b: v128): v128 {
    return f64x2.div(a, b);
  }
  // @ts-ignore: decorator
  @inline
  sqrt(a: v128): v128 {
    return f64x2.sqrt(a);
  }
  // @ts-ignore: decorator
  @inline
  /** a·b + c, rounded once in the relaxed build (where the CPU can) and twice in the baseline build. */
  madd(a: v128, b: v128, c: v128): v128 {
    return ASC_FEATURE_RELAXED_SIMD ? f64x2.relaxed_madd(a, b, c) : f64x2.add(f64x2.mul(a, b), c);
  }
  // @ts-ignore: decorator
  @inline
  /** c − a·b, rounded once in the relaxed build (where the CPU can) and twice in the baseline build. */
  nmadd(a: v128, b: v128, c: v128): v128 {
    return ASC_FEATURE_RELAXED_SIMD ? f64x2.relaxed_nmadd(a, b, c) : f64x2.sub(c, f64x2.mul(a, b));
  }
  // @ts-ignore: decorator
  @inline
  /** How far v lies beyond the walls at ±half, with its sign; 0 inside, NaN for NaN. */
  overshoot(v: v128, half: v128): v128 {
    return f64x2.sub(v, f64x2.pmax(f64x2.pmin(v, half), f64x2.neg(half)));
  }
}

/** Four float32. */
export class Singles {
  // @ts-ignore: decorator
  @inline
  /** The float64 at an address, rounded, in all lanes. */
  splat(address: usize, offset: usize): v128 {
    return f32x4.splat(<f32>load<f64>(address + offset));
  }
  // @ts-ignore: decorator
  @inline
  constant(value: f64): v128 {
    return f32x4.splat(<f32>value);
  }
  // @ts-ignore: decorator
  @inline
  add(a: v128, b: v128): v128 {
    return f32x4.add(a, b);
  }
  // @ts-ignore: decorator
  @inline
  sub(a: v128, b: v128): v128 {
    return f32x4.sub(a, b);
  }
  // @ts-ignore: decorator
  @inline
  mul(a: v128, b: v128): v128 {
    return f32x4.mul(a, b);
  }
  // @ts-ignore: decorator
  @inline
  div(a: v128, b: v128): v128 {
    return f32x4.div(a, b);
  }
  // @ts-ignore: decorator
  @inline
  sqrt(a: v128): v128 {
    return f32x4.sqrt(a);
  }
  // @ts-ignore: decorator
  @inline
  /** a·b + c, rounded once in the relaxed build (where the CPU can) and twice in the baseline build. */
  madd(a: v128, b: v128, c: v128): v128 {
    return madd(a, b, c);
  }
  // @ts-ignore: decorator
  @inline
  /** c − a·b, rounded once in the relaxed build (where the CPU can) and twice in the baseline build. */
  nmadd(a: v128, b: v128, c: v128): v128 {
    return nmadd(a, b, c);
  }
  // @ts-ignore: decorator
  @inline
  /** How far v lies beyond the walls at ±half, with its sign; 0 inside, NaN for NaN. */
  overshoot(v: v128, half: v128): v128 {
    return f32x4.sub(v, f32x4.pmax(f32x4.pmin(v, half), f32x4.neg(half)));
  }
}
