/**
 * Monotonic rational-quadratic splines whose parameters are features, one for each coordinate: values with the logarithms
 * of their slopes, both directions. Derivatives are in spline_gradient.ts.
 *
 * x[P][D][32], features[P][D·(3K − 1)][32]: for each coordinate K width logits, K height logits and K − 1 slope features c
 * (above 1000 counts as 1000). out[P][2D][32]: D values, then D logarithms of slopes.
 *
 * Bins have widths 2B(m + (1 − Km) softmax) from −B on, heights likewise; slopes at the inner knots are
 * δ = m + (1 − m) softplus(c + ln(e − 1)), at ±B 1. With s = h/w, ξ = (x − x_k)/w and t = ξ(1 − ξ), in bin k
 * y = y_k + h (sξ² + δ_k t) / d, d = s(1 − 2t) + (δ_k + δ_{k+1})t,
 * dy/dx = s²(δ_{k+1}ξ² + 2st + δ_k(1 − ξ)²) / d². Where |x| ≥ B: y = x, also at ±∞.
 *
 * Durkan, Bekasov, Murray & Papamakarios 2019, arXiv 1906.04032, eqs. 4 and 5. `scratch` is 32·K + 272 bytes.
 */
import { log } from "./math";
import {
  BOTTOM, featureBytes, HEIGHT, isOutside, LEFT, LEFT_SLOPE, locate, PLACE, placeOnX, placeOnY, REST, RIGHT_SLOPE,
  stateOf, WIDTH,
} from "./spline_steps";
import { madd, ROW } from "./simd";

/** out = values and logarithms of slopes at x. */
export function splineForwardF32(
  panels: i32, dim: i32, bins: i32, bound: f32, minimumWidth: f32, minimumHeight: f32, minimumSlope: f32,
  x: usize, features: usize, out: usize, scratch: usize,
): void {
  const size = <usize>dim * ROW, state = stateOf(bins, scratch), width = featureBytes(bins);
  for (; panels > 0; --panels) {
    for (let i: usize = 0; i < size; i += ROW) {
      for (let lane: usize = 0; lane < ROW; lane += 16) {
        const at = v128.load(x + i + lane), outside = isOutside(at, bound);
        locate(bins, bound, minimumWidth, minimumHeight, minimumSlope, 0, features + lane, at, scratch);
        placeOnX(at, state);
        const y = inBox(valueAt(state), bound);
        v128.store(out + i + lane, v128.bitselect(at, y, outside));
        v128.store(out + size + i + lane, v128.andnot(log(slopeAt(state)), outside));
      }
      features += width;
    }
    x += size, out += 2 * size;
  }
}

/** out = places whose values are y, and the logarithms of the slopes of the inverse there. */
export function splineInverseF32(
  panels: i32, dim: i32, bins: i32, bound: f32, minimumWidth: f32, minimumHeight: f32, minimumSlope: f32,
  y: usize, features: usize, out: usize, scratch: usize,
): void {
  const size = <usize>dim * ROW, state = stateOf(bins, scratch), width = featureBytes(bins);
  for (; panels > 0; --panels) {
    for (let i: usize = 0; i < size; i += ROW) {
      for (let lane: usize = 0; lane < ROW; lane += 16) {
        const at = v128.load(y + i + lane), outside = isOutside(at, bound);
        locate(bins, bound, minimumWidth, minimumHeight, minimumSlope, 1, features + lane, at, scratch);
        placeOnY(at, state);
        const x = madd(v128.load(state + PLACE), v128.load(state + WIDTH), v128.load(state + LEFT));
        v128.store(out + i + lane, v128.bitselect(at, inBox(x, bound), outside));
        v128.store(out + size + i + lane, v128.andnot(f32x4.neg(log(slopeAt(state))), outside));
      }
      features += width;
    }
    y += size, out += 2 * size;
  }
}

// @ts-ignore: decorator
@inline
/** Rounding may lead past the last knot. */
function inBox(v: v128, bound: f32): v128 {
  return f32x4.pmax(f32x4.pmin(v, f32x4.splat(bound)), f32x4.splat(-bound));
}

// @ts-ignore: decorator
@inline
/** d = s(1 − 2t) + (δ₀ + δ₁)t. */
function denominator(mean: v128, t: v128, state: usize): v128 {
  const slopes = f32x4.add(v128.load(state + LEFT_SLOPE), v128.load(state + RIGHT_SLOPE));
  return madd(slopes, t, f32x4.mul(mean, f32x4.sub(f32x4.splat(1), f32x4.add(t, t))));
}

// @ts-ignore: decorator
@inline
function valueAt(state: usize): v128 {
  const place = v128.load(state + PLACE), rest = v128.load(state + REST), height = v128.load(state + HEIGHT);
  const mean = f32x4.div(height, v128.load(state + WIDTH));
  const rise = f32x4.mul(place, madd(mean, place, f32x4.mul(v128.load(state + LEFT_SLOPE), rest)));
  const ratio = f32x4.div(rise, denominator(mean, f32x4.mul(place, rest), state));
  return madd(ratio, height, v128.load(state + BOTTOM));
}

// @ts-ignore: decorator
@inline
/** dy/dx = (s/d)² (ξ(δ₁ξ + s(1 − ξ)) + (1 − ξ)(δ₀(1 − ξ) + sξ)). */
function slopeAt(state: usize): v128 {
  const place = v128.load(state + PLACE), rest = v128.load(state + REST);
  const mean = f32x4.div(v128.load(state + HEIGHT), v128.load(state + WIDTH));
  const quotient = f32x4.div(mean, denominator(mean, f32x4.mul(place, rest), state));
  const right = madd(v128.load(state + RIGHT_SLOPE), place, f32x4.mul(mean, rest));
  const left = madd(v128.load(state + LEFT_SLOPE), rest, f32x4.mul(mean, place));
  const sum = madd(place, right, f32x4.mul(rest, left));
  return f32x4.mul(f32x4.mul(quotient, quotient), sum);
}
