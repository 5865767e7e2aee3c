/**
 * Stage 4 of 8: what is minimised.
 *
 * In: a flow and data, an energy, or a reaction coordinate. Out: scalars in a graph, to be weighted and summed.
 *
 * Start here: {@link maximumLikelihoodLoss} and {@link energyLoss}.
 *
 * @module
 */
export {
  type Density,
  importanceWeightedLikelihoodLoss,
  maximumLikelihoodLoss,
  weightedMaximumLikelihoodLoss,
} from "./maximum_likelihood.ts";
export {
  type EnergyFunction,
  energyLoss,
  linLogCut,
  negativeLogWeights,
  reducedEnergyOperation,
  type Softening,
  type Transport,
} from "./energy.ts";
export {
  reactionCoordinateLoss,
  reactionCoordinateOperation,
  type ReactionCoordinateOptions,
} from "./reaction_coordinate.ts";
export { logWeightSpreadLoss } from "./log_weight_spread.ts";
export { averagedPerTemperature } from "./averaged_per_temperature.ts";
export { forceMatchingLoss, type ForceSlices, forceSlices } from "./force_matching.ts";
