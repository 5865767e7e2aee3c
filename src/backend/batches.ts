/**
 * How many rows are cut into kernel calls that fit the scratch memory.
 *
 * @module
 */
import type { Executor } from "./executor.ts";
import type { KernelCall } from "./program.ts";

/** Bytes of scratch memory that one batch may take. */
export const BUDGET = 3 << 20;
/** Configurations that one call takes at most: they stay in the caches. */
const MOST_ROWS = 128;

/** What a batch needs: bytes for every row and bytes for every call. */
export interface Need {
  readonly row: number;
  readonly call: number;
}

/**
 * Cuts n rows into batches that fit the scratch memory and each batch into pieces of `rows`, one for each call.
 *
 * @param n number of rows
 * @param need bytes of a row and of a call
 * @param pool threads that will take the calls
 * @param run does rows start … end − 1 in pieces of `rows`
 */
export function eachBatch(
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

/**
 * Makes one call for each piece.
 *
 * @param count rows of the batch
 * @param rows rows of a piece
 * @param call makes the call for some rows from `first` on
 * @returns the calls
 */
export function callsFor(count: number, rows: number, call: (first: number, rows: number) => KernelCall): KernelCall[] {
  const calls: KernelCall[] = [];
  for (let first = 0; first < count; first += rows) calls.push(call(first, Math.min(rows, count - first)));
  return calls;
}
