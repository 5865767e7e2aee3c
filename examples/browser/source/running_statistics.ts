/**
 * Weighted averages that grow with the samples, in memory that does not.
 *
 * @module
 */
import { BinnedWeights, sharesOf } from "../../../src/reweighting/binned_weights.ts";
import { type Blocks, drawBlockWeights, groupIntoBlocks } from "../../../src/reweighting/blocks.ts";
import { CounterRandom } from "../../../src/reweighting/counter_random.ts";
import { type Estimate, estimateFrom, noEstimate } from "../../../src/reweighting/estimate.ts";
import { binOf, type FreeEnergyProfile, profileFromMasses } from "../../../src/reweighting/profile_band.ts";
import { MINIMUM_EFFECTIVE_SAMPLES, standardDeviation } from "../../../src/reweighting/reliability.ts";

/** Bond length that parts the states: closed below, open from here on. */
export const BOUNDARY = 1.5;

/** Sample i belongs to block i mod BLOCKS; samples are independent, so any division into blocks is as good. */
const BLOCKS = 64;
/** Replicates of the bootstrap over blocks. */
const REPLICATES = 200;

/** One of the two states of the dimer. */
export interface StateSummary {
  /** Share of the draws. */
  readonly drawn: number;
  /** Share of the weight: its probability at equilibrium. */
  readonly weight: number;
  /** (Σ w)² / Σ w². */
  readonly effective: number;
  /** ln of the mean weight of a draw in the state; −Infinity before there is any. */
  readonly logMeanWeight: number;
}

/** What the samples say so far. */
export interface Summary {
  /** Samples drawn. */
  readonly n: number;
  /** (Σ w)² / Σ w² of all. */
  readonly effective: number;
  /** Bond shorter than 1.5. */
  readonly closed: StateSummary;
  /** Bond of 1.5 or more. */
  readonly open: StateSummary;
  /** ln of the mean weight of a draw; −Infinity before there is any. */
  readonly logMeanWeight: number;
  /** Share of draws outside the reference domain, whose weight is zero. */
  readonly outside: number;
  /** F_open − F_closed in k_BT. */
  readonly difference: Estimate;
  /** F(d); null before any sample has weight. */
  readonly profile: FreeEnergyProfile | null;
}

/** Sums over the draws of one state. */
interface StateSums {
  drawn: number;
  sum: number;
  squares: number;
}

/**
 * Gathers bond lengths and weights of independent samples, and estimates from them.
 *
 *     F(d) = −ln p(d),   ΔF = −ln (Σ_open w / Σ_closed w),   errors: bootstrap over 64 blocks
 */
export class RunningStatistics {
  readonly #edges: Float64Array;
  readonly #blocks: Blocks;
  readonly #bins: BinnedWeights;
  readonly #states: BinnedWeights;
  readonly #closed: StateSums = { drawn: 0, sum: 0, squares: 0 };
  readonly #open: StateSums = { drawn: 0, sum: 0, squares: 0 };
  #n = 0;
  #outside = 0;
  /** ln of the weight that counts as 1: that of the first sample that has any. */
  #unit: number | null = null;

  /**
   * Begins with no samples.
   *
   * @param edges rising bin edges of the profile, [bins + 1]
   */
  constructor(edges: Float64Array) {
    this.#edges = edges;
    this.#blocks = groupIntoBlocks("gather statistics", Int32Array.from({ length: BLOCKS }, (_, i) => i));
    this.#bins = new BinnedWeights(this.#blocks, edges.length - 1);
    this.#states = new BinnedWeights(this.#blocks, 2);
  }

  /** Samples so far. */
  get n(): number {
    return this.#n;
  }

  /**
   * Adds samples.
   *
   * @param d bond lengths, [n]
   * @param logWeights ln of the weights up to a constant, [n]
   */
  add(d: Float64Array, logWeights: Float64Array): void {
    for (let i = 0; i < d.length; i++) {
      const isOpen = d[i] >= BOUNDARY;
      const state = isOpen ? this.#open : this.#closed;
      const block = this.#n++ % BLOCKS;
      state.drawn++;
      if (logWeights[i] === -Infinity) {
        this.#outside++;
        continue;
      }
      this.#unit ??= logWeights[i];
      const weight = Math.exp(logWeights[i] - this.#unit);
      state.sum += weight;
      state.squares += weight * weight;
      this.#bins.addToBlock(block, binOf(this.#edges, d[i]), weight);
      this.#states.addToBlock(block, isOpen ? 1 : 0, weight);
    }
  }

  /** Estimates from all samples so far. */
  summary(): Summary {
    const n = this.#n;
    const total = this.#closed.sum + this.#open.sum;
    const squares = this.#closed.squares + this.#open.squares;
    return {
      n,
      effective: squares > 0 ? total * total / squares : 0,
      closed: this.#stateSummary(this.#closed),
      open: this.#stateSummary(this.#open),
      logMeanWeight: total > 0 ? Math.log(total / n) + this.#unit! : -Infinity,
      outside: n > 0 ? this.#outside / n : 0,
      difference: this.#difference(),
      profile: total > 0 ? this.#profile() : null,
    };
  }

  #stateSummary({ drawn, sum, squares }: StateSums): StateSummary {
    const total = this.#closed.sum + this.#open.sum;
    return {
      drawn: this.#n > 0 ? drawn / this.#n : 0,
      weight: total > 0 ? sum / total : 0,
      effective: squares > 0 ? sum * sum / squares : 0,
      logMeanWeight: sum > 0 ? Math.log(sum / drawn) + this.#unit! : -Infinity,
    };
  }

  #difference(): Estimate {
    const [closed, open] = [this.#stateSummary(this.#closed), this.#stateSummary(this.#open)];
    if (closed.effective === 0) return noEstimate("no closed configuration has any weight yet");
    if (open.effective === 0) return noEstimate("no open configuration has any weight yet");
    const value = ([closed, open]: Float64Array) => Math.log(closed / open);
    const replicates = this.#replicates(this.#states, value);
    return estimateFrom(value(this.#states.totals()), standardDeviation(replicates), {
      degreesOfFreedom: BLOCKS - 1,
      reason: scarcity("closed", closed.effective) ?? scarcity("open", open.effective),
    });
  }

  #profile(): FreeEnergyProfile {
    const bins = this.#bins.bins;
    const masses = new Float64Array(REPLICATES * bins);
    this.#replicates(this.#bins, (totals, replicate) => {
      masses.set(sharesOf(totals), replicate * bins);
      return 0;
    });
    const shares = sharesOf(this.#bins.totals());
    return profileFromMasses(
      this.#edges,
      shares,
      masses,
      this.#bins.effectiveSamples(),
      this.#bins.degreesOfFreedom(0),
    );
  }

  /** A statistic of the weights by bin, of every replicate; the same replicates for the same samples. */
  #replicates(weights: BinnedWeights, statistic: (totals: Float64Array, replicate: number) => number): Float64Array {
    const blockWeights = new Float64Array(BLOCKS);
    return Float64Array.from({ length: REPLICATES }, (_, replicate) => {
      drawBlockWeights(this.#blocks, new CounterRandom(0, replicate), blockWeights);
      return statistic(weights.totals(blockWeights), replicate);
    });
  }
}

/** Doubts a state that few samples stand for. */
function scarcity(name: string, effective: number): string | null {
  if (effective >= MINIMUM_EFFECTIVE_SAMPLES) return null;
  return `the ${name} state has fewer than ${MINIMUM_EFFECTIVE_SAMPLES} effective samples`;
}
