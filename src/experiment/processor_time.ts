/**
 * Processor time: what a computation costs, whoever else is using the machine.
 *
 * @module
 */

/** Reads a clock that runs while any thread of this process computes, in milliseconds. */
export type ProcessorClock = () => number;

/**
 * Opens the clock of the process: user and system time of all its threads.
 *
 * It hardly depends on what other programs do, unlike the time on the wall. Threads that wait do not make it go on.
 *
 * @returns a clock; differences of what it returns are milliseconds of processor time
 */
export async function openProcessorClock(): Promise<ProcessorClock> {
  const { default: process } = await import("node:process");
  return () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e3;
  };
}

/** A result with the processor time that it took, in minutes. */
export interface Costed<T> {
  /** What came out. */
  readonly result: T;
  /** Minutes of processor time. */
  readonly minutes: number;
}

/**
 * Does some work and tells what it cost.
 *
 * @param clock from `openProcessorClock`
 * @param work what to do
 * @returns its result, and its cost
 */
export async function costed<T>(clock: ProcessorClock, work: () => T | Promise<T>): Promise<Costed<T>> {
  const start = clock();
  const result = await work();
  return { result, minutes: (clock() - start) / 60_000 };
}
