/**
 * The few lines that a run over temperatures prints at its end.
 *
 * @module
 */
import type { Estimate } from "../reweighting/estimate.ts";
import { auditLine } from "./audit_report.ts";
import type { CurvePoint, ThermodynamicCurve } from "./temperature_curve.ts";
import type { TemperaturesOutcome } from "./temperature_results.ts";
import { inT0, referenceAt, temperatureText } from "./temperature_units.ts";

/**
 * Says in a few lines what a run found.
 *
 * @param outcome of the run
 * @returns text without a final line break
 */
export function summarizeTemperatures({ run, points, references, curve, audit }: TemperaturesOutcome): string {
  const text = (estimate: Estimate | undefined) => {
    if (estimate === undefined) return "";
    if (estimate.value === null) return "no estimate";
    const error = estimate.standardError === null ? "" : ` ± ${estimate.standardError.toFixed(3)}`;
    return `${estimate.value.toFixed(3)}${error}${estimate.reliable ? "" : " (!)"}`;
  };
  const ofCurve = (at: CurvePoint | null) =>
    at === null ? "" : `${at.freeEnergy.value.toFixed(3)} ± ${at.freeEnergy.standardError.toFixed(3)}`;
  const columns = ["T / T₀", "trained", "BAR", "reweighting", "curve", "umbrella", "best in k_BT₀"];
  const rows = points.map((point) => [
    temperatureText(point.temperature),
    point.trained ? "yes" : "no",
    text(point.evaluation.freeEnergyDifference.bar),
    text(point.evaluation.freeEnergyDifference.reweighting),
    ofCurve(curve.at(point.temperature)),
    text(referenceAt(references, point.temperature)?.freeEnergyDifference),
    point.headline.value === null ? "none reliable" : text(inT0(point.headline, point.temperature)),
  ]);
  const widths = columns.map((column, i) => Math.max(column.length, ...rows.map((row) => row[i].length)));
  const line = (cells: readonly string[]) => cells.map((cell, i) => cell.padEnd(widths[i])).join("  ").trimEnd();
  const doubts = rows.some((row) => row.some((cell) => cell.endsWith("(!)")))
    ? ["(!) not reliable: the report says why"]
    : [];
  return [
    `F(open) − F(closed) in k_BT at each temperature, ${run.preset}, seed ${run.seed}, budget ${run.budget}:`,
    line(columns),
    ...rows.map(line),
    ...curve.degree < 0 ? [] : [curveLine(curve)],
    auditLine(audit),
    ...doubts,
  ].join("\n");
}

/** How well the curve fits: χ² by the errors of the estimates, and what it made of the errors of the curve. */
function curveLine({ chiSquare, freedom, widening }: ThermodynamicCurve): string {
  const fit = `curve through all: χ² ${
    chiSquare.toFixed(1)
  } for ${freedom} degrees of freedom, by the estimates' own errors`;
  return widening > 1
    ? `${fit}; errors of the curve are widened by ${widening.toFixed(2)}, the root of their ratio`
    : fit;
}
