/**
 * What the estimates of a dimer run say about each other, in numbers and in words.
 *
 * @module
 */
import type { FreeEnergyEstimate } from "../reweighting/estimate.ts";
import type { FreeEnergyProfile } from "../reweighting/profile_band.ts";
import type { DimerOutcome } from "./dimer_results.ts";
import { decimalsFor, fixed, NO_BREAK, power, signed, withError } from "./report_numbers.ts";

/** How far two independent estimates are apart. */
export interface Comparison {
  /** First minus second, in k_BT. */
  readonly difference: number;
  /** √ of the sum of their squared standard errors. */
  readonly combinedError: number;
  /** |difference| / combinedError. */
  readonly inErrors: number;
}

/**
 * Compares two independent estimates.
 *
 * @param first one of them
 * @param second the other
 * @returns how far they are apart, or null where one has no value or no error, or is not reliable
 */
export function compare(first: FreeEnergyEstimate, second: FreeEnergyEstimate): Comparison | null {
  if (first.value === null || second.value === null || !first.reliable || !second.reliable) return null;
  if (first.standardError === null || second.standardError === null) return null;
  const difference = first.value - second.value;
  const combinedError = Math.hypot(first.standardError, second.standardError);
  return { difference, combinedError, inErrors: Math.abs(difference) / combinedError };
}

/** Says what a comparison means. */
export function agreement({ inErrors }: Comparison): string {
  const size = `${fixed(inErrors, 1)} combined standard errors`;
  if (inErrors < 2) return `${size}: they agree`;
  if (inErrors < 3) {
    return `${size}: chance alone does this in one comparison of ${inErrors < 2.5 ? "20 to 80" : "80 to 370"}`;
  }
  return `${size}: they contradict each other, unless this is the one comparison in 370 that goes so far by chance`;
}

/** Writes a difference with its error. */
export function differenceText({ difference, combinedError }: Comparison): string {
  const decimals = decimalsFor(combinedError);
  return `${signed(difference, decimals)}${NO_BREAK}±${NO_BREAK}${fixed(combinedError, decimals)}`;
}

/** Names of the two methods that a headline can come from, as they stand in a sentence. */
const METHODS = {
  bar: "Bennett acceptance ratio between flow samples and evaluation frames",
  reweighting: "plain reweighting of flow samples",
} as const;

/** The method that the headline comes from, or null where there is none. */
export function headlineMethod({ headline, evaluation }: DimerOutcome): string | null {
  const { bar, reweighting } = evaluation.freeEnergyDifference;
  const isFrom = ({ value, standardError }: FreeEnergyEstimate) =>
    headline.value !== null && headline.value === value && headline.standardError === standardError;
  return isFrom(bar) ? METHODS.bar : isFrom(reweighting) ? METHODS.reweighting : null;
}

/** What a free energy means for populations, as a sentence. */
export function populationSentence({ headline }: DimerOutcome): string {
  if (headline.value === null || headline.interval95 === null) {
    return "No population can be stated: neither estimate that uses the flow is reliable.";
  }
  const [rare, common] = headline.value >= 0 ? ["open", "closed"] : ["closed", "open"];
  const bounds = headline.interval95.map((bound) => Math.exp(Math.sign(headline.value!) * bound)).sort((a, b) => a - b);
  return `In equilibrium there are about ${
    ratio(Math.exp(Math.abs(headline.value)))
  } ${common} configurations for every ` +
    `${rare} one (95${NO_BREAK}%: ${ratio(bounds[0])} to ${ratio(bounds[1])}).`;
}

function ratio(value: number): string {
  if (value >= 1e5) return power(value);
  return value < 10 ? value.toPrecision(2) : String(Number(value.toPrecision(2)));
}

/** Above this many k_BT an error says little: the bin of a profile is then not shown as a result. */
const LARGEST_BIN_ERROR = 1;

/**
 * Tells which bins of a profile can be read: they have 50 effective samples and an error of at most 1 k_BT.
 *
 * @param profile the profile
 * @returns one answer for each bin
 */
export function readableBins({ reliable, standardError }: FreeEnergyProfile): boolean[] {
  return reliable.map((is, k) => {
    const error = standardError[k];
    return is && error !== null && error <= LARGEST_BIN_ERROR;
  });
}

/** An estimate as "7.02 ± 0.06 k_BT". */
export function inUnits(estimate: FreeEnergyEstimate): string {
  return estimate.value === null ? "no estimate" : `${withError(estimate)}${NO_BREAK}k_BT`;
}
