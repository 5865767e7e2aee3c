/**
 * Coordinates of particles whose common centre does not matter.
 *
 * @module
 */

/**
 * What becomes of the centre of mass, which an energy of distances does not feel.
 *
 * Over all positions such an energy has no finite Z, so that a density needs a rule. "removed": the centre is at the origin,
 * and x are (particles − 1) · spatialDim coordinates of length-preserving axes: densities are those of the literature on
 * mean-free positions, log-determinants and Z included. "pinned": x are the positions of all particles, and the centre is
 * held by a spring of its own, independent of everything else; Z has a known factor more.
 */
export type CentreOfMass = "removed" | "pinned";

/**
 * The axes of mean-free positions: for k = 1, 2, … the particle k + 1 against the mean of those before it,
 *
 *     q_k = (x₁ + … + x_k − k x_(k+1)) / √(k (k + 1)),
 *
 * in each direction of space (Helmert 1876). They are orthonormal, so that lengths and volumes stay as they are.
 */
export class MeanFreeAxes {
  /** Number of particles. */
  readonly particles: number;
  /** Directions of space. */
  readonly spatialDim: number;
  readonly #lengths: Float64Array;

  /**
   * Sets the axes up.
   *
   * @param particles how many, ≥ 2
   * @param spatialDim directions of space
   */
  constructor(particles: number, spatialDim: number) {
    this.particles = particles;
    this.spatialDim = spatialDim;
    this.#lengths = Float64Array.from({ length: particles }, (_, k) => Math.sqrt(k * (k + 1)));
  }

  /**
   * Computes mean-free positions.
   *
   * @param q [n, particles − 1, spatialDim]
   * @returns [n, particles, spatialDim]
   */
  positions(q: Float64Array): Float64Array {
    const { particles, spatialDim } = this;
    const from = (particles - 1) * spatialDim;
    const to = particles * spatialDim;
    const n = q.length / from;
    const positions = new Float64Array(n * to);
    for (let s = 0; s < n; s++) {
      for (let c = 0; c < spatialDim; c++) {
        // Particle k + 1 is −k/√(k(k+1)) of axis k and 1/√(m(m+1)) of each later axis m.
        let later = 0;
        for (let k = particles - 1; k >= 1; k--) {
          const share = q[s * from + (k - 1) * spatialDim + c] / this.#lengths[k];
          positions[s * to + k * spatialDim + c] = later - k * share;
          later += share;
        }
        positions[s * to + c] = later;
      }
    }
    return positions;
  }

  /**
   * Computes coordinates along the axes; the centre is left out. Carries gradients by positions to gradients by q too.
   *
   * @param positions [n, particles, spatialDim]
   * @returns [n, particles − 1, spatialDim]
   */
  coordinates(positions: Float64Array): Float64Array {
    const { particles, spatialDim } = this;
    const from = particles * spatialDim;
    const to = (particles - 1) * spatialDim;
    const n = positions.length / from;
    const q = new Float64Array(n * to);
    for (let s = 0; s < n; s++) {
      for (let c = 0; c < spatialDim; c++) {
        let sum = 0;
        for (let k = 1; k < particles; k++) {
          sum += positions[s * from + (k - 1) * spatialDim + c];
          const difference = sum - k * positions[s * from + k * spatialDim + c];
          q[s * to + (k - 1) * spatialDim + c] = difference / this.#lengths[k];
        }
      }
    }
    return q;
  }
}
