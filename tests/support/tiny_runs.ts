/** Runs in which everything happens, in seconds. */
import { serialPool } from "../../src/backend/executor.ts";
import { type ComparisonSettings, comparisonSettings } from "../../src/experiment/comparison_settings.ts";
import { type DimerComparisonOptions, runDimerComparison } from "../../src/experiment/dimer_comparison.ts";
import { type SampledDimerData, sampleDimerData } from "../../src/experiment/dimer_data.ts";
import { runDimer } from "../../src/experiment/dimer_run.ts";
import type { DimerSettings } from "../../src/experiment/dimer_settings.ts";
import { runDimerTemperatures } from "../../src/experiment/dimer_temperatures.ts";
import { runFluid } from "../../src/experiment/fluid_run.ts";
import { type FluidSettings, fluidSettings } from "../../src/experiment/fluid_settings.ts";
import type { Progress } from "../../src/experiment/progress.ts";
import type { RunOptions } from "../../src/experiment/run_parts.ts";
import type { TemperatureSettings } from "../../src/experiment/temperature_settings.ts";
import { ParticleDimer } from "../../src/system/particle_dimer.ts";

/** A progress that shows nothing. */
export const silent: Progress = {
  start() {},
  update() {},
  note() {},
  finish() {},
  [Symbol.dispose]() {},
};

/** What may differ between machines and runs: threads, times, what it ran on; the commit may change while tests run. */
const INCOMPARABLE = ["threads", "wallTimeMs", "minutes", "samplesPerSecond", "environment"];

/** The report of a run without {@link INCOMPARABLE}. */
export async function comparableReport(out: string, file = "report.json"): Promise<Record<string, unknown>> {
  const text = await Deno.readTextFile(`${out}/${file}`);
  return JSON.parse(text, (key, value) => INCOMPARABLE.includes(key) ? undefined : value);
}

/** What a run of a test may be told. */
export type TinyOptions = { readonly out: string } & Partial<RunOptions>;

const common = { threads: 1, progress: silent, command: "test" };

/** Settings of the dimer run. */
export const tinyDimer: DimerSettings = {
  data: {
    chains: { train: 8, validate: 4, evaluate: 8 },
    frames: { train: 400, validate: 64, evaluate: 200 },
    freshPerStep: 4,
  },
  flow: { kind: "realnvp", blocks: 2, hidden: [16], activation: "tanh", channels: "even-odd", whiten: true },
  stages: [
    {
      name: "maximum likelihood",
      steps: 20,
      batch: 256,
      learningRate: { shape: "cosine", initial: 1e-3, warmup: 4 },
      adam: { maximumNorm: 100 },
      weights: { maximumLikelihood: 1, energy: 0, reactionCoordinate: 0 },
    },
    {
      name: "mixture",
      steps: 6,
      batch: 256,
      learningRate: { shape: "constant", initial: 1e-4 },
      adam: { maximumNorm: 100 },
      weights: { maximumLikelihood: 1, energy: 0.01, reactionCoordinate: 0.1 },
      softening: { highEnergy: 100, maxEnergy: 1e10 },
    },
  ],
  reportEvery: 50,
  keep: "best",
  evaluation: {
    samples: 3000,
    until: { standardError: 0.1, maximumSamples: 5000 },
    bootstraps: 20,
    umbrellaSweeps: 60,
  },
};

/** A few frames of the dimer from two chains a split. */
export function fewDimerFrames(): Promise<SampledDimerData> {
  return sampleDimerData({
    system: new ParticleDimer(),
    temperature: 1,
    settings: {
      chains: { train: 2, validate: 2, evaluate: 2 },
      frames: { train: 4, validate: 2, evaluate: 2 },
      freshPerStep: 0,
    },
    seed: 1,
    pool: serialPool,
  });
}

/** Settings of the run over temperatures. */
export const tinyTemperatures: TemperatureSettings = {
  data: {
    chains: { train: 8, validate: 4, evaluate: 16 },
    frames: { train: 160, validate: 32, evaluate: 64 },
  },
  flow: {
    head: "mixture",
    hidden: [8],
    grid: { fine: 9, coarse: 9 },
  },
  stages: [{
    name: "maximum likelihood",
    steps: 24,
    batch: 128,
    learningRate: { shape: "cosine", initial: 4e-3, warmup: 4 },
    adam: { maximumNorm: 20 },
  }],
  reportEvery: 8,
  evaluation: { samples: 600, bootstraps: 20, umbrellaSweeps: 60 },
};

/** Four particles of a fluid. */
export const tinyFluid = { particles: 4, density: 0.4 } as const;

/** Settings of the run of a fluid: enough for {@link tinyFluid} to be right. */
export const tinyFluidSettings: FluidSettings = {
  data: {
    chains: { train: 16, validate: 8, evaluate: 16 },
    frames: { train: 2000, validate: 200, evaluate: 2000 },
  },
  flow: {
    ...fluidSettings("smoke").flow,
    hidden: [16],
    training: { ...fluidSettings("smoke").flow.training, steps: 120 },
    samples: 4096,
    bootstraps: 50,
  },
  integrationSweeps: 4000,
};

const standard = comparisonSettings(0.01);
const autoregressive = (head: "tilted" | "mixture"): DimerSettings => ({
  ...standard.contenders[head],
  data: { ...standard.contenders[head].data, freshPerStep: 0 },
  flow: { kind: "autoregressive", head, hidden: [8], grid: { fine: 17, coarse: 9 } },
  stages: standard.contenders[head].stages.map((stage, k) => ({
    ...stage,
    batch: 64,
    ...k === 0 && { grid: { fine: 9, coarse: 9 } },
  })),
});

/** Settings of the comparison. */
export const tinyComparison: ComparisonSettings = {
  ...standard,
  contenders: {
    realnvp: {
      ...standard.contenders.realnvp,
      data: { ...standard.contenders.realnvp.data, freshPerStep: 4 },
      flow: { kind: "realnvp", blocks: 2, hidden: [8], activation: "silu", channels: "even-odd", whiten: true },
    },
    tilted: autoregressive("tilted"),
    mixture: autoregressive("mixture"),
  },
  data: {
    chains: { train: 8, validate: 4, evaluate: 8 },
    frames: { train: 400, validate: 32, evaluate: 64 },
  },
  shares: [0.5, 1],
  samples: { onTheWay: 100, atTheEnd: 200 },
  referenceShares: [0.5, 1],
  bootstraps: 10,
};

/** Its steps and sweeps. */
export const tinyComparisonPlan = {
  steps: { realnvp: 32, tilted: 64, mixture: 32 },
  sweeps: { umbrella: [40, 80], plain: [40, 80] },
};

/** Runs the dimer. */
export function runTinyDimer(options: TinyOptions & { readonly seed?: number; readonly settings?: DimerSettings }) {
  return runDimer({
    system: { preset: "noe2019" },
    temperature: 1,
    seed: 3,
    budget: "smoke",
    settings: tinyDimer,
    reactionCoordinate: { bounds: [0.5, 2.5] },
    ...common,
    ...options,
  });
}

/** Runs two temperatures. */
export function runTinyTemperatures(
  options: TinyOptions & { readonly seed?: number; readonly range?: readonly [number, number] },
) {
  return runDimerTemperatures({
    system: { preset: "noe2019", solvent: 4 },
    range: [0.8, 1.25],
    rungs: 2,
    seed: 3,
    budget: "smoke",
    settings: tinyTemperatures,
    ...common,
    ...options,
  });
}

/** Runs the fluid. */
export function runTinyFluid(options: TinyOptions & { readonly settings?: FluidSettings }) {
  return runFluid({
    system: tinyFluid,
    temperature: 1,
    seed: 3,
    budget: "smoke",
    settings: tinyFluidSettings,
    ...common,
    ...options,
  });
}

/** Runs the comparison. */
export function runTinyComparison(options: TinyOptions & Pick<Partial<DimerComparisonOptions>, "plan">) {
  return runDimerComparison({
    system: { preset: "noe2019" },
    temperature: 1,
    seed: 3,
    settings: tinyComparison,
    plan: tinyComparisonPlan,
    ...common,
    ...options,
  });
}
