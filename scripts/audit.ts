/**
 * Lists every package of the lock file with version, licence and size, and fails on one that nobody has looked at.
 *
 *     deno task audit              fails if the lock file holds a package that is not in scripts/dependencies.json
 *     deno task audit --accept     writes that list anew, to be looked through before it is committed
 *
 * @module
 */
import { type CommandLine, runCommand } from "./command_line.ts";
import type { Need } from "./permissions.ts";

/** A package as the lock file and its own package.json describe it. */
export interface Dependency {
  /** Name and version. */
  readonly name: string;
  /** SPDX expression of its own package.json; null where it is not downloaded. */
  readonly licence: string | null;
  /** Bytes of its files; null where it is not downloaded. */
  readonly bytes: number | null;
  /** Whether a file of ours imports it, and not another package. */
  readonly direct: boolean;
}

/** What the audit reads of a lock file. */
export interface Lock {
  /** Versions by what we import. */
  readonly specifiers: { readonly [specifier: string]: string };
  /** Packages by name and version. */
  readonly npm: { readonly [name: string]: { readonly integrity?: string } };
  /** Modules imported by URL, which no list here knows. */
  readonly remote?: { readonly [url: string]: string };
}

/** Licences by name and version: the packages that somebody has looked at. */
export type KnownDependencies = { readonly [name: string]: string };

/** Licences that allow what the licence of this package allows. */
const PERMISSIVE = new Set([
  ...["MIT", "ISC", "0BSD", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0", "Unlicense", "CC0-1.0", "BlueOak-1.0.0"],
  ...["MIT-0", "(MIT OR CC0-1.0)", "(BSD-3-Clause OR GPL-2.0)", "(MIT AND Zlib)"],
]);

/**
 * Compares what is locked with what is known.
 *
 * @param lock the lock file
 * @param known packages that somebody has looked at
 * @param dependencies what is known of the locked packages
 * @returns one sentence for each fault, sorted; none if all is well
 */
export function auditFaults(lock: Lock, known: KnownDependencies, dependencies: readonly Dependency[]): string[] {
  const faults: string[] = [];
  for (const specifier of Object.keys(lock.specifiers)) {
    if (/@\d+\.\d+\.\d+$/.test(specifier)) continue;
    faults.push(`${specifier} must name an exact version, got a range: pin it where it is imported`);
  }
  for (const url of Object.keys(lock.remote ?? {})) faults.push(`${url} must be an npm package, got a module by URL`);
  for (const { name, licence } of dependencies) {
    const expected = Object.hasOwn(known, name) ? known[name] : undefined;
    if (!lock.npm[name].integrity) faults.push(`${name} must have a checksum in deno.lock, got none`);
    if (expected === undefined) {
      faults.push(`${name} must be known, got a new package: look at it, then run deno task audit --accept`);
    } else if (licence !== null && licence !== expected) {
      faults.push(`licence of ${name} must be ${expected} as known, got ${licence}: look at it again`);
    } else if (!PERMISSIVE.has(expected)) faults.push(`licence of ${name} must be a permissive one, got ${expected}`);
  }
  for (const name of Object.keys(known)) {
    if (!Object.hasOwn(lock.npm, name)) {
      faults.push(`${name} must be in deno.lock, got none: run deno task audit --accept`);
    }
  }
  return faults.sort();
}

/** Names and versions that our own files import. */
function directNames({ specifiers }: Lock): Set<string> {
  return new Set(
    Object.entries(specifiers).map(([specifier, version]) => {
      const name = /^npm:(@?[^@]+)@/.exec(specifier)?.[1];
      return `${name}@${version.replace(/_.*$/, "")}`;
    }),
  );
}

/**
 * Looks the packages of a lock file up in the cache of npm packages.
 *
 * @param lock the lock file
 * @param cache folder of the registry's packages
 * @returns the packages, sorted by name
 */
export async function readDependencies(lock: Lock, cache: string): Promise<Dependency[]> {
  const direct = directNames(lock);
  return await Promise.all(
    Object.keys(lock.npm).sort().map(async (name) => {
      // What follows "_" are the peers that this copy was resolved for.
      const [, plain, version] = /^(@?[^@]+)@([^_]+)/.exec(name) ?? [];
      const folder = `${cache}/${plain}/${version}`;
      const manifest = await Deno.readTextFile(`${folder}/package.json`).catch(() => null);
      return {
        name,
        licence: manifest === null ? null : licenceOf(JSON.parse(manifest)),
        bytes: manifest === null ? null : await sizeOf(folder),
        direct: direct.has(name),
      };
    }),
  );
}

/** The licence that a package.json states, in today's form or one of the older two. */
function licenceOf({ license, licenses }: { license?: unknown; licenses?: unknown }): string {
  const stated = license ?? (Array.isArray(licenses) ? licenses[0] : licenses) ?? "none";
  return typeof stated === "string" ? stated : String((stated as { type?: unknown }).type ?? "none");
}

async function sizeOf(folder: string): Promise<number> {
  const sizes = await Array.fromAsync(Deno.readDir(folder), async ({ name, isDirectory }) => {
    const path = `${folder}/${name}`;
    return isDirectory ? await sizeOf(path) : (await Deno.lstat(path)).size;
  });
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** The packages as a table in Markdown, those that we import first. */
export function dependencyTable(dependencies: readonly Dependency[]): string {
  const rows = dependencies.toSorted((a, b) => Number(b.direct) - Number(a.direct)).map((
    { name, licence, bytes, direct },
  ) =>
    `| ${direct ? `**${name}**` : name} | ${licence ?? "?"} | ${bytes === null ? "–" : (bytes / 1024).toFixed(0)} |`
  );
  const total = dependencies.reduce((sum, { bytes }) => sum + (bytes ?? 0), 0);
  return [
    "| package (bold: imported by us) | licence | KiB |",
    "| --- | --- | ---: |",
    ...rows,
    `| ${dependencies.length} packages | | ${(total / 1024).toFixed(0)} |`,
  ].join("\n");
}

async function npmCache(): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output();
  return `${JSON.parse(new TextDecoder().decode(stdout)).npmCache}/registry.npmjs.org`;
}

const command = {
  usage: "deno task audit",
  summary: "Lists every package of deno.lock with version, licence and size, and fails on one that is not known.",
  options: { accept: { kind: "flag", help: "write the list of known packages anew" } },
  needs: (): Need[] => [
    { name: "read", why: "the lock file and the packages" },
    { name: "run", why: "deno info, which knows where packages lie" },
  ],
} as const;

async function main({ options: { accept } }: CommandLine<typeof command.options>): Promise<void> {
  const list = new URL("dependencies.json", import.meta.url);
  const lock: Lock = JSON.parse(await Deno.readTextFile(new URL("../deno.lock", import.meta.url)));
  const dependencies = await readDependencies(lock, await npmCache());
  console.log(dependencyTable(dependencies));
  const known: KnownDependencies = JSON.parse(await Deno.readTextFile(list));
  if (accept) {
    const accepted = dependencies.map(({ name, licence }) => [name, licence ?? known[name] ?? "unknown"]);
    await Deno.writeTextFile(list, JSON.stringify(Object.fromEntries(accepted), null, 2) + "\n");
    return;
  }
  const faults = auditFaults(lock, known, dependencies);
  for (const fault of faults) console.error(`Cannot accept the dependencies: ${fault}`);
  if (faults.length > 0) Deno.exit(1);
}

if (import.meta.main) await runCommand(command, main);
