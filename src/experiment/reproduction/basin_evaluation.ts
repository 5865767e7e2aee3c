/**
 * What a trained flow says of a system with two basins: free energies, partition function, Kullback–Leibler loss.
 *
 * @module
 */
import { BoltzmannGenerator, type WeightedSamples } from "../../hybrid/boltzmann_generator.ts";
import type { Generator } from "../../flow/flow.ts";
import { basinFreeEnergies } from "../../reweighting/basin_free_energies.ts";
import { type Estimate, estimateFrom, type FreeEnergyEstimate, noEstimate } from "../../reweighting/estimate.ts";
import { logPartitionFunction } from "../../reweighting/exponential_averaging.ts";
import { freeEnergyDifferenceByReweighting } from "../../reweighting/reweighted_difference.ts";
import { metropolis } from "../../sampling/metropolis.ts";
import type { System } from "../../system/system.ts";
import { weightedMean } from "../weighted_means.ts";
import type { ExperimentContext } from "./experiment.ts";
import { HALF_LOG_TWO_PI } from "../../random/elementary.ts";

/** Two basins of a system; kT = 1. */
export interface TwoBasins {
  /** Their names, the one that is left first. */
  readonly names: readonly [from: string, to: string];
  /** A configuration at the bottom of each. */
  readonly bottoms: readonly [readonly number[], readonly number[]];
  /**
   * Tells basins apart.
   *
   * @param x [n, dim]
   * @returns 0 or 1, or −1 where it is neither [n]
   */
  basinOf(x: Float64Array): Int32Array;
}

/** Frames of the target that no training has seen. */
export interface EvaluationFrames {
  /** [n, dim]. */
  readonly x: Float64Array;
  /** Basin of each [n]. */
  readonly basins: Int32Array;
  /** Chain of each [n]. */
  readonly chains: Int32Array;
  /** Energies that were evaluated. */
  readonly energyEvaluations: number;
}

/** How many frames, and how. */
export interface FrameSettings {
  /** Chains in each basin. */
  readonly chains: number;
  /** Steps of each chain, a tenth of which more are burnt. */
  readonly steps: number;
  /** Steps between two frames. */
  readonly stride: number;
  /** Standard deviation of a move. */
  readonly step: number;
}

/**
 * Samples both basins by Metropolis Monte Carlo, chains started at their bottoms. Frames in neither basin are left out.
 *
 * @param system the energy
 * @param basins where they are
 * @param settings how many chains and steps
 * @param seed of the chains
 * @returns frames of both
 */
export function evaluationFrames(
  system: System,
  basins: TwoBasins,
  { chains, steps, stride, step }: FrameSettings,
  seed: number,
): EvaluationFrames {
  const start = Float64Array.from(Array.from({ length: 2 * chains }, (_, i) => basins.bottoms[i % 2]).flat());
  const frames = metropolis(system, { start, steps, stride, step, burnIn: Math.ceil(steps / 10), seed });
  const labels = basins.basinOf(frames.x);
  const inside = Int32Array.from(labels.keys()).filter((i) => labels[i] >= 0);
  const { dim } = system;
  const x = new Float64Array(inside.length * dim);
  inside.forEach((from, to) => x.set(frames.x.subarray(from * dim, (from + 1) * dim), to * dim));
  return {
    x,
    basins: inside.map((i) => labels[i]),
    chains: inside.map((i) => frames.chain[i]),
    energyEvaluations: frames.energyEvaluations,
  };
}

/** What a flow says. */
export interface BasinEvaluation {
  /** Samples with their weights. */
  readonly samples: WeightedSamples;
  /** Basin of each sample. */
  readonly basins: Int32Array;
  /** The frames with their weights. */
  readonly frames: EvaluationFrames & { readonly logWeights: Float64Array };
  /** F_to − F_from by reweighting. */
  readonly reweighted: FreeEnergyEstimate;
  /** F_to − F_from by the Bennett acceptance ratio in each basin. */
  readonly bennett: FreeEnergyEstimate;
  /** ln Z by reweighting. */
  readonly logPartition: Estimate;
  /** J_KL as published, see {@link klLoss}. */
  readonly klLoss: Estimate;
  /** Energies that were evaluated: samples and frames, each frame's once more than its chain did. */
  readonly energyEvaluations: number;
  /** Seconds of processor time. */
  readonly seconds: number;
}

/**
 * Draws samples of a flow and estimates from them.
 *
 * @param context threads and clock
 * @param generator the flow
 * @param system the energy
 * @param basins the two basins
 * @param frames of both, unseen by training
 * @param options number of samples, seed
 * @returns estimates
 */
export function evaluateBasins(
  context: ExperimentContext,
  generator: Generator,
  system: System,
  basins: TwoBasins,
  frames: EvaluationFrames,
  { samples: n, seed }: { readonly samples: number; readonly seed: number },
): BasinEvaluation {
  const { pool, clock } = context;
  const start = clock();
  const boltzmann = new BoltzmannGenerator(generator, system);
  const samples = boltzmann.sample(n, { seed, pool });
  const of = basins.basinOf(samples.x);
  const scored = { ...frames, logWeights: boltzmann.logWeights(frames.x, { pool }) };
  const { names } = basins;
  const { logWeights } = samples;
  return {
    samples,
    basins: of,
    frames: scored,
    reweighted: freeEnergyDifferenceByReweighting(logWeights, of, { names, frames: scored, seed }),
    bennett: basinFreeEnergies({ logWeights, basins: of }, scored, { names, seed }).difference(0, 1),
    logPartition: logPartitionFunction(logWeights, { frames: scored, seed }),
    klLoss: klLoss(samples, system.dim),
    energyEvaluations: n + frames.basins.length + frames.energyEvaluations,
    seconds: (clock() - start) / 1000,
  };
}

/**
 * J_KL as it was published, ⟨u(x) − ln R⟩ over z of the prior with the Jacobian R of z → x: without the entropy of the prior.
 *
 *     J_KL = ⟨u + ln p_X⟩ + dim/2 (1 + ln 2π) ≥ dim/2 (1 + ln 2π) − ln Z
 *
 * The mean of −ln p_Z is put in exactly, which makes the estimate sharp: for a perfect flow it has no error. u is the exact
 * energy, where the loss in training grows only logarithmically at high energies.
 *
 * @param samples of the flow
 * @param dim coordinates
 * @returns the loss on these samples, which training has not seen
 */
export function klLoss({ reducedEnergy, logProb }: WeightedSamples, dim: number): Estimate {
  return weightedMean(reducedEnergy.map((u, i) => u + logProb[i] + dim * NORMAL_ENTROPY));
}

/** Entropy of a normal number. */
const NORMAL_ENTROPY = 0.5 + HALF_LOG_TWO_PI;

/**
 * The lowest value of {@link klLoss}.
 *
 * @param logPartition exact ln Z
 * @param dim coordinates
 * @returns dim/2 (1 + ln 2π) − ln Z
 */
export function klFloor(logPartition: number, dim: number): number {
  return dim * NORMAL_ENTROPY - logPartition;
}

/**
 * F₁ − F₀ from how many samples of the flow lie in each basin, without weights: biased by whatever the flow gets wrong.
 *
 * @param basins of independent samples [n]
 * @returns ln n₀/n₁ with the error of independent counts
 */
export function populationDifference(basins: Int32Array): Estimate {
  const counts = [0, 0];
  for (const basin of basins) if (basin >= 0) counts[basin]++;
  if (counts.includes(0)) return noEstimate("one of the basins holds no sample");
  return estimateFrom(Math.log(counts[0] / counts[1]), Math.sqrt(1 / counts[0] + 1 / counts[1]));
}
