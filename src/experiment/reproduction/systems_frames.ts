/**
 * Monte Carlo frames of clusters: chains that start in equilibrium, and images under what leaves the energy unchanged.
 *
 * @module
 */
import { expOf } from "../../random/elementary.ts";
import { RandomStream } from "../../random/random_stream.ts";
import { metropolis } from "../../sampling/metropolis.ts";
import type { System } from "../../system/system.ts";

/** Stream numbers of resampling and of images. */
const RESAMPLING = 0xa1;
const IMAGES = 0xa2;

/** How to cool. */
export interface CoolingOptions {
  /** A configuration that all chains start from [dim]. */
  readonly start: Float64Array;
  /** Number of chains. */
  readonly chains: number;
  /** Falling temperatures, the last one being that which is wanted. */
  readonly temperatures: readonly number[];
  /** Moves at the first temperature, and at each further one. */
  readonly moves: readonly [first: number, further: number];
  /** Size of a move at T = 1; it grows as √T. */
  readonly step: number;
  /** Seed of the random numbers. */
  readonly seed: number;
}

/** Configurations in equilibrium. */
export interface CooledChains {
  /** [chains, dim]. */
  readonly x: Float64Array;
  /** Which chain of the first temperature each descends from [chains]: those of one family are not independent. */
  readonly family: Int32Array;
  /** Energies that were evaluated. */
  readonly energyEvaluations: number;
}

/**
 * Cools chains down, population annealing: at each lower temperature chains are drawn anew by exp(−U (1/T′ − 1/T)), so that
 * basins that chains do not leave any more have the weight that is due to them.
 *
 * Reference: Hukushima, Iba, AIP Conf. Proc. 690, 200 (2003).
 *
 * @param system the energy
 * @param options temperatures, moves
 * @returns configurations with their families
 */
export function coolChains(system: System, options: CoolingOptions): CooledChains {
  const { start, chains, temperatures, moves, step, seed } = options;
  const { dim } = system;
  const random = new RandomStream(seed, RESAMPLING);
  let x: Float64Array = Float64Array.from({ length: chains * dim }, (_, i) => start[i % dim]);
  let family = Int32Array.from({ length: chains }, (_, c) => c);
  let energyEvaluations = 0;
  temperatures.forEach((temperature, k) => {
    if (k > 0) {
      const excess = 1 / temperature - 1 / temperatures[k - 1];
      const chosen = resample(system.energy(x).map((u) => -u * excess), random.uniform());
      x = Float64Array.from(x, (_, i) => x[chosen[Math.floor(i / dim)] * dim + i % dim]);
      family = chosen.map((c) => family[c]);
    }
    const steps = moves[k === 0 ? 0 : 1];
    const walk = { start: x, temperature, steps, stride: steps, step: step * Math.sqrt(temperature), seed: seed + k };
    const frames = metropolis(system, walk);
    energyEvaluations += frames.energyEvaluations + (k > 0 ? chains : 0);
    x = frames.x;
  });
  return { x, family, energyEvaluations };
}

/** As many numbers as there are weights, each as often as its share says, up to rounding. */
function resample(logWeights: Float64Array, offset: number): Int32Array {
  const n = logWeights.length;
  const largest = logWeights.reduce((most, log) => Math.max(most, log), -Infinity);
  const weights = logWeights.map((log) => expOf(log - largest));
  const total = weights.reduce((sum, w) => sum + w, 0);
  const chosen = new Int32Array(n);
  for (let k = 0, i = 0, passed = weights[0]; k < n; k++) {
    const level = (k + offset) * total / n;
    while (passed < level && i < n - 1) passed += weights[++i];
    chosen[k] = i;
  }
  return chosen;
}

/** Which frames images are made of, and how many. */
export interface ImageOptions {
  /** Particles of a configuration. */
  readonly particles: number;
  /** Directions of space, 2 or 3. */
  readonly spatialDim: number;
  /** Number of images. */
  readonly count: number;
  /** Seed of the draws. */
  readonly seed: number;
}

/**
 * Draws frames with replacement, each relabelled, turned and mirrored at random: the energy of alike particles around the
 * origin does not change, and a flow that is shown all of it need not learn from few frames.
 *
 * @param x configurations [n, particles, spatialDim]
 * @param options sizes, seed
 * @returns images [count, particles, spatialDim]
 */
export function alikeImages(x: Float64Array, { particles, spatialDim, count, seed }: ImageOptions): Float64Array {
  const random = new RandomStream(seed, IMAGES);
  const dim = particles * spatialDim;
  const images = new Float64Array(count * dim);
  for (let k = 0; k < count; k++) {
    const frame = x.subarray(random.integer(x.length / dim) * dim).subarray(0, dim);
    const axes = randomAxes(spatialDim, random);
    random.permutation(particles).forEach((from, to) => {
      for (let a = 0; a < spatialDim; a++) {
        let sum = 0;
        for (let b = 0; b < spatialDim; b++) sum += axes[a][b] * frame[from * spatialDim + b];
        images[k * dim + to * spatialDim + a] = sum;
      }
    });
  }
  return images;
}

/** Random orthonormal axes, of either handedness: normal vectors, made orthogonal one after the other. */
function randomAxes(spatialDim: number, random: RandomStream): Float64Array[] {
  const axes: Float64Array[] = [];
  while (axes.length < spatialDim) {
    const v = random.fillNormals(new Float64Array(spatialDim));
    for (const axis of axes) {
      const along = axis.reduce((sum, value, i) => sum + value * v[i], 0);
      axis.forEach((value, i) => v[i] -= along * value);
    }
    const length = Math.hypot(...v);
    axes.push(v.map((value) => value / length));
  }
  return axes;
}
