/**
 * Metropolis Monte Carlo of any system, in plain TypeScript.
 *
 * @module
 */
import { expOf } from "../random/elementary.ts";
import { RandomStream } from "../random/random_stream.ts";
import type { System } from "../system/system.ts";

/** What {@link metropolis} needs to know. */
export interface MetropolisOptions {
  /** Starting points [chains, dim]. */
  readonly start: Float64Array;
  /** Steps of every chain after burn-in, ≥ 1. */
  readonly steps: number;
  /** Standard deviation of a move in each coordinate, > 0. */
  readonly step: number;
  /** T in units of T₀, default 1. */
  readonly temperature?: number | undefined;
  /** Steps to do before the first one counts, default 0. */
  readonly burnIn?: number | undefined;
  /** Steps between two frames, default 1. */
  readonly stride?: number | undefined;
  /** Seed of the random numbers, default 0. */
  readonly seed?: number | undefined;
}

/** What {@link metropolis} returns. Frames are in the order of time; within one time, of chains. */
export interface MetropolisFrames {
  /** Frames [n, dim], n = chains · floor(steps / stride). */
  readonly x: Float64Array;
  /** U of each frame [n]. */
  readonly energy: Float64Array;
  /** Chain of each frame [n]. */
  readonly chain: Int32Array;
  /** Fraction of moves that were accepted after burn-in. */
  readonly acceptance: number;
  /** Energies that were evaluated, burn-in included. */
  readonly energyEvaluations: number;
}

const WHAT = "run Metropolis Monte Carlo";

function wholeNumber(value: number, name: string, least: number): void {
  if (!Number.isInteger(value) || value < least) {
    throw new RangeError(`Cannot ${WHAT}: ${name} must be a whole number ≥ ${least}, got ${value}`);
  }
}

function positive(value: number, name: string): void {
  if (!(value > 0 && Number.isFinite(value))) {
    throw new RangeError(`Cannot ${WHAT}: ${name} must be a positive number, got ${value}`);
  }
}

/**
 * Draws configurations from exp(−U/T) by moving all coordinates at once by normal numbers.
 *
 * A move is accepted with probability min(1, exp(−ΔU/T)), which keeps the distribution exactly. Suits systems of few
 * coordinates; for the particle dimer `MetropolisChains` is about a thousand times faster.
 *
 * @param system the energy
 * @param options starting points, number and size of steps, temperature
 * @returns frames with their energies and chains
 * @throws {RangeError} if an option is impossible or a start has no finite energy
 *
 * @example
 * ```ts
 * import { DoubleWell, metropolis } from "@boltzflow/boltzflow";
 * const start = Float64Array.of(-1.8, 0, 1.8, 0);
 * const { x, chain } = metropolis(new DoubleWell(), { start, steps: 100, step: 0.3, stride: 10 });
 * if (x.length !== 40 || chain.length !== 20) throw new Error("ten frames of two chains");
 * ```
 */
export function metropolis(system: System, options: MetropolisOptions): MetropolisFrames {
  const { start, steps, step, temperature = 1, burnIn = 0, stride = 1, seed = 0 } = options;
  wholeNumber(steps, "steps", 1);
  wholeNumber(stride, "stride", 1);
  wholeNumber(burnIn, "burnIn", 0);
  positive(step, "step");
  positive(temperature, "temperature");
  const walk = new Walk(system, start, step, temperature, new RandomStream(seed));
  for (let k = 0; k < burnIn; k++) walk.step();
  walk.accepted = 0;
  const { chains } = walk;
  const rows = Math.floor(steps / stride);
  const x = new Float64Array(rows * start.length);
  const energy = new Float64Array(rows * chains);
  for (let k = 1; k <= steps; k++) {
    walk.step();
    if (k % stride !== 0) continue;
    x.set(walk.x, (k / stride - 1) * start.length);
    energy.set(walk.energy, (k / stride - 1) * chains);
  }
  const chain = Int32Array.from({ length: rows * chains }, (_, i) => i % chains);
  const acceptance = walk.accepted / (steps * chains);
  return { x, energy, chain, acceptance, energyEvaluations: (1 + burnIn + steps) * chains };
}

/** Chains side by side, so that every step evaluates one batch of energies. */
class Walk {
  readonly x: Float64Array;
  readonly energy: Float64Array;
  readonly chains: number;
  accepted = 0;
  readonly #system: System;
  readonly #step: number;
  readonly #temperature: number;
  readonly #random: RandomStream;
  readonly #trial: Float64Array;

  constructor(system: System, start: Float64Array, step: number, temperature: number, random: RandomStream) {
    if (start.length === 0 || start.length % system.dim !== 0) {
      throw new RangeError(
        `Cannot ${WHAT}: start must hold one or more configurations of ${system.dim} coordinates, got ${start.length} numbers`,
      );
    }
    this.x = start.slice();
    this.energy = system.energy(this.x);
    this.chains = start.length / system.dim;
    const bad = this.energy.findIndex((u) => !Number.isFinite(u));
    if (bad >= 0) {
      throw new RangeError(`Cannot ${WHAT}: start must have finite energies, got ${this.energy[bad]} in chain ${bad}`);
    }
    this.#system = system;
    this.#step = step;
    this.#temperature = temperature;
    this.#random = random;
    this.#trial = new Float64Array(start.length);
  }

  step(): void {
    const trial = this.#random.fillNormals(this.#trial);
    for (let i = 0; i < trial.length; i++) trial[i] = this.x[i] + this.#step * trial[i];
    const energy = this.#system.energy(trial);
    const { dim } = this.#system;
    for (let c = 0; c < this.chains; c++) {
      // 1 − u lies in (0, 1]: an infinite or undefined energy is never accepted, a lower one always.
      const u = 1 - this.#random.uniform();
      if (!(u <= expOf((this.energy[c] - energy[c]) / this.#temperature))) continue;
      this.energy[c] = energy[c];
      this.x.set(trial.subarray(c * dim, (c + 1) * dim), c * dim);
      this.accepted++;
    }
  }
}
