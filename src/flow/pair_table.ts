/**
 * Pair energies as tables over the squared distance, for kernels that know no formula.
 *
 * @module
 */
import type { TiltTable } from "../graph/tilt.ts";
import type { PairTerm, ParticleInteractions } from "../system/particle_interactions.ts";

/** Numbers of steps that are tried. */
const FEWEST_STEPS = 256;
const MOST_STEPS = 16_384;
/** Error of the interpolation that is aimed at, in k_BT₀, relative where the energy is above 1. */
const ERROR = 1e-3;
/** Energies above this are not looked at, in k_BT₀ up to twice T₀: nobody is there. */
const RELEVANT_ENERGY = 25;
/** Higher energies are cut off, in k_BT₀ up to twice T₀, so that the logarithm of a density stays finite. */
const HIGHEST_ENERGY = 200;

/** What energies that matter are multiplied by at a temperature: bounds are at least half as high in k_BT as in k_BT₀. */
function atTemperature(temperature: number): number {
  return Math.max(1, temperature / 2);
}

/** The energy at which a tilted density cuts energies off, in k_BT₀: 200, and never below 100 k_BT. */
export function highestEnergy(temperature: number): number {
  return HIGHEST_ENERGY * atTemperature(temperature);
}

/** Finds how two particles act on each other; refuses what a user's `pairTerm` must not return. */
export function pairTermOf(
  interactions: Pick<ParticleInteractions, "pairTerm">,
  i: number,
  j: number,
): PairTerm | null {
  const term: unknown = interactions.pairTerm(i, j);
  if (term === null) return null;
  const { cutoff, energy } = (term ?? {}) as Partial<PairTerm>;
  if (typeof cutoff === "number" && typeof energy === "function") return term as PairTerm;
  throw new TypeError(
    `Cannot make a particle flow: pairTerm(${i}, ${j}) must return an object with cutoff and energy, or null, got ` +
      (typeof term === "object" ? `one with ${Object.keys(term!).join(", ") || "nothing in it"}` : String(term)),
  );
}

/**
 * Tabulates a pair energy over the squared distance, in steps so small that linear interpolation is within 0.001 k_BT₀
 * where energies are below 1 k_BT₀, and within 0.1 % from there to 25 k_BT₀ (12.5 k_BT where that is more), as far as
 * 16,384 steps go. The last step, in which the energy goes to 0 at the cutoff, is as long as the others.
 *
 * The density that is made with a table is exactly normalised whatever the table says: what is cut off or interpolated
 * costs a little efficiency and no exactness.
 *
 * @param pair the energy
 * @param temperature highest T at which the table is wanted, in T₀. Default 1
 * @returns its table: 0 at the cutoff; at most 200 k_BT₀, or 100 k_BT where that is more; at distance 0, where energies may
 * be infinite, the energy of the middle of the first step
 * @throws {RangeError} if the cutoff is not a positive number, or an energy is not a number, or −∞
 */
export function tabulatePair(pair: PairTerm, temperature = 1): TiltTable {
  if (!(pair.cutoff > 0 && Number.isFinite(pair.cutoff))) {
    throw new RangeError(`Cannot tabulate a pair energy: cutoff must be a positive number, got ${pair.cutoff}`);
  }
  for (let steps = FEWEST_STEPS;; steps *= 2) {
    if (steps === MOST_STEPS || interpolationError(pair, steps, temperature) <= ERROR) {
      return tabulate(pair, steps, temperature);
    }
  }
}

/** Energy at the distance whose square is a part of cutoff². */
function energyAt(pair: PairTerm, part: number): number {
  const r = pair.cutoff * Math.sqrt(part);
  const energy = pair.energy(r);
  if (energy > -Infinity) return energy;
  throw new RangeError(`Cannot tabulate a pair energy: energy(r) must be a number above −∞, got ${energy} at r = ${r}`);
}

function tabulate(pair: PairTerm, steps: number, temperature: number): TiltTable {
  const highest = highestEnergy(temperature);
  const values = Float32Array.from(
    { length: steps + 1 },
    (_, i) => Math.min(energyAt(pair, Math.max(i, 0.5) / steps), highest),
  );
  values[steps] = 0;
  return { values, cutoffSquared: pair.cutoff * pair.cutoff };
}

/** Largest error in the middle of a step, but for the last one, where the energy may jump to 0. */
function interpolationError(pair: PairTerm, steps: number, temperature: number): number {
  const relevant = RELEVANT_ENERGY * atTemperature(temperature);
  let largest = 0;
  for (let i = 1; i < steps - 1; i++) {
    const [low, middle, high] = [i, i + 0.5, i + 1].map((k) => energyAt(pair, k / steps));
    if (Math.max(low, high) > relevant) continue;
    largest = Math.max(largest, Math.abs((low + high) / 2 - middle) / Math.max(1, Math.abs(middle)));
  }
  return largest;
}
