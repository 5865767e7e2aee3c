/**
 * How a long computation is kept on the way, so that it can go on after its program died.
 *
 * @module
 */

/** Keeps where a long computation stands. */
export interface ProgressKeeper<T> {
  /** What was kept before; null to begin. */
  load(): Promise<T | null>;
  /**
   * Called between two portions of the work.
   *
   * @param state tells where it stands, in plain data; called only when it is time to keep it
   */
  offer(state: () => T): Promise<void>;
}
