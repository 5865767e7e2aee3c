/**
 * Typed wrapper of the Monte Carlo kernels of spins: chains in groups of four, advanced in place.
 *
 * @module
 */
import { BUDGET, callsFor } from "./batches.ts";
import { type Executor, serialPool } from "./executor.ts";
import { scope, u8 } from "./wasm.ts";

/** Chains side by side in the lanes of a vector. */
export const SPIN_LANES = 4;
/** Rows of a table: seed (lower, upper word), stream, chain, three thresholds (upper, lower word). */
export const SPIN_TABLE_ROWS = 10;
/** L of the largest lattice of which every thread has a group in the scratch memory. */
export const MOST_SPIN_SIDE = 256;

/** How chains of spins move: site by site, or by clusters. */
export type SpinMove = "metropolis" | "wolff";

/** State of groups of chains on L × L tori. Everything is [groups][…][4]. */
export interface SpinGroups {
  /** Number of groups. */
  readonly groups: number;
  /** L, 2 to 256. */
  readonly side: number;
  /** [groups][10][4] words of 32 bits: see wasm/ising.ts. */
  readonly tables: Uint32Array;
  /** [groups][L²][4], −1 or 1. */
  readonly spins: Int32Array;
  /** [groups][4] spins turned. */
  readonly turns: Float64Array;
}

/** Spins that one call offers a turn: about 0.1 s. */
const MOST_TURNS = 2e7;
const kernelOf = { metropolis: "isingMetropolisI32", wolff: "isingWolffI32" } as const;

/**
 * Counts the blocks of random numbers that belong to a sweep or a cluster.
 *
 * @param move which
 * @param side L
 * @returns 2⌈L²/4⌉ or 2L² + 1
 */
export function blocksOfMove(move: SpinMove, side: number): number {
  return move === "metropolis" ? 2 * Math.ceil(side * side / 4) : 2 * side * side + 1;
}

/**
 * Advances chains by Metropolis sweeps or Wolff clusters, in place.
 *
 * The chains walk through the same configurations in every build, on every machine and for any number of threads.
 *
 * @param chains the chains, changed
 * @param move sweeps or clusters
 * @param count how many
 * @param block number of the first block of random numbers, below 2⁵³
 * @param pool threads to spread the groups over
 * @returns the number of the first block that was not used
 */
export function moveSpins(
  chains: SpinGroups,
  move: SpinMove,
  count: number,
  block: number,
  pool: Executor = serialPool,
): number {
  const { groups, side } = chains;
  const bytes = 20 * side * side + 16 * SPIN_TABLE_ROWS + 256;
  const together = Math.max(1, Math.min(groups, Math.floor(BUDGET / bytes)));
  const group = Math.max(1, Math.ceil(together / (pool.threads * 2)));
  const stretch = Math.max(1, Math.floor(MOST_TURNS / (SPIN_LANES * group * side * side)));
  const blocks = blocksOfMove(move, side);
  for (let first = 0; first < groups; first += together) {
    const part = { first, count: Math.min(together, groups - first), group };
    for (let done = 0; done < count; done += stretch) {
      const moves = { move, count: Math.min(stretch, count - done), block: block + done * blocks };
      moveGroups(chains, part, moves, pool);
    }
  }
  return block + count * blocks;
}

/** Moves some groups, so many in one call. */
function moveGroups(
  chains: SpinGroups,
  part: { readonly first: number; readonly count: number; readonly group: number },
  moves: { readonly move: SpinMove; readonly count: number; readonly block: number },
  pool: Executor,
): void {
  using s = scope();
  const { side } = chains;
  const { first, count, group } = part;
  const sites = side * side;
  const blocks = [
    { data: chains.tables, bytes: 16 * SPIN_TABLE_ROWS },
    { data: chains.spins, bytes: 16 * sites },
    { data: chains.turns, bytes: 32 },
  ].map(({ data, bytes }) => {
    const here = new Uint8Array(data.buffer, data.byteOffset + first * bytes, count * bytes);
    const address = s.i32(here.length / 4);
    u8(address, here.length).set(here);
    return { here, address, bytes };
  });
  pool.run(callsFor(count, group, (k, groups) => {
    const addresses = blocks.map(({ address, bytes }) => address + k * bytes);
    const scratch = s.i32(Math.max(32, 4 + sites));
    return {
      kernel: kernelOf[moves.move],
      args: [groups, side, moves.count, moves.block, ...addresses, scratch],
    };
  }));
  for (const { here, address } of blocks.slice(1)) here.set(u8(address, here.length));
}
