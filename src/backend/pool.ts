/**
 * Threads that share the kernels' memory and take tasks from one counter.
 *
 * A task is a phase of a program on one slice, or a list of one kernel call. Which thread runs which task is left to
 * chance; results do not depend on it, because every task writes to its own bytes. Workers sleep in `Atomics.wait`, so
 * programs reach them through the shared memory, as JSON, and not by message.
 *
 * @module
 */
import { allocate, i32, kernelBuild, release, u8 } from "./wasm.ts";
import { memory } from "./shared_memory.ts";
import { type Executor, independentCalls } from "./executor.ts";
import { encodeProgram, type KernelCall, type Program, runTask } from "./program.ts";

/** Fields of the control block, as indices of int32. */
export const Control = {
  /** Odd while tasks may be taken; grows by one at the start and the end of a dispatch. */
  epoch: 0,
  /** Workers that take tasks now: the calling thread waits for these, and not for those that still sleep. */
  active: 1,
  nextTask: 2,
  tasks: 3,
  kind: 4,
  phase: 5,
  programId: 6,
  programAddress: 7,
  programBytes: 8,
  /** Grows with every task that is done: a sign of life. */
  done: 9,
  failed: 10,
  closing: 11,
} as const;
/** Length of the control block in int32. */
export const CONTROL_LENGTH = 16;

/** Whether the tasks of a dispatch are the slices of one phase, or phases. */
const TaskKind = { slices: 0, phases: 1 } as const;

/** A fixed number of threads over the kernels' memory. Close it when done, or the program does not end. */
export class ThreadPool implements Executor, Disposable {
  readonly threads: number;
  readonly #workers: Worker[];
  readonly #control: Int32Array<ArrayBuffer>;
  readonly #patience: number;
  readonly #build = kernelBuild;
  /** Address and length of the JSON of the programs that the workers may ask for. */
  readonly #published = new Map<number, { address: number; bytes: number }>();

  /** Set when a worker died at work: what it had begun may be in any state. */
  #broken = false;

  private constructor(workers: Worker[], address: number, patience: number) {
    this.#workers = workers;
    this.#patience = patience;
    this.threads = workers.length + 1;
    this.#control = i32(address, CONTROL_LENGTH);
  }

  /**
   * Starts threads. Where workers cannot be started (no read permission, a page without cross-origin isolation) it
   * goes on with the calling thread alone and says so once.
   *
   * @param threads number of threads, the calling one included, from 1 to 256
   * @param options `patience`: seconds without a sign of life from a worker at work after which it counts as dead.
   * Default 60
   * @returns the pool
   * @throws {RangeError} if `threads` is not a whole number from 1 to 256
   */
  static async open(threads: number, options: { readonly patience?: number } = {}): Promise<ThreadPool> {
    const { patience = 60 } = options;
    if (!Number.isInteger(threads) || threads < 1 || threads > 256) {
      throw new RangeError(
        `Cannot open a thread pool: threads must be a whole number from 1 to 256, got ${threads}`,
      );
    }
    const address = allocate(4 * CONTROL_LENGTH);
    const forbidden = threads > 1 ? workersForbidden() : null;
    if (forbidden !== null) {
      warnOnce(forbidden);
      return new ThreadPool([], address, patience);
    }
    const starting = Array.from({ length: threads - 1 }, (_, k) => startWorker(address, k + 1));
    const started = await Promise.allSettled(starting);
    const workers = started.flatMap((s) => s.status === "fulfilled" ? [s.value] : []);
    const refused = started.find((s) => s.status === "rejected");
    if (refused !== undefined) {
      workers.forEach((worker) => worker.terminate());
      workers.length = 0;
      warnOnce(String(refused.reason instanceof Error ? refused.reason.message : refused.reason));
    }
    return new ThreadPool(workers, address, patience);
  }

  runPhase(program: Program, phase: number, slices: number): void {
    this.#dispatch(program, TaskKind.slices, phase, slices);
  }

  runEach(program: Program, phases: number, first = 0): void {
    this.#dispatch(program, TaskKind.phases, first, phases);
  }

  run(calls: readonly KernelCall[]): void {
    const program = independentCalls(calls.map((call) => [call]), this.threads);
    this.runEach(program, calls.length);
    this.forget(program);
  }

  forget(program: Program): void {
    const published = this.#published.get(program.id);
    if (published === undefined) return;
    release(published.address);
    this.#published.delete(program.id);
  }

  #dispatch(program: Program, kind: number, phase: number, tasks: number): void {
    if (kernelBuild !== this.#build) {
      throw new Error(
        `Cannot run kernels on threads: the pool must be opened after the kernels are loaded, got a pool of the ` +
          `${this.#build} and kernels of the ${kernelBuild} build: open another pool`,
      );
    }
    if (this.#broken) throw new Error(deadWorker(this.#patience));
    const control = this.#control;
    control[Control.tasks] = tasks;
    control[Control.kind] = kind;
    control[Control.phase] = phase;
    control[Control.nextTask] = 0;
    if (this.#workers.length > 0 && tasks > 1) {
      const { address, bytes } = this.#publish(program);
      control[Control.programId] = program.id;
      control[Control.programAddress] = address;
      control[Control.programBytes] = bytes;
      control[Control.failed] = 0;
      Atomics.add(control, Control.epoch, 1);
      Atomics.notify(control, Control.epoch);
      try {
        takeTasks(control, program, 0);
      } finally {
        this.#join(); // also after an error: the next program must not start while a worker is in this one
      }
    } else {
      takeTasks(control, program, 0);
    }
  }

  /** Ends a dispatch: no worker begins, and those at work are waited for. */
  #join(): void {
    const control = this.#control;
    Atomics.add(control, Control.epoch, 1);
    let [done, idle] = [-1, 0];
    for (;;) {
      const active = Atomics.load(control, Control.active);
      if (active === 0) break;
      if (waitForChange(control, Control.active, active)) continue;
      const now = Atomics.load(control, Control.done);
      // Waits are counted and no clock is read: a computer that slept has not waited.
      idle = now === done ? idle + 1 : 0;
      done = now;
      if (idle < this.#patience) continue;
      this.#broken = true;
      throw new Error(deadWorker(this.#patience));
    }
    if (Atomics.load(control, Control.failed) !== 0) {
      throw new Error("Cannot run kernels on threads: a worker failed; its message is on the console");
    }
  }

  #publish(program: Program): { address: number; bytes: number } {
    let published = this.#published.get(program.id);
    if (published === undefined) {
      const text = new TextEncoder().encode(encodeProgram(program));
      published = { address: allocate(text.length), bytes: text.length };
      u8(published.address, text.length).set(text);
      this.#published.set(program.id, published);
    }
    return published;
  }

  /** Ends the workers. The pool must not be used afterwards. */
  close(): void {
    Atomics.store(this.#control, Control.closing, 1);
    Atomics.add(this.#control, Control.epoch, 2);
    Atomics.notify(this.#control, Control.epoch);
    this.#workers.forEach((worker) => worker.terminate());
    this.#workers.length = 0;
    for (const { address } of this.#published.values()) release(address);
    this.#published.clear();
  }

  /** Ends the workers at the end of a `using` scope. */
  [Symbol.dispose](): void {
    this.close();
  }
}

/**
 * Milliseconds for which a thread polls before it sleeps: the gap between two phases of a training step, and no more. To
 * wake a sleeping thread takes one to two milliseconds on a virtual machine; meanwhile another would have done its tasks.
 */
const POLL_MS = 3;
/** Polls between two looks at the clock. */
const POLLS = 500;

/**
 * Waits until a number of the control block changes, a second at most: polls for a while, then sleeps.
 *
 * @returns whether it has changed
 */
export function waitForChange(control: Int32Array, index: number, value: number): boolean {
  const end = performance.now() + POLL_MS;
  do {
    for (let i = 0; i < POLLS; i++) if (Atomics.load(control, index) !== value) return true;
  } while (performance.now() < end);
  return Atomics.wait(control, index, value, 1000) !== "timed-out";
}

/** Takes tasks from the shared counter until none is left. Runs on the main thread and in every worker. */
export function takeTasks(control: Int32Array, program: Program, thread: number): void {
  const { [Control.tasks]: tasks, [Control.phase]: phase } = control;
  const phases = control[Control.kind] === TaskKind.phases;
  for (;;) {
    const task = Atomics.add(control, Control.nextTask, 1);
    if (task >= tasks) return;
    runTask(program, phases ? phase + task : phase, phases ? 0 : task, thread);
    Atomics.add(control, Control.done, 1);
  }
}

/** Takes part in the dispatch of an epoch, unless that is over; `program` tells what is to be run. */
export function joinIn(control: Int32Array, epoch: number, program: () => Program, thread: number): void {
  Atomics.add(control, Control.active, 1);
  try {
    if (Atomics.load(control, Control.epoch) === epoch) takeTasks(control, program(), thread);
  } catch (error) {
    // deno-lint-ignore no-console
    console.error(error);
    Atomics.store(control, Control.failed, 1);
  }
  Atomics.sub(control, Control.active, 1);
  Atomics.notify(control, Control.active);
}

function deadWorker(patience: number): string {
  return `Cannot run kernels on threads: a worker must give a sign of life within ${patience} s, got none: open another ` +
    "pool and go on from the last checkpoint";
}

const workerUrl = new URL("./worker.ts", import.meta.url);

/** Why workers may not start, where that is known without trying: Deno prints an error of its own for each refusal. */
function workersForbidden(): string | null {
  if (workerUrl.protocol !== "file:" || typeof Deno === "undefined") return null;
  const { state } = Deno.permissions.querySync({ name: "read", path: workerUrl });
  return state === "granted" ? null : "--allow-read is missing";
}

function startWorker(address: number, thread: number): Promise<Worker> {
  const worker = new Worker(workerUrl, { type: "module" });
  return new Promise((resolve, reject) => {
    worker.onerror = (event) => {
      event.preventDefault();
      reject(new Error(event.message));
    };
    worker.onmessage = () => {
      worker.onerror = null;
      resolve(worker);
    };
    worker.postMessage({ memory, address, thread, build: kernelBuild });
  });
}

let warned = false;

function warnOnce(reason: string): void {
  if (warned) return;
  warned = true;
  // deno-lint-ignore no-console
  console.warn(`boltzflow runs on one thread: workers could not be started (${reason.split("\n")[0]})`);
}
