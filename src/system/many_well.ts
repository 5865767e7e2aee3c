/**
 * Many double wells side by side that do not feel each other.
 *
 * @module
 */
import { expOf, logOf } from "../random/elementary.ts";
import { DoubleWell, type DoubleWellParameters } from "./double_well.ts";
import { configurationCount, type EnergyAndGradient, mergeParameters, type System } from "./system.ts";

/** The numbers in the energy of a {@link ManyWell}. */
export interface ManyWellParameters extends DoubleWellParameters {
  /** Number of wells ≥ 1; each has two coordinates. */
  readonly wells: number;
}

/** Names of the parameter sets of many wells. */
export type ManyWellPreset = "midgley2023";

const presets: Readonly<Record<ManyWellPreset, ManyWellParameters>> = {
  "midgley2023": { wells: 16, a: 1, b: 6, c: -0.5, k: 1 },
};

/** What a {@link ManyWell} is made from. */
export interface ManyWellOptions extends Partial<ManyWellParameters> {
  /** Parameter set, default "midgley2023". */
  readonly preset?: ManyWellPreset | undefined;
}

/** What estimates for a {@link ManyWell} can be compared with. */
export interface ManyWellReference {
  /** log Z of all coordinates. */
  readonly logPartition: number;
  /** F(x > 0) − F(x < 0) of one well in k_BT. */
  readonly freeEnergyDifference: number;
  /** Probability of x > 0 in one well. */
  readonly rightProbability: number;
  /** ⟨U⟩ of all coordinates in k_BT₀. */
  readonly meanEnergy: number;
}

/**
 * U(x₁, y₁, x₂, y₂, …) = Σ (a x⁴ − b x² + c x + ½ k y²), a sum over pairs of coordinates.
 *
 * The preset `midgley2023`, 16 wells x⁴ − 6x² − ½x + ½y² in 32 coordinates, is known as many-well-32 (Midgley et al., ICLR
 * 2023, arXiv 2208.01893): 2¹⁶ = 65 536 modes. As the wells are independent, log Z and the probability of every mode are
 * those of one well, to the digits of its quadrature; whoever reports that a method finds all modes can be checked.
 *
 * @example
 * ```ts
 * import { ManyWell } from "@boltzflow/boltzflow";
 * const { logPartition, rightProbability } = new ManyWell().exact(1);
 * if (logPartition.toFixed(5) !== "164.69568") throw new Error("log Z");
 * if (rightProbability.toFixed(6) !== "0.844307") throw new Error("P(x > 0)");
 * ```
 */
export class ManyWell implements System {
  readonly name = "many-well";
  readonly dim: number;
  readonly preset: ManyWellPreset;
  readonly parameters: Readonly<Record<string, number>> & ManyWellParameters;
  readonly #well: DoubleWell;

  /**
   * Makes many wells.
   *
   * @param options preset and values that replace the preset's
   * @throws {RangeError} if a name is unknown, a value is not finite, or the energy has no lower bound
   */
  constructor(options: ManyWellOptions = {}) {
    const { preset = "midgley2023", ...overrides } = options;
    const what = "make a ManyWell";
    const parameters = mergeParameters(what, presets, preset, overrides as Record<string, unknown>);
    const { wells, ...well } = parameters;
    if (!Number.isInteger(wells) || wells < 1) {
      throw new RangeError(`Cannot ${what}: wells must be a whole number ≥ 1, got ${wells}`);
    }
    this.preset = preset;
    this.parameters = Object.freeze({ ...parameters });
    this.dim = 2 * wells;
    this.#well = new DoubleWell(well);
  }

  /**
   * Computes U.
   *
   * @param x [n, dim]
   * @returns U [n], in k_BT₀
   * @throws {RangeError} if the length of x is not a multiple of dim
   */
  energy(x: Float64Array): Float64Array {
    configurationCount(x, this.dim, "compute energies");
    return this.#sum(this.#well.energy(x));
  }

  /**
   * Computes U and ∂U/∂x.
   *
   * @param x [n, dim]
   * @returns U [n] and the gradient [n, dim]
   * @throws {RangeError} if the length of x is not a multiple of dim
   */
  energyAndGradient(x: Float64Array): EnergyAndGradient {
    configurationCount(x, this.dim, "compute gradients");
    const { energy, gradient } = this.#well.energyAndGradient(x);
    return { energy: this.#sum(energy), gradient };
  }

  /** Sums over the wells of each configuration. */
  #sum(wells: Float64Array): Float64Array {
    const count = this.parameters.wells;
    const sums = new Float64Array(wells.length / count);
    for (let s = 0, i = 0; s < sums.length; s++) {
      for (let k = 0; k < count; k++, i++) sums[s] += wells[i];
    }
    return sums;
  }

  /**
   * Computes what estimates can be compared with, from the quadrature of one well.
   *
   * @param temperature T in units of T₀, > 0
   * @returns log Z, ΔF and probability of one well, mean energy
   * @throws {RangeError} if the temperature is not positive
   */
  exact(temperature: number): ManyWellReference {
    const { wells } = this.parameters;
    const { logPartition, freeEnergyDifference, meanEnergy } = this.#well.exact(temperature);
    return {
      logPartition: wells * logPartition,
      freeEnergyDifference,
      rightProbability: 1 / (1 + expOf(freeEnergyDifference)),
      meanEnergy: wells * meanEnergy,
    };
  }

  /**
   * Computes the logarithm of the probability of modes.
   *
   * @param modes which well is on which side, [n, wells]: 1 for x > 0, 0 for x < 0
   * @param temperature T in units of T₀, > 0
   * @returns log P of each mode [n]
   * @throws {RangeError} if there is not a 0 or 1 for each well, or the temperature is not positive
   */
  exactLogModeProbability(modes: ArrayLike<number>, temperature: number): Float64Array {
    const { wells } = this.parameters;
    const sides = Array.from(modes);
    if (sides.length % wells !== 0 || sides.some((side) => side !== 0 && side !== 1)) {
      throw new RangeError(
        `Cannot compute the probability of modes: modes must hold a 0 or 1 for each of ${wells} wells, got ${sides.length} ` +
          "numbers",
      );
    }
    const { rightProbability } = this.exact(temperature);
    const [left, right] = [logOf(1 - rightProbability), logOf(rightProbability)];
    const sums = new Float64Array(sides.length / wells);
    sides.forEach((side, i) => sums[Math.floor(i / wells)] += side === 1 ? right : left);
    return sums;
  }
}
