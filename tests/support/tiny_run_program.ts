/**
 * A program that does a tiny run as the scripts do theirs.
 *
 *     deno run -A tests/support/tiny_run_program.ts dimer|temperatures|fluid|comparison --out DIR [--resume] [--every MS]
 */
import type { RunOptions, RunResult } from "../../src/experiment/run_parts.ts";
import { runCommand } from "../../scripts/command_line.ts";
import { checkpointOption, runOptions, runUntilStopped } from "../../scripts/run_options.ts";
import { runTinyComparison, runTinyDimer, runTinyFluid, runTinyTemperatures } from "./tiny_runs.ts";

const runs: Readonly<Record<string, (options: RunOptions) => Promise<RunResult<unknown>>>> = {
  dimer: runTinyDimer,
  temperatures: runTinyTemperatures,
  fluid: runTinyFluid,
  comparison: runTinyComparison,
};

const command = {
  usage: "deno run -A tests/support/tiny_run_program.ts",
  summary: "Does a tiny run.",
  options: { "checkpoint-every": checkpointOption, ...runOptions("runs/tiny") },
  operands: [{ name: "RUN", help: Object.keys(runs).join(", ") }],
} as const;

await runCommand(command, async ({ options, operands: [name] }) => {
  await runUntilStopped(command.usage, options, runs[name]);
});
