/**
 * What runs programs: here the calling thread alone, in `pool.ts` several.
 *
 * @module
 */
import { type KernelCall, nextProgramId, type Program, runTask } from "./program.ts";

/** What runs programs: a pool of threads, or the calling thread alone. */
export interface Executor {
  /** Number of threads that take tasks, the calling one included. */
  readonly threads: number;
  /**
   * Runs one phase of a program for every slice, and returns when all are done.
   *
   * @param program phases and addresses
   * @param phase number of the phase
   * @param slices number of slices: 0 … slices − 1 are run
   */
  runPhase(program: Program, phase: number, slices: number): void;
  /**
   * Runs some phases of a program for the first slice, as independent tasks, and returns when all are done.
   *
   * @param program phases and addresses
   * @param phases number of phases
   * @param first the first of them. Default 0
   */
  runEach(program: Program, phases: number, first?: number): void;
  /**
   * Runs independent calls, spread over the threads, and returns when all are done.
   *
   * @param calls with absolute addresses
   */
  run(calls: readonly KernelCall[]): void;
  /**
   * Frees what was kept for a program that will not run again.
   *
   * @param program the program
   */
  forget(program: Program): void;
}

/** Makes a program of independent lists of calls with absolute addresses, for `runEach`. */
export function independentCalls(lists: readonly (readonly KernelCall[])[], threads: number): Program {
  const none = new Array<number>(threads).fill(0);
  return { id: nextProgramId(), phases: lists, batch: 0, threads: none, gradient: 0 };
}

/** Runs everything on the calling thread. */
export const serialPool: Executor = {
  threads: 1,
  runPhase(program, phase, slices) {
    for (let slice = 0; slice < slices; slice++) runTask(program, phase, slice, 0);
  },
  runEach(program, phases, first = 0) {
    for (let phase = first; phase < first + phases; phase++) runTask(program, phase, 0, 0);
  },
  run(calls) {
    this.runEach(independentCalls(calls.map((call) => [call]), 1), calls.length);
  },
  forget() {},
};
