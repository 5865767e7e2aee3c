/**
 * The pair terms of our systems of particles, with cutoffs that follow from what may be neglected.
 *
 * @module
 */
import { powerOf } from "../random/elementary.ts";
import type { PairTerm } from "./particle_interactions.ts";

/** Largest energy, in k_BT₀, that a pair beyond its cutoff may have. */
export const NEGLIGIBLE_ENERGY = 0.003;

/**
 * Makes the term A r⁻¹² − B r⁻⁶, cut off where its size stays below 0.003 k_BT₀ for good.
 *
 * @param c12 A > 0
 * @param c6 B ≥ 0
 * @returns the term; null where A = 0
 */
export function powerPairTerm(c12: number, c6: number): PairTerm | null {
  if (c12 === 0) return null;
  const cutoff = powerOf(farthest(c12, c6), -1 / 6);
  return {
    cutoff,
    energy(r) {
      if (r >= cutoff) return 0;
      const q = 1 / (r * r * r * r * r * r);
      return (c12 * q - c6) * q;
    },
  };
}

/** Least q = r⁻⁶ at which |A q² − B q| reaches what is negligible: in the attractive tail, or else in the repulsion. */
function farthest(c12: number, c6: number): number {
  const deep = c6 * c6 - 4 * c12 * NEGLIGIBLE_ENERGY;
  if (deep >= 0 && c6 > 0) return 2 * NEGLIGIBLE_ENERGY / (c6 + Math.sqrt(deep));
  return (c6 + Math.sqrt(c6 * c6 + 4 * c12 * NEGLIGIBLE_ENERGY)) / (2 * c12);
}

/**
 * Computes the energy of a coordinate beyond soft walls at ±half.
 *
 * @param x the coordinate
 * @param half half the side of the box
 * @param constant energy of a unit overshoot
 * @returns constant · overshoot², 0 between the walls
 */
export function wallEnergy(x: number, half: number, constant: number): number {
  const overshoot = Math.max(Math.abs(x) - half, 0);
  return constant * overshoot * overshoot;
}
