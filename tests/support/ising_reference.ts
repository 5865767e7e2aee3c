/**
 * Monte Carlo of spins in plain TypeScript, with the random numbers of `RandomStream`: what the kernels must repeat.
 *
 * @module
 */
import { RandomStream } from "../../src/random/random_stream.ts";

/** One chain as the kernels are told of it: its words of a table, and where it stands. */
export interface ReferenceChain {
  readonly side: number;
  /** Ten words: seed (lower, upper), stream, chain, thresholds of three and four parallel neighbours and of a bond. */
  readonly table: ArrayLike<number>;
  /** Spins [L²], changed. */
  readonly spins: number[];
}

function streamOf({ table }: ReferenceChain): RandomStream {
  return new RandomStream((table[1] >>> 0) * 2 ** 32 + (table[0] >>> 0), table[2] >>> 0, table[3] >>> 0);
}

const WORDS_PER_BLOCK = 4;
const THREE_QUARTERS = 3n << 62n;

/** 64 random bits: two words of the stream. */
function bits(random: RandomStream, low: number, high = low + 1): bigint {
  return [high, low].reduce((value, word) => {
    random.seek(word);
    return value << 32n | BigInt(random.uint32());
  }, 0n);
}

function thresholdOf({ table }: ReferenceChain, row: number): bigint {
  return BigInt(table[row] >>> 0) << 32n | BigInt(table[row + 1] >>> 0);
}

/** The four neighbours: left, right, above, below. */
function neighbours(site: number, side: number): number[] {
  const [r, c] = [Math.floor(site / side), site % side];
  const row = [r * side + (c + side - 1) % side, r * side + (c + 1) % side];
  return [...row, (r + side - 1) % side * side + c, (r + 1) % side * side + c];
}

/** Offers every spin a turn, so many times, and returns how many were made. */
export function metropolisReference(
  chain: ReferenceChain,
  sweeps: number,
  block: number,
): number {
  const { side, spins } = chain;
  const random = streamOf(chain);
  let turns = 0;
  for (let s = 0; s < sweeps; s++) {
    const half = WORDS_PER_BLOCK * Math.ceil(side * side / WORDS_PER_BLOCK);
    const start = WORDS_PER_BLOCK * block + 2 * s * half;
    for (let site = 0; site < side * side; site++) {
      const h = spins[site] * neighbours(site, side).reduce((sum, j) => sum + spins[j], 0);
      const word = bits(random, start + half + site, start + site);
      if (h === 0 && word >= THREE_QUARTERS) continue;
      if (h > 0 && word >= thresholdOf(chain, h === 2 ? 4 : 6)) continue;
      spins[site] = -spins[site];
      turns++;
    }
  }
  return turns;
}

/** Turns so many clusters and returns the number of their spins. */
export function wolffReference(
  chain: ReferenceChain,
  clusters: number,
  block: number,
): number {
  const { side, spins } = chain;
  const sites = side * side;
  const random = streamOf(chain);
  const threshold = thresholdOf(chain, 8);
  let turns = 0;
  for (let k = 0; k < clusters; k++) {
    const start = WORDS_PER_BLOCK * (block + k * (2 * sites + 1));
    const seed = Number((bits(random, start) >> 32n) * BigInt(sites) >> 32n);
    const old = spins[seed];
    let word = start + WORDS_PER_BLOCK;
    const open = [seed];
    spins[seed] = -old;
    turns++;
    for (let at = open.pop(); at !== undefined; at = open.pop()) {
      for (const next of neighbours(at, side)) {
        if (spins[next] !== old) continue;
        const yes = bits(random, word) < threshold;
        word += 2;
        if (!yes) continue;
        spins[next] = -old;
        open.push(next);
        turns++;
      }
    }
  }
  return turns;
}
