/**
 * Compares flows, umbrella sampling and plain Monte Carlo on the particle dimer, each for the same time.
 *
 *     deno run -A scripts/compare_dimer.ts
 *
 * @module
 */
import {
  type ComparisonPlan,
  comparisonSettings,
  openProgress,
  type ParticleDimerPreset,
  runDimerComparison,
  summarizeComparison,
} from "../mod.ts";
import { type CommandLine, runCommand } from "./command_line.ts";
import { interruptSignal, sameArguments } from "./interrupt.ts";

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
    system: {
      kind: "choice",
      choices: ["noe2019", "noe2019-class", "printed"],
      default: "noe2019",
      help: "parameters of the energy, named after their source",
    },
    temperature: { kind: "number", above: 0, maximum: 100, default: 1, help: "in units of T₀" },
    seed: { kind: "integer", minimum: 0, maximum: 2 ** 31, default: 1, help: "of everything random" },
    threads: {
      kind: "integer",
      minimum: 1,
      maximum: 256,
      whenAbsent: "all cores",
      help: "with --plan results do not depend on it",
    },
    plan: {
      kind: "text",
      placeholder: "FILE",
      whenAbsent: "measured",
      help: "comparison.json of an earlier run with the same options: take its numbers of steps and sweeps",
    },
    out: {
      kind: "text",
      placeholder: "DIR",
      default: "runs/comparison",
      help: "directory for everything that is written",
    },
    force: { kind: "flag", help: "replace the run in that directory" },
  },
} as const;

/** Reads the plan of an earlier run, which must have been for the same minutes: data and samples depend on them. */
async function readPlan(path: string, minutes: number): Promise<ComparisonPlan> {
  const fail = (rest: string): never => {
    throw new Error(`Cannot run compare_dimer.ts: --plan must ${rest}`);
  };
  let report;
  try {
    report = JSON.parse(await Deno.readTextFile(path));
  } catch (error) {
    return fail(`be a readable comparison.json, got ${path}: ${error instanceof Error ? error.message : error}`);
  }
  if (report?.format !== "boltzflow dimer comparison") return fail(`be a comparison.json, got another file, ${path}`);
  if (report.settings.minutes !== minutes) {
    return fail(`be that of ${minutes} min, got one of ${report.settings.minutes}: give --minutes as well`);
  }
  return report.plan;
}

async function main({ options }: CommandLine<typeof command.options>): Promise<void> {
  const plan = options.plan === undefined ? undefined : await readPlan(options.plan, options.minutes);
  const interrupted = interruptSignal();
  using progress = await openProgress();
  const result = await runDimerComparison({
    system: { preset: options.system as ParticleDimerPreset },
    temperature: options.temperature,
    seed: options.seed,
    settings: comparisonSettings(options.minutes),
    plan,
    threads: options.threads ?? navigator.hardwareConcurrency,
    out: options.out,
    force: options.force,
    progress,
    signal: interrupted.signal,
    command: [command.usage, ...sameArguments()].join(" "),
  });
  progress.finish();
  interrupted.release();
  if (!result.complete) {
    console.error(`Stopped while ${result.during}; a comparison has to begin anew`);
    Deno.exit(130);
  }
  console.log(summarizeComparison(result.outcome));
  console.log(`\nReport: ${options.out}/comparison.html`);
}

await runCommand(command, main);
