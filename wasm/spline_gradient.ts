/**
 * Derivatives of the rational-quadratic splines of spline.ts, both directions.
 *
 * dOut[P][2D][32] are the cotangents of values and of logarithms of slopes; dx[P][D][32] and dFeatures, of the shape of
 * features, are overwritten. Where |x| ≥ B, dx is that of the value, and features have none.
 */
import { ones } from "./math";
import {
  BELOW, featureBytes, HEIGHT, INDEX, isOutside, LEFT_FEATURE, LEFT_SLOPE, locate, OF_HEIGHTS, OWN, PLACE, placeOnX,
  placeOnY, REST, RIGHT_FEATURE, RIGHT_SLOPE, SCALE, SHARES, slopeDerivative, spanOf, stateOf, WIDTH,
} from "./spline_steps";
import { madd, nmadd, ROW } from "./simd";

/** From the cotangents of y and ln dy/dx, at x. */
export function splineForwardGradF32(
  panels: i32, dim: i32, bins: i32, bound: f32, minimumWidth: f32, minimumHeight: f32, minimumSlope: f32,
  x: usize, features: usize, dOut: usize, dx: usize, dFeatures: usize, scratch: usize,
): void {
  gradient(
    panels, dim, bins, bound, minimumWidth, minimumHeight, minimumSlope, 0, x, features, dOut, dx, dFeatures, scratch,
  );
}

/** From the cotangents of x and ln dx/dy, at y. */
export function splineInverseGradF32(
  panels: i32, dim: i32, bins: i32, bound: f32, minimumWidth: f32, minimumHeight: f32, minimumSlope: f32,
  y: usize, features: usize, dOut: usize, dy: usize, dFeatures: usize, scratch: usize,
): void {
  gradient(
    panels, dim, bins, bound, minimumWidth, minimumHeight, minimumSlope, 1, y, features, dOut, dy, dFeatures, scratch,
  );
}

function gradient(
  panels: i32, dim: i32, bins: i32, bound: f32, minimumWidth: f32, minimumHeight: f32, minimumSlope: f32,
  inverse: i32, x: usize, features: usize, dOut: usize, dx: usize, dFeatures: usize, scratch: usize,
): void {
  const size = <usize>dim * ROW, state = stateOf(bins, scratch), width = featureBytes(bins);
  const block = <usize>bins * ROW;
  const spanX = spanOf(bins, bound, minimumWidth), spanY = spanOf(bins, bound, minimumHeight);
  for (; panels > 0; --panels) {
    for (let i: usize = 0; i < size; i += ROW) {
      for (let lane: usize = 0; lane < ROW; lane += 16) {
        const at = v128.load(x + i + lane), outside = isOutside(at, bound), to = dFeatures + lane;
        locate(bins, bound, minimumWidth, minimumHeight, minimumSlope, inverse, features + lane, at, scratch);
        if (inverse) placeOnY(at, state);
        else placeOnX(at, state);
        const byValue = v128.load(dOut + i + lane);
        const by = ofBin(inverse, byValue, v128.load(dOut + size + i + lane), minimumSlope, state);
        v128.store(dx + i + lane, v128.bitselect(byValue, by, outside));
        const shares = state + SHARES, heights = scratch + (<usize>bins << 4);
        ofLogits(bins, spanX, v128.load(state), v128.load(state, 16), outside, scratch, shares, state, to);
        const corner = v128.load(state, 32), length = v128.load(state, 48);
        ofLogits(bins, spanY, corner, length, outside, heights, shares + OF_HEIGHTS, state, to + block);
        ofSlopes(bins, outside, state, to + 2 * block);
      }
      features += width, dFeatures += width;
    }
    x += size, dx += size, dOut += 2 * size;
  }
}

/**
 * Returns the cotangent of the place, and stores in the first vectors of the state those of x_k, w, y_k and h, and in the
 * place of the slopes those of their features.
 *
 * For a and b the cotangents of y and ln dy/dx at fixed x:  e = a dy/dx + b ∂ln(dy/dx)/∂x is that of x,
 * s̄ = a h t(ξ²δ₁ − (1 − ξ)²δ₀)/d² + 2bt(1/p + (δ₀ + δ₁)/(sd)), x̄_k = −e, w̄ = −eξ − s̄s/w, ȳ_k = a, h̄ = aρ + s̄/w,
 * δ̄₀ = a h t(1 − ξ)(s(1 − ξ) + δ₁ξ)/d² + b((1 − ξ)²/p − 2t/d), δ̄₁ = −a h tξ(sξ + δ₀(1 − ξ))/d² + b(ξ²/p − 2t/d),
 * where p = δ₁ξ² + 2st + δ₀(1 − ξ)² and ρ = ξ(sξ + δ₀(1 − ξ))/d. The inverse has x = f⁻¹(y) and −ln dy/dx there:
 * ȳ = (x̄ − b̄ ∂ln(dy/dx)/∂x) dx/dy, and the rest follows with a = −ȳ and b = −b̄.
 */
function ofBin(inverse: i32, byValue: v128, byLogSlope: v128, minimumSlope: f32, state: usize): v128 {
  const place = v128.load(state + PLACE), rest = v128.load(state + REST), height = v128.load(state + HEIGHT);
  const left = v128.load(state + LEFT_SLOPE), right = v128.load(state + RIGHT_SLOPE);
  const perWidth = f32x4.div(ones(), v128.load(state + WIDTH));
  const mean = f32x4.mul(height, perWidth), t = f32x4.mul(place, rest), slopes = f32x4.add(left, right);
  const twice = f32x4.add(t, t), tilt = f32x4.sub(rest, place);
  const perD = f32x4.div(ones(), madd(slopes, t, f32x4.mul(mean, f32x4.sub(ones(), twice))));
  const fromLeft = madd(mean, place, f32x4.mul(left, rest)), fromRight = madd(mean, rest, f32x4.mul(right, place));
  const p = madd(place, fromRight, f32x4.mul(rest, fromLeft));
  const perP = f32x4.div(ones(), p);
  const quotient = f32x4.mul(mean, perD);
  const slope = f32x4.mul(f32x4.mul(quotient, quotient), p);
  const byPlace = f32x4.mul(perP, madd(mean, tilt, f32x4.sub(f32x4.mul(right, place), f32x4.mul(left, rest))));
  const bend = f32x4.mul(f32x4.mul(f32x4.sub(slopes, f32x4.add(mean, mean)), tilt), perD);
  const change = f32x4.mul(f32x4.sub(byPlace, bend), f32x4.add(perWidth, perWidth));
  let a = byValue, b = byLogSlope, result = madd(byLogSlope, change, f32x4.mul(byValue, slope)), e = result;
  if (inverse) {
    result = f32x4.div(nmadd(byLogSlope, change, byValue), slope);
    a = f32x4.neg(result), b = f32x4.neg(byLogSlope), e = f32x4.neg(byValue);
  }
  const perD2 = f32x4.mul(f32x4.mul(f32x4.mul(a, height), t), f32x4.mul(perD, perD));
  const squares = f32x4.sub(f32x4.mul(f32x4.mul(place, place), right), f32x4.mul(f32x4.mul(rest, rest), left));
  const share = madd(f32x4.mul(slopes, perD), f32x4.div(ones(), mean), perP);
  const ofMean = madd(f32x4.mul(b, twice), share, f32x4.mul(perD2, squares));
  const byMean = f32x4.mul(ofMean, perWidth), common = f32x4.mul(twice, perD);
  const leftShare = f32x4.sub(f32x4.mul(f32x4.mul(rest, rest), perP), common);
  const rightShare = f32x4.sub(f32x4.mul(f32x4.mul(place, place), perP), common);
  const ofLeft = madd(b, leftShare, f32x4.mul(perD2, f32x4.mul(rest, fromRight)));
  const ofRight = nmadd(perD2, f32x4.mul(place, fromLeft), f32x4.mul(b, rightShare));
  v128.store(state, f32x4.neg(e));
  v128.store(state, nmadd(byMean, mean, f32x4.neg(f32x4.mul(e, place))), 16);
  v128.store(state, a, 32);
  v128.store(state, madd(a, f32x4.mul(f32x4.mul(place, fromLeft), perD), byMean), 48);
  v128.store(state + LEFT_SLOPE, f32x4.mul(ofLeft, slopeDerivative(v128.load(state + LEFT_FEATURE), minimumSlope)));
  v128.store(state + RIGHT_SLOPE, f32x4.mul(ofRight, slopeDerivative(v128.load(state + RIGHT_FEATURE), minimumSlope)));
  return result;
}

/**
 * Cotangents of logits: with shares πⱼ, whose span L is shared out, those of the corner v and of the own length l give
 * āⱼ = L πⱼ (l̄[j = k] + v̄[j < k] − l̄ π_k − v̄ P), P = Σ_{i<k} πᵢ; with Q = Σ_{i>k} πᵢ, and without what cancels, the
 * bracket is l̄Q + (l̄ − v̄)P for j = k, v̄Q + (v̄ − l̄)π_k for j < k and −l̄ π_k − v̄P for j > k.
 */
function ofLogits(
  bins: i32, span: v128, corner: v128, length: v128, outside: v128, exponentials: usize, shares: usize, state: usize,
  to: usize,
): void {
  const index = v128.load(state + INDEX), perSum = v128.load(shares + SCALE);
  const below = v128.load(shares + BELOW), own = v128.load(shares + OWN);
  let above = f32x4.splat(0);
  for (let j = 1; j < bins; ++j) {
    const e = v128.load(exponentials + (<usize>j << 4));
    above = f32x4.add(above, v128.and(e, i32x4.gt_s(i32x4.splat(j), index)));
  }
  above = f32x4.mul(above, perSum);
  const difference = f32x4.sub(length, corner);
  const ofOwn = madd(length, above, f32x4.mul(difference, below));
  const ofBelow = nmadd(difference, own, f32x4.mul(corner, above));
  const ofAbove = f32x4.neg(madd(length, own, f32x4.mul(corner, below)));
  const scale = f32x4.mul(span, perSum);
  for (let j = 0; j < bins; ++j, exponentials += 16, to += ROW) {
    const number = i32x4.splat(j);
    let bracket = v128.bitselect(ofBelow, ofAbove, i32x4.lt_s(number, index));
    bracket = v128.bitselect(ofOwn, bracket, i32x4.eq(number, index));
    v128.store(to, v128.andnot(f32x4.mul(bracket, f32x4.mul(scale, v128.load(exponentials))), outside));
  }
}

/** Cotangents of the features of slopes: those of both ends of the bin, 0 for all others; NaN where no bin is known. */
function ofSlopes(bins: i32, outside: v128, state: usize, to: usize): void {
  const index = v128.load(state + INDEX), place = v128.load(state + PLACE), unknown = f32x4.ne(place, place);
  for (let j = 0; j < bins - 1; ++j, to += ROW) {
    const left = v128.and(v128.load(state + LEFT_SLOPE), i32x4.eq(i32x4.splat(j + 1), index));
    const right = v128.and(v128.load(state + RIGHT_SLOPE), i32x4.eq(i32x4.splat(j), index));
    v128.store(to, v128.andnot(v128.or(v128.or(left, right), unknown), outside));
  }
}
