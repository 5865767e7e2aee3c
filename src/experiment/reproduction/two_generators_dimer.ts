/**
 * Two generators of the particle dimer, one closed and one open: the published flows, and autoregressive ones.
 *
 * @module
 */
import { AutoregressiveParticleFlow } from "../../flow/autoregressive_particle_flow.ts";
import { couplingChain } from "../../flow/coupling_chain.ts";
import { Flow } from "../../flow/flow.ts";
import { boltzmannObjective, type BoltzmannStage } from "../../hybrid/boltzmann_objective.ts";
import { freeEnergyDifferenceBetween, type GeneratedState } from "../../hybrid/two_generators.ts";
import { RandomStream } from "../../random/random_stream.ts";
import { dimerSymmetries } from "../../system/dimer_symmetries.ts";
import { DIMER_BOUNDARY, ParticleDimer } from "../../system/particle_dimer.ts";
import { FrameBuffer } from "../../training/frame_buffer.ts";
import { train } from "../../training/train.ts";
import { doubtUnrelaxed } from "../estimates.ts";
import type { ExperimentContext } from "./experiment.ts";
import { referenceOf, type UmbrellaReference } from "./dimer_umbrella_reference.ts";
import type { DimerPairData, DimerPairFrames, PairFrameSettings } from "./two_generators_frames.ts";
import type { Scan, ScanPoint } from "./two_generators_scan.ts";

/** Sizes of the dimer's part. */
export interface DimerPairSettings extends PairFrameSettings {
  /** The published flow, its schedule as [steps, high energy, w_ML], and its samples per temperature. */
  readonly published: {
    readonly hidden: readonly number[];
    readonly likelihoodSteps: number;
    readonly rows: readonly (readonly [steps: number, highEnergy: number, maximumLikelihood: number])[];
    readonly batch: number;
    readonly samples: number;
  };
  /** Ours: hidden layers, steps, samples per temperature. */
  readonly autoregressive: { readonly hidden: readonly number[]; readonly steps: number; readonly samples: number };
}

/** The published schedule of `Fig6_Particle`: steps, high energy, w_ML. */
export const PUBLISHED_ROWS = [
  [40, 1e6, 1e3],
  [40, 1e6, 300],
  [40, 1e5, 100],
  [40, 5e4, 50],
  [40, 5e4, 20],
  [100, 5e4, 5],
  [200, 5e4, 1],
] as const;

/** Temperatures of the published training. */
const TRAINED = [1, 2, 3] as const;
/** Deviation of the noise that published training data carry. */
const NOISE = 0.05;
/** k_BT₀ above the median beyond which published estimates leave samples out. */
const REJECTED = 50;
/** Frames that coordinates are scaled by. */
const FITTED_FRAMES = 20_000;
/** Stream of the noise. */
const NOISE_STREAM = 31;

const STATES = ["closed", "open"] as const;
type Side = 0 | 1;

/** What a pair of flows is trained and judged by. */
export interface PairTask {
  /** Seed, threads. */
  readonly context: ExperimentContext;
  /** Sizes. */
  readonly settings: DimerPairSettings;
  /** Data. */
  readonly frames: DimerPairFrames;
  /** References, one for each temperature. */
  readonly umbrellas: readonly UmbrellaReference[];
}

/**
 * Trains the published pair of flows, one temperature of data and three of energies, and asks it at all temperatures.
 *
 * @param task context, sizes, data, references
 * @returns what they say
 */
export async function scanPublishedPair({ context, settings, frames, umbrellas }: PairTask): Promise<Scan> {
  const { clock, signal, onProgress } = context;
  const system = new ParticleDimer();
  const { hidden, rows, batch, samples } = settings.published;
  const start = clock();
  const data = frames.data.find(({ temperature }) => temperature === 1)!;
  const flows: Flow[] = [];
  for (const side of [0, 1] as const) {
    onProgress(`Dimer: published flow, ${STATES[side]}`, side / 2);
    const seed = 2 * context.seed + side;
    const noise = new RandomStream(seed, NOISE_STREAM).fillNormals(new Float64Array(data.train[side].x.length));
    const noisy = data.train[side].x.map((value, i) => value + NOISE * noise[i]);
    const buffer = new FrameBuffer({ dim: system.dim, capacity: noisy.length / system.dim, seed });
    buffer.push(noisy);
    const flow = new Flow(couplingChain("WR8", { dim: system.dim, hidden, data: noisy, seed }));
    await train({
      parameters: flow.parameters(),
      stages: pairStages(settings.published),
      objective: boltzmannObjective({
        flow,
        system,
        beta: 1,
        temperatures: TRAINED,
        data: (n, stage, step) => buffer.batch(n, stage, step),
        seed,
      }),
      pool: context.pool,
      ...signal && { signal },
    });
    signal?.throwIfAborted();
    flows.push(flow);
  }
  const steps = rows.reduce((sum, [count]) => sum + count, 0);
  const trained = {
    energyEvaluations: data.energyEvaluations + 4 * batch * steps,
    seconds: frames.seconds / frames.data.length + (clock() - start) / 1000,
  };
  const points = settings.temperatures.map((temperature) =>
    askPair(context, {
      flows: [flows[0], flows[1]],
      data: frames.data.find((one) => one.temperature === temperature)!,
      relative: temperature,
      beta: 1,
      samples,
      trained: (TRAINED as readonly number[]).includes(temperature),
      rejectAbove: REJECTED / temperature,
      umbrellas,
    })
  );
  flows.forEach((flow) => flow.release());
  return { name: "Dimer, published flows", difference: "ΔF(open − closed)", points, ...trained };
}

/**
 * Lists the stages of training as published: likelihood alone, then energy at three temperatures with ever less likelihood,
 * weighted by the flow's own weights, which is the default of the published trainer.
 *
 * @param settings steps, rows of the schedule, samples
 * @returns the stages
 */
export function pairStages(
  { likelihoodSteps, rows, batch }: Pick<DimerPairSettings["published"], "likelihoodSteps" | "rows" | "batch">,
): BoltzmannStage[] {
  return [
    {
      name: "ML",
      steps: likelihoodSteps,
      batch: 128,
      learningRate: { shape: "constant", initial: 1e-3 },
      weights: { maximumLikelihood: 1, energy: 0, reactionCoordinate: 0 },
    },
    ...rows.map(([steps, highEnergy, maximumLikelihood], i): BoltzmannStage => ({
      name: `ML and KL ${i + 1}`,
      steps,
      batch,
      learningRate: { shape: "constant", initial: 1e-4 },
      weights: { maximumLikelihood, energy: 1, reactionCoordinate: 0 },
      importanceWeighted: true,
      softening: { highEnergy, maxEnergy: 1e10 },
    })),
  ];
}

/**
 * Trains a pair of autoregressive particle flows at each temperature, on data alone, and asks it there.
 *
 * @param task context, sizes, data, references
 * @returns what they say
 */
export async function scanAutoregressivePairs({ context, settings, frames, umbrellas }: PairTask): Promise<Scan> {
  const { clock, onProgress } = context;
  const points: ScanPoint[] = [];
  for (const [k, data] of frames.data.entries()) {
    const start = clock();
    const flows: Flow[] = [];
    for (const side of [0, 1] as const) {
      onProgress(`Dimer: autoregressive flows, ${STATES[side]}`, (2 * k + side) / (2 * frames.data.length));
      flows.push(await trainAutoregressive(context, settings, data, side));
    }
    const spent = (clock() - start) / 1000;
    const point = askPair(context, {
      flows: [flows[0], flows[1]],
      data,
      relative: 1,
      beta: 1 / data.temperature,
      samples: settings.autoregressive.samples,
      trained: true,
      rejectAbove: REJECTED / data.temperature,
      umbrellas,
    });
    flows.forEach((flow) => flow.release());
    const own = { frameEnergies: point.frameEnergies + data.energyEvaluations, seconds: point.seconds + spent };
    points.push({ ...point, ...own });
  }
  return {
    name: "Dimer, autoregressive flows",
    difference: "ΔF(open − closed)",
    points,
    energyEvaluations: 0,
    seconds: frames.seconds / frames.data.length,
  };
}

async function trainAutoregressive(
  { seed, pool, signal }: ExperimentContext,
  { autoregressive: { hidden, steps } }: DimerPairSettings,
  { temperature, train: data }: DimerPairData,
  side: Side,
): Promise<Flow> {
  const system = new ParticleDimer();
  const own = 2 * seed + side;
  const { x } = data[side];
  const symmetries = dimerSymmetries(system);
  const buffer = new FrameBuffer({ dim: system.dim, capacity: x.length / system.dim, seed: own, symmetries });
  buffer.push(x);
  const flow = new Flow(AutoregressiveParticleFlow.fit(buffer.batch(Math.min(FITTED_FRAMES, buffer.length), 255, 0), {
    particles: system.particles,
    spatialDim: 2,
    hidden,
    temperature,
    seed: own,
    head: { kind: "mixture" },
  }));
  await train({
    parameters: flow.parameters(),
    stages: [{
      name: "ML",
      steps,
      batch: 128,
      learningRate: { shape: "cosine", initial: 4e-3, final: 4e-5, warmup: 50 },
      adam: { maximumNorm: 20 },
      weights: { maximumLikelihood: 1, energy: 0, reactionCoordinate: 0 },
    }],
    objective: boltzmannObjective({
      flow,
      system,
      beta: 1 / temperature,
      data: (n, stage, step) => buffer.batch(n, stage, step),
      seed: own,
    }),
    pool,
    ...signal && { signal },
  });
  signal?.throwIfAborted();
  return flow;
}

/** A pair of flows, and what it is asked. */
interface PairQuestion {
  readonly flows: readonly [Flow, Flow];
  readonly data: DimerPairData;
  /** τ, relative to the temperature that the flows stand for. */
  readonly relative: number;
  readonly beta: number;
  readonly samples: number;
  readonly trained: boolean;
  readonly rejectAbove: number;
  readonly umbrellas: readonly UmbrellaReference[];
}

function askPair({ clock, seed, pool }: ExperimentContext, question: PairQuestion): ScanPoint {
  const { flows, data: { temperature, evaluate, relaxed }, relative, beta, samples, trained, rejectAbove, umbrellas } =
    question;
  const system = new ParticleDimer();
  const start = clock();
  const state = (side: Side): GeneratedState => ({
    flow: flows[side],
    system,
    basin: (x) => {
      const d = distances(x, system.dim);
      return Uint8Array.from(d, (distance) => (distance < DIMER_BOUNDARY ? 0 : 1) === side ? 1 : 0);
    },
    frames: evaluate[side],
  });
  const found = freeEnergyDifferenceBetween(state(0), state(1), {
    samples,
    seed: seed + Math.round(100 * temperature),
    beta,
    temperature: relative,
    skipNotFinite: true,
    rejectAbove,
    pool,
  });
  const umbrella = umbrellas.find((one) => one.temperature === temperature)!;
  return {
    temperature,
    trained,
    reference: referenceOf(umbrella),
    found: {
      ...found,
      bennett: doubtUnrelaxed(found.bennett!, relaxed),
      mapped: { ...found.mapped!, ...doubtUnrelaxed(found.mapped!, relaxed) },
    },
    frameEnergies: 0,
    seconds: (clock() - start) / 1000,
  };
}

function distances(x: Float64Array, dim: number): Float64Array {
  return Float64Array.from(
    { length: x.length / dim },
    (_, i) => Math.hypot(x[i * dim] - x[i * dim + 2], x[i * dim + 1] - x[i * dim + 3]),
  );
}
