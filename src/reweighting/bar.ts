import { consistencyDoubt } from "./bar_consistency.ts";
import { FermiTable, solveBennett, solveReplicate } from "./bar_equation.ts";
import { type BennettSide, carryingSamples, chainSide, dot, independentSide } from "./bar_sides.ts";
import { degreesOfFreedom } from "./blocks.ts";
import { resampling, type ResamplingOptions } from "./bootstrap.ts";
import { CounterRandom } from "./counter_random.ts";
import { estimateFrom, type FreeEnergyEstimate, noEstimate } from "./estimate.ts";
import { requireInteger, requireWork } from "./input_checks.ts";
import { bootstrapDoubt, chainDoubt, errorDoubt, firstDoubt, overlapDoubt, standardDeviation } from "./reliability.ts";

/** How `bennettAcceptanceRatio` weighs its samples and finds its error. */
export interface BennettOptions extends ResamplingOptions {
  /** Number of bootstrap replicates, default 200; 0 takes the asymptotic error instead. */
  readonly replicates?: number;
  /** Chain of each forward sample, [n₀]; default: independent samples. */
  readonly forwardChains?: ArrayLike<number>;
  /** Chain of each reverse sample, [n₁]; default: independent samples. */
  readonly reverseChains?: ArrayLike<number>;
  /**
   * Statistical inefficiency g ≥ 1 of the forward and the reverse samples, default [1, 1]. A side counts as n/g samples
   * in Bennett's equation. It scales the error of a side only where that side has no chains given.
   */
  readonly statisticalInefficiency?: readonly [number, number];
}

/** A free-energy difference between two states that both were sampled. */
export interface BennettEstimate extends FreeEnergyEstimate {
  /** Standard error from the linearised equation; null without a solution. */
  readonly asymptoticError: number | null;
  /** Overlap of the two states in [0, 1]: 1 when they are equal, 0 when no sample of one fits the other. */
  readonly overlap: number;
  /** How many independent forward and reverse samples carry the estimate: (Σ f)² / (g Σ f²) with Fermi weights f. */
  readonly effectiveSamples: readonly [number, number];
}

/**
 * Estimates a free-energy difference from work values in both directions, with the least variance that is possible.
 *
 *     Σᵢ σ(c − w₀ᵢ) = Σⱼ σ(−c − w₁ⱼ),   ΔF = F₁ − F₀ = c + ln(n₀/n₁),   σ(t) = 1/(1 + e⁻ᵗ)
 *
 * Forward work is w₀ = u₁(x) − u₀(x) at samples of state 0, reverse work w₁ = u₀(x) − u₁(x) at samples of state 1. Work
 * of +Infinity (a sample that the other state cannot hold) counts in n and adds exactly nothing. The counts may differ
 * by any factor. The standard error is that of a bootstrap over samples, or over whole chains where they are given.
 * Unreliable when fewer than 50 samples effectively carry either side, chains are fewer than four, the error is beyond
 * 1 k_BT, the bootstrap distribution is far from normal, or the two distributions of work contradict each other (as they
 * do where the stated densities are not those that were sampled). Samples of state 1 must come from all of its states: what
 * neither side has visited is not in the result, and nothing here can tell.
 *
 * Units: k_BT. Reference: Bennett, J. Comput. Phys. 22, 245 (1976), equations 10 to 12; Shirts et al., Phys. Rev. Lett.
 * 91, 140601 (2003).
 *
 * @param forwardWork work at samples of state 0, [n₀]
 * @param reverseWork work at samples of state 1, [n₁]
 * @param options chains, statistical inefficiencies, bootstrap
 * @returns ΔF = F₁ − F₀ with its error, the overlap, and how many samples carry it; no value when one side has no finite
 *   work
 * @throws {RangeError} if a list is empty or holds NaN or −Infinity, or an option is out of range
 *
 * @example Two harmonic wells of equal width, the second one raised by 2 k_BT
 * ```ts
 * import { bennettAcceptanceRatio } from "@boltzflow/boltzflow";
 * import assert from "node:assert/strict";
 *
 * const forward = new Float64Array(100).fill(2);
 * const reverse = new Float64Array(400).fill(-2);
 *
 * assert.ok(Math.abs(bennettAcceptanceRatio(forward, reverse).value! - 2) < 1e-9);
 * ```
 */
export function bennettAcceptanceRatio(
  forwardWork: Float64Array,
  reverseWork: Float64Array,
  options: BennettOptions = {},
): BennettEstimate {
  const task = "estimate a free-energy difference";
  requireWork(task, forwardWork, "forwardWork");
  requireWork(task, reverseWork, "reverseWork");
  const inefficiency = options.statisticalInefficiency ?? [1, 1];
  for (const g of inefficiency) {
    if (!(g >= 1 && g < Infinity)) {
      throw new RangeError(`Cannot ${task}: statisticalInefficiency must be finite and at least 1, got ${g}`);
    }
  }
  for (const [k, work] of [forwardWork, reverseWork].entries()) {
    if (work.some((value) => value < Infinity)) continue;
    const none = `every ${SIDES[k]} work is +Infinity: no sample lies within the other state`;
    return { ...noEstimate(none), asymptoticError: null, overlap: 0, effectiveSamples: [0, 0] };
  }
  const finite = [forwardWork, reverseWork].map((work) => work.filter((value) => value < Infinity));
  const c = solveBennett(finite[0], finite[1], [1 / inefficiency[0], 1 / inefficiency[1]]);
  const chains = [options.forwardChains, options.reverseChains];
  const sides = [forwardWork, reverseWork].map((work, k) => {
    const labels = chains[k];
    return labels
      ? chainSide(task, SIDES[k], work, labels, inefficiency[k])
      : independentSide(work, k === 0 ? c : -c, inefficiency[k]);
  });
  return assess(task, c, sides, options);
}

const SIDES = ["forward", "reverse"];

/** Error, overlap and doubts at a solution c. */
function assess(task: string, c: number, sides: readonly BennettSide[], options: BennettOptions): BennettEstimate {
  const tables = sides.map((side, k) => new FermiTable(side.work, k === 0 ? c : -c));
  const counts = sides.map((side) => side.scale * side.count);
  let slope = 0;
  let variance = 0;
  let spread = 0;
  const effective = sides.map((side, k) => {
    const occupations = tables[k].occupations();
    const part = side.variance(occupations);
    slope += side.scale * dot(occupations, occupations.map((occupation) => 1 - occupation));
    variance += side.scale ** 2 * part.variance;
    spread += side.scale ** 4 * part.spread;
    return carryingSamples(occupations, side.count, part.variance);
  });
  const asymptoticError = Math.sqrt(variance) / slope;
  const { replicates = 200, seed = 0 } = options;
  requireInteger(task, "replicates", replicates, 0);
  const values = replicates > 0 ? replicateValues(c, sides, tables, resampling(task, { replicates, seed })) : null;
  const standardError = values ? standardDeviation(values) : asymptoticError;
  const reason = firstDoubt([
    ...effective.map((count, k) => overlapDoubt(count, SIDES[k])),
    ...sides.map((side, k) => chainDoubt(side.chains, SIDES[k])),
    errorDoubt(standardError),
    values && bootstrapDoubt(values),
    consistencyDoubt({ ...sides[0], table: tables[0] }, { ...sides[1], table: tables[1] }),
  ]);
  return {
    ...estimateFrom(c + Math.log(counts[0] / counts[1]), standardError, {
      degreesOfFreedom: degreesOfFreedom(variance, spread),
      reason,
    }),
    asymptoticError: Number.isFinite(asymptoticError) ? asymptoticError : null,
    overlap: slope * (1 / counts[0] + 1 / counts[1]),
    effectiveSamples: [effective[0], effective[1]],
  };
}

function replicateValues(
  c: number,
  sides: readonly BennettSide[],
  tables: readonly FermiTable[],
  { replicates, seed }: { replicates: number; seed: number },
): Float64Array {
  return new Float64Array(replicates).map((_, r) => {
    const random = new CounterRandom(seed, r);
    const totals = sides.map((side) => side.scale * side.draw(random));
    const weights = sides.map((side) => side.weights.map((weight) => side.scale * weight));
    return c + solveReplicate(tables[0], weights[0], tables[1], weights[1]) + Math.log(totals[0] / totals[1]);
  });
}
