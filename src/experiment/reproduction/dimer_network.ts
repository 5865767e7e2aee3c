/**
 * A network of the dimer as it was published: RealNVP or NICE, trained at nine temperatures at once.
 *
 * @module
 */
import { NotFiniteError } from "../../autodiff/not_finite.ts";
import { couplingChain } from "../../flow/coupling_chain.ts";
import { Flow } from "../../flow/flow.ts";
import { flowAtTemperature } from "../../flow/flow_at_temperature.ts";
import { BoltzmannGenerator } from "../../hybrid/boltzmann_generator.ts";
import { boltzmannObjective, type BoltzmannStage } from "../../hybrid/boltzmann_objective.ts";
import { ParticleDimer } from "../../system/particle_dimer.ts";
import { FrameBuffer } from "../../training/frame_buffer.ts";
import { train, type TrainingPosition } from "../../training/train.ts";
import { basinOf } from "../dimer_basins.ts";
import { dimerDistance } from "../dimer_training.ts";
import { samplesInPieces } from "../sample_pieces.ts";
import { sampleTemperatures, type TemperatureData } from "../temperature_data.ts";
import type { BySplit } from "../temperature_settings.ts";
import type { ExperimentContext } from "./experiment.ts";

/** Temperatures of a batch, as published with the scripts. */
export const TRAINED_TEMPERATURES = [0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4] as const;
/** Range of d that the reaction-coordinate loss fills, as published. */
const BOUNDS = [0.5, 2.5] as const;
/** Samples drawn between two turns of the event loop. */
const CHUNK = 8192;

/** The published mixture stages: steps, energy from which it grows logarithmically, w_ML, w_W, w_RC; w_KL = 1. */
const PUBLISHED_STAGES = [
  [100, 1e4, 100, 0.1, 1],
  [100, 1e4, 100, 0.3, 1],
  [300, 1e4, 100, 1, 5],
  [300, 1e4, 100, 1, 10],
  [1000, 2e3, 20, 1, 10],
  [2000, 1e3, 0.1, 0, 10],
] as const;
/** Steps of the published maximum likelihood: 20 passes over 99,800 frames in batches of 1,024, rounded up. */
const PUBLISHED_LIKELIHOOD = 1960;

/** How much of a part of the published training. */
export interface StageShare {
  /** The published numbers of steps are divided by this. */
  readonly divisor: number;
  /** Samples of a step. */
  readonly batch: number;
}

/** How much of the published training. */
export interface TrainingShare {
  /** Maximum likelihood; published: 1,960 steps of 1,024 frames. */
  readonly likelihood: StageShare;
  /** Mixture of all losses; published: 3,800 steps of 8,000 samples at all temperatures together, of which 7,992 are used. */
  readonly mixture: StageShare;
}

/** Weights of the last stage, by which the rows of the published table differ. */
export interface LastStage {
  /** w_ML. */
  readonly maximumLikelihood: number;
  /** w_RC. */
  readonly reactionCoordinate: number;
}

/** A network. */
export interface NetworkRecipe {
  /** Layers in the notation of the papers. */
  readonly layers: string;
  /** Hidden layers of each network in them. */
  readonly hidden: readonly number[];
  /** Weights of the last stage; published: 0.1 and 10. */
  readonly last: LastStage;
  /** How much of the published training. */
  readonly share: TrainingShare;
}

/** Frames for all networks of an experiment, with what they cost. */
export interface NetworkData {
  /** The temperatures that were sampled. */
  readonly temperatures: readonly TemperatureData[];
  /** Energies that they took. */
  readonly energyEvaluations: number;
  /** Seconds of processor time. */
  readonly seconds: number;
}

/** A network after its training. */
export interface TrainedNetwork {
  /** The flow at T = 1. */
  readonly flow: Flow;
  /** Energies that training took. */
  readonly energyEvaluations: number;
}

/** Weighted samples of a network at one temperature. */
export interface NetworkSamples {
  /** ln w, −∞ outside the reference domain, [n]. */
  readonly logWeights: Float64Array;
  /** Distance of the dimer, 0 where it is not finite, [n]. */
  readonly d: Float64Array;
  /** Basin of each, [n]. */
  readonly basins: Int32Array;
  /** Samples outside the reference domain. */
  readonly outside: number;
  /** Samples that were not finite: they have weight zero. */
  readonly notFinite: number;
}

/**
 * Samples the frames that networks learn from, at T = 1, and those that they are judged by.
 *
 * @param context seed, threads
 * @param sizes chains and frames
 * @param judged temperatures of evaluation frames, 1 among them
 * @returns the frames, with what they cost
 */
export async function networkData(
  context: ExperimentContext,
  sizes: { readonly chains: BySplit; readonly frames: BySplit },
  judged: readonly number[],
): Promise<NetworkData> {
  const { seed, pool, signal, clock } = context;
  const start = clock();
  const temperatures = await sampleTemperatures({
    system: new ParticleDimer(),
    ladder: judged.map((temperature) => ({ temperature, trained: temperature === 1 })),
    settings: sizes,
    seed,
    pool,
    onProgress: (done) => context.onProgress("sampling data", done),
    ...signal && { signal },
  });
  const energyEvaluations = temperatures.reduce((sum, at) => sum + at.energyEvaluations, 0);
  return { temperatures, energyEvaluations, seconds: (clock() - start) / 1000 };
}

/**
 * Lists the stages of a training as published: maximum likelihood, then six mixtures with all losses.
 *
 * @param recipe share of the published steps, weights of the last stage
 * @returns the stages; each has a step at least
 */
export function networkStages({ share, last }: Pick<NetworkRecipe, "share" | "last">): BoltzmannStage[] {
  const { likelihood: first, mixture } = share;
  const steps = (published: number, divisor: number) => Math.max(1, Math.round(published / divisor));
  const rate = (initial: number) => ({ shape: "constant" as const, initial });
  return [
    {
      name: "maximum likelihood",
      steps: steps(PUBLISHED_LIKELIHOOD, first.divisor),
      batch: first.batch,
      learningRate: rate(1e-3),
      weights: { maximumLikelihood: 1, energy: 0, reactionCoordinate: 0 },
    },
    ...PUBLISHED_STAGES.map(([published, highEnergy, likelihood, logWeightSpread, coordinate], k): BoltzmannStage => {
      const ends = k === PUBLISHED_STAGES.length - 1;
      return {
        name: `mixture ${k + 1}`,
        steps: steps(published, mixture.divisor),
        batch: mixture.batch,
        learningRate: rate(1e-4),
        weights: {
          maximumLikelihood: ends ? last.maximumLikelihood : likelihood,
          energy: 1,
          reactionCoordinate: ends ? last.reactionCoordinate : coordinate,
          logWeightSpread,
        },
        softening: { highEnergy, maxEnergy: 1e10 },
      };
    }),
  ];
}

/**
 * Makes a network before its training as the scripts do: tanh in both networks of a coupling, nothing whitened. The notebooks
 * have relu in T, whiten, and count one hidden layer more.
 *
 * @param recipe layers and hidden layers
 * @param seed of the weights
 * @returns the network
 */
export function networkFlow({ layers, hidden }: Pick<NetworkRecipe, "layers" | "hidden">, seed: number): Flow {
  const { dim } = new ParticleDimer();
  return new Flow(couplingChain(layers, { dim, hidden, scaleActivation: "tanh", shiftActivation: "tanh", seed }));
}

/** Energies that stages take: one for each sample of the flow. */
function energiesOf(stages: readonly BoltzmannStage[]): number {
  const count = TRAINED_TEMPERATURES.length;
  return stages.reduce((sum, { steps, batch, weights: { energy } }) => {
    return sum + (energy === 0 ? 0 : steps * count * Math.floor(batch / count));
  }, 0);
}

/**
 * Trains a network as published, at nine temperatures at once, from data at T = 1.
 *
 * Where the training was interrupted it goes on; its parameters are the last ones, as published.
 *
 * @param context threads, keeper
 * @param part of the experiment, under which training is kept
 * @param recipe layers and stages
 * @param data of {@link networkData}
 * @param seed of weights, batches and prior samples
 * @returns the network
 * @throws {NotFiniteError} if a loss is not finite
 * @throws the reason of the signal, if it says so
 */
export async function trainNetwork(
  context: ExperimentContext,
  part: string,
  recipe: NetworkRecipe,
  data: NetworkData,
  seed: number,
): Promise<TrainedNetwork> {
  const { pool, signal } = context;
  const system = new ParticleDimer();
  const { dim } = system;
  const flow = networkFlow(recipe, seed);
  const frames = data.temperatures.find(({ train }) => train !== null)!.train!.x;
  const buffer = new FrameBuffer({ dim, capacity: frames.length / dim, seed });
  buffer.push(frames);
  const stages = networkStages(recipe);
  const total = energiesOf(stages) + stages[0].steps;
  const parameters = flow.parameters();
  const keeper = context.training(part);
  const saved = await keeper?.load(parameters);
  const { complete } = await train({
    parameters: parameters.filter((parameter) => parameter.trainable),
    stages,
    objective: boltzmannObjective({
      flow,
      system: { dim, energyAndGradient: (x) => system.energyAndGradient(x, { pool }) },
      beta: 1,
      temperatures: TRAINED_TEMPERATURES,
      data: (n, stage, step) => buffer.batch(n, stage, step),
      reactionCoordinate: { of: dimerDistance, bounds: BOUNDS },
      seed,
    }),
    pool,
    onStep: ({ index, step }) => {
      const done = energiesOf(stages.slice(0, index)) + energiesOf([{ ...stages[index], steps: step }]);
      context.onProgress(`training ${part}`, (index === 0 ? step : stages[0].steps + done) / total);
    },
    ...keeper && { onCheckpoint: (at: TrainingPosition) => keeper.save(parameters, at) },
    ...signal && { signal },
    ...saved && { resume: saved },
  });
  if (!complete) throw signal!.reason;
  return { flow, energyEvaluations: energiesOf(stages) };
}

/**
 * Does what may end because numbers are not finite, as published networks sometimes did: those were left out.
 *
 * @param work what to do
 * @returns what it returned, or how it failed
 */
export async function unlessNotFinite<T>(work: () => Promise<T>): Promise<T | { readonly failure: string }> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof NotFiniteError) return { failure: error.message };
    throw error;
  }
}

/**
 * Draws weighted samples of a network at a temperature.
 *
 * @param context seed, threads
 * @param flow at T = 1
 * @param options `temperature`; `samples`; `first`: number of the first sample, other numbers are independent; `seed`
 * @returns weights and distances
 */
export async function networkSamples(
  context: ExperimentContext,
  flow: Flow,
  options: { readonly temperature: number; readonly samples: number; readonly first: number; readonly seed: number },
): Promise<NetworkSamples> {
  const { temperature, samples } = options;
  const { pool, signal } = context;
  const system = new ParticleDimer();
  const generator = new BoltzmannGenerator(flowAtTemperature(flow, temperature), system, {
    beta: 1 / temperature,
    skipNotFinite: true,
  });
  const logWeights = new Float64Array(samples);
  const d = new Float64Array(samples);
  const basins = new Int32Array(samples);
  let [outside, notFinite] = [0, 0];
  for await (const { at, piece } of samplesInPieces(generator, { ...options, chunk: CHUNK, pool, signal })) {
    const distances = system.distance(piece.x);
    logWeights.set(piece.logWeights, at);
    d.set(distances.map((distance) => Number.isFinite(distance) ? distance : 0), at);
    basins.set(Int32Array.from(distances, basinOf), at);
    outside += piece.outsideDomain;
    notFinite += piece.notFinite;
  }
  return { logWeights, d, basins, outside, notFinite };
}
