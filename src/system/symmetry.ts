/**
 * Symmetries that act on coordinates: places are exchanged and signs are changed, nothing else.
 *
 * @module
 */

/**
 * A symmetry of a system that leaves its energy unchanged: x′ᵢ = signs[i] · x[from[i]].
 *
 * The map is orthogonal, so densities carry over without a Jacobian.
 */
export interface SymmetryOperation {
  /** Which coordinate each new coordinate is taken from, [dim]. */
  readonly from: readonly number[];
  /** +1 or −1 for each new coordinate, [dim]. */
  readonly signs: readonly number[];
}

/**
 * Writes the image of one configuration under a symmetry.
 *
 * @param operation the symmetry
 * @param x the configuration [dim]
 * @param image receives the image [dim]; must not be x itself
 */
export function applySymmetry({ from, signs }: SymmetryOperation, x: Float64Array, image: Float64Array): void {
  for (let i = 0; i < from.length; i++) image[i] = signs[i] * x[from[i]];
}

/**
 * Composes two symmetries.
 *
 * @param second applied last
 * @param first applied first
 * @returns the symmetry that does both
 */
export function composeSymmetries(second: SymmetryOperation, first: SymmetryOperation): SymmetryOperation {
  return {
    from: second.from.map((i) => first.from[i]),
    signs: second.from.map((i, k) => second.signs[k] * first.signs[i]),
  };
}
