/**
 * The levels of the energy-tilted density: level d is the density of coordinate d given those before, with
 * A_i = ln Σ_j w_j e^(ℓ_ij) over the coarse nodes of the axes after d at its fine nodes.
 */
import { log } from "./math";
import { madd, ROW } from "./simd";
import { axis, coarseAxis, Frame, KNOTS, power } from "./tilted_frame";
import {
  addPairs, contractNode, contractPlace, momentsOfLine, squareDistances, startLine, sumLine, tiltLine,
} from "./tilted_grid";

/** Coefficients of the polynomial in the coordinates from d on. */
export function coefficientsOf(f: Frame, d: i32): usize {
  return d == 0 ? f.coefficients : d == 1 ? f.coefficients1 : f.coefficients2;
}

/** Where the moments of a level go. */
export function momentsOf(f: Frame, d: i32): usize {
  return d == 0 ? f.level0 : d == 1 ? f.level1 : f.level2;
}

/** Adds the squared distances from all neighbours along axis d at position x of each lane. */
export function addSquares(f: Frame, d: i32, x: v128, from: usize, to: usize): void {
  for (let n: usize = 0; n < <usize>f.neighbours << 4; n += 16) {
    const q = v128.load(f.coordinates + ((n >> 4) * <usize>f.dim + <usize>d) * ROW);
    const distance = f32x4.sub(x, q);
    v128.store(to + n, madd(distance, distance, v128.load(from + n)));
  }
}

/** Energies at a line of nodes of the last axis; `more` is the energy of the other axes. */
function lineEnergies(f: Frame, nodes: usize, count: i32, more: v128, squares: usize, line: usize): void {
  squareDistances(f, nodes, count);
  startLine(count, nodes + (<usize>count << 2), more, line);
  addPairs(f, count, squares, line);
}

/** ℓ at the nodes of the row of fine node i of level d, which is not the last; returns the largest of each lane. */
export function tiltRow(f: Frame, d: i32, i: i32): v128 {
  const m = f.basis, last = f.dim - 1, coarse = f.coarse, s = v128.load(f.scale), row = f.row;
  const node = axis(f, d) + (<usize>i << 2), nodes = coarseAxis(f, last);
  const x = v128.load32_splat(node), basis = f.fineBasis + (<usize>i << 2), stride = <usize>f.fine << 2;
  const energy = f32x4.add(v128.load(f.fixedEnergy), v128.load32_splat(node + stride));
  const coefficients = coefficientsOf(f, d), lowest = f32x4.splat(-Infinity);
  addSquares(f, d, x, f.fixedSquares, f.lineSquares);
  if (d == last - 1) {
    contractNode(m, m, basis, stride, coefficients, f.ofLine);
    lineEnergies(f, nodes, coarse, energy, f.lineSquares, row);
    return tiltLine(f, coarse, f.coarseBasis, f.ofLine, s, row, lowest);
  }
  contractNode(m, m * m, basis, stride, coefficients, f.ofRow);
  let most = lowest, line = row;
  for (let k = 0; k < coarse; ++k, line += <usize>coarse << 4) {
    const middle = coarseAxis(f, d + 1) + (<usize>k << 2), inner = <usize>coarse << 2;
    addSquares(f, d, x, f.fixedSquares, f.lineSquares);
    addSquares(f, d + 1, v128.load32_splat(middle), f.lineSquares, f.lineSquares);
    contractNode(m, m, f.coarseBasis + (<usize>k << 2), inner, f.ofRow, f.ofLine);
    const more = f32x4.add(energy, v128.load32_splat(middle + inner));
    lineEnergies(f, nodes, coarse, more, f.lineSquares, line);
    most = tiltLine(f, coarse, f.coarseBasis, f.ofLine, s, line, most);
  }
  return most;
}

/** Replaces ℓ at a row by w·e^(ℓ − most) and returns the sum. */
export function sumRow(f: Frame, d: i32, most: v128): v128 {
  const last = f.dim - 1, coarse = f.coarse, zero = f32x4.splat(0);
  const weights = coarseAxis(f, last) + (<usize>coarse << 3);
  if (d == last - 1) return sumLine(coarse, f.row, weights, 1, most, zero);
  let sum = zero, line = f.row, outer = coarseAxis(f, d + 1) + (<usize>coarse << 3);
  for (let k = 0; k < coarse; ++k, line += <usize>coarse << 4, outer += 4) {
    sum = sumLine(coarse, line, weights, load<f32>(outer), most, sum);
  }
  return sum;
}

/** Moments of a row, Σ e T_b(y) T_c(z), to every fine-th element from `to` on. */
export function momentsOfRow(f: Frame, d: i32, to: usize): void {
  const m = f.basis, coarse = f.coarse, stride = <usize>f.fine << 4;
  if (d == f.dim - 2) {
    momentsOfLine(m, coarse, f.coarseBasis, f.row, to, stride);
    return;
  }
  let line = f.row;
  for (let k = 0; k < coarse; ++k, line += <usize>coarse << 4) {
    momentsOfLine(m, coarse, f.coarseBasis, line, f.line, 16);
    for (let b = 0, at = to; b < m; ++b) {
      const value = v128.load32_splat(f.coarseBasis + (<usize>(b * coarse + k) << 2));
      for (let c: usize = 0; c < <usize>m << 4; c += 16, at += stride) {
        const before = k ? v128.load(at) : f32x4.splat(0);
        v128.store(at, madd(value, v128.load(f.line + c), before));
      }
    }
  }
}

/** A of level d, and if wanted the moments of its rows. */
export function evaluateLevel(f: Frame, d: i32, wantMoments: bool): void {
  const fine = f.fine;
  if (d == f.dim - 1) {
    lineEnergies(f, axis(f, d), fine, v128.load(f.fixedEnergy), f.fixedSquares, f.logs);
    tiltLine(f, fine, f.fineBasis, coefficientsOf(f, d), v128.load(f.scale), f.logs, f32x4.splat(-Infinity));
    return;
  }
  for (let i = 0; i < fine; ++i) {
    const most = tiltRow(f, d, i), sum = sumRow(f, d, most);
    v128.store(f.sums + (<usize>i << 4), sum);
    v128.store(f.logs + (<usize>i << 4), f32x4.add(most, log(sum)));
    if (wantMoments) momentsOfRow(f, d, f.moments + (<usize>i << 4));
  }
}

/** Derivatives of Σ weights·A of the level just evaluated by its coefficients. */
export function momentsOfLevel(f: Frame, d: i32): void {
  const m = f.basis, fine = f.fine, to = momentsOf(f, d);
  if (d == f.dim - 1) {
    momentsOfLine(m, fine, f.fineBasis, f.weights, to, 16);
    return;
  }
  const size = power(m, f.dim - 1 - d), bytes = <usize>fine << 4;
  for (let i: usize = 0; i < bytes; i += 16) {
    v128.store(f.sums + i, f32x4.div(v128.load(f.weights + i), v128.load(f.sums + i)));
  }
  let row = f.moments;
  for (let c = 0; c < size; ++c, row += bytes) {
    for (let i: usize = 0; i < bytes; i += 16) {
      v128.store(row + i, f32x4.mul(v128.load(row + i), v128.load(f.sums + i)));
    }
    momentsOfLine(m, fine, f.fineBasis, row, to + (<usize>c << 4), <usize>size << 4);
  }
}

/** Adds to the moments of level d those of the levels after it. */
export function addLaterMoments(f: Frame, d: i32): void {
  const m = f.basis, later = momentsOf(f, d + 1), size = power(m, f.dim - 1 - d);
  let at = momentsOf(f, d);
  for (let a = 0; a < m; ++a) {
    const value = v128.load(f.fixedBasis + (<usize>(d * m + a) << 4));
    for (let k = 0; k < size; ++k, at += 16) {
      v128.store(at, madd(value, v128.load(later + (<usize>k << 4)), v128.load(at)));
    }
  }
}

/** Stores the moments of level 0, the derivative by the sample's coefficients, into rows of a panel. */
export function storeMoments(f: Frame, to: usize): void {
  for (let k = 0, count = power(f.basis, f.dim); k < count; ++k) {
    v128.store(to + <usize>k * ROW, v128.load(f.level0 + (<usize>k << 4)));
  }
}

/** Index of the cell of increasing knots that holds x: 0 for NaN and whatever lies before the second knot. */
function cellOf(knots: usize, x: f32): i32 {
  let low = 0;
  for (let step = (KNOTS - 1) >> 1; step > 0; step >>= 1) {
    low = select(low + step, low, load<f32>(knots + (<usize>(low + step) << 2)) <= x);
  }
  return low;
}

/** Finds the cells of the coordinates x of axis d, and the positions in them of x moved between the outer knots. */
export function locate(f: Frame, d: i32, x: v128): void {
  const knots = f.knots + <usize>(4 * KNOTS * d), nodes = axis(f, d);
  const cells = f.cells + (<usize>d << 5), parts = f.parts + (<usize>d << 5), step = (KNOTS - 1) / (f.fine - 1);
  let inside = f32x4.pmax(x, v128.load32_splat(knots));
  inside = f32x4.pmin(inside, v128.load32_splat(knots + 4 * (KNOTS - 1)));
  v128.store(f.place + (<usize>d << 4), x);
  v128.store(parts, inside);
  for (let lane: usize = 0; lane < 16; lane += 4) {
    const at = load<f32>(parts + lane), knot = cellOf(knots, at), cell = knot / step;
    store<i32>(cells + lane, cell), store<i32>(cells + lane, knot, 16);
    const node = nodes + (<usize>cell << 2), start = knots + (<usize>knot << 2);
    store<f32>(parts + lane, (at - load<f32>(start)) / (load<f32>(start, 4) - load<f32>(start)), 16);
    store<f32>(parts + lane, (at - load<f32>(node)) / (load<f32>(node, 4) - load<f32>(node)));
  }
}

/** Fixes coordinate d, which has been located: what the levels after it need. */
export function fixPlace(f: Frame, d: i32): void {
  const m = f.basis, knots = f.knots + <usize>(4 * KNOTS * d), energies = f.knots + <usize>(4 * KNOTS * (f.dim + d));
  const cells = f.cells + (<usize>d << 5) + 16, parts = f.parts + (<usize>d << 5) + 16, t = v128.load(parts);
  let energy = f32x4.splat(0), rise = energy;
  for (let lane: usize = 0; lane < 16; lane += 4) {
    const at = energies + (<usize>load<i32>(cells + lane) << 2);
    store<f32>(f.line + lane, load<f32>(at)), store<f32>(f.line + lane, load<f32>(at, 4) - load<f32>(at), 16);
  }
  energy = v128.load(f.line), rise = v128.load(f.line, 16);
  v128.store(f.fixedEnergy, f32x4.add(v128.load(f.fixedEnergy), madd(rise, t, energy)));
  const x = v128.load(f.place + (<usize>d << 4));
  const inside = f32x4.pmin(f32x4.pmax(x, v128.load32_splat(knots)), v128.load32_splat(knots + 4 * (KNOTS - 1)));
  addSquares(f, d, inside, f.fixedSquares, f.fixedSquares);
  const middle = f32x4.splat(<f32>((KNOTS - 1) >> 1)), knot = f32x4.convert_i32x4_s(v128.load(cells));
  const u = f32x4.div(f32x4.add(f32x4.sub(knot, middle), t), middle), basis = f.fixedBasis + (<usize>(d * m) << 4);
  let before = u, value = f32x4.splat(1);
  for (let b = 0, to = basis; b < m; ++b, to += 16) {
    v128.store(to, value);
    const next = b == 0 ? u : f32x4.sub(f32x4.mul(f32x4.add(u, u), value), before);
    before = value, value = next;
  }
  contractPlace(m, power(m, f.dim - 1 - d), basis, coefficientsOf(f, d), coefficientsOf(f, d + 1));
}
