/**
 * Derivatives of log p and of z = Φ⁻¹(F(r)) along one axis of the energy-tilted density by A at its nodes.
 *
 * dz = ±(side mass / φ(z)) d ln(side mass / total mass), of the smaller side; d ln of a cell's mass is shared between its
 * nodes: 1/(1 − e^−δ) − 1/δ for the right one, where A rises by δ.
 */
import { exp, log, ones } from "./math";
import { madd } from "./simd";
import { gatherLanes, meanExp, meanExpSlope, tailRate } from "./tilted_axis";
import { axis, Frame } from "./tilted_frame";

const HALF_LOG_TWO_PI: f32 = 0.9189385;

/** 1/(1 − e^−δ) − 1/δ. */
function rightShare(delta: v128): v128 {
  const x = f32x4.abs(delta), one = ones(), mean = meanExp(exp(f32x4.neg(x)), one, x);
  const top = f32x4.div(meanExpSlope(mean, one, x), mean);
  return v128.bitselect(f32x4.sub(one, top), top, f32x4.lt(delta, f32x4.splat(0)));
}

/** e^(z²/2) √2π: the inverse of the normal density, where `log` is added to the exponent first. */
export function overNormal(log: v128, z: v128): v128 {
  const half = f32x4.mul(f32x4.mul(z, f32x4.splat(0.5)), z);
  return exp(f32x4.add(f32x4.add(log, f32x4.splat(HALF_LOG_TWO_PI)), half));
}

/** Derivatives of ln of the mass on one side of coordinate d into `shares`; `toNormalByLogs` has been there. */
function sideShares(f: Frame, d: i32, isLower: v128, logSide: v128): void {
  logSide = f32x4.add(logSide, log(v128.load(f.total)));
  const fine = f.fine, end = <usize>fine << 4, zero = f32x4.splat(0), one = ones(), own = v128.load(f.piece);
  let carry = zero;
  for (let i: usize = 0, piece = 0; i <= end; i += 16, ++piece) {
    const here = i32x4.splat(piece);
    const counts = v128.bitselect(i32x4.gt_s(own, here), i32x4.lt_s(own, here), isLower);
    const weight = v128.and(exp(f32x4.sub(v128.load(f.pieces + i), logSide)), counts);
    let right = piece == 0 ? one : zero;
    if (piece > 0 && piece < fine) right = rightShare(f32x4.sub(v128.load(f.logs + i), v128.load(f.logs + i - 16)));
    if (piece > 0) v128.store(f.shares + i - 16, madd(weight, f32x4.sub(one, right), carry));
    carry = f32x4.mul(weight, right);
  }
  // the piece that holds the coordinate counts in part
  const cells = f.cells + (<usize>d << 5), t = v128.load(f.parts + (<usize>d << 5)), rest = f32x4.sub(one, t);
  const rise = f32x4.sub(gatherLanes(f.logs + 16, cells, 1), gatherLanes(f.logs, cells, 1));
  const low = f32x4.mul(rightShare(f32x4.mul(rise, t)), t);
  const high = f32x4.sub(one, f32x4.mul(f32x4.sub(one, rightShare(f32x4.mul(rise, rest))), rest));
  let right = v128.bitselect(low, high, isLower);
  right = v128.bitselect(zero, right, i32x4.eq(own, i32x4.splat(0)));
  right = v128.bitselect(one, right, i32x4.eq(own, i32x4.splat(fine)));
  const part = v128.bitselect(v128.load(f.parted), v128.load(f.parted, 16), isLower);
  const weight = exp(f32x4.sub(part, logSide));
  const toRight = f32x4.mul(weight, right), toLeft = f32x4.mul(weight, f32x4.sub(one, right));
  v128.store(f.parted, toLeft), v128.store(f.parted, toRight, 16);
  for (let lane: usize = 0; lane < 16; lane += 4) {
    const at = f.shares + (<usize>load<i32>(cells + lane) << 4) + lane;
    store<f32>(at, load<f32>(at) + load<f32>(f.parted + lane));
    store<f32>(at, load<f32>(at, 16) + load<f32>(f.parted + lane, 16), 16);
  }
}

/**
 * Completes `weights`, which hold −∂ ln(total mass)/∂A: ofLog·∂ ln p/∂A + ofNormal·∂z/∂A. z is that of coordinate d.
 */
export function combineWeights(f: Frame, d: i32, ofLog: v128, ofNormal: v128, z: v128, normal: bool): void {
  const bytes = <usize>f.fine << 4, cells = f.cells + (<usize>d << 5), parts = f.parts + (<usize>d << 5);
  let both = ofLog, factor = f32x4.splat(0);
  if (normal) {
    const isLower = f32x4.le(z, f32x4.splat(0));
    const logSide = v128.bitselect(v128.load(f.sides), v128.load(f.sides, 16), isLower);
    const mills = overNormal(logSide, z);
    factor = f32x4.mul(ofNormal, v128.bitselect(mills, f32x4.neg(mills), isLower));
    sideShares(f, d, isLower, logSide);
    both = f32x4.add(ofLog, factor);
  }
  for (let i: usize = 0; i < bytes; i += 16) {
    let weight = f32x4.mul(both, v128.load(f.weights + i));
    if (normal) weight = madd(factor, v128.load(f.shares + i), weight);
    v128.store(f.weights + i, weight);
  }
  v128.store(f.parted, ofLog);
  for (let lane: usize = 0; lane < 16; lane += 4) {
    const at = f.weights + (<usize>load<i32>(cells + lane) << 4) + lane, t = load<f32>(parts + lane);
    const value = load<f32>(f.parted + lane);
    store<f32>(at, load<f32>(at) + value * (1 - t));
    store<f32>(at, load<f32>(at, 16) + value * t, 16);
  }
}

/** Slope of ln p along coordinate d, which has been located. */
export function logSlope(f: Frame, d: i32): v128 {
  const cells = f.cells + (<usize>d << 5), nodes = axis(f, d), last = <usize>(f.fine - 1), zero = f32x4.splat(0);
  const rise = f32x4.sub(gatherLanes(f.logs + 16, cells, 1), gatherLanes(f.logs, cells, 1));
  const width = f32x4.sub(gatherLanes(nodes + 4, cells, 0), gatherLanes(nodes, cells, 0));
  const place = v128.load(f.place + (<usize>d << 4)), rate = f32x4.splat(tailRate(f, d));
  const before = f32x4.lt(place, v128.load32_splat(nodes)), after = f32x4.gt(place, v128.load32_splat(nodes + (last << 2)));
  const slope = v128.bitselect(rate, f32x4.div(rise, width), before);
  return v128.bitselect(f32x4.sub(zero, rate), slope, after);
}
