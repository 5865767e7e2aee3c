/**
 * Pair energies as tables over the squared distance, for kernels that know no formula.
 *
 * @module
 */
import type { TiltTable } from "../autodiff/primitives/tilt.ts";
import type { PairTerm } from "../system/particle_interactions.ts";

/** Numbers of steps that are tried. */
const FEWEST_STEPS = 256;
const MOST_STEPS = 16_384;
/** Error of the interpolation that is aimed at, in k_BT₀, relative where the energy is above 1. */
const ERROR = 1e-3;
/** Energies above this are not looked at: nobody is there. */
const RELEVANT_ENERGY = 25;
/** Higher energies are cut off, in k_BT₀, so that the logarithm of a density stays finite. */
const HIGHEST_ENERGY = 200;

/**
 * Tabulates a pair energy, in steps so small that linear interpolation is within 0.001 k_BT₀ where energies are below
 * 1 k_BT₀, and within 0.1 % above (as far as 16,384 steps go).
 *
 * The density that is made with a table is exactly normalised whatever the table says: what is cut off or interpolated
 * costs a little efficiency and no exactness.
 *
 * @param pair the energy
 * @returns its table, 0 at the cutoff and at most 200 k_BT₀ anywhere
 * @throws {RangeError} if the cutoff is not positive or an energy is not a number
 */
export function tabulatePair(pair: PairTerm): TiltTable {
  if (!(pair.cutoff > 0 && Number.isFinite(pair.cutoff))) {
    throw new RangeError(`Cannot tabulate a pair energy: cutoff must be a positive number, got ${pair.cutoff}`);
  }
  for (let steps = FEWEST_STEPS;; steps *= 2) {
    if (steps === MOST_STEPS || interpolationError(pair, steps) <= ERROR) return tabulate(pair, steps);
  }
}

/** Energy at a part of cutoff²; at 0, where it may be infinite, that of the first half step. */
function energyAt(pair: PairTerm, part: number): number {
  const r = pair.cutoff * Math.sqrt(part);
  const energy = pair.energy(r);
  if (Number.isNaN(energy)) {
    throw new RangeError(`Cannot tabulate a pair energy: energy(r) must be a number, got NaN at r = ${r}`);
  }
  return energy;
}

function tabulate(pair: PairTerm, steps: number): TiltTable {
  const values = Float32Array.from(
    { length: steps + 1 },
    (_, i) => Math.min(energyAt(pair, Math.max(i, 0.5) / steps), HIGHEST_ENERGY),
  );
  values[steps] = 0;
  return { values, cutoffSquared: pair.cutoff ** 2 };
}

/** Largest error in the middle of a step, but for the last one, where the energy may jump to 0. */
function interpolationError(pair: PairTerm, steps: number): number {
  let largest = 0;
  for (let i = 1; i < steps - 1; i++) {
    const [low, middle, high] = [i, i + 0.5, i + 1].map((k) => energyAt(pair, k / steps));
    if (Math.max(low, high) > RELEVANT_ENERGY) continue;
    largest = Math.max(largest, Math.abs((low + high) / 2 - middle) / Math.max(1, Math.abs(middle)));
  }
  return largest;
}
