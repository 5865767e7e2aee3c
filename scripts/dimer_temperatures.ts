/**
 * Trains one Boltzmann generator of the particle dimer for a range of temperatures and reports the free energy of opening
 * it at each.
 *
 *     deno run -A scripts/dimer_temperatures.ts
 *
 * @module
 */
import {
  openProgress,
  type ParticleDimerPreset,
  runDimerTemperatures,
  summarizeTemperatures,
  type TemperatureBudgetName,
  type TemperatureSettings,
  temperatureSettings,
  withSteps,
} from "../mod.ts";
import { type CommandLine, runCommand } from "./command_line.ts";
import { interruptSignal, sameArguments } from "./interrupt.ts";

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
    system: {
      kind: "choice",
      choices: ["noe2019", "noe2019-class", "printed"],
      default: "noe2019",
      help: "parameters of the energy, named after their source",
    },
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
    head: {
      kind: "choice",
      choices: ["tilted", "mixture"],
      whenAbsent: "the budget's",
      help: "density of a particle: with its exact pair energy, or a mixture of Gaussians",
    },
    steps: { kind: "integer", minimum: 1, maximum: 1_000_000, whenAbsent: "the budget's", help: "training steps" },
    seed: { kind: "integer", minimum: 0, maximum: 2 ** 31, default: 1, help: "of everything random" },
    threads: {
      kind: "integer",
      minimum: 1,
      maximum: 256,
      whenAbsent: "all cores",
      help: "results do not depend on it",
    },
    out: {
      kind: "text",
      placeholder: "DIR",
      default: "runs/temperatures",
      help: "directory for everything that is written",
    },
    resume: { kind: "flag", help: "go on with the run in that directory" },
    force: { kind: "flag", help: "replace the run in that directory" },
  },
} as const;

type Options = CommandLine<typeof command.options>["options"];

/** The settings of a budget, with what was asked for. */
function settingsOf({ budget, head, steps }: Options): TemperatureSettings {
  const settings = temperatureSettings(budget as TemperatureBudgetName);
  const flow = { ...settings.flow, head: (head ?? settings.flow.head) as "tilted" | "mixture" };
  return { ...steps === undefined ? settings : withSteps(settings, steps), flow };
}

/** Reads "0.5,2". */
function readRange(text: string): [number, number] {
  const range = text.split(",").map(Number);
  const [low, high] = range;
  if (range.length !== 2 || !(low > 0 && high > low && Number.isFinite(high))) {
    throw new RangeError(
      `Cannot run dimer_temperatures.ts: --range must be two rising positive numbers such as 0.5,2, got ${text}`,
    );
  }
  return [low, high];
}

async function main({ options }: CommandLine<typeof command.options>): Promise<void> {
  const range = readRange(options.range);
  const interrupted = interruptSignal();
  using progress = await openProgress();
  const again = [command.usage, ...sameArguments()].join(" ");
  const result = await runDimerTemperatures({
    system: { preset: options.system as ParticleDimerPreset },
    range,
    rungs: options.temperatures,
    seed: options.seed,
    budget: options.budget as TemperatureBudgetName,
    settings: settingsOf(options),
    threads: options.threads ?? navigator.hardwareConcurrency,
    out: options.out,
    resume: options.resume,
    force: options.force,
    progress,
    signal: interrupted.signal,
    command: again,
  });
  progress.finish();
  interrupted.release();
  if (!result.complete) {
    console.error(`Stopped while ${result.during}; go on with: ${again} --resume`);
    Deno.exit(130);
  }
  console.log(summarizeTemperatures(result.outcome));
  console.log(`\nReport: ${options.out}/report.html`);
}

await runCommand(command, main);
