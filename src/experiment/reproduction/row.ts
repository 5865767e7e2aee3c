/**
 * A number of the literature beside an independent reference and beside ours, and what follows from the three.
 *
 * @module
 */
import type { Estimate } from "../../reweighting/estimate.ts";

/** What was printed elsewhere. */
export interface Published {
  /** As printed or as read off a figure, without unit; ranges as "0.58–0.80". */
  readonly value: string;
  /** Where. */
  readonly source: string;
  /**
   * The numbers between which ours agrees with it: from the least to the largest that was printed, or what is read off a
   * figure with as much on either side as it can be read. Left out where no number was published, or one of a single run
   * that is a matter of chance.
   */
  readonly range?: readonly [least: number, most: number];
  /**
   * Where settings are lost with which it could be made again: a clause that says which. Our own reference then stands in
   * its place.
   */
  readonly notReproducible?: string;
}

/** An answer that does not come from a flow. */
export interface Reference {
  /** The number. */
  readonly value: number;
  /** One standard error; 0 if it is exact to all digits that are shown. */
  readonly standardError: number;
  /** How it was found, for example "quadrature". */
  readonly method: string;
}

/**
 * An exact number as a reference.
 *
 * @param value by quadrature, to all digits that are shown
 * @returns the reference, without error
 */
export function byQuadrature(value: number): Reference {
  return { value, standardError: 0, method: "quadrature" };
}

/** What a number is to reach where there is no reference: at least, at most, or both. */
export type Goal = readonly [least: number, most: number];

/** One quantity. */
export interface ReproducedRow {
  /** What it is, with temperature and split, for example "ΔF(right − left), T = 1". */
  readonly quantity: string;
  /** Unit, "" for a pure number. */
  readonly unit: string;
  /** What was published, or null. */
  readonly published: Published | null;
  /** The independent answer, or null. */
  readonly reference: Reference | null;
  /** What we find. */
  readonly ours: Estimate;
  /** How we find it, in a few words. */
  readonly method: string;
  /** What the number is to reach, instead of a reference. */
  readonly goal?: Goal;
  /** What no such number can lie below, for losses and divergences: says whether it is possible, not whether it is good. */
  readonly floor?: number;
  /** Energies that were evaluated for it, training and data included; an energy with its gradient is one. */
  readonly energyEvaluations: number;
  /** Seconds of processor time that it took, training and data included. */
  readonly seconds: number;
  /** What a reader must know to judge the row. */
  readonly note?: string;
}

/** What a row shows. */
export type Verdict =
  | { readonly kind: "agrees" | "differs" | "unreliable"; readonly standardErrors: number }
  | { readonly kind: "reached" | "missed" | "undecided" | "doubtful" | "stated" | "no estimate" };

/** What a verdict rests on. */
export type JudgedRow = Pick<ReproducedRow, "ours" | "reference" | "goal" | "floor">;

/** Differences of more standard errors are called differences: a correct row among 370 does so by chance. */
const LIMIT = 3;
/** Relative difference below which exact numbers are equal. */
const ROUNDING = 1e-9;

/**
 * Judges a row: ours against the reference in standard errors of their difference, or against the goal.
 *
 * An estimate that its own checks call unreliable never agrees and reaches no goal. A goal is reached or missed where all
 * of the 95 % interval is on one side of it, else it is undecided. A row that has a floor at most is only stated, unless it
 * is below: then it differs from what is possible.
 *
 * @param row quantity with reference, goal or floor
 * @returns the verdict
 *
 * @example A fair coin
 * ```ts
 * import { verdictOf } from "@boltzflow/boltzflow/experiment";
 * import { assertEquals } from "@std/assert";
 *
 * const ours = { value: 0.52, standardError: 0.02, interval95: [0.48, 0.56] as const, reliable: true, reason: null };
 * const reference = { value: 0.5, standardError: 0, method: "symmetry" };
 *
 * assertEquals(verdictOf({ ours, reference }), { kind: "agrees", standardErrors: 1 });
 * assertEquals(verdictOf({ ours, reference: null, goal: [0.9, 1] }), { kind: "missed" });
 * ```
 */
export function verdictOf({ ours, reference, goal, floor }: JudgedRow): Verdict {
  if (ours.value === null) return { kind: "no estimate" };
  if (reference !== null) {
    const difference = Math.abs(ours.value - reference.value);
    const error = Math.hypot(ours.standardError ?? 0, reference.standardError);
    const rounding = ROUNDING * Math.max(1, Math.abs(reference.value));
    const standardErrors = difference <= rounding ? 0 : difference / error;
    if (!ours.reliable) return { kind: "unreliable", standardErrors };
    // Rounded: what is printed as 3.0 is not called more.
    return {
      kind: Math.round(10 * standardErrors) / 10 <= LIMIT ? "agrees" : "differs",
      standardErrors: round(standardErrors),
    };
  }
  if (goal !== undefined) return { kind: againstGoal(ours, goal) };
  const below = floor === undefined ? 0 : (floor - ours.value) / (ours.standardError ?? NaN);
  return below > LIMIT ? { kind: "differs", standardErrors: round(below) } : { kind: "stated" };
}

function againstGoal({ value, interval95, reliable }: Estimate, [least, most]: Goal) {
  if (!reliable) return "doubtful";
  const [low, high] = interval95 ?? [value!, value!];
  if (low >= least && high <= most) return "reached";
  return high < least || low > most ? "missed" : "undecided";
}

/** Without the last bits, which say nothing. */
function round(value: number): number {
  return Number(value.toPrecision(6));
}

/** Whether a published number agrees with ours and with the reference; null where that cannot be said. */
export interface PublishedVerdict {
  /** With ours: it is within 3 of its standard errors of the published range. Null where ours is not reliable. */
  readonly ours: boolean | null;
  /** With the reference: it is within 3 of its standard errors of the published range. Null where there is none. */
  readonly reference: boolean | null;
}

/**
 * Holds what was published against ours and against the reference.
 *
 * @param row quantity with what was published
 * @returns the answers; null where no number was published
 *
 * @example A published number that neither we nor an exact calculation find
 * ```ts
 * import { publishedVerdictOf } from "@boltzflow/boltzflow/experiment";
 * import { assertEquals } from "@std/assert";
 *
 * const ours = { value: 3.4, standardError: 0.05, interval95: [3.3, 3.5] as const, reliable: true, reason: null };
 * const reference = { value: 3.38, standardError: 0, method: "quadrature" };
 * const published = { value: "3.65–3.7", source: "a figure", range: [3.65, 3.7] as const };
 *
 * assertEquals(publishedVerdictOf({ ours, reference, published }), { ours: false, reference: false });
 * ```
 */
export function publishedVerdictOf(
  { ours, reference, published }: Pick<ReproducedRow, "ours" | "reference" | "published">,
): PublishedVerdict | null {
  if (!published?.range) return null;
  const [least, most] = published.range;
  const near = (value: number, error: number) => value + LIMIT * error >= least && value - LIMIT * error <= most;
  return {
    ours: ours.reliable && ours.value !== null ? near(ours.value, ours.standardError ?? 0) : null,
    reference: reference && near(reference.value, reference.standardError),
  };
}

/**
 * Says a verdict in words, for example "agrees (0.7 standard errors); published value agrees with both".
 *
 * @param row quantity, ours, reference or goal, published value
 * @returns a clause
 */
export function verdictText(row: JudgedRow & Pick<ReproducedRow, "published">): string {
  const lost = row.published?.notReproducible;
  return [
    wordsOf(verdictOf(row), row),
    ...lost === undefined ? [] : [`published value not reproducible, because ${lost}`],
    ...publishedWords(publishedVerdictOf(row)),
  ].join("; ");
}

function publishedWords(verdict: PublishedVerdict | null): string[] {
  if (verdict === null) return [];
  const { ours, reference } = verdict;
  const verb = (agrees: boolean) => agrees ? "agrees with" : "differs from";
  if (ours === null) return reference === null ? [] : [`published value ${verb(reference)} the reference`];
  if (reference === null) return [`published value ${verb(ours)} ours`];
  if (ours === reference) return [`published value ${verb(ours)} both`];
  return [`published value ${verb(ours)} ours and ${verb(reference)} the reference`];
}

function wordsOf(verdict: Verdict, { ours, goal, reference, floor }: JudgedRow): string {
  const exact = ours.standardError === 0 && reference?.standardError === 0;
  switch (verdict.kind) {
    case "agrees":
      return exact ? "agrees to nine digits" : `agrees (${verdict.standardErrors.toFixed(1)} standard errors)`;
    case "differs":
      if (reference === null) {
        return `below its floor ${signText(floor!)} by ${verdict.standardErrors.toFixed(1)} standard errors`;
      }
      return exact ? "differs, and both are exact" : `differs by ${verdict.standardErrors.toFixed(1)} standard errors`;
    case "unreliable":
      return `unreliable: ${ours.reason} (off by ${verdict.standardErrors.toFixed(1)} standard errors)`;
    case "no estimate":
      return `no estimate: ${ours.reason}`;
    case "stated": {
      const lowest = floor === undefined ? "" : `; none can be below ${signText(Number(floor.toPrecision(6)))}`;
      return `stated${lowest}${ours.reliable ? "" : `, unreliable: ${ours.reason}`}`;
    }
    case "doubtful":
      return `unreliable: ${ours.reason}; the goal is ${goalText(goal!)}`;
    default:
      return `${verdict.kind}: ${goalText(goal!)}`;
  }
}

/** With a true minus sign. */
function signText(value: number): string {
  return String(value).replace("-", "−");
}

function goalText([least, most]: Goal): string {
  if (most === Infinity) return `at least ${least}`;
  return least === -Infinity ? `at most ${most}` : `${least} to ${most}`;
}

/**
 * An exact number as an estimate, for quantities that hold no chance.
 *
 * @param value the number
 * @returns an estimate without error
 */
export function exactly(value: number): Estimate {
  return { value, standardError: 0, interval95: [value, value], reliable: true, reason: null };
}
