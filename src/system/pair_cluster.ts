/**
 * What clusters of alike particles have in common: an energy of distances, a trap, and a centre that nothing holds.
 *
 * @module
 */
import { logOf } from "../random/elementary.ts";
import { type CentreOfMass, MeanFreeAxes } from "./centre_of_mass.ts";
import type { PairTerm, ParticleInteractions } from "./particle_interactions.ts";
import { configurationCount, type EnergyAndGradient, type System } from "./system.ts";

/** An energy of two particles as a function of their squared distance d². */
export interface PairLaw {
  /**
   * Computes u(d).
   *
   * @param squared d²
   * @returns energy of the pair in k_BT₀
   */
  energy(squared: number): number;
  /**
   * Computes u′(d) / d, by which the difference of two positions becomes a gradient.
   *
   * @param squared d²
   * @returns the slope over the distance
   */
  slope(squared: number): number;
}

/** What a cluster is made of. */
export interface ClusterShape {
  /** Number of particles ≥ 2. */
  readonly particles: number;
  /** Directions of space, 1 to 3. */
  readonly spatialDim: number;
  /** o ≥ 0 of ½ o Σ |rᵢ − centre|². */
  readonly oscillator: number;
  /** κ > 0 of ½ κ N |centre|², where the centre is pinned. */
  readonly centreConstant: number;
}

/** All that a {@link PairCluster} must be told. */
export interface ClusterPlan extends ClusterShape {
  /** What the system is called. */
  readonly name: string;
  /** What becomes of the centre. */
  readonly centreOfMass: CentreOfMass;
  /** Distance of the sites on which chains may start. */
  readonly spacing: number;
  /** Energy of a pair. */
  readonly law: PairLaw;
}

/** Distance, in units of that of the starting sites, from which on a pair term counts as zero: nobody gets there. */
const REACH = 10;

/**
 * A cluster: U = Σ u(dᵢⱼ) over pairs + ½ o Σ |rᵢ − centre|², and the rule for its centre.
 *
 * Where the centre is pinned, pair terms and one-body energies sum to the energy, so that flows of particles build them in:
 * ½ κ N |centre|² is ½ κ Σ |rᵢ|² less the part of it that distances make, (κ/2N) Σ dᵢⱼ² over pairs.
 */
export abstract class PairCluster implements System, ParticleInteractions {
  /** What it is called. */
  readonly name: string;
  /** Number of coordinates: (particles − 1) · spatialDim where the centre is removed, else particles · spatialDim. */
  readonly dim: number;
  /** Number of particles. */
  readonly particles: number;
  /** Directions of space. */
  readonly spatialDim: 1 | 2 | 3;
  /** What becomes of the centre of mass. */
  readonly centreOfMass: CentreOfMass;
  /** Places for the particles, those of `startConfiguration`, [particles, spatialDim]. */
  readonly referencePositions: Float64Array;
  readonly #plan: ClusterPlan;
  readonly #axes: MeanFreeAxes;
  readonly #pairTerm: PairTerm;

  /**
   * Sets a cluster up.
   *
   * @param what how messages begin, as in "make a LennardJonesCluster"
   * @param plan all that it is made of
   * @throws {RangeError} if a value is impossible
   */
  protected constructor(what: string, plan: ClusterPlan) {
    checkShape(what, plan);
    const { particles, spatialDim, centreOfMass } = plan;
    this.name = plan.name;
    this.particles = particles;
    this.spatialDim = spatialDim as 1 | 2 | 3;
    this.centreOfMass = centreOfMass;
    this.dim = (centreOfMass === "removed" ? particles - 1 : particles) * spatialDim;
    this.#plan = plan;
    this.#axes = new MeanFreeAxes(particles, spatialDim);
    this.#pairTerm = pairTermOf(plan);
    this.referencePositions = this.positions(this.startConfiguration());
  }

  /**
   * Finds how two particles act on each other where the centre is pinned: all pairs alike.
   *
   * @returns u(d) − (κ − o)/(2N) d²; zero from ten times the distance of the starting sites on
   */
  pairTerm(): PairTerm {
    return this.#pairTerm;
  }

  /**
   * Computes what a coordinate contributes by itself where the centre is pinned: ½ κ x².
   *
   * @param _particle the particle: all are alike
   * @param _axis the axis: all are alike
   * @param x the coordinate
   * @returns energy in k_BT₀
   */
  oneBodyEnergy(_particle: number, _axis: number, x: number): number {
    return 0.5 * this.#plan.centreConstant * x * x;
  }

  /**
   * Computes the positions of the particles. Where the centre is removed their mean is 0.
   *
   * @param x [n, dim]
   * @returns [n, particles, spatialDim]
   * @throws {RangeError} if the length of x is not a multiple of dim
   */
  positions(x: Float64Array): Float64Array {
    configurationCount(x, this.dim, "compute positions");
    return this.centreOfMass === "removed" ? this.#axes.positions(x) : x.slice();
  }

  /**
   * Computes the coordinates x of positions, as for data from elsewhere. Where the centre is removed it is left out.
   *
   * @param positions [n, particles, spatialDim]
   * @returns x [n, dim]
   * @throws {RangeError} if the length of positions is not a multiple of particles · spatialDim
   */
  coordinates(positions: Float64Array): Float64Array {
    configurationCount(positions, this.particles * this.spatialDim, "compute coordinates");
    return this.centreOfMass === "removed" ? this.#axes.coordinates(positions) : positions.slice();
  }

  /**
   * Computes U.
   *
   * @param x [n, dim]
   * @returns U [n], in k_BT₀
   * @throws {RangeError} if the length of x is not a multiple of dim
   */
  energy(x: Float64Array): Float64Array {
    return this.#compute(this.positions(x), null);
  }

  /**
   * Computes U and ∂U/∂x. Where particles coincide the gradient does not exist: it is NaN.
   *
   * @param x [n, dim]
   * @returns U [n] and the gradient [n, dim]
   * @throws {RangeError} if the length of x is not a multiple of dim
   */
  energyAndGradient(x: Float64Array): EnergyAndGradient {
    const positions = this.positions(x);
    const byPositions = new Float64Array(positions.length);
    const energy = this.#compute(positions, byPositions);
    // The axes are orthonormal: what carries positions to coordinates carries gradients too.
    return { energy, gradient: this.coordinates(byPositions) };
  }

  /** Energies, and gradients by positions if there is a place for them. */
  #compute(positions: Float64Array, gradient: Float64Array | null): Float64Array {
    const size = this.particles * this.spatialDim;
    const energy = new Float64Array(positions.length / size);
    for (let s = 0; s < energy.length; s++) {
      const [from, to] = [s * size, (s + 1) * size];
      const own = gradient === null ? null : gradient.subarray(from, to);
      const r = positions.subarray(from, to);
      energy[s] = this.#pairs(r, own) + this.#springs(r, own);
    }
    return energy;
  }

  #pairs(r: Float64Array, gradient: Float64Array | null): number {
    const { spatialDim } = this;
    const { law } = this.#plan;
    let energy = 0;
    for (let i = spatialDim; i < r.length; i += spatialDim) {
      for (let j = 0; j < i; j += spatialDim) {
        let squared = 0;
        for (let c = 0; c < spatialDim; c++) squared += (r[i + c] - r[j + c]) * (r[i + c] - r[j + c]);
        energy += law.energy(squared);
        if (gradient === null) continue;
        const slope = law.slope(squared);
        for (let c = 0; c < spatialDim; c++) {
          const pull = slope * (r[i + c] - r[j + c]);
          gradient[i + c] += pull;
          gradient[j + c] -= pull;
        }
      }
    }
    return energy;
  }

  /** The trap around the centre and, where it is pinned, the spring of the centre. */
  #springs(r: Float64Array, gradient: Float64Array | null): number {
    const { particles, spatialDim } = this;
    const { oscillator, centreConstant } = this.#plan;
    const pin = this.centreOfMass === "pinned" ? centreConstant : 0;
    let energy = 0;
    for (let c = 0; c < spatialDim; c++) {
      let centre = 0;
      for (let i = c; i < r.length; i += spatialDim) centre += r[i] / particles;
      let squares = 0;
      for (let i = c; i < r.length; i += spatialDim) {
        squares += (r[i] - centre) * (r[i] - centre);
        if (gradient !== null) gradient[i] += oscillator * (r[i] - centre) + pin * centre;
      }
      // Far out 0 · ∞ would be no number.
      if (oscillator > 0) energy += 0.5 * oscillator * squares;
      if (pin > 0) energy += 0.5 * pin * particles * centre * centre;
    }
    return energy;
  }

  /**
   * Computes ln of the factor by which a pinned centre multiplies Z: ½ spatialDim ln(2πT/κ); 0 where it is removed.
   *
   * @param temperature T in units of T₀, > 0
   * @returns ln Z(pinned) − ln Z(removed), or 0
   */
  centreLogPartition(temperature: number): number {
    if (this.centreOfMass === "removed") return 0;
    return 0.5 * this.spatialDim * logOf(2 * Math.PI * temperature / this.#plan.centreConstant);
  }

  /**
   * Sets up a start for chains: the particles on sites of a cubic lattice, those nearest to one site first.
   *
   * @returns x [dim], of finite energy
   */
  startConfiguration(): Float64Array {
    const { particles, spatialDim } = this;
    const half = spatialDim === 1
      ? particles
      : 1 + Math.ceil((spatialDim === 2 ? Math.sqrt(particles) : Math.cbrt(particles)) / 2);
    const axis = Array.from({ length: 2 * half + 1 }, (_, k) => k - half);
    let sites: number[][] = [[]];
    for (let c = 0; c < spatialDim; c++) sites = sites.flatMap((site) => axis.map((v) => [...site, v]));
    const size = (site: number[]) => site.reduce((sum, v) => sum + v * v, 0);
    const nearest = sites.sort((a, b) => size(a) - size(b)).slice(0, particles);
    const { spacing } = this.#plan;
    const centre = nearest[0].map((_, c) => nearest.reduce((sum, site) => sum + site[c], 0) / particles);
    return this.coordinates(
      Float64Array.from(nearest.flatMap((site) => site.map((v, c) => spacing * (v - centre[c])))),
    );
  }
}

function pairTermOf({ law, centreConstant, oscillator, particles, spacing }: ClusterPlan): PairTerm {
  const cutoff = REACH * spacing;
  const spring = (centreConstant - oscillator) / (2 * particles);
  return { cutoff, energy: (r) => r < cutoff ? law.energy(r * r) - spring * r * r : 0 };
}

function checkShape(what: string, plan: ClusterPlan): void {
  const { particles, spatialDim, centreOfMass, oscillator, centreConstant } = plan;
  if (!Number.isInteger(particles) || particles < 2) {
    throw new RangeError(`Cannot ${what}: particles must be a whole number ≥ 2, got ${particles}`);
  }
  if (spatialDim !== 1 && spatialDim !== 2 && spatialDim !== 3) {
    throw new RangeError(`Cannot ${what}: spatialDim must be 1, 2 or 3, got ${spatialDim}`);
  }
  if (centreOfMass !== "removed" && centreOfMass !== "pinned") {
    throw new RangeError(`Cannot ${what}: centreOfMass must be "removed" or "pinned", got ${centreOfMass}`);
  }
  if (!(oscillator >= 0)) throw new RangeError(`Cannot ${what}: oscillator must not be negative, got ${oscillator}`);
  if (!(centreConstant > 0)) {
    throw new RangeError(`Cannot ${what}: centreConstant must be positive, got ${centreConstant}`);
  }
}
