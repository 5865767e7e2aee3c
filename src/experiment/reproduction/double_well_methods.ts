/**
 * The published ways to teach a flow the double well: networks, losses and sizes.
 *
 * @module
 */
import { couplingChain } from "../../flow/coupling_chain.ts";
import { Flow } from "../../flow/flow.ts";
import { column } from "../../graph/operations.ts";
import type { BoltzmannStage } from "../../hybrid/boltzmann_objective.ts";
import { freeEnergyProfile } from "../../reweighting/free_energy_profile.ts";
import type { FreeEnergyProfile } from "../../reweighting/profile_band.ts";
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
  /** The same for NICE with KL + RC, which the published notebook taught with more. */
  readonly largeBatch: number;
  /** Trainings of each kind, from data and start values of their own; two or more, since their scatter is the error. */
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
    largeBatch: 320,
    trainings: 2,
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
    largeBatch: 2048,
    trainings: 3,
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
    largeBatch: 2048,
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

/**
 * Says how many samples a step of the second stage has.
 *
 * @param settings sizes
 * @param flow network
 * @param method weights of the losses
 * @returns published 1000, but 2048 for NICE with KL + RC
 */
export function secondBatchOf(
  { secondBatch, largeBatch }: MethodSettings,
  flow: FlowName,
  method: MethodName,
): number {
  return flow === "NICE" && method === "KL + RC" ? largeBatch : secondBatch;
}

/** What was found of a trained flow: plain data, which a run keeps. */
export interface TrainedMethod {
  /** Free energies and the loss. */
  readonly evaluation: Pick<BasinEvaluation, "reweighted" | "bennett" | "klLoss">;
  /** Errors of the profile of each set of samples. */
  readonly errors: readonly ProfileErrors[];
  /** Profiles of the first set, raw and reweighted; of the first training alone, which is the one that is drawn. */
  readonly profiles: { readonly raw: FreeEnergyProfile; readonly reweighted: FreeEnergyProfile } | null;
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
  const { hidden, dataSteps, firstSteps, secondSteps, sets, samples, replicates } = settings;
  const start = context.clock();
  const seed = context.seed + 101 * repeat;
  const data = wellData(seed, dataSteps);
  const buffer = new FrameBuffer({ dim: 2, capacity: data.chain.length, seed });
  buffer.push(data.x);
  const flow = new Flow(couplingChain(FLOWS[name], { dim: 2, hidden, seed }));
  const common = { learningRate: constantRate(1e-3), softening: { highEnergy: 100, maxEnergy: 1e10 } };
  const [first, second] = METHODS[method];
  const { energyEvaluations } = await trainByRecipe(context, {
    part: `training ${name}, ${method}, ${repeat + 1} of ${settings.trainings}`,
    flow,
    system: doubleWell,
    stages: [
      { ...common, name: "first", steps: firstSteps, batch: 128, weights: first },
      { ...common, name: "second", steps: secondSteps, batch: secondBatchOf(settings, name, method), weights: second },
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
  const set = (k: number) => {
    const [from, to] = [k * samples, (k + 1) * samples];
    const { x, logWeights } = evaluation.samples;
    return [coordinateOf(x.subarray(2 * from, 2 * to), 0), logWeights.subarray(from, to)] as const;
  };
  const exact = wellProfile();
  const errors = Array.from(
    { length: sets },
    (_, k) => profileErrors(...set(k), { edges: wellEdges, exact, replicates, seed: seed + k }),
  );
  const { reweighted, bennett, klLoss } = evaluation;
  return {
    evaluation: { reweighted, bennett, klLoss },
    errors,
    profiles: repeat === 0 ? profilesOf(...set(0), replicates) : null,
    energyEvaluations: energyEvaluations + data.energyEvaluations + evaluation.energyEvaluations,
    seconds: (context.clock() - start) / 1000,
  };
}

function profilesOf(coordinate: Float64Array, logWeights: Float64Array, replicates: number) {
  const options = { edges: wellEdges, replicates };
  return {
    raw: freeEnergyProfile(coordinate, new Float64Array(coordinate.length), options),
    reweighted: freeEnergyProfile(coordinate, logWeights, options),
  };
}
