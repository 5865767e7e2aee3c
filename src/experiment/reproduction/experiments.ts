/**
 * All experiments of the reproduction, in the order in which they are reported.
 *
 * @module
 */
import { coverageExperiment } from "./coverage.ts";
import type { Experiment } from "./experiment.ts";

/** The experiments. */
export const experiments: readonly Experiment[] = [
  coverageExperiment,
];
