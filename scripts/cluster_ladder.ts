/**
 * ln Z of LJ13 by Monte Carlo: pair energies are switched on from the ideal gas, and MBAR joins the rungs.
 *
 * @module
 */
import { LennardJonesCluster, mbar, RandomStream } from "../mod.ts";

/** How much to sample. */
export interface LadderPlan {
  /** Number of particles, default 13. */
  readonly particles?: number;
  /** Sweeps of each rung that count, after a fifth of them for burn-in. */
  readonly sweeps: number;
  /** Frames kept of each rung. */
  readonly frames: number;
  /** Seed of the random numbers. */
  readonly seed: number;
}

/** What one run down the ladder says of the cluster with pairs counted once and twice. */
export interface LadderResult {
  /** ln Z(f) over mean-free positions, f = 1 and 2, at T = 1. */
  readonly logPartition: readonly [once: number, twice: number];
  /** ⟨U⟩, f = 1 and 2. */
  readonly meanEnergy: readonly [once: number, twice: number];
}

/** Rungs λ: cores grow as λ^(1/12), then the cluster condenses. */
const RUNGS: readonly number[] = [
  0,
  ...[0.12, 0.2, 0.27, 0.34, 0.41, 0.48, 0.55, 0.62, 0.69, 0.75, 0.8, 0.84].map((core) => core ** 12),
  ...[0.18, 0.25, 0.32, 0.39, 0.46, 0.52, 0.58, 0.64, 0.7, 0.76, 0.82, 0.88, 0.94, 1],
  ...[1.1, 1.2, 1.32, 1.46, 1.62, 1.8, 2],
];
/** Directions of space. */
const SPACE = 3;

/**
 * Runs down the ladder once: U = ½ Σ |rᵢ|² + λ Σ u(dᵢⱼ) at T = 1, by moves of single particles.
 *
 * ½ Σ |rᵢ|² is the trap around the centre and a pin of the centre with the same constant, whose factor is known.
 *
 * @param plan how much
 * @returns ln Z and ⟨U⟩ for f = 1 and 2
 */
export function descendLadder({ particles = 13, sweeps, frames, seed }: LadderPlan): LadderResult {
  const cluster = new LennardJonesCluster({ particles, centreOfMass: "pinned" });
  const gas = new Gas(particles, new RandomStream(seed));
  const n = RUNGS.length * frames;
  const pair = new Float64Array(n);
  const trap = new Float64Array(n);
  const states = Int32Array.from({ length: n }, (_, i) => Math.floor(i / frames));
  RUNGS.forEach((coupling, rung) => {
    gas.tune(coupling, Math.ceil(sweeps / 5));
    for (let frame = 0; frame < frames; frame++) {
      gas.run(coupling, Math.ceil(sweeps / frames));
      trap[rung * frames + frame] = gas.trapEnergy();
      // From the system's own energy, not from the running sums of the moves.
      pair[rung * frames + frame] = cluster.energy(gas.positions)[0] - gas.trapEnergy() - gas.pinEnergy();
    }
  });
  // Trap and pin are the same on all rungs: only pair energies tell them apart.
  const potentials = new Float64Array(RUNGS.length * n).map((_, i) => RUNGS[Math.floor(i / n)] * pair[i % n]);
  const { freeEnergies, logWeights } = mbar(potentials, states);
  const removed = new LennardJonesCluster({ particles });
  const results = [1, 2].map((coupling) => {
    const rung = RUNGS.indexOf(coupling);
    let [sum, energy] = [0, 0];
    for (let i = 0; i < n; i++) {
      const weight = Math.exp(logWeights[i] - coupling * pair[i] + freeEnergies[rung]);
      sum += weight;
      energy += weight * (coupling * pair[i] + trap[i]);
    }
    return { logPartition: removed.idealLogPartition(1) - freeEnergies[rung], meanEnergy: energy / sum };
  });
  return {
    logPartition: [results[0].logPartition, results[1].logPartition],
    meanEnergy: [results[0].meanEnergy, results[1].meanEnergy],
  };
}

/** Particles and their moves. */
class Gas {
  readonly particles: number;
  readonly positions: Float64Array;
  readonly #random: RandomStream;
  #step = 1;

  constructor(particles: number, random: RandomStream) {
    this.particles = particles;
    this.#random = random;
    this.positions = random.fillNormals(new Float64Array(particles * SPACE));
  }

  /** Burn-in that adapts the step until four moves in ten are accepted. */
  tune(coupling: number, sweeps: number): void {
    for (let k = 0; k < 20; k++) {
      const accepted = this.run(coupling, Math.ceil(sweeps / 20));
      this.#step = Math.min(2, this.#step * (0.6 + accepted));
    }
  }

  /** Offers each particle a move, sweep by sweep; returns the accepted part. */
  run(coupling: number, sweeps: number): number {
    const { positions: r, particles } = this;
    const trial = new Float64Array(SPACE);
    let accepted = 0;
    for (let k = 0; k < sweeps * particles; k++) {
      const i = SPACE * (k % particles);
      let change = 0;
      for (let c = 0; c < SPACE; c++) {
        trial[c] = r[i + c] + this.#step * (2 * this.#random.uniform() - 1);
        change += 0.5 * (trial[c] * trial[c] - r[i + c] * r[i + c]);
      }
      if (coupling > 0) change += coupling * (this.#pairs(i, trial, 0) - this.#pairs(i, r, i));
      if (!(1 - this.#random.uniform() <= Math.exp(-change))) continue;
      r.set(trial, i);
      accepted++;
    }
    return accepted / (sweeps * particles);
  }

  /** Pair energies of the particle at i, if it were at place[at…]. */
  #pairs(i: number, place: Float64Array, at: number): number {
    const { positions: r } = this;
    let energy = 0;
    for (let j = 0; j < r.length; j += SPACE) {
      if (j === i) continue;
      const [x, y, z] = [place[at] - r[j], place[at + 1] - r[j + 1], place[at + 2] - r[j + 2]];
      const inverse = 1 / (x * x + y * y + z * z);
      const s = inverse * inverse * inverse;
      energy += s * (s - 2);
    }
    return energy;
  }

  /** ½ κ N |centre|², κ = 1. */
  pinEnergy(): number {
    let energy = 0;
    for (let c = 0; c < SPACE; c++) {
      let sum = 0;
      for (let i = c; i < this.positions.length; i += SPACE) sum += this.positions[i];
      energy += 0.5 * sum * sum / this.particles;
    }
    return energy;
  }

  /** ½ Σ |rᵢ − centre|². */
  trapEnergy(): number {
    return 0.5 * this.positions.reduce((sum, v) => sum + v * v, 0) - this.pinEnergy();
  }
}
