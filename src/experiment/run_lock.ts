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

/**
 * Locks a directory for this process.
 *
 * The lock is the operating system's lock on the file `run.lock`, which also holds our process number for others to
 * read. The system drops it when the process ends, however it ends; a file left behind by a crash blocks nobody. Where
 * the file system has no locks, nothing keeps a second run out.
 *
 * @param directory an existing directory
 * @param task what the caller is about to do, for the messages
 * @returns the lock
 * @throws {Error} with one sentence if another process works there or we may not write there
 */
export async function lockDirectory(directory: string, task: string): Promise<RunLock> {
  const path = `${directory}/${LOCK_NAME}`;
  for (;;) {
    const file = await openLockFile(path, directory, task);
    try {
      const held = await file.tryLock(true).catch(() => true);
      const holder = await Deno.readTextFile(path).catch(() => "");
      if (!/^\d*\n?$/.test(holder)) {
        throw new Error(
          `Cannot ${task}: ${path} must be the lock of a run, got another file: choose another directory`,
        );
      }
      if (!held) {
        throw new Error(
          `Cannot ${task}: the directory must not be in use, got process ${holder.trim() || "unknown"} at work in it` +
            ": wait for it or choose another directory",
        );
      }
      // The holder before us may have removed the file between our opening and locking it.
      if (await isStillAt(path, file)) return await sign(path, file, task);
    } catch (error) {
      file.close();
      throw error;
    }
    file.close();
  }
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

async function sign(path: string, file: Deno.FsFile, task: string): Promise<RunLock> {
  try {
    await file.truncate();
    await file.write(new TextEncoder().encode(`${Deno.pid}\n`));
  } catch (error) {
    await Deno.remove(path);
    throw new Error(`Cannot ${task}: ${describeFileError(error, path)}`, { cause: error });
  }
  let held = true;
  return {
    async release() {
      if (!held) return;
      held = false;
      // Removed while it is still locked, so that nobody locks a file that is about to vanish unseen.
      await Deno.remove(path).catch(() => {});
      file.close();
    },
  };
}
