/**
 * The steps of the kernels in spline.ts and spline_gradient.ts, for four samples: their state lies in `scratch`, the
 * exponentials of K width logits, those of K height logits, then the vectors named below. See spline.ts for formulas.
 */
import { expNegative, ones, sigmoid, softplus } from "./math";
import { madd, ROW } from "./simd";

/** Bytes after the two rows of exponentials: the lower left corner (x, y) of the bin and its width and height. */
export const LEFT: usize = 0;
export const BOTTOM: usize = 16;
export const WIDTH: usize = 32;
export const HEIGHT: usize = 48;
/** Place in the bin, from 0 to 1, and the distance from there to 1. */
export const PLACE: usize = 64;
export const REST: usize = 80;
/** Features of the slopes at both ends, then the slopes. */
export const LEFT_FEATURE: usize = 96;
export const RIGHT_FEATURE: usize = 112;
export const LEFT_SLOPE: usize = 128;
export const RIGHT_SLOPE: usize = 144;
/** Number of the bin, int32. */
export const INDEX: usize = 160;
/** Of widths, then of heights: the shares of all bins below, the share of the bin, 1 / Σ exponentials. */
export const SHARES: usize = 176;
export const BELOW: usize = 0;
export const OWN: usize = 16;
export const SCALE: usize = 32;
export const OF_HEIGHTS: usize = 48;

const CONSTANTS: usize = memory.data<f32>([
  // ln(e − 1), where softplus is 1; the largest feature of a slope; −∞
  0.5413248538970947, 0.5413248538970947, 0.5413248538970947, 0.5413248538970947,
  1000, 1000, 1000, 1000,
  -Infinity, -Infinity, -Infinity, -Infinity,
], 16);

// @ts-ignore: decorator
@inline
/** Where the state of the bin begins. */
export function stateOf(bins: i32, scratch: usize): usize {
  return scratch + (<usize>bins << 5);
}

// @ts-ignore: decorator
@inline
/** Bytes of the features of one coordinate of a panel. */
export function featureBytes(bins: i32): usize {
  return <usize>(3 * bins - 1) * ROW;
}

// @ts-ignore: decorator
@inline
/** The length that K logits share out: 2B less what each bin has anyway. */
export function spanOf(bins: i32, bound: f32, minimum: f32): v128 {
  return f32x4.splat(2 * bound * (1 - <f32>bins * minimum));
}

// @ts-ignore: decorator
@inline
/** |x| ≥ B, where the map is the identity; false for NaN. */
export function isOutside(x: v128, bound: f32): v128 {
  return f32x4.ge(f32x4.abs(x), f32x4.splat(bound));
}

// @ts-ignore: decorator
@inline
/** The slope of a feature: m + (1 − m) softplus(c + ln(e − 1)), 1 for c = 0. */
function slopeOf(feature: v128, minimum: f32): v128 {
  const capped = f32x4.pmin(feature, v128.load(CONSTANTS, 16));
  const free = softplus(f32x4.add(capped, v128.load(CONSTANTS)));
  return madd(free, f32x4.splat(1 - minimum), f32x4.splat(minimum));
}

// @ts-ignore: decorator
@inline
/** The derivative of a slope by its feature; 0 above the largest. */
export function slopeDerivative(feature: v128, minimum: f32): v128 {
  const derivative = f32x4.mul(sigmoid(f32x4.add(feature, v128.load(CONSTANTS))), f32x4.splat(1 - minimum));
  return v128.andnot(derivative, f32x4.gt(feature, v128.load(CONSTANTS, 16)));
}

/** Writes e^(a − max a) of K logits a and returns 1 / Σ. */
function exponentials(bins: i32, logits: usize, to: usize): v128 {
  const size = <usize>bins << 4;
  let largest = v128.load(CONSTANTS, 32);
  for (let j: usize = 0; j < size; j += 16) largest = f32x4.pmax(largest, v128.load(logits + (j << 3)));
  let sum = f32x4.splat(0);
  for (let j: usize = 0; j < size; j += 16) {
    const e = expNegative(f32x4.sub(v128.load(logits + (j << 3)), largest));
    v128.store(to + j, e);
    sum = f32x4.add(sum, e);
  }
  return f32x4.div(ones(), sum);
}

/**
 * Finds the bin of a place on the x axis, or if `inverse` on the y axis, and stores everything about it but PLACE and
 * REST. Outside of all bins, and for NaN, that is the first or the last.
 */
export function locate(
  bins: i32, bound: f32, minimumWidth: f32, minimumHeight: f32, minimumSlope: f32, inverse: i32, features: usize,
  place: v128, scratch: usize,
): void {
  const size = <usize>bins << 4, block = <usize>bins * ROW;
  const heights = scratch + size, slopes = features + 2 * block;
  const perWidth = exponentials(bins, features, scratch), perHeight = exponentials(bins, features + block, heights);
  const spanX = spanOf(bins, bound, minimumWidth), spanY = spanOf(bins, bound, minimumHeight);
  const onY = i32x4.splat(-inverse);
  let left = f32x4.splat(-bound), bottom = left, index = i32x4.splat(0);
  let sumX = index, sumY = index, belowX = index, belowY = index, leftFeature = index;
  let ownX = v128.load(scratch), ownY = v128.load(heights);
  let rightFeature = bins > 1 ? v128.load(slopes) : index;
  for (let k = 1; k < bins; ++k) {
    const at = <usize>k << 4;
    sumX = f32x4.add(sumX, v128.load(scratch + at - 16));
    sumY = f32x4.add(sumY, v128.load(heights + at - 16));
    const shareX = f32x4.mul(sumX, perWidth), shareY = f32x4.mul(sumY, perHeight);
    const x = madd(shareX, spanX, f32x4.splat(2 * bound * minimumWidth * <f32>k - bound));
    const y = madd(shareY, spanY, f32x4.splat(2 * bound * minimumHeight * <f32>k - bound));
    const beyond = f32x4.ge(place, v128.bitselect(y, x, onY));
    index = i32x4.sub(index, beyond);
    left = v128.bitselect(x, left, beyond);
    bottom = v128.bitselect(y, bottom, beyond);
    belowX = v128.bitselect(shareX, belowX, beyond);
    belowY = v128.bitselect(shareY, belowY, beyond);
    ownX = v128.bitselect(v128.load(scratch + at), ownX, beyond);
    ownY = v128.bitselect(v128.load(heights + at), ownY, beyond);
    const feature = slopes + (at << 3);
    leftFeature = v128.bitselect(v128.load(feature - ROW), leftFeature, beyond);
    // the features of the slope at the last knot, which is 1, would be zeros
    const next = k < bins - 1 ? v128.load(feature) : f32x4.splat(0);
    rightFeature = v128.bitselect(next, rightFeature, beyond);
  }
  ownX = f32x4.mul(ownX, perWidth), ownY = f32x4.mul(ownY, perHeight);
  const state = stateOf(bins, scratch);
  v128.store(state + LEFT, left), v128.store(state + BOTTOM, bottom), v128.store(state + INDEX, index);
  v128.store(state + WIDTH, madd(ownX, spanX, f32x4.splat(2 * bound * minimumWidth)));
  v128.store(state + HEIGHT, madd(ownY, spanY, f32x4.splat(2 * bound * minimumHeight)));
  v128.store(state + LEFT_FEATURE, leftFeature), v128.store(state + RIGHT_FEATURE, rightFeature);
  v128.store(state + LEFT_SLOPE, slopeOf(leftFeature, minimumSlope));
  v128.store(state + RIGHT_SLOPE, slopeOf(rightFeature, minimumSlope));
  const shares = state + SHARES;
  v128.store(shares + BELOW, belowX), v128.store(shares + OWN, ownX), v128.store(shares + SCALE, perWidth);
  v128.store(shares + (OF_HEIGHTS + BELOW), belowY), v128.store(shares + (OF_HEIGHTS + OWN), ownY);
  v128.store(shares + (OF_HEIGHTS + SCALE), perHeight);
}

/** ξ = (x − x_k) / w and 1 − ξ. */
export function placeOnX(x: v128, state: usize): void {
  const place = f32x4.div(f32x4.sub(x, v128.load(state + LEFT)), v128.load(state + WIDTH));
  const inside = f32x4.pmin(place, ones());
  v128.store(state + PLACE, inside);
  v128.store(state + REST, f32x4.sub(ones(), inside));
}

/**
 * ξ and 1 − ξ of the root of the quadratic equation of y. With η = (y − y_k)/h, g = δ₀(1 − η) − δ₁η and
 * r = |g| + √(g² + 4s²η(1 − η)) they are 2sη and r, over their sum, where g ≥ 0; else r and 2s(1 − η), over theirs: sums
 * of positive numbers, so that nothing cancels.
 */
export function placeOnY(y: v128, state: usize): void {
  const height = v128.load(state + HEIGHT);
  const eta = f32x4.pmin(f32x4.div(f32x4.sub(y, v128.load(state + BOTTOM)), height), ones());
  const rest = f32x4.sub(ones(), eta);
  const mean = f32x4.div(height, v128.load(state + WIDTH));
  const g = f32x4.sub(
    f32x4.mul(v128.load(state + LEFT_SLOPE), rest), f32x4.mul(v128.load(state + RIGHT_SLOPE), eta),
  );
  const twice = f32x4.add(mean, mean);
  const lower = f32x4.mul(twice, eta), upper = f32x4.mul(twice, rest);
  const r = f32x4.add(f32x4.abs(g), f32x4.sqrt(madd(g, g, f32x4.mul(lower, upper))));
  const rising = f32x4.ge(g, f32x4.splat(0));
  const first = v128.bitselect(lower, r, rising), second = v128.bitselect(r, upper, rising);
  const scale = f32x4.div(ones(), f32x4.add(first, second));
  v128.store(state + PLACE, f32x4.mul(first, scale));
  v128.store(state + REST, f32x4.mul(second, scale));
}
