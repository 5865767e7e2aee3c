/**
 * Alike particles in a soft box: a Lennard-Jones liquid, or repelling discs.
 *
 * @module
 */
import type { FluidCoefficients } from "../backend/particle_coefficients.ts";
import { assignmentOrder, particleEnergy, particleGradient } from "../backend/particle_kernels.ts";
import { logOf, powerOf } from "../random/elementary.ts";
import { powerPairTerm, wallEnergy } from "./pair_terms.ts";
import { checkedSites, squareGrid } from "./particle_grid.ts";
import type { PairTerm, ParticleInteractions } from "./particle_interactions.ts";
import type { CoupledSystem, GradientOptions } from "./particle_system.ts";
import { inOrder, reordered } from "./relabelling.ts";
import {
  type ComputeOptions,
  configurationCount,
  type EnergyAndGradient,
  mergeParameters,
  requirePositive,
} from "./system.ts";

/** The numbers in the energy of the {@link LennardJonesFluid}. */
export interface LennardJonesFluidParameters {
  /** Number of particles, 1 … 400. */
  readonly particles: number;
  /** σ > 0, the diameter of a particle. */
  readonly sigma: number;
  /** A of A (σ/r)¹²; 4ε for Lennard-Jones particles. */
  readonly repulsion: number;
  /** B of −B (σ/r)⁶; 4ε for Lennard-Jones particles, 0 for discs that only repel. */
  readonly attraction: number;
  /** particles · σ²/(2 halfBox + σ)²: discs of diameter σ between walls fill a square of that side. */
  readonly density: number;
  /** Energy of a unit overshoot beyond a wall, > 0. */
  readonly boxConstant: number;
}

/** Names of the fluid's parameter sets. */
export type LennardJonesFluidPreset = "liquid" | "soft-discs";

const liquid: LennardJonesFluidParameters = {
  particles: 16,
  sigma: 1,
  repulsion: 4,
  attraction: 4,
  density: 0.7,
  boxConstant: 200,
};

const presets: Readonly<Record<LennardJonesFluidPreset, LennardJonesFluidParameters>> = {
  "liquid": liquid,
  "soft-discs": { ...liquid, repulsion: 1, attraction: 0 },
};

/** What a {@link LennardJonesFluid} is made from. */
export interface LennardJonesFluidOptions extends Partial<LennardJonesFluidParameters> {
  /** Parameter set, default "liquid". */
  readonly preset?: LennardJonesFluidPreset | undefined;
  /** Reference sites [particles, 2]; needed where the number of particles is not a square. */
  readonly sites?: Float64Array | undefined;
}

const WHAT = "make a LennardJonesFluid";
const MOST_PARTICLES = 400;

/**
 * Alike particles in a soft square box, in two dimensions:
 *
 * U = Σ [A (σ/r)¹² − B (σ/r)⁶] + k_box Σ δ²,
 *
 * over all pairs, without cutoff, where δ is how far a coordinate lies beyond ±halfBox. A = B = 4ε are the Lennard-Jones
 * particles of the textbooks. Walls hold centres: halfBox = σ (√(particles/density) − 1)/2, so that discs of diameter σ
 * have the density. The walls are part of the system: nothing here is periodic.
 *
 * Presets, both of 16 particles at density 0.7: `liquid`, Lennard-Jones with ε = 1, whose temperatures are the usual
 * reduced ones: at T = 1 a dense fluid above the critical temperature (about 0.5 in two dimensions); `soft-discs`, only
 * (σ/r)¹², which is the solvent of the particle dimer.
 *
 * The reference domain holds one labelling of each configuration: no exchange of labels brings the particles closer (in
 * the sum of squares) to the sites of `referencePositions`, a square grid if none are given.
 *
 * @example
 * ```ts
 * import { LennardJonesFluid } from "@boltzflow/boltzflow";
 * const pair = new LennardJonesFluid({ particles: 2, density: 0.1, sites: Float64Array.of(-1, 0, 1, 0) });
 * const [deepest] = pair.energy(Float64Array.of(0, 0, 2 ** (1 / 6), 0));
 * if (Math.abs(deepest + 1) > 1e-12) throw new Error("the well of Lennard and Jones is one ε deep");
 * ```
 */
export class LennardJonesFluid implements CoupledSystem, ParticleInteractions {
  readonly name = "lennard-jones-fluid";
  readonly spatialDim = 2;
  readonly preset: LennardJonesFluidPreset;
  readonly parameters: Readonly<Record<string, number>> & LennardJonesFluidParameters;
  readonly particles: number;
  readonly dim: number;
  /** Half the side of the box that holds the centres. */
  readonly halfBox: number;
  /** The energy's numbers as the kernels take them. */
  readonly coefficients: FluidCoefficients;
  /** ln particles!: Z over the reference domain is Z divided by the number of labellings. */
  readonly logLabellings: number;
  readonly #sites: Float64Array;
  readonly #pair: PairTerm | null;

  /**
   * Makes a fluid.
   *
   * @param options preset and values that replace the preset's
   * @throws {RangeError} if a name is unknown, a value is impossible, or sites are missing
   */
  constructor(options: LennardJonesFluidOptions = {}) {
    const { preset = "liquid", sites, ...overrides } = options;
    const p = mergeParameters(WHAT, presets, preset, overrides as Record<string, unknown>);
    checkParameters(p);
    const { particles, sigma, repulsion, attraction, boxConstant } = p;
    this.preset = preset;
    this.parameters = Object.freeze({ ...p });
    this.particles = particles;
    this.dim = 2 * particles;
    this.halfBox = sigma * (Math.sqrt(particles / p.density) - 1) / 2;
    this.coefficients = { particles, repulsion, attraction, sigma, halfBox: this.halfBox, boxConstant };
    this.logLabellings = 0;
    for (let k = 2; k <= particles; k++) this.logLabellings += logOf(k);
    this.#pair = powerPairTerm(repulsion * powerOf(sigma, 12), attraction * powerOf(sigma, 6));
    // One site in the middle of each of the equal squares into which the discs' square falls.
    const width = 2 * this.halfBox + sigma;
    const at = (k: number, side: number) => width * ((k + 0.5) / side - 0.5);
    this.#sites = sites === undefined
      ? squareGrid(WHAT, "particles", particles, at)
      : checkedSites(WHAT, sites, particles);
  }

  /** Reference sites [particles, 2]. */
  get sites(): Float64Array {
    return this.#sites.slice();
  }

  /** Reference configuration [dim]: every particle on its site. */
  get referencePositions(): Float64Array {
    return this.#sites.slice();
  }

  /**
   * Computes U.
   *
   * Overlapping particles give +∞ (NaN where A = 0); a coordinate that is not a number gives NaN.
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
   * Computes U and ∂U/∂x. Where particles coincide the gradient does not exist: it is NaN.
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
   * Finds the pair term, the same for all pairs.
   *
   * It counts as zero where its size stays below 0.003 k_BT₀: from r = 3.32 on for `liquid`, 1.62 for `soft-discs`.
   *
   * @param _i a particle
   * @param _j another one
   * @returns the term; null where A = 0
   */
  pairTerm(_i: number, _j: number): PairTerm | null {
    return this.#pair;
  }

  /**
   * Computes what one coordinate contributes by itself: the walls.
   *
   * @param _particle the particle
   * @param _axis 0 for x, 1 for y
   * @param x the coordinate
   * @returns energy in k_BT₀
   */
  oneBodyEnergy(_particle: number, _axis: number, x: number): number {
    return wallEnergy(x, this.halfBox, this.parameters.boxConstant);
  }

  /** Sets up the start that chains take: every particle on its site. */
  startConfigurations(): Float64Array[] {
    return [this.sites];
  }

  /**
   * Finds the labels that bring configurations into the reference domain.
   *
   * @param x [n, dim]
   * @param options threads
   * @returns [n, particles]: which particle of the configuration gets each label
   * @throws {RangeError} if the length of x is not a multiple of dim
   */
  canonicalOrder(x: Float64Array, options: ComputeOptions = {}): Int32Array {
    configurationCount(x, this.dim, "relabel particles");
    return assignmentOrder(this.#sites, x, options.pool);
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

  /**
   * Makes a fluid of the same walls and sites whose pair energies are λ times as large.
   *
   * @param coupling λ ≥ 0; 0 is the ideal gas in the box
   * @returns the fluid
   * @throws {RangeError} if λ is negative or not finite
   */
  withCoupling(coupling: number): LennardJonesFluid {
    if (!(coupling >= 0 && Number.isFinite(coupling))) {
      throw new RangeError(`Cannot couple particles: coupling must be a number ≥ 0, got ${coupling}`);
    }
    const { repulsion, attraction, ...others } = this.parameters;
    return new LennardJonesFluid({
      ...others,
      preset: this.preset,
      repulsion: coupling * repulsion,
      attraction: coupling * attraction,
      sites: this.#sites,
    });
  }

  /**
   * Computes Σ [A (σ/r)¹² − B (σ/r)⁶], the energy without the walls.
   *
   * @param x [n, dim]
   * @param options threads
   * @returns pair energies [n], in k_BT₀
   * @throws {RangeError} if the length of x is not a multiple of dim
   */
  pairEnergy(x: Float64Array, options: ComputeOptions = {}): Float64Array {
    configurationCount(x, this.dim, "compute pair energies");
    return particleEnergy({ ...this.coefficients, boxConstant: 0 }, x, options.pool);
  }

  /**
   * Computes ln Z of the particles without pair energies, over all labellings: dim · ln(2 halfBox + √(πT/k_box)).
   *
   * @param temperature T in units of T₀
   * @returns ln Z of the ideal gas in the box
   * @throws {RangeError} if the temperature is not positive
   */
  idealLogPartition(temperature: number): number {
    if (!(temperature > 0 && Number.isFinite(temperature))) {
      throw new RangeError(`Cannot integrate an ideal gas: temperature must be a positive number, got ${temperature}`);
    }
    return this.dim * logOf(2 * this.halfBox + Math.sqrt(Math.PI * temperature / this.parameters.boxConstant));
  }
}

function checkParameters(p: LennardJonesFluidParameters): void {
  if (!Number.isInteger(p.particles) || p.particles < 1 || p.particles > MOST_PARTICLES) {
    throw new RangeError(
      `Cannot ${WHAT}: particles must be a whole number from 1 to ${MOST_PARTICLES}, got ${p.particles}`,
    );
  }
  requirePositive(WHAT, p, ["sigma", "density", "boxConstant"]);
  for (const name of ["repulsion", "attraction"] as const) {
    if (!(p[name] >= 0)) throw new RangeError(`Cannot ${WHAT}: ${name} must not be negative, got ${p[name]}`);
  }
  if (!(p.density < p.particles)) {
    throw new RangeError(
      `Cannot ${WHAT}: density must be below the number of particles ${p.particles}, got ${p.density}: ` +
        "the box would have no width",
    );
  }
  if (p.attraction > 0 && p.repulsion === 0) {
    throw new RangeError(
      `Cannot ${WHAT}: attraction must be 0 where nothing repels, got ${p.attraction}: the energy would have no lower bound`,
    );
  }
}
