/**
 * Energies, gradients and Monte Carlo of the dimer on one core, beside C.
 *
 * @module
 */
import { relativeDistance } from "./agreement.ts";
import { compileVariant, isSingle, type Variant } from "./gcc.ts";
import { type Measurement, type Timed, timedOf } from "./measurement.ts";
import {
  type AcceptanceAnswer,
  PARTICLE_TASKS,
  type ParticleSize,
  type ParticleTask,
  readDoubles,
  unitsPerStep,
  writeParticles,
} from "./particles.ts";
import { PeerProcess } from "./peer_process.ts";
import { type Contender, denoProgram } from "./peers.ts";
import { type RoundOptions, timeInTurn } from "./rounds.ts";

/** How the tasks are called in tables. */
export const PARTICLE_TITLES: Readonly<Record<ParticleTask, string>> = {
  gradient: "Energy and gradient",
  energy: "Energy",
  metropolis: "Single-particle Monte Carlo",
};

/** What to compare. */
export interface ParticleSectionOptions extends RoundOptions {
  /** Particles and configurations. */
  readonly size: ParticleSize;
  /** Tasks. Default: all. */
  readonly tasks?: readonly ParticleTask[];
  /** Variants of C to compare; none without gcc. */
  readonly variants: readonly Variant[];
  /** Told what happens. */
  readonly log: (line: string) => void;
}

/**
 * Largest relative distance of numbers that rounding explains. A pair term is q⁶ of q = σ²/(Δx² + Δy²): four roundings
 * each of the differences, squares, sum and quotient, times six for the power, doubled for both programs. Energies are
 * sums of all pairs one after the other, where terms of distant pairs may be lost altogether: as many roundings as pairs.
 */
function toleranceOf({ solvent }: ParticleSize, unit: number): number {
  const pairs = (2 + solvent) * (1 + solvent) / 2;
  return (2 * 6 * 4 + pairs) * unit;
}

/** Standard errors that acceptance rates may be apart: exceeded once in 15 787 comparisons. */
const STANDARD_ERRORS = 4;

/**
 * Lets ours and C compute the same configurations and chains, compares and times them.
 *
 * @param options what and how long
 * @returns a measurement for each task
 * @throws {Error} if C computes something else
 */
export async function compareParticles(options: ParticleSectionOptions): Promise<Measurement[]> {
  const { size, variants, tasks = PARTICLE_TASKS } = options;
  const folder = await Deno.makeTempDir({ prefix: "boltzflow_bench_" });
  try {
    await writeParticles(folder, size);
    const compiled: Compiled[] = [];
    for (const variant of variants) {
      const unit = isSingle(variant) ? 2 ** -24 : 2 ** -53;
      compiled.push({ start: await compileVariant(folder, variant, size), tolerance: toleranceOf(size, unit) });
    }
    const measurements: Measurement[] = [];
    for (const task of tasks) measurements.push(await compareTask(folder, task, compiled, options));
    return measurements;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

interface Compiled {
  readonly start: (task: ParticleTask) => Contender;
  readonly tolerance: number;
}

async function compareTask(
  folder: string,
  task: ParticleTask,
  compiled: readonly Compiled[],
  options: ParticleSectionOptions,
): Promise<Measurement> {
  const { size, log } = options;
  const title = `${PARTICLE_TITLES[task]}, ${2 + size.solvent} particles`;
  log(`\n${title}: comparing what is computed`);
  const ours: Contender = {
    peer: "ours",
    name: "boltzflow, float64",
    threads: 1,
    ...denoProgram("ours_particles.ts", [folder, task, size.solvent]),
  };
  await using running = new AsyncDisposableStack();
  const processes: PeerProcess[] = [];
  const contenders: Timed[] = [];
  let reference: Result | null = null;
  for (const { start, tolerance } of [{ start: () => ours, tolerance: 0 }, ...compiled]) {
    const contender = start(task);
    const process = running.use(await PeerProcess.start(contender));
    const result = await resultOf(process, `${folder}/result`);
    const deviation = reference === null ? {} : compareResults(contender.name, result, reference, tolerance);
    reference ??= result;
    log(`  ${contender.name}: ${describe(result, deviation)}`);
    processes.push(process);
    contenders.push(timedOf(contender, process, deviation));
  }
  const rounds = await timeInTurn(processes, options);
  const unit = task === "metropolis" ? "moves" : "configurations";
  return { title, unit, unitsPerStep: unitsPerStep(task, size), contenders, rounds };
}

/** What was computed: numbers, or how many moves each chain accepted. */
interface Result {
  readonly numbers: Float64Array;
  readonly acceptance: readonly number[];
}

async function resultOf(process: PeerProcess, path: string): Promise<Result> {
  const { acceptance = [] } = await process.check<Partial<AcceptanceAnswer>>(path);
  return { acceptance, numbers: acceptance.length > 0 ? new Float64Array(0) : await readDoubles(path) };
}

function meanOf(values: readonly number[]): { mean: number; variance: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, variance: squares / (values.length - 1) / values.length };
}

/**
 * Compares a result with ours.
 *
 * Chains are independent, so that their spread, in which closed and open ones differ, bounds the standard error.
 *
 * @param peer name, for the message
 * @param result of the peer
 * @param reference ours
 * @param tolerance largest relative distance of numbers
 * @returns the deviation
 * @throws {Error} if it is larger than rounding or chance allow
 */
export function compareResults(
  peer: string,
  result: Result,
  reference: Result,
  tolerance: number,
): Readonly<Record<string, number>> {
  const [a, b] = [meanOf(result.acceptance), meanOf(reference.acceptance)];
  const [name, deviation, most] = reference.acceptance.length > 0
    ? ["acceptance in standard errors", Math.abs(a.mean - b.mean) / Math.sqrt(a.variance + b.variance), STANDARD_ERRORS]
    : ["numbers", relativeDistance(result.numbers, reference.numbers), tolerance];
  if (!(deviation <= most)) {
    throw new Error(
      `Cannot compare with ${peer}: its ${name} must agree with ours to ${most.toPrecision(2)}, got a deviation of ` +
        `${deviation.toPrecision(2)}: one of the two computes something else`,
    );
  }
  return { [name]: deviation };
}

function describe({ acceptance }: Result, deviation: Readonly<Record<string, number>>): string {
  const apart = Object.entries(deviation).map(([name, value]) => `${name} ${value.toPrecision(2)}`);
  const rate = acceptance.length > 0 ? [`acceptance ${meanOf(acceptance).mean.toFixed(4)}`] : [];
  return [...rate, ...apart].join(", ") || "the reference";
}
