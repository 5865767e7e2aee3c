/**
 * The affine coupling of RealNVP, fused: scale, shift and log-determinant in one pass, both directions, and their
 * derivatives. x, y, s, t are panels [P][f][32]; a log-determinant is a float64 column [32·P], summed in feature order.
 * eˢ is not clamped: it overflows to ∞ and underflows to 0 as in IEEE 754. With accumulate = 0 an output may be the same
 * buffer as any input of its shape.
 */
import { exp } from "./math";
import { columnQuad, madd, nmadd, ROW, upperHalf } from "./simd";

/** y = x·eˢ + t, logDet = Σ s; logDet = 0 (the null address) leaves the sum out. */
export function affineForwardF32(
  panels: i32, f: i32, x: usize, s: usize, t: usize, y: usize, logDet: usize,
): void {
  const size = <usize>f * ROW;
  for (; panels > 0; --panels) {
    for (let lane: usize = 0; lane < ROW; lane += 16) {
      let low = f64x2.splat(0), high = f64x2.splat(0);
      for (let i = lane; i < size; i += ROW) {
        const scale = v128.load(s + i);
        if (logDet) {
          low = f64x2.add(low, f64x2.promote_low_f32x4(scale));
          high = f64x2.add(high, f64x2.promote_low_f32x4(upperHalf(scale)));
        }
        v128.store(y + i, madd(v128.load(x + i), exp(scale), v128.load(t + i)));
      }
      if (logDet) {
        v128.store(logDet, low), v128.store(logDet, high, 16);
        logDet += 32;
      }
    }
    x += size, s += size, t += size, y += size;
  }
}

/** x = (y − t)·e⁻ˢ, logDet = −Σ s; logDet may be 0 as above. */
export function affineInverseF32(
  panels: i32, f: i32, y: usize, s: usize, t: usize, x: usize, logDet: usize,
): void {
  const size = <usize>f * ROW;
  for (; panels > 0; --panels) {
    for (let lane: usize = 0; lane < ROW; lane += 16) {
      let low = f64x2.splat(0), high = f64x2.splat(0);
      for (let i = lane; i < size; i += ROW) {
        const scale = f32x4.neg(v128.load(s + i));
        if (logDet) {
          low = f64x2.add(low, f64x2.promote_low_f32x4(scale));
          high = f64x2.add(high, f64x2.promote_low_f32x4(upperHalf(scale)));
        }
        v128.store(x + i, f32x4.mul(f32x4.sub(v128.load(y + i), v128.load(t + i)), exp(scale)));
      }
      if (logDet) {
        v128.store(logDet, low), v128.store(logDet, high, 16);
        logDet += 32;
      }
    }
    y += size, s += size, t += size, x += size;
  }
}

/** dx (+)= dy·eˢ, ds = dy·x·eˢ + dLogDet, dt = dy; dLogDet = 0 (the null address) stands for a zero cotangent. */
export function affineForwardGradF32(
  panels: i32, f: i32, accumulate: i32, x: usize, s: usize, dy: usize, dLogDet: usize,
  dx: usize, ds: usize, dt: usize,
): void {
  const size = <usize>f * ROW;
  for (; panels > 0; --panels) {
    for (let lane: usize = 0; lane < ROW; lane += 16) {
      const both = dLogDet ? columnQuad(dLogDet) : f32x4.splat(0);
      for (let i = lane; i < size; i += ROW) {
        const shift = v128.load(dy + i);
        const slope = f32x4.mul(shift, exp(v128.load(s + i)));
        v128.store(ds + i, madd(slope, v128.load(x + i), both));
        v128.store(dt + i, shift);
        v128.store(dx + i, accumulate ? f32x4.add(v128.load(dx + i), slope) : slope);
      }
      if (dLogDet) dLogDet += 32;
    }
    x += size, s += size, dy += size, dx += size, ds += size, dt += size;
  }
}

/** dy (+)= dx·e⁻ˢ, ds = −dx·x − dLogDet, dt = −dx·e⁻ˢ, where x is the output; dLogDet may be 0 as above. */
export function affineInverseGradF32(
  panels: i32, f: i32, accumulate: i32, x: usize, s: usize, dx: usize, dLogDet: usize,
  dy: usize, ds: usize, dt: usize,
): void {
  const size = <usize>f * ROW;
  for (; panels > 0; --panels) {
    for (let lane: usize = 0; lane < ROW; lane += 16) {
      const both = dLogDet ? f32x4.neg(columnQuad(dLogDet)) : f32x4.splat(0);
      for (let i = lane; i < size; i += ROW) {
        const shift = v128.load(dx + i);
        const slope = f32x4.mul(shift, exp(f32x4.neg(v128.load(s + i))));
        v128.store(ds + i, nmadd(shift, v128.load(x + i), both));
        v128.store(dt + i, f32x4.neg(slope));
        v128.store(dy + i, accumulate ? f32x4.add(v128.load(dy + i), slope) : slope);
      }
      if (dLogDet) dLogDet += 32;
    }
    x += size, s += size, dx += size, dy += size, ds += size, dt += size;
  }
}
