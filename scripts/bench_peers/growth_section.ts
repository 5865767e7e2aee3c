/**
 * How work grows with the number of particles, the width of networks and the size of batches.
 *
 * @module
 */
import { compareFlows } from "./flow_section.ts";
import type { Variant } from "./gcc.ts";
import { type Measurement, ourCounterpart, ratioOf, speedOf } from "./measurement.ts";
import { compareParticles, PARTICLE_TITLES } from "./particle_section.ts";
import { PARTICLE_TASKS, type ParticleTask } from "./particles.ts";
import type { FlowPeer } from "./peers.ts";
import { figures, spreadText, type Table } from "./report.ts";
import type { RoundOptions } from "./rounds.ts";
import { type Exponent, fitExponent } from "./statistics.ts";
import type { FlowSize } from "./workload.ts";

/** One size of a curve. */
export interface GrowthPoint {
  /** Particles, width or batch. */
  readonly size: number;
  /** What was timed; null where it could not be. */
  readonly measurement: Measurement | null;
  /** Why it could not be. */
  readonly failure?: string;
}

/** The same work in several sizes. */
export interface GrowthCurve {
  /** What is done. */
  readonly title: string;
  /** What grows. */
  readonly grows: string;
  /** What is counted, singular. */
  readonly unit: string;
  /** Sizes in order. */
  readonly points: readonly GrowthPoint[];
}

/** Sizes that are timed. */
export interface GrowthSizes {
  /** Solvent particles, squares. */
  readonly solvent: readonly number[];
  /** Units of each hidden layer. */
  readonly widths: readonly number[];
  /** Samples of a step. */
  readonly batches: readonly number[];
}

/** What the plan of the project asks for: 38 to 1602 particles, widths 50 to 800, batches 64 to 8192. */
export const SIZES: GrowthSizes = {
  solvent: [36, 100, 400, 1600],
  widths: [50, 100, 200, 400, 800],
  batches: [64, 128, 256, 512, 1024, 2048, 4096, 8192],
};

/** How to time. */
export interface GrowthOptions extends RoundOptions {
  /** The flow that grows in width or batch. */
  readonly size: FlowSize;
  /** Sizes. */
  readonly sizes: GrowthSizes;
  /** Variants of C to compare energies and Monte Carlo with; none without gcc. */
  readonly variants: readonly Variant[];
  /** Peers for flows. */
  readonly peers: readonly FlowPeer[];
  /** Told what happens. */
  readonly log: (line: string) => void;
}

/** Pair terms of a step of energies: as many for each size, in whole groups of sixteen configurations. */
function batchFor(solvent: number): number {
  return 16 * Math.max(1, Math.round(64 * (38 / (2 + solvent)) ** 2));
}

/**
 * Times all sizes on one thread.
 *
 * @param options which sizes and how long
 * @returns curves: energies and Monte Carlo by particles, training by width and by batch
 */
export async function measureGrowth(options: GrowthOptions): Promise<GrowthCurve[]> {
  const { sizes, size: flow } = options;
  const particles: { size: number; byTask: Map<ParticleTask, GrowthPoint> }[] = [];
  for (const solvent of sizes.solvent) {
    const size = { solvent, batch: batchFor(solvent) };
    const measurements = await compareParticles({ ...options, size });
    const byTask = new Map(
      PARTICLE_TASKS.map((task, k) => [task, { size: 2 + solvent, measurement: measurements[k] }]),
    );
    particles.push({ size: 2 + solvent, byTask });
  }
  return [
    ...PARTICLE_TASKS.map((task): GrowthCurve => ({
      title: PARTICLE_TITLES[task],
      grows: "particles",
      unit: task === "metropolis" ? "move" : "configuration",
      points: particles.map(({ byTask }) => byTask.get(task)!),
    })),
    await trainingCurve("width", sizes.widths, (width) => ({ ...flow, hidden: [width, width, width] }), options),
    await trainingCurve("batch", sizes.batches, (batch) => ({ ...flow, batch }), options),
  ];
}

async function trainingCurve(
  grows: string,
  sizes: readonly number[],
  sizeOf: (value: number) => FlowSize,
  options: GrowthOptions,
): Promise<GrowthCurve> {
  const points: GrowthPoint[] = [];
  for (const value of sizes) {
    options.log(`\n${grows} ${value}`);
    points.push({ size: value, ...await timeTraining(sizeOf(value), options) });
  }
  return { title: "Training step, maximum likelihood", grows, unit: "sample", points };
}

/** A size that does not fit into the memory is a result, too. */
async function timeTraining(size: FlowSize, options: GrowthOptions): Promise<Omit<GrowthPoint, "size">> {
  try {
    const tasks = ["maximumLikelihood"] as const;
    const [measurement] = await compareFlows({ ...options, size, tasks, threads: [1], checks: { steps: 1, draws: 1 } });
    return { measurement };
  } catch (error) {
    const failure = error instanceof Error ? error.message : String(error);
    if (!/allocate memory|out of memory/i.test(failure)) throw error;
    return { measurement: null, failure };
  }
}

/** Names of all who were timed, ours first. */
export function namesOf({ points }: GrowthCurve): string[] {
  return [...new Set(points.flatMap(({ measurement }) => measurement?.contenders.map(({ name }) => name) ?? []))];
}

/** Seconds per unit of one contender, at the sizes where it was timed. */
export function timesOf({ points }: GrowthCurve, name: string): { readonly x: number[]; readonly y: number[] } {
  const x: number[] = [];
  const y: number[] = [];
  for (const { size, measurement } of points) {
    const k = measurement?.contenders.findIndex((contender) => contender.name === name) ?? -1;
    if (measurement === null || k < 0) continue;
    x.push(size);
    y.push(1 / speedOf(measurement, k).median);
  }
  return { x, y };
}

/** Fits the time per unit; undefined where there are too few sizes. */
export function exponentOf(curve: GrowthCurve, name: string): Exponent | undefined {
  const { x, y } = timesOf(curve, name);
  return x.length < 3 ? undefined : fitExponent(x, y);
}

/** Writes an exponent with its error. */
export function exponentText({ exponent, error }: Exponent): string {
  return `${exponent.toFixed(2).replace("-", "−")} ± ${error.toFixed(2)}`;
}

/** Makes the table of a curve. */
export function growthTable(curve: GrowthCurve): Table {
  const names = namesOf(curve);
  const title = `${curve.title}, by ${curve.grows}`;
  const rows = curve.points.map(({ size, measurement, failure }) => {
    if (measurement === null) return [String(size), failure!, ...names.slice(1).flatMap(() => ["", ""])];
    return [
      String(size),
      ...names.flatMap((name) => {
        const k = measurement.contenders.findIndex((contender) => contender.name === name);
        if (k < 0) return [];
        const speed = figures(speedOf(measurement, k).median);
        const ours = ourCounterpart(measurement, k);
        return k === ours ? [speed] : [speed, spreadText(ratioOf(measurement, ours, k), (v) => v.toFixed(2))];
      }),
    ];
  });
  const columns = [
    curve.grows,
    ...names.flatMap((name, k) => [`${name}, ${curve.unit}s/s`, ...(k > 0 ? ["ours ÷ this"] : [])]),
  ];
  const fits = names.flatMap((name) => {
    const exponent = exponentOf(curve, name);
    return exponent === undefined ? [] : [`${name} ${exponentText(exponent)}`];
  });
  return {
    title,
    columns,
    rows,
    note: `Time per ${curve.unit} grows with the power of the ${curve.grows}: ${fits.join(", ")}.`,
  };
}
