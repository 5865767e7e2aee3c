/**
 * Typed wrappers of the kernels for particles: energies, Metropolis Monte Carlo and relabelling of the particle dimer.
 *
 * Arrays live in JavaScript; a call copies what it needs into scratch memory, in pieces, and spreads the pieces over the
 * threads of a pool. Results do not depend on the pieces: every configuration and every chain is computed alone.
 *
 * @module
 */
import { type Executor, serialPool } from "./pool.ts";
import type { KernelCall } from "./program.ts";
import { f64, i32, scope, u8 } from "./wasm.ts";

/** The numbers in the energy of the particle dimer, the bond as c₁ q + c₂ q² + c₄ q⁴ with q = d − d₀. */
export interface DimerCoefficients {
  /** Dimer and solvent together, ≥ 2. */
  readonly particles: number;
  /** ε of ε (σ/r)¹². */
  readonly epsilon: number;
  /** σ of ε (σ/r)¹². */
  readonly sigma: number;
  /** k_d of the terms that keep the dimer in the middle. */
  readonly tether: number;
  /** Linear coefficient of the bond. */
  readonly c1: number;
  /** Quadratic coefficient of the bond. */
  readonly c2: number;
  /** Quartic coefficient of the bond. */
  readonly c4: number;
  /** Middle of the bond. */
  readonly d0: number;
  /** Half the side of the box. */
  readonly halfBox: number;
  /** Factor of the squared overshoot beyond a wall. */
  readonly boxConstant: number;
}

/** State of pairs of Metropolis chains, two chains side by side. Everything is [pairs][…][2]. */
export interface ChainPairs {
  /** Number of pairs. */
  readonly pairs: number;
  /** [pairs][4][2]: T, largest step, κ of the bias κ (d − m)², m. */
  readonly tables: Float64Array;
  /** [pairs][particles][x, y][2]. */
  readonly positions: Float64Array;
  /** [pairs][4][2] words of 64 bits: the generators. */
  readonly generators: BigUint64Array;
  /** [pairs][2] moves accepted. */
  readonly accepted: Float64Array;
}

/** Bytes of scratch memory that one batch may take. */
const BUDGET = 3 << 20;
/** Configurations that one call takes at most: they stay in the caches. */
const MOST_ROWS = 128;
/** Pair terms × sweeps of one call: about 0.1 s. */
const MOST_TERMS = 4e7;

/** The block of ten float64 that the kernels read. */
function parameterBlock(c: DimerCoefficients): Float64Array {
  const { epsilon, sigma, tether, c1, c2, c4, d0, halfBox, boxConstant } = c;
  const s2 = sigma * sigma;
  return Float64Array.of(
    epsilon,
    s2,
    tether,
    c1,
    c2,
    c4,
    d0,
    halfBox,
    boxConstant,
    epsilon * s2 * s2 * s2 * s2 * s2 * s2,
  );
}

/** What a batch needs: bytes for every row and bytes for every call. */
interface Need {
  readonly row: number;
  readonly call: number;
}

/** Cuts n rows into batches that fit the scratch memory and each batch into pieces of `rows`, one for each call. */
function eachBatch(
  n: number,
  need: Need,
  pool: Executor,
  run: (start: number, end: number, rows: number) => void,
): void {
  const wanted = pool.threads === 1 ? 1 : Math.min(16, 4 * pool.threads);
  const calls = Math.max(1, Math.min(wanted, Math.floor(BUDGET / 2 / need.call)));
  const fitting = Math.floor((BUDGET / calls - need.call) / need.row);
  const rows = Math.max(2, Math.min(MOST_ROWS, fitting, Math.ceil(n / calls / 2) * 2));
  for (let start = 0; start < n; start += rows * calls) run(start, Math.min(n, start + rows * calls), rows);
}

function callsFor(count: number, rows: number, call: (first: number, rows: number) => KernelCall): KernelCall[] {
  const calls: KernelCall[] = [];
  for (let first = 0; first < count; first += rows) calls.push(call(first, Math.min(rows, count - first)));
  return calls;
}

/**
 * Computes U of configurations.
 *
 * @param c the energy's numbers
 * @param x [n, 2·particles]; the length is not checked
 * @param pool threads to spread the work over
 * @returns U [n]
 */
export function dimerEnergy(c: DimerCoefficients, x: Float64Array, pool: Executor = serialPool): Float64Array {
  const { particles } = c;
  const dim = 2 * particles;
  const energy = new Float64Array(x.length / dim);
  eachBatch(energy.length, { row: 8 * dim + 8, call: 32 * particles }, pool, (start, end, rows) => {
    using s = scope();
    const count = end - start;
    const [parameters, at, out] = [s.f64(10), s.f64(count * dim), s.f64(count)];
    f64(parameters, 10).set(parameterBlock(c));
    f64(at, count * dim).set(x.subarray(start * dim, end * dim));
    pool.run(callsFor(count, rows, (first, n) => ({
      kernel: "particleDimerEnergyF64",
      args: [n, particles, parameters, at + 8 * first * dim, out + 8 * first, s.f64(4 * particles)],
    })));
    energy.set(f64(out, count), start);
  });
  return energy;
}

/**
 * Computes U and ∂U/∂x of configurations.
 *
 * @param c the energy's numbers
 * @param x [n, 2·particles]; the length is not checked
 * @param pool threads to spread the work over
 * @returns U [n] and the gradient [n, 2·particles]
 */
export function dimerGradient(
  c: DimerCoefficients,
  x: Float64Array,
  pool: Executor = serialPool,
): { energy: Float64Array; gradient: Float64Array } {
  const { particles } = c;
  const dim = 2 * particles;
  const energy = new Float64Array(x.length / dim);
  const gradient = new Float64Array(energy.length * dim);
  eachBatch(energy.length, { row: 16 * dim + 8, call: 64 * particles }, pool, (start, end, rows) => {
    using s = scope();
    const count = end - start;
    const [parameters, at, value, slope] = [s.f64(10), s.f64(count * dim), s.f64(count), s.f64(count * dim)];
    f64(parameters, 10).set(parameterBlock(c));
    f64(at, count * dim).set(x.subarray(start * dim, end * dim));
    pool.run(callsFor(count, rows, (first, n) => {
      const offset = 8 * first * dim;
      const scratch = s.f64(8 * particles);
      const args = [n, particles, parameters, at + offset, value + 8 * first, slope + offset, scratch];
      return { kernel: "particleDimerGradientF64", args };
    }));
    energy.set(f64(value, count), start);
    gradient.set(f64(slope, count * dim), start * dim);
  });
  return { energy, gradient };
}

/**
 * Finds the labels that bring frames into the reference domain: the dimer ordered by x, the solvent assigned to the
 * reference sites with the least sum of squared distances. Labels that cannot be improved are kept; a frame with a
 * coordinate that is not a number keeps its solvent labels.
 *
 * @param reference [solvent, 2] sites
 * @param x [n, 2 + solvent, 2]; the length is not checked
 * @param pool threads to spread the work over
 * @returns [n, 2 + solvent]: which particle of the frame gets each label
 */
export function canonicalOrder(reference: Float64Array, x: Float64Array, pool: Executor = serialPool): Int32Array {
  const solvent = reference.length / 2;
  const particles = solvent + 2;
  const dim = 2 * particles;
  const n = x.length / dim;
  const order = new Int32Array(n * particles);
  const workspace = (solvent + 8) * (solvent + 1);
  eachBatch(n, { row: 8 * dim + 4 * particles, call: 8 * workspace }, pool, (start, end, rows) => {
    using s = scope();
    const count = end - start;
    const [sites, at, out] = [s.f64(2 * solvent), s.f64(count * dim), s.i32(count * particles)];
    f64(sites, 2 * solvent).set(reference);
    f64(at, count * dim).set(x.subarray(start * dim, end * dim));
    pool.run(callsFor(count, rows, (first, n) => {
      const args = [n, particles, sites, at + 8 * first * dim, out + 4 * first * particles, s.f64(workspace)];
      return { kernel: "canonicalOrderF64", args };
    }));
    order.set(i32(out, count * particles), start * particles);
  });
  return order;
}

/**
 * Advances chains by sweeps of single-particle Metropolis moves, in place. Every sweep offers each particle one move.
 *
 * The chains walk through the same bits in every build, on every machine and for any number of threads.
 *
 * @param c the energy's numbers
 * @param chains the chains, changed
 * @param sweeps sweeps to do
 * @param every sweeps between two records of the dimer's distance; 0 records none
 * @param pool threads to spread the pairs over
 * @returns distances [floor(sweeps / every), 2·pairs]
 */
export function dimerMetropolis(
  c: DimerCoefficients,
  chains: ChainPairs,
  sweeps: number,
  every: number,
  pool: Executor = serialPool,
): Float64Array {
  const { pairs } = chains;
  const records = every > 0 ? Math.floor(sweeps / every) : 0;
  const distances = new Float64Array(records * 2 * pairs);
  const bytesPerPair = 32 * c.particles + 256;
  const group = Math.max(1, Math.min(Math.ceil(pairs / (pool.threads * 2)), Math.floor(BUDGET / 4 / bytesPerPair)));
  const together = group * Math.max(1, Math.floor(BUDGET / 2 / (group * bytesPerPair)));
  // As many sweeps in one call as its time and its records allow, in whole intervals of records.
  const room = Math.floor(BUDGET / 2 / (16 * Math.min(pairs, together))) * (every || 1);
  const longest = Math.max(1, Math.min(room, Math.ceil(MOST_TERMS / (group * c.particles ** 2))));
  const stretch = every > 0 ? Math.max(every, longest - longest % every) : longest;
  for (let first = 0; first < pairs; first += together) {
    const count = Math.min(together, pairs - first);
    for (let done = 0; done < sweeps; done += stretch) {
      const part = { first, count, group, sweeps: Math.min(stretch, sweeps - done), every };
      const rows = advancePairs(c, chains, part, pool);
      const width = 2 * count;
      for (let r = 0; r * width < rows.length; r++) {
        const row = rows.subarray(r * width, (r + 1) * width);
        distances.set(row, (done / every + r) * 2 * pairs + 2 * first);
      }
    }
  }
  return distances;
}

/** Pairs that are advanced together, and how far. */
interface Part {
  /** The first pair. */
  readonly first: number;
  /** Number of pairs. */
  readonly count: number;
  /** Pairs in one call. */
  readonly group: number;
  readonly sweeps: number;
  readonly every: number;
}

/** Advances some pairs and returns their distances [records, 2·count]. */
function advancePairs(c: DimerCoefficients, chains: ChainPairs, part: Part, pool: Executor): Float64Array {
  using s = scope();
  const { first, count, group, sweeps, every } = part;
  const { particles } = c;
  const records = every > 0 ? Math.floor(sweeps / every) : 0;
  const parameters = s.f64(10);
  f64(parameters, 10).set(parameterBlock(c));
  const blocks = [
    { data: chains.tables, bytes: 64 },
    { data: chains.positions, bytes: 32 * particles },
    { data: chains.generators, bytes: 64 },
    { data: chains.accepted, bytes: 16 },
  ].map(({ data, bytes }) => {
    const here = new Uint8Array(data.buffer, data.byteOffset + first * bytes, count * bytes);
    const address = s.f64(count * bytes / 8);
    u8(address, here.length).set(here);
    return { here, address, bytes };
  });
  const out = s.f64(2 * records * count);
  pool.run(callsFor(count, group, (k, pairs) => {
    const addresses = blocks.map(({ address, bytes }) => address + k * bytes);
    const args = [pairs, particles, sweeps, every, parameters, ...addresses, out + 16 * records * k];
    return { kernel: "dimerMetropolisF64", args };
  }));
  for (const { here, address } of blocks.slice(1)) here.set(u8(address, here.length));
  const distances = new Float64Array(2 * records * count);
  for (let k = 0; k < count; k += group) {
    const width = 2 * Math.min(group, count - k);
    const rows = f64(out + 16 * records * k, records * width);
    for (let r = 0; r < records; r++) distances.set(rows.subarray(r * width, (r + 1) * width), 2 * (r * count + k));
  }
  return distances;
}
