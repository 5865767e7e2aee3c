/**
 * The particles that energies and Monte Carlo are timed on: the dimer among so many solvent particles.
 *
 * A folder holds float64 numbers without any header: `frames.f64` [configurations, dim] and `starts.f64` [chains, dim].
 *
 * @module
 */
import { MetropolisChains, ParticleDimer } from "../../mod.ts";
import { writeNumbers } from "./workload.ts";

/**
 * What is timed: energies of frames, energies and gradients, and sweeps of single-particle moves, chains in lanes.
 */
export const PARTICLE_TASKS = ["gradient", "energy", "metropolis"] as const;
/** One of {@link PARTICLE_TASKS}. */
export type ParticleTask = typeof PARTICLE_TASKS[number];

/** Chains side by side. */
export const CHAINS = 16;
/** Largest move in each coordinate. */
export const STEP = 0.2;
/** Number of particles, and of configurations. */
export interface ParticleSize {
  /** Solvent particles, a square number. */
  readonly solvent: number;
  /** Configurations in a step of energies. */
  readonly batch: number;
}

/** The published size. */
export const DIMER: ParticleSize = { solvent: 36, batch: 1024 };

/**
 * Sweeps before acceptance is counted, and while it is: fewer of more particles, whose start need not be forgotten since
 * both programs start there.
 *
 * @param solvent solvent particles
 * @returns numbers of sweeps
 */
export function sweepsOf(solvent: number): { readonly burnIn: number; readonly counted: number } {
  const share = Math.min(1, (36 / solvent) ** 2);
  return { burnIn: Math.max(50, Math.round(2000 * share)), counted: Math.max(100, Math.round(4000 * share)) };
}

/** Half the side of the box, as wide for each particle as it is for 36 of them. */
export function halfBoxOf(solvent: number): number {
  return 3 * Math.sqrt(solvent / 36);
}

/** Makes the system. */
export function makeDimer(solvent: number): ParticleDimer {
  return new ParticleDimer({ solvent, halfBox: halfBoxOf(solvent) });
}

/** Sweeps from the published start to frames, and between frames. */
const RELAXATION = { start: 300, between: 5 };

/**
 * Writes frames and starts: the chains start from the published configurations, closed and open in turn.
 *
 * @param folder an existing folder
 * @param size how many
 */
export async function writeParticles(folder: string, { solvent, batch }: ParticleSize): Promise<void> {
  const chains = new MetropolisChains(makeDimer(solvent), { chains: CHAINS, step: STEP, seed: 1 });
  const { dim } = chains.system;
  await writeNumbers(`${folder}/starts.f64`, [chains.positions() as Float64Array<ArrayBuffer>]);
  // Fewer sweeps of more particles: they need to come apart, not to forget.
  const sweeps = Math.ceil(RELAXATION.start * 36 / solvent);
  chains.advance(sweeps);
  const frames = new Float64Array(batch * dim);
  for (let s = 0; s < batch; s += CHAINS) {
    chains.advance(Math.ceil(RELAXATION.between * 36 / solvent));
    frames.set(chains.positions().subarray(0, Math.min(CHAINS, batch - s) * dim), s * dim);
  }
  await writeNumbers(`${folder}/frames.f64`, [frames]);
}

/** Reads a file of float64 numbers. */
export async function readDoubles(path: string): Promise<Float64Array<ArrayBuffer>> {
  return new Float64Array((await Deno.readFile(path)).buffer);
}

/** What chains answer. */
export interface AcceptanceAnswer {
  /** Fraction of accepted moves of each chain. */
  readonly acceptance: readonly number[];
}

/**
 * Counts what a step is.
 *
 * @param task what is timed
 * @param size of what
 * @returns configurations, or moves
 */
export function unitsPerStep(task: ParticleTask, { solvent, batch }: ParticleSize): number {
  return task === "metropolis" ? CHAINS * (2 + solvent) : batch;
}
