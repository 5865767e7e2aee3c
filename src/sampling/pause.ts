/**
 * Long loops that leave the event loop its turn.
 *
 * @module
 */

/** How a long computation reports and stops. */
export interface LongRunOptions {
  /** Called now and then with the fraction done, 0 … 1. */
  readonly onProgress?: ((done: number) => void) | undefined;
  /** Ends the computation with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** Milliseconds between two turns of the event loop. */
const INTERVAL = 50;

/**
 * Makes a function to be awaited in every round of a loop: it mostly returns at once, and lets events (a signal, a
 * timer, a key) through now and then.
 *
 * @param options progress and abort signal
 * @returns function of the fraction done; it throws the signal's reason once it is aborted
 */
export function pausing(options: LongRunOptions): (done: number) => Promise<void> {
  let last = performance.now();
  return async (done) => {
    options.signal?.throwIfAborted();
    if (performance.now() - last < INTERVAL) return;
    options.onProgress?.(done);
    await new Promise((resolve) => setTimeout(resolve, 0));
    options.signal?.throwIfAborted();
    last = performance.now();
  };
}
