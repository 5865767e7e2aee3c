/**
 * The budgets of the run over temperatures: every number that decides what it computes.
 *
 * @module
 */
import type { Stage } from "../training/train.ts";
import type { TiltedGrid } from "../flow/tilted_head.ts";
import type { AutoregressiveSettings } from "./dimer_settings.ts";

/** Name of a budget. */
export type TemperatureBudgetName = "smoke" | "default";

/** A number for each split of the data. */
export interface BySplit {
  /** For training; only at the temperatures that are trained on. */
  readonly train: number;
  /** For choosing parameters; only there. */
  readonly validate: number;
  /** For free energies; at every temperature. */
  readonly evaluate: number;
}

/** Size of the flow, with grids of the tilted head while it is trained and when it samples. */
export interface TemperatureFlowSettings extends Omit<AutoregressiveSettings, "grid"> {
  readonly grid: { readonly training: TiltedGrid; readonly sampling: TiltedGrid };
}

/** Everything that decides what a run over temperatures computes, beside system, temperatures and seed. */
export interface TemperatureSettings {
  /** Data of each temperature: chains (even: half start closed, half open) and frames. */
  readonly data: { readonly chains: BySplit; readonly frames: BySplit };
  /** The flow. */
  readonly flow: TemperatureFlowSettings;
  /** The only stage of training: maximum likelihood. */
  readonly training: Stage;
  /** Steps between validations. */
  readonly reportEvery: number;
  /** Evaluation of each temperature, and the reference. */
  readonly evaluation: {
    /** Flow samples of each temperature. */
    readonly samples: number;
    /** Replicates of the bootstrap. */
    readonly bootstraps: number;
    /** Sweeps per umbrella window and chain after burn-in. */
    readonly umbrellaSweeps: number;
  };
}

const tilted: TemperatureFlowSettings = {
  kind: "autoregressive",
  head: "tilted",
  hidden: [64, 64],
  grid: { training: { fine: 17, coarse: 17 }, sampling: { fine: 33, coarse: 17 } },
};

const stage = (steps: number): Stage => ({
  name: "maximum likelihood",
  steps,
  batch: 256,
  learningRate: { shape: "cosine", initial: 4e-3, final: 4e-5, warmup: 50 },
  adam: { maximumNorm: 20 },
});

/** Everything runs, nothing is accurate. */
const smoke: TemperatureSettings = {
  data: {
    chains: { train: 16, validate: 4, evaluate: 16 },
    frames: { train: 2000, validate: 64, evaluate: 640 },
  },
  flow: { ...tilted, hidden: [32, 32] },
  training: stage(400),
  reportEvery: 100,
  evaluation: { samples: 2048, bootstraps: 100, umbrellaSweeps: 4000 },
};

/** A quarter of an hour on two cores. */
const standard: TemperatureSettings = {
  data: {
    chains: { train: 32, validate: 8, evaluate: 64 },
    frames: { train: 12_000, validate: 128, evaluate: 3200 },
  },
  flow: tilted,
  training: stage(8000),
  reportEvery: 200,
  evaluation: { samples: 16_384, bootstraps: 200, umbrellaSweeps: 60_000 },
};

/**
 * Looks up what a budget means for a run over temperatures.
 *
 * @param budget which budget
 * @returns every number that decides what a run computes
 */
export function temperatureSettings(budget: TemperatureBudgetName): TemperatureSettings {
  return budget === "smoke" ? smoke : standard;
}
