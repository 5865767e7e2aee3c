/**
 * How often two particles are at a distance, compared with particles that do not feel each other.
 *
 * @module
 */
import { ratio, ratioSums, type WeightedMeanOptions } from "./weighted_means.ts";

/** g(r) on bins. */
export interface PairDistribution {
  /** Middles of the bins [bins]. */
  readonly r: Float64Array;
  /** g in each bin [bins]. */
  readonly g: Float64Array;
  /** Its standard error [bins]. */
  readonly error: Float64Array;
}

/** What g(r) is computed from and compared with. */
export interface PairDistributionOptions extends WeightedMeanOptions {
  /** Particles of a configuration, in the plane. */
  readonly particles: number;
  /** Edges of the bins, rising [bins + 1]. */
  readonly edges: Float64Array;
  /** Side of the square in which particles that do not feel each other are anywhere with the same probability. */
  readonly side: number;
}

/**
 * Computes the pair distribution function of particles in a square box:
 *
 *     g(r) = p(r) / p₀(r)
 *
 * with p the probability that two particles are at distance r, over all pairs, and p₀ the same for two points that are
 * put into the square at random. So g = 1 for an ideal gas at any r, walls or not; in a large box g is the textbook's.
 *
 * @param x configurations [n, particles, 2]; those of zero weight may hold anything
 * @param options particles, bins, box; weights and blocks (chains) of the configurations
 * @returns g with its error; NaN if every weight is zero
 */
export function pairDistribution(x: Float64Array, options: PairDistributionOptions): PairDistribution {
  const { particles, edges, side } = options;
  const bins = edges.length - 1;
  const n = x.length / (2 * particles);
  const r = Float64Array.from({ length: bins }, (_, b) => (edges[b] + edges[b + 1]) / 2);
  const blocks = ratioSums(n, options);
  if (blocks === null) return { r, g: new Float64Array(bins).fill(NaN), error: new Float64Array(bins).fill(NaN) };
  const { weights, blockOf, sampleWeights } = blocks;
  const sums = Array.from({ length: bins }, () => new Float64Array(weights.length));
  for (let i = 0; i < n; i++) {
    if (sampleWeights[i] === 0) continue;
    const frame = x.subarray(2 * particles * i, 2 * particles * (i + 1));
    eachDistance(frame, (distance) => {
      const b = binOf(edges, distance);
      if (b >= 0) sums[b][blockOf[i]] += sampleWeights[i];
    });
  }
  const pairs = particles * (particles - 1) / 2;
  const ideal = r.map((_, b) => randomDistance(edges[b + 1] / side) - randomDistance(edges[b] / side));
  const parts = sums.map((sum) => ratio(sum, weights));
  return {
    r,
    g: ideal.map((share, b) => parts[b].mean / (pairs * share)),
    error: ideal.map((share, b) => parts[b].error / (pairs * share)),
  };
}

function eachDistance(frame: Float64Array, visit: (distance: number) => void): void {
  for (let i = 0; i < frame.length; i += 2) {
    for (let j = 0; j < i; j += 2) visit(Math.hypot(frame[i] - frame[j], frame[i + 1] - frame[j + 1]));
  }
}

/** The bin of a value, by bisection; −1 outside. */
function binOf(edges: Float64Array, value: number): number {
  if (!(value >= edges[0] && value < edges[edges.length - 1])) return -1;
  let [low, high] = [0, edges.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (edges[middle] <= value) low = middle;
    else high = middle;
  }
  return low;
}

/**
 * Computes the probability that two random points of the unit square are closer than d.
 *
 * Reference: Philip 2007, "The probability distribution of the distance between two random points in a box", eq. for the
 * square; for d ≤ 1 it is π d² − 8 d³/3 + d⁴/2.
 */
function randomDistance(d: number): number {
  if (d <= 0) return 0;
  if (d >= Math.SQRT2) return 1;
  if (d <= 1) return d * d * (Math.PI - 8 * d / 3 + d * d / 2);
  const s = Math.sqrt(d * d - 1);
  return 1 / 3 + (Math.PI - 2) * d * d - d ** 4 / 2 + 4 * s * (2 * d * d + 1) / 3 - 4 * d * d * Math.acos(1 / d);
}
