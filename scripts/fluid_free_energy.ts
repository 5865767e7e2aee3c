/**
 * Trains a Boltzmann generator of a fluid in a box and reports its absolute free energy.
 *
 *     deno run -A scripts/fluid_free_energy.ts
 *
 * @module
 */
import {
  type FluidBudgetName,
  fluidSettings,
  type LennardJonesFluidPreset,
  openProgress,
  runFluid,
  summarizeFluid,
} from "../mod.ts";
import { type CommandLine, runCommand } from "./command_line.ts";
import { interruptSignal, sameArguments } from "./interrupt.ts";

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
    temperature: { kind: "number", above: 0, maximum: 100, default: 1, help: "in units of T₀, for the liquid ε" },
    budget: {
      kind: "choice",
      choices: ["smoke", "default"],
      default: "default",
      help: "smoke: half a minute, nothing accurate; default: four minutes",
    },
    head: {
      kind: "choice",
      choices: ["tilted", "mixture"],
      default: "tilted",
      help: "density of a particle: with its exact pair energy, or a mixture of Gaussians",
    },
    seed: { kind: "integer", minimum: 0, maximum: 2 ** 31, default: 1, help: "of everything random" },
    threads: {
      kind: "integer",
      minimum: 1,
      maximum: 256,
      whenAbsent: "all cores",
      help: "results do not depend on it",
    },
    out: { kind: "text", placeholder: "DIR", default: "runs/fluid", help: "directory for everything that is written" },
    force: { kind: "flag", help: "replace the run in that directory" },
  },
} as const;

async function main({ options }: CommandLine<typeof command.options>): Promise<void> {
  const budget = options.budget as FluidBudgetName;
  const settings = fluidSettings(budget);
  const interrupted = interruptSignal();
  using progress = await openProgress();
  try {
    const outcome = await runFluid({
      system: { preset: options.preset as LennardJonesFluidPreset },
      temperature: options.temperature,
      seed: options.seed,
      budget,
      settings: { ...settings, flow: { ...settings.flow, head: options.head as "tilted" | "mixture" } },
      threads: options.threads ?? navigator.hardwareConcurrency,
      out: options.out,
      force: options.force,
      progress,
      signal: interrupted.signal,
      command: [command.usage, ...sameArguments()].join(" "),
    });
    console.log(summarizeFluid(outcome));
    console.log(`\nNumbers: ${options.out}/report.json; pictures: ${options.out}/figures`);
  } catch (error) {
    if (!interrupted.signal.aborted || error !== interrupted.signal.reason) throw error;
    console.error("Stopped; a run of the fluid cannot be resumed: start it again with --force");
    Deno.exit(130);
  } finally {
    interrupted.release();
  }
}

await runCommand(command, main);
