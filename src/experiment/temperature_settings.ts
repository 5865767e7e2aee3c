/**
 * The budgets of the run over temperatures: every number that decides what it computes.
 *
 * @module
 */
import type { TiltedGrid } from "../flow/tilted_head.ts";
import type { Stage } from "../training/train.ts";
import type { SkipNotFinite } from "./sample_pieces.ts";

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

/** Size of an autoregressive particle flow. */
export interface TemperatureFlowSettings {
  /** The density of one particle. */
  readonly head: "tilted" | "mixture";
  /** Hidden layers of each particle's network. */
  readonly hidden: readonly number[];
  /** Grid of the tilted head when it samples, and in stages that do not say otherwise. */
  readonly grid: TiltedGrid;
}

/** A stage of training. */
export interface TemperatureStage extends Stage {
  /** Grid of tilted heads: a coarser one is faster. */
  readonly grid?: TiltedGrid;
}

/** Everything that decides what a run over temperatures computes, beside system, temperatures and seed. */
export interface TemperatureSettings {
  /** What may be skipped because it is not finite. Default: nothing. */
  readonly skipNotFinite?: SkipNotFinite;
  /** Data of each temperature: chains (even: half start closed, half open) and frames. */
  readonly data: { readonly chains: BySplit; readonly frames: BySplit };
  /** The flow. */
  readonly flow: TemperatureFlowSettings;
  /** Stages of training, all by maximum likelihood. */
  readonly stages: readonly TemperatureStage[];
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

const tilted: TemperatureFlowSettings = { head: "tilted", hidden: [64, 64], grid: { fine: 33, coarse: 17 } };

/** Small networks, small batches, many steps; the first four fifths on a coarse grid. */
function stages(steps: number): TemperatureStage[] {
  const coarse = Math.round(0.8 * steps);
  const common = { batch: 128, adam: { maximumNorm: 20 } };
  return [
    {
      ...common,
      name: "maximum likelihood",
      steps: coarse,
      learningRate: { shape: "cosine", initial: 4e-3, final: 1e-3, warmup: 50 },
      grid: { fine: 17, coarse: 17 },
    },
    {
      ...common,
      name: "on the finer grid",
      steps: steps - coarse,
      learningRate: { shape: "cosine", initial: 1e-3, final: 4e-5 },
    },
  ];
}

/**
 * Divides steps of training among stages as a budget does.
 *
 * @param settings of the budget
 * @param steps in all
 * @returns the settings with that many steps, at least one in each stage
 */
export function withSteps(settings: TemperatureSettings, steps: number): TemperatureSettings {
  const total = settings.stages.reduce((sum, stage) => sum + stage.steps, 0);
  const scaled = settings.stages.map((stage) => ({
    ...stage,
    steps: Math.max(1, Math.round(stage.steps * steps / total)),
  }));
  return { ...settings, stages: scaled };
}

/** Everything runs, nothing is accurate. */
const smoke: TemperatureSettings = {
  data: {
    chains: { train: 16, validate: 4, evaluate: 16 },
    frames: { train: 2000, validate: 64, evaluate: 640 },
  },
  flow: { ...tilted, hidden: [32, 32] },
  stages: stages(600),
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
  stages: stages(12_000),
  reportEvery: 200,
  evaluation: { samples: 12_288, bootstraps: 200, umbrellaSweeps: 80_000 },
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
