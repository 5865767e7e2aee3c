/**
 * Stage 6 of 8: reweighting. Turns log weights and work values into free energies with errors that can be believed.
 *
 * In: arrays of numbers (log weights ln w = −u(x) − ln q(x), basins, chains, coordinates). Out: numbers, each with a
 * standard error, a 95 % interval, and whether and why not to trust it. All in float64 and in units of k_BT; nothing of
 * the rest of the package is needed. Start at `estimate.ts` (the result type), then `log_sum_exp.ts` and `bar.ts`.
 *
 * @module
 */
export type { Estimate, FreeEnergyEstimate } from "./estimate.ts";
export { logMeanExp, logSumExp } from "./log_sum_exp.ts";
export { kishEffectiveSampleSize, samplingEfficiency } from "./effective_sample_size.ts";
export { samplingEfficiencyInterval } from "./efficiency_interval.ts";
export { paretoK, paretoKLimit, paretoSmoothedLogWeights } from "./pareto_smoothing.ts";
export { densityIntegral, normalisationDoubt, type StatedDensity } from "./density_integral.ts";
export { cappedLogWeights } from "./capped_weights.ts";
export { type ForwardDiagnostics, forwardDiagnostics, type ForwardDiagnosticsOptions } from "./forward_diagnostics.ts";
export { bootstrap, type BootstrapOptions, type ResamplingOptions } from "./bootstrap.ts";
export type { CoverageFrames } from "./coverage_doubt.ts";
export { type AveragingOptions, exponentialAveraging, logPartitionFunction } from "./exponential_averaging.ts";
export { freeEnergyDifferenceByReweighting, type ReweightingOptions } from "./reweighted_difference.ts";
export { type CountedDifference, freeEnergyDifferenceByCounting } from "./counted_difference.ts";
export { bennettAcceptanceRatio, type BennettEstimate, type BennettOptions } from "./bar.ts";
export { type BasinFreeEnergies, basinFreeEnergies, type BasinOptions } from "./basin_free_energies.ts";
export { type BasinThermodynamics, basinThermodynamics, type ThermodynamicChange } from "./basin_thermodynamics.ts";
export type { BasinDataSamples, BasinFlowSamples } from "./basin_problem.ts";
export { mbar, type MbarOptions, type MbarResult } from "./mbar.ts";
export { type IntegrationOptions, thermodynamicIntegration } from "./thermodynamic_integration.ts";
export { umbrellaFreeEnergies, type UmbrellaOptions, type UmbrellaResult, type UmbrellaSamples } from "./umbrella.ts";
export type { FreeEnergyProfile } from "./profile_band.ts";
export { freeEnergyProfile, type ProfileOptions } from "./free_energy_profile.ts";
export { type CombinedProfile, combinedProfile, type CombinedProfileOptions } from "./combined_profile.ts";
