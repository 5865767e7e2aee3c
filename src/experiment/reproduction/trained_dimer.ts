/**
 * One flow of the dimer at T = 1 that several experiments share.
 *
 * @module
 */
import { AutoregressiveParticleFlow } from "../../flow/autoregressive_particle_flow.ts";
import { Flow, type Generator } from "../../flow/flow.ts";
import { SymmetrisedGenerator } from "../../flow/symmetrised_generator.ts";
import { dimerSymmetries } from "../../system/dimer_symmetries.ts";
import { MetropolisChains } from "../../sampling/metropolis_chains.ts";
import { ParticleDimer } from "../../system/particle_dimer.ts";
import { restoreSnapshot, takeSnapshot } from "../../training/snapshot.ts";
import type { TrainingPosition } from "../../training/train.ts";
import { sampleDimerData } from "../dimer_data.ts";
import { dimerFlow } from "../dimer_flow.ts";
import type { DimerFrames } from "../dimer_results.ts";
import { type AutoregressiveSettings, type DimerSettings, dimerSettings } from "../dimer_settings.ts";
import { trainDimer, TrainingSource } from "../dimer_training.ts";
import { validationNll } from "../validation.ts";
import type { ExperimentContext, ReproductionBudget } from "./experiment.ts";

/** Name of the part that keeps the flow. */
export const SHARED_DIMER_FLOW = "shared dimer flow";

/** What something cost. */
export interface Cost {
  /** Energies evaluated; an energy with its gradient is one. */
  readonly energyEvaluations: number;
  /** Seconds of processor time. */
  readonly seconds: number;
}

/** A flow of the dimer with the data that it was not trained on. */
export interface TrainedDimer {
  /** The preset `noe2019`. */
  readonly system: ParticleDimer;
  /** The flow; nobody changes its parameters. */
  readonly flow: Flow;
  /** The flow averaged over the mirror images of the dimer: samples, and a density that is never worse. */
  readonly generator: Generator;
  /** Frames that training has not seen, half of them closed: chains never cross. */
  readonly frames: DimerFrames;
  /** Step of single-particle moves that accepts about 35 % of them. */
  readonly step: number;
  /** Mean of −log p_X over {@link frames}, nats. */
  readonly evaluationNll: number;
  /** Monte Carlo of the data. */
  readonly data: Cost;
  /** Training; maximum likelihood evaluates no energy. */
  readonly training: Cost;
}

/** What is kept of it: plain data. */
interface KeptDimer extends Pick<TrainedDimer, "frames" | "step" | "evaluationNll" | "data" | "training"> {
  readonly neighbours: readonly (readonly number[])[];
  readonly parameters: readonly { readonly name: string; readonly values: Float32Array }[];
}

const TEMPERATURE = 1;
/**
 * Chains that springs hold along d between the basins, and beyond: a range of centres, κ in k_BT per square length (the
 * bond's top has −100), sweeps in which springs are pulled there, and between frames.
 */
const HELD = { chains: 64, from: 0.8, to: 2.2, spring: 300, pulls: 40, pull: 100, stride: 40, stream: 41 } as const;
const FULL = dimerSettings("autoregressive", "default");

/** The default run of the dimer with fewer frames, none of which come in during training, and a share of its steps. */
function shortened(share: number, data: DimerSettings["data"], changes: Partial<DimerSettings> = {}): DimerSettings {
  const stages = FULL.stages.map((stage) => ({ ...stage, steps: Math.round(share * stage.steps) }));
  return { ...FULL, stages, data, ...changes };
}

/** Training frames of each held chain. */
const HELD_FRAMES: Readonly<Record<ReproductionBudget, number>> = { smoke: 1, default: 320, paper: 1600 };

const SIZES: Readonly<Record<ReproductionBudget, DimerSettings>> = {
  smoke: shortened(
    80 / 18_000,
    {
      chains: { train: 4, validate: 2, evaluate: 8 },
      frames: { train: 400, validate: 32, evaluate: 64 },
      freshPerStep: 0,
    },
    { flow: { ...FULL.flow as AutoregressiveSettings, hidden: [16], grid: { fine: 17, coarse: 17 } }, reportEvery: 40 },
  ),
  default: shortened(0.55, {
    chains: { train: 32, validate: 16, evaluate: 64 },
    frames: { train: 80_000, validate: 1000, evaluate: 12_800 },
    freshPerStep: 0,
  }),
  paper: shortened(3, {
    chains: { train: 64, validate: 16, evaluate: 64 },
    frames: { train: 400_000, validate: 1000, evaluate: 12_800 },
    freshPerStep: 0,
  }),
};

/**
 * Trains an autoregressive particle flow on Monte Carlo of the dimer at T = 1, or takes the one that was kept.
 *
 * Four fifths of the data are half closed and half open, from chains that never cross: how many configurations either basin
 * holds is not in them. One fifth is from chains that springs hold at distances from 0.8 to 2.2. It does what the published
 * loss along the reaction coordinate does: without it a flow leaves out what lies between the basins, and a latent path
 * jumps from one to the other. Training is maximum likelihood alone and sees every frame under the mirror images of the dimer.
 *
 * @param context budget, seed, threads; keeps the part {@link SHARED_DIMER_FLOW}, which an experiment must name
 * @returns the flow, and frames that it has not seen
 */
export async function trainedDimer(context: ExperimentContext): Promise<TrainedDimer> {
  const kept = await context.kept(SHARED_DIMER_FLOW, () => train(context));
  const { neighbours, parameters, ...rest } = kept;
  const system = new ParticleDimer();
  const { hidden, grid } = SIZES[context.budget].flow as AutoregressiveSettings;
  const flow = new Flow(
    new AutoregressiveParticleFlow({
      particles: system.particles,
      spatialDim: 2,
      hidden,
      temperature: TEMPERATURE,
      head: { kind: "tilted", interactions: system, grid, neighbours },
    }),
  );
  restoreSnapshot(flow.parameters(), new Map(parameters.map(({ name, values }) => [name, values])));
  return { ...rest, system, flow, generator: new SymmetrisedGenerator(flow, dimerSymmetries(system)) };
}

/** Samples data, trains, and packs what a flow is made of. */
async function train(context: ExperimentContext): Promise<KeptDimer> {
  const { budget, seed, pool, clock, signal, onProgress } = context;
  const settings = SIZES[budget];
  const system = new ParticleDimer();
  const began = clock();
  const data = await sampleDimerData({
    system,
    temperature: TEMPERATURE,
    settings: settings.data,
    seed,
    pool,
    onProgress: (done) => onProgress("sampling the dimer", done),
    ...signal && { signal },
  });
  const held = heldFrames(context, system, data.chains.step);
  const sampled = clock();
  const source = new TrainingSource(system, joined(data.train.x, held.x), data.chains, {
    stride: data.statistics.stride.train,
    freshPerStep: 0,
    seed,
    pool,
  });
  const model = dimerFlow({
    settings: settings.flow,
    system,
    temperature: TEMPERATURE,
    seed,
    data: source.buffer.batch(Math.min(20_000, source.buffer.length), 255, 0),
  });
  const { flow } = model;
  const keeper = context.training(SHARED_DIMER_FLOW);
  const saved = await keeper?.load(flow.parameters()) ?? null;
  const stepsOf = (stages: number) => settings.stages.slice(0, stages).reduce((sum, { steps }) => sum + steps, 0);
  const counts = { energies: 0, outOfBounds: 0, coordinates: 0 };
  const { complete, position } = await trainDimer({
    model,
    system,
    beta: 1 / TEMPERATURE,
    settings,
    source,
    validate: data.validate,
    // Has no weight in any stage.
    reactionCoordinate: { bounds: [0.5, 2.5] },
    seed,
    pool,
    onStep: ({ index, step }) =>
      onProgress("training the dimer's flow", (stepsOf(index) + step) / stepsOf(settings.stages.length)),
    ...keeper && { onCheckpoint: (at: TrainingPosition) => keeper.save(flow.parameters(), at) },
    ...signal && { signal },
    ...saved && { resume: saved },
  }, counts);
  if (!complete) throw signal!.reason;
  restoreSnapshot(flow.parameters().filter(({ trainable }) => trainable), position.best);
  model.setGrid();
  const { head } = (flow.bijector as AutoregressiveParticleFlow).options;
  const evaluationNll = validationNll(flow, data.evaluate.x, pool);
  flow.release();
  return {
    frames: data.evaluate,
    step: data.chains.step,
    evaluationNll,
    data: {
      energyEvaluations: data.statistics.energyEvaluations + held.energyEvaluations,
      seconds: (sampled - began) / 1000,
    },
    training: { energyEvaluations: counts.energies, seconds: (clock() - sampled) / 1000 },
    neighbours: head.kind === "tilted" ? head.neighbours! : [],
    parameters: Array.from(takeSnapshot(flow.parameters()), ([name, values]) => ({ name, values })),
  };
}

/** Frames of dimers that springs hold at evenly spaced distances, in the reference domain. */
function heldFrames(
  { budget, seed, pool, signal }: ExperimentContext,
  system: ParticleDimer,
  step: number,
): { readonly x: Float64Array; readonly energyEvaluations: number } {
  const { chains: count, from, to, spring, pulls, pull, stride, stream } = HELD;
  const centres = Float64Array.from({ length: count }, (_, c) => from + (to - from) * c / (count - 1));
  const chains = new MetropolisChains(system, {
    chains: count,
    seed,
    stream,
    step,
    bias: { constant: spring, centres },
  });
  const starts = chains.distances();
  for (let k = 1; k <= pulls; k++) {
    signal?.throwIfAborted();
    chains.moveBias(centres.map((m, c) => starts[c] + (m - starts[c]) * Math.min(1, 2 * k / pulls)));
    chains.advance(pull, { pool });
  }
  const frames = HELD_FRAMES[budget];
  const x = new Float64Array(frames * count * system.dim);
  for (let frame = 0; frame < frames; frame++) {
    chains.advance(stride, { pool });
    x.set(chains.frames({ pool }).x, frame * count * system.dim);
  }
  return { x, energyEvaluations: chains.energyEvaluations };
}

function joined(first: Float64Array, second: Float64Array): Float64Array {
  const all = new Float64Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}
