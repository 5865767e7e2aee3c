/**
 * Elementary functions of four float32 at once, inlined into the kernels that use them.
 *
 * Coefficients are our own minimax fits in relative error, rounded to float32. Every constant is stored four times over
 * at a constant address: a load from there needs neither a bounds check nor a broadcast, and V8 would otherwise build
 * literal constants anew in every turn of a loop. ULP = unit in the last place of the float32 result.
 */
import { madd, nmadd } from "./simd";

/**
 * tanh x = 2aq/(q² + a²), a = x·p(x²), q = q(x²), that is a/q = tanh(x/2), on |x| ≤ 9.02, where tanh rounds to 1
 * (fit error 9.8e-9). Doubling the argument damps the rounding errors of a and q by 1/cosh x.
 */
const TANH: usize = memory.data<f32>([
  // p₂ … p₀
  46.508209228515625, 46.508209228515625, 46.508209228515625, 46.508209228515625,
  12127.25, 12127.25, 12127.25, 12127.25,
  407374, 407374, 407374, 407374,
  // q₂ … q₀, with q₃ = 1
  982.661376953125, 982.661376953125, 982.661376953125, 982.661376953125,
  92150.1328125, 92150.1328125, 92150.1328125, 92150.1328125,
  814748, 814748, 814748, 814748,
  // limits of x
  9.02, 9.02, 9.02, 9.02,
  -9.02, -9.02, -9.02, -9.02,
], 16);

/** eˣ = 2ⁿ·(1 + r + r²·p(r)), n = round(x / ln 2), r = x − n·ln 2 (fit error 3.1e-9). */
const EXP: usize = memory.data<f32>([
  // p₄ … p₀
  0.0013814597623422742, 0.0013814597623422742, 0.0013814597623422742, 0.0013814597623422742,
  0.008368716575205326, 0.008368716575205326, 0.008368716575205326, 0.008368716575205326,
  0.04166838899254799, 0.04166838899254799, 0.04166838899254799, 0.04166838899254799,
  0.1666652113199234, 0.1666652113199234, 0.1666652113199234, 0.1666652113199234,
  0.4999999403953552, 0.4999999403953552, 0.4999999403953552, 0.4999999403953552,
  // 1
  1, 1, 1, 1,
  // the limits beyond which the result is ∞ or 0
  89, 89, 89, 89,
  -104, -104, -104, -104,
  // 1 / ln 2; 1.5·2²³, whose addition rounds to an integer; ln 2 in two parts, the first of 16 bits
  1.4426950216293335, 1.4426950216293335, 1.4426950216293335, 1.4426950216293335,
  12582912, 12582912, 12582912, 12582912,
  0.693145751953125, 0.693145751953125, 0.693145751953125, 0.693145751953125,
  1.428606765330187e-6, 1.428606765330187e-6, 1.428606765330187e-6, 1.428606765330187e-6,
  // the limit of weights
  -80, -80, -80, -80,
], 16);

/** ln(1 + f) = f − (f²/2 − s·(f²/2 + s²·p(s²))), s = f/(2 + f) (fit error 4.9e-12). */
const LOG: usize = memory.data<f32>([
  // p₃ … p₀
  0.23583568632602692, 0.23583568632602692, 0.23583568632602692, 0.23583568632602692,
  0.28537237644195557, 0.28537237644195557, 0.28537237644195557, 0.28537237644195557,
  0.4000033736228943, 0.4000033736228943, 0.4000033736228943, 0.4000033736228943,
  0.6666666269302368, 0.6666666269302368, 0.6666666269302368, 0.6666666269302368,
  // ½, 1, 2
  0.5, 0.5, 0.5, 0.5,
  1, 1, 1, 1,
  2, 2, 2, 2,
  // ln 2 in two parts, the first of 16 bits
  0.693145751953125, 0.693145751953125, 0.693145751953125, 0.693145751953125,
  1.428606765330187e-6, 1.428606765330187e-6, 1.428606765330187e-6, 1.428606765330187e-6,
  // smallest normal number; 2²³; ∞; −∞
  1.1754943508222875e-38, 1.1754943508222875e-38, 1.1754943508222875e-38, 1.1754943508222875e-38,
  8388608, 8388608, 8388608, 8388608,
  Infinity, Infinity, Infinity, Infinity,
  -Infinity, -Infinity, -Infinity, -Infinity,
], 16);

/** ln(1 + t) = 2s + s³·p(s²) on 0 ≤ t ≤ 1, s = t/(2 + t) (fit error 1.1e-10). */
const LOG1P: usize = memory.data<f32>([
  // p₄ … p₀
  0.2430093139410019, 0.2430093139410019, 0.2430093139410019, 0.2430093139410019,
  0.21427659690380096, 0.21427659690380096, 0.21427659690380096, 0.21427659690380096,
  0.2861688435077667, 0.2861688435077667, 0.2861688435077667, 0.2861688435077667,
  0.3999887704849243, 0.3999887704849243, 0.3999887704849243, 0.3999887704849243,
  0.6666667461395264, 0.6666667461395264, 0.6666667461395264, 0.6666667461395264,
], 16);

/** sin r = r + r³·p(r²), cos r = 1 − r²/2 + r⁴·q(r²) on |r| ≤ π/4 (fit errors 3.6e-9 and 9.7e-11). */
const TRIG: usize = memory.data<f32>([
  // p₂ … p₀
  -0.00019516656175255775, -0.00019516656175255775, -0.00019516656175255775, -0.00019516656175255775,
  0.008332173340022564, 0.008332173340022564, 0.008332173340022564, 0.008332173340022564,
  -0.16666655242443085, -0.16666655242443085, -0.16666655242443085, -0.16666655242443085,
  // q₂ … q₀
  2.4437729734927416e-5, 2.4437729734927416e-5, 2.4437729734927416e-5, 2.4437729734927416e-5,
  -0.001388736185617745, -0.001388736185617745, -0.001388736185617745, -0.001388736185617745,
  0.04166664555668831, 0.04166664555668831, 0.04166664555668831, 0.04166664555668831,
  // 2/π; π/2 in three parts, the first two of 11 bits; the largest |x| for which that is exact enough
  0.6366197466850281, 0.6366197466850281, 0.6366197466850281, 0.6366197466850281,
  1.5703125, 1.5703125, 1.5703125, 1.5703125,
  0.00048351287841796875, 0.00048351287841796875, 0.00048351287841796875, 0.00048351287841796875,
  3.1391647326017846e-7, 3.1391647326017846e-7, 3.1391647326017846e-7, 3.1391647326017846e-7,
  8192, 8192, 8192, 8192,
], 16);
const ONES: usize = memory.data<f32>([1, 1, 1, 1], 16);
const SIGNS: usize = memory.data<f32>([-0.0, -0.0, -0.0, -0.0], 16);

// @ts-ignore: decorator
@inline
/** Four ones. */
export function ones(): v128 {
  return v128.load(ONES);
}

// @ts-ignore: decorator
@inline
/** −|x|. */
export function negativeMagnitude(x: v128): v128 {
  return v128.or(x, v128.load(SIGNS));
}

// @ts-ignore: decorator
@inline
/** tanh x within 4.5 ULP and within 2.1e-7, never beyond ±1, odd to the last bit. */
export function tanh(x: v128): v128 {
  x = f32x4.pmin(x, v128.load(TANH, 96));
  x = f32x4.pmax(x, v128.load(TANH, 112));
  const u = f32x4.mul(x, x);
  let p = madd(v128.load(TANH), u, v128.load(TANH, 16));
  let q = f32x4.add(u, v128.load(TANH, 48));
  p = madd(p, u, v128.load(TANH, 32));
  q = madd(q, u, v128.load(TANH, 64));
  q = madd(q, u, v128.load(TANH, 80));
  const a = f32x4.mul(x, p);
  return f32x4.div(f32x4.mul(f32x4.add(a, a), q), madd(a, a, f32x4.mul(q, q)));
}

// @ts-ignore: decorator
@inline
/** eˣ within 1 ULP; ∞ above 88.72, gradual underflow below −87.33, 0 below −103.98. */
export function exp(x: v128): v128 {
  x = f32x4.pmin(x, v128.load(EXP, 96));
  x = f32x4.pmax(x, v128.load(EXP, 112));
  const shifted = madd(x, v128.load(EXP, 128), v128.load(EXP, 144));
  const n = f32x4.sub(shifted, v128.load(EXP, 144));
  let r = nmadd(n, v128.load(EXP, 160), x);
  r = nmadd(n, v128.load(EXP, 176), r);
  let p = madd(v128.load(EXP), r, v128.load(EXP, 16));
  p = madd(p, r, v128.load(EXP, 32));
  p = madd(p, r, v128.load(EXP, 48));
  p = madd(p, r, v128.load(EXP, 64));
  p = f32x4.add(madd(p, f32x4.mul(r, r), r), v128.load(EXP, 80));
  // 2ⁿ in two factors, because n reaches from −150 to 128: exponents ⌊n/2⌋ and n − ⌊n/2⌋ added to that of 1.0
  const exponent = i32x4.sub(shifted, v128.load(EXP, 144));
  const half = i32x4.shr_s(exponent, 1);
  const first = i32x4.add(i32x4.shl(half, 23), v128.load(EXP, 80));
  const second = i32x4.add(i32x4.shl(i32x4.sub(exponent, half), 23), v128.load(EXP, 80));
  return f32x4.mul(f32x4.mul(p, first), second);
}

// @ts-ignore: decorator
@inline
/** eˣ within 1 ULP for −80 ≤ x ≤ 88, e⁻⁸⁰ below: for weights, of which those below 1e-34 do not count. */
export function expNegative(x: v128): v128 {
  x = f32x4.pmax(x, v128.load(EXP, 192));
  const shifted = madd(x, v128.load(EXP, 128), v128.load(EXP, 144));
  const n = f32x4.sub(shifted, v128.load(EXP, 144));
  let r = nmadd(n, v128.load(EXP, 160), x);
  r = nmadd(n, v128.load(EXP, 176), r);
  let p = madd(v128.load(EXP), r, v128.load(EXP, 16));
  p = madd(p, r, v128.load(EXP, 32));
  p = madd(p, r, v128.load(EXP, 48));
  p = madd(p, r, v128.load(EXP, 64));
  p = f32x4.add(madd(p, f32x4.mul(r, r), r), v128.load(EXP, 80));
  return f32x4.mul(p, i32x4.add(i32x4.shl(shifted, 23), v128.load(EXP, 80)));
}

// @ts-ignore: decorator
@inline
/** ln x within 1 ULP; −∞ at 0, NaN below, ∞ at ∞; denormal numbers are not flushed. */
export function log(x: v128): v128 {
  // x = 2ⁿ·(1 + f) with 1 + f between √½ and √2; denormal numbers are scaled by 2²³ first
  const tiny = f32x4.lt(x, v128.load(LOG, 144));
  const scaled = v128.bitselect(f32x4.mul(x, v128.load(LOG, 160)), x, tiny);
  const shifted = i32x4.sub(scaled, i32x4.splat(0x3f3504f3));
  const n = i32x4.sub(i32x4.shr_s(shifted, 23), v128.and(tiny, i32x4.splat(23)));
  const mantissa = i32x4.add(v128.and(shifted, i32x4.splat(0x7fffff)), i32x4.splat(0x3f3504f3));
  const f = f32x4.sub(mantissa, v128.load(LOG, 80));
  const s = f32x4.div(f, f32x4.add(f, v128.load(LOG, 96)));
  const z = f32x4.mul(s, s);
  let p = madd(v128.load(LOG), z, v128.load(LOG, 16));
  p = madd(p, z, v128.load(LOG, 32));
  p = madd(p, z, v128.load(LOG, 48));
  const half = f32x4.mul(f32x4.mul(f, f), v128.load(LOG, 64));
  const e = f32x4.convert_i32x4_s(n);
  const small = madd(s, madd(p, z, half), f32x4.mul(e, v128.load(LOG, 128)));
  let y = madd(e, v128.load(LOG, 112), f32x4.sub(f, f32x4.sub(half, small)));
  y = v128.bitselect(y, x, f32x4.lt(x, v128.load(LOG, 176)));
  y = v128.bitselect(v128.load(LOG, 192), y, f32x4.eq(x, f32x4.splat(0)));
  return v128.or(y, f32x4.lt(x, f32x4.splat(0)));
}

// @ts-ignore: decorator
@inline
/** ln(1 + t) for 0 ≤ t ≤ 1, within 2 ULP. */
export function logOnePlus(t: v128): v128 {
  const s = f32x4.div(t, f32x4.add(t, v128.load(LOG, 96)));
  const z = f32x4.mul(s, s);
  let p = madd(v128.load(LOG1P), z, v128.load(LOG1P, 16));
  p = madd(p, z, v128.load(LOG1P, 32));
  p = madd(p, z, v128.load(LOG1P, 48));
  p = madd(p, z, v128.load(LOG1P, 64));
  return madd(f32x4.mul(s, z), p, f32x4.add(s, s));
}

// @ts-ignore: decorator
@inline
/** 1/(1 + e⁻ˣ) within 2.5 ULP, also where it is nearly 0. */
export function sigmoid(x: v128): v128 {
  const e = exp(negativeMagnitude(x));
  const numerator = v128.bitselect(e, v128.load(ONES), f32x4.lt(x, f32x4.splat(0)));
  return f32x4.div(numerator, f32x4.add(e, v128.load(ONES)));
}

// @ts-ignore: decorator
@inline
/** ln(1 + eˣ) = max(x, 0) + ln(1 + e^(−|x|)) within 3 ULP. */
export function softplus(x: v128): v128 {
  return f32x4.add(f32x4.pmax(x, f32x4.splat(0)), logOnePlus(exp(negativeMagnitude(x))));
}

// @ts-ignore: decorator
@inline
/** sin(x + quarters·π/2) for quarters 0 or 1, absolute error ≤ 1.2e-7 for every finite x; NaN at ±∞. */
export function sine(x: v128, quarters: i32): v128 {
  const n = f32x4.nearest(f32x4.mul(x, v128.load(TRIG, 96)));
  let r = nmadd(n, v128.load(TRIG, 112), x);
  r = nmadd(n, v128.load(TRIG, 128), r);
  r = nmadd(n, v128.load(TRIG, 144), r);
  const z = f32x4.mul(r, r);
  let p = madd(v128.load(TRIG), z, v128.load(TRIG, 16));
  p = madd(p, z, v128.load(TRIG, 32));
  p = madd(f32x4.mul(p, z), r, r);
  let q = madd(v128.load(TRIG, 48), z, v128.load(TRIG, 64));
  q = madd(q, z, v128.load(TRIG, 80));
  q = madd(f32x4.mul(z, z), q, nmadd(z, v128.load(LOG, 64), v128.load(ONES)));
  const quadrant = i32x4.add(i32x4.trunc_sat_f32x4_s(n), i32x4.splat(quarters));
  const odd = i32x4.shr_s(i32x4.shl(quadrant, 31), 31);
  const sign = i32x4.shl(i32x4.shr_u(quadrant, 1), 31);
  const y = v128.xor(v128.bitselect(q, p, odd), sign);
  const large = f32x4.gt(f32x4.abs(x), v128.load(TRIG, 160));
  return v128.any_true(large) ? replaceLarge(x, y, quarters) : y;
}

/** Replaces the lanes of y = sin(x + quarters·π/2) where |x| > 8192. */
function replaceLarge(x: v128, y: v128, quarters: i32): v128 {
  y = f32x4.replace_lane(y, 0, largeOr(f32x4.extract_lane(x, 0), f32x4.extract_lane(y, 0), quarters));
  y = f32x4.replace_lane(y, 1, largeOr(f32x4.extract_lane(x, 1), f32x4.extract_lane(y, 1), quarters));
  y = f32x4.replace_lane(y, 2, largeOr(f32x4.extract_lane(x, 2), f32x4.extract_lane(y, 2), quarters));
  return f32x4.replace_lane(y, 3, largeOr(f32x4.extract_lane(x, 3), f32x4.extract_lane(y, 3), quarters));
}

/** 32 zero bits, then the first 192 bits of 2/π. */
const TWO_OVER_PI: usize = memory.data<u32>([
  0, 0xa2f9836e, 0x4e441529, 0xfc2757d1, 0xf534ddc0, 0xdb629599, 0x3c439041,
], 16);

/**
 * sin(x + quarters·π/2) for |x| > 8192, y for smaller x. With x = m·2ᵉ only the bits of 2/π from weight 2¹⁻ᵉ on matter
 * modulo 4 quarter turns, and 64 of them give the angle to 2⁻³⁸ (Payne and Hanek 1983).
 */
function largeOr(x: f32, y: f32, quarters: i32): f32 {
  if (!(abs(x) > 8192)) return y;
  if (!isFinite(x)) return NaN;
  const bits = reinterpret<u32>(x);
  const mantissa = <u64>((bits & 0x7fffff) | 0x800000);
  const from = <i32>(bits >> 23 & 0xff) - 150 + 30;
  const words = TWO_OVER_PI + ((<usize>(from >> 5)) << 2);
  const shift = <u64>(from & 31);
  const upper = <u64>load<u32>(words) << 32 | <u64>load<u32>(words, 4);
  const turns = mantissa * (upper << shift | <u64>load<u32>(words, 8) >> (32 - shift));
  let quadrant = <i32>((turns + 0x2000000000000000) >> 62);
  let r = <f64><i64>(turns - (<u64>quadrant << 62)) * (Math.PI / 2 / 4611686018427387904.0);
  if (x < 0) quadrant = -quadrant, r = -r;
  quadrant += quarters;
  const z = r * r;
  // Taylor series: the next terms are below 3e-10 for |r| ≤ π/4
  const value = quadrant & 1
    ? 1 - z * (1 / 2.0 - z * (1 / 24.0 - z * (1 / 720.0 - z * (1 / 40320.0 - z / 3628800.0))))
    : r * (1 - z * (1 / 6.0 - z * (1 / 120.0 - z * (1 / 5040.0 - z / 362880.0))));
  return <f32>(quadrant & 2 ? -value : value);
}
