/**
 * A flow of a comparison: trained for so many steps, and judged on the way.
 *
 * @module
 */
import type { Parameter } from "../graph/parameter.ts";
import type { Executor } from "../backend/executor.ts";
import type { FlowAudit } from "../flow/audit_checks.ts";
import { auditFlow } from "../flow/audit_flow.ts";
import type { Generator } from "../flow/flow.ts";
import { SymmetrisedGenerator } from "../flow/symmetrised_generator.ts";
import type { TiltedGrid } from "../flow/tilted_head.ts";
import { MetropolisChains } from "../sampling/metropolis_chains.ts";
import { dimerSymmetries } from "../system/dimer_symmetries.ts";
import type { ParticleDimer } from "../system/particle_dimer.ts";
import { restoreSnapshot, takeSnapshot } from "../training/snapshot.ts";
import type { TrainingPosition } from "../training/train.ts";
import { RUN_AUDIT } from "./audit_report.ts";
import { type Judged, judgeDensity, judgementOf } from "./comparison_judgement.ts";
import type { ComparisonPoint, ContenderResult, JudgedDensity } from "./comparison_results.ts";
import { type ComparisonSettings, type ContenderName, VALIDATIONS } from "./comparison_settings.ts";
import type { SampledDimerData } from "./dimer_data.ts";
import type { DimerTrainingState } from "./dimer_checkpoint.ts";
import { describeFlow, type DimerFlow, dimerFlow } from "./dimer_flow.ts";
import type { DimerSettings, DimerStage } from "./dimer_settings.ts";
import { type SourceOptions, trainDimer, type TrainingCounts, TrainingSource } from "./dimer_training.ts";
import { type Costed, costed, type ProcessorClock } from "./processor_time.ts";
import { pairTermsOf, tiltedPairTerms } from "./quadrature_work.ts";
import { partFile, type RunParts } from "./run_parts.ts";

/** What every flow of a comparison is given. */
export interface ComparisonSurroundings {
  /** The system. */
  readonly system: ParticleDimer;
  /** T in units of T₀. */
  readonly temperature: number;
  /** Seed of everything random. */
  readonly seed: number;
  /** The numbers of the comparison. */
  readonly settings: ComparisonSettings;
  /** The data, and what they cost. Their chains are copied, not moved. */
  readonly data: Costed<SampledDimerData>;
  /** Threads. */
  readonly pool: Executor;
  /** Measures cost. */
  readonly clock: ProcessorClock;
  /** Told after every step. */
  readonly onStep?: (done: number, loss: number) => void;
  /** Told that a flow is now judged, for so many percent. */
  readonly onEvaluation?: (share: number) => void;
  /** Stops training or evaluation. */
  readonly signal?: AbortSignal | undefined;
  /** Keep where training, judging and references stand, and what they have found. */
  readonly parts: RunParts;
  /** Keep where the training of a flow stands. Default: nothing is kept. */
  readonly keeper?: {
    /** Sets the parameters; null to begin. */
    load(parameters: readonly Parameter[]): Promise<DimerTrainingState | null>;
    /** Keeps it. */
    save(parameters: readonly Parameter[], state: DimerTrainingState): Promise<void>;
  };
  /** Milliseconds between two times that training is kept; default 30 000. */
  readonly checkpointEveryMs?: number | undefined;
}

/** Configurations that coordinates are scaled by. */
const FITTED_FRAMES = 20_000;
/** Steps before the clock is looked at: kernels are lowered and memory is touched for the first time. */
const WARM_UP = 3;
/** Steps of a stage that never comes to its end nor to its first validation. */
const LONG = 2 ** 30;

/**
 * The stages of maximum likelihood in a flow's schedule, stretched.
 *
 * @param settings of the flow
 * @param steps in all, a multiple of 32: the stages end at multiples of a 32nd of it
 * @returns the stages
 */
export function stagesOf({ stages }: DimerSettings, steps: number): DimerStage[] {
  const kept = stages.filter(({ weights }) => weights.energy === 0 && weights.reactionCoordinate === 0);
  const all = kept.reduce((sum, stage) => sum + stage.steps, 0);
  const ends = kept.map((_, k) => {
    const until = kept.slice(0, k + 1).reduce((sum, stage) => sum + stage.steps, 0);
    return Math.round(VALIDATIONS * until / all) * steps / VALIDATIONS;
  });
  return kept.map((stage, k) => ({ ...stage, steps: ends[k] - (k === 0 ? 0 : ends[k - 1]) }));
}

/** Minutes of processor time. */
export interface TrainingCost {
  /** Of one step. */
  readonly step: number;
  /** Of one validation. */
  readonly validation: number;
  /** Of beginning to train, or going on after the flow was judged. */
  readonly start: number;
}

/** Where training stands, and what it took. */
interface Trained {
  readonly position: TrainingPosition;
  readonly minutes: number;
}

/** Steps in all up to a position. */
function stepsOf(stages: readonly DimerStage[], { stage, step }: TrainingPosition): number {
  return stages.slice(0, stage).reduce((sum, { steps }) => sum + steps, step);
}

/** Refuses to judge a flow that has gone on since: what was found then is lost. */
function requireAt(stages: readonly DimerStage[], position: TrainingPosition, steps: number, judgement: string): void {
  const now = stepsOf(stages, position);
  if (now === steps) return;
  throw new Error(
    `Cannot resume the comparison: ${
      partFile(judgement)
    } must be whole, for the flow has been trained from step ${steps} ` +
      `to ${now} since: put the file back, or start anew with --force`,
  );
}

/** A flow with its data, on the way. */
export class ContenderTraining {
  readonly #name: ContenderName;
  readonly #around: ComparisonSurroundings;
  readonly #settings: DimerSettings;
  #source: TrainingSource;
  readonly #sourceOptions: SourceOptions;
  readonly #model: DimerFlow;
  readonly #counts: TrainingCounts = { energies: 0, outOfBounds: 0, coordinates: 0 };
  readonly #energiesAtStart: number;

  /**
   * Makes the flow, untrained.
   *
   * @param name which flow
   * @param around data, threads, clock
   */
  constructor(name: ContenderName, around: ComparisonSurroundings) {
    const { system, temperature, seed, settings, data: { result: data }, pool } = around;
    this.#name = name;
    this.#around = around;
    this.#settings = settings.contenders[name];
    // A copy of the chains: each flow gets the frames that it would get alone.
    const chains = MetropolisChains.fromState(system, data.chains.state);
    const { freshPerStep } = this.#settings.data;
    this.#sourceOptions = { stride: data.statistics.stride.train, freshPerStep, seed, pool };
    this.#energiesAtStart = chains.energyEvaluations;
    this.#source = new TrainingSource(system, data.train.x, chains, this.#sourceOptions);
    const fitted = this.#source.buffer.batch(Math.min(FITTED_FRAMES, data.train.d.length), 255, 0);
    this.#model = dimerFlow({ settings: this.#settings.flow, system, temperature, seed, data: fitted });
  }

  /** Trains through stages from a position, until `isEnough` says so after a step. */
  async #train(
    stages: readonly DimerStage[],
    reportEvery: number,
    isEnough: (step: number) => boolean,
    from?: TrainingPosition,
    onCheckpoint?: (position: TrainingPosition) => Promise<void>,
  ): Promise<TrainingPosition> {
    const { system, temperature, seed, data, pool, signal, onStep, checkpointEveryMs } = this.#around;
    const stop = new AbortController();
    const before = stages.map((_, k) => stages.slice(0, k).reduce((sum, { steps }) => sum + steps, 0));
    const { position } = await trainDimer({
      model: this.#model,
      system,
      beta: 1 / temperature,
      settings: { ...this.#settings, stages, reportEvery },
      source: this.#source,
      validate: data.result.validate,
      reactionCoordinate: { bounds: [0, 1] },
      seed,
      pool,
      onStep({ index, step, loss }) {
        onStep?.(before[index] + step, loss);
        if (isEnough(before[index] + step)) stop.abort();
      },
      ...onCheckpoint && { onCheckpoint },
      checkpointEveryMs,
      signal: signal === undefined ? stop.signal : AbortSignal.any([stop.signal, signal]),
      ...from && { resume: from },
    }, this.#counts);
    signal?.throwIfAborted();
    return position;
  }

  /**
   * Measures what training costs, on a flow that is thrown away afterwards.
   *
   * @param least minutes of processor time to spend on the steps of a stage, at least
   * @returns minutes of processor time of a step, a validation and a start, averages over the stages
   */
  async calibrate(least: number): Promise<TrainingCost> {
    const { clock, data: { result: data }, pool } = this.#around;
    const stages = stagesOf(this.#settings, VALIDATIONS);
    const cost = { step: 0, validation: 0, start: 0 };
    for (const stage of stages) {
      const share = stage.steps / VALIDATIONS;
      const begin = clock();
      let [start, steps, spent] = [begin, 0, 0];
      await this.#train([{ ...stage, steps: LONG }], LONG, (step) => {
        if (step === WARM_UP) start = clock();
        steps = step - WARM_UP;
        spent = (clock() - start) / 60_000;
        return steps >= WARM_UP && spent >= least;
      });
      const validation = await costed(clock, () => this.#model.flow.logProb(data.validate.x, { pool }));
      this.#model.flow.release();
      cost.step += share * spent / steps;
      cost.validation += share * validation.minutes;
      cost.start += share * (start - begin) / 60_000;
    }
    return cost;
  }

  /**
   * Trains and judges the flow.
   *
   * @param steps steps in all, a multiple of 32
   * @returns what became of it
   */
  async run(steps: number): Promise<ContenderResult> {
    const { settings, parts } = this.#around;
    const { flow } = this.#model;
    const trainable = flow.parameters().filter((parameter) => parameter.trainable);
    const points: ComparisonPoint[] = [];
    const stages = stagesOf(this.#settings, steps);
    let at = await this.#restored();
    let audit: FlowAudit | undefined;
    for (const share of settings.shares) {
      at = await this.#trainUntil(Math.round(share * steps), stages, at);
      const { position, minutes } = at;
      const current = takeSnapshot(trainable);
      if (position.best.size > 0) restoreSnapshot(trainable, position.best);
      this.#model.setGrid();
      const judgement = judgementOf(this.#name, share);
      points.push(
        await parts.kept(judgement, () => {
          requireAt(stages, position, Math.round(share * steps), judgement);
          return this.#point(stages, share, minutes);
        }),
      );
      if (share === settings.shares.at(-1)) audit = await this.#audit();
      restoreSnapshot(trainable, current);
      flow.release();
    }
    return {
      name: this.#name,
      description: describeFlow(this.#settings.flow).replace(/, averaged over.*/, ""),
      parameters: trainable.reduce((sum, { length }) => sum + length, 0),
      batch: stages[0].batch,
      audit: audit!,
      points,
    };
  }

  /** Where an earlier program has left the training. */
  async #restored(): Promise<Trained | undefined> {
    const saved = await this.#around.keeper?.load(this.#model.flow.parameters());
    if (!saved) return undefined;
    this.#source = TrainingSource.restore(this.#around.system, saved, this.#sourceOptions);
    Object.assign(this.#counts, saved.counts);
    return { position: saved.position, minutes: saved.minutes ?? 0 };
  }

  /** Trains up to a number of steps in all; one that an earlier program has left behind is behind already. */
  async #trainUntil(done: number, stages: readonly DimerStage[], from?: Trained): Promise<Trained> {
    const { clock, keeper } = this.#around;
    const start = clock() - 60_000 * (from?.minutes ?? 0);
    const minutes = () => (clock() - start) / 60_000;
    const save = async (position: TrainingPosition) => {
      const { buffer: { frames, pushed }, chains } = this.#source;
      const state = { position, counts: this.#counts, frames, pushed, chains, minutes: minutes() };
      await keeper?.save(this.#model.flow.parameters(), state);
    };
    if (from !== undefined && stepsOf(stages, from.position) >= done) return from;
    const every = stages.reduce((sum, { steps }) => sum + steps, 0) / VALIDATIONS;
    const position = await this.#train(stages, every, (step) => step === done, from?.position, save);
    return { position, minutes: minutes() };
  }

  /** Audits the flow; it is in no time that is compared. */
  #audit(): Promise<FlowAudit> {
    const { data: { result: { evaluate } }, seed, pool, signal } = this.#around;
    return auditFlow(this.#model.flow, { ...RUN_AUDIT, data: evaluate.x, seed, pool, ...signal && { signal } });
  }

  /** Judges the flow as it is after a part of its training. */
  async #point(stages: readonly DimerStage[], share: number, training: number): Promise<ComparisonPoint> {
    const { data, system } = this.#around;
    const { flow } = this.#model;
    const symmetries = dimerSymmetries(system);
    const fresh = this.#source.chains.energyEvaluations - this.#energiesAtStart;
    return {
      share,
      steps: Math.round(share * stages.reduce((sum, { steps }) => sum + steps, 0)),
      minutes: { data: data.minutes, training },
      energies: { data: data.result.statistics.energyEvaluations + fresh, training: this.#counts.energies },
      quadrature: this.#quadratureOfTraining(stages, share),
      densities: {
        plain: await this.#judge("plain", share, flow, 1),
        symmetrised: await this.#judge(
          "symmetrised",
          share,
          new SymmetrisedGenerator(flow, symmetries),
          1 + symmetries.length,
        ),
      },
    };
  }

  /** Pair terms inside the densities of training and validation, in energies. */
  #quadratureOfTraining(stages: readonly DimerStage[], share: number): number {
    const all = stages.reduce((sum, { steps }) => sum + steps, 0);
    const frames = this.#around.data.result.validate.d.length;
    let left = Math.round(share * all);
    let total = 0;
    for (const { steps, batch, grid } of stages) {
      const done = Math.min(left, steps);
      total += (done * batch + Math.floor(done / all * VALIDATIONS) * frames) * this.#energiesInside(grid);
      left -= done;
    }
    return total;
  }

  /** Pair terms inside one density, in energies; without a grid, on that of sampling. */
  #energiesInside(grid?: TiltedGrid): number {
    const { flow } = this.#settings;
    if (flow.kind === "realnvp") return 0;
    return tiltedPairTerms(this.#model.flow.bijector, grid ?? flow.grid) / pairTermsOf(this.#around.system);
  }

  /** Judges a density that takes so many densities of the flow. */
  #judge(density: Judged["density"], share: number, generator: Generator, images: number): Promise<JudgedDensity> {
    const energiesInside = images * this.#energiesInside();
    return judgeDensity(this.#around, { name: this.#name, share, density, generator, energiesInside });
  }
}
