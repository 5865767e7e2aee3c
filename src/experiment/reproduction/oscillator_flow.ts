/**
 * Flows of the oscillator in a box: as published, and inside its walls.
 *
 * @module
 */
import { Chain } from "../../flow/chain.ts";
import { Flow } from "../../flow/flow.ts";
import { Interval } from "../../flow/interval.ts";
import { BoltzmannGenerator, type WeightedSamples } from "../../hybrid/boltzmann_generator.ts";
import type { BoltzmannStage } from "../../hybrid/boltzmann_objective.ts";
import type { Estimate } from "../../reweighting/estimate.ts";
import { logPartitionFunction } from "../../reweighting/exponential_averaging.ts";
import type { HarmonicOscillatorBox } from "../../system/harmonic_oscillator_box.ts";
import type { HistoryEntry } from "../../training/train.ts";
import { weightedMean } from "../weighted_means.ts";
import type { ExperimentContext, ReproductionBudget } from "./experiment.ts";
import { likelihoodLoss } from "./likelihood_loss.ts";
import { constantRate, trainByRecipe } from "./recipe_training.ts";
import { oscillatorDraws } from "./student_data.ts";
import { studentRealNVP } from "./student_flow.ts";

/** Sizes of the experiment. */
export interface OscillatorSettings {
  /** Hidden layers of the students' networks, see {@link studentRealNVP}. */
  readonly hidden: readonly number[];
  /** Exact draws to learn from, a multiple of 128. */
  readonly data: number;
  /** Published steps of 128 at 1e-4. */
  readonly publishedSteps: number;
  /** Steps on fresh data, and then on energies. */
  readonly steps: number;
  /** Samples of such a step. */
  readonly batch: number;
  /** Samples of each flow. */
  readonly samples: number;
}

const PUBLISHED: OscillatorSettings = {
  hidden: [100, 100],
  data: 3200,
  publishedSteps: 250,
  steps: 500,
  batch: 1000,
  samples: 100_000,
};

/** Sizes by budget; published ones are small. */
export const oscillatorSettings: { readonly [budget in ReproductionBudget]: OscillatorSettings } = {
  smoke: { hidden: [16, 16], data: 640, publishedSteps: 25, steps: 50, batch: 256, samples: 4000 },
  default: PUBLISHED,
  paper: PUBLISHED,
};

/** Samples of a published step. */
export const PUBLISHED_BATCH = 128;
/** Of 250 steps the report prints the loss after 100 and 200. */
const PRINTED = [0.4, 0.8];

/**
 * Names the steps whose loss is printed in the report.
 *
 * @param settings sizes
 * @returns 100 and 200 of 250 steps
 */
export function printedSteps({ publishedSteps }: OscillatorSettings): readonly number[] {
  return PRINTED.map((share) => Math.round(share * publishedSteps));
}

/** How a flow is made and taught. */
export interface OscillatorRecipe {
  /** For progress. */
  readonly name: string;
  /** Whether the flow ends in an `Interval`, beyond whose walls it has no mass. */
  readonly walls: boolean;
  /** As published, ten times through the data in 250 steps of 128 at 1e-4, or more steps on data and energies at 1e-3. */
  readonly training: "published" | "longer" | "none";
}

/** A flow with what was found. */
export interface OscillatorFlow {
  /** The flow. */
  readonly flow: Flow;
  /** J_ML on the way, in the published convention plus ln 2π. */
  readonly history: readonly HistoryEntry[];
  /** After each line of the history of the published training, J_ML of draws that it does not see. */
  readonly likelihoods: readonly Estimate[];
  /** How many draws these are of. */
  readonly unseen: number;
  /** Independent samples with weights. */
  readonly samples: WeightedSamples;
  /** Fresh exact draws [n, 2]. */
  readonly draws: Float64Array;
  /** J_ML of the draws as published; without a value where one of them has no density. */
  readonly likelihood: Estimate;
  /** ln Z by reweighting. */
  readonly logPartition: Estimate;
  /** KL(flow ‖ exact) = ⟨u + ln p_X⟩ + ln Z. */
  readonly divergence: Estimate;
  /** Energies: training and samples. */
  readonly energyEvaluations: number;
  /** Seconds of processor time. */
  readonly seconds: number;
}

const ML: BoltzmannStage["weights"] = { maximumLikelihood: 1, energy: 0, reactionCoordinate: 0 };
const KL: BoltzmannStage["weights"] = { maximumLikelihood: 0, energy: 1, reactionCoordinate: 0 };

/**
 * Makes, trains and examines a flow.
 *
 * @param context seed, threads, clock
 * @param settings sizes
 * @param system spring and box
 * @param recipe how
 * @returns what was found
 */
export async function oscillatorFlow(
  context: ExperimentContext,
  settings: OscillatorSettings,
  system: HarmonicOscillatorBox,
  { name, walls, training }: OscillatorRecipe,
): Promise<OscillatorFlow> {
  const { seed, clock, pool } = context;
  const { data, samples: n } = settings;
  const start = clock();
  const { boxLength } = system.parameters;
  const network = studentRealNVP({ hidden: settings.hidden, seed });
  const flow = new Flow(walls ? new Chain([network, new Interval({ bounds: [[0, boxLength], null] })]) : network);
  const published = training === "published";
  const seen = oscillatorDraws(data, system.parameters, seed + 1);
  const unseen = oscillatorDraws(n / 10, system.parameters, seed + 4);
  const likelihoods: Estimate[] = [];
  const validate = () => {
    likelihoods.push(likelihoodLoss(flow, unseen, context));
    return likelihoods[likelihoods.length - 1].value!;
  };
  const { history, energyEvaluations } = training === "none"
    ? { history: [], energyEvaluations: 0 }
    : await trainByRecipe(context, {
      part: `training ${name}`,
      flow,
      system,
      stages: stagesOf(training, settings),
      data: (batch, _stage, step) =>
        published ? inTurn(seen, batch, step) : oscillatorDraws(batch, system.parameters, seed + 100 + step),
      seed,
      ...published && { validate },
    });
  const draws = oscillatorDraws(n, system.parameters, seed + 2);
  const boltzmann = new BoltzmannGenerator(flow, system);
  const samples = boltzmann.sample(n, { seed: seed + 3, pool });
  const frames = { logWeights: boltzmann.logWeights(draws, { pool }) };
  const { logPartition } = system.exact(1);
  return {
    flow,
    history,
    likelihoods,
    unseen: unseen.length / 2,
    samples,
    draws,
    likelihood: likelihoodLoss(flow, draws, context),
    logPartition: logPartitionFunction(samples.logWeights, { frames, seed }),
    divergence: weightedMean(samples.logWeights.map((log) => logPartition - log)),
    energyEvaluations: energyEvaluations + 2 * n,
    seconds: (clock() - start) / 1000,
  };
}

/** Batches of data [n, 2] one after the other, and again from the first: the students' loader does not shuffle. */
function inTurn(data: Float64Array, batch: number, step: number): Float64Array {
  const from = 2 * batch * step % data.length;
  return data.slice(from, from + 2 * batch);
}

function stagesOf(training: "published" | "longer", settings: OscillatorSettings): BoltzmannStage[] {
  const { publishedSteps, steps, batch } = settings;
  if (training === "published") {
    return [{
      name: "data",
      steps: publishedSteps,
      batch: PUBLISHED_BATCH,
      learningRate: constantRate(1e-4),
      weights: ML,
    }];
  }
  return [
    { name: "data", steps, batch, learningRate: { shape: "cosine", initial: 1e-3 }, weights: ML },
    { name: "energies", steps, batch, learningRate: { shape: "cosine", initial: 1e-3 }, weights: KL },
  ];
}
