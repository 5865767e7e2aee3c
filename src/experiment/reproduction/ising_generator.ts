/**
 * A generator of spins beside clusters of Wolff: training, samples, frames.
 *
 * @module
 */
import { AutoregressiveSpins } from "../../flow/autoregressive_spins.ts";
import { BoltzmannGenerator, type WeightedSamples } from "../../hybrid/boltzmann_generator.ts";
import { variationalObjective } from "../../hybrid/variational.ts";
import { type Estimate, estimateFrom } from "../../reweighting/estimate.ts";
import { logPartitionFunction } from "../../reweighting/exponential_averaging.ts";
import { logSumExp } from "../../reweighting/log_sum_exp.ts";
import { isingSample } from "../../sampling/ising_sample.ts";
import { IsingLattice } from "../../system/ising_lattice.ts";
import { train } from "../../training/train.ts";
import { weightedMean, type WeightedMeanOptions } from "../weighted_means.ts";
import type { ExperimentContext } from "./experiment.ts";
import { type Cost, costOf, efficiencyOf } from "./systems_settings.ts";

/** Sizes for one lattice. */
export interface IsingSize {
  /** Steps of training. */
  readonly steps: number;
  /** Samples of a step. */
  readonly batch: number;
  /** Samples of the trained generator. */
  readonly samples: number;
  /** Chains of clusters. */
  readonly chains: number;
  /** Frames of each chain. */
  readonly frames: number;
}

/** What generator or clusters say. */
export interface SpinAverages {
  /** ⟨U⟩ in k_BT₀. */
  readonly energy: Estimate;
  /** ⟨|m|⟩. */
  readonly magnetisation: Estimate;
  /** P(m > 0) − P(m < 0). */
  readonly asymmetry: Estimate;
  /** Share of each bin of the magnetisation, [BINS], and its standard error. */
  readonly shares: Float64Array;
  readonly errors: Float64Array;
}

/** Everything about one lattice. */
export interface IsingAnswer {
  readonly side: number;
  readonly exact: { readonly logPartition: number; readonly meanEnergy: number };
  /** ln Z by reweighting. */
  readonly logPartition: Estimate;
  readonly efficiency: Estimate;
  /** F[q] + ln Z: what the generator lacks, in nats. */
  readonly excess: Estimate;
  readonly generator: SpinAverages;
  readonly clusters: SpinAverages;
  /** F[q] while training. */
  readonly curve: { readonly step: number[]; readonly freeEnergy: number[] };
  /** Cost of the generator, frames that judge its coverage included. */
  readonly cost: Cost;
}

/** Next to where an infinite lattice becomes magnetic. */
export const TEMPERATURE = 2.269;
/** Bins of the magnetisation, around −1, −7/8, … 1. */
export const BINS = 17;
/** Largest lattice whose configurations are enumerated. */
const ENUMERATED = 4;

/** The bin of a magnetisation; what lies between two belongs to the one nearer to 0, so that bins are symmetric. */
function binOf(m: number): number {
  return (BINS - 1) / 2 + Math.sign(m) * Math.ceil(Math.abs(m) * (BINS - 1) / 2 - 0.5);
}

function averagesOf(system: IsingLattice, x: Float64Array, energy: Float64Array, options: WeightedMeanOptions) {
  const m = system.magnetisation(x);
  const shares = Array.from({ length: BINS }, (_, b) => weightedMean(m.map((v) => binOf(v) === b ? 1 : 0), options));
  return {
    energy: weightedMean(energy, options),
    magnetisation: weightedMean(m.map(Math.abs), options),
    asymmetry: weightedMean(m.map(Math.sign), options),
    shares: Float64Array.from(shares, ({ value }) => value ?? NaN),
    errors: Float64Array.from(shares, ({ standardError }) => standardError ?? NaN),
  };
}

/**
 * Computes ln Z and ⟨U⟩ over all 2^dim configurations one by one.
 *
 * @param system a small lattice
 * @param temperature T
 * @returns ln Z, ⟨U⟩
 */
export function enumerate(system: IsingLattice, temperature: number): { logPartition: number; meanEnergy: number } {
  const { dim } = system;
  const x = Float64Array.from({ length: 2 ** dim * dim }, (_, i) => (Math.floor(i / dim) >> (i % dim) & 1) * 2 - 1);
  const energy = system.energy(x);
  const logPartition = logSumExp(energy.map((u) => -u / temperature));
  const meanEnergy = energy.reduce((sum, u) => sum + u * Math.exp(-u / temperature - logPartition), 0);
  return { logPartition, meanEnergy };
}

/** The exact answer: by enumeration where that is possible, else Kaufman's. */
export function exactOf(side: number): { logPartition: number; meanEnergy: number; method: string } {
  const system = new IsingLattice({ side });
  if (side <= ENUMERATED) return { ...enumerate(system, TEMPERATURE), method: `all 2^${side * side} configurations` };
  const { logPartition, meanEnergy } = system.exact(TEMPERATURE);
  return { logPartition, meanEnergy, method: "Kaufman's solution" };
}

async function trainSpins(
  { pool, seed, signal, onProgress }: ExperimentContext,
  system: IsingLattice,
  { steps, batch }: IsingSize,
) {
  const beta = 1 / TEMPERATURE;
  const spins = new AutoregressiveSpins({ dim: system.dim, bonds: system.bonds(), beta, hidden: [32], seed });
  const { position } = await train({
    parameters: spins.parameters(),
    stages: [{ name: "fit", steps, batch, learningRate: { shape: "cosine", initial: 0.01 } }],
    objective: variationalObjective({ generator: spins, system, beta, seed, pool }),
    reportEvery: Math.ceil(steps / 50),
    pool,
    onStep: ({ step }) => onProgress(`${system.side} × ${system.side} spins: training`, step / steps),
    ...signal && { signal },
  });
  signal?.throwIfAborted();
  const curve = {
    step: position.history.map(({ step }) => step),
    freeEnergy: position.history.map(({ losses }) => losses.freeEnergy),
  };
  return { spins, curve };
}

/** F[q] + ln Z = −⟨ln w⟩ + ln Z. */
function excessOf({ logWeights }: WeightedSamples, logPartition: number): Estimate {
  const { value, standardError } = weightedMean(logWeights.map((log) => logPartition - log));
  return estimateFrom(value!, standardError ?? NaN);
}

/**
 * Trains a generator on a lattice, draws from it, and draws clusters beside it.
 *
 * @param context threads, seed, clock
 * @param side L
 * @param size sizes
 * @returns what both say
 */
export async function answerIsing(context: ExperimentContext, side: number, size: IsingSize): Promise<IsingAnswer> {
  const cost = costOf(context);
  const { seed, pool } = context;
  const system = new IsingLattice({ side });
  const exact = exactOf(side);
  const { spins, curve } = await trainSpins(context, system, size);
  const generator = new BoltzmannGenerator(spins, system, { beta: 1 / TEMPERATURE });
  const drawn = generator.sample(size.samples, { seed: seed + 1, pool });
  const frames = isingSample(system, {
    temperature: TEMPERATURE,
    chains: size.chains,
    frames: size.frames,
    every: 5,
    burnIn: 200,
    seed: seed + 2,
    pool,
  });
  const logPartition = logPartitionFunction(drawn.logWeights, {
    frames: { logWeights: generator.logWeights(frames.x, { pool }), chains: frames.chain },
    seed,
  });
  const { logWeights } = drawn;
  const energy = drawn.reducedEnergy.map((u) => u * TEMPERATURE);
  return {
    side,
    exact,
    logPartition,
    efficiency: efficiencyOf(drawn),
    excess: excessOf(drawn, exact.logPartition),
    generator: averagesOf(system, drawn.x, energy, { logWeights }),
    clusters: averagesOf(system, frames.x, frames.energy, { blocks: frames.chain }),
    curve,
    cost: cost(size.steps * size.batch + size.samples + frames.chain.length),
  };
}
