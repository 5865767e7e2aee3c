import { bennettAcceptanceRatio, type BennettEstimate } from "./bar.ts";
import { CounterRandom } from "./counter_random.ts";
import { type Estimate, noEstimate } from "./estimate.ts";
import { requireFinite, requireSameLength, requireSamples } from "./input_checks.ts";
import { firstDoubt, MINIMUM_EFFECTIVE_SAMPLES } from "./reliability.ts";

/** Dimensions up to which a local fit is tried. */
const LARGEST_DIMENSION = 20;
/** Share of the samples nearest to the densest one that a local fit is made from, and variance of its density. */
const LOCAL = { share: 0.25, shrinking: 0.5 };
/** Variance of fits to all samples of a group, relative to theirs: r should lie within q. */
const SHRINKING = 0.9;
/** Samples of either density: 2000 tell ln ∫q to between 0.01 and 0.05. */
const MOST_SAMPLES = 2000;
/** An integral whose logarithm is off by this much harms nobody. */
const HARMLESS = 1e-3;

/** Samples of a density with what is stated of it there. */
export interface StatedDensity {
  /** Samples, [n, dim] row-major. */
  readonly x: Float64Array;
  /** Their stated ln q, [n]. */
  readonly logProb: Float64Array;
}

/**
 * Estimates ln ∫q of a density from samples of it: 0 if what is stated is normalised, and is what was sampled.
 *
 * The acceptance ratio between one half of the samples and a density r that was fitted to the other half and lies within
 * q: a normal density, a mixture of two for a density of two states, or one fitted to the densest quarter. Of the fits the
 * one that overlaps most counts. A log-determinant that is left out, flipped or doubled moves the result away from 0 even
 * where it is the same for all samples, which weights and work of a target cannot show: they give a free energy that is off
 * by as much, with a small error. Works where a normal density
 * covers a part of q: up to some ten dimensions for densities that are smooth at their top.
 *
 * Units: nats. Reference: Meng and Wong, Statistica Sinica 6, 831 (1996), bridge sampling.
 *
 * @param samples samples with their stated densities; the first 4000 are used
 * @param logProb ln q at given configurations, [m, dim] → [m]
 * @returns ln ∫q; unreliable where fewer than 50 samples overlap, no value beyond 20 dimensions
 * @throws {RangeError} if the lists are empty, do not fit, or hold numbers that are not finite
 *
 * @example A normal density whose log-determinant was forgotten
 * ```ts
 * import { densityIntegral, RandomStream } from "@boltzflow/boltzflow";
 * import assert from "node:assert/strict";
 *
 * const x = new RandomStream(1).fillNormals(new Float64Array(4000)).map((z) => 2 * z);
 * const logProb = (at: Float64Array) => at.map((v) => -v * v / 8 - 0.5 * Math.log(2 * Math.PI));
 * const { value, standardError } = densityIntegral({ x, logProb: logProb(x) }, logProb);
 *
 * assert.ok(Math.abs(value! - Math.log(2)) < 4 * standardError!);
 * ```
 */
export function densityIntegral(samples: StatedDensity, logProb: (x: Float64Array) => Float64Array): Estimate {
  const best = bestBridge(samples, logProb, 0);
  if (typeof best === "string") return noEstimate(best);
  const { value, standardError, interval95, reliable, reason } = best;
  return { value, standardError, interval95, reliable, reason };
}

/** The acceptance ratio of one half with the fit to the other that overlaps most, or why there is none. */
function bestBridge(
  samples: StatedDensity,
  logProb: (x: Float64Array) => Float64Array,
  fittedHalf: 0 | 1,
): BennettEstimate | string {
  const task = "integrate a density";
  const stated = samples.logProb;
  requireSamples(task, stated.length, "logProb");
  const dim = samples.x.length / stated.length;
  if (!Number.isInteger(dim) || dim < 1) {
    requireSameLength(task, "x", samples.x.length, "logProb", stated.length);
  }
  if (dim > LARGEST_DIMENSION) {
    return `densities of more than ${LARGEST_DIMENSION} dimensions are too sparse`;
  }
  const half = Math.min(MOST_SAMPLES, stated.length >> 1);
  const used = samples.x.subarray(0, 2 * half * dim);
  requireFinite(task, used, "x");
  requireFinite(task, stated.subarray(0, 2 * half), "logProb");
  const halves = [0, half].map((at) => ({
    x: used.subarray(at * dim, (at + half) * dim),
    logProb: stated.subarray(at, at + half),
  }));
  const [source, compared] = fittedHalf === 0 ? halves : halves.toReversed();
  const bridges = fitted(source.x, source.logProb, dim).filter((fit) => fit !== null).map((fit) =>
    bridgeTo(fit, compared, logProb)
  );
  if (bridges.length === 0) return "the samples do not span their space";
  return bridges.reduce((best, next) => next.overlap > best.overlap ? next : best);
}

/** The acceptance ratio between samples of a density and a normal one. */
function bridgeTo(
  fit: Fit,
  { x, logProb: stated }: StatedDensity,
  logProb: (x: Float64Array) => Float64Array,
): BennettEstimate {
  const n = stated.length;
  const dim = x.length / n;
  const row = (list: Float64Array, i: number) => list.subarray(i * dim, (i + 1) * dim);
  const random = new CounterRandom(0);
  const drawn = new Float64Array(n * dim);
  for (let i = 0; i < n; i++) fit.draw(random, row(drawn, i));
  const forward = stated.map((value, i) => value - fit.logProb(row(x, i)));
  const reverse = logProb(drawn).map((value, i) => fit.logProb(row(drawn, i)) - value);
  return bennettAcceptanceRatio(forward, reverse, { replicates: 0 });
}

/**
 * Says whether a density is not the one that is sampled, or not normalised, as far as fits to either half of its samples can
 * tell.
 *
 * @param samples samples with their stated densities
 * @param logProb ln q at given configurations, [m, dim] → [m]
 * @returns a clause, or null where ln ∫q is 0 within four standard errors, or cannot be told
 * @throws {RangeError} as `densityIntegral` does
 */
export function normalisationDoubt(
  samples: StatedDensity,
  logProb: (x: Float64Array) => Float64Array,
): string | null {
  return firstDoubt(([0, 1] as const).map((half) => bridgeDoubt(bestBridge(samples, logProb, half))));
}

function bridgeDoubt(best: BennettEstimate | string): string | null {
  if (typeof best === "string") return null;
  const { value, standardError, reason, effectiveSamples } = best;
  if (value === null || effectiveSamples.some((count) => count < MINIMUM_EFFECTIVE_SAMPLES)) return null;
  // With samples enough, and independent, the only doubt left is a contradiction between the two sets of samples.
  if (reason !== null) return `the stated density is not the one that was sampled: ${reason}`;
  if (Math.abs(value) <= Math.max(HARMLESS, 4 * standardError!)) return null;
  return `the stated density is not normalised: the logarithm of its integral is ${value.toFixed(2)} ± ${
    standardError!.toFixed(2)
  }`;
}

/** A normalised density that can be sampled. */
interface Fit {
  logProb(row: Float64Array): number;
  draw(random: CounterRandom, row: Float64Array): void;
}

/** Fits to samples: one normal density, a mixture of two, and a local one; null where a covariance is singular. */
function fitted(x: Float64Array, logProb: Float64Array, dim: number): (Fit | null)[] {
  const n = logProb.length;
  const everyone = Int32Array.from({ length: n }, (_, i) => i);
  const densest = logProb.reduce((best, value, i) => value > logProb[best] ? i : best, 0);
  const { scale, split, middle } = momentsOf(x, dim);
  const distances = logProb.map((_, i) => {
    let sum = 0;
    for (let d = 0; d < dim; d++) sum += (x[i * dim + d] - x[densest * dim + d]) ** 2 / scale[d];
    return sum;
  });
  const local = everyone.toSorted((a, b) => distances[a] - distances[b]).subarray(0, Math.ceil(LOCAL.share * n));
  const groups = [0, 1].map((side) => everyone.filter((i) => Number(x[i * dim + split] > middle) === side));
  return [
    normalFit(x, dim, everyone, SHRINKING),
    mixtureFit(groups.map((group) => normalFit(x, dim, group, SHRINKING)), groups[0].length / n),
    normalFit(x, dim, local, LOCAL.shrinking),
  ];
}

/** Variances, and the coordinate of smallest kurtosis with its mean: two states part there, if there are two. */
function momentsOf(x: Float64Array, dim: number): { scale: Float64Array; split: number; middle: number } {
  const n = x.length / dim;
  const means = new Float64Array(dim);
  x.forEach((value, i) => means[i % dim] += value / n);
  const scale = new Float64Array(dim);
  const fourth = new Float64Array(dim);
  x.forEach((value, i) => {
    const square = (value - means[i % dim]) ** 2;
    scale[i % dim] += square / n;
    fourth[i % dim] += square * square / n;
  });
  const kurtosis = fourth.map((value, d) => value / scale[d] ** 2);
  const split = kurtosis.reduce((best, value, d) => value < kurtosis[best] ? d : best, 0);
  return { scale, split, middle: means[split] };
}

/** Two densities, the first with a share. */
function mixtureFit([first, second]: readonly (Fit | null)[], share: number): Fit | null {
  if (first === null || second === null) return null;
  const logs = [Math.log(share), Math.log1p(-share)];
  return {
    logProb(row) {
      const [a, b] = [logs[0] + first.logProb(row), logs[1] + second.logProb(row)];
      return Math.max(a, b) + Math.log1p(Math.exp(-Math.abs(a - b)));
    },
    draw(random, row) {
      (random.uniform() < share ? first : second).draw(random, row);
    },
  };
}

/** A normal density with the mean, and a share of the covariance, of some of the samples; null if singular. */
function normalFit(x: Float64Array, dim: number, group: Int32Array, shrinking: number): Fit | null {
  const kept = group.length;
  if (kept <= dim + 1) return null;
  const mean = new Float64Array(dim);
  for (const i of group) for (let d = 0; d < dim; d++) mean[d] += x[i * dim + d] / kept;
  const covariance = new Float64Array(dim * dim);
  for (const i of group) {
    for (let d = 0; d < dim; d++) {
      const off = shrinking * (x[i * dim + d] - mean[d]) / kept;
      for (let e = 0; e <= d; e++) covariance[d * dim + e] += off * (x[i * dim + e] - mean[e]);
    }
  }
  return normalDensity(mean, covariance, dim);
}

/** N(mean, covariance) by a Cholesky factor, which overwrites the lower triangle of the covariance; null if singular. */
function normalDensity(mean: Float64Array, covariance: Float64Array, dim: number): Fit | null {
  const factor = covariance;
  let logDet = 0;
  for (let d = 0; d < dim; d++) {
    for (let e = 0; e <= d; e++) {
      let sum = factor[d * dim + e];
      for (let k = 0; k < e; k++) sum -= factor[d * dim + k] * factor[e * dim + k];
      if (e < d) factor[d * dim + e] = sum / factor[e * dim + e];
      else if (sum > 0) factor[d * dim + d] = Math.sqrt(sum);
      else return null;
    }
    logDet += Math.log(factor[d * dim + d]);
  }
  const constant = -logDet - 0.5 * dim * Math.log(2 * Math.PI);
  const scaled = new Float64Array(dim);
  return {
    logProb(row) {
      let squares = 0;
      for (let d = 0; d < dim; d++) {
        let off = row[d] - mean[d];
        for (let e = 0; e < d; e++) off -= factor[d * dim + e] * scaled[e];
        scaled[d] = off / factor[d * dim + d];
        squares += scaled[d] ** 2;
      }
      return constant - squares / 2;
    },
    draw(random, row) {
      for (let d = 0; d < dim; d++) {
        scaled[d] = Math.sqrt(-2 * Math.log(random.uniform())) * Math.cos(2 * Math.PI * random.uniform());
        row[d] = mean[d];
        for (let e = 0; e <= d; e++) row[d] += factor[d * dim + e] * scaled[e];
      }
    },
  };
}
