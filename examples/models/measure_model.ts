/**
 * What the samples of a model file are worth.
 *
 * @module
 */
import {
  freeEnergyDifferenceByReweighting,
  kishEffectiveSampleSize,
  loadSampler,
  type ParticleDimer,
} from "../../mod.ts";

/** Seed of the samples. */
const SEED = 1;

/** Bond length between closed and open. */
const BOUNDARY = 1.5;

/** What is found; shares from 0 to 1. */
export interface Measured {
  /** Samples drawn. */
  readonly samples: number;
  /** Their seed. */
  readonly seed: number;
  /** Samples outside the reference domain, which count nothing. */
  readonly outsideDomain: number;
  /** Kish's effective number of samples over their number, in each basin and in all; null for a basin without samples. */
  readonly samplingEfficiency: Readonly<Record<"closed" | "open" | "all", number | null>>;
  /** F(open) − F(closed) in k_BT by reweighting these samples alone. */
  readonly difference: { readonly value: number | null; readonly standardError: number | null };
}

/**
 * Draws weighted samples from a model and measures them.
 *
 * @param file the `.onnx` file
 * @param system what it was trained for
 * @param samples how many are drawn
 * @returns efficiencies and the free-energy difference
 */
export async function measureModel(file: Uint8Array, system: ParticleDimer, samples = 20_000): Promise<Measured> {
  await using sampler = await loadSampler(file);
  const { x, logProb } = await sampler.sample(samples, { seed: SEED });
  const logWeights = await sampler.logWeights(x, logProb);
  const basins = Int32Array.from(system.distance(x), (d) => d < BOUNDARY ? 0 : 1);
  const efficiency = (weights: Float64Array) =>
    weights.some((w) => w > -Infinity) ? round(kishEffectiveSampleSize(weights) / weights.length) : null;
  const [closed, open] = [0, 1].map((basin) => efficiency(logWeights.filter((_, i) => basins[i] === basin)));
  const names = ["closed", "open"];
  const { value, standardError } = freeEnergyDifferenceByReweighting(logWeights, basins, { names, seed: SEED });
  return {
    samples,
    seed: SEED,
    outsideDomain: round(logWeights.filter((w) => w === -Infinity).length / samples)!,
    samplingEfficiency: { closed, open, all: efficiency(logWeights) },
    difference: { value: round(value), standardError: round(standardError) },
  };
}

function round(value: number | null): number | null {
  return value === null ? null : Math.round(1e4 * value) / 1e4;
}
