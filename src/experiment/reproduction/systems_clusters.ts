/**
 * DW4 and LJ13 in both published energies: ln Z and averages from flows that place one particle after the other.
 *
 * @module
 */
import { figureGrid } from "../../plot/figure_grid.ts";
import { histogramDensity } from "../../plot/histogram.ts";
import { linePlot } from "../../plot/line_plot.ts";
import type { Estimate } from "../../reweighting/estimate.ts";
import { metropolis } from "../../sampling/metropolis.ts";
import type { ClusterReference } from "../../system/cluster_reference.ts";
import type { ReferenceValue } from "../../system/reference_value.ts";
import { clusterReferences } from "../../system/cluster_references.ts";
import { DoubleWellCluster } from "../../system/double_well_cluster.ts";
import { LennardJonesCluster } from "../../system/lennard_jones_cluster.ts";
import type { PairCluster } from "../../system/pair_cluster.ts";
import { type ParticleFrames, type ParticleFreeEnergy, particleFreeEnergy } from "../particle_free_energy.ts";
import { weightedMean } from "../weighted_means.ts";
import type { ExperimentContext, ExperimentFigure } from "./experiment.ts";
import type { Reference, ReproducedRow } from "./row.ts";
import { alikeImages, coolChains } from "./systems_frames.ts";
import { type ClusterSize, costOf, efficiencyOf, lessKnown, type SystemsSettings } from "./systems_settings.ts";

/** A cluster, and how its chains move. */
export interface ClusterTask {
  /** What it is called. */
  readonly name: string;
  /** What the energy means, for rows. */
  readonly convention: string;
  /** With its centre pinned, so that its coordinates are those of particles. */
  readonly system: PairCluster & { readonly preset: string };
  /** Falling temperatures by which chains get into equilibrium at T = 1, the last one. */
  readonly temperatures: readonly number[];
  /** Size of a move of all particles at T = 1. */
  readonly step: number;
  /** Moves at the first temperature, in units of those at each further one. */
  readonly settling: number;
  readonly size: ClusterSize;
}

/** Distances of pairs in bins. */
export interface DistancePicture {
  readonly range: readonly [number, number];
  /** Densities: of Monte Carlo, of flow samples as they are, and of those reweighted. */
  readonly frames: Float64Array;
  readonly raw: Float64Array;
  readonly reweighted: Float64Array;
}

/** Rows and what the picture is drawn from. */
export interface ClusterResult {
  readonly rows: ReproducedRow[];
  readonly picture: DistancePicture;
}

const BINS = 70;

/**
 * Lists the clusters.
 *
 * @param sizes by preset
 * @returns DW4 and LJ13, each in both published energies
 */
export function clusterTasks({ doubleWellCluster, lennardJones }: SystemsSettings): ClusterTask[] {
  const pinned = { centreOfMass: "pinned" } as const;
  return [
    {
      name: "DW4 koehler2020",
      convention: "each pair counts once, T = 1",
      system: new DoubleWellCluster({ ...pinned, preset: "koehler2020" }),
      temperatures: [4, 2, 1.4, 1],
      step: 0.35,
      settling: 1,
      size: doubleWellCluster.koehler2020,
    },
    {
      name: "DW4 eacf-fab",
      convention: "a temperature of 0.1 within the energy",
      system: new DoubleWellCluster({ ...pinned, preset: "eacf-fab" }),
      temperatures: [10, 7, 5, 3.5, 2.5, 1.8, 1.35, 1],
      step: 0.12,
      settling: 4,
      size: doubleWellCluster["eacf-fab"],
    },
    {
      name: "LJ13 eacf",
      convention: "each pair counts once",
      system: new LennardJonesCluster({ ...pinned, preset: "eacf" }),
      temperatures: [1],
      step: 0.07,
      settling: 3,
      size: lennardJones.eacf,
    },
    {
      name: "LJ13 efm",
      convention: "each pair counts twice",
      system: new LennardJonesCluster({ ...pinned, preset: "efm" }),
      temperatures: [1],
      step: 0.035,
      settling: 5,
      size: lennardJones.efm,
    },
  ];
}

/** Moves of cooling at one temperature, as a part of those of sampling. */
const COOLING = 0.2;

/** Chains in equilibrium: half of them train, a few choose parameters, the others judge. */
function sampleFrames(task: ClusterTask, seed: number): { frames: ParticleFrames; energyEvaluations: number } {
  const { system, temperatures, step, settling, size } = task;
  const { chains, moves, stride, images } = size;
  const further = Math.ceil(COOLING * moves);
  const start = system.startConfiguration();
  const cooled = coolChains(system, { start, chains, temperatures, moves: [settling * further, further], step, seed });
  const walk = metropolis(system, { start: cooled.x, step, steps: moves, stride, seed: seed + 100 });
  const pick = (from: number, to: number) => {
    const rows = Int32Array.from(walk.chain.keys()).filter((i) => walk.chain[i] >= from && walk.chain[i] < to);
    const x = new Float64Array(rows.length * system.dim);
    rows.forEach((row, k) => x.set(walk.x.subarray(row * system.dim, (row + 1) * system.dim), k * system.dim));
    return { x, chain: rows.map((row) => cooled.family[walk.chain[row]]) };
  };
  const [half, choosing] = [chains / 2, Math.ceil(chains / 16)];
  const alike = { particles: system.particles, spatialDim: system.spatialDim };
  return {
    frames: {
      train: alikeImages(pick(0, half).x, { ...alike, count: images, seed }),
      validate: alikeImages(pick(half, half + choosing).x, { ...alike, count: Math.min(images, 1000), seed: seed + 1 }),
      evaluate: pick(half + choosing, chains),
    },
    energyEvaluations: cooled.energyEvaluations + walk.energyEvaluations,
  };
}

/**
 * Trains a flow on a cluster and compares.
 *
 * @param context threads, seed, clock
 * @param task the cluster
 * @returns rows, and what the picture is drawn from
 */
export async function reproduceCluster(context: ExperimentContext, task: ClusterTask): Promise<ClusterResult> {
  const cost = costOf(context);
  const { seed, pool, signal, onProgress } = context;
  const { system, name, size } = task;
  const { frames, energyEvaluations } = sampleFrames(task, 1000 * seed);
  const learningRate = { shape: "cosine", initial: 3e-3, final: 3e-5, warmup: 10 } as const;
  const { head, steps, batch, grid, samples } = size;
  const result = await particleFreeEnergy(system, frames, {
    settings: {
      head,
      grid,
      samples,
      training: { name: "maximum likelihood", steps, batch, learningRate, adam: { maximumNorm: 20 } },
      reportEvery: Math.ceil(steps / 10),
    },
    seed,
    pool,
    onProgress: (part, done) => onProgress(`${name}: ${part}`, done),
    ...signal && { signal },
  });
  return {
    rows: rowsOf(task, result, frames, cost(energyEvaluations + samples + frames.evaluate.chain.length)),
    picture: pictureOf(task, result, frames),
  };
}

function referenceOf({ system }: ClusterTask): ClusterReference {
  return clusterReferences.find(({ system: name, preset, temperature }) =>
    name === system.name && preset === system.preset && temperature === 1
  )!;
}

function rowsOf(
  task: ClusterTask,
  { logPartition, meanReducedEnergy, samples }: ParticleFreeEnergy,
  { evaluate }: ParticleFrames,
  cost: Pick<ReproducedRow, "energyEvaluations" | "seconds">,
): ReproducedRow[] {
  const { name, convention, system } = task;
  const known = referenceOf(task);
  const method = system instanceof DoubleWellCluster
    ? "quadrature over distances, shipped"
    : "Monte Carlo from the ideal gas, MBAR, 16 runs, shipped";
  const reference = ({ value, error }: ReferenceValue): Reference => ({ value, standardError: error, method });
  const common = { unit: "", published: null, note: `${convention}; centre of mass removed.`, ...cost };
  const pinned = system.spatialDim / 2; // ⟨U⟩ of the pin, in k_BT
  const energy = (ours: Estimate, method: string): ReproducedRow => ({
    ...common,
    unit: "k_BT₀",
    quantity: `⟨U⟩, ${name}, ${method}`,
    reference: reference(known.meanEnergy),
    ours: lessKnown(ours, pinned),
    method,
  });
  return [
    {
      ...common,
      quantity: `ln Z, ${name}`,
      reference: reference(known.logPartition),
      ours: lessKnown(logPartition.bar, system.centreLogPartition(1)),
      method: "acceptance ratio, flow and Monte Carlo",
    },
    energy(meanReducedEnergy.flow, "reweighted flow samples"),
    energy(meanReducedEnergy.frames, "Monte Carlo frames alone"),
    {
      ...common,
      quantity: `sampling efficiency, ${name}, ${samples.logWeights.length} samples`,
      reference: null,
      ours: efficiencyOf(samples),
      method: "Kish",
    },
    ...known.closeProbability === undefined ? [] : [{
      ...common,
      quantity: `P(d < d₀) of a pair, ${name}`,
      reference: reference(known.closeProbability),
      ours: weightedMean(closeShares(samples.x, system as DoubleWellCluster), { logWeights: samples.logWeights }),
      method: `reweighted flow samples; ${evaluate.chain.length} frames judge their coverage`,
    }],
  ];
}

/** Calls back with each distance of a configuration. */
function eachDistance(x: Float64Array, system: PairCluster, visit: (distance: number, configuration: number) => void) {
  const { particles, spatialDim, dim } = system;
  for (let s = 0; s < x.length / dim; s++) {
    for (let i = 0; i < particles; i++) {
      for (let j = 0; j < i; j++) {
        let squared = 0;
        for (let c = 0; c < spatialDim; c++) {
          squared += (x[s * dim + i * spatialDim + c] - x[s * dim + j * spatialDim + c]) ** 2;
        }
        visit(Math.sqrt(squared), s);
      }
    }
  }
}

/** Share of the pairs of each configuration that are in the inner well. */
function closeShares(x: Float64Array, system: DoubleWellCluster): Float64Array {
  const { particles, parameters, dim } = system;
  const share = 2 / (particles * (particles - 1));
  const shares = new Float64Array(x.length / dim);
  eachDistance(x, system, (distance, s) => shares[s] += distance < parameters.d0 ? share : 0);
  return shares;
}

function pictureOf({ system }: ClusterTask, { samples }: ParticleFreeEnergy, { evaluate }: ParticleFrames) {
  const distances = (x: Float64Array) => {
    const list: { values: number[]; configurations: number[] } = { values: [], configurations: [] };
    eachDistance(x, system, (distance, s) => (list.values.push(distance), list.configurations.push(s)));
    return list;
  };
  const [flow, frames] = [distances(samples.x), distances(evaluate.x)];
  const sorted = Float64Array.from(frames.values).sort();
  // One pair in a thousand is beyond: particles that have evaporated.
  const range = [Math.max(0, sorted[0] - 0.1), sorted[Math.floor(0.999 * sorted.length)]] as const;
  const most = samples.logWeights.reduce((a, b) => Math.max(a, b), -Infinity);
  const weights = flow.configurations.map((s) => Math.exp(samples.logWeights[s] - most));
  const density = (values: readonly number[], weights?: readonly number[]) =>
    histogramDensity({ values, ...weights && { weights } }, range, BINS).density;
  return {
    range,
    frames: density(frames.values),
    raw: density(flow.values),
    reweighted: density(flow.values, weights),
  };
}

/**
 * Draws how far pairs are apart.
 *
 * @param tasks the clusters
 * @param results of each
 * @returns the figure
 */
export async function distanceFigure(
  tasks: readonly ClusterTask[],
  results: readonly ClusterResult[],
): Promise<ExperimentFigure> {
  const panels = await Promise.all(results.map(async ({ picture }, k) => {
    const { range, frames, raw, reweighted } = picture;
    const r = frames.map((_, i) => range[0] + (range[1] - range[0]) * (i + 0.5) / BINS);
    const dots = { x: r, line: "none", markers: "hollow" } as const;
    return await linePlot([
      { x: r, y: raw, label: "flow, no weights", color: "orange" },
      { ...dots, y: reweighted, label: "flow, reweighted", color: "blue" },
      { x: r, y: frames, label: "Monte Carlo", line: "dashed", color: "black" },
    ], {
      width: 480,
      height: 330,
      title: tasks[k].name,
      x: { label: "distance of a pair" },
      y: { label: "probability density" },
    });
  }));
  return {
    name: "distances",
    svg: await figureGrid(panels, { columns: 2, description: "Distances of pairs in DW4 and LJ13" }),
    caption:
      "Distances of pairs in DW4 and LJ13, in both published energies each: samples of the flow as they are and " +
      "reweighted, and Monte Carlo frames that training has not seen. Where few samples are effective, as in LJ13, what " +
      "is reweighted is noise; ln Z then rests on the acceptance ratio, which needs less overlap.",
  };
}
