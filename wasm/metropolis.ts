/**
 * Metropolis Monte Carlo of particles in a soft box in float64, two chains side by side in the lanes.
 *
 * Chains come in pairs. Each pair owns: its positions [particles][x, y][2 lanes], the state of two xoshiro256+
 * generators [4 words][2 lanes], and a table of four rows of two lanes: temperature T, largest step, bias constant κ, bias
 * centre m. What particles feel among each other is a class of interaction.ts; only the dimer has a bias.
 * No fused multiply-add is used: every build and every machine walks through the same bits.
 */
import { BondedDiscs, Fluid } from "./interaction";
import { Doubles } from "./lanes";
import { minusLog } from "./vector_math_f64";

/** Bytes of one particle: x and y of two chains. */
const CELL: usize = 32;
/** Where a moving particle's own cell is put while it is compared with all others: its pair terms vanish there. */
const PARKED: f64 = 1e8;
/** Bits of 1.0: an exponent for 52 random bits. */
const ONE: i64 = 0x3ff0000000000000;

// @ts-ignore: decorator
@inline
/** Advances the generators of the two lanes and returns 1 + u, u uniform in [0, 1) with 52 bits. */
function onePlusUniform(rng: usize): v128 {
  const s0 = v128.load(rng);
  const s1 = v128.load(rng, 16);
  const s3 = v128.load(rng, 48);
  const word = i64x2.add(s0, s3);
  const s2 = v128.xor(v128.load(rng, 32), s0);
  const t3 = v128.xor(s3, s1);
  v128.store(rng, v128.xor(s0, t3));
  v128.store(rng, v128.xor(s1, s2), 16);
  v128.store(rng, v128.xor(s2, i64x2.shl(s1, 17)), 32);
  v128.store(rng, v128.or(i64x2.shl(t3, 45), i64x2.shr_u(t3, 19)), 48);
  return v128.or(i64x2.shr_u(word, 12), i64x2.splat(ONE));
}

// @ts-ignore: decorator
@inline
/** (square of the overshoot beyond the walls) of two coordinates, summed. */
function wallTerm(x: v128, y: v128, half: v128): v128 {
  const zero = f64x2.splat(0.0);
  const ox = f64x2.pmax(f64x2.sub(f64x2.abs(x), half), zero);
  const oy = f64x2.pmax(f64x2.sub(f64x2.abs(y), half), zero);
  return f64x2.add(f64x2.mul(ox, ox), f64x2.mul(oy, oy));
}

// @ts-ignore: decorator
@inline
/** What only the dimer feels, with one end at (x, y) and the other at (xo, yo), bias included. */
function dimerTerm(parameters: usize, table: usize, x: v128, y: v128, xo: v128, yo: v128): v128 {
  const dx = f64x2.sub(x, xo);
  const dy = f64x2.sub(y, yo);
  const d = f64x2.sqrt(f64x2.add(f64x2.mul(dx, dx), f64x2.mul(dy, dy)));
  const q = f64x2.sub(d, v128.load64_splat(parameters, 48));
  const q2 = f64x2.mul(q, q);
  const inner = f64x2.add(f64x2.mul(v128.load64_splat(parameters, 40), q2), v128.load64_splat(parameters, 32));
  const bond = f64x2.add(f64x2.mul(v128.load64_splat(parameters, 24), q), f64x2.mul(inner, q2));
  const sx = f64x2.add(x, xo);
  const tether = f64x2.mul(
    v128.load64_splat(parameters, 16), f64x2.add(f64x2.mul(sx, sx), f64x2.mul(y, y)),
  );
  const off = f64x2.sub(d, v128.load(table, 48));
  const bias = f64x2.mul(v128.load(table, 32), f64x2.mul(off, off));
  return f64x2.add(f64x2.add(bond, tether), bias);
}

// @ts-ignore: decorator
@inline
/**
 * Offers the particle at cell i one move in one pair of chains: x + (2u − 1) step in each coordinate, accepted where
 * ΔU ≤ −T ln u, that is, with probability min(1, exp(−ΔU/T)).
 *
 * Everything but the pair terms is taken off the bound before the loop over the pairs, so that hardly anything waits for
 * its end. The change of r⁻¹² is 1/b⁶ − 1/a⁶ = (a⁶ − b⁶)/(a⁶ b⁶) with squared distances a before and b after: one
 * division.
 */
function offerMove<P>(
  i: usize, cells: usize, end: usize, parameters: usize, table: usize, rng: usize, accepted: usize,
): void {
  const p = changetype<P>(0);
  const attraction = p.attractionOfMoves(parameters);
  const dimerEnd = cells + 2 * CELL;
  const step = v128.load(table, 16);
  const x = v128.load(i);
  const y = v128.load(i, 16);
  const width = f64x2.add(step, step);
  const middle = f64x2.splat(1.5);
  const xn = f64x2.add(x, f64x2.mul(width, f64x2.sub(onePlusUniform(rng), middle)));
  const yn = f64x2.add(y, f64x2.mul(width, f64x2.sub(onePlusUniform(rng), middle)));
  // 2 − (1 + u) lies in (0, 1]: the bound is finite and never negative.
  const bound = f64x2.mul(minusLog(f64x2.sub(f64x2.splat(2.0), onePlusUniform(rng))), v128.load(table));
  const half = v128.load64_splat(parameters, 56);
  const walls = f64x2.sub(wallTerm(xn, yn, half), wallTerm(x, y, half));
  let allowance = f64x2.sub(bound, f64x2.mul(v128.load64_splat(parameters, 64), walls));
  let j = dimerEnd;
  if (p.bonded() && i < dimerEnd) {
    const o = i == cells ? cells + CELL : cells;
    const xo = v128.load(o);
    const yo = v128.load(o, 16);
    const after = dimerTerm(parameters, table, xn, yn, xo, yo);
    const before = dimerTerm(parameters, table, x, y, xo, yo);
    allowance = f64x2.sub(allowance, f64x2.sub(after, before));
  } else {
    const parked = f64x2.splat(PARKED);
    v128.store(i, parked);
    v128.store(i, parked, 16);
    j = cells;
  }
  let pairs = f64x2.splat(0.0);
  for (; j < end; j += CELL) {
    const xj = v128.load(j);
    const yj = v128.load(j, 16);
    const ax = f64x2.sub(x, xj);
    const ay = f64x2.sub(y, yj);
    const bx = f64x2.sub(xn, xj);
    const by = f64x2.sub(yn, yj);
    const a = f64x2.add(f64x2.mul(ax, ax), f64x2.mul(ay, ay));
    const b = f64x2.add(f64x2.mul(bx, bx), f64x2.mul(by, by));
    const a3 = f64x2.mul(f64x2.mul(a, a), a);
    const b3 = f64x2.mul(f64x2.mul(b, b), b);
    const a6 = f64x2.mul(a3, a3);
    const b6 = f64x2.mul(b3, b3);
    pairs = f64x2.add(pairs, f64x2.div(p.change(a3, b3, a6, b6, attraction), f64x2.mul(a6, b6)));
  }
  // Overlap makes the change +∞ and NaN compares as false: neither is accepted.
  const accept = f64x2.le(f64x2.mul(v128.load64_splat(parameters, 72), pairs), allowance);
  v128.store(i, v128.bitselect(xn, x, accept));
  v128.store(i, v128.bitselect(yn, y, accept), 16);
  v128.store(accepted, f64x2.add(v128.load(accepted), v128.and(accept, f64x2.splat(1.0))));
}

/**
 * Advances pairs of chains of the dimer by whole sweeps and writes the dimer's distance down now and then.
 *
 * @param pairs pairs of chains
 * @param particles dimer and solvent
 * @param sweeps moves offered to every particle
 * @param every sweeps between two recorded distances; 0 records none
 * @param parameters the block, its first ten float64
 * @param tables [pairs][4][2]: T, largest step, κ of the bias κ (d − m)², m
 * @param positions [pairs][particles][2][2], changed
 * @param rng [pairs][4][2] 64-bit words, changed
 * @param accepted [pairs][2] counts, added to
 * @param distances output [floor(sweeps / every)][pairs][2]
 */
export function dimerMetropolisF64(
  pairs: i32, particles: i32, sweeps: i32, every: i32,
  parameters: usize, tables: usize, positions: usize, rng: usize, accepted: usize, distances: usize,
): void {
  const bytes = <usize>particles * CELL;
  for (let k = 0; k < pairs; k++) {
    const end = positions + bytes;
    let out = distances + (<usize>k << 4);
    let left = every;
    for (let s = 0; s < sweeps; s++) {
      for (let i = positions; i < end; i += CELL) {
        offerMove<BondedDiscs<Doubles>>(i, positions, end, parameters, tables, rng, accepted);
      }
      if (--left != 0) continue;
      left = every;
      const dx = f64x2.sub(v128.load(positions), v128.load(positions, CELL));
      const dy = f64x2.sub(v128.load(positions, 16), v128.load(positions, CELL + 16));
      v128.store(out, f64x2.sqrt(f64x2.add(f64x2.mul(dx, dx), f64x2.mul(dy, dy))));
      out += <usize>pairs << 4;
    }
    positions = end;
    tables += 64;
    rng += 64;
    accepted += 16;
  }
}

/**
 * Advances pairs of chains of a fluid by whole sweeps.
 *
 * @param pairs pairs of chains
 * @param particles particles
 * @param sweeps moves offered to every particle
 * @param parameters the whole block
 * @param tables [pairs][4][2]: T, largest step, two rows that are not read
 * @param positions [pairs][particles][2][2], changed
 * @param rng [pairs][4][2] 64-bit words, changed
 * @param accepted [pairs][2] counts, added to
 */
export function fluidMetropolisF64(
  pairs: i32, particles: i32, sweeps: i32,
  parameters: usize, tables: usize, positions: usize, rng: usize, accepted: usize,
): void {
  const bytes = <usize>particles * CELL;
  for (let k = 0; k < pairs; k++) {
    const end = positions + bytes;
    for (let s = 0; s < sweeps; s++) {
      for (let i = positions; i < end; i += CELL) {
        offerMove<Fluid<Doubles>>(i, positions, end, parameters, tables, rng, accepted);
      }
    }
    positions = end;
    tables += 64;
    rng += 64;
    accepted += 16;
  }
}
