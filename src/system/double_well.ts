/**
 * The double well: a quartic in the first coordinate, harmonic in all others.
 *
 * @module
 */
import { configurationCount, type EnergyAndGradient, mergeParameters, type System } from "./system.ts";

/** The numbers in U = a x⁴ − b x² + c x + ½ k Σ y². */
export interface DoubleWellParameters {
  /** a, quartic coefficient. */
  readonly a: number;
  /** b, quadratic coefficient. */
  readonly b: number;
  /** c, linear coefficient: tilts the wells. */
  readonly c: number;
  /** k, spring constant of every further coordinate. */
  readonly k: number;
}

/** Names of the double well's parameter sets. */
export type DoubleWellPreset = "noe2019" | "paper-si" | "cs230-printed" | "snf";

const presets: Readonly<Record<DoubleWellPreset, DoubleWellParameters>> = {
  "noe2019": { a: 1, b: 6, c: 1, k: 1 },
  "paper-si": { a: 0.25, b: 3, c: 1, k: 1 },
  "cs230-printed": { a: 1, b: 1, c: 1, k: 1 },
  "snf": { a: 1, b: 6, c: -0.5, k: 1 },
};

/** What a {@link DoubleWell} is made from. */
export interface DoubleWellOptions extends Partial<DoubleWellParameters> {
  /** Parameter set, default "noe2019". */
  readonly preset?: DoubleWellPreset | undefined;
  /** Number of coordinates ≥ 1, default 2. */
  readonly dim?: number | undefined;
}

/**
 * U(x, y, …) = a x⁴ − b x² + c x + ½ k (y² + …).
 *
 * Presets: `noe2019` x⁴ − 6x² + x + ½y², what the code of Noé et al. (Science 365, eaaw1147, 2019) ran; `paper-si`
 * ¼x⁴ − 3x² + x + ½y², the formula their supplement prints; `cs230-printed` x⁴ − x² + x + ½y², printed in a later
 * report; `snf` x⁴ − 6x² − ½x + ½y², of stochastic normalizing flows (Wu, Köhler, Noé 2020). The default of bgflow,
 * x⁴ − 4x² + ½y², whose wells are alike, is none of them: `{ b: 4, c: 0 }` makes it.
 *
 * @example
 * ```ts
 * import { DoubleWell } from "@boltzflow/boltzflow";
 * const well = new DoubleWell();
 * const { freeEnergyDifference, logPartition } = well.exact(1);
 * if (freeEnergyDifference.toFixed(5) !== "3.37990") throw new Error("right − left, split at x = 0");
 * if (logPartition.toFixed(5) !== "11.02047") throw new Error("log Z");
 * ```
 */
export class DoubleWell implements System {
  readonly name = "double-well";
  readonly dim: number;
  readonly preset: DoubleWellPreset;
  readonly parameters: Readonly<Record<string, number>> & DoubleWellParameters;

  /**
   * Makes a double well.
   *
   * @param options preset, number of coordinates and values that replace the preset's
   * @throws {RangeError} if a name is unknown, a value is not finite, or the energy has no lower bound
   */
  constructor(options: DoubleWellOptions = {}) {
    const { preset = "noe2019", dim = 2, ...overrides } = options;
    const what = "make a DoubleWell";
    const parameters = mergeParameters(what, presets, preset, overrides as Record<string, unknown>);
    if (!Number.isInteger(dim) || dim < 1) {
      throw new RangeError(`Cannot ${what}: dim must be a whole number ≥ 1, got ${dim}`);
    }
    for (const name of ["a", "k"] as const) {
      if (!(parameters[name] > 0)) {
        throw new RangeError(
          `Cannot ${what}: ${name} must be positive, got ${parameters[name]}: the energy would have no lower bound`,
        );
      }
    }
    this.dim = dim;
    this.preset = preset;
    this.parameters = Object.freeze({ ...parameters });
  }

  /** U of the first coordinate alone. */
  #well(x: number): number {
    const { a, b, c } = this.parameters;
    const x2 = x * x;
    return (a * x2 - b) * x2 + c * x;
  }

  /**
   * Computes U.
   *
   * @param x [n, dim]
   * @returns U [n], in k_BT₀
   * @throws {RangeError} if the length of x is not a multiple of dim
   */
  energy(x: Float64Array): Float64Array {
    const n = configurationCount(x, this.dim, "compute energies");
    const energy = new Float64Array(n);
    for (let s = 0, at = 0; s < n; s++) {
      const first = x[at++];
      let squares = 0;
      for (let c = 1; c < this.dim; c++, at++) squares += x[at] * x[at];
      energy[s] = this.#well(first) + 0.5 * this.parameters.k * squares;
    }
    return energy;
  }

  /**
   * Computes U and ∂U/∂x.
   *
   * @param x [n, dim]
   * @returns U [n] and the gradient [n, dim]
   * @throws {RangeError} if the length of x is not a multiple of dim
   */
  energyAndGradient(x: Float64Array): EnergyAndGradient {
    const energy = this.energy(x);
    const { a, b, c, k } = this.parameters;
    const gradient = x.map((value, i) => i % this.dim === 0 ? (4 * a * value * value - 2 * b) * value + c : k * value);
    return { energy, gradient };
  }

  /**
   * Computes what estimates can be compared with: log Z, ΔF and the mean energy at a temperature.
   *
   * The first coordinate is integrated by the trapezoid rule, whose error on a smooth integrand that vanishes at both
   * ends is below 1e-12; the others are Gaussians: log Z = log ∫ e^(−U/T) dx + ½ (dim − 1) log(2πT/k).
   *
   * @param temperature T in units of T₀, > 0
   * @returns log Z; F(x ≥ 0) − F(x < 0) and its parts in k_BT; ⟨U⟩ in k_BT₀
   * @throws {RangeError} if the temperature is not positive
   */
  exact(temperature: number): { logPartition: number; freeEnergyDifference: number; meanEnergy: number } {
    if (!(temperature > 0 && Number.isFinite(temperature))) {
      throw new RangeError(`Cannot integrate a DoubleWell: temperature must be positive, got ${temperature}`);
    }
    const { a, b, c, k } = this.parameters;
    // Beyond ±reach a x⁴ exceeds all else by 50 k_BT.
    const reach = 1 + 2 * Math.sqrt(Math.abs(b) / a) + Math.cbrt(4 * Math.abs(c) / a) + (200 * temperature / a) ** 0.25;
    const steps = 20_000;
    const u = Float64Array.from({ length: steps + 1 }, (_, i) => this.#well(reach * (2 * i / steps - 1)));
    const lowest = u.reduce((low, value) => Math.min(low, value), Infinity);
    const sums = { left: 0, right: 0, energy: 0 };
    u.forEach((value, i) => {
      const weight = Math.exp((lowest - value) / temperature);
      sums.energy += weight * value;
      if (2 * i < steps) sums.left += weight;
      else if (2 * i > steps) sums.right += weight;
      else (sums.left += weight / 2, sums.right += weight / 2);
    });
    const total = sums.left + sums.right;
    const others = (this.dim - 1) / 2;
    return {
      logPartition: Math.log(total * 2 * reach / steps) - lowest / temperature +
        others * Math.log(2 * Math.PI * temperature / k),
      freeEnergyDifference: Math.log(sums.left / sums.right),
      meanEnergy: sums.energy / total + others * temperature,
    };
  }
}
