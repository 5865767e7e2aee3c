/**
 * The published ways to teach a flow the double well: networks, losses and sizes.
 *
 * @module
 */
import { couplingChain } from "../../flow/coupling_chain.ts";
import { Flow } from "../../flow/flow.ts";
import { column } from "../../graph/operations.ts";
import type { BoltzmannStage } from "../../hybrid/boltzmann_objective.ts";
import { FrameBuffer } from "../../training/frame_buffer.ts";
import { type BasinEvaluation, evaluateBasins, type EvaluationFrames } from "./basin_evaluation.ts";
import { coordinateOf, doubleWell, wellData, wellEdges, wellProfile, wells } from "./double_well_basins.ts";
import type { ExperimentContext, ReproductionBudget } from "./experiment.ts";
import { type ProfileErrors, profileErrors } from "./profile_errors.ts";
import { constantRate, trainByRecipe } from "./recipe_training.ts";

/** Sizes of the experiment. */
export interface MethodSettings {
  /** Hidden layers. */
  readonly hidden: readonly number[];
  /** Steps of each Monte Carlo chain of data. */
  readonly dataSteps: number;
  /** First stage: steps of 128. */
  readonly firstSteps: number;
  /** Second stage: steps. */
  readonly secondSteps: number;
  /** Second stage: samples of a step. */
  readonly secondBatch: number;
  /** Trainings of each kind from other seeds. */
  readonly trainings: number;
  /** Sets of samples from which errors of profiles are found, for each training. */
  readonly sets: number;
  /** Samples of a set. */
  readonly samples: number;
  /** Bootstrap replicates of profiles. */
  readonly replicates: number;
}

/** Sizes by budget. */
export const methodSettings: { readonly [budget in ReproductionBudget]: MethodSettings } = {
  smoke: {
    hidden: [16, 16],
    dataSteps: 1000,
    firstSteps: 40,
    secondSteps: 40,
    secondBatch: 256,
    trainings: 1,
    sets: 2,
    samples: 1000,
    replicates: 20,
  },
  default: {
    hidden: [100, 100],
    dataSteps: 10_000,
    firstSteps: 200,
    secondSteps: 500,
    secondBatch: 1000,
    trainings: 1,
    sets: 4,
    samples: 100_000,
    replicates: 100,
  },
  paper: {
    hidden: [100, 100],
    dataSteps: 10_000,
    firstSteps: 200,
    secondSteps: 500,
    secondBatch: 1000,
    trainings: 5,
    sets: 4,
    samples: 100_000,
    replicates: 100,
  },
};

/** Networks in the papers' letters. */
export const FLOWS = { NICE: "NNNNS", RealNVP: "RRRR" } as const;
/** Name of a network. */
export type FlowName = keyof typeof FLOWS;

type Weights = BoltzmannStage["weights"];
const ML: Weights = { maximumLikelihood: 1, energy: 0, reactionCoordinate: 0 };
const KL: Weights = { maximumLikelihood: 0, energy: 1, reactionCoordinate: 0 };

/** Weights of the losses in both stages, as published where they were. */
export const METHODS = {
  "ML": [ML, ML],
  "KL": [KL, KL],
  "ML + KL": [ML, { maximumLikelihood: 1, energy: 1, reactionCoordinate: 0 }],
  "KL + RC": [ML, { maximumLikelihood: 0.01, energy: 1, reactionCoordinate: 1 }],
} as const satisfies Record<string, readonly [Weights, Weights]>;
/** Name of a method. */
export type MethodName = keyof typeof METHODS;

/** A trained flow with what was found. */
export interface TrainedMethod {
  /** Free energies and the loss. */
  readonly evaluation: BasinEvaluation;
  /** Errors of the profile of each set of samples. */
  readonly errors: readonly ProfileErrors[];
  /** Energies: data, training, samples, frames. */
  readonly energyEvaluations: number;
  /** Seconds of processor time for the same. */
  readonly seconds: number;
}

/**
 * Trains a flow on fresh data and evaluates it.
 *
 * @param context seed, threads, clock
 * @param settings sizes
 * @param name of the network
 * @param method weights of the losses
 * @param frames of both wells, unseen by training
 * @param repeat number of the training: each has its own data, start and samples
 * @returns what was found
 */
export async function trainMethod(
  context: ExperimentContext,
  settings: MethodSettings,
  name: FlowName,
  method: MethodName,
  frames: EvaluationFrames,
  repeat: number,
): Promise<TrainedMethod> {
  const { hidden, dataSteps, firstSteps, secondSteps, secondBatch, sets, samples, replicates } = settings;
  const start = context.clock();
  const seed = context.seed + 101 * repeat;
  const data = wellData(seed, dataSteps);
  const buffer = new FrameBuffer({ dim: 2, capacity: data.chain.length, seed });
  buffer.push(data.x);
  const flow = new Flow(couplingChain(FLOWS[name], { dim: 2, hidden, seed }));
  const learningRate = constantRate(1e-3);
  const softening = { highEnergy: 100, maxEnergy: 1e10 };
  const [first, second] = METHODS[method];
  const { energyEvaluations } = await trainByRecipe(context, {
    part: `training ${name}, ${method}`,
    flow,
    system: doubleWell,
    stages: [
      { name: "first", steps: firstSteps, batch: 128, learningRate, weights: first, softening },
      { name: "second", steps: secondSteps, batch: secondBatch, learningRate, weights: second, softening },
    ],
    data: (n, stage, step) => buffer.batch(n, stage, step),
    reactionCoordinate: { of: (x) => column(x, 0), bounds: [-2.5, 2.5] },
    seed,
  });
  context.onProgress(`evaluating ${name}, ${method}`, 0);
  const evaluation = evaluateBasins(context, flow, doubleWell, wells, frames, {
    samples: sets * samples,
    seed: seed + 2,
  });
  flow.release();
  const errors = Array.from({ length: sets }, (_, k) => {
    const [from, to] = [k * samples, (k + 1) * samples];
    const { x, logWeights } = evaluation.samples;
    return profileErrors(coordinateOf(x.subarray(2 * from, 2 * to), 0), logWeights.subarray(from, to), {
      edges: wellEdges,
      exact: wellProfile(),
      replicates,
      seed: seed + k,
    });
  });
  return {
    evaluation,
    errors,
    energyEvaluations: energyEvaluations + data.energyEvaluations + evaluation.energyEvaluations,
    seconds: (context.clock() - start) / 1000,
  };
}
