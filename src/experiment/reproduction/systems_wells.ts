/**
 * Wells in one and two dimensions: double wells of all presets, and the bond of the dimer by itself.
 *
 * @module
 */
import { AutoregressiveParticleFlow } from "../../flow/autoregressive_particle_flow.ts";
import { Chain } from "../../flow/chain.ts";
import { Flow } from "../../flow/flow.ts";
import { NeuralSpline } from "../../flow/neural_spline.ts";
import { Whitening } from "../../flow/whitening.ts";
import { BoltzmannGenerator } from "../../hybrid/boltzmann_generator.ts";
import { boltzmannObjective, type BoltzmannStage } from "../../hybrid/boltzmann_objective.ts";
import { type BasinFreeEnergies, basinFreeEnergies } from "../../reweighting/basin_free_energies.ts";
import { type Estimate, estimateFrom, noEstimate } from "../../reweighting/estimate.ts";
import { logSumExp } from "../../reweighting/log_sum_exp.ts";
import { expOf } from "../../random/elementary.ts";
import { metropolis, type MetropolisFrames } from "../../sampling/metropolis.ts";
import { bondCoefficients } from "../../system/dimer_bond.ts";
import { DoubleWell, type DoubleWellPreset } from "../../system/double_well.ts";
import { ParticleDimer, type ParticleDimerPreset } from "../../system/particle_dimer.ts";
import { FrameBuffer } from "../../training/frame_buffer.ts";
import { train } from "../../training/train.ts";
import type { ExperimentContext } from "./experiment.ts";
import { printedRange } from "./printed_range.ts";
import { byQuadrature, type Published, type ReproducedRow } from "./row.ts";
import { type Cost, costOf, type SystemsSettings } from "./systems_settings.ts";

/** A well, a temperature, and what is asked. */
interface WellTask {
  /** What it is called in rows. */
  readonly name: string;
  readonly system: DoubleWell;
  readonly temperature: number;
  /** Whether ln Z is asked for. */
  readonly logPartition: boolean;
  /** What ΔF is the difference of; null where there is one basin. */
  readonly difference: string | null;
  readonly published?: Published;
}

/** What a flow says of a well. */
interface WellAnswer {
  readonly logPartition: Estimate;
  readonly difference: Estimate;
  readonly cost: Cost;
}

const RIGHT_LEFT = "ΔF(right − left)";
const NAMES = ["left", "right"];

function doubleWellTasks(): WellTask[] {
  const presets: DoubleWellPreset[] = ["noe2019", "paper-si", "cs230-printed", "snf"];
  return [1, 2].flatMap((dim) =>
    presets.flatMap((preset) => {
      const temperatures = preset === "noe2019" ? [0.5, 1, 2, 4] : [1];
      return temperatures.map((temperature): WellTask => ({
        name: `double well ${preset}, ${dim}-D`,
        system: new DoubleWell({ preset, dim }),
        temperature,
        logPartition: temperature === 1,
        difference: preset === "cs230-printed" ? null : RIGHT_LEFT,
      }));
    })
  );
}

const printedBond: Published = {
  value: "4.4139043664615345",
  // The notebook integrates on a grid, which is good for nine digits.
  range: printedRange("4.41390437"),
  source: "published notebook Fig3_Particles",
};

/** The bond as a double well in d − d₀: a quartic without a cubic term is one. */
export function bondWell(preset: ParticleDimerPreset): DoubleWell {
  const { slope, a, b } = new ParticleDimer({ preset }).parameters;
  const { c1, c2, c4 } = bondCoefficients("code", { slope, a, b });
  return new DoubleWell({ dim: 1, a: c4, b: -c2, c: c1 });
}

function bondTasks(): WellTask[] {
  return ([["noe2019", "slope 2"], ["noe2019-class", "slope −0.5"]] as const).map(([preset, slope]) => ({
    name: `isolated dimer, ${slope}`,
    system: bondWell(preset),
    temperature: 1,
    logPartition: false,
    difference: "ΔF(open − closed)",
    ...preset === "noe2019" && { published: printedBond },
  }));
}

/** The lowest point on each side of 0, and the thermal width at the lower one. */
function minima({ system, temperature }: WellTask): { left: number; right: number; width: number } {
  const line = Float64Array.from({ length: 4001 }, (_, i) => (i - 2000) / 400);
  const x = new Float64Array(line.length * system.dim);
  line.forEach((at, i) => x[i * system.dim] = at);
  const u = system.energy(x);
  const lowest = (from: number, to: number) => {
    let best = from;
    for (let i = from; i <= to; i++) if (u[i] < u[best]) best = i;
    return best;
  };
  const [left, right] = [lowest(1, 1999), lowest(2000, 3999)];
  const best = u[left] < u[right] ? left : right;
  const curvature = (u[best - 1] - 2 * u[best] + u[best + 1]) * 400 ** 2;
  return { left: line[left], right: line[right], width: Math.sqrt(temperature / curvature) };
}

/** Chains, half of which start in each well: they know the shape of either, but need not know how the two compare. */
function wellFrames(task: WellTask, { chains, moves }: SystemsSettings["wells"], seed: number): MetropolisFrames {
  const { left, right, width } = minima(task);
  const { system, temperature } = task;
  const start = new Float64Array(chains * system.dim);
  for (let c = 0; c < chains; c++) start[c * system.dim] = c % 2 === 0 ? left : right;
  // The frames of a chain stay correlated: errors resample whole chains.
  return metropolis(system, { start, temperature, step: 1.7 * width, burnIn: 200, steps: moves, stride: 10, seed });
}

function flowFor(data: Float64Array, dim: number, temperature: number, seed: number): Flow {
  // Couplings need two coordinates; one coordinate has a mixture of Gaussians, as a particle on a line.
  if (dim === 1) {
    const head = { kind: "mixture", components: 12 } as const;
    return new Flow(AutoregressiveParticleFlow.fit(data, { particles: 1, spatialDim: 1, head, temperature, seed }));
  }
  const splines = new NeuralSpline({ dim, blocks: 2, hidden: [32, 32], bins: 8, seed });
  return new Flow(new Chain([splines, Whitening.fit(data, dim)]));
}

function wellStages({ steps, batch }: SystemsSettings["wells"], dim: number): BoltzmannStage[] {
  const learningRate = { shape: "cosine", initial: 5e-3, final: 1e-4 } as const;
  const data = { maximumLikelihood: 1, energy: 0, reactionCoordinate: 0 };
  const onData = { name: "data", steps, batch, learningRate, weights: data };
  if (dim === 1) return [onData];
  return [onData, { ...onData, name: "data and energy", steps: steps / 2, weights: { ...data, energy: 0.2 } }];
}

async function trainOnWell(
  { pool, signal }: ExperimentContext,
  task: WellTask,
  data: Float64Array,
  stages: readonly BoltzmannStage[],
  seed: number,
): Promise<Flow> {
  const { system, temperature } = task;
  const flow = flowFor(data, system.dim, temperature, seed);
  const frames = new FrameBuffer({ dim: system.dim, capacity: data.length / system.dim, seed });
  frames.push(data);
  await train({
    parameters: flow.parameters(),
    stages,
    objective: boltzmannObjective({
      flow,
      system,
      beta: 1 / temperature,
      seed,
      data: (n, stage, step) => frames.batch(n, stage, step),
    }),
    pool,
    ...signal && { signal },
  });
  signal?.throwIfAborted();
  return flow;
}

/**
 * ln Z of both basins together, ln(Z₀ + Z₁). Its variance is Σ pₐ p_b cov(Fₐ, F_b) with p the populations; that of the
 * difference tells the covariance.
 */
export function wholePartition({ basins: [left, right], difference }: BasinFreeEnergies): Estimate {
  const change = difference(0, 1);
  for (const { value, reason } of [left, right, change]) if (value === null) return noEstimate(reason!);
  const logs = Float64Array.of(-left.value!, -right.value!);
  const logPartition = logSumExp(logs);
  const [p, q] = logs.map((log) => expOf(log - logPartition));
  const variance = ({ standardError }: Estimate) => (standardError ?? NaN) ** 2;
  const covariance = (variance(left) + variance(right) - variance(change)) / 2;
  const error = Math.sqrt(p * p * variance(left) + q * q * variance(right) + 2 * p * q * covariance);
  return estimateFrom(logPartition, error, { reason: left.reason ?? right.reason });
}

/** Data, training, samples, fresh frames, estimates. */
async function answerWell(
  context: ExperimentContext,
  task: WellTask,
  size: SystemsSettings["wells"],
  seed: number,
): Promise<WellAnswer> {
  const cost = costOf(context);
  const { pool } = context;
  const { system, temperature } = task;
  const [data, fresh] = [wellFrames(task, size, 2 * seed), wellFrames(task, size, 2 * seed + 1)];
  const stages = wellStages(size, system.dim);
  const flow = await trainOnWell(context, task, data.x, stages, seed);
  const generator = new BoltzmannGenerator(flow, system, { beta: 1 / temperature });
  const drawn = generator.sample(size.samples, { seed, pool });
  const frames = { logWeights: generator.logWeights(fresh.x, { pool }), chains: fresh.chain };
  flow.release();
  const basinOf = (x: Float64Array) =>
    Int32Array.from({ length: x.length / system.dim }, (_, i) => x[i * system.dim] < 0 ? 0 : 1);
  const basins = basinFreeEnergies(
    { logWeights: drawn.logWeights, basins: basinOf(drawn.x) },
    { ...frames, basins: basinOf(fresh.x) },
    { names: NAMES, seed },
  );
  const ownEnergies = stages.reduce(
    (sum, { steps, batch, weights }) => sum + (weights.energy > 0 ? steps * batch : 0),
    0,
  );
  return {
    logPartition: wholePartition(basins),
    difference: basins.difference(0, 1),
    cost: cost(data.energyEvaluations + fresh.energyEvaluations + ownEnergies + size.samples + fresh.chain.length),
  };
}

function rowsOf(task: WellTask, { logPartition, difference, cost }: WellAnswer): ReproducedRow[] {
  const { system, temperature, published = null } = task;
  const exact = system.exact(temperature);
  const common = { unit: "k_BT", published, ...cost };
  const rows: ReproducedRow[] = [];
  if (task.logPartition) {
    rows.push({
      ...common,
      unit: "",
      quantity: `ln Z, ${task.name}, T = ${temperature}`,
      reference: byQuadrature(exact.logPartition),
      ours: logPartition,
      method: "acceptance ratio in each basin, summed",
    });
  }
  if (task.difference !== null) {
    rows.push({
      ...common,
      quantity: `${task.difference}, ${task.name}, T = ${temperature}`,
      reference: byQuadrature(exact.freeEnergyDifference),
      ours: difference,
      method: "acceptance ratio in each basin",
    });
  }
  return rows;
}

/**
 * Trains a flow for each well and temperature, and compares.
 *
 * @param context threads, seed, clock
 * @param size sizes
 * @returns rows
 */
export async function reproduceWells(
  context: ExperimentContext,
  size: SystemsSettings["wells"],
): Promise<ReproducedRow[]> {
  const tasks = [...doubleWellTasks(), ...bondTasks()];
  const rows: ReproducedRow[] = [];
  for (const [k, task] of tasks.entries()) {
    context.signal?.throwIfAborted();
    context.onProgress("double wells", k / tasks.length);
    rows.push(...rowsOf(task, await answerWell(context, task, size, 1000 * context.seed + k)));
  }
  return rows;
}
