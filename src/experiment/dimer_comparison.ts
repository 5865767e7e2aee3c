/**
 * The comparison: flows, umbrella sampling and plain Monte Carlo, each for the same time.
 *
 * @module
 */
import { ThreadPool } from "../backend/pool.ts";
import { kernelBuild } from "../backend/wasm.ts";
import { packageVersion } from "../onnx/version.ts";
import { ParticleDimer, type ParticleDimerOptions } from "../system/particle_dimer.ts";
import type { JsonObject } from "../training/json.ts";
import { comparisonFigureNames, comparisonFigures } from "./comparison_figures.ts";
import { comparisonReferences, sweepsWithin } from "./comparison_references.ts";
import { comparisonReportHtml, comparisonReportJson } from "./comparison_report.ts";
import type { ComparisonOutcome, ContenderResult } from "./comparison_results.ts";
import {
  type ComparisonPlan,
  type ComparisonSettings,
  type ContenderName,
  VALIDATIONS,
} from "./comparison_settings.ts";
import { type ComparisonSurroundings, ContenderTraining } from "./comparison_training.ts";
import { type SampledDimerData, sampleDimerData } from "./dimer_data.ts";
import { type Costed, costed, openProcessorClock, type ProcessorClock } from "./processor_time.ts";
import type { Progress } from "./progress.ts";
import { RunDirectory } from "./run_directory.ts";
import { RunParts } from "./run_parts.ts";

/** What to compare, and where to put it. */
export interface DimerComparisonOptions {
  /** Preset and overrides of the system. */
  readonly system: ParticleDimerOptions;
  /** T in units of T₀. */
  readonly temperature: number;
  /** Seed of everything random. */
  readonly seed: number;
  /** Its numbers. */
  readonly settings: ComparisonSettings;
  /** Steps and sweeps, to repeat a comparison number by number. Default: as many as fit into the time on this machine. */
  readonly plan?: ComparisonPlan | undefined;
  /** Number of threads. */
  readonly threads: number;
  /** Directory for everything that is written. */
  readonly out: string;
  /** Replace the run that is there. */
  readonly force?: boolean;
  /** Told how far the comparison is. */
  readonly progress: Progress;
  /** Stops it; nothing is kept. */
  readonly signal?: AbortSignal;
  /** The command line, for the report. */
  readonly command: string;
}

/** How a comparison ended: with an outcome, or stopped during a part. */
export type DimerComparisonResult =
  | { readonly complete: true; readonly outcome: ComparisonOutcome }
  | { readonly complete: false; readonly during: string };

/** Names of the files beside the figures. */
const FILES = { json: "comparison.json", html: "comparison.html" } as const;
const CONTENDERS: readonly ContenderName[] = ["realnvp", "tilted", "mixture"];
/** Share of the time that measuring the cost of a step may take. */
const CALIBRATION = 0.02;

/**
 * Compares RealNVP, the autoregressive particle flow with either head, umbrella sampling and plain Monte Carlo on the
 * dimer, each for the same processor time.
 *
 * Flows share data and their augmentation; each is trained by maximum likelihood on its usual schedule, stretched over as
 * many steps as fit into the time less that of the data, and judged on the way with the parameters of lowest validation
 * NLL. How many steps fit is measured beforehand; all other numbers follow from the plan and the seed, for any number of
 * threads. Writes `comparison.json`, `comparison.html` and figures.
 *
 * @param options what, where, whom to tell
 * @returns the outcome, or during which part it was stopped
 * @throws {Error} with one sentence: the directory is not free, a loss is not finite, a file cannot be written
 */
export async function runDimerComparison(options: DimerComparisonOptions): Promise<DimerComparisonResult> {
  const system = new ParticleDimer(options.system);
  await using directory = await RunDirectory.claim(options.out, {
    kind: "dimer comparison",
    configuration: configurationOf(options, system),
    files: [...Object.values(FILES), ...comparisonFigureNames.map((name) => `figures/${name}.svg`)],
    force: options.force ?? false,
  });
  using pool = await ThreadPool.open(options.threads);
  const run = new ComparisonRun(options, { system, directory, pool, clock: await openProcessorClock() });
  try {
    return { complete: true, outcome: await run.start() };
  } catch (error) {
    if (options.signal?.aborted && error === options.signal.reason) return { complete: false, during: run.part };
    throw error;
  } finally {
    options.progress.finish();
  }
}

function configurationOf({ temperature, seed, settings }: DimerComparisonOptions, system: ParticleDimer): JsonObject {
  const { preset, parameters } = system;
  return { system: preset, parameters, temperature, seed, settings } as unknown as JsonObject;
}

/** What a comparison works with. */
interface Workplace {
  readonly system: ParticleDimer;
  readonly directory: RunDirectory;
  readonly pool: ThreadPool;
  readonly clock: ProcessorClock;
}

class ComparisonRun {
  readonly #parts: RunParts;
  readonly #options: DimerComparisonOptions;
  readonly #place: Workplace;

  constructor(options: DimerComparisonOptions, place: Workplace) {
    this.#options = options;
    this.#parts = new RunParts("sampling data", options.progress);
    this.#place = place;
  }

  /** What is being done. */
  get part(): string {
    return this.#parts.now;
  }

  async start(): Promise<ComparisonOutcome> {
    const { settings, temperature, seed, command } = this.#options;
    const { system, pool } = this.#place;
    const data = await this.#parts.timed("data", () => this.#data());
    const plan = this.#options.plan ?? await this.#parts.timed("calibration", () => this.#plan(data));
    const contenders: ContenderResult[] = [];
    for (const name of CONTENDERS) contenders.push(await this.#parts.timed(name, () => this.#train(name, plan, data)));
    const references = await this.#parts.timed(
      "references",
      () =>
        comparisonReferences(this.#around(), plan.sweeps, this.#parts.begin("umbrella sampling and plain Monte Carlo")),
    );
    const outcome: ComparisonOutcome = {
      run: {
        preset: system.preset,
        parameters: system.parameters,
        dim: system.dim,
        temperature,
        seed,
        threads: pool.threads,
        packageVersion,
        kernelBuild,
        command,
      },
      settings,
      plan,
      data: { ...data.result.statistics, minutes: data.minutes },
      contenders,
      references,
      wallTimeMs: this.#parts.wallTimeMs,
    };
    this.#parts.now = "writing the report";
    await this.#report(outcome);
    return outcome;
  }

  #around(): Omit<ComparisonSurroundings, "data"> {
    const { temperature, seed, settings, signal } = this.#options;
    const { system, pool, clock } = this.#place;
    return { system, temperature, seed, settings, pool, clock, signal };
  }

  #data(): Promise<Costed<SampledDimerData>> {
    const { temperature, seed, settings, signal } = this.#options;
    const { system, pool, clock } = this.#place;
    const onProgress = this.#parts.begin("sampling data");
    return costed(clock, () =>
      sampleDimerData({
        system,
        temperature,
        settings: { ...settings.data, freshPerStep: 0 },
        seed,
        pool,
        onProgress,
        ...signal && { signal },
      }));
  }

  /** Finds how much work fits into the time. */
  async #plan(data: Costed<SampledDimerData>): Promise<ComparisonPlan> {
    const onProgress = this.#parts.begin("measuring what steps cost");
    const budget = this.#options.settings.minutes * this.#place.pool.threads;
    const steps: Record<ContenderName, number> = { realnvp: 0, tilted: 0, mixture: 0 };
    for (const [k, name] of CONTENDERS.entries()) {
      const cost = await new ContenderTraining(name, { ...this.#around(), data }).calibrate(CALIBRATION * budget);
      const fixed = data.minutes + VALIDATIONS * cost.validation + this.#options.settings.shares.length * cost.start;
      steps[name] = VALIDATIONS * Math.max(1, Math.floor((budget - fixed) / cost.step / VALIDATIONS));
      onProgress((k + 1) / (CONTENDERS.length + 1));
    }
    const times = this.#options.settings.referenceShares.map((share) => share * budget);
    return { steps, sweeps: await sweepsWithin(this.#around(), times) };
  }

  async #train(name: ContenderName, plan: ComparisonPlan, data: Costed<SampledDimerData>): Promise<ContenderResult> {
    this.#parts.now = `training ${name}`;
    const { progress } = this.#options;
    const steps = plan.steps[name];
    progress.start(this.part, steps, "steps");
    const training = new ContenderTraining(name, {
      ...this.#around(),
      data,
      onStep: (done, loss) => progress.update(done, loss),
    });
    return await training.run(steps);
  }

  async #report(outcome: ComparisonOutcome): Promise<void> {
    const { directory } = this.#place;
    const figures = await comparisonFigures(outcome);
    for (const { name, svg } of figures) await directory.write(`figures/${name}.svg`, svg);
    await directory.writeJson(FILES.json, comparisonReportJson(outcome));
    await directory.write(FILES.html, comparisonReportHtml(outcome, figures));
  }
}
