/**
 * Trains a Boltzmann generator of the particle dimer and reports the free energy of opening it.
 *
 *     deno run -A scripts/train_dimer.ts
 *
 * @module
 */
import type { ParticleDimerOptions, ParticleDimerPreset } from "../mod.ts";
import {
  type BudgetName,
  type DimerSettings,
  dimerSettings,
  type FlowName,
  runDimer,
  summarizeDimer,
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
  temperatureOption,
} from "./run_options.ts";

const parameter = (help: string) => ({ kind: "number", help, whenAbsent: "the preset's" }) as const;

const command = {
  usage: "deno run -A scripts/train_dimer.ts",
  summary:
    "Samples the bistable particle dimer by Monte Carlo, trains a Boltzmann generator on it, and writes the free\n" +
    "energy F(open) − F(closed) with its error, a report with pictures, and models for any JavaScript runtime.",
  options: {
    budget: {
      kind: "choice",
      choices: ["smoke", "default", "paper"],
      default: "default",
      help:
        "smoke: a minute, nothing accurate; default: six minutes on two cores, a quarter of an hour for realnvp; paper: the published schedule, hours",
    },
    system: systemOption,
    temperature: temperatureOption,
    slope: parameter("linear coefficient of the bond energy"),
    a: parameter("quadratic coefficient of the bond energy"),
    b: parameter("quartic coefficient of the bond energy"),
    d0: parameter("middle of the bond energy"),
    epsilon: parameter("strength of the repulsion between particles"),
    sigma: parameter("range of the repulsion"),
    tether: parameter("strength of the springs that hold the dimer at the origin"),
    "half-box": parameter("half the width of the box"),
    "box-constant": parameter("strength of the walls"),
    flow: {
      kind: "choice",
      choices: ["autoregressive", "realnvp"],
      whenAbsent: "autoregressive; realnvp for the budget paper",
      help: "particles placed one after the other, or the published flow",
    },
    head: headOption,
    hidden: {
      kind: "text",
      placeholder: "SIZE,SIZE,…",
      whenAbsent: "the budget's",
      help: "hidden layers of the networks, for example 64,64",
    },
    blocks: { kind: "integer", minimum: 1, maximum: 64, whenAbsent: "the budget's", help: "blocks of RealNVP" },
    channels: {
      kind: "choice",
      choices: ["even-odd", "xy"],
      whenAbsent: "the budget's",
      help: "what couplings of RealNVP split: even and odd principal components, or x and y coordinates",
    },
    "rc-bounds": {
      kind: "text",
      placeholder: "LOW,HIGH",
      default: "0.5,2.5",
      help: "range of d that the reaction-coordinate loss covers",
    },
    "rc-form": {
      kind: "choice",
      choices: ["flat", "entropy"],
      default: "flat",
      help: "form of the reaction-coordinate loss: of the published code, or of the paper",
    },
    storage: {
      kind: "choice",
      choices: ["float32", "float16"],
      default: "float32",
      help: "weights in the models: float16 halves them, and is what the report is about",
    },
    "skip-not-finite": skipOption,
    "checkpoint-every": checkpointOption,
    ...runOptions("runs/dimer"),
  },
} as const;

type Options = CommandLine<typeof command.options>["options"];

/** Preset and those parameters that were given. */
function systemOptions(options: Options): ParticleDimerOptions {
  const { slope, a, b, d0, epsilon, sigma, tether } = options;
  const [halfBox, boxConstant] = [options["half-box"], options["box-constant"]];
  const given = Object.entries({ slope, a, b, d0, epsilon, sigma, tether, halfBox, boxConstant })
    .filter(([, value]) => value !== undefined);
  return { preset: options.system as ParticleDimerPreset, ...Object.fromEntries(given) };
}

/** The settings of a budget, with the flow and its size that were asked for. */
function settingsOf(options: Options): DimerSettings {
  const budget = options.budget as BudgetName;
  const name = (options.flow ?? (budget === "paper" ? "realnvp" : "autoregressive")) as FlowName;
  const settings = {
    ...dimerSettings(name, budget),
    ...options.storage === "float16" && { storage: "float16" as const },
    ...skipped(options["skip-not-finite"]),
  };
  const hidden = options.hidden === undefined ? settings.flow.hidden : readSizes(options.hidden);
  if (settings.flow.kind === "autoregressive") {
    refuse(options, ["blocks", "channels"], "autoregressive");
    const head = (options.head ?? settings.flow.head) as "tilted" | "mixture";
    return { ...settings, flow: { ...settings.flow, head, hidden } };
  }
  refuse(options, ["head"], "realnvp");
  const { blocks = settings.flow.blocks, channels = settings.flow.channels } = options;
  return { ...settings, flow: { ...settings.flow, blocks, hidden, channels: channels as "even-odd" | "xy" } };
}

/** Refuses options that belong to the other flow. */
function refuse(options: Options, names: readonly ("blocks" | "channels" | "head")[], flow: FlowName): void {
  const given = names.find((name) => options[name] !== undefined);
  if (given === undefined) return;
  throw new RangeError(
    `Cannot run train_dimer.ts: --${given} must not be given with --flow ${flow}, got ${options[given]}`,
  );
}

/** Reads "200,200,200". */
function readSizes(text: string): number[] {
  const sizes = parseNumbers(text);
  if (sizes.some((size) => !Number.isInteger(size) || size < 1 || size > 4096)) {
    throw new RangeError(
      `Cannot run train_dimer.ts: --hidden must be whole numbers from 1 to 4096 such as 200,200,200, got ${text}`,
    );
  }
  return sizes;
}

/** Reads "0.5,2.5". */
function readBounds(text: string): [number, number] {
  const bounds = parseNumbers(text);
  if (bounds.length !== 2 || !bounds.every(Number.isFinite) || !(bounds[1] > bounds[0])) {
    throw new RangeError(
      `Cannot run train_dimer.ts: --rc-bounds must be two increasing numbers such as 0.5,2.5, got ${text}`,
    );
  }
  return [bounds[0], bounds[1]];
}

async function main({ options }: CommandLine<typeof command.options>): Promise<void> {
  const question = {
    system: systemOptions(options),
    temperature: options.temperature,
    seed: options.seed,
    budget: options.budget as BudgetName,
    settings: settingsOf(options),
    reactionCoordinate: { bounds: readBounds(options["rc-bounds"]), form: options["rc-form"] as "flat" | "entropy" },
  };
  const outcome = await runUntilStopped(command.usage, options, (common) => runDimer({ ...question, ...common }));
  console.log(summarizeDimer(outcome));
  console.log(`\nReport: ${options.out}/report.html`);
}

await runCommand({ ...command, needs: ({ options }) => needsOfRuns(options.out) }, main);
