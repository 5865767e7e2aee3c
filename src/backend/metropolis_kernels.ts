/**
 * Typed wrapper of the Monte Carlo kernels: chains of particles in pairs, advanced in place.
 *
 * @module
 */
import { BUDGET, callsFor } from "./batches.ts";
import { BLOCK_LENGTH, isDimer, parameterBlock, type ParticleCoefficients } from "./particle_coefficients.ts";
import { type Executor, serialPool } from "./executor.ts";
import { f64, scope, u8 } from "./wasm.ts";

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

/** Pair terms × sweeps of one call: about 0.1 s. */
const MOST_TERMS = 4e7;

/**
 * Advances chains by sweeps of single-particle Metropolis moves, in place. Every sweep offers each particle one move.
 *
 * The chains walk through the same bits in every build, on every machine and for any number of threads.
 *
 * @param c the energy's numbers
 * @param chains the chains, changed
 * @param sweeps sweeps to do
 * @param every sweeps between two records of the dimer's distance; 0 records none, and must be given without a dimer
 * @param pool threads to spread the pairs over
 * @returns distances [floor(sweeps / every), 2·pairs]
 */
export function particleMetropolis(
  c: ParticleCoefficients,
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
function advancePairs(c: ParticleCoefficients, chains: ChainPairs, part: Part, pool: Executor): Float64Array {
  using s = scope();
  const { first, count, group, sweeps, every } = part;
  const { particles } = c;
  const records = every > 0 ? Math.floor(sweeps / every) : 0;
  const parameters = s.f64(BLOCK_LENGTH);
  f64(parameters, BLOCK_LENGTH).set(parameterBlock(c));
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
    return isDimer(c)
      ? {
        kernel: "dimerMetropolisF64",
        args: [pairs, particles, sweeps, every, parameters, ...addresses, out + 16 * records * k],
      }
      : { kernel: "fluidMetropolisF64", args: [pairs, particles, sweeps, parameters, ...addresses] };
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
