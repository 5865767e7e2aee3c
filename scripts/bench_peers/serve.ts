/**
 * The other end of a {@link PeerProcess} for peers that run on Deno: a task that is set up once and then answers lines.
 *
 * A peer is a program `peer FOLDER TASK SIZE`, where the size is a number of threads or particles. It writes one JSON object per line: first what it is, then an answer to
 * each line that it reads,
 *
 *     check PATH    does what is compared, writes numbers to PATH and answers what else there is to compare
 *     go K          does K steps and answers {@link GoAnswer}
 *
 * and ends with its input. Lines that are not JSON objects, such as greetings of libraries, are left out by the reader.
 *
 * @module
 */
import process from "node:process";
import { writeNumbers } from "./workload.ts";

/** What a peer says about itself. */
export interface PeerAnswer {
  /** Names and versions of what computes. */
  readonly version: string;
  /** Threads, libraries, and whatever else a reader needs to judge the numbers. */
  readonly settings: string;
}

/** What of a flow is compared besides the numbers in the file. */
export interface FlowAnswer {
  /** Loss at each compared step, before its update; none for sampling. */
  readonly losses: readonly number[];
  /** Norm of the gradient by each parameter in the first step; none for sampling. */
  readonly gradientNorms: readonly number[];
}

/** How long steps took, seconds. */
export interface GoAnswer {
  /** Processor time of all threads of the process. */
  readonly processor: number;
  /** Wall time. */
  readonly wall: number;
}

/** What is compared: numbers for the file, and the answer. */
export interface Checked<T> {
  /** Arrays that are written one after the other. */
  readonly numbers: readonly (Float32Array<ArrayBuffer> | Float64Array<ArrayBuffer>)[];
  /** What is answered. */
  readonly answer: T;
}

/** A task that is ready to run. */
export interface ServedTask extends PeerAnswer {
  /** Does what is compared. */
  check(): Checked<object> | Promise<Checked<object>>;
  /** Does one step. */
  step(): void | Promise<void>;
  /** Does many steps at once, where that is how they are asked for. */
  steps?(count: number): void;
}

/**
 * Answers lines until there are no more.
 *
 * @param setUp makes the task of a folder; an error ends the program and is its answer
 */
export async function serve(
  setUp: (folder: string, task: string, size: number) => Promise<ServedTask>,
): Promise<void> {
  const [folder, name, size] = Deno.args;
  try {
    const task = await setUp(folder, name, Number(size));
    answer({ version: task.version, settings: task.settings });
    for await (const line of lines()) answer(await respond(task, line));
    Deno.exit(0);
  } catch (error) {
    answer({ error: error instanceof Error ? error.message : String(error) });
    Deno.exit(1);
  }
}

async function respond(task: ServedTask, line: string): Promise<object> {
  const [verb, argument] = line.split(/ (.*)/);
  if (verb === "check") {
    const { numbers, answer } = await task.check();
    await writeNumbers(argument, numbers);
    return answer;
  }
  const processor = process.cpuUsage();
  const wall = performance.now();
  await work(task, Number(argument));
  const seconds = (performance.now() - wall) / 1e3;
  const { user, system } = process.cpuUsage(processor);
  return { processor: (user + system) / 1e6, wall: seconds } satisfies GoAnswer;
}

async function work(task: ServedTask, count: number): Promise<void> {
  if (task.steps !== undefined) return task.steps(count);
  for (let k = 0; k < count; k++) {
    const pending = task.step();
    // Nothing is awaited between steps that do not ask for it.
    if (pending !== undefined) await pending;
  }
}

function answer(value: unknown): void {
  Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(value) + "\n"));
}

async function* lines(): AsyncGenerator<string> {
  let rest = "";
  for await (const text of Deno.stdin.readable.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + text).split("\n");
    rest = parts.pop()!;
    yield* parts;
  }
}
