/**
 * The dimer run: from Monte Carlo to a free energy, a report and models.
 *
 * @module
 */
import type { ThreadPool } from "../backend/pool.ts";
import { kernelBuild } from "../backend/wasm.ts";
import type { FlowAudit } from "../flow/audit_checks.ts";
import { auditFlow } from "../flow/audit_flow.ts";
import type { Flow } from "../flow/flow.ts";
import { exportFlow, roundWeights } from "../onnx/export_flow.ts";
import { packageVersion } from "../sampler/version.ts";
import type { MetropolisChains } from "../sampling/metropolis_chains.ts";
import { ParticleDimer, type ParticleDimerOptions } from "../system/particle_dimer.ts";
import { restoreSnapshot } from "../training/snapshot.ts";
import type { TrainingPosition } from "../training/train.ts";
import { doubtUnaudited, RUN_AUDIT } from "./audit_report.ts";
import { loadDimerData, loadDimerTraining, saveDimerData, saveDimerTraining } from "./dimer_checkpoint.ts";
import { type SampledDimerData, sampleDimerData } from "./dimer_data.ts";
import { profileEdges } from "./dimer_bins.ts";
import { evaluateDimer } from "./dimer_evaluation.ts";
import { dimerFigures } from "./dimer_figures.ts";
import { configurationOf, dimerFigureNames, dimerFiles, type DimerQuestion } from "./dimer_files.ts";
import { describeFlow, type DimerFlow, dimerFlow } from "./dimer_flow.ts";
import { checkModels, describeDimer } from "./dimer_models.ts";
import { dimerPath } from "./dimer_path.ts";
import { dimerReference } from "./dimer_reference.ts";
import { dimerReportHtml } from "./dimer_report_html.ts";
import { dimerReportJson } from "./dimer_report_json.ts";
import type { DimerOutcome } from "./dimer_results.ts";
import { trainDimer, type TrainingCounts, TrainingSource } from "./dimer_training.ts";
import { EnergyAccount } from "./energy_ledger.ts";
import { headlineOf } from "./estimates.ts";
import type { RunCheckpoints } from "./run_checkpoints.ts";
import type { RunDirectory } from "./run_directory.ts";
import { withOrigin } from "./run_origin.ts";
import { partFile, progressFile, type RunOptions, type RunParts, type RunResult } from "./run_parts.ts";
import { atWork, type Workplace } from "./workplace.ts";

/** What to run, and where to put it. */
export interface DimerRunOptions extends DimerQuestion, RunOptions {
  /** Preset and overrides of the system. */
  readonly system: ParticleDimerOptions;
}

/** Configurations that coordinates are scaled by. */
const FITTED_FRAMES = 20_000;

/**
 * Runs the dimer from data to report.
 *
 * Writes into `out`: data, checkpoint and found parts (safetensors), `sampler.onnx`, `density.onnx`, figures (SVG), `report.html` and
 * `report.json`. For one seed, models and checkpoints are the same bytes for any number of threads.
 *
 * @param options what, where, whom to tell
 * @returns the outcome, or during which part it was stopped
 * @throws {Error} with one sentence: the directory is not free, a loss is not finite, a file cannot be written
 */
export async function runDimer(options: DimerRunOptions): Promise<RunResult<DimerOutcome>> {
  const system = new ParticleDimer(options.system);
  const claim = {
    kind: "dimer",
    configuration: configurationOf(options, system),
    files: [
      ...Object.values(dimerFiles),
      ...["evaluation", "reference"].map(partFile),
      progressFile("data", "chains"),
      progressFile("evaluation", "samples"),
      ...["umbrella", "plain"].map((what) => progressFile("reference", what)),
      ...dimerFigureNames.map((name) => `figures/${name}.svg`),
    ],
  };
  return await atWork(options, claim, (place) => new DimerRun(options, system, place).start());
}

/** What training leaves behind. */
interface Trained {
  /** The flow with its best parameters, ready to sample. */
  readonly flow: Flow;
  /** What samples are drawn from. */
  readonly generator: DimerFlow["generator"];
  /** History, and where training ended. */
  readonly position: TrainingPosition;
  /** The training chains, fresh frames included. */
  readonly chains: MetropolisChains;
}

class DimerRun {
  readonly #options: DimerRunOptions;
  readonly #system: ParticleDimer;
  readonly #beta: number;
  readonly #directory: RunDirectory;
  readonly #checkpoints: RunCheckpoints;
  readonly #parts: RunParts;
  readonly #pool: ThreadPool;
  readonly #account = new EnergyAccount();
  readonly #counts: TrainingCounts = { energies: 0, outOfBounds: 0, coordinates: 0 };

  constructor(options: DimerRunOptions, system: ParticleDimer, { directory, checkpoints, parts, pool }: Workplace) {
    this.#options = options;
    this.#system = system;
    this.#beta = 1 / options.temperature;
    this.#directory = directory;
    this.#checkpoints = checkpoints;
    this.#parts = parts;
    this.#pool = pool;
  }

  /** Runs all parts; null if training was stopped. */
  async start(): Promise<DimerOutcome | null> {
    const data = await this.#parts.timed(
      "data",
      () =>
        this.#parts.kept("data", () => this.#data(), {
          load: () => loadDimerData(this.#checkpoints, this.#system),
          save: (found) => saveDimerData(this.#checkpoints, found),
        }),
    );
    const atStart = { energies: data.chains.energyEvaluations, moves: data.chains.moves };
    const trained = await this.#parts.timed("training", () => this.#train(data));
    if (trained === null) return null;
    const { flow, generator, position, chains } = trained;
    const freshMoves = chains.moves - atStart.moves;
    const audit = await this.#parts.timed("audit", () => this.#audit(flow, data));
    this.#account.add("data", data.statistics.energyEvaluations + chains.energyEvaluations - atStart.energies);
    const evaluation = await this.#parts.timed(
      "evaluation",
      () => this.#parts.kept("evaluation", () => this.#evaluate(generator, data)),
    );
    flow.release();
    this.#account.add("evaluation", evaluation.samples + data.evaluate.d.length);
    const reference = await this.#parts.timed(
      "reference",
      () => this.#parts.kept("reference", () => this.#reference()),
    );
    const { umbrella, plain } = reference.moves;
    this.#account.add("reference", reference.energyEvaluations);
    const path = await dimerPath(flow, this.#system, this.#beta, data.evaluate, this.#pool);
    const onnx = await this.#parts.timed("export", () => this.#export(flow));
    const freeEnergyDifference = doubtUnaudited(evaluation.freeEnergyDifference, audit);
    const { options, system } = { options: this.#options, system: this.#system };
    const outcome: DimerOutcome = {
      run: {
        preset: system.preset,
        parameters: system.parameters,
        dim: system.dim,
        seed: options.seed,
        budget: options.budget,
        temperature: options.temperature,
        threads: this.#pool.threads,
        packageVersion,
        kernelBuild,
        command: options.command,
      },
      energyEvaluations: this.#account.ledger,
      moves: { data: data.statistics.moves + freshMoves, umbrella, plain },
      wallTimeMs: this.#parts.wallTimeMs,
      data: {
        ...data.statistics,
        frames: {
          train: data.train.d.length,
          validate: data.validate.d.length,
          evaluate: data.evaluate.d.length,
        },
      },
      flow: {
        kind: options.settings.flow.kind,
        parameters: flow.parameters().reduce((sum, p) => sum + (p.trainable ? p.length : 0), 0),
        description: describeFlow(options.settings.flow, options.settings.storage),
      },
      history: position.history,
      stages: options.settings.stages.map(({ name, steps }) => ({ name, steps })),
      keep: options.settings.keep,
      reactionCoordinate: {
        bounds: options.reactionCoordinate.bounds,
        samples: this.#counts.coordinates,
        outOfBounds: this.#counts.outOfBounds,
      },
      audit,
      evaluation: { ...evaluation, freeEnergyDifference },
      reference,
      headline: headlineOf(freeEnergyDifference),
      path,
      onnx,
    };
    this.#parts.now = "writing the report";
    await this.#report(outcome);
    return outcome;
  }

  /** What every long part is told. */
  #common(): { pool: ThreadPool; seed: number; temperature: number; signal?: AbortSignal } {
    const { seed, temperature, signal } = this.#options;
    return { pool: this.#pool, seed, temperature, ...signal && { signal } };
  }

  #data(): Promise<SampledDimerData> {
    return sampleDimerData({
      system: this.#system,
      settings: this.#options.settings.data,
      ...this.#common(),
      keeper: this.#parts.keeper("data", "chains"),
      onProgress: this.#parts.begin("sampling data"),
    });
  }

  async #train(data: SampledDimerData): Promise<Trained | null> {
    const { settings, seed, temperature, signal, reactionCoordinate, checkpointEveryMs } = this.#options;
    const [system, pool, checkpoints] = [this.#system, this.#pool, this.#checkpoints];
    const sourceOptions = {
      stride: data.statistics.stride.train,
      freshPerStep: settings.data.freshPerStep,
      seed,
      pool,
    };
    const fresh = new TrainingSource(system, data.train.x, data.chains, sourceOptions);
    const fitted = fresh.buffer.batch(Math.min(FITTED_FRAMES, data.train.d.length), 255, 0);
    const model = dimerFlow({ settings: settings.flow, system, temperature, seed, data: fitted });
    const { flow, generator } = model;
    const saved = await loadDimerTraining(checkpoints, system, flow.parameters());
    if (saved !== null) Object.assign(this.#counts, saved.counts);
    const source = saved === null ? fresh : TrainingSource.restore(system, saved, sourceOptions);
    this.#beginTraining(saved?.position ?? null);
    const stepsBefore = settings.stages.map((_, i) => settings.stages.slice(0, i).reduce((n, s) => n + s.steps, 0));
    const { complete, position } = await trainDimer({
      model,
      system,
      beta: this.#beta,
      settings,
      source,
      validate: data.validate,
      reactionCoordinate,
      seed,
      pool,
      onStep: ({ index, step, loss }) => this.#options.progress.update(stepsBefore[index] + step, loss),
      onCheckpoint: (at) =>
        saveDimerTraining(checkpoints, flow.parameters(), {
          position: at,
          counts: this.#counts,
          frames: source.buffer.frames,
          pushed: source.buffer.pushed,
          chains: source.chains,
        }),
      checkpointEveryMs,
      ...signal && { signal },
      ...saved && { resume: saved.position },
    }, this.#counts);
    this.#account.add("training", this.#counts.energies);
    if (!complete) return null;
    const trainable = flow.parameters().filter((parameter) => parameter.trainable);
    if (settings.keep === "best" && position.best.size > 0) restoreSnapshot(trainable, position.best);
    roundWeights(trainable, settings.storage ?? "float32");
    model.setGrid();
    flow.release();
    return { flow, generator, position, chains: source.chains };
  }

  #beginTraining(from: TrainingPosition | null): void {
    this.#parts.now = "training";
    const { stages } = this.#options.settings;
    const total = stages.reduce((sum, stage) => sum + stage.steps, 0);
    const before = stages.slice(0, from?.stage ?? 0).reduce((sum, stage) => sum + stage.steps, 0);
    this.#options.progress.start("training", total, "steps", before + (from?.step ?? 0));
  }

  #audit(flow: Flow, { evaluate }: SampledDimerData): Promise<FlowAudit> {
    this.#parts.begin("auditing the flow");
    const { pool, seed, signal } = this.#common();
    return auditFlow(flow, { ...RUN_AUDIT, data: evaluate.x, seed, pool, ...signal && { signal } });
  }

  async #evaluate(generator: DimerFlow["generator"], data: SampledDimerData) {
    const { samples, until, bootstraps } = this.#options.settings.evaluation;
    return await evaluateDimer({
      generator,
      system: this.#system,
      beta: this.#beta,
      frames: data.evaluate,
      framesRelaxed: data.statistics.evaluationRelaxed,
      samples,
      skipNotFinite: this.#options.settings.skipNotFinite?.samples ?? false,
      until,
      bootstraps,
      edges: profileEdges(this.#system, this.#options.temperature),
      ...this.#common(),
      keeper: this.#parts.keeper("evaluation", "samples"),
      onProgress: this.#parts.begin("sampling the flow"),
    });
  }

  #reference() {
    const { umbrellaSweeps, bootstraps } = this.#options.settings.evaluation;
    return dimerReference(this.#system, {
      sweepsPerWindow: umbrellaSweeps,
      bootstraps,
      ...this.#common(),
      keepers: {
        umbrella: this.#parts.keeper("reference", "umbrella"),
        plain: this.#parts.keeper("reference", "plain"),
      },
      onProgress: this.#parts.begin("umbrella sampling"),
    });
  }

  async #export(flow: Flow) {
    this.#parts.begin("exporting models");
    const { seed, temperature, settings: { storage = "float32" } } = this.#options;
    const models = exportFlow(flow, describeDimer(this.#system, temperature, seed), { storage });
    await this.#directory.write(dimerFiles.sampler, models.sampler);
    await this.#directory.write(dimerFiles.density, models.density);
    const checked = await checkModels(models, flow, seed);
    flow.release();
    return { files: { sampler: dimerFiles.sampler, density: dimerFiles.density }, ...checked };
  }

  async #report(outcome: DimerOutcome): Promise<void> {
    const figures = await dimerFigures(outcome);
    for (const { name, svg } of figures) await this.#directory.write(`figures/${name}.svg`, svg);
    const models = [dimerFiles.sampler, dimerFiles.density].map((name) => [name, this.#directory.pathOf(name)]);
    const json = await withOrigin(dimerReportJson(outcome), this.#options.origin, Object.fromEntries(models));
    await this.#directory.writeJson(dimerFiles.json, json);
    await this.#directory.write(dimerFiles.html, await dimerReportHtml(outcome, figures));
  }
}
