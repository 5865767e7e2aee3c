/**
 * What the scripts of long runs share: options, the stop on a signal, and how they end.
 *
 * @module
 */
import { loadKernels } from "../mod.ts";
import {
  openProgress,
  OWN_OPTIONS,
  type RunOptions,
  type RunOrigin,
  type RunResult,
  type SkipNotFinite,
} from "../src/experiment/mod.ts";
import { interruptSignal, sameArguments } from "./interrupt.ts";

/** Options that several scripts take, to be put into their tables. */
export const systemOption = {
  kind: "choice",
  choices: ["noe2019", "noe2019-class", "printed"],
  default: "noe2019",
  help: "parameters of the energy, named after their source",
} as const;

/** See {@link systemOption}. */
export const temperatureOption = {
  kind: "number",
  above: 0,
  maximum: 100,
  default: 1,
  help: "in units of T₀",
} as const;

/** See {@link systemOption}. */
export const headOption = {
  kind: "choice",
  choices: ["tilted", "mixture"],
  whenAbsent: "the budget's",
  help: "density of a particle in the autoregressive flow: with its exact pair energy, or a mixture of Gaussians",
} as const;

/** See {@link systemOption}. */
export const skipOption = {
  kind: "integer",
  minimum: 0,
  maximum: 1_000_000,
  default: 0,
  help: "steps of training with a result that is not finite to skip and count; above 0 also flow samples, as weight 0",
} as const;

/** The settings that `--skip-not-finite` stands for: none where nothing is skipped. */
export function skipped(steps: number): { readonly skipNotFinite?: SkipNotFinite } {
  return steps === 0 ? {} : { skipNotFinite: { steps, samples: true } };
}

/** See {@link systemOption}. */
export const checkpointOption = {
  kind: "number",
  minimum: 0,
  maximum: 3600,
  default: 30,
  help: "seconds of work between checkpoints",
} as const;

/**
 * The options of every long run.
 *
 * @param out default directory
 * @param threads what the number of threads changes
 * @returns rows for the end of a table of options
 */
export function runOptions<const D extends string>(out: D, threads = "results do not depend on it") {
  return {
    seed: { kind: "integer", minimum: 0, maximum: 2 ** 31, default: 1, help: "of everything random" },
    threads: { kind: "integer", minimum: 1, maximum: 256, whenAbsent: "all cores", help: threads },
    deterministic: {
      kind: "flag",
      help: "the same models on every processor: no fused multiply-adds, up to a quarter slower",
    },
    out: { kind: "text", placeholder: "DIR", default: out, help: "directory for everything that is written" },
    resume: { kind: "flag", help: "go on with the run in that directory" },
    force: { kind: "flag", help: "replace the run in that directory" },
  } as const;
}

/** The values of those options. */
export interface RunValues {
  readonly threads: number | undefined;
  readonly deterministic: boolean;
  readonly out: string;
  readonly "checkpoint-every"?: number;
  readonly resume: boolean;
  readonly force: boolean;
}

/**
 * Does a run until it is complete or Ctrl-C or SIGTERM stops it; a stopped one says how to go on, and the program ends with
 * exit code 130 or 143.
 *
 * @param usage how the script is called
 * @param values of the options of the run
 * @param run the run itself
 * @returns its outcome
 */
export async function runUntilStopped<T>(
  usage: string,
  values: RunValues,
  run: (options: RunOptions) => Promise<RunResult<T>>,
): Promise<T> {
  const again = [usage, ...sameArguments()].join(" ");
  if (values.deterministic) await loadKernels({ deterministic: true });
  const every = values["checkpoint-every"];
  const interrupted = interruptSignal();
  using progress = await openProgress();
  const result = await run({
    threads: values.threads ?? navigator.hardwareConcurrency,
    out: values.out,
    resume: values.resume,
    force: values.force,
    ...every !== undefined && { checkpointEveryMs: 1000 * every },
    progress,
    signal: interrupted.signal,
    command: again,
    origin: originOf(usage, values),
  });
  progress.finish();
  interrupted.release();
  if (result.complete) return result.outcome;
  console.error(`Stopped while ${result.during}; go on with: ${again} --resume`);
  return Deno.exit(interrupted.exitCode());
}

/** The options that results depend on, by their names on the command line. */
function originOf(usage: string, values: RunValues): RunOrigin {
  const given = Object.entries(values).filter(([name, value]) => value !== undefined && !OWN_OPTIONS.includes(name));
  return { script: usage.slice(usage.lastIndexOf("/") + 1), options: Object.fromEntries(given) };
}
