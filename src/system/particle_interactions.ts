/**
 * What a system of particles tells about the parts of its energy, for models that build them in.
 *
 * @module
 */

/** An energy of two particles that depends on their distance alone. */
export interface PairTerm {
  /** Distance from which on the energy counts as zero: finite and positive. */
  readonly cutoff: number;
  /**
   * Computes the pair energy: exact and not shifted below the cutoff, 0 from there on.
   *
   * @param r distance > 0
   * @returns energy in k_BT₀
   */
  energy(r: number): number;
}

/**
 * A system whose energy is a sum over pairs of particles and over single coordinates.
 *
 * The terms may leave out what is small or fits neither kind, as the class says: what is built on them must not rely on
 * their sum being the energy.
 */
export interface ParticleInteractions {
  /** Number of particles. */
  readonly particles: number;
  /** Coordinates of a particle. */
  readonly spatialDim: 1 | 2 | 3;
  /** A place for each particle [particles, spatialDim], around which the reference domain holds it. */
  readonly referencePositions: Float64Array;
  /**
   * Finds how two particles act on each other.
   *
   * @param i a particle
   * @param j another one
   * @returns their pair term, the same object for pairs that are alike; null where they do not act on each other
   */
  pairTerm(i: number, j: number): PairTerm | null;
  /**
   * Computes what one coordinate contributes by itself.
   *
   * @param particle the particle
   * @param axis 0 … spatialDim − 1
   * @param x the coordinate
   * @returns energy in k_BT₀
   */
  oneBodyEnergy(particle: number, axis: number, x: number): number;
}
