/**
 * The budgets of the dimer run: every number that decides what it computes.
 *
 * @module
 */
import type { TiltedGrid } from "../flow/tilted_head.ts";
import type { BoltzmannStage } from "../hybrid/boltzmann_objective.ts";
import type { Activation } from "../nn/mlp.ts";
import type { WeightStorage } from "../onnx/model_builder.ts";
import type { SkipNotFinite } from "./sample_pieces.ts";

/** Name of a budget. */
export type BudgetName = "smoke" | "default" | "paper";

/** Sizes of the data. */
export interface DataSettings {
  /** Chains of each split, an even number: half start closed, half open. */
  readonly chains: { readonly train: number; readonly validate: number; readonly evaluate: number };
  /** Frames of each split, both starts together. */
  readonly frames: { readonly train: number; readonly validate: number; readonly evaluate: number };
  /** Fresh frames per training step while chains run on; 0: the training set stays as it is. */
  readonly freshPerStep: number;
}

/** Name of a kind of flow. */
export type FlowName = "autoregressive" | "realnvp";

/** Size of a RealNVP, the published flow. */
export interface RealNVPSettings {
  /** Which flow. */
  readonly kind: "realnvp";
  /** Blocks of RealNVP. */
  readonly blocks: number;
  /** Hidden layers of the S and T networks. */
  readonly hidden: readonly number[];
  /** Activation of the S and T networks. */
  readonly activation: Activation;
  /**
   * Which coordinates form the two channels: "even-odd" principal components of all coordinates, or "xy": the x and
   * the y coordinates, each whitened for itself.
   */
  readonly channels: "even-odd" | "xy";
  /** Whether data are whitened. */
  readonly whiten: boolean;
}

/** Size of an autoregressive particle flow. */
export interface AutoregressiveSettings {
  /** Which flow. */
  readonly kind: "autoregressive";
  /** The density of one particle. */
  readonly head: "tilted" | "mixture";
  /** Hidden layers of each particle's network. */
  readonly hidden: readonly number[];
  /** Grid of the tilted head when it samples, and in stages that do not say otherwise. */
  readonly grid: TiltedGrid;
}

/** A stage of training, and the grid of tilted heads in it: a coarser one is faster. */
export interface DimerStage extends BoltzmannStage {
  /** Default: that of sampling. */
  readonly grid?: TiltedGrid;
}

/** Size of the flow. */
export type FlowSettings = RealNVPSettings | AutoregressiveSettings;

/** Sizes of evaluation and reference. */
export interface EvaluationSettings {
  /** Flow samples for weights and free energies; doubled while the estimate by BAR is not what `until` asks for. */
  readonly samples: number;
  /** When to stop doubling: a reliable estimate with this standard error, or this number of samples. */
  readonly until: { readonly standardError: number; readonly maximumSamples: number };
  /** Replicates of the bootstrap. */
  readonly bootstraps: number;
  /** Sweeps per umbrella window and start after burn-in. */
  readonly umbrellaSweeps: number;
}

/** Everything that decides what a run computes, beside system, temperature and seed. */
export interface DimerSettings {
  /** Data. */
  readonly data: DataSettings;
  /** Flow. */
  readonly flow: FlowSettings;
  /** Stages of training. */
  readonly stages: readonly DimerStage[];
  /** Steps between validations. */
  readonly reportEvery: number;
  /**
   * Which parameters are evaluated: those of the lowest validation NLL, or the last ones. A schedule that ends with the
   * energy loss in charge raises the NLL on purpose, so its result is the last.
   */
  readonly keep: "best" | "last";
  /** Element type of weights in the models; they are rounded to it before anything is evaluated. Default "float32". */
  readonly storage?: WeightStorage;
  /** What may be skipped because it is not finite. Default: nothing. */
  readonly skipNotFinite?: SkipNotFinite;
  /** Evaluation and reference. */
  readonly evaluation: EvaluationSettings;
}

const MAXIMUM_LIKELIHOOD = { maximumLikelihood: 1, energy: 0, reactionCoordinate: 0 };

/**
 * A short stage of all three losses at the end: data keep the upper hand, energies and the coordinate only nudge. With ten
 * times this weight the coordinate tears samples of the preset "printed" out of the box until the flow overflows.
 */
const mixture = (steps: number): BoltzmannStage => ({
  name: "mixture",
  steps,
  batch: 256,
  learningRate: { shape: "cosine", initial: 2e-4, final: 2e-6 },
  adam: { maximumNorm: 20 },
  weights: { maximumLikelihood: 1, energy: 0.03, reactionCoordinate: 0.01 },
  softening: { highEnergy: 100, maxEnergy: 1e10 },
});

const maximumLikelihood = (steps: number): BoltzmannStage => ({
  name: "maximum likelihood",
  steps,
  batch: 256,
  learningRate: { shape: "cosine", initial: 2e-3, final: 2e-4, warmup: 100 },
  adam: { maximumNorm: 20 },
  weights: MAXIMUM_LIKELIHOOD,
});

/** Shown in a minute on two cores: every part runs, nothing is accurate. */
const smokeRealNVP: DimerSettings = {
  data: {
    chains: { train: 16, validate: 8, evaluate: 16 },
    frames: { train: 16_000, validate: 1000, evaluate: 6000 },
    freshPerStep: 8,
  },
  flow: { kind: "realnvp", blocks: 6, hidden: [64, 64], activation: "silu", channels: "even-odd", whiten: true },
  stages: [maximumLikelihood(900), mixture(100)],
  reportEvery: 50,
  keep: "best",
  evaluation: {
    samples: 200_000,
    until: { standardError: 1, maximumSamples: 200_000 },
    bootstraps: 100,
    umbrellaSweeps: 8000,
  },
};

/** The budget of a quarter of an hour on two cores. */
const standardRealNVP: DimerSettings = {
  data: {
    chains: { train: 32, validate: 16, evaluate: 64 },
    frames: { train: 100_000, validate: 4000, evaluate: 40_000 },
    freshPerStep: 16,
  },
  flow: { kind: "realnvp", blocks: 8, hidden: [200, 200, 200], activation: "silu", channels: "even-odd", whiten: true },
  stages: [maximumLikelihood(4600), mixture(400)],
  reportEvery: 50,
  keep: "best",
  evaluation: {
    samples: 1_000_000,
    until: { standardError: 0.1, maximumSamples: 4_000_000 },
    bootstraps: 200,
    umbrellaSweeps: 250_000,
  },
};

/** One row of the published schedule: steps, bound of the energy, w_ML, w_RC. */
const PUBLISHED_ROWS = [
  [100, 1e4, 100, 1],
  [100, 1e4, 100, 1],
  [300, 1e4, 100, 5],
  [300, 1e4, 100, 10],
  [1000, 2e3, 20, 10],
  [2000, 1e3, 0.1, 10],
] as const;

/**
 * The schedule of `particles_train.py`, published with arXiv 1812.01729: 20 passes over the data, then 3,800 steps of
 * 8,000 samples. Ours runs at one temperature (theirs: nine in one batch) and leaves out their log-weight loss.
 */
const paper: DimerSettings = {
  data: {
    chains: { train: 32, validate: 16, evaluate: 64 },
    frames: { train: 100_000, validate: 4000, evaluate: 40_000 },
    freshPerStep: 0,
  },
  flow: { kind: "realnvp", blocks: 8, hidden: [200, 200], activation: "tanh", channels: "xy", whiten: false },
  stages: [
    {
      name: "maximum likelihood",
      steps: 1960,
      batch: 1024,
      learningRate: { shape: "constant", initial: 1e-3 },
      weights: MAXIMUM_LIKELIHOOD,
    },
    ...PUBLISHED_ROWS.map(([steps, highEnergy, maximumLikelihood, reactionCoordinate], i): BoltzmannStage => ({
      name: `mixture ${i + 1}`,
      steps,
      batch: 8000,
      learningRate: { shape: "constant", initial: 1e-4 },
      weights: { maximumLikelihood, energy: 1, reactionCoordinate },
      softening: { highEnergy, maxEnergy: 1e10 },
    })),
  ],
  reportEvery: 50,
  keep: "last",
  evaluation: {
    samples: 1_000_000,
    until: { standardError: 0.1, maximumSamples: 4_000_000 },
    bootstraps: 200,
    umbrellaSweeps: 250_000,
  },
};

/** The autoregressive particle flow, tilted by the exact pair energy. */
const particleFlow: AutoregressiveSettings = {
  kind: "autoregressive",
  head: "tilted",
  hidden: [64, 64],
  grid: { fine: 33, coarse: 17 },
};

/** Small networks, small batches, many steps; the first four fifths on a coarse grid. */
function particleStages(steps: number): DimerStage[] {
  const coarse = Math.round(0.8 * steps);
  const common = { batch: 128, adam: { maximumNorm: 20 }, weights: MAXIMUM_LIKELIHOOD };
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

const smokeAutoregressive: DimerSettings = {
  data: {
    chains: { train: 16, validate: 8, evaluate: 16 },
    frames: { train: 16_000, validate: 500, evaluate: 4000 },
    freshPerStep: 0,
  },
  flow: { ...particleFlow, hidden: [32, 32] },
  stages: particleStages(600),
  reportEvery: 100,
  keep: "best",
  evaluation: {
    samples: 8192,
    until: { standardError: 1, maximumSamples: 8192 },
    bootstraps: 100,
    umbrellaSweeps: 8000,
  },
};

/** The same for the autoregressive flow; with the frames that keep coming it sees about 350,000. */
const standardAutoregressive: DimerSettings = {
  data: {
    chains: { train: 32, validate: 16, evaluate: 64 },
    frames: { train: 60_000, validate: 1000, evaluate: 12_000 },
    freshPerStep: 16,
  },
  flow: particleFlow,
  stages: particleStages(18_000),
  reportEvery: 200,
  keep: "best",
  evaluation: {
    samples: 100_000,
    until: { standardError: 0.03, maximumSamples: 400_000 },
    bootstraps: 200,
    umbrellaSweeps: 250_000,
  },
};

const budgets: Readonly<Record<FlowName, Readonly<Partial<Record<BudgetName, DimerSettings>>>>> = {
  autoregressive: { smoke: smokeAutoregressive, default: standardAutoregressive },
  realnvp: { smoke: smokeRealNVP, default: standardRealNVP, paper },
};

/**
 * Looks up what a budget means for a flow.
 *
 * @param flow which flow
 * @param budget which budget
 * @returns every number that decides what a run computes
 * @throws {RangeError} for the budget "paper" with a flow that the paper does not know
 */
export function dimerSettings(flow: FlowName, budget: BudgetName): DimerSettings {
  const settings = budgets[flow][budget];
  if (settings === undefined) {
    throw new RangeError(`Cannot run the dimer: the flow of budget ${budget} must be realnvp, got ${flow}`);
  }
  return settings;
}
