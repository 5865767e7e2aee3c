/**
 * Processor time: what a computation costs, whoever else is using the machine.
 *
 * @module
 */

import type { ProgressKeeper } from "../sampling/keeper.ts";

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
 * Does some work and tells what it cost. Work that goes on from what was kept has cost what it had cost by then, too.
 *
 * @param clock from `openProcessorClock`
 * @param work what to do; it is given a keeper if there is one
 * @param kept keeps where the work stands, with its cost
 * @returns its result, and its cost
 */
export async function costed<T, P = never>(
  clock: ProcessorClock,
  work: (keeper?: ProgressKeeper<P>) => T | Promise<T>,
  kept?: ProgressKeeper<Costed<P>>,
): Promise<Costed<T>> {
  const saved = await kept?.load() ?? null;
  const start = clock() - 60_000 * (saved?.minutes ?? 0);
  const minutes = () => (clock() - start) / 60_000;
  const keeper = kept && {
    load: () => Promise.resolve(saved && saved.result),
    offer: (state: () => P) => kept.offer(() => ({ result: state(), minutes: minutes() })),
  };
  const result = await work(keeper);
  return { result, minutes: minutes() };
}
