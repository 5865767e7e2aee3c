/**
 * Training of a flow by a published recipe: stages of steps, counted in energies and processor time.
 *
 * @module
 */
import type { Flow } from "../../flow/flow.ts";
import { boltzmannObjective, type BoltzmannStage, type ReactionCoordinate } from "../../hybrid/boltzmann_objective.ts";
import type { EnergyFunction } from "../../loss/energy.ts";
import { type HistoryEntry, train } from "../../training/train.ts";
import type { ExperimentContext } from "./experiment.ts";

/** What is trained, on what, and how. */
export interface RecipeTraining {
  /** What is being done, for progress. */
  readonly part: string;
  /** The flow; its parameters change in place. */
  readonly flow: Flow;
  /** The energy; kT = 1. */
  readonly system: EnergyFunction;
  /** Stages, in order; each begins with a new optimiser. */
  readonly stages: readonly BoltzmannStage[];
  /** Data for maximum likelihood, see `boltzmannObjective`. */
  readonly data?: (n: number, stage: number, step: number) => Float64Array;
  /** Coordinate that samples are spread along. */
  readonly reactionCoordinate?: ReactionCoordinate;
  /** Seed of the prior samples. */
  readonly seed: number;
  /** Inputs that every step sees, where they are not to be drawn anew: for a stage of energies, prior samples. */
  readonly fixedBatch?: readonly Float64Array[];
  /** Computes a loss that training does not see, for the history. */
  readonly validate?: () => number;
  /** Steps between lines of the history, default 10. */
  readonly reportEvery?: number;
}

/** What a training cost, and how its losses went. */
export interface RecipeOutcome {
  /** Losses, averaged between two lines. */
  readonly history: readonly HistoryEntry[];
  /** Energies with gradients that were evaluated. */
  readonly energyEvaluations: number;
  /** Seconds of processor time. */
  readonly seconds: number;
}

/** A step size that stays, as in all published recipes. */
export function constantRate(initial: number): { readonly shape: "constant"; readonly initial: number } {
  return { shape: "constant", initial };
}

/**
 * Trains a flow.
 *
 * @param context threads, clock, whom to tell, what stops it
 * @param recipe flow, system, stages, data
 * @returns history and cost
 */
export async function trainByRecipe(context: ExperimentContext, recipe: RecipeTraining): Promise<RecipeOutcome> {
  const { part, flow, system, stages, data, reactionCoordinate, seed, fixedBatch, validate, reportEvery = 10 } = recipe;
  const { pool, signal, clock } = context;
  const start = clock();
  const objective = boltzmannObjective({
    flow,
    system,
    beta: 1,
    seed,
    ...data && { data },
    ...reactionCoordinate && { reactionCoordinate },
  });
  const steps = stages.reduce((sum, stage) => sum + stage.steps, 0);
  let done = 0;
  const { position } = await train({
    parameters: flow.parameters(),
    stages,
    objective: (graph, stage, index) => {
      const fresh = objective(graph, stage, index);
      return fixedBatch === undefined ? fresh : { ...fresh, batch: () => fixedBatch };
    },
    reportEvery,
    ...validate && { validate },
    onStep: () => context.onProgress(part, ++done / steps),
    pool,
    ...signal && { signal },
  });
  signal?.throwIfAborted();
  const energyEvaluations = stages.reduce((sum, { weights, steps, batch }) => {
    return sum + (weights.energy === 0 ? 0 : steps * batch);
  }, 0);
  return { history: position.history, energyEvaluations, seconds: (clock() - start) / 1000 };
}
