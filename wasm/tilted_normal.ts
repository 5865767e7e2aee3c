/**
 * From a coordinate to a normal number and back along one axis of the energy-tilted density.
 *
 * Masses are summed from both ends, so that the smaller side keeps its relative accuracy. Far out they are logarithms, so
 * that neither a wall nor a tail underflows. Piece 0 is the tail on the left, piece k the cell from node k − 1 to node k,
 * piece `fine` the tail on the right.
 */
import { exp, log, ones } from "./math";
import { normalCdf, normalQuantile } from "./normal";
import { madd, nmadd } from "./simd";
import { gatherLanes, meanExp, tailRate } from "./tilted_axis";
import { axis, Frame } from "./tilted_frame";

/** Stands for the logarithm of 0 where the difference of two of them must be a number. */
const NOTHING: f32 = -3e38;
/** Up to this |z|, and where both sides have more than this mass, logarithms are not needed. */
const NEAR: f32 = 8;
const LEAST: f32 = 1e-25;
/** Below this logarithm of a mass, and beyond this |z|, the asymptotic series takes over. */
const FAR_LOG: f32 = -80;
const FAR: f32 = 12;
const HALF_LOG_TWO_PI: f32 = 0.9189385;

/** ln((1 − e^−x)/x) for x ≥ 0. */
function logShrink(x: v128): v128 {
  return log(meanExp(exp(f32x4.neg(x)), ones(), x));
}

/** ln(1 − e^−x) for x ≥ 0. */
function logComplement(x: v128): v128 {
  return log(f32x4.mul(x, meanExp(exp(f32x4.neg(x)), ones(), x)));
}

/** ln(e^a + e^b). */
function logAdd(a: v128, b: v128): v128 {
  const most = f32x4.pmax(a, b);
  return f32x4.add(most, log(f32x4.add(ones(), exp(f32x4.neg(f32x4.abs(f32x4.sub(a, b)))))));
}

/** ln of the mass of a cell of width e^logWidth between logarithms a and b. */
function logCell(logWidth: v128, a: v128, b: v128): v128 {
  const shrink = logShrink(f32x4.abs(f32x4.sub(b, a)));
  return f32x4.add(f32x4.pmax(a, b), f32x4.add(shrink, logWidth));
}

/** Logarithms of the masses of the pieces and of their sums from both ends; `normalise` has been there. */
function sumPieces(f: Frame, d: i32): void {
  const fine = f.fine, end = <usize>fine << 4, most = v128.load(f.most), rate = tailRate(f, d);
  const pieces = f.pieces, below = f.below, above = f.above, logRate = log(f32x4.splat(rate));
  let node = axis(f, d), x = load<f32>(node), a = f32x4.sub(v128.load(f.logs), most);
  v128.store(pieces, f32x4.sub(a, logRate));
  for (let i: usize = 16; i < end; i += 16, node += 4) {
    const b = f32x4.sub(v128.load(f.logs + i), most), next = load<f32>(node, 4);
    v128.store(pieces + i, logCell(log(f32x4.splat(next - x)), a, b));
    a = b, x = next;
  }
  v128.store(pieces + end, f32x4.sub(a, logRate));
  let sum = f32x4.splat(NOTHING);
  for (let i: usize = 0; i <= end; i += 16) {
    v128.store(below + i, sum);
    sum = logAdd(sum, v128.load(pieces + i));
  }
  sum = f32x4.splat(NOTHING);
  for (let i = <isize>end; i >= 0; i -= 16) {
    v128.store(above + i, sum);
    sum = logAdd(sum, v128.load(pieces + i));
  }
}

/** ln Φ(−y) for large y, by −y²/2 − ln y − ln √2π + ln(1 − 1/y² + 3/y⁴ − 15/y⁶). */
function logTail(y: v128): v128 {
  const w = f32x4.div(ones(), f32x4.mul(y, y));
  let series = nmadd(f32x4.splat(15), w, f32x4.splat(3));
  series = madd(series, w, f32x4.splat(-1));
  series = madd(series, w, ones());
  const square = f32x4.mul(f32x4.mul(y, f32x4.splat(0.5)), y);
  return f32x4.sub(f32x4.sub(log(f32x4.div(series, y)), f32x4.splat(HALF_LOG_TWO_PI)), square);
}

/** ln Φ(−y) for y ≥ 0. */
function logUpperTail(y: v128): v128 {
  const near = log(normalCdf(f32x4.neg(y))), far = f32x4.gt(y, f32x4.splat(FAR));
  return v128.any_true(far) ? v128.bitselect(logTail(y), near, far) : near;
}

/** Φ⁻¹ of the masses e^lower below and e^upper above. */
function quantileOfLogs(lower: v128, upper: v128): v128 {
  const z = normalQuantile(exp(lower), exp(upper)), side = f32x4.pmin(lower, upper);
  const far = f32x4.lt(side, f32x4.splat(FAR_LOG));
  if (!v128.any_true(far)) return z;
  let y = f32x4.sqrt(f32x4.mul(side, f32x4.splat(-2)));
  for (let i = 0; i < 5; ++i) {
    const slope = f32x4.add(y, f32x4.div(ones(), y));
    y = f32x4.add(y, f32x4.div(f32x4.sub(logTail(y), side), slope));
  }
  y = v128.bitselect(f32x4.neg(y), y, f32x4.lt(lower, upper));
  return v128.bitselect(y, z, far);
}

/** Stores for each lane the piece that holds its coordinate, which has been located. */
function piecesOf(f: Frame, d: i32, before: v128, after: v128): void {
  const cell = i32x4.add(v128.load(f.cells + (<usize>d << 5)), i32x4.splat(1)), zero = f32x4.splat(0);
  const right = v128.bitselect(i32x4.splat(f.fine), cell, f32x4.gt(after, zero));
  v128.store(f.piece, v128.andnot(right, f32x4.gt(before, zero)));
}

/** ln of the masses below and above coordinate d, which has been located, within its piece; into f.parted. */
function partPiece(f: Frame, d: i32): void {
  const place = v128.load(f.place + (<usize>d << 4)), nodes = axis(f, d), zero = f32x4.splat(0), most = v128.load(f.most);
  const last = <usize>(f.fine - 1), cells = f.cells + (<usize>d << 5), t = v128.load(f.parts + (<usize>d << 5));
  const before = f32x4.sub(v128.load32_splat(nodes), place);
  const after = f32x4.sub(place, v128.load32_splat(nodes + (last << 2)));
  piecesOf(f, d, before, after);
  const a = f32x4.sub(gatherLanes(f.logs, cells, 1), most), b = f32x4.sub(gatherLanes(f.logs + 16, cells, 1), most);
  const width = f32x4.sub(gatherLanes(nodes + 4, cells, 0), gatherLanes(nodes, cells, 0));
  const rise = f32x4.sub(b, a), rest = f32x4.sub(ones(), t), here = madd(rise, t, a);
  let low = logCell(log(f32x4.mul(width, t)), a, here), high = logCell(log(f32x4.mul(width, rest)), here, b);
  const outside = v128.or(f32x4.gt(before, zero), f32x4.gt(after, zero));
  if (v128.any_true(outside)) {
    const rate = f32x4.splat(tailRate(f, d)), isLeft = f32x4.gt(before, zero);
    const end = v128.bitselect(v128.load(f.logs), v128.load(f.logs + (last << 4)), isLeft);
    const whole = f32x4.sub(f32x4.sub(end, most), log(rate));
    const decay = f32x4.mul(rate, f32x4.pmax(before, after));
    const outer = f32x4.sub(whole, decay), inner = f32x4.add(whole, logComplement(f32x4.pmax(decay, zero)));
    low = v128.bitselect(v128.bitselect(outer, inner, isLeft), low, outside);
    high = v128.bitselect(v128.bitselect(inner, outer, isLeft), high, outside);
  }
  v128.store(f.parted, low), v128.store(f.parted, high, 16);
}

/** Sums the masses of the pieces from both ends; `normalise` has been there. */
function sumMasses(f: Frame): void {
  let low = f32x4.splat(0), high = low;
  for (let i: usize = 0, j = <usize>f.fine << 4; i <= <usize>f.fine << 4; i += 16, j -= 16) {
    v128.store(f.below + i, low), v128.store(f.above + j, high);
    low = f32x4.add(low, v128.load(f.pieces + i)), high = f32x4.add(high, v128.load(f.pieces + j));
  }
}

/** z of coordinate d, which has been located after `normalise`. */
export function toNormal(f: Frame, d: i32): v128 {
  partPiece(f, d);
  sumMasses(f);
  const lower = f32x4.add(gatherLanes(f.below, f.piece, 1), exp(v128.load(f.parted)));
  const upper = f32x4.add(gatherLanes(f.above, f.piece, 1), exp(v128.load(f.parted, 16)));
  const near = f32x4.gt(f32x4.pmin(lower, upper), f32x4.splat(LEAST));
  return i32x4.all_true(near) ? normalQuantile(lower, upper) : toNormalByLogs(f, d);
}

/** The same by logarithms, which are left in `pieces` and `sides`. */
export function toNormalByLogs(f: Frame, d: i32): v128 {
  sumPieces(f, d);
  partPiece(f, d);
  const total = log(v128.load(f.total));
  const lower = logAdd(gatherLanes(f.below, f.piece, 1), v128.load(f.parted));
  const upper = logAdd(gatherLanes(f.above, f.piece, 1), v128.load(f.parted, 16));
  v128.store(f.sides, f32x4.sub(lower, total)), v128.store(f.sides, f32x4.sub(upper, total), 16);
  return quantileOfLogs(v128.load(f.sides), v128.load(f.sides, 16));
}

/** The coordinate of z on axis d, after `normalise`. */
export function fromNormal(f: Frame, d: i32, z: v128): v128 {
  const zero = f32x4.splat(0), fromLeft = f32x4.le(z, zero), distance = f32x4.abs(z);
  let missing: v128;
  if (i32x4.all_true(f32x4.le(distance, f32x4.splat(NEAR)))) {
    const target = f32x4.mul(normalCdf(f32x4.neg(distance)), v128.load(f.total));
    sumMasses(f);
    missing = log(f32x4.pmax(f32x4.sub(target, passPieces(f, target, fromLeft)), zero));
  } else {
    const target = f32x4.add(logUpperTail(distance), log(v128.load(f.total)));
    sumPieces(f, d);
    const passed = passPieces(f, target, fromLeft);
    missing = f32x4.add(target, logComplement(f32x4.pmax(f32x4.sub(target, passed), zero)));
  }
  const piece = v128.load(f.piece), isLeft = i32x4.eq(piece, i32x4.splat(0));
  const isRight = i32x4.eq(piece, i32x4.splat(f.fine)), x = inCell(f, d, missing, fromLeft);
  if (!v128.any_true(v128.or(isLeft, isRight))) return x;
  const tail = inTail(f, d, missing, isLeft, v128.not(v128.xor(isLeft, fromLeft)));
  return v128.bitselect(tail, x, v128.or(isLeft, isRight));
}

/** Finds the pieces, from the left or from the right, up to which masses sum to less than the target; returns the sums. */
function passPieces(f: Frame, target: v128, fromLeft: v128): v128 {
  let left = i32x4.splat(0), right = i32x4.splat(f.fine);
  for (let i: usize = 16, end = <usize>f.fine << 4; i <= end; i += 16) {
    left = i32x4.sub(left, f32x4.lt(v128.load(f.below + i), target));
    right = i32x4.add(right, f32x4.lt(v128.load(f.above + i - 16), target));
  }
  v128.store(f.piece, v128.bitselect(left, right, fromLeft));
  return v128.bitselect(gatherLanes(f.below, f.piece, 1), gatherLanes(f.above, f.piece, 1), fromLeft);
}

/** The place in the cell f.piece with a mass of e^missing on its left, or on its right. */
function inCell(f: Frame, d: i32, missing: v128, fromLeft: v128): v128 {
  const nodes = axis(f, d), most = v128.load(f.most);
  const cells = i32x4.min_s(i32x4.max_s(v128.load(f.piece), i32x4.splat(1)), i32x4.splat(f.fine - 1));
  v128.store(f.parted, i32x4.sub(cells, i32x4.splat(1)));
  const a = f32x4.sub(gatherLanes(f.logs, f.parted, 1), most), b = f32x4.sub(gatherLanes(f.logs + 16, f.parted, 1), most);
  const low = gatherLanes(nodes, f.parted, 0), high = gatherLanes(nodes + 4, f.parted, 0), width = f32x4.sub(high, low);
  const start = v128.bitselect(a, b, fromLeft), rise = f32x4.sub(v128.bitselect(b, a, fromLeft), start);
  // (e^(rise t) − 1) / rise = s: t = s ln(u)/(u − 1) with u = 1 + rise s, or ln(rise s)/rise where that is huge
  const logS = f32x4.sub(f32x4.sub(missing, log(width)), start), s = exp(logS), one = ones();
  const u = f32x4.pmax(f32x4.add(one, f32x4.mul(rise, s)), f32x4.splat(1e-37)), above = f32x4.sub(u, one);
  let t = f32x4.mul(s, f32x4.div(log(u), above));
  t = v128.bitselect(s, t, f32x4.eq(u, one));
  const logY = f32x4.add(logS, log(f32x4.pmax(rise, f32x4.splat(1e-37))));
  t = v128.bitselect(f32x4.div(logY, rise), t, f32x4.gt(logY, f32x4.splat(40)));
  t = f32x4.pmin(f32x4.pmax(t, f32x4.splat(0)), one);
  return v128.bitselect(madd(width, t, low), nmadd(width, t, high), fromLeft);
}

/** The place in a tail with a mass of e^missing outside of it, or between it and the outer node. */
function inTail(f: Frame, d: i32, missing: v128, isLeft: v128, outside: v128): v128 {
  const nodes = axis(f, d), last = <usize>(f.fine - 1), rate = tailRate(f, d), one = ones();
  const end = v128.bitselect(v128.load(f.logs), v128.load(f.logs + (last << 4)), isLeft);
  const whole = f32x4.sub(f32x4.sub(end, v128.load(f.most)), log(f32x4.splat(rate)));
  const ratio = f32x4.sub(missing, whole);
  const rest = f32x4.pmax(f32x4.sub(one, exp(ratio)), f32x4.splat(1e-37));
  const distance = f32x4.mul(v128.bitselect(ratio, log(rest), outside), f32x4.splat(1 / rate));
  const node = v128.bitselect(v128.load32_splat(nodes), v128.load32_splat(nodes + (last << 2)), isLeft);
  return f32x4.add(node, v128.bitselect(distance, f32x4.neg(distance), isLeft));
}
