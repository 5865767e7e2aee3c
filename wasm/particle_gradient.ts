/**
 * Energy and gradient of particles in a soft box in float64, two configurations side by side in the lanes.
 *
 * Rows are configurations: x₀ y₀ x₁ y₁ … in row-major order. Parameter blocks are described in interaction.ts.
 */
import { BondedDiscs, Fluid } from "./interaction";
import { Doubles } from "./lanes";
import { addDimer, CELL, pairGradients, withDimer } from "./particle_terms";

/**
 * U and ∂U/∂x of n configurations of the dimer.
 *
 * @param n configurations
 * @param particles dimer and solvent
 * @param parameters the block, its first nine float64
 * @param x [n, 2·particles]
 * @param energy output [n]
 * @param gradient output [n, 2·particles]
 * @param scratch 96 bytes per particle, 16-byte aligned
 */
export function particleDimerGradientF64(
  n: i32, particles: i32, parameters: usize, x: usize, energy: usize, gradient: usize, scratch: usize,
): void {
  gradients<BondedDiscs<Doubles>>(n, particles, parameters, x, energy, gradient, scratch);
}

/** U and ∂U/∂x of n configurations of a fluid; arguments as for the dimer, with the whole block. */
export function particleFluidGradientF64(
  n: i32, particles: i32, parameters: usize, x: usize, energy: usize, gradient: usize, scratch: usize,
): void {
  gradients<Fluid<Doubles>>(n, particles, parameters, x, energy, gradient, scratch);
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
    gather(row, a, b, scratch);
    const first = gradient + <usize>k * row;
    const next = b - a;
    let total = pairGradients<P, Doubles>(particles, parameters, scratch, first, next, 0, 0);
    if (changetype<P>(0).bonded()) {
      total = withDimer<Doubles>(total, parameters, scratch, CELL);
      addDimer<Doubles>(parameters, first, next, 0, 0, scratch);
    }
    v128.store64_lane(energy + (<usize>k << 3), total, 0);
    if (k + 1 < n) v128.store64_lane(energy + (<usize>k << 3), total, 1, 8);
  }
}

/** Puts two configurations into the lanes, with gradient 0. */
function gather(row: usize, a: usize, b: usize, cells: usize): void {
  const zero = f64x2.splat(0.0);
  for (let offset: usize = 0; offset < row; offset += 16) {
    const va = v128.load(a + offset);
    const vb = v128.load(b + offset);
    v128.store(cells, v128.shuffle<f64>(va, vb, 0, 2));
    v128.store(cells, v128.shuffle<f64>(va, vb, 1, 3), 16);
    v128.store(cells, zero, 32);
    v128.store(cells, zero, 48);
    cells += CELL;
  }
}
