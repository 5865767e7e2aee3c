/**
 * Programs: lists of kernel calls that any thread can replay.
 *
 * A batch is cut into slices. A call's arguments are numbers; those that are addresses lie in one of three blocks (of the
 * batch, of the executing thread, of the gradients) and may move by a stride from slice to slice, so one list serves every
 * slice and every thread.
 *
 * @module
 */
import { kernels } from "./wasm.ts";

/** What an argument is relative to: nothing, or the start of a block. */
export type BaseKind = 0 | 1 | 2 | 3;
/** The values of {@link BaseKind} by name. */
export const Base = { none: 0, batch: 1, thread: 2, gradient: 3 } as const satisfies Record<string, BaseKind>;

/** One call of a kernel by name. */
export interface KernelCall {
  /** Name of the kernel. */
  readonly kernel: string;
  /** Its arguments, for the first slice. */
  readonly args: readonly number[];
  /** What each argument is relative to; all absolute if left out. */
  readonly bases?: readonly BaseKind[];
  /** Bytes by which each argument moves from slice to slice; none if left out. */
  readonly strides?: readonly number[];
}

/** Phases of calls, and where the blocks lie that relative arguments refer to. */
export interface Program {
  /** Unique number: threads keep what they decoded under it. */
  readonly id: number;
  /** Lists of calls, each for one slice at a time. */
  readonly phases: readonly (readonly KernelCall[])[];
  /** Address of the block of the batch. */
  readonly batch: number;
  /** Address of the block of each thread. */
  readonly threads: readonly number[];
  /** Address of the gradients. */
  readonly gradient: number;
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

/** Runs the calls of one phase for one slice on the calling thread. */
export function runTask(program: Program, phase: number, slice: number, thread: number): void {
  runCalls(program.phases[phase], [0, program.batch, program.threads[thread], program.gradient], slice);
}

const resolved: number[] = [];

/** Runs calls for one slice, one after the other; `starts` are the addresses of the blocks. */
export function runCalls(calls: readonly KernelCall[], starts: readonly number[], slice: number): void {
  const table = kernels as unknown as Record<string, RawKernel>;
  for (const { kernel, args, bases, strides } of calls) {
    if (bases === undefined || strides === undefined) {
      table[kernel](...args);
      continue;
    }
    resolved.length = args.length;
    for (let i = 0; i < args.length; i++) resolved[i] = args[i] + starts[bases[i]] + strides[i] * slice;
    table[kernel](...resolved);
  }
}
