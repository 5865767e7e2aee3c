/**
 * Vectors of configurations for kernels that are generic in the precision: two float64 or four float32 in the lanes.
 * Methods are inlined; nothing is exported from the module.
 */
import { madd, nmadd, upperHalf } from "./simd";

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
  /** Writes (x, y) of the lanes to the rows at `row` and `row` + b; the further ones belong to more lanes. */
  toRows(row: usize, b: usize, _c: usize, _d: usize, x: v128, y: v128): void {
    v128.store(row, v128.shuffle<f64>(x, y, 0, 2));
    v128.store(row + b, v128.shuffle<f64>(x, y, 1, 3));
  }
  // @ts-ignore: decorator
  @inline
  /** Adds (x, y) of the lanes to what is at the rows of `toRows`; a row that stands for several lanes is written once. */
  addToRows(row: usize, b: usize, _c: usize, _d: usize, x: v128, y: v128): void {
    const first = f64x2.add(v128.load(row), v128.shuffle<f64>(x, y, 0, 2));
    const second = f64x2.add(v128.load(row + b), v128.shuffle<f64>(x, y, 1, 3));
    v128.store(row, first);
    v128.store(row + b, second);
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
  /** Writes (x, y) of the lanes, as float64, to the rows at `row`, `row` + b, `row` + c and `row` + d. */
  toRows(row: usize, b: usize, c: usize, d: usize, x: v128, y: v128): void {
    const low = v128.shuffle<f32>(x, y, 0, 4, 1, 5);
    const high = v128.shuffle<f32>(x, y, 2, 6, 3, 7);
    v128.store(row, f64x2.promote_low_f32x4(low));
    v128.store(row + b, f64x2.promote_low_f32x4(upperHalf(low)));
    v128.store(row + c, f64x2.promote_low_f32x4(high));
    v128.store(row + d, f64x2.promote_low_f32x4(upperHalf(high)));
  }
  // @ts-ignore: decorator
  @inline
  /** Adds (x, y) of the lanes to what is at the rows of `toRows`; a row that stands for several lanes is written once. */
  addToRows(row: usize, b: usize, c: usize, d: usize, x: v128, y: v128): void {
    const low = v128.shuffle<f32>(x, y, 0, 4, 1, 5);
    const high = v128.shuffle<f32>(x, y, 2, 6, 3, 7);
    const first = f64x2.add(v128.load(row), f64x2.promote_low_f32x4(low));
    const second = f64x2.add(v128.load(row + b), f64x2.promote_low_f32x4(upperHalf(low)));
    const third = f64x2.add(v128.load(row + c), f64x2.promote_low_f32x4(high));
    const fourth = f64x2.add(v128.load(row + d), f64x2.promote_low_f32x4(upperHalf(high)));
    v128.store(row, first);
    v128.store(row + b, second);
    v128.store(row + c, third);
    v128.store(row + d, fourth);
  }
  // @ts-ignore: decorator
  @inline
  /** How far v lies beyond the walls at ±half, with its sign; 0 inside, NaN for NaN. */
  overshoot(v: v128, half: v128): v128 {
    return f32x4.sub(v, f32x4.pmax(f32x4.pmin(v, half), f32x4.neg(half)));
  }
}
