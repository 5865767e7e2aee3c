/**
 * Does a run again from its report, and says whether the same comes out.
 *
 *     deno run -A scripts/rerun.ts runs/dimer/report.json
 *
 * @module
 */
import { compareReports, describeComparison, readRerun, type RerunRequest } from "../src/experiment/mod.ts";
import { type CommandLine, runCommand } from "./command_line.ts";
import { runOptions } from "./run_options.ts";

/** As for the runs themselves. */
const { threads, force } = runOptions("runs/rerun");

const command = {
  usage: "deno run -A scripts/rerun.ts",
  summary:
    "Does the run of a report.json or comparison.json again, in another directory, and compares every number and the\n" +
    "checksums of models. Exit code 0: identical but for times; 1: something differs.",
  operands: [{ name: "REPORT", help: "report.json or comparison.json of a run" }],
  options: {
    threads,
    out: { kind: "text", placeholder: "DIR", default: "runs/rerun", help: "directory for the new run" },
    force,
  },
} as const;

/** Runs the script in a process of its own; passes the wish to stop on. */
async function run(
  { script, arguments: args }: RerunRequest,
  { out, threads, force }: CommandLine<typeof command.options>["options"],
): Promise<void> {
  const own = [`--out=${out}`, ...threads === undefined ? [] : [`--threads=${threads}`], ...force ? ["--force"] : []];
  const path = new URL(script, import.meta.url).href;
  console.log(`deno run -A scripts/${script} ${[...args, ...own].join(" ")}`);
  const child = new Deno.Command(Deno.execPath(), { args: ["run", "-A", path, ...args, ...own] }).spawn();
  // A terminal sends Ctrl-C to both processes; SIGTERM comes to this one alone.
  const passOn = () => child.kill("SIGTERM");
  const ignore = () => {};
  if (Deno.build.os !== "windows") Deno.addSignalListener("SIGTERM", passOn);
  Deno.addSignalListener("SIGINT", ignore);
  const { code } = await child.status;
  if (code === 130 || code === 143) Deno.exit(code);
  if (code !== 0) throw new Error(`Cannot rerun: ${script} must end well, got exit code ${code}: its message is above`);
}

async function main({ options, operands: [path] }: CommandLine<typeof command.options>): Promise<void> {
  const first = await readRerun(path);
  await run(first, options);
  const second = await readRerun(`${options.out}/${first.file}`);
  const comparison = compareReports(first.report, second.report);
  console.log(`\n${describeComparison(comparison)}`);
  Deno.exit(comparison.differences.length === 0 ? 0 : 1);
}

const needs = ({ options, operands: [path] }: CommandLine<typeof command.options>) =>
  [
    { name: "read", path, why: "the report" },
    { name: "read", path: options.out, why: "the new report" },
    { name: "run", why: "the run, in a process of its own" },
  ] as const;

await runCommand({ ...command, needs }, main);
