/**
 * All experiments of the reproduction, in the order in which they are reported.
 *
 * @module
 */
import { coverageExperiment } from "./coverage.ts";
import { dimerNetworksExperiment } from "./dimer_networks.ts";
import { dimerTemperaturesExperiment } from "./dimer_temperatures.ts";
import { doubleWellCs230Experiment } from "./double_well_cs230.ts";
import { doubleWellTrainingExperiment } from "./double_well_training.ts";
import type { Experiment } from "./experiment.ts";
import { explorationExperiment } from "./exploration.ts";
import { flowMonteCarloExperiment } from "./flow_monte_carlo.ts";
import { hyperParametersExperiment } from "./hyper_parameters.ts";
import { isingExperiment } from "./ising.ts";
import { latentPathsExperiment } from "./latent_paths.ts";
import { muellerBrownExperiment } from "./mueller_brown_profile.ts";
import { oscillatorExperiment } from "./oscillator.ts";
import { systemsExperiment } from "./systems.ts";
import { twoGeneratorsExperiment } from "./two_generators.ts";

/** The experiments. */
export const experiments: readonly Experiment[] = [
  systemsExperiment,
  isingExperiment,
  doubleWellTrainingExperiment,
  doubleWellCs230Experiment,
  oscillatorExperiment,
  muellerBrownExperiment,
  dimerTemperaturesExperiment,
  dimerNetworksExperiment,
  twoGeneratorsExperiment,
  explorationExperiment,
  latentPathsExperiment,
  flowMonteCarloExperiment,
  hyperParametersExperiment,
  coverageExperiment,
];
