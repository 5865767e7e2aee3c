/**
 * The numbers that decide what a comparison of flows computes.
 *
 * @module
 */
import { type AutoregressiveSettings, type DataSettings, type DimerSettings, dimerSettings } from "./dimer_settings.ts";

/** The flows that are compared: the published one, and the autoregressive one with either head. */
export type ContenderName = "realnvp" | "tilted" | "mixture";

/** What is compared, how long and how exactly. */
export interface ComparisonSettings {
  /** Minutes of each way: on a quiet machine of the wall clock, always of processor time on each thread. */
  readonly minutes: number;
  /** The flows by name: size, schedule and fresh frames. Of the stages those of maximum likelihood count, by their shares. */
  readonly contenders: Readonly<Record<ContenderName, DimerSettings>>;
  /** Chains and frames that all flows share. */
  readonly data: Pick<DataSettings, "chains" | "frames">;
  /** Parts of the training after which a flow is judged, rising to 1; whole multiples of 1/32. */
  readonly shares: readonly number[];
  /** Flow samples drawn to judge it: on the way, and at the end. */
  readonly samples: { readonly onTheWay: number; readonly atTheEnd: number };
  /** Parts of the time that umbrella sampling and plain Monte Carlo get, rising to 1; each is a run of its own. */
  readonly referenceShares: readonly number[];
  /** Replicates of the bootstraps. */
  readonly bootstraps: number;
}

/** How much work the minutes were turned into. With the same plan all numbers but times are the same again. */
export interface ComparisonPlan {
  /** Training steps of each flow, a multiple of 32. */
  readonly steps: Readonly<Record<ContenderName, number>>;
  /** Sweeps of each chain at each of `referenceShares`. */
  readonly sweeps: { readonly umbrella: readonly number[]; readonly plain: readonly number[] };
}

/** Validations in a training; every share of the training at which a flow is judged is a multiple of 1/32. */
export const VALIDATIONS = 32;

const between = (low: number, value: number, high: number) => Math.round(Math.min(high, Math.max(low, value)));

/**
 * The settings of a comparison: the flows of the default budget, with as many frames and samples as the time allows.
 *
 * @param minutes of each way
 * @returns every number that decides what is computed, but for the steps that fit into the time
 * @throws {RangeError} if minutes is not positive
 */
export function comparisonSettings(minutes: number): ComparisonSettings {
  if (!(minutes > 0 && Number.isFinite(minutes))) {
    throw new RangeError(`Cannot compare flows: minutes must be a positive number, got ${minutes}`);
  }
  const tilted = dimerSettings("autoregressive", "default");
  const mixture: AutoregressiveSettings = { ...tilted.flow as AutoregressiveSettings, head: "mixture" };
  const samples = between(2000, 20_000 * minutes, 100_000);
  return {
    minutes,
    contenders: { realnvp: dimerSettings("realnvp", "default"), tilted, mixture: { ...tilted, flow: mixture } },
    data: {
      chains: { train: 32, validate: 16, evaluate: 64 },
      frames: {
        train: between(4000, 20_000 * minutes, 60_000),
        validate: between(256, 250 * minutes, 1000),
        evaluate: between(2048, 3000 * minutes, 15_000),
      },
    },
    shares: [1 / 16, 1 / 8, 1 / 4, 1 / 2, 1],
    samples: { onTheWay: between(1000, samples / 5, samples), atTheEnd: samples },
    referenceShares: [1 / 16, 1 / 4, 1],
    bootstraps: 200,
  };
}
