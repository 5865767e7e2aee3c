import { type Blocks, drawBlockWeights, groupIntoBlocks, singleSamples } from "./blocks.ts";
import type { CounterRandom } from "./counter_random.ts";

/**
 * Samples of several states as the solver sees them: points, and how many samples of which block lie at each.
 *
 * Only distinct sets of reduced potentials matter to the multistate equations, so that samples of equal (or merged)
 * potentials share a point. An *entry* is a group of samples at one point, from one state and one block.
 */
export interface MbarSamples {
  /** Number of states. */
  readonly states: number;
  /** Number of points. */
  readonly points: number;
  /** Writes the reduced potentials of a point in all states, [states]; +Infinity outside a state's support. */
  readonly fill: (point: number, reducedPotentials: Float64Array) => void;
  /** Point of each entry, in rising order, [entries]. */
  readonly pointOf: Int32Array;
  /** State that drew each entry, [entries]. */
  readonly stateOf: Int32Array;
  /** Block of each entry is `blocks.blockOf`; strata are states. */
  readonly blocks: Blocks;
  /** Number of samples of each entry, [entries]. */
  readonly counts: Float64Array;
}

/** How often each point and each state occurs, in the data or in a bootstrap replicate. */
export interface MbarWeights {
  /** Number of samples at each point, [points]. */
  readonly points: Float64Array;
  /** Number of samples from each state, [states]. */
  readonly states: Float64Array;
}

/**
 * Makes every sample a point of its own.
 *
 * @param task what the caller cannot do with bad input, after "Cannot "
 * @param reducedPotentials reduced potential of every sample in every state, row-major, [states, n]
 * @param stateOf state that drew each sample, [n]
 * @param labels block of each sample, [n]; default: independent samples
 * @returns the samples
 */
export function samplesFromMatrix(
  task: string,
  reducedPotentials: Float64Array,
  stateOf: Int32Array,
  labels?: ArrayLike<number>,
): MbarSamples {
  const n = stateOf.length;
  const states = reducedPotentials.length / n;
  return {
    states,
    points: n,
    fill(point, row) {
      for (let k = 0; k < states; k++) row[k] = reducedPotentials[k * n + point];
    },
    pointOf: Int32Array.from({ length: n }, (_, i) => i),
    stateOf,
    blocks: labels ? groupIntoBlocks(task, labels, stateOf) : singleSamples(n, stateOf),
    counts: new Float64Array(n).fill(1),
  };
}

/**
 * Counts samples by point and by state, each block weighted.
 *
 * @param samples the samples
 * @param blockWeights weight of each block, [blocks]; default 1
 * @returns the weights
 */
export function weighSamples(samples: MbarSamples, blockWeights?: Float64Array): MbarWeights {
  const points = new Float64Array(samples.points);
  const states = new Float64Array(samples.states);
  const { pointOf, stateOf, counts, blocks } = samples;
  for (let e = 0; e < counts.length; e++) {
    const weight = blockWeights ? counts[e] * blockWeights[blocks.blockOf[e]] : counts[e];
    points[pointOf[e]] += weight;
    states[stateOf[e]] += weight;
  }
  return { points, states };
}

/**
 * Draws a bootstrap replicate by whole blocks within each state.
 *
 * @param samples the samples
 * @param random where the draws come from
 * @returns the weights of the replicate
 */
export function drawSamples(samples: MbarSamples, random: CounterRandom): MbarWeights {
  const blockWeights = new Float64Array(samples.blocks.count);
  drawBlockWeights(samples.blocks, random, blockWeights);
  return weighSamples(samples, blockWeights);
}
