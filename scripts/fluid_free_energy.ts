/**
 * Trains a Boltzmann generator of a fluid in a box and reports its absolute free energy.
 *
 *     deno run -A scripts/fluid_free_energy.ts
 *
 * @module
 */
import type { LennardJonesFluidPreset } from "../mod.ts";
import { type FluidBudgetName, fluidSettings, runFluid, summarizeFluid } from "../src/experiment/mod.ts";
import { type CommandLine, runCommand } from "./command_line.ts";
import { needsOfRuns } from "./permissions.ts";
import {
  checkpointOption,
  headOption,
  runOptions,
  runUntilStopped,
  skipOption,
  skipped,
  temperatureOption,
} from "./run_options.ts";

const command = {
  usage: "deno run -A scripts/fluid_free_energy.ts",
  summary:
    "Samples 16 particles in a box by Monte Carlo, trains a Boltzmann generator on them, and writes the absolute\n" +
    "free energy with its error beside thermodynamic integration from the ideal gas, with pictures.",
  options: {
    preset: {
      kind: "choice",
      choices: ["liquid", "soft-discs"],
      default: "liquid",
      help: "Lennard-Jones particles, or discs that repel each other",
    },
    temperature: { ...temperatureOption, help: "in units of T₀, for the liquid ε" },
    budget: {
      kind: "choice",
      choices: ["smoke", "default"],
      default: "default",
      help: "smoke: half a minute, nothing accurate; default: four minutes",
    },
    head: headOption,
    "skip-not-finite": skipOption,
    "checkpoint-every": checkpointOption,
    ...runOptions("runs/fluid"),
  },
} as const;

async function main({ options }: CommandLine<typeof command.options>): Promise<void> {
  const budget = options.budget as FluidBudgetName;
  const settings = fluidSettings(budget);
  const head = (options.head ?? settings.flow.head) as "tilted" | "mixture";
  const question = {
    system: { preset: options.preset as LennardJonesFluidPreset },
    temperature: options.temperature,
    seed: options.seed,
    budget,
    settings: { ...settings, flow: { ...settings.flow, head, ...skipped(options["skip-not-finite"]) } },
  };
  const outcome = await runUntilStopped(command.usage, options, (common) => runFluid({ ...question, ...common }));
  console.log(summarizeFluid(outcome));
  console.log(`\nNumbers: ${options.out}/report.json; pictures: ${options.out}/figures`);
}

await runCommand({ ...command, needs: ({ options }) => needsOfRuns(options.out) }, main);
