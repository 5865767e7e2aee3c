import { type BasinFreeEnergies, type BasinOptions, summariseBasins } from "./basin_free_energies.ts";
import {
  type BasinDataSamples,
  type BasinFlowSamples,
  type BasinProblem,
  type BasinReplicate,
  replicateBasins,
  solveBasins,
} from "./basin_problem.ts";
import { resampling } from "./bootstrap.ts";
import { type Estimate, estimateFrom, type FreeEnergyEstimate, noEstimate } from "./estimate.ts";
import { requireInteger, requireSameLength } from "./input_checks.ts";
import { bootstrapDoubt, errorDoubt, firstDoubt, standardDeviation } from "./reliability.ts";

/** What changes from one basin to another, in units of k_BT: F = U − TS. */
export interface ThermodynamicChange {
  /** F_to − F_from. */
  readonly freeEnergy: FreeEnergyEstimate;
  /** ⟨u⟩_to − ⟨u⟩_from, the change of the mean reduced energy U/k_BT. */
  readonly energy: Estimate;
  /** The change of TS/k_BT = ⟨u⟩ − F. */
  readonly entropy: Estimate;
  /** Covariance of the errors of `freeEnergy` and `energy`; null where one has none. */
  readonly covariance: number | null;
}

/** Free energies, mean energies and entropies of basins. */
export interface BasinThermodynamics extends BasinFreeEnergies {
  /** ⟨u⟩ of every basin; null where it has no estimate. */
  readonly energies: readonly (number | null)[];
  /**
   * What changes from one basin to another, with the joint errors of both.
   *
   * @param from index of the basin that is left
   * @param to index of the basin that is reached
   * @returns changes of free energy, energy and entropy
   */
  change(from: number, to: number): ThermodynamicChange;
}

/**
 * Estimates free energies, mean energies and entropies of basins from flow samples and target samples together.
 *
 *     ⟨u⟩_b = Σ W u / Σ W,   W(x) ∝ e^−u(x) / (n q(x) + m_b e^(F_b − u(x))),   TΔS/k_BT = Δ⟨u⟩ − ΔF
 *
 * F_b as in `basinFreeEnergies`; W are the weights that solve its equations, over all samples in the basin. Errors are
 * joint: a replicate draws flow samples and whole chains anew, solves, and averages with its own weights, so that the
 * error of the entropy is that of a difference, not of two numbers apart. Intervals of energy and entropy use Student's t
 * with as many degrees of freedom as there are chains beyond one for each basin.
 *
 * Units: k_BT at the temperature of u. Reference: Shirts and Chodera, J. Chem. Phys. 129, 124105 (2008), equation 15.
 *
 * @param flow log weights, basins and reduced energies [n] of all flow samples
 * @param data log weights, basins, chains and reduced energies [m] of frames of the target
 * @param options names of the basins, bootstrap
 * @returns what `basinFreeEnergies` returns, mean energies, and the function that takes changes
 * @throws {RangeError} if lists differ in length, or hold values or labels that they must not
 *
 * @example Two basins of equal weight whose energies are 2 and 5: the second has the larger entropy
 * ```ts
 * import { basinThermodynamics } from "@boltzflow/boltzflow";
 * import assert from "node:assert/strict";
 *
 * const basins = Int32Array.from({ length: 400 }, (_, i) => i % 2);
 * const samples = {
 *   logWeights: new Float64Array(400),
 *   basins,
 *   chains: Int32Array.from({ length: 400 }, (_, i) => i % 16),
 *   reducedEnergy: Float64Array.from(basins, (basin) => basin === 0 ? 2 : 5),
 * };
 * const { change } = basinThermodynamics(samples, samples, { names: ["left", "right"] });
 *
 * assert.ok(Math.abs(change(0, 1).energy.value! - 3) < 1e-9);
 * assert.ok(Math.abs(change(0, 1).entropy.value! - 3) < 1e-9);
 * ```
 */
export function basinThermodynamics(
  flow: BasinFlowSamples & { readonly reducedEnergy: Float64Array },
  data: BasinDataSamples & { readonly reducedEnergy: Float64Array },
  options: BasinOptions,
): BasinThermodynamics {
  const task = "estimate energies of basins";
  const { names } = options;
  requireSameLength(task, "flow.reducedEnergy", flow.reducedEnergy.length, "flow.logWeights", flow.logWeights.length);
  requireSameLength(task, "data.reducedEnergy", data.reducedEnergy.length, "data.logWeights", data.logWeights.length);
  const problem = solveBasins(task, flow, data, names);
  const energies = { flow: flow.reducedEnergy, data: data.reducedEnergy };
  requireEnergies(task, problem, energies);
  const settings = resampling(task, options);
  const freeValues = names.map(() => new Float64Array(settings.replicates));
  const meanValues = names.map(() => new Float64Array(settings.replicates));
  replicateBasins(problem, settings, (r, basins) => {
    basins.forEach((basin, b) => {
      freeValues[b][r] = basin ? basin.freeEnergy : NaN;
      meanValues[b][r] = basin ? meanEnergy(problem, b, energies, basin) : NaN;
    });
  });
  const free = summariseBasins(problem, names, freeValues);
  const means = names.map((_, b) => typeof problem.basins[b] === "string" ? null : meanEnergy(problem, b, energies));
  const freedom = problem.chains.count - problem.chains.strata.length;
  return {
    ...free,
    energies: means,
    change(from, to) {
      for (const [name, basin] of Object.entries({ from, to })) {
        requireInteger("take a change between basins", name, basin, 0, names.length - 1);
      }
      const freeEnergy = free.difference(from, to);
      const [first, last] = [means[from], means[to]];
      if (freeEnergy.value === null || first === null || last === null) {
        const none = noEstimate(freeEnergy.reason ?? "a basin has no estimate");
        return { freeEnergy, energy: none, entropy: none, covariance: null };
      }
      const [freeReplicates, replicates] = [freeValues, meanValues].map((values) =>
        values[to].map((value, r) => value - values[from][r])
      );
      const energy = estimate(last - first, replicates, freeEnergy, freedom);
      const entropies = replicates.map((value, r) => value - freeReplicates[r]);
      return {
        freeEnergy,
        energy,
        entropy: estimate(last - first - freeEnergy.value, entropies, freeEnergy, freedom),
        covariance: energy.standardError === null ? null : covarianceOf(freeReplicates, replicates),
      };
    },
  };
}

/** Reduced energies of flow samples and frames. */
interface Energies {
  readonly flow: Float64Array;
  readonly data: Float64Array;
}

/** Refuses energies that enter a mean and are no numbers. */
function requireEnergies(task: string, problem: BasinProblem, energies: Energies): void {
  for (const basin of problem.basins) {
    if (typeof basin === "string") continue;
    for (const [name, index] of [["flow", basin.flowIndex], ["data", basin.dataIndex]] as const) {
      const bad = index.find((i) => !Number.isFinite(energies[name][i]));
      if (bad === undefined) continue;
      throw new RangeError(
        `Cannot ${task}: ${name}.reducedEnergy must be finite where it has weight, got ${
          energies[name][bad]
        } for sample ${bad}`,
      );
    }
  }
}

/** ⟨u⟩ of a basin, in a replicate or (without one) in the samples as they are. */
function meanEnergy(problem: BasinProblem, b: number, energies: Energies, replicate?: BasinReplicate): number {
  const basin = problem.basins[b];
  if (typeof basin === "string") return NaN;
  const { factor, flowWeights, dataWeights } = replicate ?? { factor: 1, flowWeights: null, dataWeights: null };
  let weights = 0;
  let sum = 0;
  const flow = basin.flow.exponentials;
  for (let i = 0; i < flow.length; i++) {
    const exponential = flow[i] * factor;
    const weight = (flowWeights === null ? 1 : flowWeights[i]) * exponential / (1 + exponential);
    weights += weight;
    sum += weight * energies.flow[basin.flowIndex[i]];
  }
  const data = basin.data.exponentials;
  for (let j = 0; j < data.length; j++) {
    const weight = (dataWeights === null ? 1 : dataWeights[j]) / (1 + data[j] / factor);
    weights += weight;
    sum += weight * energies.data[basin.dataIndex[j]];
  }
  return sum / weights;
}

/** An estimate that is no more reliable than the free energy whose weights it uses. */
function estimate(value: number, replicates: Float64Array, freeEnergy: FreeEnergyEstimate, freedom: number): Estimate {
  const standardError = standardDeviation(replicates);
  const reason = firstDoubt([freeEnergy.reason, errorDoubt(standardError), bootstrapDoubt(replicates)]);
  return estimateFrom(value, standardError, { degreesOfFreedom: freedom, reason });
}

/** Covariance over the replicates that gave both values; null if fewer than two did. */
function covarianceOf(a: Float64Array, b: Float64Array): number | null {
  const both = Array.from(a.keys()).filter((r) => Number.isFinite(a[r]) && Number.isFinite(b[r]));
  if (both.length < 2) return null;
  const mean = (values: Float64Array) => both.reduce((sum, r) => sum + values[r], 0) / both.length;
  const [meanA, meanB] = [mean(a), mean(b)];
  return both.reduce((sum, r) => sum + (a[r] - meanA) * (b[r] - meanB), 0) / (both.length - 1);
}
