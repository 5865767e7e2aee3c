/**
 * Energy of particles in a soft box in float64, two configurations side by side in the lanes.
 *
 * Rows are configurations: x₀ y₀ x₁ y₁ … in row-major order. The particle dimer, 0 and 1, has the bond
 * c₁ q + c₂ q² + c₄ q⁴, q = d − d₀. Parameter blocks are described in interaction.ts.
 */
import { BondedDiscs, Fluid } from "./interaction";
import { Doubles } from "./lanes";
import { pairsAndWalls, withDimer } from "./particle_terms";

/** Bytes of scratch per particle: x and y of two configurations. */
const CELL: usize = 32;

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
  energies<BondedDiscs<Doubles>>(n, particles, parameters, x, energy, scratch);
}

/** U of n configurations of a fluid; arguments as for the dimer, with the whole block. */
export function particleFluidEnergyF64(
  n: i32, particles: i32, parameters: usize, x: usize, energy: usize, scratch: usize,
): void {
  energies<Fluid<Doubles>>(n, particles, parameters, x, energy, scratch);
}

// @ts-ignore: decorator
@inline
function energies<P>(n: i32, particles: i32, parameters: usize, x: usize, energy: usize, scratch: usize): void {
  const p = changetype<P>(0);
  const l = changetype<Doubles>(0);
  const row = <usize>particles << 4;
  const end = scratch + <usize>particles * CELL;
  const s2 = v128.load64_splat(parameters, 8);
  const half = v128.load64_splat(parameters, 56);
  const attraction = p.attraction(parameters);
  for (let k = 0; k < n; k += 2) {
    const a = x + <usize>k * row;
    const b = k + 1 < n ? a + row : a;
    // Two sums: each addition waits for the one before.
    let walls = f64x2.splat(0.0);
    let ceilings = f64x2.splat(0.0);
    let at = scratch;
    for (let offset: usize = 0; offset < row; offset += 16) {
      const va = v128.load(a + offset);
      const vb = v128.load(b + offset);
      const px = v128.shuffle<f64>(va, vb, 0, 2);
      const py = v128.shuffle<f64>(va, vb, 1, 3);
      v128.store(at, px);
      v128.store(at, py, 16);
      at += CELL;
      const ox = l.overshoot(px, half);
      const oy = l.overshoot(py, half);
      walls = l.madd(ox, ox, walls);
      ceilings = l.madd(oy, oy, ceilings);
    }
    let pairs = f64x2.splat(0.0);
    for (let i = scratch; i + CELL < end; i += 2 * CELL) {
      const x0 = v128.load(i);
      const y0 = v128.load(i, 16);
      const x1 = v128.load(i, 32);
      const y1 = v128.load(i, 48);
      let second = f64x2.splat(0.0);
      for (let j = i + 2 * CELL; j < end; j += CELL) {
        const xj = v128.load(j);
        const yj = v128.load(j, 16);
        const dx0 = f64x2.sub(x0, xj);
        const dy0 = f64x2.sub(y0, yj);
        const dx1 = f64x2.sub(x1, xj);
        const dy1 = f64x2.sub(y1, yj);
        const q0 = f64x2.div(s2, l.madd(dx0, dx0, f64x2.mul(dy0, dy0)));
        const q1 = f64x2.div(s2, l.madd(dx1, dx1, f64x2.mul(dy1, dy1)));
        const t0 = f64x2.mul(f64x2.mul(q0, q0), q0);
        const t1 = f64x2.mul(f64x2.mul(q1, q1), q1);
        pairs = p.add(t0, attraction, pairs);
        second = p.add(t1, attraction, second);
      }
      if (!p.bonded() || i > scratch) {
        const dx = f64x2.sub(x0, x1);
        const dy = f64x2.sub(y0, y1);
        const q = f64x2.div(s2, l.madd(dx, dx, f64x2.mul(dy, dy)));
        const t = f64x2.mul(f64x2.mul(q, q), q);
        second = p.add(t, attraction, second);
      }
      pairs = f64x2.add(pairs, second);
    }
    let total = pairsAndWalls<Doubles>(parameters, pairs, f64x2.add(walls, ceilings));
    if (p.bonded()) total = withDimer<Doubles>(total, parameters, scratch, CELL);
    v128.store64_lane(energy + (<usize>k << 3), total, 0);
    if (k + 1 < n) v128.store64_lane(energy + (<usize>k << 3), total, 1, 8);
  }
}
