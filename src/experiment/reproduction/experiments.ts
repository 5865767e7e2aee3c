/**
 * All experiments of the reproduction, in the order in which they are reported.
 *
 * @module
 */
import { coverageExperiment } from "./coverage.ts";
import { dimerNetworksExperiment } from "./dimer_networks.ts";
import { dimerTemperaturesExperiment } from "./dimer_temperatures.ts";
import type { Experiment } from "./experiment.ts";
import { hyperParametersExperiment } from "./hyper_parameters.ts";

/** The experiments. */
export const experiments: readonly Experiment[] = [
  dimerTemperaturesExperiment,
  dimerNetworksExperiment,
  hyperParametersExperiment,
  coverageExperiment,
];
