/**
 * What joins flow, system and training: the Boltzmann generator, its objective, paths through its latent space.
 *
 * In: a flow and a system. Out: weighted samples, losses for `train`, pictures of a transition.
 *
 * Start here: {@link BoltzmannGenerator}.
 *
 * @module
 */
export { BoltzmannGenerator, type Target, type WeightedSamples, type Weights } from "./boltzmann_generator.ts";
export {
  boltzmannObjective,
  type BoltzmannObjectiveOptions,
  type BoltzmannStage,
  type ReactionCoordinate,
} from "./boltzmann_objective.ts";
export {
  refinementObjective,
  type RefinementOptions,
  type RefinementStage,
  type WeightedBatch,
  weightedBatch,
} from "./refinement.ts";
export {
  type VariationalBatch,
  variationalBatch,
  variationalObjective,
  type VariationalOptions,
} from "./variational.ts";
export {
  latentPath,
  type LatentPathOptions,
  type LowestLatentPath,
  lowestLatentPath,
  type LowestLatentPathOptions,
} from "./latent_path.ts";
export {
  latentMetropolis,
  type LatentMove,
  type LatentMoveOptions,
  type LatentTarget,
  type Walkers,
} from "./latent_metropolis.ts";
export {
  type Basins,
  type Exploration,
  type ExplorationOptions,
  type ExplorationState,
  explore,
} from "./exploration.ts";
export type { ExplorationHistory } from "./exploration_history.ts";
export type { LatentStepRule } from "./exploration_step.ts";
export {
  freeEnergyDifferenceBetween,
  type GeneratedState,
  type StateFrames,
  type StateFreeEnergy,
  type TwoGeneratorDifference,
  type TwoGeneratorOptions,
} from "./two_generators.ts";
export {
  flowMonteCarlo,
  type FlowMonteCarloOptions,
  type FlowMonteCarloResult,
  type MoveStatistics,
} from "./flow_monte_carlo.ts";
export type { IndependenceMoves, LatentMoves } from "./flow_moves.ts";
export type { LocalMoves } from "./local_moves.ts";
export type { FlowMoveKind, TurnCounts } from "./move_kernel.ts";
export { autocorrelationEstimate } from "./autocorrelation_estimate.ts";
export type { LabelledSystem } from "./label_representatives.ts";
