/**
 * Flows of the oscillator in a box: as published, and inside its walls.
 *
 * @module
 */
import { Chain } from "../../flow/chain.ts";
import { Flow } from "../../flow/flow.ts";
import { Interval } from "../../flow/interval.ts";
import { RealNVP } from "../../flow/real_nvp.ts";
import { BoltzmannGenerator, type WeightedSamples } from "../../hybrid/boltzmann_generator.ts";
import type { BoltzmannStage } from "../../hybrid/boltzmann_objective.ts";
import type { Estimate } from "../../reweighting/estimate.ts";
import { logPartitionFunction } from "../../reweighting/exponential_averaging.ts";
import type { HarmonicOscillatorBox } from "../../system/harmonic_oscillator_box.ts";
import type { HistoryEntry } from "../../training/train.ts";
import { FrameBuffer } from "../../training/frame_buffer.ts";
import { weightedMean } from "../weighted_means.ts";
import type { ExperimentContext, ReproductionBudget } from "./experiment.ts";
import { likelihoodLoss } from "./likelihood_loss.ts";
import { constantRate, trainByRecipe } from "./recipe_training.ts";
import { oscillatorDraws } from "./student_data.ts";

/** Sizes of the experiment. */
export interface OscillatorSettings {
  /** Hidden layers. */
  readonly hidden: readonly number[];
  /** Exact draws to learn from. */
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

/** How a flow is made and taught. */
export interface OscillatorRecipe {
  /** For progress. */
  readonly name: string;
  /** Whether the flow ends in an `Interval`, beyond whose walls it has no mass. */
  readonly walls: boolean;
  /** As published, 250 steps of 128 on data at 1e-4, or more steps on data and energies at 1e-3. */
  readonly training: "published" | "longer" | "none";
}

/** A flow with what was found. */
export interface OscillatorFlow {
  /** The flow. */
  readonly flow: Flow;
  /** J_ML on the way, in the published convention plus ln 2π. */
  readonly history: readonly HistoryEntry[];
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
  const network = new RealNVP({ dim: 2, blocks: 3, hidden: settings.hidden, ...ACTIVATIONS, seed });
  const flow = new Flow(walls ? new Chain([network, new Interval({ bounds: [[0, boxLength], null] })]) : network);
  const buffer = new FrameBuffer({ dim: 2, capacity: data, seed });
  buffer.push(oscillatorDraws(data, system.parameters, seed + 1));
  const { history, energyEvaluations } = training === "none"
    ? { history: [], energyEvaluations: 0 }
    : await trainByRecipe(context, {
      part: `training ${name}`,
      flow,
      system,
      stages: stagesOf(training, settings),
      data: (batch, stage, step) =>
        training === "published"
          ? buffer.batch(batch, stage, step)
          : oscillatorDraws(batch, system.parameters, seed + 100 + step),
      seed,
    });
  const draws = oscillatorDraws(n, system.parameters, seed + 2);
  const boltzmann = new BoltzmannGenerator(flow, system);
  const samples = boltzmann.sample(n, { seed: seed + 3, pool });
  const frames = { logWeights: boltzmann.logWeights(draws, { pool }) };
  const { logPartition } = system.exact(1);
  return {
    flow,
    history,
    samples,
    draws,
    likelihood: likelihoodLoss(flow, draws, context),
    logPartition: logPartitionFunction(samples.logWeights, { frames, seed }),
    divergence: weightedMean(samples.logWeights.map((log) => logPartition - log)),
    energyEvaluations: energyEvaluations + 2 * n,
    seconds: (clock() - start) / 1000,
  };
}

/** Of the students' networks. */
const ACTIVATIONS = { scaleActivation: "relu", shiftActivation: "relu" } as const;

function stagesOf(training: "published" | "longer", settings: OscillatorSettings): BoltzmannStage[] {
  const { publishedSteps, steps, batch } = settings;
  if (training === "published") {
    return [{ name: "data", steps: publishedSteps, batch: 128, learningRate: constantRate(1e-4), weights: ML }];
  }
  return [
    { name: "data", steps, batch, learningRate: { shape: "cosine", initial: 1e-3 }, weights: ML },
    { name: "energies", steps, batch, learningRate: { shape: "cosine", initial: 1e-3 }, weights: KL },
  ];
}
