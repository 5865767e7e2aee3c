/**
 * The density along one axis: log-linear between nodes, with exponential tails. A cell of width h between logarithms A
 * and B has the mass h (e^B − e^A) / (B − A).
 */
import { expNegative, log } from "./math";
import { madd, nmadd } from "./simd";
import { axis, Frame } from "./tilted_frame";

/** tanh(y)/y = Σ cₖ y²ᵏ up to y⁸, and (1/(1 − e^−δ) − 1/δ − ½)/δ = Σ dₖ δ²ᵏ up to δ⁴; below |δ| = ½ both exact to rounding. */
const SERIES: usize = memory.data<f32>([
  0.021869488805532455, 0.021869488805532455, 0.021869488805532455, 0.021869488805532455,
  -0.053968254476785660, -0.053968254476785660, -0.053968254476785660, -0.053968254476785660,
  0.13333334028720856, 0.13333334028720856, 0.13333334028720856, 0.13333334028720856,
  -0.3333333432674408, -0.3333333432674408, -0.3333333432674408, -0.3333333432674408,
  1, 1, 1, 1,
  0.000033068783523049206, 0.000033068783523049206, 0.000033068783523049206, 0.000033068783523049206,
  -0.0013888889225199819, -0.0013888889225199819, -0.0013888889225199819, -0.0013888889225199819,
  0.0833333358168602, 0.0833333358168602, 0.0833333358168602, 0.0833333358168602,
  0.5, 0.5, 0.5, 0.5,
  0.25, 0.25, 0.25, 0.25,
], 16);

// @ts-ignore: decorator
@inline
/** Mean of e^s over s from A to B, from the exponentials of A and B and δ = B − A. */
export function meanExp(a: v128, b: v128, delta: v128): v128 {
  const y = f32x4.mul(f32x4.mul(delta, delta), v128.load(SERIES, 144));
  let t = madd(v128.load(SERIES), y, v128.load(SERIES, 16));
  t = madd(t, y, v128.load(SERIES, 32));
  t = madd(t, y, v128.load(SERIES, 48));
  t = madd(t, y, v128.load(SERIES, 64));
  const near = f32x4.mul(f32x4.mul(f32x4.add(a, b), v128.load(SERIES, 128)), t);
  const far = f32x4.div(f32x4.sub(b, a), delta);
  return v128.bitselect(near, far, f32x4.lt(f32x4.abs(delta), v128.load(SERIES, 128)));
}

// @ts-ignore: decorator
@inline
/** Derivative of that mean by B; the derivative by A is the rest to the mean. */
export function meanExpSlope(mean: v128, b: v128, delta: v128): v128 {
  const square = f32x4.mul(delta, delta);
  let share = madd(v128.load(SERIES, 80), square, v128.load(SERIES, 96));
  share = madd(share, square, v128.load(SERIES, 112));
  share = madd(share, delta, v128.load(SERIES, 128));
  const far = f32x4.div(f32x4.sub(b, mean), delta);
  return v128.bitselect(f32x4.mul(mean, share), far, f32x4.lt(f32x4.abs(delta), v128.load(SERIES, 128)));
}

/** Decay of the tails of axis d. */
export function tailRate(f: Frame, d: i32): f32 {
  const nodes = axis(f, d);
  return load<f32>(f.constants) / (load<f32>(nodes + (<usize>(f.fine - 1) << 2)) - load<f32>(nodes));
}

/** Numbers of four lanes at their own indices into a list with an element of four lanes each, or of single numbers. */
export function gatherLanes(list: usize, indices: usize, wide: i32): v128 {
  const shift = wide ? 4 : 2, lane: usize = wide ? 4 : 0;
  let v = v128.load32_splat(list + (<usize>load<i32>(indices) << shift));
  v = v128.load_lane<f32>(list + lane + (<usize>load<i32>(indices, 4) << shift), v, 1);
  v = v128.load_lane<f32>(list + 2 * lane + (<usize>load<i32>(indices, 8) << shift), v, 2);
  return v128.load_lane<f32>(list + 3 * lane + (<usize>load<i32>(indices, 12) << shift), v, 3);
}

/** The largest A of each lane, and the exponentials of the others relative to it. */
function exponentials(f: Frame): v128 {
  const bytes = <usize>f.fine << 4;
  let most = v128.load(f.logs);
  for (let i: usize = 16; i < bytes; i += 16) most = f32x4.pmax(v128.load(f.logs + i), most);
  for (let i: usize = 0; i < bytes; i += 16) v128.store(f.exps + i, expNegative(f32x4.sub(v128.load(f.logs + i), most)));
  return most;
}

/**
 * Masses of the pieces along axis d and their sum from A, relative to e^most; if wanted the derivatives of minus the
 * logarithm of the sum by A into `weights`.
 */
export function normalise(f: Frame, d: i32, derivative: bool): void {
  const most = exponentials(f), rate = tailRate(f, d), end = <usize>(f.fine - 1) << 4;
  const decay = f32x4.splat(1 / rate);
  let from = v128.load(f.exps), a = v128.load(f.logs), tail = f32x4.mul(from, decay);
  const right = f32x4.mul(v128.load(f.exps + end), decay);
  let total = f32x4.add(tail, right), node = axis(f, d), x = load<f32>(node);
  v128.store(f.pieces, tail), v128.store(f.pieces + end, right, 16);
  for (let i: usize = 16; i <= end; i += 16) {
    const to = v128.load(f.exps + i), b = v128.load(f.logs + i), delta = f32x4.sub(b, a);
    const next = load<f32>(node, 4), width = f32x4.splat(next - x), mean = meanExp(from, to, delta);
    const mass = f32x4.mul(width, mean);
    total = f32x4.add(total, mass);
    v128.store(f.pieces + i, mass);
    if (derivative) {
      const slope = meanExpSlope(mean, to, delta);
      v128.store(f.weights + i - 16, madd(width, f32x4.sub(mean, slope), tail));
      tail = f32x4.mul(width, slope);
    }
    from = to, a = b, x = next, node += 4;
  }
  v128.store(f.most, most), v128.store(f.total, total);
  if (!derivative) return;
  v128.store(f.weights + end, madd(from, decay, tail));
  const factor = f32x4.div(f32x4.splat(-1), total);
  for (let i: usize = 0; i <= end; i += 16) v128.store(f.weights + i, f32x4.mul(v128.load(f.weights + i), factor));
}

/** ln p of coordinate d, which has been located, after `normalise`; if wanted its derivatives by A into `weights`. */
export function logDensity(f: Frame, d: i32, derivative: bool): v128 {
  const cells = f.cells + (<usize>d << 5), parts = f.parts + (<usize>d << 5), last = <usize>(f.fine - 1);
  if (derivative) {
    for (let lane: usize = 0; lane < 16; lane += 4) {
      const at = f.weights + (<usize>load<i32>(cells + lane) << 4) + lane, t = load<f32>(parts + lane);
      store<f32>(at, load<f32>(at) + (1 - t));
      store<f32>(at, load<f32>(at, 16) + t, 16);
    }
  }
  const low = gatherLanes(f.logs, cells, 1), high = gatherLanes(f.logs + 16, cells, 1);
  const place = v128.load(f.place + (<usize>d << 4)), nodes = axis(f, d), zero = f32x4.splat(0);
  const before = f32x4.pmax(f32x4.sub(v128.load32_splat(nodes), place), zero);
  const after = f32x4.pmax(f32x4.sub(place, v128.load32_splat(nodes + (last << 2))), zero);
  const inside = madd(f32x4.sub(high, low), v128.load(parts), f32x4.sub(low, v128.load(f.most)));
  return f32x4.sub(nmadd(f32x4.add(before, after), f32x4.splat(tailRate(f, d)), inside), log(v128.load(f.total)));
}
