/**
 * The directory a run writes to: claimed before the work begins, so that nothing is lost, mixed or half-written.
 *
 * @module
 */

import { type Checkpoint, saveCheckpoint } from "../training/checkpoint.ts";
import { type JsonObject, writeJson } from "../format/json.ts";
import { directoryOf, type FileContent, writeAtomically } from "../training/write_atomically.ts";
import { LOCK_NAME, lockDirectory, type RunLock } from "./run_lock.ts";
import {
  checkFileName,
  checkResumable,
  describeFault,
  MARKER_NAME,
  readMarker,
  type RunMarker,
  writeMarker,
} from "./run_marker.ts";

/** What a run says about itself when it claims a directory. */
export interface RunClaim {
  /** Which pipeline it is, for example "dimer". */
  readonly kind: string;
  /** Everything its results depend on, by the names of the options; a resumed run must have the same. */
  readonly configuration: JsonObject;
  /** Every file the run may write, relative to the directory, with "/" between parts. */
  readonly files: readonly string[];
  /** Go on with the run that is there; default false. */
  readonly resume?: boolean;
  /** Replace the run that is there; default false. */
  readonly force?: boolean;
  /** Bytes the disk must have room for; default 16 MiB. Tried by writing them. */
  readonly room?: number;
}

/**
 * A directory that belongs to one run.
 *
 * `run.json` in it records kind, configuration and files of the run; `run.lock` keeps a second process out while this one
 * lives.
 *
 * @example Claim, write, release
 * ```ts
 * const path = await Deno.makeTempDir();
 * const claim = { kind: "example", configuration: { seed: 1 }, files: ["report.json"] };
 * await using run = await RunDirectory.claim(path, claim);
 * await run.writeJson("report.json", { answer: 42 });
 * ```
 */
export class RunDirectory implements AsyncDisposable {
  /** The directory. */
  readonly path: string;
  /** Whether the run goes on where an earlier one stopped. */
  readonly resumed: boolean;
  /** Kind and configuration of the run. */
  readonly identity: JsonObject;
  readonly #files: ReadonlySet<string>;
  readonly #lock: RunLock;

  private constructor(path: string, { kind, configuration, files, resume }: RunClaim, lock: RunLock) {
    this.path = path;
    this.resumed = resume ?? false;
    this.identity = { kind, configuration };
    this.#files = new Set(files);
    this.#lock = lock;
  }

  /**
   * Claims a directory, making it if need be.
   *
   * An empty or new directory is taken. One that holds a run is refused, unless `resume` is set and kind and configuration
   * are the recorded ones, or `force` is set: then the files that the old run recorded are removed, and no others. A
   * directory with other files is refused unless `force` is set; its files are left alone, and it is refused all the same
   * if one of them has the name of a file of the run. The lock, permissions and room are tried before anything is changed.
   *
   * @param path the directory
   * @param claim what the run says about itself
   * @returns the claimed directory; release it when the run ends
   * @throws {Error} with one sentence if the directory is taken, in use, not writable, full, or of another run
   * @throws {RangeError} if the names of `files` leave the directory
   */
  static async claim(path: string, claim: RunClaim): Promise<RunDirectory> {
    path = path.replace(/(?<=.)\/+$/, "");
    claim.files.forEach((name) => checkFileName(name, path));
    const { resume = false, force = false } = claim;
    const task = resume ? `resume the run in ${path}` : `start a run in ${path}`;
    if (resume && force) throw new Error(`Cannot ${task}: resume and force must not both be set, got both`);
    const isNew = await makeDirectory(path, task, resume);
    let lock: RunLock | undefined;
    try {
      lock = await lockDirectory(path, task);
      const marker = await readMarker(path, task);
      const others = await otherNames(path);
      if (resume) checkResumable(marker, claim, task);
      else await checkFree(path, marker, others, claim, task);
      await tryRoom(path, claim.room ?? 1 << 24, task);
      if (!resume && marker !== undefined) await removeFiles(path, new Set([...marker.files, ...claim.files]));
      await removeLeftovers(path, [MARKER_NAME, ...claim.files, ...marker?.files ?? []]);
      const files = [...new Set([...resume && marker ? marker.files : [], ...claim.files])];
      await writeMarker(path, { kind: claim.kind, configuration: claim.configuration, files });
      return new RunDirectory(path, claim, lock);
    } catch (error) {
      await lock?.release();
      if (isNew) await Deno.remove(path).catch(() => {});
      throw describeFault(error, task, path);
    }
  }

  /**
   * Tells where a file of the run lies.
   *
   * @param name one of the claimed files
   * @returns its path
   * @throws {RangeError} if the run did not claim it
   */
  pathOf(name: string): string {
    if (!this.#files.has(name)) {
      const known = [...this.#files].join(", ");
      throw new RangeError(
        `Cannot write into ${this.path}: file must be one that the run claimed (${known}), got ${name}`,
      );
    }
    return `${this.path}/${name}`;
  }

  /**
   * Writes a file of the run, whole or not at all.
   *
   * @param name one of the claimed files
   * @param content text, bytes or pieces of them
   * @throws {Error} with one sentence if it cannot be written
   */
  async write(name: string, content: FileContent): Promise<void> {
    await writeAtomically(await this.#prepare(name), content);
  }

  /**
   * Saves a checkpoint of the run, whole or not at all, and keeps the one before.
   *
   * @param name one of the claimed files
   * @param checkpoint what to save
   * @throws {Error} with one sentence if it cannot be written
   */
  async saveCheckpoint(name: string, checkpoint: Checkpoint): Promise<void> {
    await saveCheckpoint(await this.#prepare(name), checkpoint);
  }

  /**
   * Removes files of the run, with the generations before them, where they are.
   *
   * @param which tells of a claimed file whether it is one of them
   */
  async remove(which: (name: string) => boolean): Promise<void> {
    await removeFiles(this.path, new Set([...this.#files].filter(which)));
  }

  /** Makes the folder of a file. */
  async #prepare(name: string): Promise<string> {
    const path = this.pathOf(name);
    if (name.includes("/")) {
      const folder = directoryOf(path);
      await Deno.mkdir(folder, { recursive: true }).catch((error) => {
        throw describeFault(error, `write ${path}`, folder);
      });
    }
    return path;
  }

  /**
   * Writes a value as indented JSON, keys in the order given.
   *
   * @param name one of the claimed files
   * @param value plain data; NaN and ±∞ are refused
   * @throws {Error} with one sentence if it has no JSON form or cannot be written
   */
  async writeJson(name: string, value: unknown): Promise<void> {
    await this.write(name, writeJson(value, { indent: 2 }) + "\n");
  }

  /** Lets other runs have the directory; further calls do nothing. */
  async release(): Promise<void> {
    await this.#lock.release();
  }

  /** Releases the directory at the end of an `await using` block. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
  }
}

async function makeDirectory(path: string, task: string, mustExist: boolean): Promise<boolean> {
  try {
    if ((await Deno.stat(path)).isDirectory) return false;
    throw new Error(`Cannot ${task}: ${path} must be a directory, got a file: choose another directory`);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound && mustExist) {
      throw new Error(`Cannot ${task}: ${path} must hold a run, got no such directory: start one without --resume`);
    }
    if (!(error instanceof Deno.errors.NotFound)) throw describeFault(error, task, path);
  }
  try {
    await Deno.mkdir(path, { recursive: true });
    return true;
  } catch (error) {
    throw describeFault(error, task, path);
  }
}

async function checkFree(
  path: string,
  marker: RunMarker | undefined,
  others: readonly string[],
  claim: RunClaim,
  task: string,
): Promise<void> {
  if (marker !== undefined && !claim.force) {
    throw new Error(
      `Cannot ${task}: the directory must be empty or new, got one that holds a ${marker.kind} run` +
        ": go on with it (--resume), replace it (--force) or choose another directory (--out)",
    );
  }
  if (marker !== undefined || others.length === 0) return;
  if (!claim.force) {
    const shown = others.slice(0, 3).join(", ") + (others.length > 3 ? ", …" : "");
    throw new Error(
      `Cannot ${task}: the directory must be empty or new, got other files (${shown}): choose another directory (--out)`,
    );
  }
  for (const name of claim.files) {
    if (!await exists(`${path}/${name}`)) continue;
    throw new Error(`Cannot ${task}: ${name} must belong to a run, got a file of something else: move it away`);
  }
}

async function otherNames(path: string): Promise<string[]> {
  const names = await Array.fromAsync(Deno.readDir(path), (entry) => entry.name);
  return names.filter((name) => name !== MARKER_NAME && name !== LOCK_NAME && !isLeftover(name, [MARKER_NAME])).sort();
}

async function tryRoom(path: string, bytes: number, task: string): Promise<void> {
  const probe = `${path}/.${MARKER_NAME}.room.tmp`;
  const zeros = new Uint8Array(1 << 20);
  try {
    using file = await Deno.open(probe, { write: true, create: true, truncate: true });
    for (let left = bytes; left > 0;) left -= await file.write(zeros.subarray(0, Math.min(left, zeros.length)));
    await file.sync();
  } catch (error) {
    throw describeFault(error, task, probe);
  } finally {
    await Deno.remove(probe).catch(() => {});
  }
}

async function removeFiles(path: string, names: ReadonlySet<string>): Promise<void> {
  for (const name of names) {
    if (!await liesInside(path, name)) {
      throw new Error(
        `Cannot use ${path} for a run: its files must lie inside it, got ${name} behind a link: remove the link`,
      );
    }
    for (const file of [`${path}/${name}`, `${path}/${name}.previous`]) {
      if (await exists(file)) await Deno.remove(file);
    }
    for (let parent = directoryOf(name); parent !== "."; parent = directoryOf(parent)) {
      await Deno.remove(`${path}/${parent}`).catch(() => {});
    }
  }
}

/** Tells whether the folder of a file is where its name says: a link may lead out of the directory. */
async function liesInside(path: string, name: string): Promise<boolean> {
  const folder = `${path}/${directoryOf(name)}`;
  if (!await exists(folder)) return true;
  const [home, real] = await Promise.all([Deno.realPath(path), Deno.realPath(folder)]);
  return real === home || real.startsWith(`${home}/`);
}

/** Removes temporary files that a killed process left beside the files it was writing. */
async function removeLeftovers(path: string, names: readonly string[]): Promise<void> {
  for (const folder of new Set(names.map(directoryOf))) {
    const here = names.filter((name) => directoryOf(name) === folder).map((name) =>
      name.slice(name.lastIndexOf("/") + 1)
    );
    if (!await exists(`${path}/${folder}`)) continue;
    for await (const { name } of Deno.readDir(`${path}/${folder}`)) {
      if (isLeftover(name, here)) await Deno.remove(`${path}/${folder}/${name}`);
    }
  }
}

function isLeftover(name: string, files: readonly string[]): boolean {
  return name.endsWith(".tmp") && files.some((file) => name.startsWith(`.${file}.`));
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch {
    return false;
  }
}
