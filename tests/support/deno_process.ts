/** Deno in another process: for what can only be seen from outside a program. */
import { assert } from "@std/assert";

/** What a process wrote and how long it ran. */
export interface Finished {
  /** Its standard output. */
  readonly stdout: string;
  /** Wall time in milliseconds. */
  readonly ms: number;
}

/**
 * Runs deno to its end, which must be a good one.
 *
 * @param args its arguments
 * @param cwd the directory it runs in
 * @param cache its cache directory; default: the one of this user
 * @returns output and time
 */
export async function runDeno(args: readonly string[], cwd = ".", cache?: string): Promise<Finished> {
  const start = performance.now();
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd,
    env: { NO_COLOR: "1", NO_PROXY: "localhost", ...(cache === undefined ? {} : { DENO_DIR: cache }) },
  }).output();
  const ms = performance.now() - start;
  const text = new TextDecoder();
  assert(success, `deno ${args.join(" ")}: ${text.decode(stderr)}`);
  return { stdout: text.decode(stdout), ms };
}

/**
 * Makes a cache that knows the npm packages of this machine and nothing else: no module that was compiled before, or
 * imported by URL.
 *
 * @param directory where to make it
 * @returns its path
 */
export async function makeCache(directory: string): Promise<string> {
  const info = await runDeno(["info", "--json"]);
  const npm: string = JSON.parse(info.stdout).npmCache;
  await Deno.mkdir(npm, { recursive: true });
  const cache = `${directory}/cache`;
  await Deno.mkdir(cache);
  await Deno.symlink(npm, `${cache}/npm`);
  return cache;
}
