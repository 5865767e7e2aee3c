/**
 * Writing files so that a reader never meets half of one, whatever interrupts us.
 *
 * @module
 */

/** What a file is to hold: text (UTF-8) or bytes, whole or in pieces that are written one after the other. */
export type FileContent = string | Uint8Array | Iterable<string | Uint8Array>;

/** How `writeAtomically` treats what was there before. */
export interface WriteOptions {
  /** Keep the file that is replaced as `<path>.previous`; default false. */
  readonly keepPrevious?: boolean;
}

/**
 * Writes a file under its name only once it is whole and on the disk.
 *
 * The content goes to a temporary name in the same directory and is flushed; then a rename puts it in place and the
 * directory is flushed too. If anything fails, the old file stays as it was and the temporary one is removed; if the
 * process dies, the old file stays as it was (a file `.<name>.<random>.tmp` may remain).
 *
 * Needs Deno's file functions.
 *
 * @param path where the file shall be; its directory must exist
 * @param content text or bytes, or pieces of them
 * @param options whether to keep the previous file
 * @throws {Error} with one sentence if the disk is full, the place not writable, …; `cause` holds the original
 */
export async function writeAtomically(path: string, content: FileContent, options: WriteOptions = {}): Promise<void> {
  const temporary = temporaryName(path);
  try {
    await writeAndFlush(temporary, content);
    if (options.keepPrevious) await keepPrevious(path);
    await Deno.rename(temporary, path);
  } catch (error) {
    await removeIfThere(temporary);
    throw new Error(`Cannot write ${path}: ${describeFileError(error, path, directoryOf(path))}`, { cause: error });
  }
  await flushDirectory(directoryOf(path));
}

/** A file beyond the limit of its process, for which Deno has no code. */
const TOO_LARGE = /\(os error 27\)/;

/**
 * Tells which rule the file system found broken, as the end of an error message.
 *
 * @param error what a file operation threw
 * @param path the file it was about
 * @param needed what must exist for the operation; default the file itself
 * @returns "<name> must <rule>, got <value>[: <what to do>]"
 */
export function describeFileError(error: unknown, path: string, needed = path): string {
  const { code, message } = error as { code?: string; message?: string };
  const got = `got "${String(message ?? error).split(" (os error")[0]}"`;
  const directory = directoryOf(path);
  if (code === "ENOSPC" || code === "EDQUOT") {
    return `the disk must have room, ${got}: free some space or choose another directory`;
  }
  if (code === "EFBIG" || TOO_LARGE.test(String(message))) {
    return `the limit on file sizes must leave room, ${got}: raise it (ulimit -f)`;
  }
  if (error instanceof Deno.errors.NotCapable) {
    const kind = /^Requires (\w+) access/.exec(error.message)?.[1] ?? "all";
    return `${path} must be open to the program, got no permission (${kind}): run it with --allow-${kind}`;
  }
  if (code === "EACCES" || code === "EPERM" || code === "EROFS") {
    return `${directory} must be open to us, ${got}: change its permissions or choose another directory`;
  }
  if (code === "ENOENT") return `${needed} must exist, ${got}`;
  if (code === "ENOTDIR") return `${directory} must be a directory, ${got}`;
  if (code === "EISDIR") return `${path} must be a file, ${got}`;
  return `the file system must take part, ${got}`;
}

/**
 * Names the directory part of a path.
 *
 * @param path a path with / (or \ on Windows) between its parts
 * @returns the part before the last separator; "." where there is none
 */
export function directoryOf(path: string): string {
  const end = lastSeparator(path);
  return end < 0 ? "." : end === 0 ? "/" : path.slice(0, end);
}

function temporaryName(path: string): string {
  const name = path.slice(lastSeparator(path) + 1);
  return `${directoryOf(path)}/.${name}.${crypto.randomUUID().slice(0, 8)}.tmp`;
}

function lastSeparator(path: string): number {
  return Math.max(path.lastIndexOf("/"), Deno.build.os === "windows" ? path.lastIndexOf("\\") : -1);
}

async function writeAndFlush(path: string, content: FileContent): Promise<void> {
  const pieces = typeof content === "string" || content instanceof Uint8Array ? [content] : content;
  using file = await Deno.open(path, { write: true, createNew: true });
  for (const piece of pieces) {
    const bytes = typeof piece === "string" ? new TextEncoder().encode(piece) : piece;
    for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
  }
  await file.sync();
}

/** Gives the present file a second name; a copy where the file system has no hard links. */
async function keepPrevious(path: string): Promise<void> {
  const temporary = temporaryName(path);
  try {
    await Deno.link(path, temporary);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    await Deno.copyFile(path, temporary);
  }
  try {
    await Deno.rename(temporary, `${path}.previous`);
  } finally {
    // Where both names already mean the same file, rename does nothing and leaves the temporary one.
    await removeIfThere(temporary);
  }
}

async function removeIfThere(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch {
    // The error that brought us here says more than one about a file that is gone or cannot be removed.
  }
}

/** Makes the rename last through a power failure, where the system can flush a directory. */
async function flushDirectory(path: string): Promise<void> {
  try {
    using directory = await Deno.open(path);
    await directory.sync();
  } catch {
    // Windows cannot; the file itself is whole in any case.
  }
}
