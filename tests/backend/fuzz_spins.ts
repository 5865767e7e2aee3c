/** Generators of the fuzz test: Monte Carlo of Ising spins. */
import { RandomStream } from "../../src/random/random_stream.ts";
import { metropolisReference, wolffReference } from "../support/ising_reference.ts";
import type { Draw, Generator, Generators } from "./fuzz_draw.ts";
import type { Bound, Reference } from "./kernel_harness.ts";

/** Every number is the same. */
const exact: Bound = () => 0;

const LANES = 4;
const ROWS = 10;

/** Words that every computer's generator must get right, and any others. */
function words(draw: Draw, length: number): Int32Array {
  const any = new Int32Array(draw.bits(length).buffer);
  return any.map((word) => draw.integer(0, 5) === 0 ? draw.pick([0, -1, 1, 2 ** 31 - 1, -(2 ** 31)]) : word);
}

/**
 * Makes seeds such as a RandomStream takes, of 53 bits; and one threshold in two next to a word that will be compared with
 * it, so that lower words decide.
 */
function tieThreshold(draw: Draw, tables: Int32Array, chain: number, wordsOf: () => number[]): void {
  const place = (row: number) => ((chain >> 2) * ROWS + row) * LANES + (chain & 3);
  const at = (row: number) => tables[place(row)] >>> 0;
  tables[place(1)] &= 0x1fffff;
  if (draw.flag()) return;
  const random = new RandomStream(at(1) * 2 ** 32 + at(0), at(2), at(3));
  const [low, high] = wordsOf().map((word) => {
    random.seek(word);
    return random.uint32();
  });
  const row = draw.pick([4, 6, 8]);
  tables[place(row)] = high;
  tables[place(row + 1)] = low + draw.pick([-1, 0, 1]);
}

/** Chains of random spins, seeds and probabilities, moved by a reference lane by lane. */
function moves(move: typeof metropolisReference, wordsOf: (site: number, sites: number) => number[]): Generator {
  return (draw) => {
    const [groups, side, count] = [draw.integer(0, 3), draw.integer(2, 9), draw.integer(0, 6)];
    const block = draw.pick([0, draw.integer(0, 1000), 2 ** 32 - 3, 2 ** 50]);
    const sites = side * side;
    const tables = words(draw, groups * ROWS * LANES);
    const spins = Int32Array.from({ length: groups * sites * LANES }, () => 2 * draw.flag() - 1);
    const turns = Float64Array.from({ length: groups * LANES }, () => draw.integer(0, 9));
    const reference: Reference = (...args) => {
      const [tables, spins, turns] = args.slice(4) as [Int32Array, Int32Array, Float64Array];
      for (let chain = 0; chain < groups * LANES; chain++) {
        const [group, lane] = [chain >> 2, chain & 3];
        const at = (width: number, k: number) => (group * width + k) * LANES + lane;
        const mine = {
          side,
          table: Array.from({ length: ROWS }, (_, k) => tables[at(ROWS, k)]),
          spins: Array.from({ length: sites }, (_, k) => spins[at(sites, k)]),
        };
        turns[chain] += move(mine, count, block);
        mine.spins.forEach((spin, k) => spins[at(sites, k)] = spin);
      }
    };
    for (let chain = 0; chain < groups * LANES; chain++) {
      tieThreshold(
        draw,
        tables,
        chain,
        () => wordsOf(draw.integer(0, sites - 1), sites).map((word) => 4 * block + word),
      );
    }
    const scratch = new Int32Array(Math.max(32, 4 + sites));
    return { args: [groups, side, count, block, tables, spins, turns, scratch], bound: exact, reference, scratch: 7 };
  };
}

/** Generators for the kernels of spins. */
export const spins: Generators = {
  isingMetropolisI32: moves(metropolisReference, (site, sites) => [4 * Math.ceil(sites / 4) + site, site]),
  isingWolffI32: moves(wolffReference, (bond) => [4 + 2 * bond, 5 + 2 * bond]),
};
