/**
 * The report of a dimer run for people: one page that says what was found, how far to trust it, and how to repeat it.
 *
 * @module
 */
import { type HtmlReport, htmlReport, type ReportFigure, type ReportNumber } from "../plot/html_report.ts";
import type { FreeEnergyEstimate } from "../reweighting/estimate.ts";
import { auditSection } from "./audit_report.ts";
import {
  costSection,
  dataSection,
  modelsSection,
  repeatSection,
  systemSection,
  trainingSection,
} from "./dimer_report_methods.ts";
import { answerSection, caveatsSection, estimatesSection, flowSection } from "./dimer_report_results.ts";
import type { DimerFigure, DimerOutcome } from "./dimer_results.ts";
import { agreement, compare, differenceText, inUnits } from "./dimer_verdict.ts";
import { interval, NO_BREAK, NOTHING } from "./report_numbers.ts";

/**
 * Writes the report of a run as one HTML file that needs nothing else.
 *
 * @param outcome the run
 * @param figures what `dimerFigures` drew
 * @returns the text of the file; the same outcome gives the same bytes
 */
export function dimerReportHtml(outcome: DimerOutcome, figures: readonly DimerFigure[]): string {
  return htmlReport(dimerReport(outcome, figures));
}

/**
 * Puts the report together, before it is set as HTML.
 *
 * @param outcome the run
 * @param figures what `dimerFigures` drew; sections do without those that are missing
 * @returns title, key numbers and sections
 */
export function dimerReport(outcome: DimerOutcome, figures: readonly DimerFigure[]): HtmlReport {
  const { run } = outcome;
  const show = (...names: DimerFigure["name"][]): { figures: ReportFigure[] } => ({
    figures: figures.filter(({ name }) => names.includes(name)).map(({ svg, caption }) => ({ svg, caption })),
  });
  return {
    title: "Opening the particle dimer: a free energy from a Boltzmann generator",
    subtitle: `System \`${run.preset}\`, *T* = ${run.temperature} *T*_0, budget ${run.budget}, seed ${run.seed}`,
    summary: summary(outcome),
    sections: [
      answerSection(outcome),
      { ...estimatesSection(outcome), ...show("profile") },
      { ...systemSection(outcome), ...show("potential", "configurations") },
      { ...flowSection(outcome), ...show("energies", "path") },
      dataSection(outcome),
      { ...trainingSection(outcome), ...show("losses") },
      auditSection({ flow: outcome.audit }),
      costSection(outcome),
      modelsSection(outcome),
      caveatsSection(outcome),
      repeatSection(outcome),
    ],
    footer: `boltzflow ${run.packageVersion}, ${run.kernelBuild} kernels. Machine-readable copy: \`report.json\`. ` +
      "Energies are in units of k_BT at the temperature of the run; lengths are those of the energy.",
  };
}

/** The numbers that are seen first: flow, umbrella sampling, and how far they are apart. */
function summary({ headline, reference }: DimerOutcome): ReportNumber[] {
  const umbrella = reference.freeEnergyDifference;
  const comparison = compare(headline, umbrella);
  const apart = comparison === null
    ? { value: NOTHING, note: "one of the two is missing or unreliable" }
    : { value: `${differenceText(comparison)}${NO_BREAK}k_BT`, note: agreement(comparison) };
  return [
    estimateTile("*F*(open) − *F*(closed), flow", headline, "no umbrella data in it"),
    estimateTile("*F*(open) − *F*(closed), umbrella sampling", umbrella, "no flow in it"),
    { label: "flow − umbrella sampling", ...apart },
  ];
}

function estimateTile(label: string, estimate: FreeEnergyEstimate, note: string): ReportNumber {
  if (!estimate.reliable) {
    const value = estimate.value === null ? "no reliable estimate" : inUnits(estimate);
    return { label, value, note: estimate.reason ?? "no reason given", warning: true };
  }
  return { label, value: inUnits(estimate), note: `95${NO_BREAK}% interval ${interval(estimate)}; ${note}` };
}
