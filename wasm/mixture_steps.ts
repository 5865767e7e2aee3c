/**
 * The steps of the kernels in mixture.ts, for four samples: their state lies in `scratch`, ROWS rows of J vectors and
 * four vectors after them. See mixture.ts for formulas and the layout of features.
 */
import { exp, log, ones } from "./math";
import { gauss, normalQuantile, normalTail } from "./normal";
import { madd, nmadd, ROW } from "./simd";

/** Rows of e^a, of each coordinate. */
export const SCALE: usize = 0;
/** Rows of u_d; before coordinate d is placed, of its shear terms. */
export const PLACE: usize = 3;
/** Rows of the logarithms of the weights before each coordinate and after the last. */
export const LOG_WEIGHT: usize = 6;
/** Rows of the weights, which sum to 1. */
export const WEIGHT: usize = 10;
/** Rows that derivatives use. */
export const SPARE: usize = 14;
/** Number of rows; after them come the three sums of `masses`. */
export const ROWS: usize = 16;

export const CONSTANTS: usize = memory.data<f32>([
  // the largest log-scale; ½; ½ ln 2π; √(2π)
  6, 6, 6, 6,
  0.5, 0.5, 0.5, 0.5,
  0.9189385175704956, 0.9189385175704956, 0.9189385175704956, 0.9189385175704956,
  2.5066282749176025, 2.5066282749176025, 2.5066282749176025, 2.5066282749176025,
  // the smallest finite number; −∞; ∞
  -3.4028234663852886e38, -3.4028234663852886e38, -3.4028234663852886e38, -3.4028234663852886e38,
  -Infinity, -Infinity, -Infinity, -Infinity,
  Infinity, Infinity, Infinity, Infinity,
  // the smallest exponent of a weight
  -80, -80, -80, -80,
  // Newton's method has converged when z is this close before the last step, 2⁻¹⁷, or the step below 2⁻²¹ of x
  7.62939453125e-6, 7.62939453125e-6, 7.62939453125e-6, 7.62939453125e-6,
  4.76837158203125e-7, 4.76837158203125e-7, 4.76837158203125e-7, 4.76837158203125e-7,
  // masses above a component that are smaller than this, 2⁻²⁰, are rounding errors
  9.5367431640625e-7, 9.5367431640625e-7, 9.5367431640625e-7, 9.5367431640625e-7,
  // Φ(−3)
  0.00135, 0.00135, 0.00135, 0.00135,
], 16);
const MAXIMUM_ITERATIONS = 64;

// @ts-ignore: decorator
@inline
/** Where the shears of coordinate d by coordinate e < d begin. */
export function shear(dim: i32, count: i32, d: i32, e: i32): usize {
  return <usize>(1 + 2 * dim + ((d * (d - 1)) >> 1) + e) * <usize>count * ROW;
}

// @ts-ignore: decorator
@inline
/** The log-scale of a feature row, at most 6. */
export function capped(row: usize): v128 {
  return f32x4.pmin(v128.load(row), v128.load(CONSTANTS));
}

// @ts-ignore: decorator
@inline
/** eˣ, but 0 for x < −80: what is denormal now or after a division would slow everything down several times. */
export function flushedExp(x: v128): v128 {
  const least = v128.load(CONSTANTS, 112);
  return v128.andnot(exp(f32x4.pmax(x, least)), f32x4.lt(x, least));
}

/** Scales of all coordinates; the logits are the first logarithms of weights. */
export function begin(dim: i32, count: i32, features: usize, scratch: usize): void {
  const size = <usize>count << 4;
  for (let j: usize = 0; j < size; j += 16) {
    v128.store(scratch + LOG_WEIGHT * size + j, v128.load(features + (j << 3)));
  }
  features += <usize>(1 + dim) * <usize>count * ROW;
  for (let j: usize = 0, end = <usize>dim * size; j < end; j += 16) {
    v128.store(scratch + SCALE * size + j, exp(capped(features + (j << 3))));
  }
}

/** Normalises the weights before coordinate d, those below 1e-35 are 0; returns the logarithm of their sum. */
export function normalise(count: i32, d: i32, scratch: usize): v128 {
  const size = <usize>count << 4;
  const logs = scratch + (LOG_WEIGHT + <usize>d) * size, weights = scratch + (WEIGHT + <usize>d) * size;
  let largest = v128.load(CONSTANTS, 64);
  for (let j: usize = 0; j < size; j += 16) largest = f32x4.pmax(largest, v128.load(logs + j));
  let sum = f32x4.splat(0);
  for (let j: usize = 0; j < size; j += 16) {
    const weight = flushedExp(f32x4.sub(v128.load(logs + j), largest));
    v128.store(weights + j, weight);
    sum = f32x4.add(sum, weight);
  }
  const inverse = f32x4.div(ones(), sum);
  for (let j: usize = 0; j < size; j += 16) {
    v128.store(weights + j, f32x4.mul(v128.load(weights + j), inverse));
  }
  return f32x4.add(largest, log(sum));
}

/** The shear terms Σ_{e<d} s_de(r_e − m_e) of u_d. */
export function shears(dim: i32, count: i32, d: i32, features: usize, r: usize, scratch: usize): void {
  const size = <usize>count << 4;
  scratch += (PLACE + <usize>d) * size;
  for (let j: usize = 0; j < size; j += 16) v128.store(scratch + j, f32x4.splat(0));
  for (let e = 0; e < d; ++e) {
    const x = v128.load(r + <usize>e * ROW);
    const factors = features + shear(dim, count, d, e), means = features + <usize>(1 + e) * <usize>count * ROW;
    for (let j: usize = 0; j < size; j += 16) {
      const distance = f32x4.sub(x, v128.load(means + (j << 3)));
      v128.store(scratch + j, madd(v128.load(factors + (j << 3)), distance, v128.load(scratch + j)));
    }
  }
}

/** Turns shear terms into u_d at x and appends the weights after coordinate d. */
export function place(dim: i32, count: i32, d: i32, features: usize, x: v128, scratch: usize): void {
  const size = <usize>count << 4;
  const means = features + <usize>(1 + d) * <usize>count * ROW;
  const logScales = features + <usize>(1 + dim + d) * <usize>count * ROW;
  scratch += <usize>d * size;
  const half = v128.load(CONSTANTS, 16);
  for (let j: usize = 0; j < size; j += 16, scratch += 16) {
    const distance = f32x4.sub(x, v128.load(means + (j << 3)));
    const u = madd(v128.load(scratch + SCALE * size), distance, v128.load(scratch + PLACE * size));
    v128.store(scratch + PLACE * size, u);
    const change = nmadd(f32x4.mul(u, half), u, capped(logScales + (j << 3)));
    v128.store(scratch + (LOG_WEIGHT + 1) * size, f32x4.add(v128.load(scratch + LOG_WEIGHT * size), change));
  }
}

/** Σ wΦ(u), Σ wΦ(−u) and Σ w e^a e^(−u²/2) at a place x of coordinate d, into the last three vectors of scratch. */
export function masses(count: i32, d: i32, features: usize, x: v128, scratch: usize): void {
  const size = <usize>count << 4;
  const means = features + <usize>(1 + d) * <usize>count * ROW;
  let row = scratch + <usize>d * size;
  let lower = f32x4.splat(0), upper = f32x4.splat(0), density = f32x4.splat(0);
  for (let j: usize = 0; j < size; j += 16, row += 16) {
    const scale = v128.load(row + SCALE * size), weight = v128.load(row + WEIGHT * size);
    const u = madd(scale, f32x4.sub(x, v128.load(means + (j << 3))), v128.load(row + PLACE * size));
    const g = gauss(u);
    const tail = normalTail(u, g), rest = f32x4.sub(ones(), tail);
    const positive = f32x4.gt(u, f32x4.splat(0));
    lower = madd(weight, v128.bitselect(rest, tail, positive), lower);
    upper = madd(weight, v128.bitselect(tail, rest, positive), upper);
    density = madd(f32x4.mul(weight, scale), g, density);
  }
  const sums = scratch + ROWS * size;
  v128.store(sums, lower);
  v128.store(sums + 16, upper);
  v128.store(sums + 32, density);
}

/**
 * Where to begin: were the components side by side in the order of their centres, z would lie in one of them, with known
 * masses on both sides. The centres are in the first spare row.
 */
function start(count: i32, d: i32, z: v128, scratch: usize): v128 {
  const size = <usize>count << 4;
  const centres = scratch + SPARE * size, weights = scratch + (WEIGHT + <usize>d) * size;
  const tail = normalTail(z, gauss(z)), rest = f32x4.sub(ones(), tail);
  const positive = f32x4.gt(z, f32x4.splat(0));
  const lower = v128.bitselect(rest, tail, positive), upper = v128.bitselect(tail, rest, positive);
  let centre = v128.load(centres), scale = v128.load(scratch + (SCALE + <usize>d) * size);
  let below = ones(), above = ones();
  // the mass before each component, two at a time; if their number is odd, the last goes to the sums and is not used
  const beforeEach = centres + size;
  for (let j: usize = 0; j < size; j += 32) {
    const own = v128.load(centres + j), next = v128.load(centres + j, 16);
    let ofOwn = f32x4.splat(0), ofNext = f32x4.splat(0);
    for (let i: usize = 0; i < size; i += 16) {
      const centre = v128.load(centres + i), weight = v128.load(weights + i);
      ofOwn = f32x4.add(ofOwn, v128.and(weight, f32x4.lt(centre, own)));
      ofNext = f32x4.add(ofNext, v128.and(weight, f32x4.lt(centre, next)));
    }
    v128.store(beforeEach + j, ofOwn);
    v128.store(beforeEach + j, ofNext, 16);
  }
  for (let j: usize = 0; j < size; j += 16) {
    const before = v128.load(beforeEach + j);
    let after = f32x4.sub(f32x4.sub(ones(), before), v128.load(weights + j));
    after = v128.and(after, f32x4.gt(after, v128.load(CONSTANTS, 160)));
    const left = f32x4.sub(lower, before), right = f32x4.sub(upper, after);
    const here = f32x4.ge(f32x4.pmin(left, right), f32x4.splat(0));
    centre = v128.bitselect(v128.load(centres + j), centre, here);
    scale = v128.bitselect(v128.load(scratch + (SCALE + <usize>d) * size + j), scale, here);
    below = v128.bitselect(left, below, here);
    above = v128.bitselect(right, above, here);
  }
  // not beyond three widths of the component: what lies there is another's more often than not
  const least = f32x4.mul(f32x4.add(below, above), v128.load(CONSTANTS, 176));
  const u = normalQuantile(f32x4.pmax(below, least), f32x4.pmax(above, least));
  return f32x4.add(centre, f32x4.div(u, scale));
}

/**
 * The x with Φ⁻¹(F(x)) = z, by Newton's method inside a bracket that begins with the least and the greatest of the
 * components' own solutions and is halved where a step would leave it, or where the one before did not halve the error.
 * A lane that has converged rests, so that what happens to a sample does not depend on its neighbours.
 */
export function solve(count: i32, d: i32, features: usize, z: v128, scratch: usize): v128 {
  const size = <usize>count << 4;
  const means = features + <usize>(1 + d) * <usize>count * ROW;
  let row = scratch + <usize>d * size;
  let low = v128.load(CONSTANTS, 96), high = v128.load(CONSTANTS, 80), mean = f32x4.splat(0);
  for (let j: usize = 0; j < size; j += 16, row += 16) {
    const inverse = f32x4.div(ones(), v128.load(row + SCALE * size));
    const centre = nmadd(v128.load(row + PLACE * size), inverse, v128.load(means + (j << 3)));
    v128.store(scratch + SPARE * size + j, centre);
    const own = madd(z, inverse, centre);
    low = f32x4.pmin(low, own);
    high = f32x4.pmax(high, own);
    mean = madd(v128.load(row + WEIGHT * size), own, mean);
  }
  let done = f32x4.ge(low, high);
  let x = f32x4.pmin(f32x4.pmax(start(count, d, z, scratch), low), high);
  x = v128.bitselect(low, x, done);
  // the mean is NaN where anything that x depends on is
  const broken = f32x4.ne(mean, mean);
  x = v128.bitselect(mean, x, broken);
  done = v128.or(done, broken);
  let error = v128.load(CONSTANTS, 96);
  const sums = scratch + ROWS * size;
  for (let iteration = 0; iteration < MAXIMUM_ITERATIONS; ++iteration) {
    if (i32x4.all_true(done)) break;
    masses(count, d, features, x, scratch);
    const reached = normalQuantile(v128.load(sums), v128.load(sums + 16));
    const missing = f32x4.sub(z, reached);
    const slope = gauss(reached);
    const step = f32x4.div(f32x4.mul(missing, slope), v128.load(sums + 32));
    const above = f32x4.lt(missing, f32x4.splat(0));
    high = v128.bitselect(x, high, above);
    low = v128.bitselect(low, x, above);
    const newton = f32x4.add(x, step);
    const inside = v128.and(f32x4.gt(newton, low), f32x4.lt(newton, high));
    // a slope that underflows says nothing of the step
    const small = f32x4.le(f32x4.abs(step), f32x4.mul(f32x4.abs(x), v128.load(CONSTANTS, 144)));
    const tiny = v128.and(small, f32x4.gt(slope, f32x4.splat(0)));
    const close = v128.and(inside, f32x4.le(f32x4.abs(missing), v128.load(CONSTANTS, 128)));
    const quick = v128.and(inside, f32x4.le(f32x4.abs(missing), error));
    error = f32x4.mul(f32x4.abs(missing), v128.load(CONSTANTS, 16));
    const middle = madd(f32x4.sub(high, low), v128.load(CONSTANTS, 16), low);
    const next = v128.bitselect(newton, middle, v128.or(quick, v128.or(tiny, close)));
    x = v128.bitselect(x, next, done);
    done = v128.or(done, v128.or(tiny, close));
  }
  return x;
}

/** ln of the last weights' sum, less that of the first and D/2·ln 2π. */
export function logProb(dim: i32, count: i32, ofLogits: v128, scratch: usize): v128 {
  const total = f32x4.sub(normalise(count, dim, scratch), ofLogits);
  return nmadd(f32x4.splat(<f32>dim), v128.load(CONSTANTS, 32), total);
}
