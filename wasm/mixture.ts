/**
 * Mixtures of sheared normal densities whose parameters are features: log-density with its derivative, the map of
 * coordinates to normal numbers, its inverse, and the derivatives of both.
 *
 * features[P][(1 + 2D + D(D − 1)/2)·J][32]: for all J components a logit, D means m, D log-scales a (above 6 counts as 6),
 * then shears s₂₁, s₃₁, s₃₂. u_d = e^a_d(r_d − m_d) + Σ_{e<d} s_de(r_e − m_e), π = softmax(logits),
 * p(r) = Σⱼ πⱼ Π_d e^a_dj φ(u_dj), z_d = Φ⁻¹(Σⱼ w_dj Φ(u_dj)) with w_dj ∝ πⱼ Π_{e<d} e^a_ej φ(u_ej).
 *
 * `scratch` is 256·J + 64 bytes.
 */
import { ones } from "./math";
import { gauss, normalQuantile, normalTail } from "./normal";
import {
  begin, CONSTANTS, flushedExp, logProb, LOG_WEIGHT, masses, normalise, place, PLACE, ROWS, SCALE, shear, shears, solve, SPARE, WEIGHT,
} from "./mixture_steps";
import { columnQuad, madd, nmadd, ROW, storeColumnQuad } from "./simd";

// Rows that are free by then: the smaller tails, then the cotangents of the weights from coordinate d; w·φ(u)/φ(z); the
// cotangents of the weights after coordinate d; those of u_d.
const TAIL = LOG_WEIGHT;
const SLOPE: usize = LOG_WEIGHT + 1;
const WEIGHT_COTANGENT = SPARE;
const PLACE_COTANGENT: usize = SPARE + 1;

// @ts-ignore: decorator
@inline
/** Bytes of the features of a panel. */
function widthOf(dim: i32, count: i32): usize {
  return shear(dim, count, dim, 0);
}

/**
 * column = log p(r), and unless their addresses are 0, the derivatives: byFeatures of the shape of features,
 * byPlace[P][D][32]. −∞ where every |u| > 1.8e19; the derivatives are NaN there.
 */
export function mixtureLogProbF32(
  panels: i32, dim: i32, count: i32, features: usize, r: usize, column: usize, byFeatures: usize, byPlace: usize,
  scratch: usize,
): void {
  const width = widthOf(dim, count);
  for (; panels > 0; --panels) {
    for (let lane: usize = 0; lane < ROW; lane += 16) {
      begin(dim, count, features + lane, scratch);
      for (let d = 0; d < dim; ++d) {
        shears(dim, count, d, features + lane, r + lane, scratch);
        place(dim, count, d, features + lane, v128.load(r + lane + <usize>d * ROW), scratch);
      }
      const ofLogits = normalise(count, 0, scratch);
      storeColumnQuad(column, logProb(dim, count, ofLogits, scratch));
      if (byFeatures) score(dim, count, features + lane, r + lane, byFeatures + lane, byPlace + lane, scratch);
      column += 32;
    }
    features += width, r += <usize>dim * ROW;
    if (byFeatures) byFeatures += width, byPlace += <usize>dim * ROW;
  }
}

/**
 * ∂ log p: with the posterior weights ρ, u̅_d = −ρu_d; logits ρ − π, log-scales ρ + u̅_d e^a_d(r_d − m_d), shears
 * u̅_d(r_e − m_e), means −u̅_e e^a_e − Σ_{d>e} u̅_d s_de, and coordinates the negative sum of their means'.
 */
function score(
  dim: i32, count: i32, features: usize, r: usize, byFeatures: usize, byPlace: usize, scratch: usize,
): void {
  const size = <usize>count << 4, block = <usize>count * ROW;
  for (let e = 0; e < dim; ++e) v128.store(byPlace + <usize>e * ROW, f32x4.splat(0));
  for (let j: usize = 0; j < size; j += 16) {
    const at = scratch + j, from = features + (j << 3), to = byFeatures + (j << 3);
    const weight = v128.load(at + (WEIGHT + <usize>dim) * size);
    v128.store(to, f32x4.sub(weight, v128.load(at + WEIGHT * size)));
    for (let e = 0; e < dim; ++e) {
      const axis = <usize>e * size, mean = <usize>(1 + e) * block, logScale = mean + <usize>dim * block;
      const distance = f32x4.sub(v128.load(r + <usize>e * ROW), v128.load(from + mean));
      const du = f32x4.neg(f32x4.mul(weight, v128.load(at + axis + PLACE * size)));
      let byOwn = f32x4.mul(du, v128.load(at + axis + SCALE * size));
      const free = f32x4.gt(v128.load(from + logScale), v128.load(CONSTANTS));
      v128.store(to + logScale, v128.andnot(madd(byOwn, distance, weight), free));
      for (let d = e + 1; d < dim; ++d) {
        const factor = shear(dim, count, d, e);
        const other = f32x4.neg(f32x4.mul(weight, v128.load(at + (PLACE + <usize>d) * size)));
        v128.store(to + factor, f32x4.mul(other, distance));
        byOwn = madd(other, v128.load(from + factor), byOwn);
      }
      v128.store(to + mean, f32x4.neg(byOwn));
      v128.store(byPlace + <usize>e * ROW, f32x4.add(v128.load(byPlace + <usize>e * ROW), byOwn));
    }
  }
}

/** out[P][D + 1][32] = z of the coordinates r[P][D][32], then log p(r). */
export function mixtureEncodeF32(
  panels: i32, dim: i32, count: i32, features: usize, r: usize, out: usize, scratch: usize,
): void {
  const width = widthOf(dim, count);
  const sums = scratch + ROWS * (<usize>count << 4);
  for (; panels > 0; --panels) {
    for (let lane: usize = 0; lane < ROW; lane += 16) {
      let ofLogits = f32x4.splat(0);
      begin(dim, count, features + lane, scratch);
      for (let d = 0; d < dim; ++d) {
        const x = v128.load(r + lane + <usize>d * ROW);
        const total = normalise(count, d, scratch);
        if (d === 0) ofLogits = total;
        shears(dim, count, d, features + lane, r + lane, scratch);
        masses(count, d, features + lane, x, scratch);
        v128.store(out + lane + <usize>d * ROW, normalQuantile(v128.load(sums), v128.load(sums + 16)));
        place(dim, count, d, features + lane, x, scratch);
      }
      v128.store(out + lane + <usize>dim * ROW, logProb(dim, count, ofLogits, scratch));
    }
    features += width, r += <usize>dim * ROW, out += <usize>(dim + 1) * ROW;
  }
}

/** out[P][D + 1][32] = r of the normal numbers z[P][D][32], then log p(r). */
export function mixtureDecodeF32(
  panels: i32, dim: i32, count: i32, features: usize, z: usize, out: usize, scratch: usize,
): void {
  const width = widthOf(dim, count);
  for (; panels > 0; --panels) {
    for (let lane: usize = 0; lane < ROW; lane += 16) {
      let ofLogits = f32x4.splat(0);
      begin(dim, count, features + lane, scratch);
      for (let d = 0; d < dim; ++d) {
        const total = normalise(count, d, scratch);
        if (d === 0) ofLogits = total;
        shears(dim, count, d, features + lane, out + lane, scratch);
        const x = solve(count, d, features + lane, v128.load(z + lane + <usize>d * ROW), scratch);
        v128.store(out + lane + <usize>d * ROW, x);
        place(dim, count, d, features + lane, x, scratch);
      }
      v128.store(out + lane + <usize>dim * ROW, logProb(dim, count, ofLogits, scratch));
    }
    features += width, z += <usize>dim * ROW, out += <usize>(dim + 1) * ROW;
  }
}

/** dFeatures and dr of mixtureEncodeF32 from its result `out` and its cotangent, all overwritten. */
export function mixtureEncodeGradF32(
  panels: i32, dim: i32, count: i32, features: usize, r: usize, out: usize, cotangent: usize, dFeatures: usize,
  dr: usize, scratch: usize,
): void {
  const width = widthOf(dim, count), narrow = <usize>dim * ROW, wide = narrow + ROW;
  for (; panels > 0; --panels) {
    for (let lane: usize = 0; lane < ROW; lane += 16) {
      for (let e: usize = lane; e < narrow; e += ROW) v128.store(dr + e, f32x4.splat(0));
      const by = v128.load(cotangent + lane + narrow);
      prepare(dim, count, features + lane, r + lane, by, dFeatures + lane, scratch);
      for (let d = dim - 1; d >= 0; --d) {
        const row = lane + <usize>d * ROW;
        const z = v128.load(out + row), by = v128.load(cotangent + row);
        spreadPlace(count, d, z, scratch);
        spreadMap(count, d, z, by, scratch);
        spread(dim, count, d, features + lane, r + lane, dFeatures + lane, dr + lane, scratch);
      }
    }
    features += width, dFeatures += width, r += narrow, dr += narrow, out += wide, cotangent += wide;
  }
}

/**
 * dFeatures and dz of mixtureDecodeF32 from its result `out` and its cotangent, all overwritten. With the cotangents of r
 * from what comes later included, dz_d = r̅_d·∂r_d/∂z_d, and everything else is as for encode with the cotangent −dz.
 */
export function mixtureDecodeGradF32(
  panels: i32, dim: i32, count: i32, features: usize, z: usize, out: usize, cotangent: usize, dFeatures: usize,
  dz: usize, scratch: usize,
): void {
  const width = widthOf(dim, count), narrow = <usize>dim * ROW, wide = narrow + ROW;
  const sums = scratch + ROWS * (<usize>count << 4);
  for (; panels > 0; --panels) {
    for (let lane: usize = 0; lane < ROW; lane += 16) {
      for (let e: usize = lane; e < narrow; e += ROW) v128.store(dz + e, v128.load(cotangent + e));
      const by = v128.load(cotangent + lane + narrow);
      prepare(dim, count, features + lane, out + lane, by, dFeatures + lane, scratch);
      for (let d = dim - 1; d >= 0; --d) {
        const row = lane + <usize>d * ROW;
        const place = v128.load(z + row);
        spreadPlace(count, d, place, scratch);
        const all = f32x4.add(v128.load(dz + row), v128.load(sums + 48));
        const own = f32x4.div(all, v128.load(sums + 32));
        spreadMap(count, d, place, f32x4.neg(own), scratch);
        spread(dim, count, d, features + lane, out + lane, dFeatures + lane, dz + lane, scratch);
        v128.store(dz + row, own);
      }
    }
    features += width, dFeatures += width, z += narrow, dz += narrow, out += wide, cotangent += wide;
  }
}

/** Places all coordinates; the cotangent of log p becomes those of the last weights and of the logits. */
function prepare(
  dim: i32, count: i32, features: usize, r: usize, by: v128, dFeatures: usize, scratch: usize,
): void {
  begin(dim, count, features, scratch);
  for (let d = 0; d < dim; ++d) {
    normalise(count, d, scratch);
    shears(dim, count, d, features, r, scratch);
    place(dim, count, d, features, v128.load(r + <usize>d * ROW), scratch);
  }
  normalise(count, dim, scratch);
  const size = <usize>count << 4, block = <usize>count * ROW;
  for (let j: usize = 0; j < size; j += 16, scratch += 16, dFeatures += ROW) {
    const weight = f32x4.mul(by, v128.load(scratch + (WEIGHT + <usize>dim) * size));
    v128.store(scratch + WEIGHT_COTANGENT * size, weight);
    v128.store(dFeatures, nmadd(by, v128.load(scratch + WEIGHT * size), weight));
    for (let d: usize = 0; d < <usize>dim; ++d) v128.store(dFeatures + (1 + d) * block, f32x4.splat(0));
  }
}

/**
 * Begins coordinate d: u̅ = −uΩ, Ω the cotangents of the weights after it; the smaller tails, w·φ(u)/φ(z), and as sums
 * both masses, dz/dr and Σ u̅e^a.
 */
function spreadPlace(count: i32, d: i32, z: v128, scratch: usize): void {
  const size = <usize>count << 4;
  const sums = scratch + ROWS * size;
  let row = scratch + <usize>d * size;
  let lower = f32x4.splat(0), upper = f32x4.splat(0), slope = f32x4.splat(0), byPlace = f32x4.splat(0);
  for (let j: usize = 0; j < size; j += 16, row += 16, scratch += 16) {
    const u = v128.load(row + PLACE * size), weight = v128.load(row + WEIGHT * size);
    const scale = v128.load(row + SCALE * size);
    const tail = normalTail(u, gauss(u)), rest = f32x4.sub(ones(), tail);
    const positive = f32x4.gt(u, f32x4.splat(0));
    lower = madd(weight, v128.bitselect(rest, tail, positive), lower);
    upper = madd(weight, v128.bitselect(tail, rest, positive), upper);
    v128.store(scratch + TAIL * size, tail);
    const power = f32x4.mul(f32x4.mul(f32x4.sub(z, u), f32x4.add(z, u)), v128.load(CONSTANTS, 16));
    const ratio = f32x4.mul(weight, flushedExp(power));
    v128.store(scratch + SLOPE * size, ratio);
    slope = madd(ratio, scale, slope);
    const du = f32x4.neg(f32x4.mul(u, v128.load(scratch + WEIGHT_COTANGENT * size)));
    v128.store(scratch + PLACE_COTANGENT * size, du);
    byPlace = madd(du, scale, byPlace);
  }
  v128.store(sums, lower);
  v128.store(sums + 16, upper);
  v128.store(sums + 32, slope);
  v128.store(sums + 48, byPlace);
}

/** Adds z̅·wφ(u)/φ(z) to u̅; the row of tails becomes the cotangents of the weights, z̅·w(Φ(u) − F)/φ(z). */
function spreadMap(count: i32, d: i32, z: v128, by: v128, scratch: usize): void {
  const size = <usize>count << 4;
  const lower = v128.load(scratch + ROWS * size), upper = v128.load(scratch + ROWS * size, 16);
  const factor = f32x4.div(f32x4.mul(by, v128.load(CONSTANTS, 48)), gauss(z));
  const below = f32x4.lt(lower, upper);
  let row = scratch + <usize>d * size;
  for (let j: usize = 0; j < size; j += 16, row += 16, scratch += 16) {
    const tail = v128.load(scratch + TAIL * size), rest = f32x4.sub(ones(), tail);
    const positive = f32x4.gt(v128.load(row + PLACE * size), f32x4.splat(0));
    const ofLower = f32x4.sub(v128.bitselect(rest, tail, positive), lower);
    const ofUpper = f32x4.sub(upper, v128.bitselect(tail, rest, positive));
    const excess = f32x4.mul(factor, v128.bitselect(ofLower, ofUpper, below));
    v128.store(scratch + TAIL * size, f32x4.mul(excess, v128.load(row + WEIGHT * size)));
    const du = v128.load(scratch + PLACE_COTANGENT * size);
    v128.store(scratch + PLACE_COTANGENT * size, madd(by, v128.load(scratch + SLOPE * size), du));
  }
}

/** From the cotangents of u_d and of the weights to those of features and coordinates; ends coordinate d. */
function spread(
  dim: i32, count: i32, d: i32, features: usize, r: usize, dFeatures: usize, dr: usize, scratch: usize,
): void {
  const size = <usize>count << 4, block = <usize>count * ROW;
  const mean = <usize>(1 + d) * block, logScale = mean + <usize>dim * block;
  const axis = scratch + <usize>d * size;
  const x = v128.load(r + <usize>d * ROW);
  let byPlace = v128.load(dr + <usize>d * ROW);
  for (let j: usize = 0; j < size; j += 16) {
    const from = features + (j << 3), to = dFeatures + (j << 3);
    const du = v128.load(scratch + PLACE_COTANGENT * size + j);
    const own = f32x4.mul(du, v128.load(axis + SCALE * size + j));
    const weight = v128.load(scratch + WEIGHT_COTANGENT * size + j);
    const free = f32x4.gt(v128.load(from + logScale), v128.load(CONSTANTS));
    v128.store(to + logScale, v128.andnot(madd(own, f32x4.sub(x, v128.load(from + mean)), weight), free));
    v128.store(to + mean, f32x4.sub(v128.load(to + mean), own));
    byPlace = f32x4.add(byPlace, own);
    const change = v128.load(scratch + TAIL * size + j);
    v128.store(scratch + WEIGHT_COTANGENT * size + j, f32x4.add(weight, change));
    v128.store(to, f32x4.add(v128.load(to), change));
  }
  v128.store(dr + <usize>d * ROW, byPlace);
  for (let e = 0; e < d; ++e) {
    const other = <usize>(1 + e) * block, factor = shear(dim, count, d, e);
    const y = v128.load(r + <usize>e * ROW);
    byPlace = v128.load(dr + <usize>e * ROW);
    for (let j: usize = 0; j < size; j += 16) {
      const from = features + (j << 3), to = dFeatures + (j << 3);
      const du = v128.load(scratch + PLACE_COTANGENT * size + j);
      const own = f32x4.mul(du, v128.load(from + factor));
      v128.store(to + factor, f32x4.mul(du, f32x4.sub(y, v128.load(from + other))));
      v128.store(to + other, f32x4.sub(v128.load(to + other), own));
      byPlace = f32x4.add(byPlace, own);
    }
    v128.store(dr + <usize>e * ROW, byPlace);
  }
}
