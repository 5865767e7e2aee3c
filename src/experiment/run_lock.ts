/**
 * One run at a time in a directory, and no directory blocked for ever by a run that died.
 *
 * @module
 */

import { describeFileError } from "../training/write_atomically.ts";

/** Name of the lock file. */
export const LOCK_NAME = "run.lock";

/** A held lock. */
export interface RunLock {
  /** Gives the lock back and removes its file; further calls do nothing. */
  release(): Promise<void>;
}

/** How a lock shows that its holder lives; the defaults are right for programs. */
export interface LockTimes {
  /** Milliseconds between two signs of life; default 4000. */
  readonly beatMs?: number;
  /** Milliseconds for which a holder elsewhere is watched; default 30 000. One that is silent for as long is dead. */
  readonly watchMs?: number;
}

const BEAT_MS = 4000;
const WATCH_MS = 30_000;

/**
 * Locks a directory for this process.
 *
 * The lock is the operating system's lock on the file `run.lock`. The system drops it when the process ends, however it
 * ends: a file left behind by a crash blocks nobody on this machine, whoever has its process number now. In directories
 * that machines share, where such locks may be unknown or end at each machine, the file also tells who holds it: process
 * number, name of the machine (where we may know it) and a word that the holder changes every few seconds. A file of
 * another machine, or any file where the system has no locks, is watched for 30 seconds; if the word changes, its holder
 * lives, otherwise the lock is ours.
 *
 * @param directory an existing directory
 * @param task what the caller is about to do, for the messages
 * @param times for tests
 * @returns the lock
 * @throws {Error} with one sentence if another process works there or we may not write there
 */
export async function lockDirectory(directory: string, task: string, times: LockTimes = {}): Promise<RunLock> {
  const path = `${directory}/${LOCK_NAME}`;
  for (;;) {
    const file = await openLockFile(path, directory, task);
    try {
      const free = await file.tryLock(true).catch(() => null);
      const holder = readSignature(await Deno.readTextFile(path).catch(() => ""));
      if (holder === undefined) {
        throw new Error(
          `Cannot ${task}: ${path} must be the lock of a run, got another file: choose another directory`,
        );
      }
      const { beatMs = BEAT_MS, watchMs = WATCH_MS } = times;
      if (free === false || await livesElsewhere(path, holder, free === true, watchMs)) throw inUse(task, holder);
      // The holder before us may have removed the file between our opening and locking it.
      if (await isStillAt(path, file)) {
        const word = await sign(path, file, task);
        if (free === null) await requireLast(path, word, task, watchMs);
        return hold(path, file, beatMs);
      }
    } catch (error) {
      file.close();
      throw error;
    }
    file.close();
  }
}

/** Who holds a lock: all empty before anybody has signed. */
interface Signature {
  readonly pid: string;
  readonly host: string;
  readonly beat: string;
}

const NOBODY: Signature = { pid: "", host: "", beat: "" };

/** Reads "12345 host beat"; undefined if it is not the file of a lock. */
function readSignature(text: string): Signature | undefined {
  if (text.trim() === "") return NOBODY;
  const match = /^(\d+)(?: ([\w.-]*) (\w+))?\n?$/.exec(text);
  return match === null ? undefined : { pid: match[1], host: match[2] ?? "", beat: match[3] ?? "" };
}

function inUse(task: string, { pid, host }: Signature): Error {
  const elsewhere = host !== "" && host !== hostName() ? ` of ${host}` : "";
  return new Error(
    `Cannot ${task}: the directory must not be in use, got process ${pid || "unknown"}${elsewhere} at work in it` +
      ": wait for it or choose another directory",
  );
}

/** This machine's name as far as we may know it. */
function hostName(): string {
  const { state } = Deno.permissions.querySync({ name: "sys", kind: "hostname" });
  return state === "granted" ? Deno.hostname().replaceAll(/[^\w.-]/g, "_") : "";
}

/** Whether a holder that the system's lock says nothing about changes its word while we watch. */
async function livesElsewhere(path: string, holder: Signature, locked: boolean, watchMs: number): Promise<boolean> {
  const isOurs = locked && (holder.host === "" || holder.host === hostName());
  if (isOurs || holder.beat === "") return false;
  const end = performance.now() + watchMs;
  while (performance.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, Math.min(500, watchMs / 10)));
    // Opened anew each time: a network file system looks again only then.
    const now = await Deno.readTextFile(path).catch(() => "");
    if (now === "") return false;
    if (readSignature(now)?.beat !== holder.beat) return true;
  }
  return false;
}

async function openLockFile(path: string, directory: string, task: string): Promise<Deno.FsFile> {
  try {
    return await Deno.open(path, { read: true, write: true, create: true });
  } catch (error) {
    throw new Error(`Cannot ${task}: ${describeFileError(error, path, directory)}`, { cause: error });
  }
}

async function isStillAt(path: string, file: Deno.FsFile): Promise<boolean> {
  const [ours, there] = await Promise.all([file.stat(), Deno.stat(path).catch(() => undefined)]);
  return there !== undefined && there.ino === ours.ino && there.dev === ours.dev;
}

/** What is written into the file: another word each time. */
function signature(): string {
  return `${Deno.pid} ${hostName()} ${crypto.randomUUID().slice(0, 8)}\n`;
}

async function sign(path: string, file: Deno.FsFile, task: string): Promise<string> {
  const text = signature();
  try {
    await file.truncate();
    await file.write(new TextEncoder().encode(text));
  } catch (error) {
    await Deno.remove(path);
    throw new Error(`Cannot ${task}: ${describeFileError(error, path)}`, { cause: error });
  }
  return text;
}

/** Where the system has no locks, two may sign at the same time: the later one stays. */
async function requireLast(path: string, signed: string, task: string, watchMs: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, watchMs / 30));
  const text = await Deno.readTextFile(path).catch(() => "");
  if (text !== signed) throw inUse(task, readSignature(text) ?? NOBODY);
}

function hold(path: string, file: Deno.FsFile, beatMs: number): RunLock {
  const timer = setInterval(() => beat(file, signature()), beatMs);
  Deno.unrefTimer(timer);
  let held = true;
  return {
    async release() {
      if (!held) return;
      held = false;
      clearInterval(timer);
      // Removed while it is still locked, so that nobody locks a file that is about to vanish unseen.
      await Deno.remove(path).catch(() => {});
      file.close();
    },
  };
}

/** Writes another word of the same length over the one that is there, in one call so that nobody reads half of it. */
function beat(file: Deno.FsFile, word: string): void {
  try {
    file.seekSync(0, Deno.SeekMode.Start);
    file.writeSync(new TextEncoder().encode(word));
  } catch {
    // A full disk has room for the same bytes; whatever else it is, the next file of the run will say.
  }
}
