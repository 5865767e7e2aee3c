/**
 * Monte Carlo chains of particles that can be advanced a little at a time.
 *
 * @module
 */
import { type ChainPairs, particleMetropolis } from "../backend/metropolis_kernels.ts";
import { isDimer } from "../backend/particle_coefficients.ts";
import { DIMER_BOUNDARY, type ParticleDimer } from "../system/particle_dimer.ts";
import type { ParticleSystem } from "../system/particle_system.ts";
import { reordered } from "../system/relabelling.ts";
import type { ComputeOptions } from "../system/system.ts";
import {
  dimerDistances,
  emptyPairs,
  fillTable,
  fromLanes,
  generatorWords,
  restoreGenerators,
  seedGenerators,
  TableRow,
  toLanes,
} from "./chain_lanes.ts";
import type { AdvanceOptions, ChainFrames, DistanceBias, MetropolisChainsOptions } from "./chain_options.ts";
import { checkState, type MetropolisState } from "./chain_state.ts";

const WHAT = "run Metropolis chains";
/** Acceptance that tuning aims at. */
const TARGET_ACCEPTANCE = 0.35;

/**
 * Chains of single-particle Metropolis moves in the canonical ensemble of particles at one temperature.
 *
 * A sweep offers every particle, in order, one move by a uniform number from ±step in each coordinate, accepted with
 * probability min(1, exp(−ΔU/T − Δbias)). Each move leaves the distribution as it is, hence so does the sweep. Chains are
 * independent of each other, of the number of threads and of how sweeps are divided among calls, bit for bit.
 *
 * The particle dimer has a distance that can be recorded and biased; other systems have none, and everything about
 * distances is empty.
 *
 * @typeParam S the system; the dimer if nothing is said
 *
 * @example
 * ```ts
 * import { MetropolisChains, ParticleDimer } from "@boltzflow/boltzflow";
 * const chains = new MetropolisChains(new ParticleDimer(), { chains: 2, seed: 1 });
 * chains.tune(200);
 * chains.advance(100);
 * const { x, d } = chains.frames();
 * if (x.length !== 2 * 76 || !(d[0] < 1.5 && d[1] >= 1.5)) throw new Error("one closed, one open");
 * ```
 */
export class MetropolisChains<S extends ParticleSystem = ParticleDimer> {
  /** The particles. */
  readonly system: S;
  /** Number of chains. */
  readonly chains: number;
  /** T in units of T₀. */
  readonly temperature: number;
  readonly #pairs: ChainPairs;
  #step = 0;
  #bias: DistanceBias;
  readonly #labels: Int32Array;
  readonly #basins: Int32Array;
  readonly #crossings: Int32Array;
  #sweeps = 0;
  #countedSweeps = 0;

  /**
   * Sets chains up; nothing moves yet.
   *
   * @param system the particles
   * @param options number of chains, temperature, seed, starts, step, bias
   * @throws {RangeError} if an option is impossible
   */
  constructor(system: S, options: MetropolisChainsOptions = {}) {
    const { chains = 32, temperature = 1, seed = 0, stream = 0, bias } = options;
    if (!Number.isInteger(chains) || chains < 2 || chains % 2 !== 0) {
      throw new RangeError(`Cannot ${WHAT}: chains must be an even number ≥ 2, got ${chains}`);
    }
    if (!(temperature > 0 && Number.isFinite(temperature))) {
      throw new RangeError(`Cannot ${WHAT}: temperature must be a positive number, got ${temperature}`);
    }
    this.system = system;
    this.chains = chains;
    this.temperature = temperature;
    this.#pairs = emptyPairs(chains, system.dim);
    this.#labels = new Int32Array(chains * system.particles).map((_, i) => i % system.particles);
    this.#basins = new Int32Array(chains);
    this.#crossings = new Int32Array(chains);
    this.#setPositions(options.start ?? startsInTurn(system, chains));
    seedGenerators(this.#pairs, seed, stream);
    fillTable(this.#pairs, TableRow.temperature, () => temperature);
    this.step = options.step ?? 0.2 * Math.sqrt(temperature);
    this.#bias = bias ?? { constant: 0, centres: new Float64Array(chains) };
    this.#applyBias();
    this.distances().forEach((d, c) => this.#basins[c] = basinOf(d));
  }

  /**
   * Sets chains up where others stopped.
   *
   * @param system the particles they belong to
   * @param state what `state` returned
   * @returns chains that go on exactly as those would have
   * @throws {RangeError} if the arrays do not fit the system
   */
  static fromState<S extends ParticleSystem = ParticleDimer>(system: S, state: MetropolisState): MetropolisChains<S> {
    checkState(state, system.particles);
    const { numbers, arrays } = state;
    const bias = { constant: numbers.biasConstant, centres: arrays.biasCentres };
    const chains = new MetropolisChains(system, { ...numbers, start: arrays.positions, bias });
    restoreGenerators(chains.#pairs, arrays.generators);
    chains.#pairs.accepted.set(arrays.accepted);
    chains.#labels.set(arrays.labels);
    chains.#basins.set(arrays.basins);
    chains.#crossings.set(arrays.crossings);
    chains.#sweeps = numbers.sweeps;
    chains.#countedSweeps = numbers.countedSweeps;
    return chains;
  }

  /** Everything needed to go on from here; a copy. */
  get state(): MetropolisState {
    const { chains, temperature, step } = this;
    const [sweeps, countedSweeps] = [this.#sweeps, this.#countedSweeps];
    return {
      numbers: { chains, temperature, step, biasConstant: this.#bias.constant, sweeps, countedSweeps },
      arrays: {
        positions: this.positions(),
        generators: generatorWords(this.#pairs),
        accepted: this.#pairs.accepted.slice(),
        biasCentres: this.#bias.centres.slice(),
        labels: this.#labels.slice(),
        basins: this.#basins.slice(),
        crossings: this.#crossings.slice(),
      },
    };
  }

  /** Largest move in each coordinate. Change it during burn-in only: a step that depends on the past is not exact. */
  get step(): number {
    return this.#step;
  }
  set step(value: number) {
    if (!(value > 0 && Number.isFinite(value))) {
      throw new RangeError(`Cannot ${WHAT}: step must be a positive number, got ${value}`);
    }
    this.#step = value;
    fillTable(this.#pairs, TableRow.step, () => value);
  }

  /**
   * Moves the centres of the bias.
   *
   * @param centres m of each chain [chains]
   * @throws {RangeError} if there is not one finite number for each chain
   */
  moveBias(centres: Float64Array): void {
    this.#bias = { constant: this.#bias.constant, centres: centres.slice() };
    this.#applyBias();
  }

  /**
   * Advances all chains.
   *
   * @param sweeps sweeps ≥ 0; each offers every particle one move
   * @param options threads; how often to record a dimer's distance
   * @returns the recorded distances [floor(sweeps / every), chains]
   * @throws {RangeError} if a number is not whole or negative, or there is no dimer to record
   */
  advance(sweeps: number, options: AdvanceOptions = {}): Float64Array {
    const { every = 0, pool } = options;
    for (const [name, value] of [["sweeps", sweeps], ["every", every]] as const) {
      if (!Number.isSafeInteger(value) || value < 0) {
        throw new RangeError(`Cannot ${WHAT}: ${name} must be a whole number ≥ 0, got ${value}`);
      }
    }
    if (every > 0) this.#requireDimer("every");
    const distances = particleMetropolis(this.system.coefficients, this.#pairs, sweeps, every, pool);
    this.#sweeps += sweeps;
    this.#countedSweeps += sweeps;
    for (let i = 0; i < distances.length; i++) this.#see(i % this.chains, distances[i]);
    this.distances().forEach((d, c) => this.#see(c, d));
    return distances;
  }

  /**
   * Advances all chains and adapts the step until about 35 % of the moves are accepted. For burn-in.
   *
   * @param sweeps sweeps to spend
   * @param options threads
   */
  tune(sweeps: number, options: ComputeOptions = {}): void {
    const portion = 20;
    for (let done = 0; done < sweeps; done += portion) {
      this.resetAcceptance();
      this.advance(Math.min(portion, sweeps - done), options);
      const error = this.acceptance() - TARGET_ACCEPTANCE;
      this.step = Math.min(this.system.coefficients.halfBox, this.step * (1 + error));
    }
    this.resetAcceptance();
  }

  /** Measures the fraction of accepted moves since the last reset; NaN if there were none. */
  acceptance(): number {
    const moves = this.#countedSweeps * this.system.particles * this.chains;
    return this.#pairs.accepted.reduce((sum, count) => sum + count, 0) / moves;
  }

  /** Starts to count accepted moves afresh. */
  resetAcceptance(): void {
    this.#pairs.accepted.fill(0);
    this.#countedSweeps = 0;
  }

  /** Copies the configurations as the chains hold them, with the labels they started with: [chains, dim]. */
  positions(): Float64Array {
    const { positions } = this.#pairs;
    return fromLanes(positions, this.system.dim, new Float64Array(positions.length));
  }

  /** Measures the dimer's distances [chains]; empty for systems without one. */
  distances(): Float64Array {
    return isDimer(this.system.coefficients) ? dimerDistances(this.#pairs, this.system.dim) : new Float64Array(0);
  }

  /**
   * Copies the configurations into the reference domain. The chains themselves keep their labels: relabelling in place
   * would make the order of moves depend on the configuration, which is not exact.
   *
   * @param options threads
   * @returns configurations and distances
   */
  frames(options: ComputeOptions = {}): ChainFrames {
    const { particles } = this.system;
    const positions = this.positions();
    // The labels found last time are nearly right: from there the assignment is fast.
    const x = reordered(positions, this.#labels, particles);
    const order = this.system.canonicalOrder(x, options);
    const before = this.#labels.slice();
    for (let i = 0; i < order.length; i++) this.#labels[i] = before[i - i % particles + order[i]];
    return { x: reordered(positions, this.#labels, particles), d: this.distances() };
  }

  /** Sweeps that every chain has done, tuning included. */
  get sweeps(): number {
    return this.#sweeps;
  }

  /** Single-particle moves offered so far, in all chains. */
  get moves(): number {
    return this.#sweeps * this.system.particles * this.chains;
  }

  /**
   * Energy evaluations that the moves are worth. A move computes the pair terms of one particle; the terms of a sweep are
   * twice the pairs of one energy.
   */
  get energyEvaluations(): number {
    return 2 * this.#sweeps * this.chains;
  }

  /** Changes of a dimer between d < 1.5 and d ≥ 1.5, each chain's [chains], seen at records and at the ends of calls. */
  crossings(): Int32Array {
    return this.#crossings.slice();
  }

  #requireDimer(name: string): void {
    if (isDimer(this.system.coefficients)) return;
    throw new RangeError(`Cannot ${WHAT}: ${name} must be 0 for a system without a dimer, ${this.system.name}`);
  }

  #see(chain: number, d: number): void {
    const basin = basinOf(d);
    if (basin !== this.#basins[chain]) this.#crossings[chain]++;
    this.#basins[chain] = basin;
  }

  #setPositions(start: Float64Array): void {
    const { dim } = this.system;
    if (!(start instanceof Float64Array) || start.length !== this.chains * dim) {
      throw new RangeError(
        `Cannot ${WHAT}: start must be a Float64Array of ${this.chains * dim} numbers, got ${start.length}`,
      );
    }
    const energies = this.system.energy(start);
    const bad = energies.findIndex((u) => !Number.isFinite(u));
    if (bad >= 0) {
      throw new RangeError(`Cannot ${WHAT}: start must have finite energies, got ${energies[bad]} in chain ${bad}`);
    }
    toLanes(start, dim, this.#pairs.positions);
  }

  /** Writes the bias into the tables, in the units of U. */
  #applyBias(): void {
    const { constant, centres } = this.#bias;
    if (!(constant >= 0 && Number.isFinite(constant))) {
      throw new RangeError(`Cannot ${WHAT}: bias constant must be a number ≥ 0, got ${constant}`);
    }
    if (centres.length !== this.chains || !centres.every(Number.isFinite)) {
      throw new RangeError(
        `Cannot ${WHAT}: bias centres must be ${this.chains} finite numbers, got ${centres.length} numbers`,
      );
    }
    if (constant > 0) this.#requireDimer("bias constant");
    fillTable(this.#pairs, TableRow.biasConstant, () => constant * this.temperature);
    fillTable(this.#pairs, TableRow.biasCentre, (c) => centres[c]);
  }
}

function basinOf(d: number): number {
  return d < DIMER_BOUNDARY ? 0 : 1;
}

/** The system's starts in turn: [chains, dim]. */
function startsInTurn(system: ParticleSystem, chains: number): Float64Array {
  const starts = system.startConfigurations();
  const x = new Float64Array(chains * system.dim);
  for (let c = 0; c < chains; c++) x.set(starts[c % starts.length], c * system.dim);
  return x;
}
