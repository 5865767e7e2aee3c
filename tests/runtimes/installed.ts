/**
 * Which JavaScript runtimes this machine has, and tests that need them: ignored where one is missing, failing in CI.
 *
 * @module
 */
import { createRequire } from "node:module";

/** Path of the folder whose package.json lists the runtimes that come from npm. */
export const packages: string = decodeURIComponent(new URL("packages", import.meta.url).pathname);

const install = "npm ci --ignore-scripts --prefix tests/runtimes/packages";

/** What a test can need, and how to get it. */
const remedies = {
  node: "install Node 20 or newer",
  bun: install,
  packages: install,
  chromium: "apt install chromium",
} as const;

/** Something a test can need. */
export type Need = keyof typeof remedies;

const remembered = new Map<Need, string | null>();

/**
 * Finds a program or the folder of packages.
 *
 * @param need what to find
 * @returns its path, or null where it is not installed
 */
export function find(need: Need): string | null {
  if (!remembered.has(need)) remembered.set(need, search(need));
  return remembered.get(need) ?? null;
}

function search(need: Need): string | null {
  if (need === "packages") return exists(`${packages}/node_modules/wrangler`) ? `${packages}/node_modules` : null;
  if (need === "bun") return findBun();
  // Where there is no Node, Deno puts itself in its place.
  const folders = (Deno.env.get("PATH") ?? "").split(":").filter((folder) => !folder.endsWith("/node_compat_bin"));
  return folders.map((folder) => `${folder}/${need}`).find(exists) ?? null;
}

/** The package `bun` is a placeholder until its install script runs; the programs lie in one package per processor. */
function findBun(): string | null {
  const folder = `${packages}/node_modules/@oven`;
  if (!exists(folder)) return null;
  return [...Deno.readDirSync(folder)].map(({ name }) => `${folder}/${name}/bin/bun`).find(exists) ?? null;
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return false;
    throw error;
  }
}

/**
 * Loads one of the packages as Node does. They are no dependencies of ours: neither deno.json nor the lock file knows them.
 *
 * @param name of the package
 * @returns what it exports
 */
// deno-lint-ignore no-explicit-any
export function requirePackage(name: string): any {
  return createRequire(`${packages}/package.json`)(name);
}

/**
 * Says why a test cannot run here.
 *
 * @param needs what it needs
 * @returns for example "skipped, apt install chromium"; null if everything is there
 */
export function reasonToSkip(needs: readonly Need[]): string | null {
  const missing = needs.find((need) => find(need) === null);
  return missing === undefined ? null : `skipped, ${remedies[missing]}`;
}

/** Remembers what a function returned. */
function once<T>(work: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined;
  return () => result ??= work();
}

/** Tests that run, in the order of their registration. */
const registered: (() => Promise<void>)[] = [];

/**
 * Registers a test of other runtimes: ignored where one is missing, but with `CI=true` it fails there.
 *
 * Each spends most of its time starting a program, so two run at a time: a test runs its successor along, or its
 * predecessor already has.
 *
 * @param name of the test
 * @param needs what it needs
 * @param fn the test
 */
export function runtimeTest(name: string, needs: readonly Need[], fn: () => Promise<void>): void {
  const reason = reasonToSkip(needs);
  if (reason === null) {
    const run = once(fn);
    const partner = registered.push(run) - 1 ^ 1;
    // Browsers and workerd are other processes that Deno's packages talk to by timers and pipes of their own.
    Deno.test({
      name,
      sanitizeOps: false,
      sanitizeResources: false,
      async fn() {
        await Promise.allSettled([run(), registered[partner]?.()]);
        await run();
      },
    });
  } else if (Deno.env.get("CI") === "true") {
    Deno.test(name, () => {
      throw new Error(`Cannot test ${name}: everything must be installed for CI, got less: ${reason}`);
    });
  } else Deno.test({ name: `${name} (${reason})`, ignore: true, fn });
}
