/**
 * What happened in the iterations of an exploration.
 *
 * @module
 */

/** Numbers by iteration, [iterations] each; plain data. */
export interface ExplorationHistory {
  /** Loss of the training step; NaN where it was skipped. */
  readonly loss: readonly number[];
  /** Share of moves accepted. */
  readonly acceptance: readonly number[];
  /** Length of the latent step. */
  readonly latentStep: readonly number[];
  /** Accepted moves that led out of the reference domain and were relabelled. */
  readonly outsideDomain: readonly number[];
  /** Moves rejected because a number was not finite. */
  readonly notFinite: readonly number[];
  /** Lowest βU in the buffer after the move. */
  readonly lowestEnergy: readonly number[];
  /** Members of the buffer in each state after the move, [iterations][states]. */
  readonly populations: readonly (readonly number[])[];
}

/** A history before the first iteration. */
export function emptyHistory(): ExplorationHistory {
  return {
    loss: [],
    acceptance: [],
    latentStep: [],
    outsideDomain: [],
    notFinite: [],
    lowestEnergy: [],
    populations: [],
  };
}

/** Copies a history, so that it can grow. */
export function mutableHistory(
  history: ExplorationHistory,
): { [K in keyof ExplorationHistory]: ExplorationHistory[K][number][] } {
  return {
    loss: [...history.loss],
    acceptance: [...history.acceptance],
    latentStep: [...history.latentStep],
    outsideDomain: [...history.outsideDomain],
    notFinite: [...history.notFinite],
    lowestEnergy: [...history.lowestEnergy],
    populations: [...history.populations],
  };
}
