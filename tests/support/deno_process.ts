/** Deno in another process: for what can only be seen from outside a program. */
import { assert } from "@std/assert";

/** What a process wrote, how it ended and how long it ran. */
export interface Finished {
  /** Its exit code. */
  readonly code: number;
  /** Its standard output. */
  readonly stdout: string;
  /** Its standard error. */
  readonly stderr: string;
  /** Wall time in milliseconds. */
  readonly ms: number;
}

/** Where a process runs. */
export interface Surroundings {
  /** Directory; default: that of this process. */
  readonly cwd?: string | URL;
  /** Cache directory; default: the one of this user. */
  readonly cache?: string;
  /** Further variables of its environment. */
  readonly env?: Readonly<Record<string, string>>;
  /** Seconds after which it counts as hanging, is killed, and the test fails; default: it is waited for. */
  readonly seconds?: number;
}

/**
 * Runs deno to its end, whatever that is.
 *
 * @param args its arguments
 * @param surroundings where it runs
 * @returns output, exit code and time
 */
export async function tryDeno(
  args: readonly string[],
  { cwd = ".", cache, env, seconds }: Surroundings = {},
): Promise<Finished> {
  const start = performance.now();
  const child = new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd,
    env: { NO_COLOR: "1", NO_PROXY: "localhost", ...(cache === undefined ? {} : { DENO_DIR: cache }), ...env },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  let hangs = false;
  const watchdog = seconds === undefined ? undefined : setTimeout(() => {
    hangs = true;
    child.kill("SIGKILL");
  }, 1000 * seconds);
  const { code, stdout, stderr } = await child.output();
  clearTimeout(watchdog);
  const ms = performance.now() - start;
  assert(!hangs, `deno ${args.join(" ")} hangs: no end after ${seconds} s`);
  const text = new TextDecoder();
  return { code, stdout: text.decode(stdout), stderr: text.decode(stderr), ms };
}

/**
 * Runs deno to its end, which must be a good one.
 *
 * @param args its arguments
 * @param surroundings where it runs
 * @returns output and time
 */
export async function runDeno(args: readonly string[], surroundings?: Surroundings): Promise<Finished> {
  const finished = await tryDeno(args, surroundings);
  assert(finished.code === 0, `deno ${args.join(" ")}: ${finished.stderr}`);
  return finished;
}

/** The npm packages of this user. */
export async function npmCache(): Promise<string> {
  return JSON.parse((await runDeno(["info", "--json"])).stdout).npmCache;
}

/**
 * Makes a cache that knows the npm packages of this machine and nothing else: no module that was compiled before, or
 * imported by URL.
 *
 * @param directory where to make it
 * @returns its path
 */
export async function makeCache(directory: string): Promise<string> {
  const npm = await npmCache();
  await Deno.mkdir(npm, { recursive: true });
  const cache = `${directory}/cache`;
  await Deno.mkdir(cache);
  await Deno.symlink(npm, `${cache}/npm`);
  return cache;
}
