/**
 * Bookkeeping of energy evaluations, by what they were for.
 *
 * @module
 */
import type { EnergyLedger } from "./dimer_results.ts";

/** What energies are evaluated for. */
export type EnergyPurpose = keyof EnergyLedger;

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
