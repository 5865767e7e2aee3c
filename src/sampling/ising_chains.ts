/**
 * Many chains of Ising spins at once.
 *
 * @module
 */
import {
  MOST_SPIN_SIDE,
  moveSpins,
  SPIN_LANES,
  SPIN_TABLE_ROWS,
  type SpinGroups,
  type SpinMove,
} from "../backend/ising_kernels.ts";
import { expm1Of, expOf } from "../random/elementary.ts";
import { RandomStream } from "../random/random_stream.ts";
import type { IsingLattice } from "../system/ising_lattice.ts";
import type { ComputeOptions } from "../system/system.ts";

/** What {@link IsingChains} are made from. */
export interface IsingChainsOptions {
  /** Number of chains, a multiple of 4; default 64. */
  readonly chains?: number | undefined;
  /** T in units of T₀, default 1. */
  readonly temperature?: number | undefined;
  /** Seed of the random numbers, default 0. */
  readonly seed?: number | undefined;
  /** Stream of the random numbers, default 0: chains of another stream are independent. */
  readonly stream?: number | undefined;
  /** Spins to start from [chains, dim]; by default random ones, as at infinite temperature. */
  readonly start?: Float64Array | undefined;
  /** Blocks of random numbers that were used before; with `start`, chains go on where others were. Default 0. */
  readonly position?: number | undefined;
}

const WHAT = "make Ising chains";
const TWO_32 = 2 ** 32;
/** Random bits in a block. */
const BITS_PER_BLOCK = 128;

/**
 * Markov chains of spins, in groups of four side by side in SIMD lanes.
 *
 * `metropolis` offers every spin in turn a turn, accepted with probability min(1, e^(−ΔU/T)), and 3/4 where it costs
 * nothing: with 1 some configurations of chains that visit sites in order never lead to others. `wolff` turns clusters,
 * which at and below the critical temperature forgets the past in far fewer steps. Both keep the Boltzmann distribution
 * and may be mixed.
 *
 * Random numbers are a function of seed, stream, chain and position, 64 bits for every decision: chains are the same in
 * every build, on every machine and for any number of threads, and a chain that is resumed goes on as if it had not
 * paused.
 *
 * @example
 * ```ts
 * import { IsingChains, IsingLattice } from "@boltzflow/boltzflow";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const lattice = new IsingLattice({ side: 8 });
 * const chains = new IsingChains(lattice, { chains: 1024, temperature: 3 });
 * chains.wolff(100);
 * const energy = lattice.energy(chains.spins()).reduce((sum, u) => sum + u / 1024, 0);
 *
 * assertAlmostEquals(energy, lattice.exact(3).meanEnergy, 3);
 * ```
 */
export class IsingChains {
  /** The lattice. */
  readonly system: IsingLattice;
  /** Number of chains. */
  readonly chains: number;
  /** T in units of T₀. */
  readonly temperature: number;
  readonly #groups: SpinGroups;
  #position: number;
  #moves = 0;

  /**
   * Makes chains.
   *
   * @param system the lattice, of side 256 at most
   * @param options number, temperature, random numbers and start
   * @throws {RangeError} if an option is impossible
   */
  constructor(system: IsingLattice, options: IsingChainsOptions = {}) {
    const { chains = 64, temperature = 1, seed = 0, stream = 0, start, position = 0 } = options;
    requireOptions(system, chains, temperature, position);
    this.system = system;
    this.chains = chains;
    this.temperature = temperature;
    const groups = chains / SPIN_LANES;
    this.#groups = {
      groups,
      side: system.side,
      tables: new Uint32Array(SPIN_TABLE_ROWS * chains),
      spins: new Int32Array(system.dim * chains),
      turns: new Float64Array(chains),
    };
    const thresholds = thresholdWords(system.coupling / temperature);
    for (let chain = 0; chain < chains; chain++) {
      new RandomStream(seed, stream, chain); // refuses what is out of range
      const words = [seed % TWO_32, Math.floor(seed / TWO_32), stream, chain, ...thresholds];
      words.forEach((word, row) => this.#groups.tables[place(chain, row, SPIN_TABLE_ROWS)] = word);
    }
    this.#position = position;
    if (start === undefined) this.#startAtRandom(seed, stream);
    else this.#start(start);
  }

  /** Blocks of four random words that every chain has used. */
  get position(): number {
    return this.#position;
  }

  /**
   * Offers every spin so many turns.
   *
   * @param sweeps ≥ 0
   * @param options threads
   * @throws {RangeError} if the number is not whole or negative
   */
  metropolis(sweeps: number, options: ComputeOptions = {}): void {
    this.#move("metropolis", sweeps, "sweeps", options);
  }

  /**
   * Turns so many clusters in every chain.
   *
   * @param clusters ≥ 0
   * @param options threads
   * @throws {RangeError} if the number is not whole or negative
   */
  wolff(clusters: number, options: ComputeOptions = {}): void {
    this.#move("wolff", clusters, "clusters", options);
  }

  /** Copies the spins [chains, dim], each −1 or 1. */
  spins(): Float64Array {
    const { dim } = this.system;
    return Float64Array.from(
      { length: this.chains * dim },
      (_, k) => this.#groups.spins[place(Math.floor(k / dim), k % dim, dim)],
    );
  }

  /**
   * Measures how many spins a sweep or cluster has turned, on average over chains and over all of them since the start; NaN
   * before the first. For clusters alone at one temperature it is an estimate of L² ⟨m²⟩.
   */
  meanTurns(): number {
    return this.#groups.turns.reduce((sum, turns) => sum + turns, 0) / (this.#moves * this.chains);
  }

  #move(move: SpinMove, count: number, name: string, { pool }: ComputeOptions): void {
    if (!Number.isSafeInteger(count) || count < 0) {
      throw new RangeError(`Cannot move spins: ${name} must be a whole number ≥ 0, got ${count}`);
    }
    this.#position = moveSpins(this.#groups, move, count, this.#position, pool);
    this.#moves += count;
  }

  /** Takes the first blocks of each chain as its spins, bit by bit. */
  #startAtRandom(seed: number, stream: number): void {
    const { dim } = this.system;
    for (let chain = 0; chain < this.chains; chain++) {
      const random = new RandomStream(seed, stream, chain);
      random.seek(4 * this.#position);
      for (let site = 0, word = 0; site < dim; site++, word >>>= 1) {
        if (site % 32 === 0) word = random.uint32();
        this.#groups.spins[place(chain, site, dim)] = word & 1 ? 1 : -1;
      }
    }
    this.#position += Math.ceil(dim / BITS_PER_BLOCK);
  }

  #start(start: Float64Array): void {
    const { dim } = this.system;
    if (start.length !== this.chains * dim || start.some((spin) => spin !== 1 && spin !== -1)) {
      throw new RangeError(
        `Cannot ${WHAT}: start must be ${this.chains * dim} spins, each −1 or 1, got ${start.length} numbers`,
      );
    }
    start.forEach((spin, k) => this.#groups.spins[place(Math.floor(k / dim), k % dim, dim)] = spin);
  }
}

/** Place of number k of a chain in an array [groups][width][4]. */
function place(chain: number, k: number, width: number): number {
  return (Math.floor(chain / SPIN_LANES) * width + k) * SPIN_LANES + chain % SPIN_LANES;
}

function requireOptions(system: IsingLattice, chains: number, temperature: number, position: number): void {
  if (system.side > MOST_SPIN_SIDE) {
    throw new RangeError(`Cannot ${WHAT}: side must be at most ${MOST_SPIN_SIDE}, got ${system.side}`);
  }
  if (!Number.isSafeInteger(chains) || chains < SPIN_LANES || chains % SPIN_LANES !== 0) {
    throw new RangeError(`Cannot ${WHAT}: chains must be a multiple of ${SPIN_LANES}, got ${chains}`);
  }
  if (!(temperature > 0 && Number.isFinite(temperature))) {
    throw new RangeError(`Cannot ${WHAT}: temperature must be a positive number, got ${temperature}`);
  }
  if (!Number.isSafeInteger(position) || position < 0) {
    throw new RangeError(`Cannot ${WHAT}: position must be a whole number ≥ 0, got ${position}`);
  }
}

/** 64-bit thresholds, upper words first: e^(−4K), e^(−8K), and 1 − e^(−2K) for bonds. */
function thresholdWords(k: number): number[] {
  return [expOf(-4 * k), expOf(-8 * k), -expm1Of(-2 * k)].flatMap((probability) => {
    // Numbers below 1 have at most 53 bits: the product is exact. 1 itself misses by 2⁻⁶⁴.
    const threshold = probability < 1 ? BigInt(Math.floor(probability * 2 ** 64)) : 0xffffffffffffffffn;
    return [Number(threshold >> 32n), Number(threshold & 0xffffffffn)];
  });
}
