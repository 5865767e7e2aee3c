/**
 * Chains as the kernels hold them: in pairs, two chains side by side in the lanes of a vector.
 *
 * @module
 */
import type { ChainPairs } from "../backend/metropolis_kernels.ts";
import { RandomStream } from "../random/random_stream.ts";

/** Rows of a chain's table. */
export const TableRow = { temperature: 0, step: 1, biasConstant: 2, biasCentre: 3 } as const;
const TABLE_ROWS = 4;
/** Words of 64 bits of a generator. */
const WORDS = 4;

/** Place of number k of a chain in an array [pairs][width][2]. */
function place(chain: number, k: number, width: number): number {
  return (chain >> 1) * 2 * width + 2 * k + (chain & 1);
}

/**
 * Makes the arrays of chains, all zero.
 *
 * @param chains even number of chains
 * @param dim coordinates of a configuration
 * @returns the arrays
 */
export function emptyPairs(chains: number, dim: number): ChainPairs {
  return {
    pairs: chains / 2,
    tables: new Float64Array(TABLE_ROWS * chains),
    positions: new Float64Array(dim * chains),
    generators: new BigUint64Array(WORDS * chains),
    accepted: new Float64Array(chains),
  };
}

/** Takes the lanes apart: [pairs][width][2] → [chains][width]. */
export function fromLanes<T extends Float64Array | BigUint64Array>(lanes: T, width: number, out: T): T {
  for (let c = 0; c < lanes.length / width; c++) {
    for (let k = 0; k < width; k++) out[c * width + k] = lanes[place(c, k, width)];
  }
  return out;
}

/** Puts rows side by side: [chains][width] → [pairs][width][2]. */
export function toLanes<T extends Float64Array | BigUint64Array>(rows: T, width: number, lanes: T): void {
  for (let c = 0; c < lanes.length / width; c++) {
    for (let k = 0; k < width; k++) lanes[place(c, k, width)] = rows[c * width + k];
  }
}

/** Writes one row of the tables: a number for each chain. */
export function fillTable(chains: ChainPairs, row: number, value: (chain: number) => number): void {
  for (let c = 0; c < 2 * chains.pairs; c++) chains.tables[place(c, row, TABLE_ROWS)] = value(c);
}

/** The generators' words, chain by chain, as int32 [chains, 8]. */
export function generatorWords(chains: ChainPairs): Int32Array {
  const words = new BigUint64Array(chains.generators.length);
  return new Int32Array(fromLanes(chains.generators, WORDS, words).buffer);
}

/** Sets the generators to what `generatorWords` returned. */
export function restoreGenerators(chains: ChainPairs, words: Int32Array): void {
  toLanes(new BigUint64Array(words.slice().buffer), WORDS, chains.generators);
}

/** Seeds the generator of chain c from substream c of a random stream. */
export function seedGenerators(chains: ChainPairs, seed: number, stream: number): void {
  const words = new Uint32Array(2 * WORDS * 2 * chains.pairs);
  for (let c = 0; c < 2 * chains.pairs; c++) {
    const random = new RandomStream(seed, stream, c);
    for (let k = 0; k < 2 * WORDS; k++) words[c * 2 * WORDS + k] = random.uint32();
  }
  restoreGenerators(chains, new Int32Array(words.buffer));
}

/** Measures the dimer's distances [chains]. */
export function dimerDistances(chains: ChainPairs, dim: number): Float64Array {
  return Float64Array.from({ length: 2 * chains.pairs }, (_, c) => {
    const at = (k: number) => chains.positions[place(c, k, dim)];
    const dx = at(0) - at(2);
    const dy = at(1) - at(3);
    return Math.sqrt(dx * dx + dy * dy);
  });
}
