/**
 * The absolute free energy of a fluid, by a flow and by integration from the ideal gas.
 *
 * @module
 */
import type { Executor } from "../backend/executor.ts";
import { independentDifference } from "../reweighting/independent_difference.ts";
import type { CouplingProgress } from "../sampling/coupling_sample.ts";
import type { ProgressKeeper } from "../sampling/keeper.ts";
import { type MetropolisProgress, type MetropolisSample, metropolisSample } from "../sampling/metropolis_sample.ts";
import { fluidSymmetries } from "../system/fluid_symmetries.ts";
import type { LennardJonesFluid } from "../system/lennard_jones_fluid.ts";
import { absoluteFreeEnergy } from "./absolute_free_energy.ts";
import type { FluidChains, FluidOutcome, FluidReference } from "./fluid_results.ts";
import type { FluidSettings } from "./fluid_settings.ts";
import { pairDistribution } from "./pair_distribution.ts";
import { type ParticleFreeEnergy, particleFreeEnergy } from "./particle_free_energy.ts";
import type { TrainingKeeper } from "./run_checkpoints.ts";
import { RunParts } from "./run_parts.ts";
import { type InTurn, samplesInTurn } from "./samples_in_turn.ts";
import type { BySplit } from "./temperature_settings.ts";

/** What to compute, and how thoroughly. */
export interface FluidFreeEnergyOptions {
  /** T in units of T₀. */
  readonly temperature: number;
  /** Sizes. */
  readonly settings: FluidSettings;
  /** Seed of everything random. */
  readonly seed: number;
  /** Threads; results do not depend on it. */
  readonly pool: Executor;
  /** Told which part is under way and how much of it is done, 0 … 1. */
  readonly onProgress?: (part: FluidPart, done: number, loss?: number) => void;
  /** Times the parts and keeps what they have found. Default: nothing is kept. */
  readonly parts?: RunParts;
  /** Keeps where training stands. Default: nothing is kept. */
  readonly keeper?: TrainingKeeper;
  /** Milliseconds between two times that it is kept; default 30 000. */
  readonly checkpointEveryMs?: number;
  /** Ends the computation early with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** A part of the run. */
export type FluidPart = "sampling data" | "training" | "sampling the flow" | "integrating";

/** What the computation itself yields: the outcome of a run but for what its caller knows. */
export type FluidFreeEnergy = Omit<FluidOutcome, "run">;

type Split = keyof BySplit;
const SPLITS: readonly Split[] = ["train", "validate", "evaluate"];
/** Streams of random numbers; those of the integration begin at 64. */
const STREAMS = { train: 21, validate: 22, evaluate: 23 } as const;
const INTEGRATION_STREAM = 64;
/** Sweeps between frames in units of the statistical inefficiency: those for training may be correlated. */
const SPACING = { train: 0.25, validate: 1, evaluate: 1 } as const;
/** Bins of g(r), from where a pair has this energy in k_BT to the side of the box. */
const BINS = 64;
const FORBIDDEN = 30;

/**
 * Computes ln Z of a fluid over its reference domain: by Monte Carlo data, an autoregressive flow under the symmetries of
 * the square, and the acceptance ratio; and, without any flow, by integration from the ideal gas.
 *
 * The border of the domain runs through the liquid, where two particles may exchange their labels as they pass: the flow
 * knows it only from data, and leaks. A share s of samples outside costs −ln(1 − s) nats of the gap and nothing in
 * exactness. Placement row by row, the order of a square grid's numbers, leaks least among those that see their neighbours'
 * energy: after 600 steps the gap is 0.7 nats; from the middle outwards 0.8, in a spiral 1.4, corners first 1.5. Sites on
 * a line, which sort particles by x, leave a gap of 3.7.
 *
 * @param system the fluid
 * @param options temperature, sizes, seed, threads
 * @returns both, with errors, the quality of the flow, energies and pair distributions
 * @throws {DOMException} "AbortError" if the signal says so
 */
export async function fluidFreeEnergy(
  system: LennardJonesFluid,
  options: FluidFreeEnergyOptions,
): Promise<FluidFreeEnergy> {
  const { settings, parts = new RunParts("sampling data") } = options;
  const data = await parts.timed(
    "data",
    () => parts.kept("data", () => sampleSplits(system, options, parts.keeper("data", "chains"))),
  );
  const result = await parts.timed("flow", () => parts.kept("flow", () => runFlow(system, data, options)));
  const { moves, energyEvaluations, ...reference } = await parts.timed(
    "integration",
    () => parts.kept("integration", () => integrate(system, options, parts.keeper("integration", "windows"))),
  );
  const sum = (f: (split: SplitData) => number) => SPLITS.reduce((total, split) => total + f(data[split]), 0);
  return {
    ...describe(system, result, reference, data.evaluate, options),
    data: { train: data.train.chains, validate: data.validate.chains, evaluate: data.evaluate.chains },
    energyEvaluations: {
      data: sum((split) => split.energyEvaluations),
      evaluation: settings.flow.samples + data.evaluate.chain.length,
      reference: energyEvaluations,
    },
    moves: { data: sum((split) => split.moves), reference: moves },
    wallTimeMs: parts.wallTimeMs,
  };
}

/** The parts whose results a run keeps. */
export const FLUID_PARTS = ["data", "flow", "integration"] as const;

/** A split: frames, how their chains behaved, and what they cost. */
interface SplitData {
  readonly x: Float64Array;
  readonly chain: Int32Array;
  readonly chains: FluidChains;
  readonly moves: number;
  readonly energyEvaluations: number;
}

type Splits = { readonly [K in Split]: SplitData };

async function sampleSplits(
  system: LennardJonesFluid,
  { temperature, settings: { data: { chains, frames } }, seed, pool, onProgress, signal }: FluidFreeEnergyOptions,
  keeper: ProgressKeeper<readonly MetropolisProgress[]>,
): Promise<Splits> {
  const common = { temperature, seed, pool, signal };
  const inTurn = SPLITS.map((split) => {
    const own = { frames: frames[split], chains: chains[split], stream: STREAMS[split], spacing: SPACING[split] };
    return {
      work: own.chains + own.frames * own.spacing,
      draw: (how: InTurn) => metropolisSample(system, { ...common, ...own, ...how }),
    };
  });
  const [train, validate, evaluate] = await samplesInTurn(inTurn, {
    keeper,
    onProgress: (done) => onProgress?.("sampling data", done),
  });
  return { train: splitOf(train), validate: splitOf(validate), evaluate: splitOf(evaluate) };
}

/** What the flow has found, without the flow itself. */
type FlowResult = Omit<ParticleFreeEnergy, "flow" | "generator"> & { readonly parameters: number };

async function runFlow(
  system: LennardJonesFluid,
  { train, validate, evaluate }: Splits,
  { temperature, settings, seed, pool, onProgress, signal, keeper, checkpointEveryMs }: FluidFreeEnergyOptions,
): Promise<FlowResult> {
  const frames = { train: train.x, validate: validate.x, evaluate: { x: evaluate.x, chain: evaluate.chain } };
  const { flow, generator: _, ...found } = await particleFreeEnergy(system, frames, {
    temperature,
    symmetries: fluidSymmetries(system),
    settings: settings.flow,
    framesRelaxed: evaluate.chains.relaxed,
    seed,
    pool,
    ...onProgress && { onProgress },
    ...keeper && { keeper },
    ...checkpointEveryMs !== undefined && { checkpointEveryMs },
    ...signal && { signal },
  });
  return { ...found, parameters: flow.parameters().reduce((sum, p) => sum + (p.trainable ? p.length : 0), 0) };
}

async function integrate(
  system: LennardJonesFluid,
  { temperature, settings, seed, pool, onProgress, signal }: FluidFreeEnergyOptions,
  keeper: ProgressKeeper<CouplingProgress>,
): Promise<FluidReference & { readonly moves: number; readonly energyEvaluations: number }> {
  const { sample: { moves, energyEvaluations }, integration, mbar, ideal } = await absoluteFreeEnergy(system, {
    sweeps: settings.integrationSweeps,
    temperature,
    seed,
    stream: INTEGRATION_STREAM,
    pool,
    signal,
    keeper,
    ...onProgress && { onProgress: (done: number) => onProgress("integrating", done) },
  });
  return { integration, mbar, ideal, moves, energyEvaluations };
}

function splitOf(sample: MetropolisSample<LennardJonesFluid>): SplitData {
  const { x, chain, chains, stride, relaxation, acceptance, moves, energyEvaluations } = sample;
  return {
    x,
    chain,
    chains: {
      chains: chains.chains,
      frames: chain.length,
      burnIn: relaxation.burnIn,
      relaxed: relaxation.relaxed,
      stride,
      autocorrelationSweeps: relaxation.autocorrelationTime,
      acceptance,
    },
    moves,
    energyEvaluations,
  };
}

/** What the report shows of flow and reference. */
function describe(
  system: LennardJonesFluid,
  result: FlowResult,
  reference: FluidReference,
  { x, chain }: SplitData,
  { temperature, settings }: FluidFreeEnergyOptions,
) {
  const { parameters, history, audit, samples, frames, ...evaluation } = result;
  const { particles } = system;
  const { boxConstant, sigma, repulsion } = system.parameters;
  // The square in which an ideal gas has the same ln Z.
  const side = 2 * system.halfBox + Math.sqrt(Math.PI * temperature / boxConstant);
  const first = Math.min(sigma * (repulsion / (FORBIDDEN * temperature)) ** (1 / 12), side / 2);
  const edges = Float64Array.from({ length: BINS + 1 }, (_, b) => first + b * (side - first) / BINS);
  const pairs = (of: Float64Array, known: { logWeights?: Float64Array; blocks?: Int32Array }) =>
    pairDistribution(of, { particles, edges, side, ...known });
  return {
    logLabellings: system.logLabellings,
    flow: { parameters, description: flowText(settings) },
    history,
    audit,
    evaluation: { ...evaluation, samples: samples.logWeights.length },
    reference,
    difference: independentDifference(evaluation.logPartition.headline, reference.integration),
    energies: { flow: samples.reducedEnergy, logWeights: samples.logWeights, frames: frames.reducedEnergy },
    pairs: {
      raw: pairs(samples.x, {}),
      reweighted: pairs(samples.x, { logWeights: samples.logWeights }),
      frames: pairs(x, { blocks: chain }),
    },
  };
}

/** One line that says what the flow is. */
function flowText({ flow: { head, hidden } }: FluidSettings): string {
  const density = head === "tilted" ? "densities tilted by the exact pair energy" : "Gaussian mixtures";
  return `autoregressive particle flow, ${density}, a network with hidden layers ${hidden.join("–")} (silu) for each ` +
    "particle, averaged over the symmetries of the square";
}
