import type { BasinFreeEnergies, BasinOptions } from "./basin_free_energies.ts";
import { summariseBasins } from "./basin_free_energies.ts";
import {
  type BasinDataSamples,
  type BasinFlowSamples,
  type BasinProblem,
  type BasinReplicate,
  replicateBasins,
  solveBasins,
} from "./basin_problem.ts";
import { BinnedWeights, sharesOf } from "./binned_weights.ts";
import { resampling } from "./bootstrap.ts";
import { requireEdges, requireFinite, requireSameLength } from "./input_checks.ts";
import { binOf, type FreeEnergyProfile, profileFromMasses } from "./profile_band.ts";

/** Where `combinedProfile` puts its bins, beside what `basinFreeEnergies` takes. */
export interface CombinedProfileOptions extends BasinOptions {
  /** Rising bin edges, [bins + 1]; a value on an edge belongs to the bin above it. */
  readonly edges: Float64Array;
}

/** A profile over all basins, and the free energies of the basins from the same replicates. */
export interface CombinedProfile extends BasinFreeEnergies {
  /** F(d) over the basins that have an estimate; null when none has. */
  readonly profile: FreeEnergyProfile | null;
}

/**
 * Estimates a free-energy profile from flow samples and target samples of every basin together.
 *
 *     weight of x in basin b ∝ e^−u(x) / (n q(x) + m_b e^(F_b − u(x)))
 *
 * These are the weights of the multistate Bennett acceptance ratio for the flow (normalised, n samples) and the target
 * restricted to each basin (m_b frames, F_b unknown). Because basins do not intersect, the equations split into one
 * Bennett equation per basin. Where frames are plentiful they decide, where only the flow goes (between the basins) its
 * samples do, and the flow joins the basins. The band resamples flow samples and whole chains and solves again.
 *
 * Units: F in k_BT (density per unit of d); zero as in `freeEnergyProfile`. Reference: Shirts and Chodera, J. Chem. Phys.
 * 129, 124105 (2008), equation 15, for the weights.
 *
 * @param flow log weights, basins and coordinate [n] of all flow samples
 * @param data log weights, basins, chains and coordinate [m] of frames of the target
 * @param options bin edges, names of the basins, bootstrap
 * @returns the profile with its band, and what `basinFreeEnergies` returns
 * @throws {RangeError} if lists differ in length, or hold values or labels that they must not
 */
export function combinedProfile(
  flow: BasinFlowSamples & { readonly coordinate: Float64Array },
  data: BasinDataSamples & { readonly coordinate: Float64Array },
  options: CombinedProfileOptions,
): CombinedProfile {
  const task = "estimate a profile from flow and data";
  const { edges, names } = options;
  requireEdges(task, edges);
  requireSameLength(task, "flow.coordinate", flow.coordinate.length, "flow.logWeights", flow.logWeights.length);
  requireSameLength(task, "data.coordinate", data.coordinate.length, "data.logWeights", data.logWeights.length);
  requireFinite(task, flow.coordinate, "flow.coordinate");
  requireFinite(task, data.coordinate, "data.coordinate");
  const bins = edges.length - 1;
  const column = (value: number) => {
    const bin = binOf(edges, value);
    return bin < 0 ? bins : bin;
  };
  const flowColumns = Int32Array.from(flow.coordinate, column);
  const dataColumns = Int32Array.from(data.coordinate, column);
  const problem = solveBasins(task, flow, data, names, flowColumns);
  const settings = resampling(task, options);

  const values = names.map(() => new Float64Array(settings.replicates));
  const masses = new Float64Array(settings.replicates * bins);
  const sums = new Float64Array(bins + 1);
  const lowest = lowestShift(problem);
  replicateBasins(problem, settings, (r, basins) => {
    basins.forEach((basin, b) => values[b][r] = basin ? basin.freeEnergy : NaN);
    sums.fill(0);
    basins.forEach((basin, b) => basin && addReplicate(problem, b, basin, { flowColumns, dataColumns, lowest, sums }));
    masses.set(sharesOf(sums), r * bins);
  });
  const binned = binSamples(problem, bins, flowColumns, dataColumns);
  const found = binned.totals().some((total) => total > 0);
  const freedom = binned.degreesOfFreedom(problem.n);
  const profile = found
    ? profileFromMasses(edges, sharesOf(binned.totals()), masses, binned.effectiveSamples(), freedom)
    : null;
  return { ...summariseBasins(problem, names, values), profile };
}

/** The smallest c of all basins, which weights exp(−c) are taken relative to. */
function lowestShift(problem: BasinProblem): number {
  return problem.basins.reduce(
    (least, basin) => typeof basin === "string" ? least : Math.min(least, basin.c),
    Infinity,
  );
}

/** Weights e^−c σ(c + ln w) of all samples at the solution, by bin; the factor 1/n is common to all. */
function binSamples(
  problem: BasinProblem,
  bins: number,
  flowColumns: Int32Array,
  dataColumns: Int32Array,
): BinnedWeights {
  const binned = new BinnedWeights(problem.chains, bins);
  const lowest = lowestShift(problem);
  for (const basin of problem.basins) {
    if (typeof basin === "string") continue;
    const scale = Math.exp(lowest - basin.c);
    basin.flow.occupations().forEach((occupation, i) => {
      binned.add(flowColumns[basin.flowIndex[i]], scale * occupation);
    });
    basin.data.exponentials.forEach((exponential, j) => {
      binned.addToBlock(basin.chainOf[j], dataColumns[basin.dataIndex[j]], scale / (1 + exponential));
    });
  }
  return binned;
}

interface ReplicateSums {
  readonly flowColumns: Int32Array;
  readonly dataColumns: Int32Array;
  readonly lowest: number;
  readonly sums: Float64Array;
}

function addReplicate(problem: BasinProblem, b: number, replicate: BasinReplicate, into: ReplicateSums): void {
  const basin = problem.basins[b];
  if (typeof basin === "string") return;
  const { flowColumns, dataColumns, lowest, sums } = into;
  const { factor, flowWeights, dataWeights } = replicate;
  const scale = Math.exp(lowest - replicate.c);
  const flow = basin.flow.exponentials;
  for (let i = 0; i < flow.length; i++) {
    if (flowWeights[i] === 0) continue;
    const exponential = flow[i] * factor;
    sums[flowColumns[basin.flowIndex[i]]] += scale * flowWeights[i] * exponential / (1 + exponential);
  }
  const data = basin.data.exponentials;
  for (let j = 0; j < data.length; j++) {
    if (dataWeights[j] === 0) continue;
    sums[dataColumns[basin.dataIndex[j]]] += scale * dataWeights[j] / (1 + data[j] / factor);
  }
}
