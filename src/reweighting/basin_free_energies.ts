import { consistencyDoubt } from "./bar_consistency.ts";
import { carryingSamples, chainScores, dot, independentVariance } from "./bar_sides.ts";
import {
  type BasinDataSamples,
  type BasinFlowSamples,
  type BasinProblem,
  replicateBasins,
  solveBasins,
  type SolvedBasin,
} from "./basin_problem.ts";
import type { BennettEstimate } from "./bar.ts";
import { degreesOfFreedom, varianceOfBlockSums } from "./blocks.ts";
import { resampling, type ResamplingOptions } from "./bootstrap.ts";
import { estimateFrom, type FreeEnergyEstimate, noEstimate } from "./estimate.ts";
import { requireInteger } from "./input_checks.ts";
import { bootstrapDoubt, chainDoubt, errorDoubt, firstDoubt, overlapDoubt, standardDeviation } from "./reliability.ts";

/** How `basinFreeEnergies` names its basins and finds its errors. */
export interface BasinOptions extends ResamplingOptions {
  /** Names of the basins, in the order of their labels; how many there are says how many labels there are. */
  readonly names: readonly string[];
}

/** Free energies of basins, and differences between them. */
export interface BasinFreeEnergies {
  /** F_b = −ln Z_b of every basin, with overlap and effective samples [flow, data]. */
  readonly basins: readonly BennettEstimate[];
  /**
   * F_to − F_from with the joint error of both.
   *
   * @param from index of the basin that is left
   * @param to index of the basin that is reached
   * @returns the difference in k_BT
   */
  difference(from: number, to: number): FreeEnergyEstimate;
}

/**
 * Estimates the free energy of every basin of a target by the Bennett acceptance ratio against one flow.
 *
 *     F_b = −ln Z_b,   Z_b = ∫_b exp(−u) dx
 *
 * For each basin, state 0 is the flow (normalised, F = 0) with *all* its n samples, of work −ln w inside the basin and
 * +Infinity elsewhere, and state 1 is the target restricted to the basin with its m_b frames. The difference of two basins
 * is a difference of two such estimates that share the flow samples, and the chains where these visit both basins: the
 * bootstrap resamples flow samples one by one and chains as wholes, jointly for all basins. Intervals use Student's t
 * with the degrees of freedom that the chains leave. Work of a million flow samples and 200 replicates takes seconds.
 *
 * An estimate is unreliable when fewer than 50 independent samples of either kind carry it, a basin has fewer than four
 * chains, the error is beyond 1 k_BT, the bootstrap distribution is far from normal, or flow samples and frames contradict
 * each other.
 *
 * Units: k_BT. Reference: Bennett, J. Comput. Phys. 22, 245 (1976); Wirnsberger et al., J. Chem. Phys. 153, 144112
 * (2020), for a flow as one of the states.
 *
 * @param flow log weights [n] and basins [n] of all flow samples
 * @param data log weights [m], basins [m] and chains [m] of frames of the target
 * @param options names of the basins, bootstrap
 * @returns the free energies, and the function that takes differences
 * @throws {RangeError} if lists differ in length, or hold values or labels that they must not
 *
 * @example A flow that matches each half of the target up to a factor
 * ```ts
 * import { basinFreeEnergies } from "@boltzflow/boltzflow";
 * import assert from "node:assert/strict";
 *
 * const basins = Int32Array.from({ length: 400 }, (_, i) => i % 2);
 * const logWeights = Float64Array.from(basins, (basin) => 3 - 2 * basin);
 * const chains = Int32Array.from({ length: 400 }, (_, i) => i % 16);
 * const energies = basinFreeEnergies({ logWeights, basins }, { logWeights, basins, chains }, { names: ["left", "right"] });
 *
 * assert.ok(Math.abs(energies.difference(0, 1).value! - 2) < 1e-9);
 * ```
 */
export function basinFreeEnergies(
  flow: BasinFlowSamples,
  data: BasinDataSamples,
  options: BasinOptions,
): BasinFreeEnergies {
  const task = "estimate free energies of basins";
  const { names } = options;
  const problem = solveBasins(task, flow, data, names);
  const { replicates, seed } = resampling(task, options);
  const values = names.map(() => new Float64Array(replicates));
  replicateBasins(problem, { replicates, seed }, (r, basins) => {
    basins.forEach((basin, b) => values[b][r] = basin ? basin.freeEnergy : NaN);
  });
  return summariseBasins(problem, names, values);
}

/**
 * Turns a solved problem and its replicates into estimates.
 *
 * @param problem the solved problem
 * @param names names of the basins
 * @param values F_b of every replicate, [basins][replicates]
 * @returns the free energies, and the function that takes differences
 */
export function summariseBasins(
  problem: BasinProblem,
  names: readonly string[],
  values: readonly Float64Array[],
): BasinFreeEnergies {
  const parts = problem.basins.map((basin) => typeof basin === "string" ? basin : linearise(problem, basin));
  const doubts = parts.map((part, b) => typeof part === "string" ? part : basinDoubt(part, names[b]));
  const basins = parts.map((part, b): BennettEstimate => {
    if (typeof part === "string") {
      return { ...noEstimate(part), asymptoticError: null, overlap: 0, effectiveSamples: [0, 0] };
    }
    const { overlap, effectiveSamples } = part;
    const { estimate, asymptoticError } = combine(problem, [[part, 1]], values[b], [doubts[b]]);
    return { ...estimate, asymptoticError, overlap, effectiveSamples };
  });
  return {
    basins,
    difference(from, to) {
      for (const [name, basin] of Object.entries({ from, to })) {
        requireInteger("take a free-energy difference", name, basin, 0, names.length - 1);
      }
      const [first, last] = [parts[from], parts[to]];
      if (typeof first === "string") return noEstimate(first);
      if (typeof last === "string") return noEstimate(last);
      const differences = values[to].map((value, r) => value - values[from][r]);
      // The basin that fewer samples carry speaks first: its doubt is the graver one.
      const weakest = (part: LinearPart) => Math.min(...part.effectiveSamples);
      const graver = weakest(last) <= weakest(first) ? [doubts[to], doubts[from]] : [doubts[from], doubts[to]];
      return combine(problem, [[last, 1], [first, -1]], differences, graver).estimate;
    },
  };
}

/** What the linearised equation of a basin says about its error. */
interface LinearPart {
  readonly freeEnergy: number;
  /** Influence of flow samples on F_b up to their mean: −occupation / slope, those that matter. */
  readonly flow: Float64Array;
  /** Influence of every chain on F_b. */
  readonly chains: Float64Array;
  readonly chainCount: number;
  readonly overlap: number;
  readonly effectiveSamples: readonly [number, number];
  /** Why flow and frames do not fit each other, or null. */
  readonly contradiction: string | null;
}

function linearise(problem: BasinProblem, basin: SolvedBasin): LinearPart {
  const { n, chains } = problem;
  const flow = basin.flow.occupations();
  const data = basin.data.occupations();
  const frames = data.length;
  const slope = dot(flow, flow.map((occupation) => 1 - occupation)) + dot(data, data.map((o) => 1 - o));
  const scores = chainScores(data, basin.chainOf, basin.chainSizes);
  const flowVariance = independentVariance(flow, n);
  const dataVariance = varianceOfBlockSums(chains, scores).variance;
  return {
    freeEnergy: basin.c + Math.log(n / frames),
    flow: flow.map((occupation) => -occupation / slope),
    chains: scores.map((score) => score / slope),
    chainCount: basin.chainSizes.filter((size) => size > 0).length,
    overlap: slope * (1 / n + 1 / frames),
    effectiveSamples: [carryingSamples(flow, n, flowVariance), carryingSamples(data, frames, dataVariance)],
    contradiction: consistencyDoubt(
      {
        table: basin.flow,
        count: n,
        variance(contributions) {
          const variance = independentVariance(contributions, n);
          return { variance, spread: variance ** 2 / n };
        },
      },
      {
        table: basin.data,
        count: frames,
        variance: (scores) => varianceOfBlockSums(chains, chainScores(scores, basin.chainOf, basin.chainSizes)),
      },
    ),
  };
}

function basinDoubt(part: LinearPart, name: string): string | null {
  return firstDoubt([
    overlapDoubt(part.effectiveSamples[0], `flow (basin ${name})`),
    overlapDoubt(part.effectiveSamples[1], `evaluation (basin ${name})`),
    chainDoubt(part.chainCount, `evaluation (basin ${name})`),
    part.contradiction && `in basin ${name} ${part.contradiction}`,
  ]);
}

/** A signed sum of basin free energies with its bootstrap error and linearised degrees of freedom. */
function combine(
  problem: BasinProblem,
  parts: readonly (readonly [LinearPart, number])[],
  values: Float64Array,
  doubts: readonly (string | null)[],
): { estimate: FreeEnergyEstimate; asymptoticError: number | null } {
  const { n, chains } = problem;
  const influence = Float64Array.from(parts.flatMap(([part, sign]) => Array.from(part.flow, (value) => sign * value)));
  const scores = new Float64Array(chains.count);
  for (const [part, sign] of parts) part.chains.forEach((score, chain) => scores[chain] += sign * score);
  const flowVariance = independentVariance(influence, n);
  const { variance: dataVariance, spread } = varianceOfBlockSums(chains, scores);
  const variance = flowVariance + dataVariance;
  const freedom = degreesOfFreedom(variance, flowVariance ** 2 / n + spread);
  const standardError = standardDeviation(values);
  const value = parts.reduce((sum, [part, sign]) => sum + sign * part.freeEnergy, 0);
  const reason = firstDoubt([...doubts, errorDoubt(standardError), bootstrapDoubt(values)]);
  const asymptoticError = Number.isFinite(variance) ? Math.sqrt(variance) : null;
  return { estimate: estimateFrom(value, standardError, { degreesOfFreedom: freedom, reason }), asymptoticError };
}
