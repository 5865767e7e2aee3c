/**
 * Seeds of stages of training.
 *
 * @module
 */

/** Seeds of stages lie apart, so that those of neighbouring runs are others. */
const APART = 1009;

/**
 * Finds the seed that a stage draws from: every stage has its own, so that its batches do not depend on the length of
 * those before.
 *
 * @param seed of the training
 * @param index number of the stage
 * @returns its seed
 */
export function stageSeed(seed: number, index: number): number {
  return seed + APART * (index + 1);
}
