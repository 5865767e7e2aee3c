/**
 * Programs: lists of kernel calls that any thread can replay.
 *
 * A call's arguments are numbers. Those that are addresses may be relative to a base that differs from task to task
 * (the activations of a slice of the batch, the scratch of a thread, the gradient buffer of a slice), so one list serves
 * every slice and every thread.
 *
 * @module
 */
import { kernels } from "./wasm.ts";

/** What an argument is relative to: 0 nothing, 1 the task's block, 2 the thread's block, 3 the task's gradient block. */
export type BaseKind = 0 | 1 | 2 | 3;
/** The values of {@link BaseKind} by name. */
export const Base = { none: 0, task: 1, thread: 2, gradient: 3 } as const satisfies Record<string, BaseKind>;

/** One call of a kernel by name. */
export interface KernelCall {
  /** Name of the kernel. */
  readonly kernel: string;
  /** Its arguments. */
  readonly args: readonly number[];
  /** What each argument is relative to; all absolute if left out. */
  readonly bases?: readonly BaseKind[];
}

/** Phases of calls, and where the blocks lie that relative arguments refer to. */
export interface Program {
  /** Unique number: threads keep what they decoded under it. */
  readonly id: number;
  /** Calls of each phase; a phase runs once for every task. */
  readonly phases: readonly (readonly KernelCall[])[];
  /** Address of each task's block. */
  readonly taskBases: readonly number[];
  /** Address of each task's gradient block. */
  readonly gradientBases: readonly number[];
  /** Address of each thread's block. */
  readonly threadBases: readonly number[];
}

/** A number that JSON has no word for: −0, ∞, NaN. */
interface SpelledNumber {
  readonly number: string;
}

/** The text of a program, for threads that share memory but no objects. */
export function encodeProgram(program: Program): string {
  return JSON.stringify(program, (_key, value): unknown => {
    if (typeof value !== "number" || (Number.isFinite(value) && !Object.is(value, -0))) return value;
    return { number: Object.is(value, -0) ? "-0" : String(value) } satisfies SpelledNumber;
  });
}

/** The program of a text that `encodeProgram` made. */
export function decodeProgram(text: string): Program {
  return JSON.parse(text, (_key, value): unknown => {
    return typeof value?.number === "string" ? Number((value as SpelledNumber).number) : value;
  }) as Program;
}

type RawKernel = (...args: number[]) => unknown;

let programs = 0;

/** A number that no other program of this process has. */
export function nextProgramId(): number {
  return ++programs;
}

/** Runs the calls of one phase for one task on the calling thread. */
export function runTask(program: Program, phase: number, task: number, thread: number): void {
  const bases = [0, program.taskBases[task], program.threadBases[thread], program.gradientBases[task]];
  runCalls(program.phases[phase], bases);
}

const resolved: number[] = [];

/** Runs calls one after the other, resolving relative arguments against the four bases. */
export function runCalls(calls: readonly KernelCall[], bases: readonly number[]): void {
  const table = kernels as unknown as Record<string, RawKernel>;
  for (const call of calls) {
    const { args, bases: kinds } = call;
    if (kinds === undefined) {
      table[call.kernel](...args);
      continue;
    }
    resolved.length = args.length;
    for (let i = 0; i < args.length; i++) resolved[i] = args[i] + bases[kinds[i]];
    table[call.kernel](...resolved);
  }
}
