/**
 * ℓ = φ − s·E on lines of nodes, sums over them and moments: the inner loops of the energy-tilted density.
 *
 * A line has an odd number of nodes, the middle one at u = 0 and the others in pairs ±u, so that even and odd
 * polynomials are summed once for both.
 */
import { expNegative } from "./math";
import { madd, nmadd, ROW } from "./simd";
import { Frame } from "./tilted_frame";

export const HALF: usize = memory.data<f32>([0.5, 0.5, 0.5, 0.5], 16);
/** 1.5·2²³, whose addition rounds to an integer that then stands in the lower bits. */
export const ROUND: usize = memory.data<f32>([12582912, 12582912, 12582912, 12582912], 16);
/** 8·(bits of 1.5·2²³) modulo 2³². */
export const ROUND_BYTES: u32 = 0x5a000000;

// @ts-ignore: decorator
@inline
/** Cells and rises of four lanes' table entries: [middle, rise, middle, rise] of two lanes. */
export function entries(addresses: v128, pair: i32): v128 {
  const two = pair ? i64x2.extract_lane(addresses, 1) : i64x2.extract_lane(addresses, 0);
  const first = v128.load64_zero(<usize><u32>two);
  return v128.load_lane<u64>(<usize><u32>(two >>> 32), first, 1);
}

// @ts-ignore: decorator
@inline
/** The smallest of four numbers that are not NaN. */
export function leastLane(v: v128): f32 {
  const two = f32x4.pmin(v, v128.shuffle<f32>(v, v, 2, 3, 0, 1));
  const one = f32x4.pmin(two, v128.shuffle<f32>(two, two, 1, 0, 3, 2));
  return f32x4.extract_lane(one, 0);
}

/** Squared distances along the last axis from all neighbours to nodes of that axis. */
export function squareDistances(f: Frame, nodes: usize, count: i32): void {
  if (f.squaresFor == count) return;
  f.squaresFor = count;
  let to = f.squares, least = f.least;
  for (let n = 0; n < f.neighbours; ++n) {
    const q = v128.load(f.coordinates + <usize>(n * f.dim + f.dim - 1) * ROW);
    for (let j = nodes, end = nodes + (<usize>count << 2); j < end; j += 4, to += 16, least += 4) {
      const distance = f32x4.sub(v128.load32_splat(j), q);
      const squared = f32x4.mul(distance, distance);
      v128.store(to, squared);
      store<f32>(least, leastLane(squared));
    }
  }
}

/** Adds the energies of all neighbours at a line of nodes; `base` are the squared distances along the other axes. */
export function addPairs(f: Frame, count: i32, base: usize, energies: usize): void {
  for (let n = 0; n < f.neighbours; ++n) {
    const table = f.constants + <usize>load<i32>(f.tables + (<usize>n << 2)), along = v128.load(base + (<usize>n << 4));
    const limit = load<f32>(table) - leastLane(along), first = f.least + <usize>(4 * n * count);
    let least = first, last = first + (<usize>(count - 1) << 2);
    while (least <= last && load<f32>(least) >= limit) least += 4;
    if (least > last) continue;
    while (load<f32>(last) >= limit) last -= 4;
    const skipped = (least - first) << 2, bytes = (last - least + 4) << 2;
    const squares = f.squares + (<usize>(n * count) << 4) + skipped;
    addTable(table, along, squares, energies + skipped, bytes);
  }
}

/** Adds table entries, linear between, to energies; r² = along + squares. */
function addTable(table: usize, along: v128, squares: usize, to: usize, bytes: usize): void {
  const round = v128.load(ROUND), stretch = v128.load32_splat(table, 4), most = v128.load32_splat(table, 8);
  const origin = i32x4.splat(<i32>(<u32>(table + 16) - ROUND_BYTES));
  const start = f32x4.sub(f32x4.mul(along, stretch), v128.load(HALF));
  for (const end = to + bytes; to < end; to += 16, squares += 16) {
    const t = f32x4.pmin(most, madd(v128.load(squares), stretch, start)), shifted = f32x4.add(t, round);
    const addresses = i32x4.add(i32x4.shl(shifted, 3), origin);
    const low = entries(addresses, 0), high = entries(addresses, 1);
    const part = f32x4.sub(t, f32x4.sub(shifted, round));
    const middle = v128.shuffle<f32>(low, high, 0, 2, 4, 6), rise = v128.shuffle<f32>(low, high, 1, 3, 5, 7);
    v128.store(to, f32x4.add(v128.load(to), madd(rise, part, middle)));
  }
}

/** Sets energies at a line to those of one body: that of each node plus one number of each lane. */
export function startLine(count: i32, oneBody: usize, more: v128, energies: usize): void {
  for (const end = oneBody + (<usize>count << 2); oneBody < end; oneBody += 4, energies += 16) {
    v128.store(energies, f32x4.add(v128.load32_splat(oneBody), more));
  }
}

/** Replaces energies at a line by ℓ = Σ g_b T_b − s·E and returns the largest of each lane (and `most`). */
export function tiltLine(f: Frame, count: i32, basis: usize, g: usize, s: v128, line: usize, most: v128): v128 {
  const half = <usize>(count >> 1), stride = <usize>count << 2, end = g + (<usize>f.basis << 4);
  const middle = line + (half << 4);
  let sum = f32x4.splat(0);
  for (let c = g, t = basis + (half << 2); c < end; c += 32, t += 2 * stride) {
    sum = madd(v128.load(c), v128.load32_splat(t), sum);
  }
  sum = nmadd(s, v128.load(middle), sum);
  v128.store(middle, sum);
  most = f32x4.pmax(sum, most);
  let up = middle + 16, down = middle - 16;
  for (let k: usize = 0; k < half; k += 4, up += 64, down -= 64) {
    let e0 = f32x4.splat(0), e1 = e0, e2 = e0, e3 = e0, o0 = e0, o1 = e0, o2 = e0, o3 = e0;
    let t = basis + ((half + 1 + k) << 2);
    for (let c = g; c < end; c += 32, t += 2 * stride) {
      const even = v128.load(c);
      e0 = madd(even, v128.load32_splat(t), e0), e1 = madd(even, v128.load32_splat(t, 4), e1);
      e2 = madd(even, v128.load32_splat(t, 8), e2), e3 = madd(even, v128.load32_splat(t, 12), e3);
      if (c + 16 >= end) break;
      const odd = v128.load(c, 16), u = t + stride;
      o0 = madd(odd, v128.load32_splat(u), o0), o1 = madd(odd, v128.load32_splat(u, 4), o1);
      o2 = madd(odd, v128.load32_splat(u, 8), o2), o3 = madd(odd, v128.load32_splat(u, 12), o3);
    }
    const a = nmadd(s, v128.load(up), f32x4.add(e0, o0)), b = nmadd(s, v128.load(down), f32x4.sub(e0, o0));
    v128.store(up, a), v128.store(down, b);
    most = f32x4.pmax(a, f32x4.pmax(b, most));
    const c = nmadd(s, v128.load(up, 16), f32x4.add(e1, o1)), d = nmadd(s, v128.load(down - 16), f32x4.sub(e1, o1));
    v128.store(up, c, 16), v128.store(down - 16, d);
    most = f32x4.pmax(c, f32x4.pmax(d, most));
    const g0 = nmadd(s, v128.load(up, 32), f32x4.add(e2, o2)), h = nmadd(s, v128.load(down - 32), f32x4.sub(e2, o2));
    v128.store(up, g0, 32), v128.store(down - 32, h);
    most = f32x4.pmax(g0, f32x4.pmax(h, most));
    const i = nmadd(s, v128.load(up, 48), f32x4.add(e3, o3)), j = nmadd(s, v128.load(down - 48), f32x4.sub(e3, o3));
    v128.store(up, i, 48), v128.store(down - 48, j);
    most = f32x4.pmax(i, f32x4.pmax(j, most));
  }
  return most;
}

/** Replaces ℓ at a line by w·e^(ℓ − most), with the weights w of the nodes times `factor`, and returns sum + Σ. */
export function sumLine(count: i32, line: usize, weights: usize, factor: f32, most: v128, sum: v128): v128 {
  for (const end = line + (<usize>count << 4); line < end; line += 16, weights += 4) {
    const e = f32x4.mul(expNegative(f32x4.sub(v128.load(line), most)), f32x4.splat(factor * load<f32>(weights)));
    v128.store(line, e);
    sum = f32x4.add(sum, e);
  }
  return sum;
}

/** Writes Σ_j row_j T_b(j) to `to` + b·stride for b < m. */
export function momentsOfLine(m: i32, count: i32, basis: usize, row: usize, to: usize, stride: usize): void {
  const half = <usize>(count >> 1), next = <usize>count << 2, middle = row + (half << 4);
  for (let b = 0; b < m; b += 4) {
    const first = basis + <usize>(b * count << 2) + (half << 2);
    const centre = v128.load(middle);
    let m0 = f32x4.mul(centre, v128.load32_splat(first)), m2 = f32x4.mul(centre, v128.load32_splat(first + 2 * next));
    let m1 = f32x4.splat(0), m3 = m1;
    let up = middle + 16, down = middle - 16;
    for (let t = first + 4, end = first + 4 + (half << 2); t < end; t += 4, up += 16, down -= 16) {
      const a = v128.load(up), c = v128.load(down);
      const even = f32x4.add(a, c), odd = f32x4.sub(a, c);
      m0 = madd(even, v128.load32_splat(t), m0), m1 = madd(odd, v128.load32_splat(t + next), m1);
      m2 = madd(even, v128.load32_splat(t + 2 * next), m2), m3 = madd(odd, v128.load32_splat(t + 3 * next), m3);
    }
    v128.store(to, m0), to += stride;
    if (b + 1 < m) v128.store(to, m1), to += stride;
    if (b + 2 < m) v128.store(to, m2), to += stride;
    if (b + 3 < m) v128.store(to, m3), to += stride;
  }
}

/** to[k] = Σ_a T_a·from[a][k], k < size, with T_a single float32 at `basis` + a·stride. */
export function contractNode(m: i32, size: i32, basis: usize, stride: usize, from: usize, to: usize): void {
  const step = <usize>size << 4;
  let k = size;
  for (; k >= 4; k -= 4, from += 64, to += 64) {
    let s0 = f32x4.splat(0), s1 = s0, s2 = s0, s3 = s0;
    for (let a = 0, t = basis, c = from; a < m; ++a, t += stride, c += step) {
      const value = v128.load32_splat(t);
      s0 = madd(value, v128.load(c), s0), s1 = madd(value, v128.load(c, 16), s1);
      s2 = madd(value, v128.load(c, 32), s2), s3 = madd(value, v128.load(c, 48), s3);
    }
    v128.store(to, s0), v128.store(to, s1, 16), v128.store(to, s2, 32), v128.store(to, s3, 48);
  }
  for (; k > 0; --k, from += 16, to += 16) {
    let sum = f32x4.splat(0);
    for (let a = 0, t = basis, c = from; a < m; ++a, t += stride, c += step) {
      sum = madd(v128.load32_splat(t), v128.load(c), sum);
    }
    v128.store(to, sum);
  }
}

/** to[k] = Σ_a basis[a]·from[a][k], k < size, with basis of each lane. */
export function contractPlace(m: i32, size: i32, basis: usize, from: usize, to: usize): void {
  const step = <usize>size << 4;
  for (let k = 0; k < size; ++k, from += 16, to += 16) {
    let sum = f32x4.splat(0);
    for (let a = 0, t = basis, c = from; a < m; ++a, t += 16, c += step) sum = madd(v128.load(t), v128.load(c), sum);
    v128.store(to, sum);
  }
}
