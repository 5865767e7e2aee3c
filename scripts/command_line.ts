/**
 * Command lines from a table of options: parsing, checking, `--help`, and one clear sentence when something is wrong.
 *
 * @module
 */

// @ts-types="./types/parse_args.d.ts"
import { parseArgs } from "npm:deno-std@1.4.0/cli/parse_args.js";
// @ts-types="./types/levenshtein_distance.d.ts"
import { levenshteinDistance } from "npm:deno-std@1.4.0/text/levenshtein_distance.js";
import { describeMissingPermission, type Need, requirePermissions } from "./permissions.ts";

/** An option, without the two dashes of its name. Without `default` its value is undefined when it is not given. */
export type Option =
  & {
    /** What it does, for `--help`. */
    readonly help: string;
    /** What `--help` shows as default where there is none, for example "all cores". */
    readonly whenAbsent?: string;
  }
  & (
    | { readonly kind: "flag" }
    | { readonly kind: "choice"; readonly choices: readonly string[]; readonly default?: string }
    | { readonly kind: "text"; readonly placeholder?: string; readonly default?: string }
    | {
      readonly kind: "integer" | "number";
      readonly minimum?: number;
      readonly maximum?: number;
      /** Exclusive lower bound. */
      readonly above?: number;
      readonly default?: number;
    }
  );

/** Options by name. */
export type OptionTable = { readonly [name: string]: Option };

/** What a script is called, what it does and what it takes. */
export interface Command<O extends OptionTable> {
  /** How it is called, for example "deno run -A scripts/train_dimer.ts". */
  readonly usage: string;
  /** What it does, in a sentence or two. */
  readonly summary: string;
  /** Its options; `--help` comes by itself. */
  readonly options: O;
  /** Arguments without a name, all needed, in order. */
  readonly operands?: readonly { readonly name: string; readonly help: string }[];
  /** What it must be allowed to do, asked before it begins. */
  readonly needs?: (line: CommandLine<O>) => readonly Need[];
}

type Known<T, V> = T extends { readonly default: unknown } ? V : V | undefined;

/** The value of an option: as its kind says, undefined only where there is no default. */
export type OptionValue<T extends Option> = T extends { readonly kind: "flag" } ? boolean
  : T extends { readonly kind: "choice"; readonly choices: readonly (infer C)[] } ? Known<T, C>
  : T extends { readonly kind: "text" } ? Known<T, string>
  : Known<T, number>;

/** What a command line says. */
export interface CommandLine<O extends OptionTable> {
  /** Values by option name. */
  readonly options: { readonly [K in keyof O]: OptionValue<O[K]> };
  /** The arguments without a name, as many as the command has operands. */
  readonly operands: readonly string[];
}

/**
 * Runs a script: reads its command line, does its work, and turns any error into one sentence and exit code 1.
 *
 * `--help` prints the explanation and does nothing else. An error whose message is not of the form
 * "Cannot …: …" was not foreseen; its stack is printed too.
 *
 * @param command what the script takes
 * @param main its work
 * @param args the arguments; default those of the program
 */
export async function runCommand<const O extends OptionTable>(
  command: Command<O>,
  main: (line: CommandLine<O>) => void | Promise<void>,
  args: readonly string[] = Deno.args,
): Promise<void> {
  try {
    const line = parseCommandLine(command, args);
    if (line === "help") console.log(describeCommand(command));
    else {
      requirePermissions(scriptName(command), command.needs?.(line) ?? []);
      await main(line);
    }
  } catch (error) {
    const foreseen = error instanceof Error && /^Cannot [^:]+: /.test(error.message);
    console.error(describeMissingPermission(scriptName(command), error) ?? (foreseen ? error.message : error));
    Deno.exit(1);
  }
}

/**
 * Reads a command line.
 *
 * @param command what the script takes
 * @param args the arguments
 * @returns checked values, or "help" if that was asked for
 * @throws {RangeError} with one sentence on the first thing that is wrong
 */
export function parseCommandLine<const O extends OptionTable>(
  command: Command<O>,
  args: readonly string[],
): CommandLine<O> | "help" {
  const table: OptionTable = command.options;
  const isFlag = (name: string) => table[name].kind === "flag";
  const names = Object.keys(table);
  const fail = (rest: string): never => {
    throw new RangeError(`Cannot run ${scriptName(command)}: ${rest}`);
  };
  checkArguments(args, fail);
  const parsed = parseArgs(joinNegativeNumbers(args, table, fail), {
    boolean: ["help", ...names.filter(isFlag)],
    string: ["_", ...names.filter((name) => !isFlag(name))],
    alias: { h: "help" },
    unknown: (argument, key) => key === undefined ? true : fail(unknownOption(argument, [...names, "help"])),
  });
  if (parsed.help) return "help";
  const values = names.map((name) => [name, readOption(name, table[name], parsed[name], fail)]);
  const operands = readOperands(command, parsed._, fail);
  return { options: Object.fromEntries(values), operands };
}

/**
 * Explains a command and every option of it.
 *
 * @param command what the script takes
 * @returns the text of `--help`
 */
export function describeCommand<const O extends OptionTable>(command: Command<O>): string {
  const operands = command.operands ?? [];
  const rows = operands.map(({ name, help }) => [name, help]);
  const options: [string, string][] = Object.entries(command.options).map((
    [name, option],
  ) => [`--${name}${placeholder(option)}`, option.help + describeDefault(option)]);
  options.push(["--help", "print this text"]);
  const width = Math.min(36, 4 + Math.max(...[...rows, ...options].map(([left]) => left.length)));
  const lines = [
    command.summary,
    "",
    `Usage: ${[command.usage, ...operands.map(({ name }) => name)].join(" ")} [options]`,
  ];
  if (rows.length > 0) lines.push("", "Arguments:", ...rows.flatMap(([left, right]) => layOut(left, right, width)));
  lines.push("", "Options:", ...options.flatMap(([left, right]) => layOut(left, right, width)));
  return lines.join("\n");
}

type Fail = (rest: string) => never;

function scriptName({ usage }: { usage: string }): string {
  return usage.slice(Math.max(usage.lastIndexOf("/"), usage.lastIndexOf(" ")) + 1);
}

/** Longest argument and largest number of them: beyond, something went wrong where the command line was made. */
const LIMITS = { length: 4096, arguments: 256 } as const;

/** Refuses what no command line of ours holds, before anything looks into it. */
function checkArguments(args: readonly string[], fail: Fail): void {
  if (args.length > LIMITS.arguments) fail(`there must be at most ${LIMITS.arguments} arguments, got ${args.length}`);
  for (const argument of args) {
    if (argument.length > LIMITS.length) {
      fail(`arguments must have at most ${LIMITS.length} characters, got ${argument.length}`);
    }
    if (/\p{Cc}/u.test(argument) || !argument.isWellFormed()) {
      fail(`arguments must be text in one line, got ${JSON.stringify(show(argument))}`);
    }
  }
}

/** An argument as messages show it. */
function show(argument: string): string {
  const text = argument.length > 80 ? `${argument.slice(0, 79)}…` : argument;
  return text.toWellFormed().replace(/\p{Cc}/gu, "\ufffd");
}

/**
 * Reads a list of plain decimal numbers such as 0.5,2.
 *
 * @param text numbers with commas between them
 * @returns the numbers; NaN for whatever is none, so that the caller's rule refuses it
 */
export function parseNumbers(text: string): number[] {
  return text.split(",").map(parseNumber);
}

function parseNumber(text: string): number {
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : NaN;
}

/**
 * Writes `--slope -0.5` as `--slope=-0.5`, because parseArgs takes what begins with a dash for the next option; refuses
 * what it would silently accept.
 */
function joinNegativeNumbers(args: readonly string[], table: OptionTable, fail: Fail): string[] {
  const names = [...Object.keys(table), "help"];
  const joined: string[] = [];
  for (let i = 0; i < args.length; i++) {
    const argument = args[i];
    if (argument === "--") return [...joined, ...args.slice(i)];
    const [, name, value] = /^--([^=]*)(?:=(.*))?$/s.exec(argument) ?? [];
    const option = name !== undefined && Object.hasOwn(table, name) ? table[name] : undefined;
    if (option?.kind === "flag" && value !== undefined && value !== "true" && value !== "false") {
      fail(`--${name} must stand alone, got the value ${show(value)}`);
    }
    if (/^--?_/.test(argument)) fail(unknownOption(argument, names));
    const next = args[i + 1] ?? "";
    const isJoined = option !== undefined && option.kind !== "flag" && value === undefined && /^-[\d.]/.test(next);
    joined.push(isJoined ? `${argument}=${args[++i]}` : argument);
  }
  return joined;
}

function unknownOption(argument: string, names: readonly string[]): string {
  const given = argument.split("=")[0];
  const hint = suggest(given, names.map((name) => `--${name}`));
  return `options must be known ones, got ${show(given)}: ${hint}--help explains them all`;
}

/** "did you mean …? " for the nearest word, if it is near: at most half its letters changed. */
function suggest(given: string, words: readonly string[]): string {
  const distances = words.map((word) => levenshteinDistance(given, word));
  const best = distances.indexOf(Math.min(...distances));
  return distances[best] * 2 <= words[best].replace(/^-+/, "").length ? `did you mean ${words[best]}? ` : "";
}

function readOption(name: string, option: Option, text: unknown, fail: Fail): unknown {
  if (option.kind === "flag") return text === true;
  if (text === undefined) return option.default;
  const rule = describeRule(option);
  if (typeof text !== "string" || text === "") return fail(`--${name} must have a value (${rule}), got none`);
  if (option.kind === "text") return text;
  if (option.kind === "choice") {
    if (option.choices.includes(text)) return text;
    return fail(`--${name} must be ${rule}, got ${show(text)}`);
  }
  const value = parseNumber(text);
  const { minimum = -Infinity, maximum = Infinity, above = -Infinity } = option;
  const fits = Number.isFinite(value) && value >= minimum && value <= maximum && value > above;
  if (!fits || (option.kind === "integer" && !Number.isSafeInteger(value))) {
    fail(`--${name} must be ${rule}, got ${show(text)}`);
  }
  return value;
}

function readOperands(
  command: Pick<Command<OptionTable>, "operands">,
  given: readonly string[],
  fail: Fail,
): readonly string[] {
  const { operands = [] } = command;
  if (given.length > operands.length) {
    const wanted = operands.length === 0 ? "options" : `${operands.map(({ name }) => name).join(" ")} and options`;
    fail(`arguments must be ${wanted}, got ${show(given[operands.length])}: --help explains them`);
  }
  for (const { name, help } of operands.slice(given.length)) fail(`${name} must be given (${help}), got nothing`);
  return given;
}

function describeRule(option: Exclude<Option, { kind: "flag" }>): string {
  if (option.kind === "text") return option.placeholder?.toLowerCase() ?? "text";
  if (option.kind === "choice") return `one of ${option.choices.join(", ")}`;
  const { kind, minimum, maximum, above } = option;
  const kindText = kind === "integer" ? "an integer" : "a number";
  if (minimum !== undefined && maximum !== undefined) return `${kindText} from ${minimum} to ${maximum}`;
  const bounds = [
    above === undefined ? "" : ` > ${above}`,
    minimum === undefined ? "" : ` ≥ ${minimum}`,
    maximum === undefined ? "" : ` ≤ ${maximum}`,
  ].filter(Boolean);
  return kindText + bounds.join(" and");
}

function placeholder(option: Option): string {
  switch (option.kind) {
    case "flag":
      return "";
    case "choice":
      return ` ${option.choices.join("|")}`;
    case "text":
      return ` ${option.placeholder ?? "TEXT"}`;
    case "integer":
      return " N";
    case "number":
      return " X";
  }
}

function describeDefault(option: Option): string {
  const value = option.whenAbsent ?? (option.kind === "flag" ? undefined : option.default);
  return value === undefined ? "" : ` (default: ${value})`;
}

function layOut(left: string, right: string, width: number): string[] {
  const lines = wrapWords(right, 100 - width);
  const head = `  ${left}`;
  const margin = " ".repeat(width);
  if (head.length + 2 > width) return [head, ...lines.map((line) => margin + line)];
  return lines.map((line, i) => (i === 0 ? head.padEnd(width) : margin) + line);
}

function wrapWords(text: string, width: number): string[] {
  const lines = [""];
  for (const word of text.split(" ")) {
    const last = lines[lines.length - 1];
    if (last !== "" && last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = last === "" ? word : `${last} ${word}`;
  }
  return lines;
}
