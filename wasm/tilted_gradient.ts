/**
 * The derivatives of the energy-tilted density by everything that it depends on, the last coordinate first.
 *
 * Whatever is differentiated by A at the nodes of a level reaches the inputs through ℓ: with weights W on A, the nodes of
 * a row get W times their part of its sum. Coordinates before the level's enter ℓ through the polynomial, their one-body
 * energies and the distances from the neighbours.
 */
import { ones } from "./math";
import { columnQuad, madd, nmadd, ROW } from "./simd";
import { gatherLanes, logDensity, normalise } from "./tilted_axis";
import { axis, coarseAxis, Frame, KNOTS, loadSamples, power, prepare, unfix } from "./tilted_frame";
import { entries, HALF, leastLane, ROUND, ROUND_BYTES, squareDistances } from "./tilted_grid";
import {
  addLaterMoments, addSquares, coefficientsOf, evaluateLevel, fixPlace, locate, momentsOf, momentsOfLevel, momentsOfRow,
  storeMoments, sumRow, tiltRow,
} from "./tilted_levels";
import { toNormalByLogs } from "./tilted_normal";
import { combineWeights, logSlope, overNormal } from "./tilted_shares";

/** What is differentiated. */
const LOG_PROB = 0, ENCODE = 1, DECODE = 2;

/** Energy of a table and its derivative by r², to `to`. */
function tableAt(table: usize, squared: v128, to: usize): void {
  const round = v128.load(ROUND), stretch = v128.load32_splat(table, 4), most = v128.load32_splat(table, 8);
  const t = f32x4.pmin(most, f32x4.sub(f32x4.mul(squared, stretch), v128.load(HALF))), shifted = f32x4.add(t, round);
  const origin = i32x4.splat(<i32>(<u32>(table + 16) - ROUND_BYTES));
  const addresses = i32x4.add(i32x4.shl(shifted, 3), origin), low = entries(addresses, 0), high = entries(addresses, 1);
  const part = f32x4.sub(t, f32x4.sub(shifted, round));
  const middle = v128.shuffle<f32>(low, high, 0, 2, 4, 6), rise = v128.shuffle<f32>(low, high, 1, 3, 5, 7);
  v128.store(to, madd(rise, part, middle));
  v128.store(to, f32x4.mul(rise, stretch), 16);
}

/**
 * Adds what a line with weights on ℓ gives to the scale (its pair energies) and to the coordinates of the neighbours.
 * `d` is the level; axis d is at `x` and axis d + 1 at `y`, unless one of them is the last axis.
 */
function pairGradient(f: Frame, d: i32, nodes: usize, count: i32, squares: usize, x: v128, y: v128, line: usize): void {
  const last = f.dim - 1, s = v128.load(f.scale);
  let energy = f32x4.splat(0);
  squareDistances(f, nodes, count);
  for (let n = 0; n < f.neighbours; ++n) {
    const table = f.constants + <usize>load<i32>(f.tables + (<usize>n << 2));
    const along = v128.load(squares + (<usize>n << 4)), q = f.coordinates + <usize>(n * f.dim) * ROW;
    if (leastLane(along) >= load<f32>(table)) continue;
    const own = v128.load(q + <usize>last * ROW);
    let square = f.squares + (<usize>(n * count) << 4), force = f32x4.splat(0), ownForce = force;
    for (let j: usize = 0; j < <usize>count; ++j, square += 16) {
      const squared = f32x4.add(v128.load(square), along), weight = v128.load(line + (j << 4));
      tableAt(table, squared, f.line);
      energy = madd(weight, v128.load(f.line), energy);
      const slope = f32x4.mul(weight, v128.load(f.line, 16));
      force = f32x4.add(force, slope);
      ownForce = madd(slope, f32x4.sub(v128.load32_splat(nodes + (j << 2)), own), ownForce);
    }
    const factor = f32x4.add(s, s);
    force = f32x4.mul(force, factor), ownForce = f32x4.mul(ownForce, factor);
    for (let e = 0; e <= last; ++e) {
      let push = ownForce;
      if (e < last) {
        const at = e < d ? fixedPlace(f, e) : e == d ? x : y;
        push = f32x4.mul(force, f32x4.sub(at, v128.load(q + <usize>e * ROW)));
      }
      if (f.coordinatesBar) {
        const to = f.coordinatesBar + <usize>(n * f.dim + e) * ROW;
        v128.store(to, f32x4.add(v128.load(to), push));
      }
      if (e < d) {
        const bar = f.placeBar + (<usize>e << 4);
        v128.store(bar, nmadd(push, v128.load(f.inside + (<usize>e << 4)), v128.load(bar)));
      }
    }
  }
  v128.store(f.scaleBar, f32x4.sub(v128.load(f.scaleBar), energy));
}

/** A fixed coordinate, moved between the outer knots. */
function fixedPlace(f: Frame, d: i32): v128 {
  const knots = f.knots + <usize>(4 * KNOTS * d), x = v128.load(f.place + (<usize>d << 4));
  return f32x4.pmin(f32x4.pmax(x, v128.load32_splat(knots)), v128.load32_splat(knots + 4 * (KNOTS - 1)));
}

/** Subtracts Σ weights · one-body energies of a line from the cotangent of the scale. */
function oneBodyGradient(f: Frame, count: i32, oneBody: usize, more: v128, line: usize): void {
  let sum = v128.load(f.scaleBar);
  for (const end = line + (<usize>count << 4); line < end; line += 16, oneBody += 4) {
    sum = nmadd(v128.load(line), f32x4.add(v128.load32_splat(oneBody), more), sum);
  }
  v128.store(f.scaleBar, sum);
}

/** Scales the row, which holds the nodes' parts of the row's sum, and adds what it gives to scale and neighbours. */
function rowGradient(f: Frame, d: i32, i: i32): void {
  const last = f.dim - 1, coarse = f.coarse, weight = v128.load(f.weights + (<usize>i << 4));
  const node = axis(f, d) + (<usize>i << 2), nodes = coarseAxis(f, last), x = v128.load32_splat(node);
  const energy = f32x4.add(v128.load(f.fixedEnergy), v128.load32_splat(node + (<usize>f.fine << 2)));
  const lines = d == last - 1 ? 1 : coarse, bytes = <usize>coarse << 4;
  for (let at = f.row, end = f.row + <usize>lines * bytes; at < end; at += 16) {
    v128.store(at, f32x4.mul(v128.load(at), weight));
  }
  let line = f.row;
  for (let k = 0; k < lines; ++k, line += bytes) {
    const middle = coarseAxis(f, d + 1) + (<usize>k << 2);
    let y = x, more = energy;
    addSquares(f, d, x, f.fixedSquares, f.lineSquares);
    if (d < last - 1) {
      y = v128.load32_splat(middle), more = f32x4.add(energy, v128.load32_splat(middle + (<usize>coarse << 2)));
      addSquares(f, d + 1, y, f.lineSquares, f.lineSquares);
    }
    oneBodyGradient(f, coarse, nodes + (<usize>coarse << 2), more, line);
    pairGradient(f, d, nodes, coarse, f.lineSquares, x, y, line);
  }
}

/** Adds the derivatives of Σ weights · A of level d, the one just evaluated. */
function levelGradient(f: Frame, d: i32): void {
  const fine = f.fine, last = f.dim - 1, bytes = <usize>fine << 4, zero = f32x4.splat(0), one = ones();
  let sum = v128.load(f.weightSum);
  for (let i: usize = 0; i < bytes; i += 16) sum = f32x4.add(sum, v128.load(f.weights + i));
  v128.store(f.weightSum, sum);
  if (d == last) {
    oneBodyGradient(f, fine, axis(f, d) + (<usize>fine << 2), v128.load(f.fixedEnergy), f.weights);
    pairGradient(f, d, axis(f, d), fine, f.fixedSquares, zero, zero, f.weights);
  } else {
    for (let i = 0; i < fine; ++i) {
      tiltRow(f, d, i);
      sumRow(f, d, v128.load(f.logs + (<usize>i << 4)));
      momentsOfRow(f, d, f.moments + (<usize>i << 4));
      v128.store(f.sums + (<usize>i << 4), one);
      rowGradient(f, d, i);
    }
  }
  momentsOfLevel(f, d);
  if (d < last) addLaterMoments(f, d);
}

/** Adds to the cotangent of coordinate d what reaches it from the levels after it through φ and its one-body energy. */
function placeGradient(f: Frame, d: i32): void {
  const m = f.basis, size = power(m, f.dim - 1 - d), knots = f.knots + <usize>(4 * KNOTS * d);
  const cells = f.cells + (<usize>d << 5) + 16, t = v128.load(f.parts + (<usize>d << 5) + 16);
  const energies = f.knots + <usize>(4 * KNOTS * (f.dim + d)), inside = v128.load(f.inside + (<usize>d << 4));
  const width = f32x4.sub(gatherLanes(knots + 4, cells, 0), gatherLanes(knots, cells, 0));
  const rise = f32x4.sub(gatherLanes(energies + 4, cells, 0), gatherLanes(energies, cells, 0));
  const middle = f32x4.splat(<f32>((KNOTS - 1) >> 1)), knot = f32x4.convert_i32x4_s(v128.load(cells));
  const u = f32x4.div(f32x4.add(f32x4.sub(knot, middle), t), middle), uSlope = f32x4.div(inside, f32x4.mul(middle, width));
  let value = ones(), before = u, slope = f32x4.splat(0), slopeBefore = uSlope, total = f32x4.splat(0);
  let coefficients = coefficientsOf(f, d);
  for (let b = 0; b < m; ++b) {
    let later = momentsOf(f, d + 1), sum = f32x4.splat(0);
    for (let k = 0; k < size; ++k, later += 16, coefficients += 16) {
      sum = madd(v128.load(coefficients), v128.load(later), sum);
    }
    total = madd(slope, sum, total);
    // T′ᵦ₊₁ = 2(u′Tᵦ + u T′ᵦ) − T′ᵦ₋₁, and T₋₁ = T₁
    const both = f32x4.add(f32x4.mul(uSlope, value), f32x4.mul(u, slope));
    const nextSlope = b == 0 ? uSlope : f32x4.sub(f32x4.add(both, both), slopeBefore);
    const next = b == 0 ? u : f32x4.sub(f32x4.mul(f32x4.add(u, u), value), before);
    before = value, value = next, slopeBefore = slope, slope = nextSlope;
  }
  const force = f32x4.mul(f32x4.mul(v128.load(f.scale), inside), f32x4.div(rise, width));
  const bar = f.placeBar + (<usize>d << 4);
  v128.store(bar, f32x4.add(v128.load(bar), nmadd(force, v128.load(f.weightSum), total)));
}

/** All levels of four samples, whose r are rows of a panel; z and the cotangents `bar` of z or r likewise. */
function sampleGradient(f: Frame, kind: i32, r: usize, z: usize, bar: usize, ofLog: v128): void {
  const dim = f.dim, zero = f32x4.splat(0);
  v128.store(f.scaleBar, zero), v128.store(f.weightSum, zero);
  for (let d = 0; d < dim; ++d) {
    const x = v128.load(r + <usize>d * ROW), knots = f.knots + <usize>(4 * KNOTS * d);
    locate(f, d, x);
    const outside = v128.or(
      f32x4.lt(x, v128.load32_splat(knots)), f32x4.gt(x, v128.load32_splat(knots + 4 * (KNOTS - 1))),
    );
    v128.store(f.inside + (<usize>d << 4), v128.andnot(ones(), outside));
    v128.store(f.placeBar + (<usize>d << 4), kind == DECODE ? v128.load(bar + <usize>d * ROW) : zero);
  }
  for (let d = dim - 1; d >= 0; --d) {
    unfix(f);
    for (let e = 0; e < d; ++e) fixPlace(f, e);
    evaluateLevel(f, d, false);
    normalise(f, d, true);
    const to = f.placeBar + (<usize>d << 4);
    if (d < dim - 1) placeGradient(f, d);
    let own = madd(ofLog, logSlope(f, d), v128.load(to)), factor = zero, normal = zero;
    if (kind != LOG_PROB) {
      normal = v128.load(z + <usize>d * ROW);
      const jacobian = overNormal(logDensity(f, d, false), normal);
      if (kind == ENCODE) {
        factor = v128.load(bar + <usize>d * ROW), own = madd(factor, jacobian, own);
      } else own = f32x4.div(own, jacobian), factor = f32x4.neg(own);
      toNormalByLogs(f, d);
    }
    v128.store(to, own);
    combineWeights(f, d, ofLog, factor, normal, kind != LOG_PROB);
    levelGradient(f, d);
  }
}

/** Gradients of all samples; r and z are panels of `rRows` and `zRows` features. */
function gradient(
  panels: i32, kind: i32, f: Frame, features: usize, r: usize, rRows: i32, z: usize, zRows: i32, scale: usize,
  neighbours: usize, cotangent: usize, dFeatures: usize, dPlace: usize, dScale: usize, dNeighbours: usize,
): void {
  const dim = f.dim, coefficients = <usize>power(f.basis, dim) * ROW, coordinates = <usize>dim * ROW;
  const neighbourBytes = <usize>f.neighbours * coordinates;
  if (dNeighbours) memory.fill(dNeighbours, 0, <usize>panels * neighbourBytes);
  for (; panels > 0; --panels) {
    for (let lane: usize = 0; lane < ROW; lane += 16) {
      loadSamples(f, features + lane, r + lane, scale + lane, neighbours + lane);
      f.coordinatesBar = dNeighbours ? dNeighbours + lane : 0;
      const ofLog = kind == LOG_PROB ? columnQuad(cotangent + 2 * lane) : v128.load(cotangent + lane + coordinates);
      sampleGradient(f, kind, r + lane, z + lane, cotangent + lane, ofLog);
      if (dFeatures) storeMoments(f, dFeatures + lane);
      if (dScale) v128.store(dScale + lane, v128.load(f.scaleBar));
      for (let d: usize = 0; dPlace && d < <usize>dim; ++d) {
        v128.store(dPlace + lane + d * ROW, v128.load(f.placeBar + (d << 4)));
      }
    }
    features += coefficients, r += <usize>rRows * ROW, z += <usize>zRows * ROW, scale += ROW;
    neighbours += neighbourBytes, cotangent += kind == LOG_PROB ? 2 * ROW : coordinates + ROW;
    if (dFeatures) dFeatures += coefficients;
    if (dPlace) dPlace += coordinates;
    if (dScale) dScale += ROW;
    if (dNeighbours) dNeighbours += neighbourBytes;
  }
}

/** Cotangents of the inputs from that of ln p, a column; where an address is null, that one is left out. */
export function tiltedLogProbGradF32(
  panels: i32, sizes: usize, constants: usize, features: usize, r: usize, scale: usize, knots: usize,
  neighbours: usize, scratch: usize, dColumn: usize, dFeatures: usize, dR: usize, dScale: usize, dNeighbours: usize,
): void {
  const f = prepare(sizes, constants, knots, scratch), dim = f.dim;
  gradient(
    panels, LOG_PROB, f, features, r, dim, r, dim, scale, neighbours, dColumn, dFeatures, dR, dScale, dNeighbours,
  );
}

/** The same from the cotangent of [z, ln p], which is `out`. */
export function tiltedEncodeGradF32(
  panels: i32, sizes: usize, constants: usize, features: usize, r: usize, scale: usize, knots: usize,
  neighbours: usize, scratch: usize, out: usize, dOut: usize, dFeatures: usize, dR: usize, dScale: usize,
  dNeighbours: usize,
): void {
  const f = prepare(sizes, constants, knots, scratch), dim = f.dim;
  gradient(
    panels, ENCODE, f, features, r, dim, out, dim + 1, scale, neighbours, dOut, dFeatures, dR, dScale, dNeighbours,
  );
}

/** The same from the cotangent of [r, ln p], which is `out`. */
export function tiltedDecodeGradF32(
  panels: i32, sizes: usize, constants: usize, features: usize, z: usize, scale: usize, knots: usize,
  neighbours: usize, scratch: usize, out: usize, dOut: usize, dFeatures: usize, dZ: usize, dScale: usize,
  dNeighbours: usize,
): void {
  const f = prepare(sizes, constants, knots, scratch), dim = f.dim;
  gradient(
    panels, DECODE, f, features, out, dim + 1, z, dim, scale, neighbours, dOut, dFeatures, dZ, dScale, dNeighbours,
  );
}
