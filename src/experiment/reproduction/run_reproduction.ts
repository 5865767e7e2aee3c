/**
 * All experiments of the founding papers in one run, with one report.
 *
 * @module
 */
import { NotFiniteError } from "../../autodiff/not_finite.ts";
import { kernelBuild } from "../../backend/wasm.ts";
import type { JsonObject } from "../../format/json.ts";
import { packageVersion } from "../../sampler/version.ts";
import { openProcessorClock, type ProcessorClock } from "../processor_time.ts";
import { runEnvironment, withOrigin } from "../run_origin.ts";
import { partFile, type RunOptions, type RunResult } from "../run_parts.ts";
import { atWork, type Workplace } from "../workplace.ts";
import type { Experiment, ExperimentContext, ExperimentResult, ReproductionBudget } from "./experiment.ts";
import { experiments } from "./experiments.ts";
import type { ReproducedExperiment, ReproductionOutcome } from "./reproduction_results.ts";
import { reproductionJson, reproductionMarkdown } from "./reproduction_report.ts";

/** What to reproduce, and where to put it. */
export interface ReproductionOptions extends RunOptions {
  /** How thorough. */
  readonly budget: ReproductionBudget;
  /** Seed of everything random. */
  readonly seed: number;
  /** Names of the experiments to run; default: all, but with the budget "default" not the long ones. */
  readonly only?: readonly string[];
  /** What can be run; default {@link experiments}. */
  readonly experiments?: readonly Experiment[];
}

const REPORT = "reproduction.md";
const NUMBERS = "reproduction.json";
/** Parts whose names begin so belong to all experiments. */
const SHARED = "shared ";
/** Kind of the checkpoints of trainings. */
const TRAINING_KIND = "training of an experiment";

/**
 * Runs experiments one after the other and writes `reproduction.md`, `reproduction.json` and pictures (SVG) into `out`,
 * anew after each. What an experiment found is kept: a resumed run does the others, and those of the parts of a long one
 * that are missing.
 *
 * @param options what, where, whom to tell
 * @returns rows of all experiments that have run in this directory, or during which part it was stopped
 * @throws {RangeError} if there is no experiment of a name
 * @throws {Error} with one sentence: the directory is not free, a file cannot be written
 */
export async function runReproduction(options: ReproductionOptions): Promise<RunResult<ReproductionOutcome>> {
  const { budget, seed, experiments: all = experiments } = options;
  const chosen = chosenOf(options, all);
  const claim = {
    kind: "reproduction",
    configuration: { budget, seed } as JsonObject,
    files: [REPORT, NUMBERS, ...all.flatMap((experiment) => filesOf(experiment, budget))],
  };
  const clock = await openProcessorClock();
  return await atWork(options, claim, async (place) => {
    const found = new Map<string, ReproducedExperiment>();
    for (const { name } of all) {
      const before = await place.parts.found<ReproducedExperiment>(name);
      if (before !== null) found.set(name, before);
    }
    const shared: Shared = new Map();
    for (const experiment of chosen) {
      options.signal?.throwIfAborted();
      const { name } = experiment;
      if (found.has(name)) continue;
      found.set(name, await place.parts.kept(name, () => runOne(experiment, options, { ...place, clock, shared })));
      await writeReport(all, found, options, place);
    }
    return await writeReport(all, found, options, place);
  });
}

/** Parts that belong to all experiments, as they are done. */
type Shared = Map<string, Promise<unknown>>;

function chosenOf({ only, budget }: ReproductionOptions, all: readonly Experiment[]): readonly Experiment[] {
  if (only === undefined) return all.filter(({ long }) => !long || budget !== "default");
  const unknown = only.find((name) => all.every((experiment) => experiment.name !== name));
  if (unknown !== undefined) {
    throw new RangeError(
      `Cannot reproduce: only must name experiments (${all.map(({ name }) => name).join(", ")}), got "${unknown}"`,
    );
  }
  return all.filter(({ name }) => only.includes(name));
}

/** Everything that an experiment may write. */
function filesOf(experiment: Experiment, budget: ReproductionBudget): string[] {
  const { name, figures } = experiment;
  const parts = experiment.parts(budget).map((part) => partName(name, part));
  return [
    partFile(name),
    ...parts.flatMap((part) => [partFile(part), trainingFile(part)]),
    ...figures.map((figure) => figureFile(name, figure)),
  ];
}

function partName(experiment: string, part: string): string {
  return part.startsWith(SHARED) ? part : `${experiment} ${part}`;
}

function trainingFile(part: string): string {
  return partFile(`${part} training`);
}

/**
 * Names the file of a picture.
 *
 * @param experiment its name
 * @param figure its name
 * @returns the file, relative to the directory of the run
 */
export function figureFile(experiment: string, figure: string): string {
  return `figures/${experiment}_${figure}.svg`;
}

async function runOne(
  experiment: Experiment,
  { budget, seed, signal, progress }: ReproductionOptions,
  { checkpoints, parts, pool, directory, clock, shared }: Workplace & { clock: ProcessorClock; shared: Shared },
): Promise<ReproducedExperiment> {
  const { name, title, about, long } = experiment;
  let shown = "";
  const context: ExperimentContext = {
    budget,
    seed,
    pool,
    clock,
    ...signal && { signal },
    onProgress(part, share) {
      if (part !== shown) parts.begin(`${name}: ${shown = part}`);
      progress.update(Math.floor(100 * share));
    },
    kept<T>(part: string, work: () => Promise<T>) {
      const keep = () => parts.kept(partName(name, part), work);
      if (!part.startsWith(SHARED)) return keep();
      if (!shared.has(part)) shared.set(part, keep());
      return shared.get(part) as Promise<T>;
    },
    training: (part) => checkpoints.training(trainingFile(partName(name, part)), TRAINING_KIND),
  };
  parts.begin(name);
  const start = performance.now();
  const found = await experiment.run(context).catch((error) => failed(error));
  for (const { name: figure, svg } of found.figures) await directory.write(figureFile(name, figure), svg);
  const seconds = (performance.now() - start) / 1000;
  const { commit } = await runEnvironment();
  return { name, title, about, long, failure: null, ...found, seconds, commit };
}

/** Numbers that are not finite are the failure of one experiment; anything else ends the run. */
function failed(error: unknown): ExperimentResult & { readonly failure: string } {
  if (!(error instanceof NotFiniteError)) throw error;
  return { rows: [], figures: [], remarks: [], failure: error.message };
}

/** Writes what has been found so far. */
async function writeReport(
  all: readonly Experiment[],
  found: ReadonlyMap<string, ReproducedExperiment>,
  { budget, seed, command, origin }: ReproductionOptions,
  { pool, directory }: Workplace,
): Promise<ReproductionOutcome> {
  const outcome: ReproductionOutcome = {
    run: { budget, seed, threads: pool.threads, packageVersion, kernelBuild, command },
    experiments: all.flatMap(({ name }) => found.get(name) ?? []),
    notRun: all.filter(({ name }) => !found.has(name)).map(({ name, title, long }) => ({ name, title, long })),
  };
  await directory.write(REPORT, reproductionMarkdown(outcome, figureFile));
  // Whoever runs it again wants all experiments of the report, whichever of the commands ran them.
  const only = outcome.experiments.map(({ name }) => name).join(",");
  const again = origin && { ...origin, options: { ...origin.options, only } };
  await directory.writeJson(NUMBERS, await withOrigin(reproductionJson(outcome, figureFile), again));
  return outcome;
}
