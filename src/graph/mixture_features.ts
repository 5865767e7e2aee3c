/**
 * Sizes of a mixture density: how many features describe it.
 *
 * @module
 */

/** Size of a mixture. */
export interface MixtureAttributes {
  /** Number of coordinates D, 1 to 3. */
  readonly spatialDim: number;
  /** Number of components J. */
  readonly components: number;
}

/** Number of features that describe a mixture: logit, D means, D log-scales and D(D − 1)/2 shears of each component. */
export function mixtureFeatures({ spatialDim, components }: MixtureAttributes): number {
  return components * (1 + 2 * spatialDim + spatialDim * (spatialDim - 1) / 2);
}

/** Log-scales above this count as this: no component may become narrower than float32 can resolve. */
export const LARGEST_LOG_SCALE = 6;
