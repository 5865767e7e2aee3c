/**
 * Two particles on a line, joined by a spring; the first one cannot leave a box.
 *
 * @module
 */
import { logOf } from "../random/elementary.ts";
import { configurationCount, type EnergyAndGradient, mergeParameters, requirePositive, type System } from "./system.ts";

/** The numbers of the {@link HarmonicOscillatorBox}. */
export interface HarmonicOscillatorBoxParameters {
  /** k > 0, energy of a spring of unit length. */
  readonly k: number;
  /** L > 0, length of the box of the first particle. */
  readonly boxLength: number;
}

/** Names of the parameter sets of the oscillator. */
export type HarmonicOscillatorBoxPreset = "cs230" | "cs230-trained";

const presets: Readonly<Record<HarmonicOscillatorBoxPreset, HarmonicOscillatorBoxParameters>> = {
  "cs230": { k: 1, boxLength: 4 },
  "cs230-trained": { k: 2, boxLength: 4 },
};

/** What a {@link HarmonicOscillatorBox} is made from. */
export interface HarmonicOscillatorBoxOptions extends Partial<HarmonicOscillatorBoxParameters> {
  /** Parameter set, default "cs230". */
  readonly preset?: HarmonicOscillatorBoxPreset | undefined;
}

/**
 * U(x₁, x₂) = k (x₂ − x₁)² for 0 ≤ x₁ ≤ L, and +∞ for other x₁. There is no ½, and the second particle is free.
 *
 * x₁ is uniform in the box and x₂ − x₁ normal with variance T/2k, at any temperature: Z = L √(πT/k). The walls are part of
 * the energy, so that a configuration beyond them has the weight zero. (The code from which the system comes knows walls in
 * its data only.) *
 * Presets, both of a student project on Boltzmann generators (Stanford CS 230, `jbinagia/CS-230-Final-Project`): `cs230`
 * k = 1, L = 4, the defaults of its code; `cs230-trained` k = 2, L = 4, what its figures show.
 *
 * @example
 * ```ts
 * import { HarmonicOscillatorBox } from "@boltzflow/boltzflow";
 * const system = new HarmonicOscillatorBox();
 * if (system.exact(1).logPartition.toFixed(5) !== "1.95866") throw new Error("ln(4 √π)");
 * if (system.energy(Float64Array.of(4.001, 4))[0] !== Infinity) throw new Error("a wall");
 * ```
 */
export class HarmonicOscillatorBox implements System {
  readonly name = "harmonic-oscillator-box";
  readonly dim = 2;
  readonly preset: HarmonicOscillatorBoxPreset;
  readonly parameters: Readonly<Record<string, number>> & HarmonicOscillatorBoxParameters;

  /**
   * Makes an oscillator.
   *
   * @param options preset and values that replace the preset's
   * @throws {RangeError} if a name is unknown or a value is not positive
   */
  constructor(options: HarmonicOscillatorBoxOptions = {}) {
    const { preset = "cs230", ...overrides } = options;
    const what = "make a HarmonicOscillatorBox";
    const parameters = mergeParameters(what, presets, preset, overrides as Record<string, unknown>);
    requirePositive(what, parameters, ["k", "boxLength"]);
    this.preset = preset;
    this.parameters = Object.freeze({ ...parameters });
  }

  /**
   * Computes U. Walls belong to the box. A coordinate that is not a number gives NaN.
   *
   * @param x [n, 2]
   * @returns U [n], in k_BT₀
   * @throws {RangeError} if the length of x is odd
   */
  energy(x: Float64Array): Float64Array {
    const energy = new Float64Array(configurationCount(x, this.dim, "compute energies"));
    const { k, boxLength } = this.parameters;
    for (let s = 0; s < energy.length; s++) {
      const [first, second] = [x[2 * s], x[2 * s + 1]];
      const outside = (first < 0 || first > boxLength) && !Number.isNaN(second);
      energy[s] = outside ? Infinity : k * (second - first) * (second - first);
    }
    return energy;
  }

  /**
   * Computes U and ∂U/∂x. Beyond the walls, where U is infinite, there is no gradient: it is NaN.
   *
   * @param x [n, 2]
   * @returns U [n] and the gradient [n, 2]
   * @throws {RangeError} if the length of x is odd
   */
  energyAndGradient(x: Float64Array): EnergyAndGradient {
    const energy = this.energy(x);
    const gradient = new Float64Array(x.length);
    energy.forEach((u, s) => {
      const slope = Number.isFinite(u) ? 2 * this.parameters.k * (x[2 * s + 1] - x[2 * s]) : NaN;
      gradient[2 * s] = -slope;
      gradient[2 * s + 1] = slope;
    });
    return { energy, gradient };
  }

  /**
   * Computes what estimates can be compared with: log Z = ln(L √(πT/k)) and ⟨U⟩ = T/2.
   *
   * @param temperature T in units of T₀, > 0
   * @returns log Z, and ⟨U⟩ in k_BT₀
   * @throws {RangeError} if the temperature is not positive
   */
  exact(temperature: number): { logPartition: number; meanEnergy: number } {
    if (!(temperature > 0 && Number.isFinite(temperature))) {
      throw new RangeError(
        `Cannot integrate a HarmonicOscillatorBox: temperature must be positive, got ${temperature}`,
      );
    }
    const { k, boxLength } = this.parameters;
    return { logPartition: logOf(boxLength * Math.sqrt(Math.PI * temperature / k)), meanEnergy: temperature / 2 };
  }
}
