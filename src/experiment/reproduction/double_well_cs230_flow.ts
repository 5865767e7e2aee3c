/**
 * The flow of the CS-230 report for the double well, trained as it was and with one flaw mended.
 *
 * @module
 */
import { Flow } from "../../flow/flow.ts";
import { NormalPrior } from "../../flow/prior.ts";
import { BoltzmannGenerator } from "../../hybrid/boltzmann_generator.ts";
import type { Estimate } from "../../reweighting/estimate.ts";
import type { HistoryEntry } from "../../training/train.ts";
import { weightedMean } from "../weighted_means.ts";
import { type BasinEvaluation, evaluateBasins, type EvaluationFrames, klLoss } from "./basin_evaluation.ts";
import { doubleWell, wells } from "./double_well_basins.ts";
import type { ExperimentContext, ReproductionBudget } from "./experiment.ts";
import { likelihoodLoss } from "./likelihood_loss.ts";
import { constantRate, trainByRecipe } from "./recipe_training.ts";
import { twoGaussians } from "./student_data.ts";
import { studentRealNVP } from "./student_flow.ts";
import { HALF_LOG_TWO_PI } from "../../random/elementary.ts";

/** Sizes of the experiment. */
export interface Cs230Settings {
  /** Hidden layers. */
  readonly hidden: readonly number[];
  /** Data, all of which every step sees. */
  readonly data: number;
  /** Steps on data, and as many on energies. */
  readonly steps: number;
  /** Prior samples of a step on energies. */
  readonly batch: number;
  /** Samples of the flow. */
  readonly samples: number;
  /** Independent samples for the loss during training. */
  readonly validation: number;
  /** Bins of the profile. */
  readonly bins: number;
  /** Trainings as published from other seeds, which show what is chance. */
  readonly repeats: number;
}

const PUBLISHED: Cs230Settings = {
  hidden: [256, 256],
  data: 1000,
  steps: 100,
  batch: 2000,
  samples: 500_000,
  validation: 4000,
  bins: 200,
  repeats: 8,
};

/** Sizes by budget; published ones are small. */
export const cs230Settings: { readonly [budget in ReproductionBudget]: Cs230Settings } = {
  smoke: {
    hidden: [24, 24],
    data: 1000,
    steps: 40,
    batch: 400,
    samples: 4000,
    validation: 400,
    bins: 40,
    repeats: 2,
  },
  default: PUBLISHED,
  paper: { ...PUBLISHED, repeats: 20 },
};

/** Loss on energies at a step. */
export interface LossPoint {
  /** Step of this stage. */
  readonly step: number;
  /** Mean over the prior samples of training since the point before. */
  readonly training: number;
  /** The same on samples that training does not see. */
  readonly independent: number;
}

/** A trained flow with what was found. */
export interface Cs230Flow {
  /** The flow. */
  readonly flow: Flow;
  /** The data that it was shown [n, 2]. */
  readonly data: Float64Array;
  /** J_ML after the stage on data: of the data shown, and of fresh ones. */
  readonly likelihood: { readonly shown: Estimate; readonly fresh: Estimate };
  /** J_KL during the stage on energies. */
  readonly losses: readonly LossPoint[];
  /** J_KL of the prior samples that training saw, as published: a mean of u − ln R. */
  readonly trainingLoss: Estimate;
  /** Free energies, and J_KL on independent samples. */
  readonly evaluation: BasinEvaluation;
  /** Energies: training, samples, frames. */
  readonly energyEvaluations: number;
  /** Seconds of processor time. */
  readonly seconds: number;
}

/** Energies above 10⁴ are softened, as published. */
const SOFTENING = { highEnergy: 1e4, maxEnergy: 1e10 };
/** Steps between two points of the losses. */
const REPORT_EVERY = 5;

/** How a training is made, beside its sizes. */
export interface Cs230Training {
  /** Of data, start values and prior samples. */
  readonly seed: number;
  /** Whether prior samples are drawn once, as published, or anew in each step. */
  readonly fixed: boolean;
  /** For progress. */
  readonly name: string;
  /** Done between the two stages. */
  readonly onData?: (flow: Flow, data: Float64Array) => void;
  /** Computes a loss that training does not see, see `trainByRecipe`. */
  readonly validate?: (flow: Flow) => number;
}

/** A trained flow and what it was trained on. */
export interface Cs230Trained {
  /** The flow. */
  readonly flow: Flow;
  /** The data that it was shown [n, 2]. */
  readonly data: Float64Array;
  /** Prior samples that are drawn once [n, 2]. */
  readonly z: Float64Array;
  /** Losses during the stage on energies. */
  readonly history: readonly HistoryEntry[];
  /** Energies of training. */
  readonly energyEvaluations: number;
}

/**
 * Trains the students' flow: 100 steps on data, then 100 on energies.
 *
 * @param context threads, clock
 * @param settings sizes
 * @param training seed, which prior samples, what is done on the way
 * @returns the flow
 */
export async function teachCs230(
  context: ExperimentContext,
  settings: Cs230Settings,
  { seed, fixed, name, onData, validate }: Cs230Training,
): Promise<Cs230Trained> {
  const { hidden, steps, batch } = settings;
  const data = twoGaussians(settings.data, seed + 1);
  const flow = new Flow(studentRealNVP({ hidden, seed }));
  const recipe = { flow, system: doubleWell, data: () => data, seed, reportEvery: REPORT_EVERY };
  const stage = { steps, learningRate: constantRate(1e-3), softening: SOFTENING };
  const weights = { maximumLikelihood: 1, energy: 0, reactionCoordinate: 0 };
  await trainByRecipe(context, {
    ...recipe,
    part: `${name}: data`,
    stages: [{ ...stage, name: "data", batch: settings.data, weights }],
  });
  onData?.(flow, data);
  const z = new NormalPrior(2).sample(batch, seed + 3);
  const { history, energyEvaluations } = await trainByRecipe(context, {
    ...recipe,
    part: `${name}: energies`,
    stages: [{ ...stage, name: "energies", batch, weights: { ...weights, maximumLikelihood: 0, energy: 1 } }],
    ...fixed && { fixedBatch: [z] },
    ...validate && { validate: () => validate(flow) },
  });
  return { flow, data, z, history, energyEvaluations };
}

/**
 * Trains the flow and evaluates it.
 *
 * @param context seed, threads, clock
 * @param settings sizes
 * @param fixed whether prior samples are drawn once, as published, or anew in each step
 * @param frames of both wells, unseen by training
 * @returns what was found
 */
export async function trainCs230(
  context: ExperimentContext,
  settings: Cs230Settings,
  fixed: boolean,
  frames: EvaluationFrames,
): Promise<Cs230Flow> {
  const { clock, pool, seed } = context;
  const { batch, samples, validation } = settings;
  const start = clock();
  const name = fixed ? "fixed z" : "fresh z";
  let likelihood: Cs230Flow["likelihood"];
  const { flow, data, z, history, energyEvaluations } = await teachCs230(context, settings, {
    seed,
    fixed,
    name,
    onData(flow, data) {
      const fresh = twoGaussians(100 * settings.data, seed + 2);
      likelihood = { shown: likelihoodLoss(flow, data, context), fresh: likelihoodLoss(flow, fresh, context) };
    },
    validate(flow) {
      const generator = new BoltzmannGenerator(flow, doubleWell);
      return klLoss(generator.sample(validation, { seed: seed + 4, pool }), 2).value!;
    },
  });
  context.onProgress(`${name}: evaluation`, 0);
  const evaluation = evaluateBasins(context, flow, doubleWell, wells, frames, { samples, seed: seed + 5 });
  const losses = history.map(({ step, losses, validation }) => ({
    step,
    training: losses.energy + PRIOR_ENTROPY,
    independent: validation!,
  }));
  return {
    flow,
    data,
    likelihood: likelihood!,
    losses,
    trainingLoss: publishedLoss(flow, z, context),
    evaluation,
    energyEvaluations: energyEvaluations + evaluation.energyEvaluations + validation * losses.length + batch,
    seconds: (clock() - start) / 1000,
  };
}

/** Entropy of two normal numbers, which the published loss leaves out. */
const PRIOR_ENTROPY = 1 + 2 * HALF_LOG_TWO_PI;

/** ⟨u − ln R⟩ over given z: ln R = ln p_Z(z) − ln p_X(x). */
function publishedLoss(flow: Flow, z: Float64Array, { pool }: ExperimentContext): Estimate {
  const { x, logProb } = flow.decode(z, { pool });
  return weightedMean(
    doubleWell.energy(x).map((u, i) => {
      const logPrior = -(z[2 * i] ** 2 + z[2 * i + 1] ** 2) / 2 - Math.log(2 * Math.PI);
      return u + logProb[i] - logPrior;
    }),
  );
}
