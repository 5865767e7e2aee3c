/**
 * The run over temperatures: one flow, and the free energy of opening the dimer at every temperature of a range.
 *
 * @module
 */
import { kernelBuild } from "../backend/wasm.ts";
import type { FlowAudit } from "../flow/audit_checks.ts";
import { auditFlow } from "../flow/audit_flow.ts";
import { packageVersion } from "../sampler/version.ts";
import { ParticleDimer, type ParticleDimerOptions } from "../system/particle_dimer.ts";
import type { JsonObject } from "../format/json.ts";
import type { TrainingPosition } from "../training/train.ts";
import { doubtUnaudited, RUN_AUDIT } from "./audit_report.ts";
import { profileEdges } from "./dimer_bins.ts";
import { describeFlow } from "./dimer_flow.ts";
import { dimerUmbrella } from "./dimer_umbrella.ts";
import { EnergyAccount } from "./energy_ledger.ts";
import { headlineOf } from "./estimates.ts";
import { withOrigin } from "./run_origin.ts";
import { partFile, progressFile, type RunOptions, type RunParts, type RunResult } from "./run_parts.ts";
import { thermodynamicCurve } from "./temperature_curve.ts";
import { sampleTemperatures, type TemperatureData } from "./temperature_data.ts";
import { evaluateTemperature } from "./temperature_evaluation.ts";
import { temperatureFigureNames, temperatureFigures } from "./temperature_figures.ts";
import { type LadderTemperature, logTemperatures, temperatureLadder } from "./temperature_ladder.ts";
import { temperaturesReportHtml } from "./temperature_report.ts";
import { temperaturesReportJson } from "./temperature_report_json.ts";
import type { TemperaturePoint, TemperatureReference, TemperaturesOutcome } from "./temperature_results.ts";
import type { TemperatureBudgetName, TemperatureSettings } from "./temperature_settings.ts";
import { TemperatureModel } from "./temperature_training.ts";
import { atWork, type Workplace } from "./workplace.ts";

/** What to run, and where to put it. */
export interface DimerTemperaturesOptions extends RunOptions {
  /** Preset and overrides of the system. */
  readonly system: ParticleDimerOptions;
  /** Lowest and highest T in units of T₀. */
  readonly range: readonly [number, number];
  /** Temperatures that the flow is trained at; between each two there is one more at which it is only judged. */
  readonly rungs: number;
  /** Seed of everything random. */
  readonly seed: number;
  /** Name of the budget, for the report. */
  readonly budget: TemperatureBudgetName;
  /** Its numbers. */
  readonly settings: TemperatureSettings;
}

/** Kind of the checkpoint of training. */
const TRAINING_KIND = "dimer temperatures training";
/** Names of the files of a run in its directory, beside its figures and parts. */
const FILES = { training: "checkpoint.safetensors", json: "report.json", html: "report.html" } as const;
/** Samples of temperature number k begin with number k · SAMPLES_APART: no two temperatures share a z. */
const SAMPLES_APART = 2 ** 30;
/** Parts with umbrella sampling: both ends and the middle of the range. */
const REFERENCES = ["reference 0", "reference 1", "reference 2"] as const;

/**
 * Computes F(open) − F(closed) of the dimer at every temperature of a range with one flow, from data to report.
 *
 * Writes into `out`: the checkpoint with the trained flow and found parts (safetensors), figures (SVG), `report.html` and
 * `report.json`.
 * For one seed all numbers are the same for any number of threads.
 *
 * @param options what, where, whom to tell
 * @returns the outcome, or during which part it was stopped
 * @throws {Error} with one sentence: the directory is not free, a loss is not finite, a file cannot be written
 */
export async function runDimerTemperatures(options: DimerTemperaturesOptions): Promise<RunResult<TemperaturesOutcome>> {
  const system = new ParticleDimer(options.system);
  const ladder = temperatureLadder(options.range, options.rungs);
  const claim = {
    kind: "dimer temperatures",
    configuration: configurationOf(options, system),
    files: [
      ...Object.values(FILES),
      ...partNames(ladder).map(partFile),
      progressFile("data", "chains"),
      ...REFERENCES.map((part) => progressFile(part, "umbrella")),
      ...temperatureFigureNames.map((name) => `figures/${name}.svg`),
    ],
  };
  return await atWork(options, claim, (place) => new TemperaturesRun(options, { system, ladder, ...place }).start());
}

/** What a run keeps beside the checkpoint of its training. */
function partNames(ladder: readonly LadderTemperature[]): string[] {
  return ["data", ...ladder.map((_, k) => `evaluation ${k}`), ...REFERENCES];
}

/** Everything that the results depend on, for the claim of the directory. */
function configurationOf(options: DimerTemperaturesOptions, { preset, parameters }: ParticleDimer): JsonObject {
  const { range, rungs, seed, budget, settings } = options;
  return { budget, system: preset, parameters, range, rungs, seed, settings } as unknown as JsonObject;
}

/** What the run works with. */
interface TemperaturesPlace extends Workplace {
  readonly system: ParticleDimer;
  readonly ladder: readonly LadderTemperature[];
}

/** A temperature whose estimates are marked where the audit of the flow failed. */
function doubtPoint(point: TemperaturePoint, audit: FlowAudit): TemperaturePoint {
  const freeEnergyDifference = doubtUnaudited(point.evaluation.freeEnergyDifference, audit);
  const { energyDifference, entropyDifference } = point.evaluation;
  const evaluation = {
    ...point.evaluation,
    freeEnergyDifference,
    ...doubtUnaudited({ energyDifference, entropyDifference }, audit),
  };
  return audit.passed ? point : { ...point, evaluation, headline: headlineOf(freeEnergyDifference) };
}

class TemperaturesRun {
  readonly #parts: RunParts;
  readonly #options: DimerTemperaturesOptions;
  readonly #place: TemperaturesPlace;
  readonly #account = new EnergyAccount();
  readonly #moves = { data: 0, umbrella: 0 };

  constructor(options: DimerTemperaturesOptions, place: TemperaturesPlace) {
    this.#options = options;
    this.#parts = place.parts;
    this.#place = place;
  }

  /** Runs all parts; null if training was stopped. */
  async start(): Promise<TemperaturesOutcome | null> {
    const { range, rungs, seed, budget, settings, command } = this.#options;
    const { system, pool } = this.#place;
    const data = await this.#parts.timed("data", () => this.#parts.kept("data", () => this.#data()));
    for (const { energyEvaluations, moves } of data) {
      this.#account.add("data", energyEvaluations);
      this.#moves.data += moves;
    }
    const trained = await this.#parts.timed("training", () => this.#train(data));
    if (trained === null) return null;
    const { model, position } = trained;
    const audit = await this.#parts.timed("audit", () => this.#audit(model));
    const found = await this.#parts.timed("evaluation", () => this.#evaluate(model, data));
    const points = found.map((point) => doubtPoint(point, audit));
    model.flow.release();
    const references = await this.#parts.timed("reference", () => this.#references());
    const outcome: TemperaturesOutcome = {
      run: {
        preset: system.preset,
        parameters: system.parameters,
        dim: system.dim,
        range,
        rungs,
        seed,
        budget,
        threads: pool.threads,
        packageVersion,
        kernelBuild,
        command,
      },
      points,
      curve: thermodynamicCurve(points.map(({ temperature, evaluation }) => ({
        temperature,
        freeEnergy: evaluation.freeEnergyDifference.bar,
        energy: evaluation.energyDifference,
        covariance: evaluation.covariance,
      }))),
      references,
      flow: {
        parameters: model.flow.parameters().reduce((sum, p) => sum + (p.trainable ? p.length : 0), 0),
        description: describeFlow({ kind: "autoregressive", ...settings.flow }),
      },
      audit,
      history: model.conditionalHistory(position.history),
      frames: settings.data.frames,
      energyEvaluations: this.#account.ledger,
      moves: this.#moves,
      wallTimeMs: this.#parts.wallTimeMs,
    };
    this.#parts.now = "writing the report";
    await this.#report(outcome);
    return outcome;
  }

  /** The signal, where there is one. */
  #stop(): { signal?: AbortSignal } {
    const { signal } = this.#options;
    return signal === undefined ? {} : { signal };
  }

  async #data(): Promise<TemperatureData[]> {
    const { settings, seed } = this.#options;
    const { system, ladder, pool } = this.#place;
    const onProgress = this.#parts.begin("sampling data");
    return await sampleTemperatures({
      system,
      ladder,
      settings: settings.data,
      seed,
      pool,
      keeper: this.#parts.keeper("data", "chains"),
      onProgress,
      ...this.#stop(),
    });
  }

  async #train(
    data: readonly TemperatureData[],
  ): Promise<{ model: TemperatureModel; position: TrainingPosition } | null> {
    const { range, settings, seed, checkpointEveryMs, progress } = this.#options;
    const { system, checkpoints, pool } = this.#place;
    const model = new TemperatureModel({ system, data, temperatures: logTemperatures(range), settings, seed, pool });
    const parameters = model.flow.parameters();
    const keeper = checkpoints.training(FILES.training, TRAINING_KIND);
    const saved = await keeper.load(parameters);
    this.#parts.now = "training";
    const before = [0];
    for (const { steps } of settings.stages) before.push(before[before.length - 1] + steps);
    const done = saved === null ? 0 : before[saved.stage] + saved.step;
    progress.start("training", before[settings.stages.length], "steps", done);
    const { complete, position } = await model.train({
      onStep: ({ index, step, loss }) => progress.update(before[index] + step, loss),
      onCheckpoint: (at) => keeper.save(parameters, at),
      ...checkpointEveryMs !== undefined && { checkpointEveryMs },
      ...this.#stop(),
      ...saved && { resume: saved },
    });
    return complete ? { model, position } : null;
  }

  #audit(model: TemperatureModel): Promise<FlowAudit> {
    this.#parts.begin("auditing the flow");
    const { seed } = this.#options;
    return auditFlow(model.flow, {
      ...RUN_AUDIT,
      data: model.evaluationRows(),
      seed,
      pool: this.#place.pool,
      ...this.#stop(),
    });
  }

  async #evaluate(model: TemperatureModel, data: readonly TemperatureData[]): Promise<TemperaturePoint[]> {
    const { settings: { evaluation: { samples, bootstraps } }, seed } = this.#options;
    const { system, pool } = this.#place;
    const onProgress = this.#parts.begin("sampling the flow");
    const points: TemperaturePoint[] = [];
    for (const [k, { temperature, trained, evaluate: frames, statistics }] of data.entries()) {
      const evaluation = await this.#parts.kept(`evaluation ${k}`, () =>
        evaluateTemperature({
          generator: model.at(temperature),
          system,
          temperature,
          frames,
          framesRelaxed: statistics.evaluationRelaxed,
          samples,
          skipNotFinite: this.#options.settings.skipNotFinite?.samples ?? false,
          first: k * SAMPLES_APART,
          bootstraps,
          seed,
          pool,
          onProgress: (done) => onProgress((k + done) / data.length),
          ...this.#stop(),
        }));
      this.#account.add("evaluation", samples + frames.d.length);
      const headline = headlineOf(evaluation.freeEnergyDifference);
      points.push({ temperature, trained, data: statistics, evaluation, headline });
    }
    return points;
  }

  async #references(): Promise<TemperatureReference[]> {
    const { settings: { evaluation: { umbrellaSweeps, bootstraps } }, seed, range: [low, high] } = this.#options;
    const { system, pool } = this.#place;
    const onProgress = this.#parts.begin("umbrella sampling");
    const references: TemperatureReference[] = [];
    const temperatures = [low, Math.sqrt(low * high), high];
    for (const [k, temperature] of temperatures.entries()) {
      const found = await this.#parts.kept(REFERENCES[k], async () => {
        const { freeEnergyDifference, byStart, moves, energyEvaluations } = await dimerUmbrella(system, {
          temperature,
          sweeps: umbrellaSweeps,
          bootstraps,
          edges: profileEdges(system, temperature),
          seed: seed + k,
          pool,
          keeper: this.#parts.keeper(REFERENCES[k], "umbrella"),
          onProgress: (done) => onProgress((k + done) / temperatures.length),
          ...this.#stop(),
        });
        return { reference: { temperature, freeEnergyDifference, byStart }, moves, energyEvaluations };
      });
      this.#account.add("reference", found.energyEvaluations);
      this.#moves.umbrella += found.moves;
      references.push(found.reference);
    }
    return references;
  }

  async #report(outcome: TemperaturesOutcome): Promise<void> {
    const { directory } = this.#place;
    const figures = await temperatureFigures(outcome);
    for (const { name, svg } of figures) await directory.write(`figures/${name}.svg`, svg);
    await directory.writeJson(FILES.json, await withOrigin(temperaturesReportJson(outcome), this.#options.origin));
    await directory.write(FILES.html, temperaturesReportHtml(outcome, figures));
  }
}
