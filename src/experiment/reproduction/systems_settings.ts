/**
 * Sizes of the experiment on the systems, and what its parts have in common.
 *
 * @module
 */
import type { WeightedSamples } from "../../hybrid/boltzmann_generator.ts";
import { samplingEfficiency } from "../../reweighting/effective_sample_size.ts";
import { samplingEfficiencyInterval } from "../../reweighting/efficiency_interval.ts";
import { type Estimate, noEstimate } from "../../reweighting/estimate.ts";
import { efficiencyDoubt, paretoK } from "../../reweighting/pareto_smoothing.ts";
import type { ExperimentContext, ReproductionBudget } from "./experiment.ts";
import type { ReproducedRow } from "./row.ts";

/** Sizes of training and evaluation of one flow. */
export interface FlowSize {
  /** Steps of training. */
  readonly steps: number;
  /** Samples of a step. */
  readonly batch: number;
  /** Samples of the trained flow. */
  readonly samples: number;
}

/** Sizes for a cluster. */
export interface ClusterSize extends FlowSize {
  /** Density of a particle: with its exact pair energies, or a mixture of Gaussians, which is quick and poor. */
  readonly head: "tilted" | "mixture";
  /** Monte Carlo chains: half train, the others judge. */
  readonly chains: number;
  /** Moves of each chain after burn-in, of all particles at once. */
  readonly moves: number;
  /** Moves between two frames. */
  readonly stride: number;
  /** Frames shown to the flow: images of those of Monte Carlo. */
  readonly images: number;
  /** Lines of the tilted densities' grids per axis. */
  readonly grid: { readonly fine: number; readonly coarse: number };
}

/** Sizes of everything. */
export interface SystemsSettings {
  /** One-dimensional wells and double wells in the plane; their training is followed by half as many steps with energies. */
  readonly wells: FlowSize & { readonly chains: number; readonly moves: number };
  /** Many wells. */
  readonly manyWell: FlowSize & { readonly chains: number; readonly moves: number };
  /** DW4, by preset. */
  readonly doubleWellCluster: Readonly<Record<"koehler2020" | "eacf-fab", ClusterSize>>;
  /** LJ13, by preset. */
  readonly lennardJones: Readonly<Record<"eacf" | "efm", ClusterSize>>;
}

const smokeCluster: ClusterSize = {
  head: "mixture",
  steps: 20,
  batch: 32,
  samples: 256,
  chains: 16,
  moves: 400,
  stride: 40,
  images: 200,
  grid: { fine: 9, coarse: 9 },
};
const dw4: ClusterSize = {
  head: "tilted",
  steps: 600,
  batch: 256,
  samples: 16_384,
  chains: 512,
  moves: 4000,
  stride: 200,
  images: 60_000,
  grid: { fine: 65, coarse: 65 },
};
const lj13: ClusterSize = {
  head: "tilted",
  steps: 400,
  batch: 128,
  samples: 8192,
  chains: 96,
  moves: 120_000,
  stride: 600,
  images: 60_000,
  grid: { fine: 17, coarse: 17 },
};

/** The table of sizes. */
export const systemsSettings: Readonly<Record<ReproductionBudget, SystemsSettings>> = {
  smoke: {
    wells: { steps: 30, batch: 64, samples: 1000, chains: 16, moves: 200 },
    manyWell: { steps: 10, batch: 64, samples: 4000, chains: 64, moves: 200 },
    doubleWellCluster: { "koehler2020": smokeCluster, "eacf-fab": smokeCluster },
    lennardJones: { eacf: smokeCluster, efm: smokeCluster },
  },
  default: {
    wells: { steps: 300, batch: 256, samples: 20_000, chains: 1000, moves: 300 },
    manyWell: { steps: 1000, batch: 512, samples: 100_000, chains: 512, moves: 4000 },
    doubleWellCluster: {
      "koehler2020": dw4,
      "eacf-fab": { ...dw4, steps: 2000, samples: 40_000, chains: 1024, grid: { fine: 129, coarse: 65 } },
    },
    lennardJones: { eacf: lj13, efm: { ...lj13, grid: { fine: 33, coarse: 17 } } },
  },
  paper: {
    wells: { steps: 1000, batch: 1000, samples: 100_000, chains: 4000, moves: 500 },
    manyWell: { steps: 10_000, batch: 1024, samples: 200_000, chains: 512, moves: 20_000 },
    doubleWellCluster: {
      "koehler2020": { ...dw4, steps: 4000, samples: 100_000 },
      "eacf-fab": { ...dw4, steps: 4000, samples: 100_000, chains: 2048, grid: { fine: 129, coarse: 129 } },
    },
    lennardJones: {
      eacf: { ...lj13, steps: 2000, samples: 50_000, moves: 1_000_000, stride: 5000, grid: { fine: 33, coarse: 17 } },
      efm: { ...lj13, steps: 2000, samples: 50_000, moves: 1_000_000, stride: 5000, grid: { fine: 33, coarse: 33 } },
    },
  },
};

/** What a row cost. */
export type Cost = Pick<ReproducedRow, "energyEvaluations" | "seconds">;

/**
 * Starts to count the cost of a part.
 *
 * @param clock of the context
 * @returns tells the cost since then, given the number of energies
 */
export function costOf({ clock }: Pick<ExperimentContext, "clock">): (energyEvaluations: number) => Cost {
  const start = clock();
  return (energyEvaluations) => ({ energyEvaluations, seconds: (clock() - start) / 1000 });
}

/**
 * Tells the sampling efficiency with the interval of a bootstrap; unreliable where the weights are so heavy-tailed that the
 * largest may not have been drawn.
 *
 * @param samples of a generator
 * @returns the efficiency; none if every weight is zero
 */
export function efficiencyOf({ logWeights }: Pick<WeightedSamples, "logWeights">): Estimate {
  const interval95 = samplingEfficiencyInterval(logWeights, { replicates: 200 });
  if (interval95 === null) return noEstimate("every weight is zero");
  const standardError = (interval95[1] - interval95[0]) / 3.92;
  const reason = efficiencyDoubt(paretoK(logWeights));
  return { value: samplingEfficiency(logWeights), standardError, interval95, reliable: reason === null, reason };
}

/** An estimate less a number that is known. */
export function lessKnown(estimate: Estimate, known: number): Estimate {
  const { value, interval95 } = estimate;
  return {
    ...estimate,
    value: value === null ? null : value - known,
    interval95: interval95 === null ? null : [interval95[0] - known, interval95[1] - known],
  };
}
