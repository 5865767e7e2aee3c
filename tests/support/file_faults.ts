/** Laws for whatever writes files: file operations are made to stop (as if we were killed) or to fail, one after the other. */

import { assert, assertEquals } from "@std/assert";

/** Puts `content` under `path`. */
export type FileWriter = (path: string, content: string) => Promise<void>;

type Operation = "open" | "write" | "sync" | "rename" | "remove" | "link" | "copyFile" | "writeFile";

/** What a disk without room throws. */
export function noSpace(): Error {
  return Object.assign(new Error("No space left on device (os error 28)"), { code: "ENOSPC" });
}

/** Runs `body` in a fresh directory and removes it afterwards. */
export async function inTemporaryDirectory<T>(body: (directory: string) => Promise<T>): Promise<T> {
  const directory = await Deno.makeTempDir({ prefix: "boltzflow_test_" });
  try {
    return await body(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** Lists a directory by name. */
export async function namesIn(directory: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(directory), (entry) => entry.name)).sort();
}

/**
 * Runs `body` while `fault` is asked before every file operation; what it returns runs in place of the
 * operation (a write still leaves the first half of its bytes). Files left open are closed.
 */
export async function withFaults(
  fault: (operation: Operation, index: number) => (() => Promise<never>) | undefined,
  body: () => Promise<unknown>,
): Promise<Operation[]> {
  const log: Operation[] = [];
  const files: Deno.FsFile[] = [];
  const restore: (() => void)[] = [];
  // deno-lint-ignore no-explicit-any
  function replace(owner: any, name: Operation, half?: (self: any, original: any, args: any[]) => Promise<unknown>) {
    const original = owner[name];
    // deno-lint-ignore no-explicit-any
    owner[name] = async function (this: unknown, ...args: any[]) {
      log.push(name);
      const broken = fault(name, log.length);
      if (broken !== undefined) {
        await half?.(this, original, args);
        return await broken();
      }
      const result = await original.apply(this, args);
      if (result instanceof Deno.FsFile) files.push(result);
      return result;
    };
    restore.push(() => owner[name] = original);
  }
  const firstHalf = (bytes: Uint8Array) => bytes.subarray(0, bytes.length >> 1);
  replace(Deno.FsFile.prototype, "write", (self, write, [bytes]) => write.call(self, firstHalf(bytes)));
  replace(Deno, "writeFile", (_self, writeFile, [path, bytes]) => writeFile(path, firstHalf(bytes)));
  replace(Deno.FsFile.prototype, "sync");
  for (const name of ["open", "rename", "remove", "link", "copyFile"] as const) replace(Deno, name);
  try {
    await body();
  } finally {
    restore.forEach((undo) => undo());
    for (const file of files) {
      try {
        file.close();
      } catch {
        // Closed already.
      }
    }
  }
  return log;
}

/**
 * A writer that is stopped before, in the middle of or after any file operation leaves the old file or the new one, whole.
 */
export async function assertSurvivesBeingStopped(write: FileWriter): Promise<void> {
  for (let at = 1;; at++) {
    const finished = await inTemporaryDirectory(async (directory) => {
      const path = `${directory}/file`;
      await Deno.writeTextFile(path, "old content");
      const stopped = Promise.withResolvers<boolean>();
      let done = false;
      await withFaults(
        (_, index) => index < at ? undefined : () => (stopped.resolve(false), new Promise<never>(() => {})),
        async () => done = await Promise.race([stopped.promise, write(path, "the new content").then(() => true)]),
      );
      const content = await Deno.readTextFile(path);
      assert(content === "the new content" || content === "old content" && !done, `stopped at ${at}: ${content}`);
      return done;
    });
    if (finished) return;
  }
}

/** A writer whose disk fills up, at whatever operation, says so, leaves the old file and nothing else. */
export async function assertSurvivesFailure(write: FileWriter): Promise<void> {
  for (let at = 1;; at++) {
    const reached = await inTemporaryDirectory(async (directory) => {
      const path = `${directory}/file`;
      await Deno.writeTextFile(path, "old content");
      let [count, reached, done] = [0, false, false];
      await withFaults(
        (operation) =>
          operation !== "remove" && ++count === at && (reached = true) ? () => Promise.reject(noSpace()) : undefined,
        () => write(path, "the new content").then(() => done = true, () => {}),
      );
      assertEquals(await Deno.readTextFile(path), done ? "the new content" : "old content", `failed at ${at}`);
      const names = (await namesIn(directory)).filter((name) => name !== "file.previous");
      assertEquals(names, ["file"], `failed at ${at}`);
      return reached || !done;
    });
    if (!reached) return;
  }
}

/** A writer flushes what it wrote before it gives it its name. */
export async function assertFlushesBeforeRename(write: FileWriter): Promise<void> {
  await inTemporaryDirectory(async (directory) => {
    const log = await withFaults(() => undefined, () => write(`${directory}/file`, "the new content"));
    const [lastWrite, sync, rename] = [log.lastIndexOf("write"), log.indexOf("sync"), log.indexOf("rename")];
    assert(lastWrite >= 0 && lastWrite < sync && sync < rename, `operations came as ${log.join(", ")}`);
  });
}
