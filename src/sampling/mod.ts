/**
 * Stage 2 of 8: reference x. Monte Carlo of systems, umbrella and coupling windows, and how long chains remember.
 *
 * In: a system, a temperature, a seed. Out: configurations with their chains, burnt in and spaced by what was measured.
 *
 * Start here: {@link metropolis} for few coordinates, {@link metropolisSample} for particles,
 * {@link isingSample} for spins.
 *
 * @module
 */
import "../backend/loaded.ts";

export { equilibrationStart, integratedAutocorrelationTime, statisticalInefficiency } from "./autocorrelation.ts";
export { metropolis, type MetropolisFrames, type MetropolisOptions } from "./metropolis.ts";
export type { AdvanceOptions, ChainFrames, DistanceBias, MetropolisChainsOptions } from "./chain_options.ts";
export { MetropolisChains } from "./metropolis_chains.ts";
export type { MetropolisState } from "./chain_state.ts";
export {
  type MetropolisProgress,
  type MetropolisSample,
  metropolisSample,
  type MetropolisSampleOptions,
  type RelaxedProgress,
} from "./metropolis_sample.ts";
export { IsingChains, type IsingChainsOptions } from "./ising_chains.ts";
export { type IsingSample, isingSample, type IsingSampleOptions } from "./ising_sample.ts";
export type { SpinMove } from "../backend/ising_kernels.ts";
export { settledStarts, type SettledStartsOptions } from "./settled_starts.ts";
export type { Relaxation } from "./relaxation.ts";
export type { LongRunOptions } from "./pause.ts";
export type { ProgressKeeper } from "./keeper.ts";
export {
  type UmbrellaProgress,
  type UmbrellaSample,
  umbrellaSample,
  type UmbrellaSampleOptions,
} from "./umbrella_sample.ts";
export {
  type CouplingProgress,
  type CouplingSample,
  couplingSample,
  type CouplingSampleOptions,
} from "./coupling_sample.ts";
export { type CouplingWindows, couplingWindows } from "./coupling_windows.ts";
export { type UmbrellaWindows, umbrellaWindows } from "./umbrella_windows.ts";
