import { drawBinomial } from "./binomial.ts";
import type { CounterRandom } from "./counter_random.ts";

/** Samples that together hold less than this share of their cell's total are left out of the replicates. */
const NEGLIGIBLE_SHARE = 1e-13;

/** Draws go to this many samples at a time: scattered over megabytes they would take six times as long. */
const CHUNK = 4096;

/**
 * Picks the samples that matter to a set of sums, so that bootstrap replicates touch no others.
 *
 * In each cell (a basin, a bin of a profile) a sample is dropped when its contribution, times the number of samples of
 * the cell, is below 1e-13 of the cell's total: all dropped samples together change no cell by more than that share.
 *
 * @param contributions what each sample adds to its cell, [n], ≥ 0
 * @param cells cell of each sample, [n], from 0 on
 * @param cellCount number of cells
 * @returns the indices of the samples that stay, in rising order
 */
export function activeSamples(contributions: Float64Array, cells: Int32Array, cellCount: number): Int32Array {
  const total = new Float64Array(cellCount);
  const size = new Float64Array(cellCount);
  for (let i = 0; i < cells.length; i++) {
    total[cells[i]] += contributions[i];
    size[cells[i]]++;
  }
  const threshold = total.map((sum, cell) => NEGLIGIBLE_SHARE * sum / Math.max(1, size[cell]));
  const kept = new Int32Array(cells.length);
  let count = 0;
  for (let i = 0; i < cells.length; i++) {
    if (contributions[i] > 0 && contributions[i] >= threshold[cells[i]]) kept[count++] = i;
  }
  return kept.slice(0, count);
}

/**
 * Draws how often each active sample occurs in one bootstrap replicate of independent samples.
 *
 * Exactly the multinomial draw from all samples, seen on the active ones only: how many draws hit an active sample is
 * binomial, and those are spread evenly: first over chunks that fit the processor's nearest cache, then within each.
 *
 * @param draws number of draws, usually the number of all samples
 * @param share active samples as a share of all samples
 * @param random where the draws come from
 * @param counts receives the multiplicities, [active]
 * @param weight what a draw counts, default 1
 */
export function drawCounts(
  draws: number,
  share: number,
  random: CounterRandom,
  counts: Float64Array,
  weight = 1,
): void {
  counts.fill(0);
  let hits = drawBinomial(draws, share, random);
  for (let start = 0; start < counts.length; start += CHUNK) {
    const left = counts.length - start;
    const size = Math.min(CHUNK, left);
    const here = drawBinomial(hits, size / left, random);
    for (let hit = 0; hit < here; hit++) counts[start + random.below(size)] += weight;
    hits -= here;
  }
}
