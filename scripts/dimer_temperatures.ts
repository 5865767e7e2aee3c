/**
 * Trains one Boltzmann generator of the particle dimer for a range of temperatures and reports the free energy of opening
 * it at each.
 *
 *     deno run -A scripts/dimer_temperatures.ts
 *
 * @module
 */
import type { ParticleDimerPreset } from "../mod.ts";
import {
  runDimerTemperatures,
  type RunOptions,
  summarizeTemperatures,
  type TemperatureBudgetName,
  type TemperatureSettings,
  temperatureSettings,
  withSteps,
} from "../src/experiment/mod.ts";
import { type CommandLine, parseNumbers, runCommand } from "./command_line.ts";
import { needsOfRuns } from "./permissions.ts";
import {
  checkpointOption,
  headOption,
  runOptions,
  runUntilStopped,
  skipOption,
  skipped,
  systemOption,
} from "./run_options.ts";

const command = {
  usage: "deno run -A scripts/dimer_temperatures.ts",
  summary:
    "Samples the bistable particle dimer at a ladder of temperatures, trains one Boltzmann generator for all of them, and\n" +
    "writes the curve of the free energy F(open) − F(closed) with its errors, and a report with pictures.",
  options: {
    budget: {
      kind: "choice",
      choices: ["smoke", "default"],
      default: "default",
      help: "smoke: a minute, nothing accurate; default: a quarter of an hour",
    },
    system: systemOption,
    range: {
      kind: "text",
      placeholder: "LOW,HIGH",
      default: "0.5,2",
      help: "lowest and highest temperature in units of T₀",
    },
    temperatures: {
      kind: "integer",
      minimum: 2,
      maximum: 64,
      default: 9,
      help: "rungs of the ladder; the flow is trained at these, and judged also at the temperatures between",
    },
    head: headOption,
    steps: { kind: "integer", minimum: 1, maximum: 1_000_000, whenAbsent: "the budget's", help: "training steps" },
    "skip-not-finite": skipOption,
    "checkpoint-every": checkpointOption,
    ...runOptions("runs/temperatures"),
  },
} as const;

type Options = CommandLine<typeof command.options>["options"];

/** The settings of a budget, with what was asked for. */
function settingsOf({ budget, head, steps, "skip-not-finite": skip }: Options): TemperatureSettings {
  const settings = temperatureSettings(budget as TemperatureBudgetName);
  const flow = { ...settings.flow, head: (head ?? settings.flow.head) as "tilted" | "mixture" };
  return { ...steps === undefined ? settings : withSteps(settings, steps), flow, ...skipped(skip) };
}

/** Reads "0.5,2". */
function readRange(text: string): [number, number] {
  const range = parseNumbers(text);
  const [low, high] = range;
  if (range.length !== 2 || !(low > 0 && high > low && Number.isFinite(high))) {
    throw new RangeError(
      `Cannot run dimer_temperatures.ts: --range must be two rising positive numbers such as 0.5,2, got ${text}`,
    );
  }
  return [low, high];
}

async function main({ options }: CommandLine<typeof command.options>): Promise<void> {
  const question = {
    system: { preset: options.system as ParticleDimerPreset },
    range: readRange(options.range),
    rungs: options.temperatures,
    seed: options.seed,
    budget: options.budget as TemperatureBudgetName,
    settings: settingsOf(options),
  };
  const run = (common: RunOptions) => runDimerTemperatures({ ...question, ...common });
  const outcome = await runUntilStopped(command.usage, options, run);
  console.log(summarizeTemperatures(outcome));
  console.log(`\nReport: ${options.out}/report.html`);
}

await runCommand({ ...command, needs: ({ options }) => needsOfRuns(options.out) }, main);
