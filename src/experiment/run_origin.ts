/**
 * What a report says about where it came from: enough to do the run again, and to know why numbers differ if they do.
 *
 * @module
 */
import { sha256 } from "../format/sha256.ts";
import type { JsonObject } from "../format/json.ts";

/** How a run was asked for. */
export interface RunOrigin {
  /** Name of the script, for example "train_dimer.ts". */
  readonly script: string;
  /** Its options by name: those that were given and those that have a default, but for where and how fast it ran. */
  readonly options: Readonly<Record<string, string | number | boolean>>;
}

/** What a run ran on. */
export interface RunEnvironment {
  /** Version of Deno. */
  readonly deno: string;
  /** Version of its engine. */
  readonly v8: string;
  /** Operating system and architecture, as Deno names them. */
  readonly platform: string;
  /** Model of the processor; null without `--allow-sys=cpus`. */
  readonly processor: string | null;
  /** Commit that is checked out where the package lies; null if it is no checkout, or may not be read. */
  readonly commit: string | null;
}

/**
 * Adds to a report what is needed to do the run again.
 *
 * @param report the numbers
 * @param origin how the run was asked for; none if by a program
 * @param models paths of the models that were written, by name
 * @returns the report with `rerun`, `environment` and the SHA-256 of each model
 */
export async function withOrigin(
  report: JsonObject,
  origin: RunOrigin | undefined,
  models: Readonly<Record<string, string>> = {},
): Promise<JsonObject> {
  const checksums: Record<string, string> = {};
  for (const [name, path] of Object.entries(models)) checksums[name] = sha256(await Deno.readFile(path));
  const rerun = origin === undefined ? null : { script: origin.script, options: { ...origin.options } };
  return { ...report, checksums, rerun, environment: { ...await runEnvironment() } };
}

/** Describes what this program runs on; asks for no permission. */
export async function runEnvironment(): Promise<RunEnvironment> {
  return {
    deno: Deno.version.deno,
    v8: Deno.version.v8,
    platform: `${Deno.build.os} ${Deno.build.arch}`,
    processor: await processorModel(),
    commit: await commitOf(new URL("../../", import.meta.url)),
  };
}

async function processorModel(): Promise<string | null> {
  if (Deno.permissions.querySync({ name: "sys", kind: "cpus" }).state !== "granted") return null;
  const { cpus } = await import("node:os");
  return cpus()[0]?.model.trim() || null;
}

/** A whole hash, as git writes it. */
const HASH = /^[0-9a-f]{40}([0-9a-f]{24})?$/;

/**
 * Reads which commit is checked out, without running git. Local changes on top of it are not seen.
 *
 * @param root where the package lies
 * @returns the hash; null if it is no checkout, may not be read, or keeps its references otherwise
 */
export async function commitOf(root: URL): Promise<string | null> {
  if (root.protocol !== "file:") return null;
  if (Deno.permissions.querySync({ name: "read", path: root }).state !== "granted") return null;
  const read = async (name: string) =>
    (await Deno.readTextFile(new URL(`.git/${name}`, root)).catch(() => "")).slice(0, 1 << 20).trim();
  const head = await read("HEAD");
  const [, reference] = /^ref: (refs\/[\w./-]+)$/.exec(head) ?? [];
  if (reference === undefined || reference.includes("..")) return HASH.test(head) ? head : null;
  const packed = (await read("packed-refs")).split("\n").find((line) => line.endsWith(` ${reference}`));
  const hash = await read(reference) || packed?.split(" ")[0] || "";
  return HASH.test(hash) ? hash : null;
}
