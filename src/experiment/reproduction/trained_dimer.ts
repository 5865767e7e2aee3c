/**
 * One flow of the dimer at T = 1 that several experiments share.
 *
 * @module
 */
import { AutoregressiveParticleFlow } from "../../flow/autoregressive_particle_flow.ts";
import { Flow, type Generator } from "../../flow/flow.ts";
import { SymmetrisedGenerator } from "../../flow/symmetrised_generator.ts";
import { dimerSymmetries } from "../../system/dimer_symmetries.ts";
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
const FULL = dimerSettings("autoregressive", "default");

/** The default run of the dimer with fewer frames, none of which come in during training, and a share of its steps. */
function shortened(share: number, data: DimerSettings["data"], changes: Partial<DimerSettings> = {}): DimerSettings {
  const stages = FULL.stages.map((stage) => ({ ...stage, steps: Math.round(share * stage.steps) }));
  return { ...FULL, stages, data, ...changes };
}

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
    frames: { train: 100_000, validate: 1000, evaluate: 12_800 },
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
 * Data are half closed and half open, from chains that never cross: how many configurations either basin holds is not in
 * them. Training is maximum likelihood alone and sees every frame under the mirror images of the dimer.
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
  const sampled = clock();
  const source = new TrainingSource(system, data.train.x, data.chains, {
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
    data: source.buffer.batch(Math.min(20_000, data.train.d.length), 255, 0),
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
  return {
    frames: data.evaluate,
    step: data.chains.step,
    evaluationNll: validationNll(flow, data.evaluate.x, pool),
    data: { energyEvaluations: data.statistics.energyEvaluations, seconds: (sampled - began) / 1000 },
    training: { energyEvaluations: counts.energies, seconds: (clock() - sampled) / 1000 },
    neighbours: head.kind === "tilted" ? head.neighbours! : [],
    parameters: Array.from(takeSnapshot(flow.parameters()), ([name, values]) => ({ name, values })),
  };
}
