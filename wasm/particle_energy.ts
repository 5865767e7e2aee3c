/**
 * Energy and gradient of particles in a soft box in float64, two configurations side by side in the lanes.
 *
 * Rows are configurations: x₀ y₀ x₁ y₁ … in row-major order. The particle dimer, 0 and 1, has the bond
 * c₁ q + c₂ q² + c₄ q⁴, q = d − d₀. Parameter blocks are described in interaction.ts.
 */
import { BondedDiscs, Fluid, madd, nmadd } from "./interaction";

// @ts-ignore: decorator
@inline
/** How far v lies beyond the wall, with its sign; 0 inside, NaN for NaN. */
function overshoot(v: v128, half: v128): v128 {
  return f64x2.sub(v, f64x2.pmax(f64x2.pmin(v, half), f64x2.neg(half)));
}

/** Bytes of scratch per particle of the energy kernel: x and y of two configurations. */
const ENERGY_CELL: usize = 32;
/** Bytes of scratch per particle of the gradient kernel: x, y and their gradients. */
const GRADIENT_CELL: usize = 64;

/**
 * U of n configurations of the dimer.
 *
 * @param n configurations
 * @param particles dimer and solvent
 * @param parameters the block, its first nine float64
 * @param x [n, 2·particles]
 * @param energy output [n]
 * @param scratch 32 bytes per particle, 16-byte aligned
 */
export function particleDimerEnergyF64(
  n: i32, particles: i32, parameters: usize, x: usize, energy: usize, scratch: usize,
): void {
  energies<BondedDiscs>(n, particles, parameters, x, energy, scratch);
}

/** U of n configurations of a fluid; arguments as for the dimer, with the whole block. */
export function particleFluidEnergyF64(
  n: i32, particles: i32, parameters: usize, x: usize, energy: usize, scratch: usize,
): void {
  energies<Fluid>(n, particles, parameters, x, energy, scratch);
}

// @ts-ignore: decorator
@inline
function energies<P>(n: i32, particles: i32, parameters: usize, x: usize, energy: usize, scratch: usize): void {
  const p = changetype<P>(0);
  const row = <usize>particles << 4;
  const end = scratch + <usize>particles * ENERGY_CELL;
  const s2 = v128.load64_splat(parameters, 8);
  const half = v128.load64_splat(parameters, 56);
  const attraction = p.attraction(parameters);
  for (let k = 0; k < n; k += 2) {
    const a = x + <usize>k * row;
    const b = k + 1 < n ? a + row : a;
    let walls = f64x2.splat(0.0);
    let at = scratch;
    for (let offset: usize = 0; offset < row; offset += 16) {
      const va = v128.load(a + offset);
      const vb = v128.load(b + offset);
      const px = v128.shuffle<f64>(va, vb, 0, 2);
      const py = v128.shuffle<f64>(va, vb, 1, 3);
      v128.store(at, px);
      v128.store(at, py, 16);
      at += ENERGY_CELL;
      const ox = overshoot(px, half);
      const oy = overshoot(py, half);
      walls = madd(ox, ox, madd(oy, oy, walls));
    }
    let pairs = f64x2.splat(0.0);
    for (let i = scratch; i + ENERGY_CELL < end; i += 2 * ENERGY_CELL) {
      const x0 = v128.load(i);
      const y0 = v128.load(i, 16);
      const x1 = v128.load(i, 32);
      const y1 = v128.load(i, 48);
      let second = f64x2.splat(0.0);
      for (let j = i + 2 * ENERGY_CELL; j < end; j += ENERGY_CELL) {
        const xj = v128.load(j);
        const yj = v128.load(j, 16);
        const dx0 = f64x2.sub(x0, xj);
        const dy0 = f64x2.sub(y0, yj);
        const dx1 = f64x2.sub(x1, xj);
        const dy1 = f64x2.sub(y1, yj);
        const q0 = f64x2.div(s2, madd(dx0, dx0, f64x2.mul(dy0, dy0)));
        const q1 = f64x2.div(s2, madd(dx1, dx1, f64x2.mul(dy1, dy1)));
        const t0 = f64x2.mul(f64x2.mul(q0, q0), q0);
        const t1 = f64x2.mul(f64x2.mul(q1, q1), q1);
        pairs = p.add(t0, attraction, pairs);
        second = p.add(t1, attraction, second);
      }
      if (!p.bonded() || i > scratch) {
        const dx = f64x2.sub(x0, x1);
        const dy = f64x2.sub(y0, y1);
        const q = f64x2.div(s2, madd(dx, dx, f64x2.mul(dy, dy)));
        const t = f64x2.mul(f64x2.mul(q, q), q);
        second = p.add(t, attraction, second);
      }
      pairs = f64x2.add(pairs, second);
    }
    const total = totalEnergy<P>(parameters, scratch, pairs, walls, ENERGY_CELL);
    v128.store64_lane(energy + (<usize>k << 3), total, 0);
    if (k + 1 < n) v128.store64_lane(energy + (<usize>k << 3), total, 1, 8);
  }
}

// @ts-ignore: decorator
@inline
/** scale · Σ pairs + box constant · Σ overshoot² + everything that only the dimer feels. */
function totalEnergy<P>(parameters: usize, cells: usize, pairs: v128, walls: v128, cell: usize): v128 {
  let total = f64x2.mul(v128.load64_splat(parameters, 0), pairs);
  total = madd(v128.load64_splat(parameters, 64), walls, total);
  if (!changetype<P>(0).bonded()) return total;
  const x0 = v128.load(cells);
  const y0 = v128.load(cells, 16);
  const x1 = v128.load(cells + cell);
  const y1 = v128.load(cells + cell, 16);
  const dx = f64x2.sub(x0, x1);
  const dy = f64x2.sub(y0, y1);
  const q = f64x2.sub(f64x2.sqrt(madd(dx, dx, f64x2.mul(dy, dy))), v128.load64_splat(parameters, 48));
  const q2 = f64x2.mul(q, q);
  const c1 = v128.load64_splat(parameters, 24);
  const c2 = v128.load64_splat(parameters, 32);
  const c4 = v128.load64_splat(parameters, 40);
  const bond = madd(c1, q, f64x2.mul(madd(c4, q2, c2), q2));
  const sx = f64x2.add(x0, x1);
  const tether = madd(sx, sx, madd(y0, y0, f64x2.mul(y1, y1)));
  total = madd(v128.load64_splat(parameters, 16), tether, total);
  return f64x2.add(total, bond);
}

/**
 * U and ∂U/∂x of n configurations of the dimer.
 *
 * @param n configurations
 * @param particles dimer and solvent
 * @param parameters the block, its first nine float64
 * @param x [n, 2·particles]
 * @param energy output [n]
 * @param gradient output [n, 2·particles]
 * @param scratch 64 bytes per particle, 16-byte aligned
 */
export function particleDimerGradientF64(
  n: i32, particles: i32, parameters: usize, x: usize, energy: usize, gradient: usize, scratch: usize,
): void {
  gradients<BondedDiscs>(n, particles, parameters, x, energy, gradient, scratch);
}

/** U and ∂U/∂x of n configurations of a fluid; arguments as for the dimer, with the whole block. */
export function particleFluidGradientF64(
  n: i32, particles: i32, parameters: usize, x: usize, energy: usize, gradient: usize, scratch: usize,
): void {
  gradients<Fluid>(n, particles, parameters, x, energy, gradient, scratch);
}

// @ts-ignore: decorator
@inline
function gradients<P>(
  n: i32, particles: i32, parameters: usize, x: usize, energy: usize, gradient: usize, scratch: usize,
): void {
  const row = <usize>particles << 4;
  for (let k = 0; k < n; k += 2) {
    const a = x + <usize>k * row;
    const b = k + 1 < n ? a + row : a;
    const walls = gatherPair(row, parameters, a, b, scratch);
    const pairs = pairTerms<P>(particles, parameters, scratch);
    const total = totalEnergy<P>(parameters, scratch, pairs, walls, GRADIENT_CELL);
    const first = gradient + <usize>k * row;
    const second = k + 1 < n ? first + row : first;
    scatterPair(row, parameters, first, second, scratch);
    if (changetype<P>(0).bonded()) addDimerGradient(parameters, first, second, scratch);
    v128.store64_lane(energy + (<usize>k << 3), total, 0);
    if (k + 1 < n) v128.store64_lane(energy + (<usize>k << 3), total, 1, 8);
  }
}

/** Puts two configurations into the lanes with gradient 0 and returns Σ overshoot². */
function gatherPair(row: usize, parameters: usize, a: usize, b: usize, cells: usize): v128 {
  const half = v128.load64_splat(parameters, 56);
  const zero = f64x2.splat(0.0);
  let walls = f64x2.splat(0.0);
  for (let offset: usize = 0; offset < row; offset += 16) {
    const va = v128.load(a + offset);
    const vb = v128.load(b + offset);
    const px = v128.shuffle<f64>(va, vb, 0, 2);
    const py = v128.shuffle<f64>(va, vb, 1, 3);
    const ox = overshoot(px, half);
    const oy = overshoot(py, half);
    v128.store(cells, px);
    v128.store(cells, py, 16);
    v128.store(cells, zero, 32);
    v128.store(cells, zero, 48);
    cells += GRADIENT_CELL;
    walls = madd(ox, ox, madd(oy, oy, walls));
  }
  return walls;
}

/**
 * Returns Σ (σ/r)¹² (or t² − B/A t) over all pairs but the dimer's and leaves Σ (σ/r)¹⁴ Δ (or q (t² − B/A t/2) Δ) with
 * q = (σ/r)² in the cells: the gradient of the first sum is −12/σ² times the second.
 */
function pairTerms<P>(particles: i32, parameters: usize, cells: usize): v128 {
  const p = changetype<P>(0);
  const attraction = p.attraction(parameters);
  const end = cells + <usize>particles * GRADIENT_CELL;
  const s2 = v128.load64_splat(parameters, 8);
  let pairs = f64x2.splat(0.0);
  for (let i = cells; i + GRADIENT_CELL < end; i += 2 * GRADIENT_CELL) {
    const x0 = v128.load(i);
    const y0 = v128.load(i, 16);
    const x1 = v128.load(i, 64);
    const y1 = v128.load(i, 80);
    let gx0 = f64x2.splat(0.0);
    let gy0 = f64x2.splat(0.0);
    let gx1 = f64x2.splat(0.0);
    let gy1 = f64x2.splat(0.0);
    for (let j = i + 2 * GRADIENT_CELL; j < end; j += GRADIENT_CELL) {
      const xj = v128.load(j);
      const yj = v128.load(j, 16);
      const dx0 = f64x2.sub(x0, xj);
      const dy0 = f64x2.sub(y0, yj);
      const dx1 = f64x2.sub(x1, xj);
      const dy1 = f64x2.sub(y1, yj);
      const q0 = f64x2.div(s2, madd(dx0, dx0, f64x2.mul(dy0, dy0)));
      const q1 = f64x2.div(s2, madd(dx1, dx1, f64x2.mul(dy1, dy1)));
      const t0 = f64x2.mul(f64x2.mul(q0, q0), q0);
      const t1 = f64x2.mul(f64x2.mul(q1, q1), q1);
      const e0 = p.energy(t0, attraction);
      const e1 = p.energy(t1, attraction);
      pairs = f64x2.add(pairs, f64x2.add(e0, e1));
      const f0 = f64x2.mul(p.virial(t0, e0, attraction), q0);
      const f1 = f64x2.mul(p.virial(t1, e1, attraction), q1);
      gx0 = madd(f0, dx0, gx0);
      gy0 = madd(f0, dy0, gy0);
      gx1 = madd(f1, dx1, gx1);
      gy1 = madd(f1, dy1, gy1);
      v128.store(j, nmadd(f1, dx1, nmadd(f0, dx0, v128.load(j, 32))), 32);
      v128.store(j, nmadd(f1, dy1, nmadd(f0, dy0, v128.load(j, 48))), 48);
    }
    if (!p.bonded() || i > cells) {
      const dx = f64x2.sub(x0, x1);
      const dy = f64x2.sub(y0, y1);
      const q = f64x2.div(s2, madd(dx, dx, f64x2.mul(dy, dy)));
      const t = f64x2.mul(f64x2.mul(q, q), q);
      const e = p.energy(t, attraction);
      pairs = f64x2.add(pairs, e);
      const f = f64x2.mul(p.virial(t, e, attraction), q);
      gx0 = madd(f, dx, gx0);
      gy0 = madd(f, dy, gy0);
      gx1 = nmadd(f, dx, gx1);
      gy1 = nmadd(f, dy, gy1);
    }
    v128.store(i, f64x2.add(gx0, v128.load(i, 32)), 32);
    v128.store(i, f64x2.add(gy0, v128.load(i, 48)), 48);
    v128.store(i, f64x2.add(gx1, v128.load(i, 96)), 96);
    v128.store(i, f64x2.add(gy1, v128.load(i, 112)), 112);
  }
  return pairs;
}

/** Writes the gradients of the two lanes as rows: pairs, walls, and for the dimer its bond and tethers. */
function scatterPair(row: usize, parameters: usize, a: usize, b: usize, cells: usize): void {
  const s2 = v128.load64_splat(parameters, 8);
  const scale = f64x2.div(f64x2.mul(f64x2.splat(-12.0), v128.load64_splat(parameters, 0)), s2);
  const half = v128.load64_splat(parameters, 56);
  const stiffness = f64x2.mul(f64x2.splat(2.0), v128.load64_splat(parameters, 64));
  for (let offset: usize = 0; offset < row; offset += 16) {
    const wx = f64x2.mul(stiffness, overshoot(v128.load(cells), half));
    const wy = f64x2.mul(stiffness, overshoot(v128.load(cells, 16), half));
    const gx = madd(scale, v128.load(cells, 32), wx);
    const gy = madd(scale, v128.load(cells, 48), wy);
    v128.store(a + offset, v128.shuffle<f64>(gx, gy, 0, 2));
    v128.store(b + offset, v128.shuffle<f64>(gx, gy, 1, 3));
    cells += GRADIENT_CELL;
  }
}

/** Adds the gradients of the bond and of the tethers to the dimer's part of the two rows. */
function addDimerGradient(parameters: usize, a: usize, b: usize, cells: usize): void {
  const x0 = v128.load(cells);
  const y0 = v128.load(cells, 16);
  const x1 = v128.load(cells, 64);
  const y1 = v128.load(cells, 80);
  const dx = f64x2.sub(x0, x1);
  const dy = f64x2.sub(y0, y1);
  const d = f64x2.sqrt(madd(dx, dx, f64x2.mul(dy, dy)));
  const q = f64x2.sub(d, v128.load64_splat(parameters, 48));
  const two = f64x2.splat(2.0);
  const c2 = v128.load64_splat(parameters, 32);
  const c4 = f64x2.mul(two, v128.load64_splat(parameters, 40));
  const inner = madd(c4, f64x2.mul(q, q), c2);
  const slope = f64x2.div(madd(f64x2.mul(two, q), inner, v128.load64_splat(parameters, 24)), d);
  const stiffness = f64x2.mul(two, v128.load64_splat(parameters, 16));
  const tether = f64x2.mul(stiffness, f64x2.add(x0, x1));
  addToRows(a, b, madd(slope, dx, tether), madd(slope, dy, f64x2.mul(stiffness, y0)));
  addToRows(a + 16, b + 16, nmadd(slope, dx, tether), nmadd(slope, dy, f64x2.mul(stiffness, y1)));
}

// @ts-ignore: decorator
@inline
/** Adds (gx, gy) to one particle of row a (lane 0) and of row b (lane 1); a row that stands for both is written once. */
function addToRows(a: usize, b: usize, gx: v128, gy: v128): void {
  const first = f64x2.add(v128.load(a), v128.shuffle<f64>(gx, gy, 0, 2));
  const second = f64x2.add(v128.load(b), v128.shuffle<f64>(gx, gy, 1, 3));
  v128.store(a, first);
  v128.store(b, second);
}
