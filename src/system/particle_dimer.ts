/**
 * A bistable dimer in a dense fluid of repelling discs.
 *
 * @module
 */
import type { DimerCoefficients } from "../backend/particle_coefficients.ts";
import { canonicalOrder, particleEnergy, particleGradient } from "../backend/particle_kernels.ts";
import { powerOf } from "../random/elementary.ts";
import { type BondCoefficients, bondCoefficients, type BondForm } from "./dimer_bond.ts";
import { powerPairTerm, wallEnergy } from "./pair_terms.ts";
import { checkedSites, squareGrid } from "./particle_grid.ts";
import type { PairTerm, ParticleInteractions } from "./particle_interactions.ts";
import type { GradientOptions, ParticleSystem } from "./particle_system.ts";
import { inOrder, reordered } from "./relabelling.ts";
import {
  type ComputeOptions,
  configurationCount,
  type EnergyAndGradient,
  mergeParameters,
  requirePositive,
} from "./system.ts";

/** The numbers in the energy of the {@link ParticleDimer}. */
export interface ParticleDimerParameters {
  /** ε of the repulsion ε (σ/r)¹². */
  readonly epsilon: number;
  /** σ of the repulsion, > 0. */
  readonly sigma: number;
  /** k_d, which keeps the dimer's centre at x = 0 and both ends at y = 0. */
  readonly tether: number;
  /** Linear coefficient of the bond; in the printed form the papers' c, a quartic coefficient. */
  readonly slope: number;
  /** a of the bond. */
  readonly a: number;
  /** b of the bond. */
  readonly b: number;
  /** d₀, the middle of the bond. */
  readonly d0: number;
  /** Half the side of the box, > 0. */
  readonly halfBox: number;
  /** Energy of a unit overshoot beyond a wall, > 0. */
  readonly boxConstant: number;
  /** Number of solvent particles, 0 … 1600; labels are found for up to 400. */
  readonly solvent: number;
}

/** Names of the dimer's parameter sets. */
export type ParticleDimerPreset = "noe2019" | "noe2019-class" | "printed";

const noe2019: ParticleDimerParameters = {
  epsilon: 1,
  sigma: 1.1,
  tether: 20,
  slope: 2,
  a: 25,
  b: 10,
  d0: 1.5,
  halfBox: 3,
  boxConstant: 200,
  solvent: 36,
};

const presets: Readonly<Record<ParticleDimerPreset, ParticleDimerParameters>> = {
  "noe2019": noe2019,
  "noe2019-class": { ...noe2019, slope: -0.5 },
  "printed": { ...noe2019, slope: -0.5, boxConstant: 100 },
};

/** What a {@link ParticleDimer} is made from. */
export interface ParticleDimerOptions extends Partial<ParticleDimerParameters> {
  /** Parameter set, default "noe2019". */
  readonly preset?: ParticleDimerPreset | undefined;
  /** Reference sites of the solvent [solvent, 2]; needed where the number of solvent particles is not a square. */
  readonly sites?: Float64Array | undefined;
}

/** Distance that divides the basins: closed below, open from here on. */
export const DIMER_BOUNDARY = 1.5;
/** Factor between the grid of the published code, its start, and its reference: applied once and twice. */
const STRETCH = 1.05;
const MOST_SOLVENT = 1600;
/** Above this an assignment needs more scratch memory than there is. */
const MOST_LABELLED = 400;
/** The bond's cutoff in units of halfBox: the diagonal of a box that is 5 % wider than the one with soft walls. */
const LONGEST_BOND = 2.1 * Math.SQRT2;

/**
 * Two bonded particles (0 and 1) among solvent discs in a soft box, in two dimensions:
 *
 * U = ε Σ (σ/r)¹² [all pairs but the dimer's] + k_d ((x₀ + x₁)² + y₀² + y₁²) + bond(d) + k_box Σ δ²,
 *
 * where d is the distance of particles 0 and 1 and δ how far a coordinate lies beyond ±halfBox. The bond is
 * slope·y − a y² + b y⁴ with y = 2 (d − d₀); closed (d < 1.5) and open (d ≥ 1.5) states are its two wells.
 *
 * Presets: `noe2019`, what the published figures used (slope 2, k_box 200; closed is stable); `noe2019-class`, the class
 * defaults of the published code (slope −0.5, k_box 200); `printed`, the formula as printed, bond
 * ¼ a (d − d₀)⁴ − ½ b (d − d₀)² + c (d − d₀)⁴ with c (called slope here) −0.5 and k_box 100: its barrier is only 1.09, it
 * serves teaching. F. Noé, S. Olsson, J. Köhler, H. Wu, Science 365, eaaw1147 (2019).
 *
 * The reference domain holds one labelling of each configuration: x₀ ≤ x₁, and no exchange of solvent labels brings the
 * solvent closer (in the sum of squares) to the sites of `referencePositions`.
 *
 * @example
 * ```ts
 * import { ParticleDimer } from "@boltzflow/boltzflow";
 * const dimer = new ParticleDimer({ preset: "noe2019" });
 * const x = dimer.initialConfiguration(2);
 * const [u] = dimer.energy(x);
 * if (dimer.dim !== 76 || Math.round(u) !== 425) throw new Error("the published start, open");
 * ```
 */
export class ParticleDimer implements ParticleSystem, ParticleInteractions {
  readonly name = "particle-dimer";
  readonly spatialDim = 2;
  readonly preset: ParticleDimerPreset;
  readonly parameters: Readonly<Record<string, number>> & ParticleDimerParameters;
  /** Dimer and solvent together. */
  readonly particles: number;
  readonly dim: number;
  /** Which formula the bond's letters stand in. */
  readonly bondForm: BondForm;
  /** Reference configuration [dim]: the dimer at ±d₀/2 (stretched like the grid), the solvent on its sites. */
  readonly referencePositions: Float64Array;
  /** The energy's numbers as the kernels take them. */
  readonly coefficients: DimerCoefficients;
  readonly #bond: BondCoefficients;
  readonly #bondTerm: PairTerm;
  readonly #repulsion: PairTerm | null;
  readonly #sites: Float64Array;
  readonly #startSites: Float64Array;

  /**
   * Makes a dimer.
   *
   * @param options preset and values that replace the preset's
   * @throws {RangeError} if a name is unknown, a value is impossible, or sites are missing
   */
  constructor(options: ParticleDimerOptions = {}) {
    const { preset = "noe2019", sites, ...overrides } = options;
    const p = mergeParameters(WHAT, presets, preset, overrides as Record<string, unknown>);
    checkParameters(p);
    this.preset = preset;
    this.parameters = Object.freeze({ ...p });
    this.particles = 2 + p.solvent;
    this.dim = 2 * this.particles;
    this.bondForm = preset === "printed" ? "printed" : "code";
    this.#bond = bondCoefficients(this.bondForm, p);
    if (this.#bond.c4 < 0) {
      const [name, value] = this.bondForm === "code" ? ["b", p.b] : ["a / 4 + slope", p.a / 4 + p.slope];
      throw new RangeError(
        `Cannot ${WHAT}: ${name} must not be negative, got ${value}: the energy of a long bond would have no lower bound`,
      );
    }
    const { epsilon, sigma, tether, d0, halfBox, boxConstant } = p;
    this.coefficients = { particles: this.particles, epsilon, sigma, tether, d0, halfBox, boxConstant, ...this.#bond };
    this.#repulsion = powerPairTerm(epsilon * powerOf(sigma, 12), 0);
    const longest = LONGEST_BOND * halfBox;
    this.#bondTerm = { cutoff: longest, energy: (r) => r < longest ? this.dimerEnergy(r) : 0 };
    const grid = sites === undefined ? publishedGrid(p) : checkedSites(WHAT, sites, p.solvent);
    this.#startSites = sites === undefined ? grid.map((v) => STRETCH * v) : grid;
    this.#sites = sites === undefined ? grid.map((v) => STRETCH * STRETCH * v) : grid;
    this.referencePositions = Float64Array.of(...dimerAt(STRETCH * STRETCH * d0), ...this.#sites);
  }

  /** Reference sites of the solvent [solvent, 2]. */
  get sites(): Float64Array {
    return this.#sites.slice();
  }

  /**
   * Computes U.
   *
   * Overlapping particles give +∞; a coordinate that is not a number gives NaN.
   *
   * @param x [n, dim]
   * @param options threads
   * @returns U [n], in k_BT₀
   * @throws {RangeError} if the length of x is not a multiple of dim
   */
  energy(x: Float64Array, options: ComputeOptions = {}): Float64Array {
    configurationCount(x, this.dim, "compute energies");
    return particleEnergy(this.coefficients, x, options.pool);
  }

  /**
   * Computes U and ∂U/∂x.
   *
   * Where particles coincide (two solvent particles, or the two of the dimer) the gradient does not exist: it is NaN.
   *
   * @param x [n, dim]
   * @param options threads and precision
   * @returns U [n] in k_BT₀ and the gradient [n, dim]
   * @throws {RangeError} if the length of x is not a multiple of dim or the precision has an unknown name
   */
  energyAndGradient(x: Float64Array, options: GradientOptions = {}): EnergyAndGradient {
    configurationCount(x, this.dim, "compute gradients");
    return particleGradient(this.coefficients, x, options.pool, options.precision);
  }

  /**
   * Finds the pair term: the bond for 0 and 1, ε (σ/r)¹² for all others.
   *
   * The repulsion counts as zero where it is below 0.003 k_BT₀, from r = 1.79 on for `noe2019`; the bond beyond the box's
   * diagonal, from 2.97 halfBox on. All terms together lack k_d (x₀ + x₁)², which belongs to two coordinates.
   *
   * @param i a particle
   * @param j another one
   * @returns the term; null where ε = 0
   */
  pairTerm(i: number, j: number): PairTerm | null {
    return i + j === 1 ? this.#bondTerm : this.#repulsion;
  }

  /**
   * Computes what one coordinate contributes by itself: walls, and k_d y² of particles 0 and 1.
   *
   * @param particle the particle
   * @param axis 0 for x, 1 for y
   * @param x the coordinate
   * @returns energy in k_BT₀
   */
  oneBodyEnergy(particle: number, axis: number, x: number): number {
    const { halfBox, boxConstant, tether } = this.parameters;
    return wallEnergy(x, halfBox, boxConstant) + (particle < 2 && axis === 1 ? tether * x * x : 0);
  }

  /**
   * Computes the bond's energy alone, without tethers and solvent.
   *
   * @param d distance of the two bonded particles
   * @returns c₁ q + c₂ q² + c₄ q⁴, q = d − d₀, in k_BT₀
   */
  dimerEnergy(d: number): number {
    const { c1, c2, c4 } = this.#bond;
    const q = d - this.parameters.d0;
    return c1 * q + (c2 + c4 * q * q) * q * q;
  }

  /**
   * Measures the distance of the two bonded particles, the reaction coordinate.
   *
   * @param x [n, dim]
   * @returns d [n]
   * @throws {RangeError} if the length of x is not a multiple of dim
   */
  distance(x: Float64Array): Float64Array {
    const n = configurationCount(x, this.dim, "measure distances");
    return Float64Array.from({ length: n }, (_, s) => {
      const at = s * this.dim;
      const dx = x[at] - x[at + 2];
      const dy = x[at + 1] - x[at + 3];
      return Math.sqrt(dx * dx + dy * dy);
    });
  }

  /**
   * Sets up the start of the published code: the dimer on the x axis, the solvent on a grid, all stretched by 1.05.
   *
   * The dimer's distance is therefore 1.05 times the argument. Some solvent overlaps with the dimer: energies are in the
   * thousands.
   *
   * @param d distance before the stretching; 1 is closed, 2 is open
   * @returns one configuration [dim]
   * @throws {RangeError} if d is not positive
   */
  initialConfiguration(d: number): Float64Array {
    if (!(d > 0 && Number.isFinite(d))) {
      throw new RangeError(`Cannot set up a ParticleDimer: d must be a positive number, got ${d}`);
    }
    return Float64Array.of(...dimerAt(STRETCH * d), ...this.#startSites);
  }

  /** Sets up the starts that chains take in turn: closed and open. */
  startConfigurations(): Float64Array[] {
    return [this.initialConfiguration(1), this.initialConfiguration(2)];
  }

  /**
   * Finds the labels that bring configurations into the reference domain.
   *
   * @param x [n, dim]
   * @param options threads
   * @returns [n, particles]: which particle of the configuration gets each label
   * @throws {RangeError} if the length of x is not a multiple of dim, or there are more than 400 solvent particles
   */
  canonicalOrder(x: Float64Array, options: ComputeOptions = {}): Int32Array {
    configurationCount(x, this.dim, "relabel particles");
    const { solvent } = this.parameters;
    if (solvent > MOST_LABELLED) {
      throw new RangeError(`Cannot relabel particles: solvent must be at most ${MOST_LABELLED}, got ${solvent}`);
    }
    return canonicalOrder(this.#sites, x, options.pool);
  }

  /**
   * Relabels particles so that configurations lie in the reference domain. Energies do not change.
   *
   * Configurations that lie in it already come back as they are; the operation is idempotent.
   *
   * @param x [n, dim]
   * @param options threads
   * @returns relabelled configurations [n, dim]
   * @throws {RangeError} if the length of x is not a multiple of dim
   */
  canonicalize(x: Float64Array, options: ComputeOptions = {}): Float64Array {
    return reordered(x, this.canonicalOrder(x, options), this.particles);
  }

  /**
   * Tells which configurations lie in the reference domain. Configurations with a coordinate that is not finite do not.
   *
   * @param x [n, dim]
   * @param options threads
   * @returns [n], 1 inside and 0 outside
   * @throws {RangeError} if the length of x is not a multiple of dim
   */
  inDomain(x: Float64Array, options: ComputeOptions = {}): Uint8Array {
    return inOrder(x, this.canonicalOrder(x, options), this.particles);
  }
}

const WHAT = "make a ParticleDimer";

function checkParameters(p: ParticleDimerParameters): void {
  requirePositive(WHAT, p, ["sigma", "halfBox", "boxConstant"]);
  for (const name of ["epsilon", "tether", "d0"] as const) {
    if (!(p[name] >= 0)) throw new RangeError(`Cannot ${WHAT}: ${name} must not be negative, got ${p[name]}`);
  }
  if (!Number.isInteger(p.solvent) || p.solvent < 0 || p.solvent > MOST_SOLVENT) {
    throw new RangeError(
      `Cannot ${WHAT}: solvent must be a whole number from 0 to ${MOST_SOLVENT}, got ${p.solvent}`,
    );
  }
}

/** Positions of the two bonded particles on the x axis. */
function dimerAt(d: number): number[] {
  return [-d / 2, 0, d / 2, 0];
}

/** The published grid before stretching: √solvent inner points of a line from −4/3 to 4/3 of halfBox. */
function publishedGrid({ solvent, halfBox }: ParticleDimerParameters): Float64Array {
  const at = (k: number, side: number) => 4 / 3 * halfBox * (2 * (k + 1) / (side + 1) - 1);
  return squareGrid(WHAT, "solvent", solvent, at);
}
