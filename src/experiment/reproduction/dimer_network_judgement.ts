/**
 * What a published network is worth at several temperatures.
 *
 * @module
 */
import { auditFlow } from "../../flow/audit_flow.ts";
import { flowAtTemperature } from "../../flow/flow_at_temperature.ts";
import { BoltzmannGenerator } from "../../hybrid/boltzmann_generator.ts";
import { basinFreeEnergies } from "../../reweighting/basin_free_energies.ts";
import { samplingEfficiency } from "../../reweighting/effective_sample_size.ts";
import type { FreeEnergyEstimate } from "../../reweighting/estimate.ts";
import { freeEnergyProfile } from "../../reweighting/free_energy_profile.ts";
import { freeEnergyDifferenceByReweighting } from "../../reweighting/reweighted_difference.ts";
import { ParticleDimer } from "../../system/particle_dimer.ts";
import { doubtUnaudited, RUN_AUDIT } from "../audit_report.ts";
import { BASIN_NAMES, basinOf, CLOSED, measureWeights, OPEN } from "../dimer_basins.ts";
import type { ByBasin } from "../dimer_results.ts";
import { doubtUnrelaxed } from "../estimates.ts";
import type { TemperatureData } from "../temperature_data.ts";
import {
  type NetworkData,
  type NetworkRecipe,
  networkSamples,
  type TrainedNetwork,
  trainNetwork,
} from "./dimer_network.ts";
import { NETWORK_EDGES } from "./dimer_umbrella_reference.ts";
import type { ExperimentContext } from "./experiment.ts";
import type { Levels } from "./profile_comparison.ts";

/** What a network says at a temperature; plain data. */
export interface NetworkJudgement {
  /** T in units of T₀. */
  readonly temperature: number;
  /** F(d) on the published bins by the weights of the network's samples alone. */
  readonly profile: Levels;
  /** F_open − F_closed. */
  readonly difference: { readonly reweighting: FreeEnergyEstimate; readonly bar: FreeEnergyEstimate };
  /** Kish efficiency. */
  readonly efficiency: ByBasin;
  /** Share of samples outside the reference domain. */
  readonly outside: number;
  /** Samples that were not finite. */
  readonly notFinite: number;
}

/** What is kept of a network; plain data. */
export interface JudgedNetwork {
  /** At each temperature. */
  readonly judgements: readonly NetworkJudgement[];
  /** Energies of training and judging. */
  readonly energyEvaluations: number;
  /** Seconds of processor time; those of a training that was interrupted count from where it went on. */
  readonly seconds: number;
  /** What the frames had cost, which all networks share. */
  readonly data: { readonly energyEvaluations: number; readonly seconds: number };
}

/** Which network, and how thoroughly it is judged. */
export interface JudgementOptions {
  /** Part of the experiment under which its training is kept. */
  readonly part: string;
  /** Layers and stages. */
  readonly recipe: NetworkRecipe;
  /** Seed of everything random in it. */
  readonly seed: number;
  /** Samples at each temperature. */
  readonly samples: number;
  /** Replicates of the bootstraps. */
  readonly bootstraps: number;
}

/**
 * Trains a network as published and judges it at every temperature that has frames.
 *
 * @param context threads, keeper
 * @param options which network, how thoroughly
 * @param data of {@link networkData}
 * @returns what it is worth
 * @throws {NotFiniteError} if a loss, or the density of a frame, is not finite
 */
export async function judgeNetwork(
  context: ExperimentContext,
  options: JudgementOptions,
  data: NetworkData,
): Promise<JudgedNetwork> {
  const { part, recipe, seed, samples } = options;
  const start = context.clock();
  const trained = await trainNetwork(context, part, recipe, data, seed);
  const audit = await auditFlow(trained.flow, {
    ...RUN_AUDIT,
    data: data.temperatures.find(({ temperature }) => temperature === 1)!.evaluate.x,
    seed,
    pool: context.pool,
    ...context.signal && { signal: context.signal },
  });
  const judgements: NetworkJudgement[] = [];
  for (const [t, at] of data.temperatures.entries()) {
    context.onProgress(`judging ${part}`, t / data.temperatures.length);
    const judgement = await judgeAt(context, options, trained, at);
    judgements.push({ ...judgement, difference: doubtUnaudited(judgement.difference, audit) });
  }
  trained.flow.release();
  const weighed = data.temperatures.reduce((sum, { evaluate }) => sum + samples + evaluate.d.length, 0);
  return {
    judgements,
    energyEvaluations: trained.energyEvaluations + weighed,
    seconds: (context.clock() - start) / 1000,
    data: { energyEvaluations: data.energyEvaluations, seconds: data.seconds },
  };
}

async function judgeAt(
  context: ExperimentContext,
  { samples, bootstraps, seed }: JudgementOptions,
  { flow }: TrainedNetwork,
  { temperature, evaluate: frames, statistics }: TemperatureData,
): Promise<NetworkJudgement> {
  const drawn = await networkSamples(context, flow, { temperature, samples, first: 0, seed });
  const generator = new BoltzmannGenerator(flowAtTemperature(flow, temperature), new ParticleDimer(), {
    beta: 1 / temperature,
  });
  const data = {
    logWeights: generator.logWeights(frames.x, { pool: context.pool }),
    basins: Int32Array.from(frames.d, basinOf),
    chains: frames.chain,
  };
  const resampling = { names: [...BASIN_NAMES], replicates: bootstraps, seed };
  const weightless = drawn.logWeights.every((weight) => weight === -Infinity);
  const bar = basinFreeEnergies(drawn, data, resampling).difference(CLOSED, OPEN);
  return {
    temperature,
    profile: weightless
      ? Array.from(NETWORK_EDGES.subarray(1), () => null)
      : freeEnergyProfile(drawn.d, drawn.logWeights, { edges: NETWORK_EDGES, replicates: 2, seed }).freeEnergy,
    difference: {
      reweighting: freeEnergyDifferenceByReweighting(drawn.logWeights, drawn.basins, { ...resampling, frames: data }),
      bar: doubtUnrelaxed(bar, statistics.evaluationRelaxed),
    },
    efficiency: measureWeights(drawn, samplingEfficiency),
    outside: drawn.outside / samples,
    notFinite: drawn.notFinite,
  };
}
