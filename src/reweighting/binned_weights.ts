import { type Blocks, degreesOfFreedom, varianceOfBlockSums } from "./blocks.ts";

/**
 * Collects weights by bin, and by block where samples are correlated.
 *
 * One column more than there are bins holds the weight elsewhere, so that the columns of a row sum to all of its weight.
 */
export class BinnedWeights {
  /** Number of bins. */
  readonly bins: number;
  /** Weight of each block in each bin, row-major [blocks, bins + 1]. */
  readonly blockSums: Float64Array;
  /** Number of samples of each block, [blocks]. */
  readonly blockSizes: Float64Array;
  readonly #blocks: Blocks;
  readonly #independentSum: Float64Array;
  readonly #independentSquares: Float64Array;
  readonly #blockSquares: Float64Array;

  /**
   * Starts with empty bins.
   *
   * @param blocks the blocks of the correlated samples
   * @param bins number of bins
   */
  constructor(blocks: Blocks, bins: number) {
    this.bins = bins;
    this.#blocks = blocks;
    this.blockSums = new Float64Array(blocks.count * (bins + 1));
    this.blockSizes = new Float64Array(blocks.count);
    this.#independentSum = new Float64Array(bins + 1);
    this.#independentSquares = new Float64Array(bins + 1);
    this.#blockSquares = new Float64Array(bins + 1);
  }

  /**
   * Adds an independent sample.
   *
   * @param bin its bin; anything outside 0 … bins − 1 is elsewhere
   * @param weight its weight
   */
  add(bin: number, weight: number): void {
    const column = this.#column(bin);
    this.#independentSum[column] += weight;
    this.#independentSquares[column] += weight * weight;
  }

  /**
   * Adds equal samples of a block.
   *
   * @param block their block
   * @param bin their bin; anything outside 0 … bins − 1 is elsewhere
   * @param weight weight of each
   * @param count how many
   */
  addToBlock(block: number, bin: number, weight: number, count = 1): void {
    const column = this.#column(bin);
    this.blockSums[block * (this.bins + 1) + column] += count * weight;
    this.#blockSquares[column] += count * weight * weight;
    this.blockSizes[block] += count;
  }

  /**
   * Sums the weights of all samples, each block weighted.
   *
   * @param blockWeights weight of each block, [blocks]; default 1
   * @returns weight in each bin and elsewhere, [bins + 1]
   */
  totals(blockWeights?: Float64Array): Float64Array {
    const totals = Float64Array.from(this.#independentSum);
    const width = totals.length;
    for (let block = 0; block < this.#blocks.count; block++) {
      const factor = blockWeights ? blockWeights[block] : 1;
      if (factor === 0) continue;
      for (let column = 0; column < width; column++) totals[column] += factor * this.blockSums[block * width + column];
    }
    return totals;
  }

  /**
   * Computes how many independent samples stand behind each bin.
   *
   *     (Σ w)² / (Σ_independent w² + g Σ_blocks w²)
   *
   * g ≥ 1 is the factor by which blocks scatter more in their weight in the bin than independent samples would.
   *
   * @returns effective numbers, [bins]
   */
  effectiveSamples(): Float64Array {
    const totals = this.totals();
    return new Float64Array(this.bins).map((_, bin) => {
      const squares = this.#independentSquares[bin] + this.#inefficiency(bin) * this.#blockSquares[bin];
      return squares > 0 ? totals[bin] ** 2 / squares : 0;
    });
  }

  /**
   * Computes on how many degrees of freedom the error of each bin's share rests.
   *
   * A block moves the logarithm of the share of bin k by Wₖ/Σ Wₖ − W/Σ W; independent samples count as many blocks.
   *
   * @param independent number of independent samples behind the bins
   * @returns degrees of freedom ≥ 1, [bins]; Infinity for a bin without weight
   */
  degreesOfFreedom(independent: number): Float64Array {
    const totals = this.totals();
    const all = totals.reduce((a, b) => a + b, 0);
    const width = this.bins + 1;
    const rows = Float64Array.from(this.blockSizes, (_, block) => {
      let sum = 0;
      for (let column = 0; column < width; column++) sum += this.blockSums[block * width + column];
      return sum;
    });
    return new Float64Array(this.bins).map((_, bin) => {
      if (!(totals[bin] > 0)) return Infinity;
      const scores = rows.map((sum, block) => this.blockSums[block * width + bin] / totals[bin] - sum / all);
      const { variance, spread } = varianceOfBlockSums(this.#blocks, scores);
      const single = this.#independentSquares[bin] / totals[bin] ** 2;
      return degreesOfFreedom(variance + single, spread + single ** 2 / Math.max(1, independent));
    });
  }

  #inefficiency(bin: number): number {
    const width = this.bins + 1;
    let between = 0;
    let independent = this.#blockSquares[bin];
    for (const members of this.#blocks.strata) {
      let sum = 0;
      let size = 0;
      for (const block of members) {
        sum += this.blockSums[block * width + bin];
        size += this.blockSizes[block];
      }
      if (size === 0) continue;
      independent -= sum * sum / size;
      let squares = 0;
      for (const block of members) {
        squares += (this.blockSums[block * width + bin] - this.blockSizes[block] * sum / size) ** 2;
      }
      if (members.length > 1) between += squares * members.length / (members.length - 1);
    }
    return independent > 0 ? Math.max(1, between / independent) : 1;
  }

  #column(bin: number): number {
    return bin >= 0 && bin < this.bins ? bin : this.bins;
  }
}

/**
 * Divides by the sum of all columns and leaves out the last one.
 *
 * @param totals weight in each bin and elsewhere, [bins + 1]
 * @returns share of all the weight in each bin, [bins]
 */
export function sharesOf(totals: Float64Array): Float64Array {
  const sum = totals.reduce((a, b) => a + b, 0);
  return totals.subarray(0, totals.length - 1).map((total) => total / sum);
}
