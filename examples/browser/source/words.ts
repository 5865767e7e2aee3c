/**
 * Numbers and sentences for people.
 *
 * @module
 */
import type { Estimate } from "../../../src/reweighting/estimate.ts";
import type { Picture } from "./messages.ts";
import { BOUNDARY, type Summary } from "./running_statistics.ts";

/** Names of the presets as the page shows them. */
const PRESETS: Readonly<Record<string, string>> = {
  "noe2019": "prefers closed (noe2019)",
  "noe2019-class": "nearly even (noe2019-class)",
  "printed": "low barrier (printed)",
};

/** The name of a preset, with a word on what it is. */
export function presetName(preset: string): string {
  return PRESETS[preset] ?? preset;
}

/** A count with its thousands marked. */
export function count(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}

/** Minus signs are typographic, so that they are read and seen as such. */
export function decimal(value: number, digits: number): string {
  const text = value.toFixed(digits);
  return Number(text) === 0 ? text.replace("-", "") : text.replace("-", "−");
}

/** A share in percent with two significant digits. */
export function percent(share: number): string {
  if (share === 0) return "0 %";
  const value = 100 * share;
  if (value < 0.01) return "< 0.01 %";
  return `${value < 99.5 ? value.toPrecision(2) : value.toFixed(value < 99.995 ? 2 : 0)} %`;
}

/** An estimate with its standard error, or what is missing. */
export function estimate({ value, standardError }: Estimate, digits = 2): string {
  if (value === null) return "none yet";
  return standardError === null
    ? decimal(value, digits)
    : `${decimal(value, digits)} ± ${standardError.toFixed(digits)}`;
}

/** Which state a bond length belongs to. */
export function stateName(d: number): "closed" | "open" {
  return d < BOUNDARY ? "closed" : "open";
}

/** What opacity compares the weight of a configuration with: the draws of its own state, all of them, nothing. */
export type Comparison = "state" | "all" | "none";

/** How many average draws a configuration counts as; 0 outside the reference domain. */
export function relativeWeight({ d, logWeight }: Picture, summary: Summary, comparison: Comparison): number {
  const own = d < BOUNDARY ? summary.closed : summary.open;
  const { logMeanWeight } = comparison === "all" ? summary : own;
  return logMeanWeight === -Infinity ? 0 : Math.exp(logWeight - logMeanWeight);
}

/** A weight in words. */
export function weightInWords(weight: number): string {
  if (weight === 0) return "0 (labels outside the reference domain)";
  if (weight < 0.01) return "less than 0.01";
  return weight < 10 ? weight.toFixed(2) : weight.toPrecision(2);
}

/** What is drawn, for those who do not see it. */
export function pictureInWords(picture: Picture, weight: number): string {
  return `Configuration ${count(picture.index + 1)}: the dimer is ${stateName(picture.d)}, its bond ` +
    `${picture.d.toFixed(2)} long; energy ${decimal(picture.energy, 1)} kT; ` +
    `weight ${weightInWords(weight)}.`;
}

/** Where sampling stands, in two sentences for the screen reader. */
export function summaryInWords(summary: Summary, reference: number): string {
  const { n, effective, difference } = summary;
  const samples = `${count(n)} ${n === 1 ? "sample" : "samples"}, worth ${count(effective)} of equal weight.`;
  if (difference.value === null || difference.standardError === null) {
    return `${samples} No free-energy difference yet.`;
  }
  const doubt = difference.reliable ? "" : ", still uncertain";
  return `${samples} Open minus closed: ${decimal(difference.value, 2)} plus or minus ` +
    `${difference.standardError.toFixed(2)} kT${doubt}; reference ${decimal(reference, 2)}.`;
}
