/**
 * The comparison: flows, umbrella sampling and plain Monte Carlo, each for the same time.
 *
 * @module
 */
import { kernelBuild } from "../backend/wasm.ts";
import { packageVersion } from "../sampler/version.ts";
import { ParticleDimer, type ParticleDimerOptions } from "../system/particle_dimer.ts";
import type { JsonObject } from "../format/json.ts";
import { comparisonFigureNames, comparisonFigures } from "./comparison_figures.ts";
import { comparisonReferences, sweepsWithin } from "./comparison_references.ts";
import { comparisonReportHtml, comparisonReportJson } from "./comparison_report.ts";
import type { ComparisonOutcome, ComparisonReferences, ContenderResult } from "./comparison_results.ts";
import {
  type ComparisonPlan,
  type ComparisonSettings,
  type ContenderName,
  VALIDATIONS,
} from "./comparison_settings.ts";
import { type ComparisonSurroundings, ContenderTraining } from "./comparison_training.ts";
import { packDimerData, unpackDimerData } from "./dimer_checkpoint.ts";
import { type SampledDimerData, sampleDimerData } from "./dimer_data.ts";
import { type Costed, costed, openProcessorClock, type ProcessorClock } from "./processor_time.ts";
import { withOrigin } from "./run_origin.ts";
import { partFile, type RunOptions, type RunParts, type RunResult } from "./run_parts.ts";
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
      ...["plan", ...CONTENDERS, "references"].map(partFile),
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
    const data = await this.#parts.timed("data", () => this.#data());
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
    const { temperature, seed, settings, signal } = this.#options;
    const { system, pool, clock } = this.#place;
    return { system, temperature, seed, settings, pool, clock, signal };
  }

  /** The data, and what they cost: sampled, or kept by the run that is resumed. */
  async #data(): Promise<Costed<SampledDimerData>> {
    const { system, checkpoints } = this.#place;
    const saved = await checkpoints.loadIfWhole(FILES.data, DATA_KIND);
    if (saved !== null) {
      return { result: unpackDimerData(system, saved, FILES.data), minutes: Number(saved.state.minutes) };
    }
    const { result, minutes } = await this.#sample();
    const { state, tensors } = packDimerData(result);
    await checkpoints.save(FILES.data, DATA_KIND, { state: { ...state, minutes }, tensors });
    return { result, minutes };
  }

  #sample(): Promise<Costed<SampledDimerData>> {
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
    progress.start(this.#parts.now, steps, "steps");
    const training = new ContenderTraining(name, {
      ...this.#around(),
      data,
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
