/**
 * Which estimate a report stands by, and which it doubts.
 *
 * @module
 */
import { normalisationDoubt, type StatedDensity } from "../reweighting/density_integral.ts";
import { type Estimate, noEstimate } from "../reweighting/estimate.ts";

/** Combined standard errors beyond which two reliable estimates cannot both be right: independent ones once in 15 787. */
const CONTRADICTION = 4;

/**
 * The estimate that a report stands by: the reliable one of smallest standard error, or none with the reasons. Where
 * reliable estimates contradict each other by more than four combined standard errors there is none either.
 *
 * @param estimates by name, none of which uses reference data; the first one wins a tie
 * @returns one of them, or no estimate with the reason
 */
export function headlineOf(estimates: Readonly<Record<string, Estimate>>): Estimate {
  const reliable = Object.entries(estimates).filter(([, estimate]) => estimate.reliable);
  if (reliable.length === 0) {
    return noEstimate(Object.entries(estimates).map(([name, estimate]) => `${name}: ${estimate.reason}`).join("; "));
  }
  const [name, best] = reliable.reduce((best, next) => next[1].standardError! < best[1].standardError! ? next : best);
  for (const [other, { value, standardError }] of reliable) {
    const errors = Math.abs(value! - best.value!) / Math.hypot(standardError!, best.standardError!);
    if (errors > CONTRADICTION) {
      return noEstimate(`${name} and ${other} contradict each other by ${errors.toFixed(1)} combined standard errors`);
    }
  }
  return best;
}

/**
 * Says whether a density that was sampled is not the one that is stated, as far as a few dimensions allow to tell.
 *
 * @param samples flow samples [n, dim] with their log-densities [n]
 * @param logProb ln q at given configurations
 * @returns a clause, or null; null too where samples are not finite, which is a doubt of its own elsewhere
 */
export function densityDoubt(samples: StatedDensity, logProb: (x: Float64Array) => Float64Array): string | null {
  if (!samples.x.every(Number.isFinite) || !samples.logProb.every(Number.isFinite)) return null;
  return normalisationDoubt(samples, logProb);
}

/** Marks an estimate as unreliable for a reason that was found elsewhere, such as a density that is not normalised. */
export function doubtedBy(estimate: Estimate, reason: string | null): Estimate {
  return reason === null || !estimate.reliable ? estimate : { ...estimate, reliable: false, reason };
}

/** Marks an estimate as unreliable where its frames come from chains that still remembered their starts. */
export function doubtUnrelaxed(estimate: Estimate, relaxed: boolean): Estimate {
  return doubtedBy(estimate, relaxed ? null : "the evaluation chains had not relaxed when burn-in ended");
}

/** Half the width of an estimate's 95 % interval, NaN where it has none. */
export function halfWidth({ interval95 }: Pick<Estimate, "interval95">): number {
  return interval95 === null ? NaN : (interval95[1] - interval95[0]) / 2;
}
