/**
 * Numbers as a report prints them: with errors, rounded to what they are worth, in the markup of labels.
 *
 * @module
 */
import type { Estimate } from "../reweighting/estimate.ts";
import type { HistoryEntry } from "../training/train.ts";

/** A blank at which no line may break. */
export const NO_BREAK = "\u00a0";

/** What an interval of a Kish efficiency is, as a sentence: no 95 % interval where it would matter. */
export const EFFICIENCY_INTERVAL = "Intervals of efficiencies are the middle 95" + NO_BREAK + "% of a bootstrap over " +
  "the samples at hand. They hold the efficiency of infinitely many samples 95 times in 100 where weights are bounded, but " +
  "only 64 to 80 times for heavy tails, because heavier weights than any drawn are not in them.";

/** Says in a sentence what was skipped because it was not finite; empty if nothing was. */
export function skippedSentences(history: readonly { readonly skipped?: number }[], samples: number): string[] {
  const steps = history.reduce((sum, { skipped = 0 }) => sum + skipped, 0);
  return [
    ...steps === 0 ? [] : [`${count(steps)} steps of training were skipped because loss or gradient was not finite.`],
    ...samples === 0 ? [] : [
      `${
        count(samples)
      } flow samples had coordinates, a density or an energy that is not finite: they count as samples of ` +
      "weight zero, and what they stand for is in no number.",
    ],
  ];
}

/** The history of a training as a report holds it: a line for each entry, with its losses by name. */
export function lossesJson(history: readonly HistoryEntry[]): readonly Readonly<Record<string, unknown>>[] {
  return history.map(({ stage, step, losses, validation, skipped }) => ({
    stage,
    step,
    ...losses,
    validation,
    ...skipped && { skipped },
  }));
}

/** Shown where there is no number. */
export const NOTHING = "–";

/** A number with so many decimals and a true minus sign; "–" for null or NaN, ±∞ as signs. */
export function fixed(value: number | null, decimals: number): string {
  if (value === null || Number.isNaN(value)) return NOTHING;
  if (!Number.isFinite(value)) return value > 0 ? "∞" : "−∞";
  if (Math.abs(value) >= 1e6) return power(value);
  const text = value.toFixed(decimals);
  return Number(text) === 0 ? text.replace("-", "") : text.replace("-", "−");
}

/** Like `fixed`, with a plus sign where it is due. */
export function signed(value: number | null, decimals: number): string {
  const text = fixed(value, decimals);
  return value !== null && value > 0 ? `+${text}` : text;
}

/** A count with thin spaces between thousands; powers of ten from a million on. */
export function count(value: number): string {
  if (!Number.isFinite(value)) return fixed(value, 0);
  if (Math.abs(value) >= 1e6) return power(value, 3);
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, "\u202f").replace("-", "−");
}

/** A number as mantissa and power of ten, for example `2.3×10^-4`. */
export function power(value: number | null, digits = 2): string {
  if (value === null || !Number.isFinite(value)) return fixed(value, 0);
  if (value === 0) return "0";
  const [mantissa, exponent] = value.toExponential(digits - 1).split("e");
  return `${mantissa.replace("-", "−")}×10^${Number(exponent)}`;
}

/** A share as per cent with two digits, or as a power of ten where it is small. */
export function share(value: number | null): string {
  if (value === null || !Number.isFinite(value)) return fixed(value, 0);
  if (value === 0) return "0";
  if (Math.abs(value) < 1e-3) return power(value);
  const percent = 100 * value;
  return `${percent >= 99.5 ? percent.toFixed(0) : percent.toPrecision(2)}${NO_BREAK}%`;
}

/** How many decimals an error of this size deserves: two digits of it, and no more than `most`. */
export function decimalsFor(error: number | null, most = 6): number {
  if (error === null || !(error > 0) || !Number.isFinite(error)) return 2;
  return Math.min(most, Math.max(0, 1 - Math.floor(Math.log10(error) + 1e-9)));
}

/** An estimate with its standard error, for example `6.73 ± 0.021`, both to two digits of the error. */
export function withError({ value, standardError }: Pick<Estimate, "value" | "standardError">): string {
  if (value === null) return `no${NO_BREAK}estimate`;
  const decimals = decimalsFor(standardError);
  const error = standardError === null ? "?" : fixed(standardError, decimals);
  return `${fixed(value, decimals)}${NO_BREAK}±${NO_BREAK}${error}`;
}

/** A 95 % interval, for example `6.69 to 6.78`. */
export function interval({ interval95, standardError }: Estimate): string {
  if (interval95 === null) return NOTHING;
  const decimals = decimalsFor(standardError);
  return `${fixed(interval95[0], decimals)}${NO_BREAK}to${NO_BREAK}${fixed(interval95[1], decimals)}`;
}

/** A duration: `850 ms`, `12.3 s`, `8 min 32 s`, `2 h 5 min`. */
export function duration(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  if (seconds < 1) return `${Math.round(milliseconds)} ms`;
  if (seconds < 99.95) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(Math.round(seconds) / 60);
  if (minutes < 100) return `${minutes} min ${Math.round(seconds) % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
