/**
 * Runs that are prepared for a few numbers of samples, used for any number.
 *
 * @module
 */

/** Sample counts that memory is prepared for. */
const CHUNKS = [32, 256, 2048];
/** The share of a chunk that may stay empty before smaller ones are taken. */
const IDLE_SHARE = 1 / 4;

/** The chunk for the next of so many samples: the smallest that takes all of them, unless it stays empty by too much. */
function chunkFor(samples: number): number {
  const enough = CHUNKS.find((chunk) => chunk >= samples);
  if (enough !== undefined && samples >= (1 - IDLE_SHARE) * enough) return enough;
  return CHUNKS.findLast((chunk) => chunk <= samples) ?? CHUNKS[0];
}

/** Rows, filled up to n with copies of the first one. */
function padded(rows: Float64Array, dim: number, n: number): Float64Array {
  const full = new Float64Array(n * dim);
  full.set(rows);
  for (let at = rows.length; at < full.length; at += dim) full.set(rows.subarray(0, dim), at);
  return full;
}

/** Computes outputs for as many samples as it was prepared for. */
export interface PreparedRun {
  /**
   * @param inputs a value for each input, row-major
   * @returns a value for each output
   */
  forward(inputs: readonly Float64Array[]): Float64Array[];
}

/**
 * Maps rows by runs of suitable sizes.
 *
 * @param rows [n, dim], row-major
 * @param dim numbers in a row
 * @param prepare gives the run for a number of samples; asked for few numbers, again and again
 * @param take is given the outputs of some samples, the number of the first and how many they are
 */
export function mapInChunks(
  rows: Float64Array,
  dim: number,
  prepare: (samples: number) => PreparedRun,
  take: (outputs: readonly Float64Array[], first: number, count: number) => void,
): void {
  const n = rows.length / dim;
  for (let first = 0; first < n;) {
    const chunk = chunkFor(n - first);
    const count = Math.min(chunk, n - first);
    const part = rows.subarray(first * dim, (first + count) * dim);
    take(prepare(chunk).forward([count === chunk ? part : padded(part, dim, chunk)]), first, count);
    first += count;
  }
}
