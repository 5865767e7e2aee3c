/**
 * The kernels for particles in plain float64 TypeScript: oracle of the tests and documentation of the formulas.
 *
 * @module
 */
import type { ChainPairs } from "./metropolis_kernels.ts";
import {
  type DimerCoefficients,
  type FluidCoefficients,
  isDimer,
  type ParticleCoefficients,
} from "./particle_coefficients.ts";

/** How far v lies beyond the walls at ±half, with its sign. */
function overshoot(v: number, half: number): number {
  return v > half ? v - half : v < -half ? v + half : v - v;
}

/**
 * Computes U of one configuration:
 * U = ε Σ (σ/r)¹² over all pairs but the dimer's + k_d ((x₀ + x₁)² + y₀² + y₁²) + c₁ q + c₂ q² + c₄ q⁴ + k_box Σ δ².
 *
 * @param c the energy's numbers
 * @param x one configuration, x₀ y₀ x₁ y₁ …
 * @returns U
 */
export function dimerEnergyReference(c: DimerCoefficients, x: ArrayLike<number>): number {
  let energy = 0;
  for (let i = 0; i < c.particles; i++) {
    for (let j = Math.max(2, i + 1); j < c.particles; j++) {
      const r2 = (x[2 * i] - x[2 * j]) ** 2 + (x[2 * i + 1] - x[2 * j + 1]) ** 2;
      const q = c.sigma ** 2 / r2;
      energy += c.epsilon * (q * q * q) * (q * q * q);
    }
  }
  for (let k = 0; k < 2 * c.particles; k++) energy += c.boxConstant * overshoot(x[k], c.halfBox) ** 2;
  const q = Math.sqrt((x[0] - x[2]) ** 2 + (x[1] - x[3]) ** 2) - c.d0;
  energy += c.c1 * q + c.c2 * q * q + c.c4 * q * q * q * q;
  return energy + c.tether * ((x[0] + x[2]) ** 2 + x[1] ** 2 + x[3] ** 2);
}

/**
 * Computes ∂U/∂x of one configuration, term by term.
 *
 * @param c the energy's numbers
 * @param x one configuration
 * @returns the gradient [2·particles]
 */
export function dimerGradientReference(c: DimerCoefficients, x: ArrayLike<number>): Float64Array {
  const g = new Float64Array(2 * c.particles);
  for (let i = 0; i < c.particles; i++) {
    for (let j = Math.max(2, i + 1); j < c.particles; j++) {
      const dx = x[2 * i] - x[2 * j];
      const dy = x[2 * i + 1] - x[2 * j + 1];
      const r2 = dx * dx + dy * dy;
      const slope = -12 * c.epsilon * (c.sigma ** 2 / r2) ** 6 / r2;
      g[2 * i] += slope * dx;
      g[2 * i + 1] += slope * dy;
      g[2 * j] -= slope * dx;
      g[2 * j + 1] -= slope * dy;
    }
  }
  for (let k = 0; k < 2 * c.particles; k++) g[k] += 2 * c.boxConstant * overshoot(x[k], c.halfBox);
  const dx = x[0] - x[2];
  const dy = x[1] - x[3];
  const d = Math.sqrt(dx * dx + dy * dy);
  const q = d - c.d0;
  const slope = (c.c1 + 2 * c.c2 * q + 4 * c.c4 * q ** 3) / d;
  const drift = 2 * c.tether * (x[0] + x[2]);
  g[0] += slope * dx + drift;
  g[1] += slope * dy + 2 * c.tether * x[1];
  g[2] += -slope * dx + drift;
  g[3] += -slope * dy + 2 * c.tether * x[3];
  return g;
}

/**
 * Computes U of one configuration of a fluid: U = Σ [A (σ/r)¹² − B (σ/r)⁶] + k_box Σ δ².
 *
 * @param c the energy's numbers
 * @param x one configuration, x₀ y₀ x₁ y₁ …
 * @returns U
 */
export function fluidEnergyReference(c: FluidCoefficients, x: ArrayLike<number>): number {
  let energy = 0;
  for (let i = 0; i < c.particles; i++) {
    for (let j = i + 1; j < c.particles; j++) {
      const r2 = (x[2 * i] - x[2 * j]) ** 2 + (x[2 * i + 1] - x[2 * j + 1]) ** 2;
      const t = (c.sigma ** 2 / r2) ** 3;
      energy += c.repulsion * t * t - c.attraction * t;
    }
  }
  for (let k = 0; k < 2 * c.particles; k++) energy += c.boxConstant * overshoot(x[k], c.halfBox) ** 2;
  return energy;
}

/**
 * Computes ∂U/∂x of one configuration of a fluid, term by term.
 *
 * @param c the energy's numbers
 * @param x one configuration
 * @returns the gradient [2·particles]
 */
export function fluidGradientReference(c: FluidCoefficients, x: ArrayLike<number>): Float64Array {
  const g = new Float64Array(2 * c.particles);
  for (let i = 0; i < c.particles; i++) {
    for (let j = i + 1; j < c.particles; j++) {
      const [dx, dy] = [x[2 * i] - x[2 * j], x[2 * i + 1] - x[2 * j + 1]];
      const r2 = dx * dx + dy * dy;
      const t = (c.sigma ** 2 / r2) ** 3;
      const slope = (-12 * c.repulsion * t * t + 6 * c.attraction * t) / r2;
      g[2 * i] += slope * dx;
      g[2 * i + 1] += slope * dy;
      g[2 * j] -= slope * dx;
      g[2 * j + 1] -= slope * dy;
    }
  }
  for (let k = 0; k < 2 * c.particles; k++) g[k] += 2 * c.boxConstant * overshoot(x[k], c.halfBox);
  return g;
}

const bits = new BigInt64Array(1);
const double = new Float64Array(bits.buffer);

/**
 * Computes −ln u with the bits of the kernels' logarithm.
 *
 * u = 2ᵏ m, m in [√½, √2); ln m = 2 artanh s, s = (m − 1)/(m + 1), the series to s¹⁵ summed in pairs.
 *
 * @param u a number from 2⁻⁵² to 1
 * @returns −ln u, within 3e-14
 */
export function minusLogReference(u: number): number {
  double[0] = u;
  const exponent = Number((bits[0] + 0x00095f6200000000n) >> 52n) - 1023;
  bits[0] -= BigInt(exponent) << 52n;
  const m = double[0];
  const s = (m - 1) / (m + 1);
  const w = s * s;
  const w2 = w * w;
  const upper = (1 / 11 + w * (1 / 13)) + w2 * (1 / 15);
  const series = ((1 / 3 + w * (1 / 5)) + w2 * (1 / 7 + w * (1 / 9))) + (w2 * w2) * upper;
  return exponent * -Math.LN2 + (s + s * (w * series)) * -2;
}

const MASK = (1n << 64n) - 1n;

/**
 * Advances the xoshiro256+ generator of one chain (Blackman and Vigna, ACM Trans. Math. Softw. 47, 36, 2021).
 *
 * @param words generators of a pair of chains [4][2], changed
 * @param lane 0 or 1
 * @returns 1 + u, u uniform in [0, 1) with 52 bits
 */
export function onePlusUniformReference(words: BigUint64Array, lane: number): number {
  const s = [0, 1, 2, 3].map((k) => words[2 * k + lane]);
  bits[0] = BigInt.asIntN(64, ((s[0] + s[3] & MASK) >> 12n) | 0x3ff0000000000000n);
  const shifted = s[1] << 17n & MASK;
  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= shifted;
  s[3] = s[3] << 45n & MASK | s[3] >> 19n;
  s.forEach((word, k) => words[2 * k + lane] = word);
  return double[0];
}

/** What only the dimer feels: bond, one end's tether, bias. */
function dimerTerm(c: DimerCoefficients, table: ArrayLike<number>, x: number, y: number, xo: number, yo: number) {
  const d = Math.sqrt((x - xo) * (x - xo) + (y - yo) * (y - yo));
  const q = d - c.d0;
  const q2 = q * q;
  const off = d - table[3];
  const bond = c.c1 * q + (c.c4 * q2 + c.c2) * q2;
  return bond + c.tether * ((x + xo) * (x + xo) + y * y) + table[2] * (off * off);
}

function wallTerm(x: number, y: number, half: number): number {
  const ox = Math.max(Math.abs(x) - half, 0);
  const oy = Math.max(Math.abs(y) - half, 0);
  return ox * ox + oy * oy;
}

/** What one particle's move changes. */
export interface MoveChange {
  /** Change of the pair terms. */
  readonly pairs: number;
  /** Change of the walls' energy. */
  readonly walls: number;
  /** Change of what only the dimer feels, bias included. */
  readonly dimer: number;
}

/**
 * Computes U(after) − U(before) of one particle's move, in the kernel's order of operations.
 *
 * @param c the energy's numbers
 * @param table T, step, κ, m of the chain
 * @param p positions of the chain, x₀ y₀ x₁ y₁ …
 * @param i the particle
 * @param xn its new x
 * @param yn its new y
 * @returns the parts of the change
 */
export function moveChangeReference(
  c: ParticleCoefficients,
  table: ArrayLike<number>,
  p: ArrayLike<number>,
  i: number,
  xn: number,
  yn: number,
): MoveChange {
  const x = p[2 * i];
  const y = p[2 * i + 1];
  const bonded = isDimer(c) && i < 2;
  const s2 = c.sigma * c.sigma;
  const attraction = isDimer(c) || c.repulsion === 0 ? 0 : c.attraction / c.repulsion / (s2 * s2 * s2);
  let sum = 0;
  for (let j = bonded ? 2 : 0; j < c.particles; j++) {
    // The kernel compares a particle with itself parked far away instead of leaving it out: a term of 0.
    const xj = j === i ? 1e8 : p[2 * j];
    const yj = j === i ? 1e8 : p[2 * j + 1];
    const a = (x - xj) * (x - xj) + (y - yj) * (y - yj);
    const b = (xn - xj) * (xn - xj) + (yn - yj) * (yn - yj);
    const a3 = a * a * a;
    const b3 = b * b * b;
    const change = a3 * a3 - b3 * b3;
    const attractive = (attraction * (a3 - b3)) * (a3 * b3);
    sum += (isDimer(c) ? change : change - attractive) / ((a3 * a3) * (b3 * b3));
  }
  const pairs = (isDimer(c) ? c.epsilon : c.repulsion) * s2 * s2 * s2 * s2 * s2 * s2 * sum;
  const walls = c.boxConstant * (wallTerm(xn, yn, c.halfBox) - wallTerm(x, y, c.halfBox));
  if (!bonded) return { pairs, walls, dimer: 0 };
  const [xo, yo] = [p[2 - 2 * i], p[3 - 2 * i]];
  return { pairs, walls, dimer: dimerTerm(c, table, xn, yn, xo, yo) - dimerTerm(c, table, x, y, xo, yo) };
}

/** Whether to accept a change, given −T ln u. Tests break it to show that they would notice. */
export type MetropolisRule = (change: MoveChange, bound: number) => boolean;

/** ΔU ≤ −T ln u, in the kernel's order of operations. */
export const metropolisRule: MetropolisRule = ({ pairs, walls, dimer }, bound) => pairs <= (bound - walls) - dimer;

/**
 * Advances chains like the kernel, one after the other; the bits are the same.
 *
 * @param c the energy's numbers
 * @param chains the chains, changed
 * @param sweeps sweeps to do
 * @param rule when to accept
 */
export function particleMetropolisReference(
  c: ParticleCoefficients,
  chains: ChainPairs,
  sweeps: number,
  rule: MetropolisRule = metropolisRule,
): void {
  const size = 4 * c.particles;
  for (let chain = 0; chain < 2 * chains.pairs; chain++) {
    const [pair, lane] = [chain >> 1, chain & 1];
    const table = [0, 1, 2, 3].map((k) => chains.tables[8 * pair + 2 * k + lane]);
    const generator = chains.generators.subarray(8 * pair, 8 * pair + 8);
    const p = Float64Array.from({ length: 2 * c.particles }, (_, k) => chains.positions[size * pair + 2 * k + lane]);
    for (let s = 0; s < sweeps; s++) {
      for (let i = 0; i < c.particles; i++) {
        const width = table[1] + table[1];
        const xn = p[2 * i] + width * (onePlusUniformReference(generator, lane) - 1.5);
        const yn = p[2 * i + 1] + width * (onePlusUniformReference(generator, lane) - 1.5);
        const bound = minusLogReference(2 - onePlusUniformReference(generator, lane)) * table[0];
        if (!rule(moveChangeReference(c, table, p, i, xn, yn), bound)) continue;
        p[2 * i] = xn;
        p[2 * i + 1] = yn;
        chains.accepted[chain] += 1;
      }
    }
    p.forEach((value, k) => chains.positions[size * pair + 2 * k + lane] = value);
  }
}

/**
 * Solves the assignment problem by the Hungarian method with potentials, O(m³).
 *
 * @param cost [m, m]: cost of giving column j to row k
 * @returns the column of each row
 */
export function assignmentReference(cost: readonly (readonly number[])[]): number[] {
  const m = cost.length;
  const u = new Array<number>(m + 1).fill(0);
  const v = new Array<number>(m + 1).fill(0);
  const rowOf = new Array<number>(m + 1).fill(0);
  for (let row = 1; row <= m; row++) {
    const least = new Array<number>(m + 1).fill(Infinity);
    const used = new Array<boolean>(m + 1).fill(false);
    const previous = new Array<number>(m + 1).fill(0);
    rowOf[0] = row;
    let column = 0;
    do {
      used[column] = true;
      let next = 0;
      for (let j = 1; j <= m; j++) {
        if (used[j]) continue;
        const reduced = cost[rowOf[column] - 1][j - 1] - u[rowOf[column]] - v[j];
        if (reduced < least[j]) [least[j], previous[j]] = [reduced, column];
        if (next === 0 || least[j] < least[next]) next = j;
      }
      const delta = least[next];
      for (let j = 0; j <= m; j++) {
        if (used[j]) [u[rowOf[j]], v[j]] = [u[rowOf[j]] + delta, v[j] - delta];
        else least[j] -= delta;
      }
      column = next;
    } while (rowOf[column] !== 0);
    for (; column !== 0; column = previous[column]) rowOf[column] = rowOf[previous[column]];
  }
  const columnOf = new Array<number>(m).fill(0);
  for (let j = 1; j <= m; j++) columnOf[rowOf[j] - 1] = j - 1;
  return columnOf;
}
