/**
 * Relabelling of alike particles in float64: their optimal assignment to reference sites.
 *
 * A frame whose own labels are optimal (the usual case for data and for samples of a trained flow) is recognised by
 * potentials found in a few passes; otherwise these potentials start the shortest augmenting paths of Jonker and
 * Volgenant (Computing 38, 325, 1987), which are exact.
 */

/** Passes that look for potentials before augmenting paths take over. */
const PASSES: i32 = 6;
/** Gain, relative to the largest cost, below which labels are left alone: 2⁻⁴⁶, some hundred roundings. */
const TOLERANCE: f64 = 1.4210854715202004e-14;
/** Cost of a column that only fills up a vector. */
const FILLER: f64 = 1e300;
/** Not yet reached, or closed for good. */
const FAR: f64 = Infinity;

/**
 * Orders the particles of n frames: first the dimer by x, then the solvent by its optimal assignment to the sites.
 *
 * @param n frames
 * @param particles dimer (0, 1) and solvent
 * @param reference [particles − 2, 2] the sites
 * @param x [n, particles, 2]
 * @param order output [n, particles] int32: which particle of the frame gets each label
 * @param scratch 8 (m + 8) (m + 1) bytes for m = particles − 2, 16-byte aligned
 */
export function canonicalOrderF64(
  n: i32, particles: i32, reference: usize, x: usize, order: usize, scratch: usize,
): void {
  const m = particles - 2;
  for (let k = 0; k < n; k++) {
    const swap = load<f64>(x) > load<f64>(x, 16);
    store<i32>(order, swap ? 1 : 0);
    store<i32>(order, swap ? 0 : 1, 4);
    assign(m, 2, reference, x + 32, order + 8, scratch);
    x += <usize>particles << 4;
    order += <usize>particles << 2;
  }
}

/**
 * Orders all particles of n frames by their optimal assignment to the sites.
 *
 * @param n frames
 * @param particles particles
 * @param reference [particles, 2] the sites
 * @param x [n, particles, 2]
 * @param order output [n, particles] int32: which particle of the frame gets each label
 * @param scratch 8 (m + 8) (m + 1) bytes for m = particles, 16-byte aligned
 */
export function assignmentOrderF64(
  n: i32, particles: i32, reference: usize, x: usize, order: usize, scratch: usize,
): void {
  for (let k = 0; k < n; k++) {
    assign(particles, 0, reference, x, order, scratch);
    x += <usize>particles << 4;
    order += <usize>particles << 2;
  }
}

/** Writes for each of m sites the particle that it gets, counted from `first` on. */
function assign(m: i32, first: i32, reference: usize, x: usize, order: usize, scratch: usize): void {
  const stride = <usize>((m + 1) & ~1) << 3;
  const v = scratch + <usize>m * stride;
  for (let k = 0; k < m; k++) store<i32>(order + (<usize>k << 2), first + k);
  const largest = squaredDistances(m, stride, reference, x, scratch);
  if (!(largest < FILLER)) return;
  const tolerance = TOLERANCE * largest;
  memory.fill(v, 0, stride);
  for (let pass = 0; pass < PASSES; pass++) {
    if (!relax(m, stride, scratch, v, tolerance)) return;
  }
  augmentAll(m, first, stride, scratch, order, <f64>m * tolerance);
}

/** Fills cost[site][particle] = |site − particle|² and returns the largest (NaN where a coordinate is NaN). */
function squaredDistances(m: i32, stride: usize, reference: usize, x: usize, cost: usize): f64 {
  let largest = 0.0;
  let bad = 0.0;
  for (let k = 0; k < m; k++) {
    const rx = v128.load64_splat(reference + (<usize>k << 4));
    const ry = v128.load64_splat(reference + (<usize>k << 4), 8);
    let most = f64x2.splat(0.0);
    let sum = f64x2.splat(0.0);
    let p = x;
    let j = 0;
    for (; j + 2 <= m; j += 2) {
      const a = v128.load(p);
      const b = v128.load(p, 16);
      const dx = f64x2.sub(v128.shuffle<f64>(a, b, 0, 2), rx);
      const dy = f64x2.sub(v128.shuffle<f64>(a, b, 1, 3), ry);
      const c = f64x2.add(f64x2.mul(dx, dx), f64x2.mul(dy, dy));
      v128.store(cost + (<usize>j << 3), c);
      most = f64x2.pmax(most, c);
      sum = f64x2.add(sum, c);
      p += 32;
    }
    if (j < m) {
      const dx = load<f64>(p) - f64x2.extract_lane(rx, 0);
      const dy = load<f64>(p, 8) - f64x2.extract_lane(ry, 0);
      const c = dx * dx + dy * dy;
      store<f64>(cost + (<usize>j << 3), c);
      store<f64>(cost + (<usize>j << 3), FILLER, 8);
      most = f64x2.pmax(most, f64x2.splat(c));
      sum = f64x2.add(sum, f64x2.splat(c));
    }
    largest = max(largest, max(f64x2.extract_lane(most, 0), f64x2.extract_lane(most, 1)));
    bad += f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
    cost += stride;
  }
  return bad == bad ? largest : NaN;
}

/**
 * One pass of Bellman and Ford over the edges "particle k moves to the site of j": v_j ← min(v_j, v_k + c_kj − c_kk).
 * No change means that no exchange of labels gains more than the tolerance.
 */
function relax(m: i32, stride: usize, cost: usize, v: usize, tolerance: f64): bool {
  let any = f64x2.splat(0.0);
  for (let k: usize = 0; k < <usize>m; k++) {
    const row = cost + k * stride;
    const base = f64x2.splat(load<f64>(v + (k << 3)) - load<f64>(row + (k << 3)) + tolerance);
    for (let j: usize = 0; j < stride; j += 16) {
      const old = v128.load(v + j);
      const candidate = f64x2.add(base, v128.load(row + j));
      any = v128.or(any, f64x2.lt(candidate, old));
      v128.store(v + j, f64x2.pmin(old, candidate));
    }
  }
  return v128.any_true(any);
}

/** Solves the assignment from the potentials that `relax` left and keeps the labels where the gain is a tie. */
function augmentAll(m: i32, first: i32, stride: usize, cost: usize, order: usize, tie: f64): void {
  const v = cost + <usize>m * stride;
  const u = v + stride;
  const dist = u + stride;
  const closed = dist + stride;
  const path = closed + stride;
  const siteOf = path + stride;
  const particleOf = siteOf + stride;
  let before = 0.0;
  for (let k: usize = 0; k < <usize>m; k++) {
    const row = cost + k * stride;
    let low = f64x2.splat(FAR);
    for (let j: usize = 0; j < stride; j += 16) {
      low = f64x2.pmin(low, f64x2.sub(v128.load(row + j), v128.load(v + j)));
    }
    const least = min(f64x2.extract_lane(low, 0), f64x2.extract_lane(low, 1));
    const own = load<f64>(row + (k << 3));
    before += own;
    store<f64>(u + (k << 3), least);
    const tight = own - load<f64>(v + (k << 3)) <= least;
    store<i32>(siteOf + (k << 2), tight ? <i32>k : -1);
    store<i32>(particleOf + (k << 2), tight ? <i32>k : -1);
  }
  for (let k = 0; k < m; k++) {
    if (load<i32>(particleOf + (<usize>k << 2)) >= 0) continue;
    augment(k, m, stride, cost, v, u, dist, closed, path, siteOf, particleOf);
  }
  let after = 0.0;
  for (let k: usize = 0; k < <usize>m; k++) {
    after += load<f64>(cost + k * stride + (<usize>load<i32>(particleOf + (k << 2)) << 3));
  }
  if (before - after <= tie) return;
  for (let k: usize = 0; k < <usize>m; k++) store<i32>(order + (k << 2), first + load<i32>(particleOf + (k << 2)));
}

/** Finds the shortest path from a free site to a free particle, updates the potentials and exchanges along the path. */
function augment(
  start: i32, m: i32, stride: usize, cost: usize, v: usize, u: usize,
  dist: usize, closed: usize, path: usize, siteOf: usize, particleOf: usize,
): void {
  for (let j: usize = 0; j < stride; j += 16) {
    v128.store(dist + j, f64x2.splat(FAR));
    v128.store(closed + j, f64x2.splat(0.0));
  }
  let site = start;
  let reached = 0.0;
  let sink = -1;
  while (sink < 0) {
    const next = scan(site, reached, stride, cost, v, u, dist, closed, path);
    reached = load<f64>(dist + (<usize>next << 3));
    store<f64>(closed + (<usize>next << 3), FAR);
    site = load<i32>(siteOf + (<usize>next << 2));
    if (site < 0) sink = next;
  }
  // Closed columns were reached at dist ≤ reached; their sites lie on the tree as well.
  store<f64>(u + (<usize>start << 3), load<f64>(u + (<usize>start << 3)) + reached);
  for (let j: usize = 0; j < <usize>m; j++) {
    if (load<f64>(closed + (j << 3)) == 0.0) continue;
    const slack = reached - load<f64>(dist + (j << 3));
    store<f64>(v + (j << 3), load<f64>(v + (j << 3)) - slack);
    const owner = load<i32>(siteOf + (j << 2));
    if (owner >= 0) store<f64>(u + (<usize>owner << 3), load<f64>(u + (<usize>owner << 3)) + slack);
  }
  let j = sink;
  for (;;) {
    const k = <i32>load<f64>(path + (<usize>j << 3));
    const given = load<i32>(particleOf + (<usize>k << 2));
    store<i32>(siteOf + (<usize>j << 2), k);
    store<i32>(particleOf + (<usize>k << 2), j);
    if (k == start) return;
    j = given;
  }
}

/** Shortens the distances by edges from one site and returns the open column that is nearest. */
function scan(
  site: i32, reached: f64, stride: usize, cost: usize, v: usize, u: usize, dist: usize, closed: usize, path: usize,
): i32 {
  const row = cost + <usize>site * stride;
  const offset = f64x2.splat(reached - load<f64>(u + (<usize>site << 3)));
  const label = f64x2.splat(<f64>site);
  const zero = f64x2.splat(0.0);
  let index = v128(0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0);
  let least = f64x2.splat(FAR);
  let where = index;
  for (let j: usize = 0; j < stride; j += 16) {
    const bar = v128.load(closed + j);
    const old = v128.load(dist + j);
    const candidate = f64x2.add(offset, f64x2.sub(v128.load(row + j), v128.load(v + j)));
    const shorter = v128.and(f64x2.lt(candidate, old), f64x2.eq(bar, zero));
    const now = v128.bitselect(candidate, old, shorter);
    v128.store(dist + j, now);
    v128.store(path + j, v128.bitselect(label, v128.load(path + j), shorter));
    const open = f64x2.add(now, bar);
    const nearer = f64x2.lt(open, least);
    least = v128.bitselect(open, least, nearer);
    where = v128.bitselect(index, where, nearer);
    index = i64x2.add(index, i64x2.splat(2));
  }
  const first = f64x2.extract_lane(least, 0) <= f64x2.extract_lane(least, 1);
  return <i32>(first ? i64x2.extract_lane(where, 0) : i64x2.extract_lane(where, 1));
}
