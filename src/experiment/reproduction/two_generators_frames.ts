/**
 * Closed and open frames of the particle dimer at several temperatures.
 *
 * @module
 */
import { DIMER_BOUNDARY, ParticleDimer } from "../../system/particle_dimer.ts";
import type { DimerFrames } from "../dimer_results.ts";
import { sampleTemperatures } from "../temperature_data.ts";
import type { ExperimentContext } from "./experiment.ts";

/** How much is sampled. */
export interface PairFrameSettings {
  /** Temperatures that are asked for. */
  readonly temperatures: readonly number[];
  /** Chains of training and of fresh frames, half of them closed. */
  readonly chains: { readonly train: number; readonly evaluate: number };
  /** Frames of each, both states together, at each temperature. */
  readonly frames: { readonly train: number; readonly evaluate: number };
}

/** Frames of one state at one temperature. */
interface StateSample {
  /** Configurations [n, dim], in the reference domain. */
  readonly x: Float64Array;
  /** Chain of each. */
  readonly chain: Int32Array;
}

/** Frames of both states at one temperature; plain data. */
export interface DimerPairData {
  /** T in units of T₀. */
  readonly temperature: number;
  /** For training, closed and open. */
  readonly train: readonly [StateSample, StateSample];
  /** That training has not seen. */
  readonly evaluate: readonly [StateSample, StateSample];
  /** Whether chains of the latter had forgotten their starts. */
  readonly relaxed: boolean;
  /** Energies that moves were worth. */
  readonly energyEvaluations: number;
}

/** All frames with their cost; plain data. */
export interface DimerPairFrames {
  /** By temperature. */
  readonly data: readonly DimerPairData[];
  /** Processor time in seconds. */
  readonly seconds: number;
}

/**
 * Samples closed and open frames at all temperatures; a frame belongs to the state of its own distance.
 *
 * @param context seed, threads
 * @param settings sizes
 * @returns frames
 */
export async function samplePairs(context: ExperimentContext, settings: PairFrameSettings): Promise<DimerPairFrames> {
  const { clock, seed, pool, signal, onProgress } = context;
  const start = clock();
  const { temperatures, chains, frames } = settings;
  const data = await sampleTemperatures({
    system: new ParticleDimer(),
    ladder: temperatures.map((temperature) => ({ temperature, trained: true })),
    settings: {
      chains: { ...chains, validate: 2 },
      frames: { ...frames, validate: 2 },
    },
    seed,
    pool,
    onProgress: (done) => onProgress("Dimer: Monte Carlo", done),
    ...signal && { signal },
  });
  return {
    data: data.map(({ temperature, train, evaluate, statistics, energyEvaluations }) => ({
      temperature,
      train: [stateOf(train!, 0), stateOf(train!, 1)],
      evaluate: [stateOf(evaluate, 0), stateOf(evaluate, 1)],
      relaxed: statistics.evaluationRelaxed,
      energyEvaluations,
    })),
    seconds: (clock() - start) / 1000,
  };
}

function stateOf({ x, chain, d }: DimerFrames, side: 0 | 1): StateSample {
  const dim = x.length / d.length;
  const rows = Int32Array.from(d.keys()).filter((i) => (d[i] < DIMER_BOUNDARY ? 0 : 1) === side);
  const own = new Float64Array(rows.length * dim);
  rows.forEach((row, k) => own.set(x.subarray(row * dim, (row + 1) * dim), k * dim));
  return { x: own, chain: Int32Array.from(rows, (row) => chain[row]) };
}
