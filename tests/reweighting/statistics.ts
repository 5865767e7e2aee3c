/** Random samples and laws about stated errors, shared by the tests of the estimators. */
import { assert } from "@std/assert";
import type { Estimate } from "../../src/reweighting/estimate.ts";
import { CounterRandom } from "../../src/reweighting/counter_random.ts";

/** Standard normal numbers by Box-Muller. */
export function normals(n: number, random: CounterRandom): Float64Array {
  return new Float64Array(n).map(() =>
    Math.sqrt(-2 * Math.log(random.uniform())) * Math.cos(2 * Math.PI * random.uniform())
  );
}

/** Stationary chain with standard normal marginals and correlation ρ between neighbours: inefficiency (1 + ρ)/(1 − ρ). */
export function autoregressiveChain(n: number, correlation: number, random: CounterRandom): Float64Array {
  const chain = normals(n, random);
  const fresh = Math.sqrt(1 - correlation ** 2);
  for (let i = 1; i < n; i++) chain[i] = correlation * chain[i - 1] + fresh * chain[i];
  return chain;
}

/** Chains put one after another, with the label of each sample. */
export function manyChains(
  chains: number,
  length: number,
  correlation: number,
  random: CounterRandom,
): { values: Float64Array; labels: Int32Array } {
  const values = new Float64Array(chains * length);
  for (let c = 0; c < chains; c++) values.set(autoregressiveChain(length, correlation, random), c * length);
  return { values, labels: Int32Array.from(values, (_, i) => Math.floor(i / length)) };
}

/** Quantiles of the logistic distribution at (i + ½)/n: samples without chance, for golden numbers. */
export function logisticQuantiles(n: number): Float64Array {
  return new Float64Array(n).map((_, i) => Math.log((i + 0.5) / (n - i - 0.5)));
}

/** What repeats of an experiment say about an estimator. */
export interface Coverage {
  /** How many of the 95 % intervals hold the truth. */
  covered: number;
  repeats: number;
  /** Mean of (value − truth) in standard errors of that mean. */
  bias: number;
  /** Mean stated standard error over the actual standard deviation. */
  errorRatio: number;
}

/** Repeats an experiment with a fresh random stream each time. */
export function coverage(repeats: number, truth: number, experiment: (random: CounterRandom) => Estimate): Coverage {
  let covered = 0;
  let sum = 0;
  let squares = 0;
  let errors = 0;
  for (let repeat = 0; repeat < repeats; repeat++) {
    const { value, standardError, interval95 } = experiment(new CounterRandom(20240601, repeat));
    assert(value !== null && standardError !== null && interval95 !== null);
    if (interval95[0] <= truth && truth <= interval95[1]) covered++;
    sum += value - truth;
    squares += (value - truth) ** 2;
    errors += standardError;
  }
  const mean = sum / repeats;
  const deviation = Math.sqrt((squares - repeats * mean * mean) / (repeats - 1));
  return { covered, repeats, bias: mean / (deviation / Math.sqrt(repeats)), errorRatio: errors / repeats / deviation };
}

/**
 * The law of honest errors: 95 % intervals cover the truth as often as a coin of that bias may, 4 standard deviations
 * wide (false alarms 1 in 16 000), with 1 % of slack for the linearisation; the value is centred to 4.5 standard errors
 * of its mean (the estimators are biased at second order, which 200 repeats cannot see at these sample sizes).
 */
export function isHonest({ covered, repeats, bias }: Coverage): boolean {
  const allowed = 4 * Math.sqrt(0.05 * 0.95 / repeats) + 0.01;
  return Math.abs(covered / repeats - 0.95) <= allowed && Math.abs(bias) <= 4.5;
}

/** The message of the error that a function throws. */
export function messageOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    assert(error instanceof RangeError);
    return error.message;
  }
  throw new Error("nothing was thrown");
}
