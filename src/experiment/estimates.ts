/**
 * Which estimate a report stands by, and which it doubts.
 *
 * @module
 */
import { type Estimate, noEstimate } from "../reweighting/estimate.ts";

/**
 * The estimate that a report stands by: the reliable one of smallest standard error, or none with the reasons.
 *
 * @param estimates by name, none of which uses reference data; the first one wins a tie
 */
export function headlineOf(estimates: Readonly<Record<string, Estimate>>): Estimate {
  const reliable = Object.values(estimates).filter((estimate) => estimate.reliable);
  if (reliable.length > 0) {
    return reliable.reduce((best, estimate) => estimate.standardError! < best.standardError! ? estimate : best);
  }
  return noEstimate(Object.entries(estimates).map(([name, estimate]) => `${name}: ${estimate.reason}`).join("; "));
}

/** Marks an estimate as unreliable where its frames come from chains that still remembered their starts. */
export function doubtUnrelaxed(estimate: Estimate, relaxed: boolean): Estimate {
  if (relaxed || !estimate.reliable) return estimate;
  return { ...estimate, reliable: false, reason: "the evaluation chains had not relaxed when burn-in ended" };
}
