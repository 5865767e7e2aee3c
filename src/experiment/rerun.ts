/**
 * Doing a run again from its report, and comparing what comes out.
 *
 * @module
 */
import type { JsonObject, JsonValue } from "../format/json.ts";
import { isJsonObject, parseJsonObject, showJson, showText } from "../format/parse_json.ts";
import { readTextFile } from "../training/read_file.ts";

/** Which script writes which report. */
const KINDS: Readonly<Record<string, { readonly script: string; readonly file: string; readonly takesPlan?: true }>> = {
  "boltzflow dimer report": { script: "train_dimer.ts", file: "report.json" },
  "boltzflow dimer temperatures report": { script: "dimer_temperatures.ts", file: "report.json" },
  "boltzflow fluid report": { script: "fluid_free_energy.ts", file: "report.json" },
  "boltzflow dimer comparison": { script: "compare_dimer.ts", file: "comparison.json", takesPlan: true },
  "boltzflow reproduction": { script: "reproduce.ts", file: "reproduction.json" },
};

/** Options that say where and how fast to run: whoever runs again decides these. */
export const OWN_OPTIONS: readonly string[] = ["out", "resume", "force", "threads", "checkpoint-every", "plan", "help"];

/** Most options of a report, and most characters of one. */
const MOST_OPTIONS = 64;
const LONGEST_OPTION = 1000;

/** A run that can be done again. */
export interface RerunRequest {
  /** The whole report. */
  readonly report: JsonObject;
  /** Name of the script that made it. */
  readonly script: string;
  /** Arguments that ask it for the same results: no directory, no threads. */
  readonly arguments: readonly string[];
  /** Name of the report in the directory of a run. */
  readonly file: string;
}

/**
 * Reads how a report was made.
 *
 * Reports are data: the script is one of ours, chosen by the kind of the report; of the options only names that look like
 * options and plain values are handed on, each as one argument, and the script checks them as it checks its command line.
 *
 * @param path a `report.json` or `comparison.json`
 * @returns what to run
 * @throws {Error} with one sentence if the file cannot be read, is no report of ours, or does not say how it was made
 */
export async function readRerun(path: string): Promise<RerunRequest> {
  return parseRerun(await readTextFile(path, "rerun"), path);
}

/**
 * Takes out of the text of a report how it was made; see {@link readRerun}.
 *
 * @param text the whole file
 * @param path where it lies: a comparison reads its plan from there
 * @returns what to run
 * @throws {RangeError} with one sentence on what is wrong
 */
export function parseRerun(text: string, path: string): RerunRequest {
  const refuse = (rest: string): never => {
    throw new RangeError(`Cannot rerun: ${rest}`);
  };
  const report = parseJsonObject(text, "the report", refuse);
  const { format, version, rerun } = report;
  const kind = typeof format === "string" && Object.hasOwn(KINDS, format) ? KINDS[format] : undefined;
  if (kind === undefined) {
    return refuse(`the report must be one of boltzflow's, got format ${showJson(format)}`);
  }
  if (version !== 1) return refuse(`version of the report must be 1, got ${showJson(version)}`);
  if (!isJsonObject(rerun)) {
    return refuse(
      `the report must say which options made it, got ${showJson(rerun)} for rerun: runs that a program started are ` +
        "started again by that program",
    );
  }
  if (rerun.script !== kind.script) return refuse(`rerun.script must be ${kind.script}, got ${showJson(rerun.script)}`);
  if (!isJsonObject(rerun.options)) return refuse(`rerun.options must be a table, got ${showJson(rerun.options)}`);
  const args = Object.entries(rerun.options).flatMap(([name, value]) => argumentOf(name, value, refuse));
  if (args.length > MOST_OPTIONS) {
    return refuse(`rerun.options must be at most ${MOST_OPTIONS}, got ${args.length}`);
  }
  if (kind.takesPlan) args.push(`--plan=${path}`);
  return { report, script: kind.script, arguments: args, file: kind.file };
}

function argumentOf(name: string, value: JsonValue, refuse: (rest: string) => never): string[] {
  if (!/^[a-z][a-z0-9-]{0,40}$/.test(name) || OWN_OPTIONS.includes(name)) {
    return refuse(`rerun.options must hold options that results depend on, got ${showJson(name)}`);
  }
  if (typeof value === "boolean") return value ? [`--${name}`] : [];
  const isShort = typeof value === "string" && value.length <= LONGEST_OPTION && !/\p{Cc}/u.test(value);
  if (typeof value === "number" || isShort) return [`--${name}=${value}`];
  return refuse(`rerun.options.${name} must be a number, true, false or a short text, got ${showJson(value)}`);
}

/** A place where two reports differ. */
export interface ReportDifference {
  /** Dotted path. */
  readonly path: string;
  /** What the first report says, as JSON; "nothing" where it is absent. */
  readonly first: string;
  /** What the second one says. */
  readonly second: string;
  /** |second − first| of two numbers; else null. */
  readonly by: number | null;
}

/** What a comparison of two reports found. */
export interface ReportComparison {
  /** Values that were compared. */
  readonly compared: number;
  /** Where results differ. */
  readonly differences: readonly ReportDifference[];
  /** Where versions, kernels or machines differ: no results, but reasons. */
  readonly surroundings: readonly ReportDifference[];
}

/** What a run ran on and was made with. */
const SURROUNDINGS = /^(environment\..*|(run\.)?(packageVersion|kernelBuild))$/;
/** Times, and what follows from them; `settings.minutes` was asked for. */
const TIMES =
  /^(?!settings\.minutes$)(rerun|(run\.)?threads|(.*\.)?(wallTimeMs|seconds|minutes|samplesPerSecond))(\..*)?$/;

/**
 * Compares two reports of one kind: every number, text and checksum but for times, threads and what they ran on.
 *
 * @param first a report
 * @param second another
 * @returns where they differ
 */
export function compareReports(first: JsonObject, second: JsonObject): ReportComparison {
  const [left, right] = [leavesOf(first), leavesOf(second)];
  const names = [...new Set([...left.keys(), ...right.keys()])].filter((path) => !TIMES.test(path));
  const differences: ReportDifference[] = [];
  for (const path of names) {
    const [a, b] = [left.get(path), right.get(path)];
    if (a === b) continue;
    const by = typeof a === "number" && typeof b === "number" ? Math.abs(b - a) : null;
    const show = (value: JsonValue | undefined) => value === undefined ? "nothing" : showJson(value);
    differences.push({ path, first: show(a), second: show(b), by });
  }
  const isSurrounding = ({ path }: ReportDifference) => SURROUNDINGS.test(path);
  return {
    compared: names.filter((path) => !SURROUNDINGS.test(path)).length,
    differences: differences.filter((difference) => !isSurrounding(difference)),
    surroundings: differences.filter(isSurrounding),
  };
}

/** Everything in a value that holds nothing else, by dotted path; empty lists and tables count as such. */
function leavesOf(value: JsonValue, path = "", leaves = new Map<string, JsonValue>()): Map<string, JsonValue> {
  const entries = Array.isArray(value) || isJsonObject(value) ? Object.entries(value) : [];
  for (const [key, entry] of entries) leavesOf(entry, path === "" ? key : `${path}.${key}`, leaves);
  if (entries.length === 0) {
    leaves.set(path, typeof value === "object" && value !== null ? JSON.stringify(value) : value);
  }
  return leaves;
}

/** Differences that are shown, and characters of the name of each. */
const SHOWN = 20;
const LONGEST_NAME = 200;

/**
 * Says in words what {@link compareReports} found.
 *
 * @param comparison what it found
 * @returns some lines
 */
export function describeComparison({ compared, differences, surroundings }: ReportComparison): string {
  const lines = surroundings.map(({ path, first, second }) =>
    `${showText(path, LONGEST_NAME)} was ${first}, is ${second}`
  );
  if (differences.length === 0) return [...lines, `identical: ${compared} values`].join("\n");
  const largestFirst = [...differences].sort((a, b) => (b.by ?? Infinity) - (a.by ?? Infinity) || 0);
  for (const { path, first, second, by } of largestFirst.slice(0, SHOWN)) {
    const size = by === null ? "" : ` by ${Number(by.toPrecision(3))}`;
    lines.push(`differs in ${showText(path, LONGEST_NAME)}${size}: was ${first}, is ${second}`);
  }
  if (differences.length > SHOWN) lines.push(`differs in ${differences.length - SHOWN} other places`);
  return [...lines, `${differences.length} of ${compared} values differ`].join("\n");
}
