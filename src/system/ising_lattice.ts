/**
 * Spins on a square lattice.
 *
 * @module
 */
import { kaufman } from "./ising_exact.ts";
import { configurationCount } from "./system.ts";

/** How to make an {@link IsingLattice}. */
export interface IsingLatticeOptions {
  /** L: the lattice has L × L sites; 2 to 512. */
  readonly side: number;
  /** J in k_BT₀, > 0: parallel neighbours are favoured. Default 1. */
  readonly coupling?: number | undefined;
}

/** Two spins that feel each other: −strength · sᵢ sⱼ. */
export interface SpinBond {
  /** One of them. */
  readonly i: number;
  /** The other. */
  readonly j: number;
  /** What it costs, halved, if they differ. */
  readonly strength: number;
}

/** What is known exactly of a lattice at one temperature. */
export interface IsingExact {
  /** ln Z, the sum over all 2^(L²) configurations. */
  readonly logPartition: number;
  /** ⟨U⟩ in k_BT₀. */
  readonly meanEnergy: number;
  /** The variance of U over T², in k_B. */
  readonly heatCapacity: number;
}

/** Temperature over J at which an infinite lattice becomes magnetic: 2 / ln(1 + √2). */
const CRITICAL_TEMPERATURE = 2.269185314213022;
/** J/T between which the formulas keep their digits. */
const LEAST_REDUCED = 1e-3;
const MOST_REDUCED = 300;
const MOST_SIDE = 512;

/**
 * The Ising model on an L × L torus:
 *
 *     U(s) = −J Σ s_i s_j over the 2 L² bonds between neighbours,  s = ±1
 *
 * Each site has four neighbours across periodic boundaries; where L = 2 two of them are the same site, and count twice.
 * Configurations are rows of −1 and 1, [n, L²], site r L + c in row r and column c. Anything else is refused: a number
 * that is no spin has no energy, and no gradient either, so that this is no `System` but what a `BoltzmannGenerator`
 * wants of one.
 *
 * @example The partition function of 8 × 8 spins next to the critical temperature
 * ```ts
 * import { IsingLattice } from "@boltzflow/boltzflow";
 * import { assertAlmostEquals, assertEquals } from "@std/assert";
 *
 * const lattice = new IsingLattice({ side: 8 });
 *
 * assertEquals([...lattice.energy(new Float64Array(64).fill(1))], [-128]);
 * assertAlmostEquals(lattice.exact(2.269).logPartition, 60.14522, 1e-5);
 * ```
 */
export class IsingLattice {
  /** What it is called. */
  readonly name = "Ising lattice";
  /** Number of spins, L². */
  readonly dim: number;
  /** Sites in a row, L. */
  readonly side: number;
  /** J in k_BT₀. */
  readonly coupling: number;
  /** Every number in its formula. */
  readonly parameters: Readonly<Record<string, number>>;

  /**
   * Makes a lattice.
   *
   * @param options size and coupling
   * @throws {RangeError} if the side is not a whole number from 2 to 512, or the coupling is not positive
   */
  constructor(options: IsingLatticeOptions) {
    const { side, coupling = 1 } = options;
    if (!Number.isInteger(side) || side < 2 || side > MOST_SIDE) {
      throw new RangeError(
        `Cannot make an IsingLattice: side must be a whole number from 2 to ${MOST_SIDE}, got ${side}`,
      );
    }
    if (!(coupling > 0 && Number.isFinite(coupling))) {
      throw new RangeError(`Cannot make an IsingLattice: coupling must be a positive number, got ${coupling}`);
    }
    this.side = side;
    this.coupling = coupling;
    this.dim = side * side;
    this.parameters = Object.freeze({ side, coupling });
  }

  /** T in units of T₀ at which an infinite lattice becomes magnetic: 2J / ln(1 + √2). */
  get criticalTemperature(): number {
    return CRITICAL_TEMPERATURE * this.coupling;
  }

  /** The 2 L² bonds: each site with the one to its right, and with the one below. */
  bonds(): SpinBond[] {
    const { side, coupling: strength } = this;
    return Array.from({ length: this.dim }, (_, i) => {
      const [row, column] = [Math.floor(i / side), i % side];
      const right = row * side + (column + 1) % side;
      return [{ i, j: right, strength }, { i, j: (i + side) % this.dim, strength }];
    }).flat();
  }

  /**
   * Computes U.
   *
   * @param x spins [n, dim], each −1 or 1
   * @returns U [n], in k_BT₀
   * @throws {RangeError} if the length of x is not a multiple of dim, or a number is no spin
   */
  energy(x: Float64Array): Float64Array {
    const n = this.#rows(x, "compute energies");
    const { side, dim } = this;
    const energy = new Float64Array(n);
    for (let s = 0; s < n; s++) {
      let parallel = 0;
      for (let row = 0; row < side; row++) {
        const [here, below] = [s * dim + row * side, s * dim + (row + 1) % side * side];
        for (let c = 0; c < side; c++) parallel += x[here + c] * (x[here + (c + 1) % side] + x[below + c]);
      }
      energy[s] = 0 - this.coupling * parallel; // never −0
    }
    return energy;
  }

  /**
   * Computes the mean spin of configurations.
   *
   * @param x spins [n, dim], each −1 or 1
   * @returns m = Σ s / L² [n], from −1 to 1
   * @throws {RangeError} if the length of x is not a multiple of dim, or a number is no spin
   */
  magnetisation(x: Float64Array): Float64Array {
    const n = this.#rows(x, "compute magnetisations");
    const total = new Float64Array(n);
    x.forEach((spin, k) => total[Math.floor(k / this.dim)] += spin);
    return total.map((sum) => sum / this.dim);
  }

  /**
   * Computes what estimates can be compared with, by Kaufman's solution.
   *
   * Absolute errors are below 1e-14 L² max(1, J/T) in ln Z, 1e-14 L² max(J, T) in ⟨U⟩, 1e-14 L² max(1, (J/T)²) in C.
   *
   * @param temperature T in units of T₀, from J/300 to 1000 J
   * @returns ln Z, ⟨U⟩ and C of the finite lattice
   * @throws {RangeError} if the temperature is out of range
   */
  exact(temperature: number): IsingExact {
    const k = this.coupling / temperature;
    if (!(k >= LEAST_REDUCED && k <= MOST_REDUCED)) {
      throw new RangeError(
        `Cannot solve an IsingLattice: temperature must be from J/${MOST_REDUCED} to ${1 / LEAST_REDUCED} J, ` +
          `got ${temperature} for J = ${this.coupling}`,
      );
    }
    const [logPartition, first, second] = kaufman(this.side, k);
    return { logPartition, meanEnergy: -this.coupling * first, heatCapacity: k * k * second };
  }

  #rows(x: Float64Array, what: string): number {
    const n = configurationCount(x, this.dim, what);
    const bad = x.findIndex((spin) => spin !== 1 && spin !== -1);
    if (bad < 0) return n;
    throw new RangeError(
      `Cannot ${what}: spins must be −1 or 1, got ${x[bad]} at site ${bad % this.dim} of configuration ` +
        `${Math.floor(bad / this.dim)}`,
    );
  }
}
