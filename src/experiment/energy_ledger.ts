/**
 * Bookkeeping of energy evaluations, by what they were for.
 *
 * @module
 */
import type { EnergyLedger } from "./dimer_results.ts";

/** What energies are evaluated for. */
export type EnergyPurpose = keyof EnergyLedger;

/** Single-particle moves by the particle that moved. */
export interface SingleParticleMoves {
  /** Moves of the two bonded particles. */
  readonly dimer: number;
  /** Moves of solvent particles. */
  readonly solvent: number;
}

/**
 * Counts the pair terms of one energy of the particle dimer: all pairs but the dimer's own.
 *
 * @param particles dimer and solvent together, ≥ 2
 * @returns 702 for 38 particles
 */
export function pairTerms(particles: number): number {
  return particles * (particles - 1) / 2 - 1;
}

/**
 * Converts single-particle moves into energy evaluations.
 *
 * A move counts as the pair terms of its particle over those of one energy: with 38 particles 37/702 for a solvent
 * particle and 36/702 for one of the dimer. A dimer without solvent has no pair terms: each of its moves counts as one
 * energy.
 *
 * @param particles dimer and solvent together, ≥ 2
 * @param moves how many moves were offered, accepted or not
 * @returns energy evaluations that they are worth
 */
export function energiesOfMoves(particles: number, moves: SingleParticleMoves): number {
  if (particles === 2) return moves.dimer;
  return (moves.dimer * (particles - 2) + moves.solvent * (particles - 1)) / pairTerms(particles);
}

/**
 * Converts sweeps into energy evaluations. Every pair term is met by both of its particles, so a sweep is worth two.
 *
 * @param particles dimer and solvent together, ≥ 2
 * @param sweeps sweeps of one chain, summed over chains; each offers every particle one move
 * @returns energy evaluations that they are worth
 */
export function energiesOfSweeps(particles: number, sweeps: number): number {
  return energiesOfMoves(particles, { dimer: 2 * sweeps, solvent: (particles - 2) * sweeps });
}

/** Adds up energy evaluations by purpose. */
export class EnergyAccount {
  readonly #counts: Record<EnergyPurpose, number> = { data: 0, training: 0, evaluation: 0, reference: 0 };

  /**
   * Starts at zero, or where a resumed run stopped.
   *
   * @param opening counts to start from
   */
  constructor(opening: Partial<EnergyLedger> = {}) {
    for (const purpose of Object.keys(this.#counts) as EnergyPurpose[]) this.add(purpose, opening[purpose] ?? 0);
  }

  /**
   * Adds evaluations.
   *
   * @param purpose what they were for
   * @param evaluations how many; an energy with its gradient counts as one
   * @throws {RangeError} if that is not a number ≥ 0
   */
  add(purpose: EnergyPurpose, evaluations: number): void {
    if (!(evaluations >= 0 && Number.isFinite(evaluations))) {
      throw new RangeError(`Cannot count energies: ${purpose} must grow by a number ≥ 0, got ${evaluations}`);
    }
    this.#counts[purpose] += evaluations;
  }

  /** The counts so far; a copy. */
  get ledger(): EnergyLedger {
    return { ...this.#counts };
  }

  /** Sum over all purposes. */
  get total(): number {
    return Object.values(this.#counts).reduce((sum, count) => sum + count, 0);
  }
}
