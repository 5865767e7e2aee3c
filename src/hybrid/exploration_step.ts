/**
 * How long latent steps are.
 *
 * @module
 */

/** How the length of a latent step follows the acceptance. */
export interface LatentStepRule {
  /** Length of the first step. Default 0.1. */
  readonly initial: number;
  /** Shortest step. Default 0.001. */
  readonly least: number;
  /** Longest step. Default 1. */
  readonly most: number;
  /** Over how many iterations the acceptance is averaged; the length stays until there have been more. Default 50. */
  readonly window: number;
  /** Average acceptance below which the step is made shorter. Default 0.02. */
  readonly tooFew: number;
  /** Average acceptance above which it is made longer. Default 0.2. */
  readonly enough: number;
  /** By which share. Default 0.02. */
  readonly change: number;
}

const PUBLISHED: LatentStepRule = {
  initial: 0.1,
  least: 0.001,
  most: 1,
  window: 50,
  tooFew: 0.02,
  enough: 0.2,
  change: 0.02,
};

/** Puts numbers of a user in place of the published ones. */
export function checkedStepRule(own: Partial<LatentStepRule>): LatentStepRule {
  const rule = { ...PUBLISHED, ...own };
  const { initial, least, most, window } = rule;
  if (!(least > 0 && least <= initial && initial <= most && most < Infinity)) {
    throw new RangeError(
      `Cannot explore: latentStep must have 0 < least ≤ initial ≤ most, got ${least}, ${initial} and ${most}`,
    );
  }
  if (!(Number.isInteger(window) && window >= 1)) {
    throw new RangeError(`Cannot explore: window of latentStep must be a whole number ≥ 1, got ${window}`);
  }
  return rule;
}

/**
 * Finds the length of the next step.
 *
 * @param step length of the last one
 * @param acceptance of all iterations so far
 * @param rule how they follow
 * @returns the length
 */
export function nextLatentStep(step: number, acceptance: readonly number[], rule: LatentStepRule): number {
  const { window, tooFew, enough, change, least, most } = rule;
  if (acceptance.length <= window) return step;
  const mean = acceptance.slice(-window).reduce((sum, share) => sum + share, 0) / window;
  if (mean < tooFew) return Math.max(least, step * (1 - change));
  return mean > enough ? Math.min(most, step * (1 + change)) : step;
}
