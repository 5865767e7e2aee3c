/**
 * The comparison: flows, umbrella sampling and plain Monte Carlo, each for the same time.
 *
 * @module
 */
import { kernelBuild } from "../backend/wasm.ts";
import { packageVersion } from "../sampler/version.ts";
import type { ProgressKeeper } from "../sampling/keeper.ts";
import type { MetropolisProgress } from "../sampling/metropolis_sample.ts";
import { ParticleDimer, type ParticleDimerOptions } from "../system/particle_dimer.ts";
import type { JsonObject } from "../format/json.ts";
import { comparisonFigureNames, comparisonFigures } from "./comparison_figures.ts";
import { contenderFiles } from "./comparison_judgement.ts";
import { comparisonReferences, referenceParts, sweepsWithin } from "./comparison_references.ts";
import { comparisonReportHtml, comparisonReportJson } from "./comparison_report.ts";
import type { ComparisonOutcome, ComparisonReferences, ContenderResult } from "./comparison_results.ts";
import {
  type ComparisonPlan,
  type ComparisonSettings,
  type ContenderName,
  VALIDATIONS,
} from "./comparison_settings.ts";
import { type ComparisonSurroundings, ContenderTraining } from "./comparison_training.ts";
import { loadDimerTraining, packDimerData, saveDimerTraining, unpackDimerData } from "./dimer_checkpoint.ts";
import { type SampledDimerData, sampleDimerData } from "./dimer_data.ts";
import { type Costed, costed, openProcessorClock, type ProcessorClock } from "./processor_time.ts";
import { withOrigin } from "./run_origin.ts";
import type { RunCheckpoints } from "./run_checkpoints.ts";
import { partFile, progressFile, type RunOptions, type RunParts, type RunResult } from "./run_parts.ts";
import { atWork, type Workplace } from "./workplace.ts";

/** What to compare, and where to put it. */
export interface DimerComparisonOptions extends RunOptions {
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
}

/** Names of the files beside the figures. */
const FILES = { data: "data.safetensors", json: "comparison.json", html: "comparison.html" } as const;
/** Kind of the checkpoint of the data. */
const DATA_KIND = "comparison data";
const CONTENDERS: readonly ContenderName[] = ["realnvp", "tilted", "mixture"];
/** Names the part that measures what the training of a flow costs. */
const costOf = (name: ContenderName): string => `cost of ${name}`;
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
export async function runDimerComparison(options: DimerComparisonOptions): Promise<RunResult<ComparisonOutcome>> {
  const system = new ParticleDimer(options.system);
  const claim = {
    kind: "dimer comparison",
    configuration: configurationOf(options, system),
    files: [
      ...Object.values(FILES),
      progressFile("data", "chains"),
      ...["plan", ...CONTENDERS.map(costOf), ...CONTENDERS, "references"].map(partFile),
      ...CONTENDERS.flatMap((name) => contenderFiles(name, options.settings.shares).all),
      ...referenceParts(options.settings.referenceShares.length).flatMap((part) => [
        partFile(part),
        progressFile(part, "chains"),
      ]),
      ...comparisonFigureNames.map((name) => `figures/${name}.svg`),
    ],
  };
  return await atWork(options, claim, async (place) => {
    const clock = await openProcessorClock();
    return await new ComparisonRun(options, { system, clock, ...place }).start();
  });
}

function configurationOf(options: DimerComparisonOptions, { preset, parameters }: ParticleDimer): JsonObject {
  const { temperature, seed, settings, plan = null } = options;
  return { system: preset, parameters, temperature, seed, settings, plan } as unknown as JsonObject;
}

/** Loads the data, and what they cost. */
async function loadData(checkpoints: RunCheckpoints, system: ParticleDimer): Promise<Costed<SampledDimerData> | null> {
  const saved = await checkpoints.loadIfWhole(FILES.data, DATA_KIND);
  return saved && { result: unpackDimerData(system, saved, FILES.data), minutes: Number(saved.state.minutes) };
}

/** Saves what {@link loadData} loads. */
async function saveData(checkpoints: RunCheckpoints, { result, minutes }: Costed<SampledDimerData>): Promise<void> {
  const { state, tensors } = packDimerData(result);
  await checkpoints.save(FILES.data, DATA_KIND, { state: { ...state, minutes }, tensors });
}

/** What a comparison works with. */
interface ComparisonPlace extends Workplace {
  readonly system: ParticleDimer;
  readonly clock: ProcessorClock;
}

class ComparisonRun {
  readonly #parts: RunParts;
  readonly #options: DimerComparisonOptions;
  readonly #place: ComparisonPlace;

  constructor(options: DimerComparisonOptions, place: ComparisonPlace) {
    this.#options = options;
    this.#parts = place.parts;
    this.#place = place;
  }

  async start(): Promise<ComparisonOutcome> {
    const { settings, temperature, seed, command } = this.#options;
    const { system, pool } = this.#place;
    const { checkpoints } = this.#place;
    const storage = {
      load: () => loadData(checkpoints, system),
      save: (found: Costed<SampledDimerData>) => saveData(checkpoints, found),
    };
    const data = await this.#parts.timed("data", () => this.#parts.kept("data", () => this.#sample(), storage));
    const plan = this.#options.plan ?? await this.#parts.timed(
      "calibration",
      () => this.#parts.kept("plan", () => this.#plan(data)),
    );
    const contenders: ContenderResult[] = [];
    for (const name of CONTENDERS) {
      const train = () => this.#parts.kept(name, () => this.#train(name, plan, data));
      contenders.push(await this.#parts.timed(name, train));
    }
    const references = await this.#parts.timed(
      "references",
      () => this.#parts.kept("references", () => this.#references(plan)),
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
    const { temperature, seed, settings, signal, checkpointEveryMs } = this.#options;
    const { system, pool, clock, parts } = this.#place;
    return { system, temperature, seed, settings, pool, clock, signal, parts, checkpointEveryMs };
  }

  #sample(): Promise<Costed<SampledDimerData>> {
    const { temperature, seed, settings, signal } = this.#options;
    const { system, pool, clock } = this.#place;
    const onProgress = this.#parts.begin("sampling data");
    return costed(clock, (keeper?: ProgressKeeper<readonly MetropolisProgress[]>) =>
      sampleDimerData({
        system,
        temperature,
        settings: { ...settings.data, freshPerStep: 0 },
        seed,
        pool,
        onProgress,
        keeper,
        ...signal && { signal },
      }), this.#parts.keeper("data", "chains"));
  }

  /** Finds how much work fits into the time. */
  async #plan(data: Costed<SampledDimerData>): Promise<ComparisonPlan> {
    const onProgress = this.#parts.begin("measuring what steps cost");
    const budget = this.#options.settings.minutes * this.#place.pool.threads;
    const steps: Record<ContenderName, number> = { realnvp: 0, tilted: 0, mixture: 0 };
    for (const [k, name] of CONTENDERS.entries()) {
      const { step, validation, start } = await this.#parts.kept(
        costOf(name),
        () => new ContenderTraining(name, { ...this.#around(), data }).calibrate(CALIBRATION * budget),
      );
      const fixed = data.minutes + VALIDATIONS * validation + this.#options.settings.shares.length * start;
      steps[name] = VALIDATIONS * Math.max(1, Math.floor((budget - fixed) / step / VALIDATIONS));
      onProgress((k + 1) / (CONTENDERS.length + 1));
    }
    const times = this.#options.settings.referenceShares.map((share) => share * budget);
    return { steps, sweeps: await sweepsWithin(this.#around(), times) };
  }

  async #train(name: ContenderName, plan: ComparisonPlan, data: Costed<SampledDimerData>): Promise<ContenderResult> {
    this.#parts.now = `training ${name}`;
    const { progress, settings } = this.#options;
    const { system, checkpoints } = this.#place;
    const steps = plan.steps[name];
    progress.start(this.#parts.now, steps, "steps");
    const file = contenderFiles(name, settings.shares).training;
    const training = new ContenderTraining(name, {
      ...this.#around(),
      data,
      keeper: {
        load: (parameters) => loadDimerTraining(checkpoints, system, parameters, file),
        save: (parameters, state) => saveDimerTraining(checkpoints, parameters, state, file),
      },
      onStep: (done, loss) => progress.update(done, loss),
    });
    return await training.run(steps);
  }

  #references({ sweeps }: ComparisonPlan): Promise<ComparisonReferences> {
    return comparisonReferences(this.#around(), sweeps, this.#parts.begin("umbrella sampling and plain Monte Carlo"));
  }

  async #report(outcome: ComparisonOutcome): Promise<void> {
    const { directory } = this.#place;
    const figures = await comparisonFigures(outcome);
    for (const { name, svg } of figures) await directory.write(`figures/${name}.svg`, svg);
    await directory.writeJson(FILES.json, await withOrigin(comparisonReportJson(outcome), this.#options.origin));
    await directory.write(FILES.html, comparisonReportHtml(outcome, figures));
  }
}
