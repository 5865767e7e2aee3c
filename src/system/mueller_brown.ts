/**
 * The Müller-Brown potential: three minima in two dimensions, joined by a bent path.
 *
 * @module
 */
import { expOf, logOf } from "../random/elementary.ts";
import { configurationCount, type EnergyAndGradient, mergeParameters, requirePositive, type System } from "./system.ts";

/** The numbers of the {@link MuellerBrown} potential that are a matter of choice. */
export interface MuellerBrownParameters {
  /** k > 0, which multiplies the whole energy. */
  readonly scale: number;
}

/** Names of the parameter sets of the Müller-Brown potential. */
export type MuellerBrownPreset = "noe2019" | "mueller1979";

const presets: Readonly<Record<MuellerBrownPreset, MuellerBrownParameters>> = {
  "noe2019": { scale: 0.1 },
  "mueller1979": { scale: 1 },
};

/** What a {@link MuellerBrown} is made from. */
export interface MuellerBrownOptions extends Partial<MuellerBrownParameters> {
  /** Parameter set, default "noe2019". */
  readonly preset?: MuellerBrownPreset | undefined;
}

/** What estimates for a {@link MuellerBrown} can be compared with. */
export interface MuellerBrownReference {
  /** log Z. */
  readonly logPartition: number;
  /** F(s > 0) − F(s < −1) in k_BT, s = 0.7 (x₁ − x₂). */
  readonly freeEnergyDifference: number;
  /** ⟨U⟩ in k_BT₀. */
  readonly meanEnergy: number;
  /** Probabilities of s < −1, −1 < s < 0 and s > 0. */
  readonly populations: readonly [left: number, middle: number, right: number];
}

/** A, a, b, c, X, Y of a term A exp(a(x₁ − X)² + b(x₁ − X)(x₂ − Y) + c(x₂ − Y)²). */
export type MuellerBrownTerm = readonly [A: number, a: number, b: number, c: number, X: number, Y: number];

const TERMS: readonly MuellerBrownTerm[] = [
  [-200, -1, 0, -10, 1, 0],
  [-100, -1, 0, -10, 0, 0.5],
  [-170, -6.5, 11, -6.5, -0.5, 1.5],
  [15, 0.7, 0.6, 0.7, -1, 1],
];

/** What s is of x₁ − x₂. */
const SLOPE = 0.7;
/** Below the deepest minimum, at k = 1. */
const LOWEST = -147;
/** Where s divides the basins. */
const DIVIDES = [-1, 0] as const;

/**
 * U(x₁, x₂) = k Σ Aⱼ exp(aⱼ(x₁ − Xⱼ)² + bⱼ(x₁ − Xⱼ)(x₂ − Yⱼ) + cⱼ(x₂ − Yⱼ)²), four terms:
 *
 * | A | a | b | c | X | Y |
 * |---|---|---|---|---|---|
 * | −200 | −1 | 0 | −10 | 1 | 0 |
 * | −100 | −1 | 0 | −10 | 0 | ½ |
 * | −170 | −6.5 | 11 | −6.5 | −½ | 3/2 |
 * | 15 | 0.7 | 0.6 | 0.7 | −1 | 1 |
 *
 * Presets differ in k alone: `noe2019` k = 0.1, in all figures of Noé et al. (Science 365, eaaw1147, 2019); `mueller1979`
 * k = 1, as in Müller & Brown (Theoret. Chim. Acta 53, 75, 1979). No constant is added, which other packages do.
 *
 * The minima lie at (−0.558, 1.442), (0.623, 0.028) and (−0.050, 0.467); s = 0.7 (x₁ − x₂) tells them apart: s < −1 in the
 * first, s > 0 in the second.
 *
 * @example
 * ```ts
 * import { MuellerBrown } from "@boltzflow/boltzflow";
 * const { logPartition, freeEnergyDifference } = new MuellerBrown().exact(1);
 * if (logPartition.toFixed(5) !== "11.72959") throw new Error("log Z");
 * if (freeEnergyDifference.toFixed(3) !== "3.784") throw new Error("F(s > 0) − F(s < −1)");
 * ```
 */
export class MuellerBrown implements System {
  readonly name = "mueller-brown";
  readonly dim = 2;
  readonly preset: MuellerBrownPreset;
  readonly parameters: Readonly<Record<string, number>> & MuellerBrownParameters;
  /** A, a, b, c, X, Y of each term. */
  readonly terms: readonly MuellerBrownTerm[] = TERMS;

  /**
   * Makes the potential.
   *
   * @param options preset and values that replace the preset's
   * @throws {RangeError} if a name is unknown or the scale is not positive
   */
  constructor(options: MuellerBrownOptions = {}) {
    const { preset = "noe2019", ...overrides } = options;
    const what = "make a MuellerBrown";
    const parameters = mergeParameters(what, presets, preset, overrides as Record<string, unknown>);
    requirePositive(what, parameters, ["scale"]);
    this.preset = preset;
    this.parameters = Object.freeze({ ...parameters });
  }

  /**
   * Computes U.
   *
   * Where the fourth term leaves the range of numbers U is +∞; a coordinate that is not a number gives NaN.
   *
   * @param x [n, 2]
   * @returns U [n], in k_BT₀
   * @throws {RangeError} if the length of x is odd
   */
  energy(x: Float64Array): Float64Array {
    const energy = new Float64Array(configurationCount(x, this.dim, "compute energies"));
    for (let s = 0; s < energy.length; s++) energy[s] = this.parameters.scale * unscaled(x[2 * s], x[2 * s + 1]);
    return energy;
  }

  /**
   * Computes U and ∂U/∂x. Where U is +∞ the gradient is infinite or NaN.
   *
   * @param x [n, 2]
   * @returns U [n] and the gradient [n, 2]
   * @throws {RangeError} if the length of x is odd
   */
  energyAndGradient(x: Float64Array): EnergyAndGradient {
    const energy = this.energy(x);
    const gradient = new Float64Array(x.length);
    const { scale } = this.parameters;
    for (let i = 0; i < x.length; i += 2) {
      for (const [A, a, b, c, X, Y] of TERMS) {
        const [p, q] = [x[i] - X, x[i + 1] - Y];
        const term = scale * A * expOf(form(a, b, c, p, q));
        gradient[i] += term * (2 * a * p + b * q);
        gradient[i + 1] += term * (b * p + 2 * c * q);
      }
    }
    return { energy, gradient };
  }

  /**
   * Computes by quadrature what estimates can be compared with.
   *
   * Simpson's rule along s in each of the three basins, the trapezoid rule across: steps of a third of the narrowest thermal
   * width leave errors below 1e-8.
   *
   * @param temperature T in units of T₀, at least a tenth of the scale
   * @returns log Z, ΔF, populations and the mean energy
   * @throws {RangeError} if the temperature is lower
   */
  exact(temperature: number): MuellerBrownReference {
    const grid = this.#grid(temperature);
    const ends = [grid.lowS, ...DIVIDES, grid.highS];
    const sums = { weight: [0, 0, 0], energy: 0 };
    for (let basin = 0; basin < 3; basin++) {
      const [low, high] = [ends[basin], ends[basin + 1]];
      const steps = 2 * Math.ceil((high - low) / (2 * grid.step));
      const h = (high - low) / steps;
      for (let i = 0; i <= steps; i++) {
        const simpson = h / 3 * (i === 0 || i === steps ? 1 : i % 2 === 1 ? 4 : 2);
        const line = this.#line(low + i * h, temperature, grid);
        sums.weight[basin] += simpson * line.weight;
        sums.energy += simpson * line.energy;
      }
    }
    const total = sums.weight[0] + sums.weight[1] + sums.weight[2];
    const [left, middle, right] = sums.weight.map((weight) => weight / total);
    return {
      logPartition: logOf(total) - this.parameters.scale * LOWEST / temperature,
      freeEnergyDifference: logOf(left / right),
      meanEnergy: sums.energy / total,
      populations: [left, middle, right],
    };
  }

  /**
   * Computes the free-energy profile −ln p(s) along s = 0.7 (x₁ − x₂) by quadrature, p normalised.
   *
   * @param temperature T in units of T₀, at least a tenth of the scale
   * @param s where [m]
   * @returns −ln p(s) in k_BT [m]
   * @throws {RangeError} if the temperature is lower
   */
  exactProfile(temperature: number, s: Float64Array): Float64Array {
    const { logPartition } = this.exact(temperature);
    const grid = this.#grid(temperature);
    const lowest = this.parameters.scale * LOWEST / temperature;
    return s.map((at) => logPartition + lowest - logOf(this.#line(at, temperature, grid).weight));
  }

  /** Where the weight is, and how fine it is. */
  #grid(temperature: number): Grid {
    const { scale } = this.parameters;
    if (!(temperature >= 0.1 * scale && Number.isFinite(temperature))) {
      throw new RangeError(
        `Cannot integrate a MuellerBrown: temperature must be at least ${0.1 * scale}, got ${temperature}`,
      );
    }
    // Beyond the reach from (−1, 1) the fourth term, at least 15 exp(0.4 r²), exceeds all others by 60 k_BT.
    const reach = Math.sqrt(logOf((470 + 60 * temperature / scale) / 15) / 0.4);
    // No second derivative exceeds 4000 k where the weight is: thermal widths are at least √(T/4000 k).
    const step = Math.sqrt(temperature / (4000 * scale)) / 3;
    const across = Math.SQRT2 * reach;
    return { lowS: SLOPE * (-2 - across), highS: SLOPE * (-2 + across), across, step };
  }

  /** ∫ e^(−(U − U₀)/T) and the same with U, over all configurations of one s, by length in s. */
  #line(s: number, temperature: number, { across, step }: Grid): { weight: number; energy: number } {
    const { scale } = this.parameters;
    const steps = Math.ceil(2 * across / step);
    const h = 2 * across / steps;
    const sums = { weight: 0, energy: 0 };
    for (let j = 0; j <= steps; j++) {
      const t = -across + j * h;
      const u = unscaled((s / SLOPE + t) / 2, (t - s / SLOPE) / 2);
      const weight = expOf(scale * (LOWEST - u) / temperature);
      sums.weight += weight;
      sums.energy += weight * scale * u;
    }
    // dx₁ dx₂ = ds dt / 1.4.
    const cell = h / (2 * SLOPE);
    return { weight: cell * sums.weight, energy: cell * sums.energy };
  }
}

interface Grid {
  readonly lowS: number;
  readonly highS: number;
  readonly across: number;
  readonly step: number;
}

/** U at k = 1. */
function unscaled(x1: number, x2: number): number {
  let sum = 0;
  for (const [A, a, b, c, X, Y] of TERMS) {
    const [p, q] = [x1 - X, x2 - Y];
    sum += A * expOf(form(a, b, c, p, q));
  }
  return sum;
}

/** a p² + b p q + c q² as two squares of one sign: far out they do not cancel to what is no number. */
function form(a: number, b: number, c: number, p: number, q: number): number {
  const shifted = p + b / (2 * a) * q;
  return a * shifted * shifted + (c - b * b / (4 * a)) * q * q;
}
