/** Repeats experiments whose answers are known, and counts how often 95 % intervals hold them. */
import { assert } from "@std/assert";
import { CounterRandom } from "../../src/reweighting/counter_random.ts";
import type { Estimate } from "../../src/reweighting/estimate.ts";
import { long, record, trials } from "../support/incidents.ts";

/** What an estimator must tell here: an interval, and whether to believe it. */
export type Interval = Pick<Estimate, "value" | "interval95" | "reliable">;

/** An experiment that yields one or several intervals from one set of samples. */
export interface Experiment {
  /** The system, in a few words. */
  readonly system: string;
  /** How many samples. */
  readonly size: string;
  /** How they are correlated. */
  readonly correlation: string;
  /** What the intervals are to hold, by estimator. */
  readonly truths: Readonly<Record<string, number>>;
  /** The estimates from fresh samples. */
  run(random: CounterRandom): Readonly<Record<string, Interval>>;
  /** The same by an estimator that ignores the correlation: it must fail the band. */
  blind?(random: CounterRandom): Readonly<Record<string, Interval>>;
  /** Estimators that correlation matters to, where these are not all. */
  readonly blindTruths?: Readonly<Record<string, number>>;
}

/** A line of the table. */
export interface Row {
  readonly estimator: string;
  readonly system: string;
  readonly size: string;
  readonly correlation: string;
  /** Experiments with an interval. */
  readonly repeats: number;
  /** How many of them hold the truth. */
  readonly covered: number;
  /** How many would with half the width. */
  readonly coveredByHalf: number;
  /** Median half-width. */
  readonly halfWidth: number;
  /** How many of the intervals are called reliable, and how many of those hold the truth. */
  readonly reliable: number;
  readonly reliableCovered: number;
}

/** Experiments in the usual tests, and five series of 200 in the long ones. */
export const REPEATS = trials(60, 1000);
/** At least this share of the intervals must be called reliable: a table of doubtful results shows nothing. */
const LEAST_RELIABLE = 1 / 3;

/**
 * The band: 183 to 197 of 200. Five series of 200 are pooled, since of estimators that are exactly right 1.3 % leave the
 * band in a single series, and an average of five never does (5 standard deviations), while coverage of 90 % passes a
 * single series one time in four and five of them one time in twenty.
 */
export function isCovering(covered: number, repeats: number): boolean {
  const share = covered / repeats;
  if (long) return share >= 183 / 200 && share <= 197 / 200;
  // Few repeats: four standard deviations of a share of 95 %, and nothing can be said about too wide ones.
  return share >= 0.95 - 4 * Math.sqrt(0.05 * 0.95 / repeats);
}

/**
 * Repeats an experiment. Every interval counts, also of results that are called unreliable: leaving those out would select
 * experiments by their errors, and Student's t promises 95 % before such a choice. The table has both counts.
 */
export function measure(experiment: Experiment, run = experiment.run, repeats = REPEATS): Row[] {
  const { system, size, correlation, truths } = experiment;
  const names = Object.keys(truths);
  const counts = names.map(() => ({ repeats: 0, covered: 0, coveredByHalf: 0, reliable: 0, reliableCovered: 0 }));
  const widths: number[][] = names.map(() => []);
  for (let i = 0; i < repeats; i++) {
    const estimates = run(new CounterRandom(20261122, i));
    names.forEach((name, k) => {
      const { value, interval95, reliable } = estimates[name];
      if (interval95 === null) return;
      const [low, high] = interval95;
      const truth = truths[name];
      const held = low <= truth && truth <= high ? 1 : 0;
      counts[k].repeats++;
      counts[k].covered += held;
      counts[k].coveredByHalf += (low + value!) / 2 <= truth && truth <= (high + value!) / 2 ? 1 : 0;
      if (reliable) counts[k].reliable++;
      if (reliable) counts[k].reliableCovered += held;
      widths[k].push((high - low) / 2);
    });
  }
  return names.map((estimator, k) => {
    const halfWidth = widths[k].sort((a, b) => a - b)[widths[k].length >> 1] ?? NaN;
    return { estimator, system, size, correlation, ...counts[k], halfWidth };
  });
}

/** Registers one test for each experiment: every interval covers, half of it and a blind estimator do not. */
export function testCoverage(experiments: readonly Experiment[]): void {
  for (const experiment of experiments) {
    const { system, size, correlation, truths } = experiment;
    const names = Object.keys(truths).join(", ");
    Deno.test(`95 % intervals cover: ${names} | ${system} | ${size} | ${correlation}`, () => {
      const start = performance.now();
      const rows = measure(experiment);
      for (const row of rows) {
        if (long) console.log(line(row));
        // A headline may be missing: it is where no estimate can be checked.
        assert(row.repeats > 0.6 * REPEATS, `too few intervals: ${line(row)}`);
        assert(row.reliable > LEAST_RELIABLE * REPEATS, `too few reliable intervals: ${line(row)}`);
      }
      for (const row of rows) {
        record({
          incident: `95 % interval: ${row.estimator}, ${system}, ${size}, ${correlation} (covers ${
            (200 * row.covered / row.repeats).toFixed(1)
          } of 200, half-width ${row.halfWidth.toPrecision(2)})`,
          trials: row.repeats,
          lost: 0,
          wrong: isCovering(row.covered, row.repeats) ? 0 : 1,
          seconds: (performance.now() - start) / 1000 / rows.length,
        });
      }
      for (const row of rows) {
        assert(isCovering(row.covered, row.repeats), line(row));
        // Half the width covers 67 times in 100: few repeats of one estimator may not tell, but those of all together do.
        if (long) assert(!isCovering(row.coveredByHalf, row.repeats), `half the width covers, too: ${line(row)}`);
      }
      const half = rows.reduce((sum, row) => sum + row.coveredByHalf / row.repeats, 0) / rows.length;
      assert(!isCovering(half * REPEATS, REPEATS), `half the widths cover ${half}`);
      if (!experiment.blind) return;
      const touched = { ...experiment, truths: experiment.blindTruths ?? truths };
      for (const row of measure(touched, experiment.blind, trials(60, 400))) {
        const { covered, repeats } = row;
        assert(covered / repeats < 183 / 200, `an estimator that ignores the correlation covers: ${line(row)}`);
      }
    });
  }
}

/** A row of the Markdown table that the long tests print: coverage of all, half-width, and coverage of the reliable ones. */
export function line(row: Row): string {
  const { estimator, system, size, correlation, covered, repeats, reliable, reliableCovered, halfWidth } = row;
  const of200 = (part: number, all: number) => (200 * part / all).toFixed(1);
  return `| ${estimator} | ${system} | ${size} | ${correlation} | ${of200(covered, repeats)} | ${
    halfWidth.toPrecision(2)
  } | ${of200(reliableCovered, reliable)} of the ${(100 * reliable / repeats).toFixed(0)} % reliable |`;
}
