/**
 * Compares flows, umbrella sampling and plain Monte Carlo on the particle dimer, each for the same time.
 *
 *     deno run -A scripts/compare_dimer.ts
 *
 * @module
 */
import type { ParticleDimerPreset } from "../mod.ts";
import {
  comparisonSettings,
  readComparisonPlan,
  runDimerComparison,
  type RunOptions,
  summarizeComparison,
} from "../src/experiment/mod.ts";
import { type CommandLine, runCommand } from "./command_line.ts";
import { needsOfRuns } from "./permissions.ts";
import { checkpointOption, runOptions, runUntilStopped, systemOption, temperatureOption } from "./run_options.ts";

const command = {
  usage: "deno run -A scripts/compare_dimer.ts",
  summary:
    "Trains RealNVP and the autoregressive particle flow with either head on the same data for the same time, judges them\n" +
    "on the way, sets umbrella sampling and plain Monte Carlo beside them, and writes a page with pictures.",
  options: {
    minutes: {
      kind: "number",
      above: 0,
      maximum: 1440,
      default: 5,
      help: "of each of the five ways, on a quiet machine; the whole takes about seven times as long",
    },
    system: systemOption,
    temperature: temperatureOption,
    plan: {
      kind: "text",
      placeholder: "FILE",
      whenAbsent: "measured",
      help: "comparison.json of an earlier run with the same options: take its numbers of steps and sweeps",
    },
    "checkpoint-every": checkpointOption,
    ...runOptions("runs/comparison", "with --plan results do not depend on it"),
  },
} as const;

async function main({ options }: CommandLine<typeof command.options>): Promise<void> {
  const plan = options.plan === undefined
    ? undefined
    : await readComparisonPlan(options.plan, options.minutes, "run compare_dimer.ts");
  const question = {
    system: { preset: options.system as ParticleDimerPreset },
    temperature: options.temperature,
    seed: options.seed,
    settings: comparisonSettings(options.minutes),
    plan,
  };
  const compare = (common: RunOptions) => runDimerComparison({ ...question, ...common });
  const outcome = await runUntilStopped(command.usage, options, compare);
  console.log(summarizeComparison(outcome));
  console.log(`\nReport: ${options.out}/comparison.html`);
}

await runCommand({ ...command, needs: ({ options }) => needsOfRuns(options.out) }, main);
