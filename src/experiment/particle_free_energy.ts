/**
 * From interactions of particles to an absolute free energy, by an autoregressive particle flow.
 *
 * @module
 */
import { rowsNotFinite } from "../autodiff/not_finite.ts";
import { input } from "../graph/operations.ts";
import { type Executor, serialPool } from "../backend/executor.ts";
import type { FlowAudit } from "../flow/audit_checks.ts";
import { auditFlow } from "../flow/audit_flow.ts";
import { AutoregressiveParticleFlow } from "../flow/autoregressive_particle_flow.ts";
import { Flow, type Generator } from "../flow/flow.ts";
import { SymmetrisedGenerator } from "../flow/symmetrised_generator.ts";
import { BoltzmannGenerator } from "../hybrid/boltzmann_generator.ts";
import { maximumLikelihoodLoss } from "../loss/maximum_likelihood.ts";
import type { ParticleInteractions } from "../system/particle_interactions.ts";
import type { SymmetryOperation } from "../system/symmetry.ts";
import type { System } from "../system/system.ts";
import { FrameBuffer } from "../training/frame_buffer.ts";
import { restoreSnapshot } from "../training/snapshot.ts";
import { type HistoryEntry, type Stage, train, type TrainingPosition } from "../training/train.ts";
import { doubtUnaudited, RUN_AUDIT } from "./audit_report.ts";
import { headlineOf } from "./estimates.ts";
import { evaluatePartition, type PartitionEvaluation } from "./partition_evaluation.ts";
import type { SkipNotFinite } from "./sample_pieces.ts";
import { validationNll } from "./validation.ts";
import type { TrainingKeeper } from "./run_checkpoints.ts";

/** A system of particles: its exact energy, and the parts of it that a flow builds in. */
export type ParticleTarget = Pick<System, "dim" | "energy" | "inDomain"> & ParticleInteractions;

/** Configurations of a system from Monte Carlo: three sets of chains that share nothing, all in the reference domain. */
export interface ParticleFrames {
  /** For training [n, dim]; may be correlated. */
  readonly train: Float64Array;
  /** By which the best parameters are chosen [n, dim]. */
  readonly validate: Float64Array;
  /** For the free energy: configurations [n, dim] and the chain of each [n]. At least four chains, better 32. */
  readonly evaluate: { readonly x: Float64Array; readonly chain: Int32Array };
}

/** Everything that decides what is computed beside system, data, temperature and seed. */
export interface ParticleFlowSettings {
  /** Density of a particle: with its exact pair energies, or a mixture of Gaussians that knows no energy. */
  readonly head: "tilted" | "mixture";
  /** Hidden layers of each particle's network. */
  readonly hidden: readonly number[];
  /** Lines per axis of the tilted head: 9, 17, 33, 65 or 129. */
  readonly grid: { readonly fine: number; readonly coarse: number };
  /** Order of placement; null for ascending numbers. */
  readonly order: readonly number[] | null;
  /** The only stage of training: maximum likelihood. */
  readonly training: Stage;
  /** Steps between validations. */
  readonly reportEvery: number;
  /** What may be skipped because it is not finite. Default: nothing. */
  readonly skipNotFinite?: SkipNotFinite;
  /** Flow samples. */
  readonly samples: number;
  /** Replicates of the bootstrap. */
  readonly bootstraps: number;
}

/** How to compute. */
export interface ParticleFreeEnergyOptions {
  /** T in the units in which energies are k_BT₀. Default 1. */
  readonly temperature?: number;
  /**
   * Symmetries of energy and reference domain beside the identity, with which they form a group. Training sees frames
   * under them, and the flow is averaged over them: exact, and never worse. Default none.
   */
  readonly symmetries?: readonly SymmetryOperation[];
  /** What replaces {@link particleFlowSettings}. */
  readonly settings?: Partial<ParticleFlowSettings>;
  /** Whether the chains of the evaluation frames had relaxed; if not, BAR is unreliable. Default true. */
  readonly framesRelaxed?: boolean;
  /** Seed of weights, batches, samples and bootstrap. Default 0. */
  readonly seed?: number;
  /** Threads; results do not depend on it. Default the calling one. */
  readonly pool?: Executor;
  /** Told which part is under way and how much of it is done, 0 … 1. */
  readonly onProgress?: (part: "training" | "sampling the flow", done: number, loss?: number) => void;
  /** Keeps where training stands; what it kept is gone on with. Default: nothing is kept. */
  readonly keeper?: TrainingKeeper;
  /** Milliseconds between two times that it is kept; default 30 000. */
  readonly checkpointEveryMs?: number;
  /** Ends the computation early with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** ln Z with what it rests on, and the flow that it comes from. */
export interface ParticleFreeEnergy extends PartitionEvaluation {
  /** The trained flow. */
  readonly flow: Flow;
  /** What samples are drawn from: the flow, averaged over the symmetries. */
  readonly generator: Generator;
  /** Loss curves. */
  readonly history: readonly HistoryEntry[];
  /** Whether the flow is what it claims to be. */
  readonly audit: FlowAudit;
}

/** Settings for some ten particles in two dimensions: minutes on two cores. */
export const particleFlowSettings: ParticleFlowSettings = {
  head: "tilted",
  hidden: [64, 64],
  grid: { fine: 33, coarse: 17 },
  order: null,
  training: {
    name: "maximum likelihood",
    steps: 2000,
    batch: 128,
    learningRate: { shape: "cosine", initial: 3e-3, final: 3e-5, warmup: 50 },
    adam: { maximumNorm: 20 },
  },
  reportEvery: 100,
  samples: 16_384,
  bootstraps: 200,
};

/** Configurations that coordinates are scaled by. */
const FITTED_FRAMES = 20_000;

/**
 * Computes ln Z = ln ∫ e^(−U/T) dx over the reference domain: trains an {@link AutoregressiveParticleFlow} on Monte Carlo
 * frames and compares its samples with frames that training has not seen.
 *
 * F = −ln Z in k_BT is an absolute free energy: the flow's density is normalised, no reference state is needed. With a
 * domain that holds one labelling of N alike particles Z is ∫ … dx / N!, the configuration integral of statistical
 * mechanics. Lengths are in the system's unit; momenta are left out (they add ln of the thermal wavelength for each
 * coordinate).
 *
 * `logPartition.bar` is the Bennett acceptance ratio between all flow samples (of zero weight outside the domain) and the
 * evaluation frames, `logPartition.reweighting` uses flow samples alone. Neither takes the flow for the target: one that
 * is poor costs larger errors, and reasons for doubt appear. BAR also needs frames that are in equilibrium.
 *
 * @param system exact energy, pair and one-body terms, reference domain
 * @param frames Monte Carlo of it at this temperature
 * @param options temperature, symmetries, sizes, seed, threads
 * @returns ln Z twice, the quality of the flow and its audit, samples with weights, the flow
 * @throws {RangeError} if frames do not fit the system, are not finite or lie outside its reference domain, or a number of
 * the settings is not whole
 * @throws {NotFiniteError} if a loss, a sample or a weight is not finite
 *
 * @example One particle in a harmonic trap, Z = 2π
 * ```ts
 * import { RandomStream } from "@boltzflow/boltzflow";
 * import { particleFreeEnergy } from "@boltzflow/boltzflow/experiment";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * const trap = {
 *   dim: 2,
 *   particles: 1,
 *   spatialDim: 2 as const,
 *   referencePositions: Float64Array.of(0, 0),
 *   pairTerm: () => null,
 *   oneBodyEnergy: (_particle: number, _axis: number, x: number) => x * x / 2,
 *   energy: (x: Float64Array) => x.filter((_, i) => i % 2 === 0).map((v, i) => (v * v + x[2 * i + 1] ** 2) / 2),
 * };
 * const normals = (seed: number) => new RandomStream(seed).fillNormals(new Float64Array(2000));
 * const chain = Int32Array.from({ length: 1000 }, (_, i) => i % 20);
 * const frames = { train: normals(1), validate: normals(2), evaluate: { x: normals(3), chain } };
 * const training = { name: "fit", steps: 50, batch: 128, learningRate: { shape: "constant", initial: 1e-2 } } as const;
 * const { logPartition } = await particleFreeEnergy(trap, frames, { settings: { training, samples: 1000 } });
 *
 * assertAlmostEquals(logPartition.bar.value!, Math.log(2 * Math.PI), 0.05);
 * ```
 */
export async function particleFreeEnergy(
  system: ParticleTarget,
  frames: ParticleFrames,
  options: ParticleFreeEnergyOptions = {},
): Promise<ParticleFreeEnergy> {
  checkFrames(system, frames);
  const { temperature = 1, symmetries = [], seed = 0, pool = serialPool, onProgress, signal } = options;
  const settings = { ...particleFlowSettings, ...options.settings };
  checkSettings(settings);
  const trained = await trainFlow(system, frames, { ...options, settings, temperature, symmetries, seed, pool });
  const { flow } = trained;
  const audit = await auditFlow(flow, { ...RUN_AUDIT, data: frames.evaluate.x, seed, pool, ...signal && { signal } });
  const generator = symmetries.length === 0 ? flow : new SymmetrisedGenerator(flow, symmetries);
  const evaluation = await evaluatePartition(
    new BoltzmannGenerator(generator, system, {
      beta: 1 / temperature,
      skipNotFinite: settings.skipNotFinite?.samples ?? false,
    }),
    frames.evaluate,
    {
      samples: settings.samples,
      bootstraps: settings.bootstraps,
      framesRelaxed: options.framesRelaxed ?? true,
      seed,
      pool,
      ...onProgress && { onProgress: (done: number) => onProgress("sampling the flow", done) },
      ...signal && { signal },
    },
  );
  flow.release();
  const { bar, reweighting } = evaluation.logPartition;
  const doubted = doubtUnaudited({ bar, reweighting }, audit);
  const logPartition = { ...doubted, headline: headlineOf(doubted) };
  return { ...evaluation, logPartition, ...trained, generator, audit };
}

type Training = Required<Pick<ParticleFreeEnergyOptions, "temperature" | "symmetries" | "seed" | "pool">> & {
  readonly settings: ParticleFlowSettings;
} & Pick<ParticleFreeEnergyOptions, "onProgress" | "signal" | "keeper" | "checkpointEveryMs">;

/** Fits a flow to the frames and trains it; it is left with the parameters of lowest validation NLL. */
async function trainFlow(
  system: ParticleTarget,
  { train: frames, validate }: ParticleFrames,
  { settings, temperature, symmetries, seed, pool, onProgress, signal, keeper, checkpointEveryMs }: Training,
): Promise<{ flow: Flow; history: readonly HistoryEntry[] }> {
  const { dim, particles, spatialDim } = system;
  const buffer = new FrameBuffer({ dim, capacity: frames.length / dim, seed, symmetries });
  buffer.push(frames);
  const { head, hidden, grid, order, training } = settings;
  // Stage 255 has no steps: no batch of the training is drawn for it.
  const fitted = buffer.batch(Math.min(FITTED_FRAMES, Math.max(2, buffer.length)), 255, 0);
  const bijector = AutoregressiveParticleFlow.fit(fitted, {
    particles,
    spatialDim,
    hidden,
    temperature,
    seed,
    head: head === "mixture" ? { kind: "mixture" } : { kind: "tilted", interactions: system, grid },
    ...order && { order },
  });
  const flow = new Flow(bijector);
  const parameters = flow.parameters().filter((parameter) => parameter.trainable);
  const saved = await keeper?.load(flow.parameters());
  const { complete, position } = await train({
    parameters,
    stages: [training],
    objective: (graph, { batch }, stage) => ({
      loss: maximumLikelihoodLoss(flow, input(graph, "x", dim)),
      metrics: {},
      batch: (step) => [buffer.batch(batch, stage, step)],
    }),
    validate: () => validationNll(flow, validate, pool),
    reportEvery: settings.reportEvery,
    skipNotFinite: settings.skipNotFinite?.steps ?? 0,
    pool,
    ...onProgress &&
      {
        onStep: ({ step, loss }: { step: number; loss: number }) => onProgress("training", step / training.steps, loss),
      },
    ...keeper && { onCheckpoint: (at: TrainingPosition) => keeper.save(flow.parameters(), at) },
    ...checkpointEveryMs !== undefined && { checkpointEveryMs },
    ...signal && { signal },
    ...saved && { resume: saved },
  });
  if (!complete) throw signal!.reason;
  if (position.best.size > 0) restoreSnapshot(parameters, position.best);
  flow.release();
  return { flow, history: position.history };
}

/** Refuses numbers of samples and replicates of which nothing can be made, before the training. */
function checkSettings({ samples, bootstraps }: ParticleFlowSettings): void {
  for (const [name, value] of Object.entries({ samples, bootstraps })) {
    if (Number.isInteger(value) && value >= 1) continue;
    throw new RangeError(
      `Cannot compute a free energy of particles: ${name} must be a whole number ≥ 1, got ${value}`,
    );
  }
}

/** Refuses frames that are not of the system. */
function checkFrames(system: ParticleTarget, { train, validate, evaluate }: ParticleFrames): void {
  const { dim, particles, spatialDim } = system;
  const task = "compute a free energy of particles";
  if (dim !== particles * spatialDim) {
    throw new RangeError(
      `Cannot ${task}: dim must be particles · spatialDim = ${particles * spatialDim}, got ${dim}`,
    );
  }
  for (const [name, x] of Object.entries({ train, validate, "evaluate.x": evaluate.x })) {
    if (x.length === 0 || x.length % dim !== 0) {
      throw new RangeError(`Cannot ${task}: ${name} must hold one or more rows of ${dim}, got ${x.length} numbers`);
    }
    const broken = rowsNotFinite(x, dim);
    if (broken.count > 0) {
      throw new RangeError(
        `Cannot ${task}: ${name} must be finite, got ${broken.count} of ${
          x.length / dim
        } frames that are not, the first ` +
          `with index ${broken.first}`,
      );
    }
    const outside = system.inDomain?.(x).reduce((count, inside) => count + 1 - inside, 0) ?? 0;
    if (outside === 0) continue;
    throw new RangeError(
      `Cannot ${task}: ${name} must lie in the reference domain, got ${outside} of ${x.length / dim} frames outside: ` +
        "canonicalize them",
    );
  }
  if (evaluate.chain.length * dim !== evaluate.x.length) {
    throw new RangeError(
      `Cannot ${task}: evaluate.chain must name a chain for each of ${evaluate.x.length / dim} frames, got ` +
        `${evaluate.chain.length}`,
    );
  }
}
