/**
 * The free energy of opening the dimer at every temperature of a range, with one flow: the computation without its files.
 *
 * @module
 */
import type { Executor } from "../backend/executor.ts";
import type { FlowAudit } from "../flow/audit_checks.ts";
import { auditFlow } from "../flow/audit_flow.ts";
import type { ParticleDimer } from "../system/particle_dimer.ts";
import type { TrainingPosition } from "../training/train.ts";
import { doubtUnaudited, RUN_AUDIT } from "./audit_report.ts";
import { profileEdges } from "./dimer_bins.ts";
import { describeFlow } from "./dimer_flow.ts";
import { dimerUmbrella } from "./dimer_umbrella.ts";
import { EnergyAccount } from "./energy_ledger.ts";
import { headlineOf } from "./estimates.ts";
import type { Progress } from "./progress.ts";
import type { TrainingKeeper } from "./run_checkpoints.ts";
import { RunParts } from "./run_parts.ts";
import { type ThermodynamicCurve, thermodynamicCurve } from "./temperature_curve.ts";
import { sampleTemperatures, type TemperatureData } from "./temperature_data.ts";
import { evaluateTemperature } from "./temperature_evaluation.ts";
import { type LadderTemperature, logTemperatures, temperatureLadder } from "./temperature_ladder.ts";
import type { TemperaturePoint, TemperatureReference, TemperaturesOutcome } from "./temperature_results.ts";
import type { TemperatureSettings } from "./temperature_settings.ts";
import { TemperatureModel } from "./temperature_training.ts";

/** What to compute, and how thoroughly. */
export interface TemperatureFreeEnergyOptions {
  /** Lowest and highest T in units of T₀. */
  readonly range: readonly [number, number];
  /** Temperatures that the flow is trained at; between each two there is one more at which it is only judged. */
  readonly rungs: number;
  /** Temperatures of umbrella sampling, none for no reference. Default: both ends of the range and their geometric mean. */
  readonly references?: readonly number[];
  /** Sizes. */
  readonly settings: TemperatureSettings;
  /** Seed of everything random. */
  readonly seed: number;
  /** Threads; results do not depend on it. */
  readonly pool: Executor;
  /** Told how far each part is. */
  readonly progress?: Progress;
  /** Times the parts and keeps what they have found. Default: nothing is kept. */
  readonly parts?: RunParts;
  /** Keeps where training stands. Default: nothing is kept. */
  readonly keeper?: TrainingKeeper | undefined;
  /** Milliseconds between two times that it is kept; default 30 000. */
  readonly checkpointEveryMs?: number | undefined;
  /** Ends the computation early with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
}

/** What the computation itself yields: the outcome of a run but for what its caller knows. */
export type TemperatureFreeEnergies = Omit<TemperaturesOutcome, "run">;

/** Samples of temperature number k begin with number k · SAMPLES_APART: no two temperatures share a z. */
const SAMPLES_APART = 2 ** 30;

/** The question: temperatures of the flow and of umbrella sampling. */
type Temperatures = Pick<TemperatureFreeEnergyOptions, "range" | "rungs" | "references">;

/** Temperatures of umbrella sampling. */
function referencesOf({ range: [low, high], references }: Temperatures): readonly number[] {
  return references ?? [low, Math.sqrt(low * high), high];
}

/** Names of the parts: data, one for the flow at each temperature, one for each umbrella sampling. */
export interface TemperatureParts {
  /** Parts that are kept when they are done. */
  readonly kept: readonly string[];
  /** Those among them that umbrella sampling is. */
  readonly references: readonly string[];
}

/**
 * Names the parts of the computation that are kept, for the claim of a directory.
 *
 * @param temperatures range, rungs, references
 * @returns the names
 * @throws {RangeError} if the range is not positive and rising, or there are fewer than two rungs
 */
export function temperatureParts(temperatures: Temperatures): TemperatureParts {
  const references = referencesOf(temperatures).map((_, k) => `reference ${k}`);
  const evaluations = temperatureLadder(temperatures.range, temperatures.rungs).map((_, k) => `evaluation ${k}`);
  return { kept: ["data", ...evaluations, ...references], references };
}

/**
 * Computes F(open) − F(closed) of the dimer at every temperature of a range with one flow: data, training, audit,
 * evaluation, and umbrella sampling beside it.
 *
 * For one seed all numbers but times are the same for any number of threads.
 *
 * @param system the dimer
 * @param options temperatures, sizes, seed, threads
 * @returns estimates at every temperature, the curve through them, references, costs
 * @throws {RangeError} if the range is not positive and rising, or there are fewer than two rungs
 * @throws {Error} if a loss is not finite
 * @throws the reason of the signal, if it says so
 */
export async function temperatureFreeEnergies(
  system: ParticleDimer,
  options: TemperatureFreeEnergyOptions,
): Promise<TemperatureFreeEnergies> {
  return await new TemperatureComputation(system, options).start();
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

/**
 * Lays one curve through the estimates of all temperatures.
 *
 * @param points what was found at each
 * @returns the curve, see {@link thermodynamicCurve}
 */
export function curveThrough(points: readonly TemperaturePoint[]): ThermodynamicCurve {
  return thermodynamicCurve(points.map(({ temperature, evaluation }) => ({
    temperature,
    freeEnergy: evaluation.freeEnergyDifference.bar,
    energy: evaluation.energyDifference,
    covariance: evaluation.covariance,
  })));
}

class TemperatureComputation {
  readonly #system: ParticleDimer;
  readonly #options: TemperatureFreeEnergyOptions;
  readonly #ladder: readonly LadderTemperature[];
  readonly #parts: RunParts;
  readonly #account = new EnergyAccount();
  readonly #moves = { data: 0, umbrella: 0 };

  constructor(system: ParticleDimer, options: TemperatureFreeEnergyOptions) {
    this.#system = system;
    this.#options = options;
    this.#ladder = temperatureLadder(options.range, options.rungs);
    this.#parts = options.parts ?? new RunParts("sampling data", options.progress);
  }

  /** Runs all parts. */
  async start(): Promise<TemperatureFreeEnergies> {
    const { settings } = this.#options;
    const data = await this.#parts.timed("data", () => this.#parts.kept("data", () => this.#data()));
    for (const { energyEvaluations, moves } of data) {
      this.#account.add("data", energyEvaluations);
      this.#moves.data += moves;
    }
    const { model, position } = await this.#parts.timed("training", () => this.#train(data));
    const audit = await this.#parts.timed("audit", () => this.#audit(model));
    const found = await this.#parts.timed("evaluation", () => this.#evaluate(model, data));
    const points = found.map((point) => doubtPoint(point, audit));
    model.flow.release();
    const references = await this.#parts.timed("reference", () => this.#references());
    return {
      points,
      curve: curveThrough(points),
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
  }

  /** The signal, where there is one. */
  #stop(): { signal?: AbortSignal } {
    const { signal } = this.#options;
    return signal === undefined ? {} : { signal };
  }

  async #data(): Promise<TemperatureData[]> {
    const { settings, seed, pool } = this.#options;
    const onProgress = this.#parts.begin("sampling data");
    return await sampleTemperatures({
      system: this.#system,
      ladder: this.#ladder,
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
  ): Promise<{ model: TemperatureModel; position: TrainingPosition }> {
    const { range, settings, seed, pool, checkpointEveryMs, progress, keeper, signal } = this.#options;
    const temperatures = logTemperatures(range);
    const model = new TemperatureModel({ system: this.#system, data, temperatures, settings, seed, pool });
    const parameters = model.flow.parameters();
    const saved = await keeper?.load(parameters) ?? null;
    this.#parts.now = "training";
    const before = [0];
    for (const { steps } of settings.stages) before.push(before[before.length - 1] + steps);
    const done = saved === null ? 0 : before[saved.stage] + saved.step;
    progress?.start("training", before[settings.stages.length], "steps", done);
    const { complete, position } = await model.train({
      onStep: ({ index, step, loss }) => progress?.update(before[index] + step, loss),
      ...keeper && { onCheckpoint: (at: TrainingPosition) => keeper.save(parameters, at) },
      ...checkpointEveryMs !== undefined && { checkpointEveryMs },
      ...this.#stop(),
      ...saved && { resume: saved },
    });
    if (!complete) throw signal!.reason;
    return { model, position };
  }

  #audit(model: TemperatureModel): Promise<FlowAudit> {
    this.#parts.begin("auditing the flow");
    const { seed, pool } = this.#options;
    return auditFlow(model.flow, { ...RUN_AUDIT, data: model.evaluationRows(), seed, pool, ...this.#stop() });
  }

  async #evaluate(model: TemperatureModel, data: readonly TemperatureData[]): Promise<TemperaturePoint[]> {
    const { settings: { evaluation: { samples, bootstraps }, skipNotFinite }, seed, pool } = this.#options;
    const onProgress = this.#parts.begin("sampling the flow");
    const points: TemperaturePoint[] = [];
    for (const [k, { temperature, trained, evaluate: frames, statistics }] of data.entries()) {
      const evaluation = await this.#parts.kept(`evaluation ${k}`, () =>
        evaluateTemperature({
          generator: model.at(temperature),
          system: this.#system,
          temperature,
          frames,
          framesRelaxed: statistics.evaluationRelaxed,
          samples,
          skipNotFinite: skipNotFinite?.samples ?? false,
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
    const { settings: { evaluation: { umbrellaSweeps, bootstraps } }, seed, pool } = this.#options;
    const temperatures = referencesOf(this.#options);
    const parts = temperatureParts(this.#options).references;
    if (temperatures.length === 0) return [];
    const onProgress = this.#parts.begin("umbrella sampling");
    const references: TemperatureReference[] = [];
    for (const [k, temperature] of temperatures.entries()) {
      const found = await this.#parts.kept(parts[k], async () => {
        const { freeEnergyDifference, byStart, moves, energyEvaluations } = await dimerUmbrella(this.#system, {
          temperature,
          sweeps: umbrellaSweeps,
          bootstraps,
          edges: profileEdges(this.#system, temperature),
          seed: seed + k,
          pool,
          keeper: this.#parts.keeper(parts[k], "umbrella"),
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
}
