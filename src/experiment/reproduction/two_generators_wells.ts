/**
 * Two generators of systems of two coordinates: the double well and Müller-Brown.
 *
 * @module
 */
import { couplingChain } from "../../flow/coupling_chain.ts";
import { Flow } from "../../flow/flow.ts";
import { boltzmannObjective, type BoltzmannStage } from "../../hybrid/boltzmann_objective.ts";
import { freeEnergyDifferenceBetween, type GeneratedState } from "../../hybrid/two_generators.ts";
import { metropolis, type MetropolisFrames } from "../../sampling/metropolis.ts";
import { MuellerBrown } from "../../system/mueller_brown.ts";
import type { System } from "../../system/system.ts";
import { FrameBuffer } from "../../training/frame_buffer.ts";
import { train } from "../../training/train.ts";
import type { ExperimentContext } from "./experiment.ts";
import type { Scan, ScanPoint } from "./two_generators_scan.ts";
import { doubleWell } from "./double_well_basins.ts";
import { byQuadrature } from "./row.ts";

/** A system of two coordinates with two states. */
export interface WellSystem {
  /** For people. */
  readonly name: string;
  /** The difference. */
  readonly difference: string;
  /** The energy. */
  readonly system: System;
  /** F₂ − F₁ in k_BT by quadrature. */
  exact(temperature: number): number;
  /** Where chains of either state start. */
  readonly starts: readonly [readonly [number, number], readonly [number, number]];
  /** Whether a point belongs to the first or the second state. */
  readonly basins: readonly [Basin, Basin];
  /** Published flow in the papers' letters, with its hidden layers. */
  readonly flow: { readonly notation: string; readonly hidden: readonly number[] };
  /** Published data of one chain at T = 1. */
  readonly data: { readonly steps: number; readonly step: number; readonly stride: number };
  /** Temperatures of training. */
  readonly trained: readonly number[];
  /** k_BT₀ above the median beyond which the published estimate leaves samples out, if it does. */
  readonly rejectAbove?: number;
}

type Basin = (x1: number, x2: number) => boolean;

const mueller = new MuellerBrown();
/** s = 0.7 (x₁ − x₂), along which the states of Müller-Brown are told apart. */
const projection = (x1: number, x2: number) => 0.7 * (x1 - x2);

/** Both systems, as `Fig6_DoubleWell` and `Fig6_Mueller` have them. */
export const wellSystems: readonly WellSystem[] = [
  {
    name: "Double well",
    difference: "ΔF(right − left)",
    system: doubleWell,
    exact: (temperature) => doubleWell.exact(temperature).freeEnergyDifference,
    starts: [[-1.8, 0], [1.8, 0]],
    basins: [(x1) => x1 < 0, (x1) => x1 >= 0],
    flow: { notation: "RRRR", hidden: [100] },
    data: { steps: 10_000, step: 0.1, stride: 10 },
    trained: [0.5, 1, 2, 4],
  },
  {
    name: "Müller-Brown",
    difference: "ΔF(s > 0 − s < −1)",
    system: mueller,
    exact: (temperature) => mueller.exact(temperature).freeEnergyDifference,
    starts: [[-0.5, 1.5], [0.5, 0]],
    basins: [(x1, x2) => projection(x1, x2) < -1, (x1, x2) => projection(x1, x2) > 0],
    flow: { notation: "RRRRR", hidden: [100, 100] },
    data: { steps: 1000, step: 0.05, stride: 1 },
    trained: [0.25, 0.5, 1, 2, 3],
    rejectAbove: 100,
  },
];

/** Sizes of training and evaluation. */
export interface WellSettings {
  /** Steps of 128 samples on data. */
  readonly likelihoodSteps: number;
  /** Steps on data and energies. */
  readonly energySteps: number;
  /** Samples of those. */
  readonly batch: number;
  /** Samples of each flow at each temperature. */
  readonly samples: number;
  /** Steps of each of the chains of fresh frames. */
  readonly frameSteps: number;
  /** Temperatures of the scan; those of training are among them. */
  readonly temperatures: readonly number[];
}

/** Chains of fresh frames of each state. */
const CHAINS = 64;
/** Steps between fresh frames. */
const STRIDE = 25;
/** Steps before the first. */
const BURN_IN = 400;
/** Share of the thermal width of a soft spring (k = 1) that a move takes. */
const STEP = 0.35;

/**
 * Trains both generators of a system and asks them at all temperatures.
 *
 * @param context seed, threads
 * @param wells the system
 * @param settings sizes
 * @returns what they say
 */
export async function scanWells(context: ExperimentContext, wells: WellSystem, settings: WellSettings): Promise<Scan> {
  const { clock, seed, signal, onProgress } = context;
  const { name, difference, trained } = wells;
  const start = clock();
  const generators: TrainedState[] = [];
  for (const side of [0, 1] as const) {
    onProgress(`${name}: training`, side / 2);
    generators.push(await trainState(context, wells, side, settings));
    signal?.throwIfAborted();
  }
  const seconds = (clock() - start) / 1000;
  const points: ScanPoint[] = [];
  for (const [k, temperature] of settings.temperatures.entries()) {
    onProgress(`${name}: free energies`, k / settings.temperatures.length);
    signal?.throwIfAborted();
    const before = clock();
    const frames = ([0, 1] as const).map((side) => freshFrames(wells, side, temperature, settings, 1000 * seed + k));
    const state = (side: 0 | 1): GeneratedState => ({
      flow: generators[side].flow,
      system: wells.system,
      basin: (x) => marks(x, wells.basins[side]),
      frames: { x: frames[side].x, chain: frames[side].chain },
    });
    const found = freeEnergyDifferenceBetween(state(0), state(1), {
      samples: settings.samples,
      seed: seed + k,
      temperature,
      ...wells.rejectAbove !== undefined && { rejectAbove: wells.rejectAbove / temperature },
      pool: context.pool,
    });
    points.push({
      temperature,
      trained: trained.includes(temperature),
      reference: byQuadrature(wells.exact(temperature)),
      found,
      frameEnergies: frames[0].energyEvaluations + frames[1].energyEvaluations,
      seconds: (clock() - before) / 1000,
    });
  }
  generators.forEach(({ flow }) => flow.release());
  const energyEvaluations = generators.reduce((sum, generator) => sum + generator.energyEvaluations, 0);
  return { name, difference, points, energyEvaluations, seconds };
}

/** A flow of one state with what it cost. */
interface TrainedState {
  readonly flow: Flow;
  readonly energyEvaluations: number;
}

async function trainState(
  { seed, pool, signal }: ExperimentContext,
  { system, starts, basins, flow: { notation, hidden }, data: { steps, step, stride }, trained }: WellSystem,
  side: 0 | 1,
  settings: WellSettings,
): Promise<TrainedState> {
  const own = 2 * seed + side;
  // Of 200 published chains of the double well 15 cross: their flows would generate both states.
  const home = confined(system, (x1, x2) => !basins[1 - side](x1, x2));
  const data = metropolis(home, { start: Float64Array.from(starts[side]), steps, step, stride, seed: own });
  const frames = new FrameBuffer({ dim: 2, capacity: data.energy.length, seed: own });
  frames.push(data.x);
  const flow = new Flow(couplingChain(notation, { dim: 2, hidden, seed: own }));
  await train({
    parameters: flow.parameters(),
    stages: wellStages(settings),
    objective: boltzmannObjective({
      flow,
      system,
      beta: 1,
      temperatures: trained,
      data: (n, stage, step) => frames.batch(n, stage, step),
      seed: own,
    }),
    pool,
    ...signal && { signal },
  });
  signal?.throwIfAborted();
  return { flow, energyEvaluations: data.energyEvaluations + settings.energySteps * settings.batch };
}

/**
 * Lists the stages of training as published: likelihood alone, then likelihood and energy with equal weights. The notebooks of
 * the wells switch off the weights of the likelihood, that of the particles does not.
 *
 * @param settings steps and samples
 * @returns both stages
 */
export function wellStages(
  { likelihoodSteps, energySteps, batch }: Pick<WellSettings, "likelihoodSteps" | "energySteps" | "batch">,
): BoltzmannStage[] {
  return [
    {
      name: "ML",
      steps: likelihoodSteps,
      batch: 128,
      learningRate: { shape: "constant", initial: 1e-3 },
      weights: { maximumLikelihood: 1, energy: 0, reactionCoordinate: 0 },
    },
    {
      name: "ML and KL",
      steps: energySteps,
      batch,
      learningRate: { shape: "constant", initial: 1e-4 },
      weights: { maximumLikelihood: 1, energy: 1, reactionCoordinate: 0 },
      softening: { highEnergy: 1e4, maxEnergy: 1e10 },
    },
  ];
}

/** Independent chains at a temperature that cannot leave their state. */
function freshFrames(
  { system, starts, basins }: WellSystem,
  side: 0 | 1,
  temperature: number,
  { frameSteps }: WellSettings,
  seed: number,
): MetropolisFrames {
  return metropolis(confined(system, basins[side]), {
    start: Float64Array.from({ length: 2 * CHAINS }, (_, i) => starts[side][i % 2]),
    steps: frameSteps,
    burnIn: BURN_IN,
    stride: STRIDE,
    step: STEP * Math.sqrt(temperature),
    temperature,
    seed: 2 * seed + side,
  });
}

/** The same energy, infinite outside a basin. */
function confined(system: System, basin: Basin): System {
  return {
    name: system.name,
    dim: system.dim,
    energy(x) {
      const inside = marks(x, basin);
      return system.energy(x).map((u, i) => inside[i] ? u : Infinity);
    },
    energyAndGradient: (x) => system.energyAndGradient(x),
  };
}

function marks(x: Float64Array, basin: Basin): Uint8Array {
  return Uint8Array.from({ length: x.length / 2 }, (_, i) => basin(x[2 * i], x[2 * i + 1]) ? 1 : 0);
}
