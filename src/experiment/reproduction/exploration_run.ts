/**
 * The exploration of one system in stretches that are kept, so that an interrupted one goes on.
 *
 * @module
 */
import { couplingChain } from "../../flow/coupling_chain.ts";
import { Flow } from "../../flow/flow.ts";
import { type ExplorationOptions, type ExplorationState, explore } from "../../hybrid/exploration.ts";
import type { BoltzmannStage } from "../../hybrid/boltzmann_objective.ts";
import type { System } from "../../system/system.ts";
import { restoreSnapshot, takeSnapshot } from "../../training/snapshot.ts";
import type { TrainingPosition } from "../../training/train.ts";
import type { ExperimentContext } from "./experiment.ts";
import type { ExplorationSizes } from "./exploration_settings.ts";
import { type ExploredSystem, noisyCopies } from "./explored_systems.ts";

/** Where an exploration stands after a stretch, as plain data: arrays by name instead of maps. */
export interface Stretch {
  /** Iterations done. */
  readonly iteration: number;
  readonly parameters: Readonly<Record<string, Float32Array>>;
  readonly optimiser: { readonly steps: number; readonly tensors: Readonly<Record<string, Float32Array>> } | null;
  readonly position: Pick<TrainingPosition, "stage" | "step" | "history" | "running">;
  readonly state: Omit<ExplorationState, "position">;
  /** Training steps that were skipped. */
  readonly skipped: number;
  /** From the beginning. */
  readonly energyEvaluations: number;
  /** Of processor time, from the beginning. */
  readonly seconds: number;
}

/** An exploration that is done. */
export interface Explored {
  /** With the last parameters. */
  readonly flow: Flow;
  /** What was kept at each look. */
  readonly stretches: readonly Stretch[];
}

/** Training steps that may fail: an overlap that leaves the range of numbers is no reason to lose the rest. */
const SKIPPED_AT_MOST = 20;
/** Bounds of the energy in J_KL, as published. */
export const EXPLORATION_SOFTENING = { highEnergy: 1e4, maxEnergy: 1e10 };
/** Batch of maximum likelihood before the exploration, as published. */
const PRETRAINING_BATCH = 128;

/**
 * Names the parts of an exploration.
 *
 * @param name of the system
 * @param sizes of the exploration
 */
export function explorationParts(name: string, { looks }: ExplorationSizes): string[] {
  const plain = name.replaceAll("ü", "u");
  return looks.map((look) => `${plain} to ${look}`);
}

/**
 * Explores a system, or takes what was kept of it.
 *
 * @param explored the system
 * @param sizes how much
 * @param context seed, threads, keeping
 * @returns the flow, and what was found at each look
 */
export async function exploreSystem(
  explored: ExploredSystem,
  sizes: ExplorationSizes,
  context: ExperimentContext,
): Promise<Explored> {
  const { system, name } = explored;
  const { layers, hidden, looks } = sizes;
  const flow = new Flow(couplingChain(layers, { dim: system.dim, hidden, seed: context.seed }));
  const parts = explorationParts(name, sizes);
  const stretches: Stretch[] = [];
  for (const [k, until] of looks.entries()) {
    const before = stretches.at(-1);
    stretches.push(await context.kept(parts[k], () => oneStretch(explored, sizes, context, { flow, until, before })));
    // Those of a part from disk, or the same again.
    restoreSnapshot(flow.parameters(), new Map(Object.entries(stretches[k].parameters)));
  }
  return { flow, stretches };
}

async function oneStretch(
  explored: ExploredSystem,
  sizes: ExplorationSizes,
  context: ExperimentContext,
  { flow, until, before }: { readonly flow: Flow; readonly until: number; readonly before: Stretch | undefined },
): Promise<Stretch> {
  const { seed, pool, clock, signal } = context;
  const begin = clock();
  const counted = new CountedSystem(explored.system);
  // A resumed exploration has its buffer.
  const start = before === undefined ? explored.start(context) : { x: new Float64Array(), energyEvaluations: 0 };
  const { complete, state: { position, ...state }, skipped } = await explore({
    flow,
    system: counted.system,
    beta: 1,
    start: noisyCopies(start.x, sizes.copies, explored.noise, seed),
    capacity: sizes.capacity,
    ...stagesOf(explored, sizes),
    ...explored.reactionCoordinate && { reactionCoordinate: explored.reactionCoordinate },
    basins: explored.basins,
    skipNotFinite: SKIPPED_AT_MOST,
    until,
    seed,
    pool,
    onStep: ({ index, step }) => index === 1 && context.onProgress(explored.name, step / sizes.looks.at(-1)!),
    ...signal && { signal },
    ...before && { resume: { ...before.state, position: positionOf(before) } },
  });
  if (!complete) signal?.throwIfAborted();
  return {
    iteration: until,
    parameters: Object.fromEntries(takeSnapshot(flow.parameters())),
    optimiser: position.optimiser && {
      steps: position.optimiser.steps,
      tensors: Object.fromEntries(position.optimiser.tensors),
    },
    position: { stage: position.stage, step: position.step, history: position.history, running: position.running },
    state,
    skipped,
    energyEvaluations: counted.energies + (before?.energyEvaluations ?? start.energyEvaluations),
    seconds: (clock() - begin) / 1000 + (before?.seconds ?? 0),
  };
}

function positionOf({ position, optimiser }: Stretch): TrainingPosition {
  return {
    ...position,
    optimiser: optimiser && { steps: optimiser.steps, tensors: new Map(Object.entries(optimiser.tensors)) },
    bestValidation: Infinity,
    best: new Map(),
  };
}

/** The stages as published. */
function stagesOf(
  { learningRates, importanceWeighted, reactionCoordinate }: ExploredSystem,
  { pretraining, batch, looks }: ExplorationSizes,
): Pick<ExplorationOptions, "pretraining" | "stage"> {
  const stage = (name: string, rest: Pick<BoltzmannStage, "steps" | "batch" | "weights">, rate: number) => {
    return {
      name,
      ...rest,
      learningRate: { shape: "constant" as const, initial: rate },
      softening: EXPLORATION_SOFTENING,
    };
  };
  const likelihood = { maximumLikelihood: 1, energy: 0, reactionCoordinate: 0 };
  const all = { maximumLikelihood: 1, energy: 1, reactionCoordinate: reactionCoordinate === undefined ? 0 : 1 };
  const first = { steps: pretraining, batch: PRETRAINING_BATCH, weights: likelihood };
  return {
    pretraining: [stage("likelihood", first, learningRates[0])],
    stage: {
      ...stage("exploration", { steps: looks.at(-1)!, batch, weights: all }, learningRates[1]),
      importanceWeighted,
    },
  };
}

/** A system that counts its energies. */
class CountedSystem {
  /** Energies evaluated so far; one with its gradient is one. */
  energies = 0;
  readonly system: System;

  constructor(of: System) {
    this.system = {
      name: of.name,
      dim: of.dim,
      energy: (x, options) => of.energy(this.#counted(x, of.dim), options),
      energyAndGradient: (x, options) => of.energyAndGradient(this.#counted(x, of.dim), options),
      ...of.inDomain && { inDomain: (x, options) => of.inDomain!(x, options) },
      ...of.canonicalize && { canonicalize: (x, options) => of.canonicalize!(x, options) },
    };
  }

  #counted(x: Float64Array, dim: number): Float64Array {
    this.energies += x.length / dim;
    return x;
  }
}
