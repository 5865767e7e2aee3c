/**
 * What was measured on, and with which source.
 *
 * @module
 */
import { outputOf } from "./peers.ts";

/** Machine and source. */
export interface Machine {
  /** Model of the processor. */
  readonly processor: string;
  /** Logical processors. */
  readonly cores: number;
  /** Operating system. */
  readonly system: string;
  /** Versions of Deno, V8 and TypeScript. */
  readonly deno: string;
  /** Commit of this repository, with "+" where files differ from it. */
  readonly commit: string;
  /** When. */
  readonly date: string;
}

/** The model name, with family and model numbers where the name hides the generation. */
async function processorName(): Promise<string> {
  try {
    const text = await Deno.readTextFile("/proc/cpuinfo");
    const field = (name: string) => new RegExp(`^${name}\\s*: (.*)$`, "m").exec(text)?.[1] ?? "?";
    const wide = /\bavx512f\b/.test(text) ? ", AVX-512" : /\bavx2\b/.test(text) ? ", AVX2" : "";
    return `${field("model name")} (family ${field("cpu family")}, model ${field("model")}${wide})`;
  } catch {
    return "unknown";
  }
}

/** Describes the machine. */
export async function describeMachine(): Promise<Machine> {
  const root = new URL("../..", import.meta.url).pathname;
  const commit = await outputOf("git", ["-C", root, "rev-parse", "--short", "HEAD"]);
  const changes = await outputOf("git", ["-C", root, "status", "--porcelain", "--untracked-files=no"]);
  return {
    processor: await processorName(),
    cores: navigator.hardwareConcurrency,
    system: `${Deno.build.os} ${Deno.osRelease()}`,
    deno: `Deno ${Deno.version.deno}, V8 ${Deno.version.v8}`,
    commit: commit === null ? "unknown" : commit + (changes ? "+" : ""),
    date: new Date().toISOString(),
  };
}
