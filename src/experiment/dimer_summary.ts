/**
 * The few lines that a dimer run prints at its end.
 *
 * @module
 */
import type { FreeEnergyEstimate } from "../reweighting/estimate.ts";
import { auditLine } from "./audit_report.ts";
import type { DimerOutcome } from "./dimer_results.ts";

function line(name: string, { value, standardError, interval95, reliable, reason }: FreeEnergyEstimate): string {
  const label = name.padEnd(26);
  if (value === null) return `${label}no estimate: ${reason}`;
  const error = standardError === null ? "" : ` ± ${standardError.toFixed(3)}`;
  const interval = interval95 === null ? "" : `  (95 %: ${interval95.map((end) => end.toFixed(2)).join(" … ")})`;
  return `${label}${value.toFixed(3)}${error}${interval}${reliable ? "" : `  unreliable: ${reason}`}`;
}

/**
 * Says in a few lines what a run found.
 *
 * @param outcome of the run
 * @returns text without a final line break
 */
export function summarizeDimer(outcome: DimerOutcome): string {
  const { evaluation, headline, reference, run } = outcome;
  const percent = (share: number | null) => share === null ? "none" : `${(100 * share).toPrecision(2)} %`;
  return [
    `F(open) − F(closed) in k_BT of ${run.preset} at T = ${run.temperature} T₀, seed ${run.seed}, budget ${run.budget}:`,
    line("  Boltzmann generator", headline),
    line("    by BAR", evaluation.freeEnergyDifference.bar),
    line("    by plain reweighting", evaluation.freeEnergyDifference.reweighting),
    line("  umbrella sampling", reference.freeEnergyDifference),
    line("  plain Monte Carlo", reference.plain.freeEnergyDifference),
    `Kish efficiency of ${evaluation.samples} samples: closed ${percent(evaluation.samplingEfficiency.closed)}, open ` +
    `${percent(evaluation.samplingEfficiency.open)}; outside the reference domain: ${
      percent(evaluation.outsideDomain)
    }`,
    auditLine(outcome.audit),
  ].join("\n");
}
