/**
 * Reruns the experiments of the founding papers and compares each number with an independent answer.
 *
 *     deno run -A scripts/reproduce.ts
 *
 * @module
 */
import {
  countVerdicts,
  experiments,
  type ReproductionBudget,
  runReproduction,
  summarizeExperiment,
} from "../src/experiment/mod.ts";
import { type CommandLine, runCommand } from "./command_line.ts";
import { needsOfRuns } from "./permissions.ts";
import { checkpointOption, runOptions, runUntilStopped } from "./run_options.ts";

const command = {
  usage: "deno run -A scripts/reproduce.ts",
  summary:
    "Reproduces the toy systems and the dimer of the papers on Boltzmann generators, one row for each number:\n" +
    "published, independent reference, ours with error, cost, verdict. What was done is kept: --resume does the rest.\n\n" +
    `Experiments: ${experiments.map(({ name, long }) => name + (long ? " (long)" : "")).join(", ")}.`,
  options: {
    only: {
      kind: "text",
      placeholder: "NAME,…",
      whenAbsent: "all; with --budget default all that are not long",
      help: "experiments to run",
    },
    budget: {
      kind: "choice",
      choices: ["smoke", "default", "paper"],
      default: "default",
      help:
        "smoke: two minutes, nothing accurate; default: an hour on two cores, without those that are long; paper: " +
        "the published sizes, days",
    },
    "checkpoint-every": checkpointOption,
    ...runOptions("runs/reproduce"),
  },
} as const;

async function main({ options }: CommandLine<typeof command.options>): Promise<void> {
  const question = {
    budget: options.budget as ReproductionBudget,
    seed: options.seed,
    ...options.only !== undefined && { only: options.only.split(",") },
  };
  const outcome = await runUntilStopped(
    command.usage,
    options,
    (common) => runReproduction({ ...question, ...common }),
  );
  for (const experiment of outcome.experiments) console.log(`${summarizeExperiment(experiment)}\n`);
  for (const { name, title, long } of outcome.notRun) {
    console.log(`Not run: ${title} (--only ${name} --resume${long ? "; long" : ""})`);
  }
  console.log(countVerdicts(outcome.experiments.flatMap(({ rows }) => rows)));
  console.log(`Report: ${options.out}/reproduction.md; numbers: ${options.out}/reproduction.json`);
}

await runCommand({ ...command, needs: ({ options }) => needsOfRuns(options.out) }, main);
