/**
 * Couplings that move the two channels of the coordinates in turn: what RealNVP, NICE and neural splines share.
 *
 * @module
 */
import type { Tensor } from "../graph/graph.ts";
import { add, concat, gather } from "../graph/operations.ts";
import type { Channels } from "./channels.ts";

/** Checks the size of a map made of couplings. */
export function checkCouplings(what: string, dim: number, blocks: number): void {
  if (!Number.isInteger(dim) || dim < 2) {
    throw new RangeError(`Cannot ${what}: dim must be a whole number ≥ 2, got ${dim}`);
  }
  if (!Number.isInteger(blocks) || blocks < 1) {
    throw new RangeError(`Cannot ${what}: blocks must be a whole number ≥ 1, got ${blocks}`);
  }
}

/**
 * Makes two couplings for each block: even ones keep the first channel, odd ones the second.
 *
 * @param blocks number of blocks
 * @param channels the coordinates
 * @param make makes coupling k from the sizes of the channel that it keeps and of the one that it moves
 * @returns the couplings in forward order
 */
export function makeCouplings<T>(
  blocks: number,
  { first, second }: Channels,
  make: (k: number, kept: number, moved: number) => T,
): T[] {
  return Array.from({ length: 2 * blocks }, (_, k) => {
    const [kept, moved] = k % 2 === 0 ? [first, second] : [second, first];
    return make(k, kept.length, moved.length);
  });
}

/** What a coupling makes of the channel that it moves; no log-determinant where the volume stays as it is. */
export interface Moved {
  readonly value: Tensor;
  readonly logDet: Tensor | null;
}

/**
 * Enters couplings into a graph, the last one first in the inverse direction.
 *
 * @param direction of the whole map
 * @param from [n, dim]
 * @param channels the coordinates
 * @param couplings what {@link makeCouplings} made
 * @param apply enters one coupling: moves a channel given the one that is kept
 * @returns the image, and the sum of the log-determinants; null if no coupling has one
 */
export function runCouplings<T>(
  direction: "forward" | "inverse",
  from: Tensor,
  channels: Channels,
  couplings: readonly T[],
  apply: (coupling: T, moved: Tensor, kept: Tensor) => Moved,
): Moved {
  const values = [gather(from, channels.first), gather(from, channels.second)];
  let total: Tensor | null = null;
  const last = couplings.length - 1;
  for (let i = 0; i <= last; i++) {
    const k = direction === "forward" ? i : last - i;
    const { value, logDet } = apply(couplings[k], values[1 - k % 2], values[k % 2]);
    values[1 - k % 2] = value;
    if (logDet !== null) total = total === null ? logDet : add(total, logDet);
  }
  return { value: gather(concat(values[0], values[1]), channels.merge), logDet: total };
}
