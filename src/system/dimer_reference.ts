/**
 * What is known of the particle dimer at a temperature; `dimer_references.ts` holds the numbers.
 *
 * @module
 */
import type { ParticleDimerPreset } from "./particle_dimer.ts";
import type { ReferenceValue } from "./reference_value.ts";

/** ΔF and F(d) of the dimer by umbrella sampling and MBAR, no flow involved. */
export interface DimerReferenceRow {
  /** Name of the preset. */
  readonly preset: ParticleDimerPreset;
  /** T in units of T₀. */
  readonly temperature: number;
  /** F(open) − F(closed) in k_BT, split at d = 1.5. */
  readonly freeEnergyDifference: ReferenceValue;
  /** F(d) = −ln p(d) in k_BT over bins of equal width. */
  readonly profile: {
    /** Edge of the first bin. */
    readonly from: number;
    /** Width of the bins. */
    readonly width: number;
    /** F of each bin, [bins]; null where no sample fell. */
    readonly freeEnergy: readonly (number | null)[];
    /** Its standard error, [bins]. */
    readonly error: readonly (number | null)[];
  };
}
