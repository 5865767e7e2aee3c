/**
 * What joins flow, system and training: the Boltzmann generator, its objective, paths through its latent space.
 *
 * Start at `boltzmann_generator.ts`.
 *
 * @module
 */
export { BoltzmannGenerator, type Target, type WeightedSamples } from "./boltzmann_generator.ts";
export {
  boltzmannObjective,
  type BoltzmannObjectiveOptions,
  type BoltzmannStage,
  type ReactionCoordinate,
} from "./boltzmann_objective.ts";
export { latentPath } from "./latent_path.ts";
