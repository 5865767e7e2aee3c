/** Runs that are killed, again and again, at moments that nobody chose, and what becomes of their files. */
import { assertEquals, assertMatch } from "@std/assert";
import { progressFile } from "../../src/experiment/run_parts.ts";
import type { RandomStream } from "../../src/random/random_stream.ts";

/** A program that works in a directory. */
export interface Program {
  /** Arguments of deno without those that say where and whether to resume. */
  readonly args: readonly string[];
  /** The directory. */
  readonly out: string;
}

/**
 * What a kill waits for after the life that was drawn: nothing, or the next file that is being written; or before it: a
 * checkpoint or part that the program has written. "sampling" is the moment when data have been kept for the first time, and
 * no life. It waits no longer than the longest life.
 */
export type Moment = "any" | "writing" | "written" | "sampling";

/** How programs are ended, and the exit code that they are to give; by SIGKILL none. */
const EXIT_CODES = { SIGKILL: 137, SIGINT: 130, SIGTERM: 143 } as const;

/** When to kill. */
export interface KillPlan {
  /** Draws the lives. */
  readonly random: RandomStream;
  /** Shortest and longest life in milliseconds; drawn evenly in its logarithm. */
  readonly lifeMs: readonly [number, number];
  /** Moments, and the signals for them; taken in turn. Programs listen by the time that they have written something. */
  readonly moments: readonly (readonly [Moment, keyof typeof EXIT_CODES])[];
  /** Most kills; then the program may end. */
  readonly kills: number;
}

/** How it went. */
export interface Killed {
  /** How often the program was killed. */
  readonly kills: number;
  /** Kills after which a file was there that had not been written to its end. */
  readonly duringWrite: number;
  /** Kills after which a checkpoint or a part was there to go on with. */
  readonly withCheckpoint: number;
  /** Kills after which data were there that had not been sampled to their end. */
  readonly duringData: number;
}

/** Where runs keep data on the way. */
const DATA_SO_FAR = progressFile("data", "chains");

/** Milliseconds that a kill waits for its moment at least: a program has begun by then. */
const PATIENCE_MS = 5000;
/** Milliseconds between two looks for a file that is being written. */
const LOOK_MS = 1;

/** Starts a program, to go on where there is a run. */
export function startProgram({ args, out }: Program): Deno.ChildProcess {
  const resume = exists(`${out}/run.json`) ? ["--resume"] : [];
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", ...args, "--out", out, ...resume],
    env: { NO_COLOR: "1" },
    stdout: "null",
    stderr: "piped",
  }).spawn();
}

/** Runs a program to its end, which must be a good one. */
export async function runToEnd(program: Program): Promise<void> {
  const { code, stderr } = await startProgram(program).output();
  assertEquals(code, 0, new TextDecoder().decode(stderr));
}

/** Runs a program and kills it, until it has come to its end in spite of it. */
export async function killUntilDone(program: Program, plan: KillPlan): Promise<Killed> {
  const { out } = program;
  let [kills, duringWrite, withCheckpoint, duringData] = [0, 0, 0, 0];
  while (kills < plan.kills) {
    const child = startProgram(program);
    const ended = child.output();
    const [shortest, longest] = plan.lifeMs;
    const lifeMs = shortest * (longest / shortest) ** plan.random.uniform();
    const over = new AbortController();
    const [moment, signal] = plan.moments[kills % plan.moments.length];
    const come = waitForMoment({ moment, lifeMs, longestMs: longest, out }, over.signal);
    if (await Promise.race([come, ended.then(() => false)])) kill(child, signal);
    const { code, stderr } = await ended;
    over.abort();
    await come;
    const text = new TextDecoder().decode(stderr);
    if (code === 0) return { kills, duringWrite, withCheckpoint, duringData };
    assertEquals(code, EXIT_CODES[signal], text);
    if (signal !== "SIGKILL") assertMatch(text, /^Stopped while [a-z ]+; go on with: .* --resume$/m);
    kills++;
    if (unfinishedFiles(out).length > 0) duringWrite++;
    if (exists(`${out}/checkpoint.safetensors`) || exists(`${out}/parts`)) withCheckpoint++;
    if (exists(`${out}/${DATA_SO_FAR}`)) duringData++;
  }
  await runToEnd(program);
  return { kills, duringWrite, withCheckpoint, duringData };
}

/** Waits for a moment to kill a program; true unless the program was over before. */
async function waitForMoment(
  { moment, lifeMs, longestMs, out }: {
    readonly moment: Moment;
    readonly lifeMs: number;
    readonly longestMs: number;
    readonly out: string;
  },
  over: AbortSignal,
): Promise<boolean> {
  const until = async (condition: (waitedMs: number) => boolean) => {
    const start = performance.now();
    while (!over.aborted && !condition(performance.now() - start)) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  };
  const before = savedAt(out);
  const patience = Math.max(PATIENCE_MS, longestMs);
  if (moment === "written") await until((ms) => savedAt(out) > before || ms > patience);
  if (moment === "sampling") await until((ms) => exists(`${out}/${DATA_SO_FAR}`) || ms > patience);
  else await until((ms) => ms > lifeMs);
  if (moment === "writing") await until((ms) => isWriting(out) || ms > patience);
  return !over.aborted;
}

/** Whether results are being written, not only the record that a run begins. */
function isWriting(out: string): boolean {
  return unfinishedFiles(out).some((name) => !name.startsWith("/.run."));
}

/** When the newest checkpoint or part was written; 0 without one. */
function savedAt(out: string): number {
  const saved = filesBelow(out).filter((name) => name.endsWith(".safetensors"));
  return saved.reduce((newest, name) => Math.max(newest, modifiedAt(out + name)), 0);
}

function modifiedAt(path: string): number {
  try {
    return Deno.statSync(path).mtime!.getTime();
  } catch {
    return 0;
  }
}

function kill(child: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    child.kill(signal);
  } catch {
    // It ended by itself a moment ago.
  }
}

/** Files that are being written, or were when the writer died. */
export function unfinishedFiles(out: string): string[] {
  return filesBelow(out).filter((name) => name.endsWith(".tmp"));
}

/** Every file below a directory, by its path from there, in order. */
export function filesBelow(directory: string, folder = ""): string[] {
  if (!exists(directory + folder)) return [];
  const entries = [...Deno.readDirSync(directory + folder)];
  return entries.flatMap(({ name, isDirectory }) =>
    isDirectory ? filesBelow(directory, `${folder}/${name}`) : [`${folder}/${name}`]
  ).sort();
}

/** Keys of reports that tell of the machine and the time. */
const OF_THE_MACHINE = ["threads", "wallTimeMs", "samplesPerSecond", "command", "minutes", "environment"];

/**
 * Compares the results of two runs: parameters, models, pictures and parts byte by byte, reports number by number.
 * Generations before the last are left out, and pages, whose numbers are those of the report.
 *
 * @returns the names of files that differ
 */
export function differingFiles(a: string, b: string): string[] {
  const names = new Set([...filesBelow(a), ...filesBelow(b)]);
  return [...names].filter((name) => !/(\.previous|\.html|run\.json)$/.test(name)).filter((name) => {
    const [ours, theirs] = [a, b].map((out) => exists(out + name) ? comparable(out + name) : undefined);
    return ours === undefined || ours !== theirs;
  });
}

/** The content of a file as text that is equal where results are equal. */
function comparable(path: string): string {
  if (!path.endsWith(".json")) return new TextDecoder("latin1").decode(Deno.readFileSync(path));
  const value = JSON.parse(Deno.readTextFileSync(path));
  return JSON.stringify(value, (key, item) => OF_THE_MACHINE.includes(key) ? undefined : item);
}

function exists(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch {
    return false;
  }
}
