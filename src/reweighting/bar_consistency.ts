import type { FermiTable } from "./bar_equation.ts";
import { carryingSamples } from "./bar_sides.ts";
import { degreesOfFreedom } from "./blocks.ts";
import { NORMAL_QUANTILE, studentQuantile } from "./student_t.ts";

/** One side of a solved equation, as the check of its consistency needs it. */
export interface ConsistencySide {
  /** exp(±(c − w)) of the samples that matter, [m]. */
  readonly table: FermiTable;
  /** Number of all samples. */
  readonly count: number;
  /** Variance of a sum of contributions, one for each sample that matters, with its spread (see `varianceOfBlockSums`). */
  variance(contributions: Float64Array): { variance: number; spread: number };
}

/**
 * How far from the solution the equation is looked at, in k_BT, to either side; the share of all samples that must carry it
 * there; and the standard errors beyond which two values are not equal by chance. Further out it is the average of
 * exponentials, whose error can be believed only if weights are even: then the difference is nearly normal, too, while it
 * is somewhat skewed otherwise.
 */
const MOVES = [
  { move: -2, share: 0.1, significant: 5 },
  { move: 2, share: 0.1, significant: 5 },
  { move: -5, share: 0.5, significant: 4 },
  { move: 5, share: 0.5, significant: 4 },
];
/** With fewer effective samples the distribution of the difference is too skewed for a verdict. */
const LEAST_EFFECTIVE = 200;
/** A difference, in k_BT, that nobody minds. */
const HARMLESS = 1e-3;

/**
 * Says whether forward and reverse work belong to the same two states.
 *
 *     ΔF(s) = s + ln ⟨σ(−s − w₁)⟩₁ / ⟨σ(s − w₀)⟩₀   is ΔF at any s,   if p₁(w) = p₀(w) e^(ΔF − w) as it must be
 *
 * The acceptance ratio takes one s and would hide that the two distributions of work contradict each other: where the
 * density that is stated is not the one that was sampled (a wrong log-determinant, coordinates in another order), where
 * frames follow another energy or temperature, or have not reached equilibrium. Here ΔF(s) is compared with its value at
 * the solution, 2 and 5 k_BT to either side. An error that is the same for all samples, such as a density whose integral is 2,
 * cannot be seen in work.
 *
 * Reference: Crooks, Phys. Rev. E 60, 2721 (1999); Bennett, J. Comput. Phys. 22, 245 (1976), section III, for any s.
 *
 * @param forward samples of state 0 at the solution
 * @param reverse samples of state 1 at the solution
 * @returns a clause, or null where no contradiction is seen
 */
export function consistencyDoubt(forward: ConsistencySide, reverse: ConsistencySide): string | null {
  for (const { move, share, significant } of MOVES) {
    const parts = [moved(forward, move), moved(reverse, -move)];
    const counts = [forward.count, reverse.count];
    if (parts.some(({ effective }, k) => !(effective >= Math.max(LEAST_EFFECTIVE, share * counts[k])))) {
      continue;
    }
    const difference = Math.abs(move + parts[1].logRatio - parts[0].logRatio);
    const variance = parts[0].variance + parts[1].variance;
    const error = Math.sqrt(variance);
    const freedom = degreesOfFreedom(variance, parts[0].spread + parts[1].spread);
    const allowed = significant * studentQuantile(freedom) / NORMAL_QUANTILE * error;
    if (!(difference > Math.max(HARMLESS, allowed))) continue;
    return `forward and reverse work contradict each other by ${difference.toPrecision(2)} k_BT, ${
      (difference / error).toFixed(1)
    } standard errors: the samples do not follow the densities or energies that are stated`;
  }
  return null;
}

/** ln of the mean occupation at a moved shift over that at the solution, with its variance. */
function moved({ table, count, variance }: ConsistencySide, move: number) {
  const factor = Math.exp(move);
  const here = table.occupations();
  const there = table.exponentials.map((e) => e * factor / (1 + e * factor));
  const [sumHere, sumThere] = [here, there].map((list) => list.reduce((sum, value) => sum + value, 0));
  const scores = there.map((value, i) => value / sumThere - here[i] / sumHere);
  const effective = carryingSamples(there, count, variance(there).variance);
  return { logRatio: Math.log(sumThere / sumHere), effective, ...variance(scores) };
}
