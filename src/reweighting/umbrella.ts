import { BinnedWeights, sharesOf } from "./binned_weights.ts";
import { resampling, type ResamplingOptions } from "./bootstrap.ts";
import { CounterRandom } from "./counter_random.ts";
import { estimateFrom, type FreeEnergyEstimate, noEstimate } from "./estimate.ts";
import {
  integerLabels,
  requireEdges,
  requireFinite,
  requireInteger,
  requireSameLength,
  requireSamples,
} from "./input_checks.ts";
import { influenceError, mbarInfluence } from "./mbar_influence.ts";
import { drawSamples, type MbarSamples, type MbarWeights, weighSamples } from "./mbar_samples.ts";
import { type MbarSolution, solveMbar, solveMbarReplicate } from "./mbar_solver.ts";
import { binOf, type FreeEnergyProfile, profileFromMasses } from "./profile_band.ts";
import { bootstrapDoubt, errorDoubt, firstDoubt, standardDeviation } from "./reliability.ts";
import { connectionDoubt } from "./state_overlap.ts";
import { mergeUmbrellaSamples, type UmbrellaPoints } from "./umbrella_points.ts";

/** Samples of umbrella windows along one coordinate. */
export interface UmbrellaSamples {
  /** Coordinate of each sample, [n]. */
  readonly coordinate: Float64Array;
  /** Window that drew each sample, 0, 1, …, [n]. */
  readonly windows: ArrayLike<number>;
  /** Block of each sample within its window, [n]; blocks must be independent, best with a start of their own each. */
  readonly blocks: ArrayLike<number>;
}

/** The biases, and what to estimate. */
export interface UmbrellaOptions extends ResamplingOptions {
  /** Number of windows. */
  readonly count: number;
  /** Bias of a window at a coordinate, in k_BT; finite. */
  readonly bias: (window: number, coordinate: number) => number;
  /** Rising bin edges of the profile, [bins + 1]. */
  readonly edges: Float64Array;
  /** Coordinate that parts the two basins. */
  readonly split: number;
  /** Samples closer than this are merged; default 1/4096 of the range that the samples span. */
  readonly resolution?: number;
}

/** What umbrella sampling tells about the unbiased system. */
export interface UmbrellaResult {
  /** Fₖ − F₀ of the biased windows, [windows]; NaN for a window without samples. */
  readonly windowFreeEnergies: Float64Array;
  /** F(d ≥ split) − F(d < split) of the unbiased system. */
  readonly difference: FreeEnergyEstimate;
  /** F(d) of the unbiased system. */
  readonly profile: FreeEnergyProfile;
  /** ln of the weight, up to a constant, of a sample at this coordinate in the unbiased system. */
  readonly logWeight: (coordinate: number) => number;
}

/**
 * Solves umbrella sampling along one coordinate by the multistate Bennett acceptance ratio.
 *
 *     wₙ = 1 / Σₖ Nₖ exp(fₖ − biasₖ(dₙ)),   ΔF = ln Σ_{d < split} w − ln Σ_{d ≥ split} w
 *
 * The weights unbias all samples at once. Errors come from a bootstrap that draws whole blocks within each window and
 * solves the equations again; with two independently started runs per window as blocks they contain what the starts did
 * not forget. The interval uses Student's t with the degrees of freedom that the blocks leave, from the linearised
 * equations. Samples closer than `resolution` share a point at their mean: for a harmonic bias k(d − m)² the weights
 * change by about k·resolution², 1e-4 for k = 400 and the default over a range of 2.
 *
 * Unreliable when windows do not overlap (by 3 %, directly or over others), a window has a single block, the error is
 * beyond 1 k_BT, or the bootstrap distribution is far from normal.
 *
 * Units: k_BT. Reference: Shirts and Chodera, J. Chem. Phys. 129, 124105 (2008); Torrie and Valleau, J. Comput. Phys. 23,
 * 187 (1977).
 *
 * @param samples coordinate, window and block of every sample, [n] each
 * @param options biases, bin edges, split, bootstrap
 * @returns free energies of the windows, the difference across the split, and the unbiased profile
 * @throws {RangeError} if lists differ in length, a label or an option is out of range, or a bias is not finite
 */
export function umbrellaFreeEnergies(samples: UmbrellaSamples, options: UmbrellaOptions): UmbrellaResult {
  const task = "solve umbrella sampling";
  const settings = resampling(task, options);
  const points = checkedPoints(task, samples, options);
  const solution = solveMbar(points.samples, 1e-8);
  const { edges, split, bias, count } = options;
  const estimates = new UmbrellaReplicates(points, edges, split);
  const weights = weighSamples(points.samples);
  const counts = Float64Array.from(solution.table.sampled, (k) => weights.states[k]);
  for (let r = 0; r < settings.replicates; r++) {
    const drawn = drawSamples(points.samples, new CounterRandom(settings.seed, r));
    estimates.add(drawn, solveMbarReplicate(solution, counts, drawn)?.logDenominators ?? null);
  }
  const windowFreeEnergies = new Float64Array(count).fill(NaN);
  solution.table.sampled.forEach((k, index) => windowFreeEnergies[k] = solution.freeEnergies[index]);
  const shifts = windowFreeEnergies.map((value, k) => value + Math.log(weights.states[k]));
  return {
    windowFreeEnergies,
    difference: splitDifference(points, solution, estimates, split),
    profile: estimates.profile(solution.logDenominators),
    logWeight: (coordinate) => -logMixture(shifts, (k) => bias(k, coordinate)),
  };
}

function checkedPoints(task: string, samples: UmbrellaSamples, options: UmbrellaOptions): UmbrellaPoints {
  const { coordinate } = samples;
  const { count, bias, edges, split } = options;
  requireSamples(task, coordinate.length, "coordinate");
  requireFinite(task, coordinate, "coordinate");
  requireSameLength(task, "windows", samples.windows.length, "coordinates", coordinate.length);
  requireSameLength(task, "blocks", samples.blocks.length, "coordinates", coordinate.length);
  requireInteger(task, "count", count, 1);
  requireEdges(task, edges);
  if (!Number.isFinite(split)) throw new RangeError(`Cannot ${task}: split must be finite, got ${split}`);
  const range = coordinate.reduce((most, d) => Math.max(most, d), -Infinity) -
    coordinate.reduce((least, d) => Math.min(least, d), Infinity);
  const resolution = options.resolution ?? (range > 0 ? range / 4096 : 1);
  if (!(resolution > range / 1e6)) {
    throw new RangeError(
      `Cannot ${task}: resolution must be above a millionth of the sampled range ${range}, got ${resolution}`,
    );
  }
  const windows = integerLabels(task, "windows", samples.windows, { minimum: 0, maximum: count - 1 });
  const cuts = [...edges, split];
  return mergeUmbrellaSamples(task, { coordinate, windows, blocks: samples.blocks, count, bias, resolution, cuts });
}

/** ln Σ exp(shift − bias) over the windows with samples. */
function logMixture(shifts: Float64Array, bias: (window: number) => number): number {
  let largest = -Infinity;
  const exponents = shifts.map((shift, k) => Number.isNaN(shift) ? -Infinity : shift - bias(k));
  for (const exponent of exponents) largest = Math.max(largest, exponent);
  let sum = 0;
  for (const exponent of exponents) sum += Math.exp(exponent - largest);
  return largest + Math.log(sum);
}

function splitDifference(
  points: UmbrellaPoints,
  solution: MbarSolution,
  estimates: UmbrellaReplicates,
  split: number,
): FreeEnergyEstimate {
  const { samples, coordinate } = points;
  const value = estimates.difference(weighSamples(samples), solution.logDenominators);
  if (!Number.isFinite(value)) {
    return noEstimate(`no umbrella sample lies ${value > 0 ? "at or above" : "below"} the split at ${split}`);
  }
  const { onTargets } = mbarInfluence(samples, solution, (point, out) => {
    out[0] = coordinate[point] < split ? 0 : Infinity;
    out[1] = coordinate[point] < split ? Infinity : 0;
  }, 2);
  const scores = new Float64Array(samples.blocks.count);
  if (onTargets) scores.forEach((_, block) => scores[block] = onTargets[2 * block + 1] - onTargets[2 * block]);
  const { degreesOfFreedom } = influenceError(samples, scores);
  const values = Float64Array.from(estimates.differences);
  const standardError = standardDeviation(values);
  const reason = firstDoubt([
    solution.residual > 1e-8 ? "the multistate equations have no converged solution" : null,
    connectionDoubt(samples, solution, (window) => `window ${window}`),
    singleBlockDoubt(samples),
    errorDoubt(standardError),
    bootstrapDoubt(values),
  ]);
  return estimateFrom(value, standardError, { degreesOfFreedom, reason });
}

function singleBlockDoubt(samples: MbarSamples): string | null {
  const single = samples.blocks.strata.find((members) => members.length === 1);
  if (!single) return null;
  const window = samples.stateOf[samples.blocks.blockOf.indexOf(single[0])];
  return `window ${window} has a single block, which shows no error`;
}

/** Collects the difference and the bin masses of replicates. */
class UmbrellaReplicates {
  /** F(d ≥ split) − F(d < split) of each replicate. */
  readonly differences: number[] = [];
  readonly #masses: Float64Array[] = [];
  readonly #points: UmbrellaPoints;
  readonly #edges: Float64Array;
  readonly #columns: Int32Array;
  readonly #above: Uint8Array;

  constructor(points: UmbrellaPoints, edges: Float64Array, split: number) {
    const bins = edges.length - 1;
    this.#points = points;
    this.#edges = edges;
    this.#columns = Int32Array.from(points.coordinate, (d) => {
      const bin = binOf(edges, d);
      return bin < 0 ? bins : bin;
    });
    this.#above = Uint8Array.from(points.coordinate, (d) => d >= split ? 1 : 0);
  }

  add(weights: MbarWeights, logDenominators: Float64Array | null): void {
    this.differences.push(logDenominators ? this.difference(weights, logDenominators) : NaN);
    if (!logDenominators) return;
    const totals = new Float64Array(this.#edges.length);
    const relative = relativeWeights(logDenominators);
    for (let p = 0; p < relative.length; p++) totals[this.#columns[p]] += weights.points[p] * relative[p];
    this.#masses.push(sharesOf(totals));
  }

  difference(weights: MbarWeights, logDenominators: Float64Array): number {
    const sums = [0, 0];
    const relative = relativeWeights(logDenominators);
    for (let p = 0; p < relative.length; p++) sums[this.#above[p]] += weights.points[p] * relative[p];
    return Math.log(sums[0] / sums[1]);
  }

  profile(logDenominators: Float64Array): FreeEnergyProfile {
    const { samples } = this.#points;
    const bins = this.#edges.length - 1;
    const binned = new BinnedWeights(samples.blocks, bins);
    const relative = relativeWeights(logDenominators);
    for (let e = 0; e < samples.counts.length; e++) {
      const point = samples.pointOf[e];
      binned.addToBlock(samples.blocks.blockOf[e], this.#columns[point], relative[point], samples.counts[e]);
    }
    const masses = new Float64Array(this.#masses.length * bins);
    this.#masses.forEach((row, r) => masses.set(row, r * bins));
    const shares = sharesOf(binned.totals());
    return profileFromMasses(this.#edges, shares, masses, binned.effectiveSamples(), binned.degreesOfFreedom(0));
  }
}

/** exp(−ln D) relative to the largest. */
function relativeWeights(logDenominators: Float64Array): Float64Array {
  const least = logDenominators.reduce((lowest, value) => Math.min(lowest, value), Infinity);
  return logDenominators.map((value) => Math.exp(least - value));
}
