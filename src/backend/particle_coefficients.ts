/**
 * The numbers in the energies of particles, and the block in which the kernels read them.
 *
 * @module
 */

/** The numbers in the energy of the particle dimer, the bond as c₁ q + c₂ q² + c₄ q⁴ with q = d − d₀. */
export interface DimerCoefficients {
  /** Dimer and solvent together, ≥ 2. */
  readonly particles: number;
  /** ε of ε (σ/r)¹². */
  readonly epsilon: number;
  /** σ of ε (σ/r)¹². */
  readonly sigma: number;
  /** k_d of the terms that keep the dimer in the middle. */
  readonly tether: number;
  /** Linear coefficient of the bond. */
  readonly c1: number;
  /** Quadratic coefficient of the bond. */
  readonly c2: number;
  /** Quartic coefficient of the bond. */
  readonly c4: number;
  /** Middle of the bond. */
  readonly d0: number;
  /** Half the side of the box. */
  readonly halfBox: number;
  /** Factor of the squared overshoot beyond a wall. */
  readonly boxConstant: number;
}

/** The numbers in the energy of a fluid: A (σ/r)¹² − B (σ/r)⁶ between all particles, and soft walls. */
export interface FluidCoefficients {
  /** Number of particles, ≥ 1. */
  readonly particles: number;
  /** A ≥ 0. */
  readonly repulsion: number;
  /** B ≥ 0; 0 if A = 0. */
  readonly attraction: number;
  /** σ > 0. */
  readonly sigma: number;
  /** Half the side of the box. */
  readonly halfBox: number;
  /** Factor of the squared overshoot beyond a wall. */
  readonly boxConstant: number;
}

/** What the kernels for particles can compute. */
export type ParticleCoefficients = DimerCoefficients | FluidCoefficients;

/**
 * Tells whether particles 0 and 1 are a bonded dimer.
 *
 * @param c the energy's numbers
 * @returns whether they are
 */
export function isDimer(c: ParticleCoefficients): c is DimerCoefficients {
  return "tether" in c;
}

/** Numbers in a parameter block. */
export const BLOCK_LENGTH = 12;

/**
 * Puts numbers in the order of the kernels, with the products that they need.
 *
 * @param c the energy's numbers
 * @returns the block [12]
 */
export function parameterBlock(c: ParticleCoefficients): Float64Array {
  const { sigma, halfBox, boxConstant } = c;
  const s2 = sigma * sigma;
  const scale = isDimer(c) ? c.epsilon : c.repulsion;
  const bonded = isDimer(c) ? [c.tether, c.c1, c.c2, c.c4, c.d0] : [0, 0, 0, 0, 0];
  const attraction = isDimer(c) || c.repulsion === 0 ? 0 : c.attraction / c.repulsion;
  const power12 = scale * s2 * s2 * s2 * s2 * s2 * s2;
  return Float64Array.of(
    scale,
    s2,
    ...bonded,
    halfBox,
    boxConstant,
    power12,
    attraction,
    attraction / (s2 * s2 * s2),
  );
}
