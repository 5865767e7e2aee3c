/**
 * Energy and gradient of particles in float32, four configurations side by side in the lanes. Arrays are float64 as in
 * particle_gradient.ts: coordinates are rounded to float32 when they are read.
 */
import { BondedDiscs, Fluid } from "./interaction";
import { Singles } from "./lanes";
import { addDimer, CELL, pairGradients, withDimer } from "./particle_terms";
import { storeColumnQuad, upperHalf } from "./simd";

/**
 * U and ∂U/∂x of n configurations of the dimer, computed in float32.
 *
 * @param n configurations
 * @param particles dimer and solvent
 * @param parameters the block, its first nine float64
 * @param x [n, 2·particles]
 * @param energy output [n]
 * @param gradient output [n, 2·particles]
 * @param scratch 96 bytes per particle, 16-byte aligned
 */
export function particleDimerGradientSingleF64(
  n: i32, particles: i32, parameters: usize, x: usize, energy: usize, gradient: usize, scratch: usize,
): void {
  gradients<BondedDiscs<Singles>>(n, particles, parameters, x, energy, gradient, scratch);
}

/** U and ∂U/∂x of n configurations of a fluid in float32; arguments as for the dimer, with the whole block. */
export function particleFluidGradientSingleF64(
  n: i32, particles: i32, parameters: usize, x: usize, energy: usize, gradient: usize, scratch: usize,
): void {
  gradients<Fluid<Singles>>(n, particles, parameters, x, energy, gradient, scratch);
}

// @ts-ignore: decorator
@inline
function gradients<P>(
  n: i32, particles: i32, parameters: usize, x: usize, energy: usize, gradient: usize, scratch: usize,
): void {
  const row = <usize>particles << 4;
  for (let k = 0; k < n; k += 4) {
    // Lanes without a configuration repeat the last one.
    const b = k + 1 < n ? row : 0;
    const c = k + 2 < n ? b + row : b;
    const d = k + 3 < n ? c + row : c;
    gather(row, x, b, c, d, scratch);
    let total = pairGradients<P, Singles>(particles, parameters, scratch, gradient, b, c, d);
    if (changetype<P>(0).bonded()) {
      total = withDimer<Singles>(total, parameters, scratch, CELL);
      addDimer<Singles>(parameters, gradient, b, c, d, scratch);
    }
    storeEnergies(n - k, energy, total);
    x += 4 * row;
    gradient += 4 * row;
    energy += 32;
  }
}

// @ts-ignore: decorator
@inline
/** The particle at two addresses as [x, x, y, y]. */
function roundedPair(a: usize, b: usize): v128 {
  const va = f32x4.demote_f64x2_zero(v128.load(a));
  const vb = f32x4.demote_f64x2_zero(v128.load(b));
  return v128.shuffle<f32>(va, vb, 0, 4, 1, 5);
}

/** Puts the configurations at x, x + b, x + c, x + d into the lanes, with gradient 0. */
function gather(row: usize, x: usize, b: usize, c: usize, d: usize, cells: usize): void {
  const zero = f32x4.splat(0.0);
  const end = x + row;
  for (; x < end; x += 16) {
    const ab = roundedPair(x, x + b);
    const cd = roundedPair(x + c, x + d);
    v128.store(cells, v128.shuffle<f32>(ab, cd, 0, 1, 4, 5));
    v128.store(cells, v128.shuffle<f32>(ab, cd, 2, 3, 6, 7), 16);
    v128.store(cells, zero, 32);
    v128.store(cells, zero, 48);
    cells += CELL;
  }
}

/** Stores the first lanes, at most four of them, as float64. */
function storeEnergies(count: i32, energy: usize, total: v128): void {
  if (count >= 4) return storeColumnQuad(energy, total);
  const low = f64x2.promote_low_f32x4(total);
  v128.store64_lane(energy, low, 0);
  if (count > 1) v128.store64_lane(energy, low, 1, 8);
  if (count > 2) v128.store64_lane(energy, f64x2.promote_low_f32x4(upperHalf(total)), 0, 16);
}
