/**
 * The report of a comparison of flows, for people and for machines.
 *
 * @module
 */
import { htmlReport, type ReportFigure, type ReportNumber, type ReportSection } from "../plot/html_report.ts";
import type { FreeEnergyEstimate } from "../reweighting/estimate.ts";
import type { JsonObject } from "../format/json.ts";
import { auditSection } from "./audit_report.ts";
import { contenderTitles, minutesUntil } from "./comparison_figures.ts";
import type { ComparisonFigure, ComparisonOutcome, ContenderResult } from "./comparison_results.ts";
import {
  bestDensity,
  energyTable,
  lastPoint,
  progressTable,
  qualityTable,
  referencesTable,
} from "./comparison_tables.ts";
import type { ContenderName } from "./comparison_settings.ts";
import { stagesOf } from "./comparison_training.ts";
import { toJson } from "./dimer_report_json.ts";
import { agreement, compare, inUnits } from "./dimer_verdict.ts";
import { count, EFFICIENCY_INTERVAL, fixed, NO_BREAK, share } from "./report_numbers.ts";

/** Version of the layout of the JSON: raised when a key changes its meaning or goes. */
const VERSION = 1;

/**
 * Collects the numbers of a comparison.
 *
 * With the same plan and seed everything is the same again, for any number of threads, but `minutes`, `wallTimeMs` and
 * `run.threads`. What JSON has no number for is null.
 *
 * @param outcome the comparison
 * @returns the object to write
 */
export function comparisonReportJson(outcome: ComparisonOutcome): JsonObject {
  const { command: _, ...run } = outcome.run;
  const { settings: { contenders: flows, ...settings }, plan } = outcome;
  return toJson({
    format: "boltzflow dimer comparison",
    version: VERSION,
    ...outcome,
    run,
    settings: {
      ...settings,
      flows: Object.fromEntries(
        Object.entries(flows).map(([name, { flow, data }]) => [
          name,
          {
            flow,
            stages: stagesOf(flows[name as ContenderName], plan.steps[name as ContenderName]),
            freshPerStep: data.freshPerStep,
          },
        ]),
      ),
    },
  }) as JsonObject;
}

/**
 * Writes the report of a comparison as one HTML file that needs nothing else.
 *
 * @param outcome the comparison
 * @param figures what `comparisonFigures` drew; sections do without those that are missing
 * @returns the text of the file; the same outcome gives the same bytes
 */
export function comparisonReportHtml(outcome: ComparisonOutcome, figures: readonly ComparisonFigure[]): string {
  const { run, settings } = outcome;
  const show = (...names: ComparisonFigure["name"][]): { figures: ReportFigure[] } => ({
    figures: figures.filter(({ name }) => names.includes(name)).map(({ svg, caption }) => ({ svg, caption })),
  });
  return htmlReport({
    title: "Opening the particle dimer: two flows, umbrella sampling and plain Monte Carlo for the same time",
    subtitle: `System \`${run.preset}\`, *T* = ${run.temperature} *T*_0, ${settings.minutes} min on ${run.threads} ` +
      `thread${run.threads === 1 ? "" : "s"} for each, seed ${run.seed}`,
    summary: outcome.contenders.map(tile),
    sections: [
      { ...foundSection(outcome), ...show("gap") },
      { ...progressSection(outcome) },
      { ...costSection(outcome), ...show("error", "estimates") },
      energySection(outcome),
      purposeSection(outcome),
      methodSection(outcome),
      auditSection(
        Object.fromEntries(outcome.contenders.map(({ name, audit }) => [contenderTitles[name], audit])),
      ),
      repeatSection(outcome),
    ],
    footer: `boltzflow ${run.packageVersion}, ${run.kernelBuild} kernels. Machine-readable copy: \`comparison.json\`.`,
  });
}

/** A flow in three numbers. */
function tile(contender: ContenderResult): ReportNumber {
  const { gap, samplingEfficiency, freeEnergyDifference: { bar } } = bestDensity(contender);
  const label = `${contenderTitles[contender.name]}: gap to the exact NLL`;
  const note =
    `efficiency ${share(samplingEfficiency.closed)} closed, ${share(samplingEfficiency.open)} open; Δ*F* = ` +
    (bar.reliable ? inUnits(bar) : `${inUnits(bar)}, unreliable: ${bar.reason}`);
  return { label, value: `${fixed(gap.all, 2)}${NO_BREAK}nats`, note, ...!bar.reliable && { warning: true } };
}

function foundSection(outcome: ComparisonOutcome): ReportSection {
  const { contenders, references } = outcome;
  const umbrella = references.umbrella[references.umbrella.length - 1];
  const sentences = contenders.map((contender) => {
    const { bar } = bestDensity(contender).freeEnergyDifference;
    const comparison = compare(bar, umbrella.freeEnergyDifference);
    const verdict = comparison === null
      ? bar.reliable ? "umbrella sampling has no reliable number to compare it with" : `unreliable: ${bar.reason}`
      : `from umbrella sampling it is apart by ${agreement(comparison)}`;
    return `${contenderTitles[contender.name]}: ${inUnits(bar)}; ${verdict}.`;
  });
  return {
    heading: "What was found",
    paragraphs: [
      "The gap is the divergence from the target, half closed and half open, to the flow: what the NLL of frames exceeds " +
      "the best possible one by. Kish efficiency is the share of " +
      "flow samples that count in plain reweighting. It is heavy-tailed: it belongs to its number of samples, falls when rare " +
      "heavy weights turn up. " + EFFICIENCY_INTERVAL + " Gap and acceptance ratio, which rest on " +
      "evaluation frames that no training has seen, are the better judges.",
      `Δ*F* = *F*(open) − *F*(closed), by the Bennett acceptance ratio (BAR) with the symmetrised density. ${
        sentences.join(" ")
      }`,
    ],
    table: qualityTable(outcome),
  };
}

function progressSection(outcome: ComparisonOutcome): ReportSection {
  return {
    heading: "On the way",
    paragraphs: [
      'Processor time is that of all threads together. "Trained" is data and training, "judged" also flow samples, ' +
      "densities and estimates of this one point with the symmetrised density. The learning rate falls over the whole time: " +
      "points before the last were not made for their time alone, and may be worse than they could be.",
    ],
    table: progressTable(outcome),
  };
}

function costSection(outcome: ComparisonOutcome): ReportSection {
  return {
    heading: "Beside umbrella sampling and plain Monte Carlo",
    paragraphs: [
      "Umbrella sampling knows the coordinate that matters and takes the bond, whose energy is a function of that coordinate, " +
      "out of the simulation. Plain Monte Carlo runs as many chains from closed and open starts without any bias and counts " +
      "where they are; without crossings it has no estimate. Each row is a run of its own.",
    ],
    table: referencesTable(outcome),
  };
}

function energySection(outcome: ComparisonOutcome): ReportSection {
  return {
    heading: "Energy work",
    paragraphs: [
      "In units of one energy of the whole system, 702 pair terms: a single-particle move counts as the pair terms of its " +
      "particle. Judging is that of the last point: one energy for each flow sample and each evaluation frame, symmetrised " +
      "or not. No energy enters the losses here.",
      "Quadrature: the tilted density has the pair energy inside, on a grid of nodes for each particle with its neighbours. Its " +
      "terms are listed apart in the same unit, rows of the grid that no neighbour reaches included: an upper bound. They are " +
      "interpolated in tables, and their time is in the processor minutes like everything else.",
    ],
    table: energyTable(outcome),
  };
}

/** What the same number cost with and without a flow. */
function priceSentence({ contenders, references }: ComparisonOutcome): string {
  const umbrella = references.umbrella[references.umbrella.length - 1];
  const reached = ({ standardError, reliable }: FreeEnergyEstimate, minutes: number) =>
    reliable ? `${fixed(standardError, 3)} k_BT after ${fixed(minutes, 1)} min` : null;
  const flows = contenders.flatMap((contender) => {
    const density = bestDensity(contender);
    const text = reached(density.freeEnergyDifference.bar, minutesUntil(lastPoint(contender), density));
    return text === null ? [] : [`${contenderTitles[contender.name]} ${text}`];
  });
  const known = reached(umbrella.freeEnergyDifference, umbrella.minutes);
  if (known === null || flows.length === 0) return "This comparison was too short to show it.";
  return `Standard errors of Δ*F* here: umbrella sampling ${known} of processor time, ${flows.join(", ")}.`;
}

function purposeSection(outcome: ComparisonOutcome): ReportSection {
  return {
    heading: "What a generator is for, and what it is not",
    paragraphs: [
      "For: independent configurations, each in one shot. Their weights are known, so that any observable can be averaged, " +
      "among them those that nobody thought of beforehand; no reaction coordinate has to be known, nothing waits for a " +
      "barrier to be crossed, and a trained flow is a file that goes on giving samples elsewhere.",
      `Not: the cheap way to this one number where a good coordinate is known. ${
        priceSentence(outcome)
      } Nor do flows do ` +
      "without sampling: they learn from Monte Carlo frames of both basins, which had to be reached first, and the acceptance " +
      "ratio needs frames in equilibrium within each.",
    ],
  };
}

function methodSection({ settings, contenders, plan, data, run }: ComparisonOutcome): ReportSection {
  const { frames } = settings.data;
  const budget = settings.minutes * run.threads;
  const flows = contenders.map((contender) =>
    `${contenderTitles[contender.name]}: ${contender.description}; ${count(contender.parameters)} parameters, ` +
    `${count(plan.steps[contender.name])} steps of ${contender.batch} samples, ${
      fixed(minutesUntil(lastPoint(contender), bestDensity(contender)), 2)
    } min of processor time with the last judgement`
  );
  return {
    heading: "How it was made",
    paragraphs: [
      `Each way got ${
        fixed(budget, 2)
      } min of processor time (${settings.minutes} min on ${run.threads} threads), which does ` +
      "not depend on what else the machine was doing. For flows the data are included, judging them is counted but not " +
      "limited. How many steps and sweeps fit was measured in a short trial beforehand; from these numbers, which are the " +
      "plan in `comparison.json`, everything but times follows exactly.",
      `Flows share ${count(frames.train)} training, ${count(frames.validate)} validation and ${
        count(frames.evaluate)
      } evaluation frames (${
        fixed(data.minutes, 2)
      } min), shown under the mirror images of the dimer. All are trained by maximum ` +
      "likelihood on the schedule of their default budget, stretched; the parameters of the lowest validation NLL are judged. " +
      "Training chains run on while a flow trains where its default budget says so, and count for it. No loss has an energy " +
      "in it, RealNVP's neither: the published energy loss raises the NLL on this fluid, by which flows are compared here.",
      `${flows.join(". ")}.`,
      "The symmetrised density is the average over the four mirror images of the dimer, exactly normalised. It costs three " +
      "more densities for each sample and no training, and is open to RealNVP as well.",
    ],
  };
}

function repeatSection({ run }: ComparisonOutcome): ReportSection {
  return {
    heading: "How to repeat it",
    paragraphs: [
      `\`${run.command}\``,
      "With `--plan comparison.json` of this run, in another directory, the same steps and sweeps are done, and all numbers " +
      "but times come out the same, for any number of threads. Without it the trial is made anew.",
    ],
  };
}
