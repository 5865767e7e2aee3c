/**
 * Whole pipelines as functions, so that scripts stay thin: the dimer run, its data, training, evaluation and report.
 *
 * Start at `dimer_run.ts`. This is an entry of its own and not part of the root's `mod.ts`, which half the programs
 * that import it would load for nothing.
 *
 * @module
 */
import "../backend/loaded.ts";

export { type AbsoluteFreeEnergy, absoluteFreeEnergy } from "./absolute_free_energy.ts";
export {
  type ParticleFlowSettings,
  particleFlowSettings,
  type ParticleFrames,
  type ParticleFreeEnergy,
  particleFreeEnergy,
  type ParticleFreeEnergyOptions,
  type ParticleTarget,
} from "./particle_free_energy.ts";
export type { PartitionEvaluation } from "./partition_evaluation.ts";
export { type PairDistribution, pairDistribution, type PairDistributionOptions } from "./pair_distribution.ts";
export type { WeightedMeanOptions } from "./weighted_means.ts";
export {
  type FluidFreeEnergy,
  fluidFreeEnergy,
  type FluidFreeEnergyOptions,
  type FluidPart,
} from "./fluid_free_energy.ts";
export { type FluidRunOptions, runFluid } from "./fluid_run.ts";
export { type FluidBudgetName, type FluidSettings, fluidSettings } from "./fluid_settings.ts";
export type * from "./fluid_results.ts";
export { fluidFigures } from "./fluid_figures.ts";
export { fluidReportJson, summarizeFluid } from "./fluid_report.ts";
export { type DimerRunOptions, runDimer } from "./dimer_run.ts";
export {
  type AutoregressiveSettings,
  type BudgetName,
  type DataSettings,
  type DimerSettings,
  dimerSettings,
  type DimerStage,
  type EvaluationSettings,
  type FlowName,
  type FlowSettings,
  type RealNVPSettings,
} from "./dimer_settings.ts";
export type { DimerQuestion } from "./dimer_files.ts";
export type * from "./dimer_results.ts";
export { dimerReference, type DimerReferenceOptions, type PlainProgress } from "./dimer_reference.ts";
export { dimerUmbrella, type DimerUmbrellaOptions, type DimerUmbrellaResult } from "./dimer_umbrella.ts";
export { profileEdges } from "./dimer_bins.ts";
export { type DimerEvaluationOptions, type DrawnSamples, evaluateDimer } from "./dimer_evaluation.ts";
export { type DimerDataOptions, type SampledDimerData, sampleDimerData } from "./dimer_data.ts";
export { type DimerTemperaturesOptions, runDimerTemperatures } from "./dimer_temperatures.ts";
export {
  type TemperatureFreeEnergies,
  temperatureFreeEnergies,
  type TemperatureFreeEnergyOptions,
} from "./temperature_free_energies.ts";
export { type DimerComparisonOptions, runDimerComparison } from "./dimer_comparison.ts";
export {
  type ComparisonPlan,
  type ComparisonSettings,
  comparisonSettings,
  type ContenderName,
} from "./comparison_settings.ts";
export { readComparisonPlan } from "./comparison_plan.ts";
export type * from "./comparison_results.ts";
export { summarizeComparison } from "./comparison_tables.ts";
export {
  type BySplit,
  type TemperatureBudgetName,
  type TemperatureFlowSettings,
  type TemperatureSettings,
  temperatureSettings,
  type TemperatureStage,
  withSteps,
} from "./temperature_settings.ts";
export type * from "./temperature_results.ts";
export { type LadderTemperature, temperatureLadder } from "./temperature_ladder.ts";
export type { ChainStatistics } from "./temperature_data.ts";
export {
  type CurveData,
  type CurvePoint,
  type CurveValue,
  type ThermodynamicCurve,
  thermodynamicCurve,
} from "./temperature_curve.ts";
export { summarizeTemperatures } from "./temperature_summary.ts";
export { dimerFigures } from "./dimer_figures.ts";
export { dimerReportHtml } from "./dimer_report_html.ts";
export { dimerReportJson } from "./dimer_report_json.ts";
export { type DimerCoordinateOptions } from "./dimer_training.ts";
export { summarizeDimer } from "./dimer_summary.ts";
export { openProgress, type Progress, type ProgressOptions } from "./progress.ts";
export { type RunClaim, RunDirectory } from "./run_directory.ts";
export { type PartStorage, type RunOptions, RunParts, type RunResult } from "./run_parts.ts";
export { type RunEnvironment, type RunOrigin } from "./run_origin.ts";
export {
  compareReports,
  describeComparison,
  OWN_OPTIONS,
  parseRerun,
  readRerun,
  type ReportComparison,
  type ReportDifference,
  type RerunRequest,
} from "./rerun.ts";
export { RunCheckpoints, type TrainingKeeper } from "./run_checkpoints.ts";
export type { CheckpointContent } from "../training/position_checkpoint.ts";
export { type SampleFileOptions, type SampleFiles, sampleModel } from "./sample_model.ts";
export type { SkipNotFinite } from "./sample_pieces.ts";
export { type ReproductionOptions, runReproduction } from "./reproduction/run_reproduction.ts";
export type * from "./reproduction/reproduction_results.ts";
export { countVerdicts, summarizeExperiment } from "./reproduction/reproduction_report.ts";
export type { ProcessorClock } from "./processor_time.ts";
export { coverageExperiment } from "./reproduction/coverage.ts";
export { dimerNetworksExperiment } from "./reproduction/dimer_networks.ts";
export { dimerTemperaturesExperiment } from "./reproduction/dimer_temperatures.ts";
export { twoGeneratorsExperiment } from "./reproduction/two_generators.ts";
export { explorationExperiment } from "./reproduction/exploration.ts";
export { latentPathsExperiment } from "./reproduction/latent_paths.ts";
export { flowMonteCarloExperiment } from "./reproduction/flow_monte_carlo.ts";
export { hyperParametersExperiment } from "./reproduction/hyper_parameters.ts";
export { doubleWellTrainingExperiment } from "./reproduction/double_well_training.ts";
export { doubleWellCs230Experiment } from "./reproduction/double_well_cs230.ts";
export { oscillatorExperiment } from "./reproduction/oscillator.ts";
export { muellerBrownExperiment } from "./reproduction/mueller_brown_profile.ts";
export { systemsExperiment } from "./reproduction/systems.ts";
export { isingExperiment } from "./reproduction/ising.ts";
export { experiments } from "./reproduction/experiments.ts";
export {
  type Experiment,
  type ExperimentContext,
  experimentContext,
  type ExperimentFigure,
  type ExperimentResult,
  type ReproductionBudget,
} from "./reproduction/experiment.ts";
export {
  exactly,
  type Goal,
  type JudgedRow,
  type Published,
  type PublishedVerdict,
  publishedVerdictOf,
  type Reference,
  type ReproducedRow,
  type Verdict,
  verdictOf,
  verdictText,
} from "./reproduction/row.ts";
