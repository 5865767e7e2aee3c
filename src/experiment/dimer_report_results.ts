/**
 * Sections of the dimer report that state results and say what they are worth.
 *
 * @module
 */
import type { ReportSection } from "../plot/html_report.ts";
import { estimatesTable, qualityTable } from "./dimer_report_tables.ts";
import type { DimerOutcome } from "./dimer_results.ts";
import type { FlowName } from "./dimer_settings.ts";
import { agreement, compare, differenceText, headlineMethod, inUnits, populationSentence } from "./dimer_verdict.ts";
import { count, fixed, interval, NO_BREAK, share, skippedSentences } from "./report_numbers.ts";

/** The result in plain words: the number, the check, and what plain Monte Carlo makes of it. */
export function answerSection(outcome: DimerOutcome): ReportSection {
  const paragraphs = [flowSentence(outcome), umbrellaSentence(outcome), plainSentence(outcome)];
  if (outcome.run.budget === "smoke") {
    paragraphs.push(
      "This was the smoke budget: every part ran once, with little data and a small net. Nothing here is accurate.",
    );
  }
  return { heading: "What was found", paragraphs };
}

function flowSentence(outcome: DimerOutcome): string {
  const { headline } = outcome;
  if (headline.value === null) {
    return "The run does not support a number for *F*(open) − *F*(closed) from the flow. The reason: " +
      `${headline.reason ?? "none was given"}.`;
  }
  const method = headlineMethod(outcome);
  const distance = inUnits({ ...headline, value: Math.abs(headline.value) });
  return `The free energy of the open state lies ${distance} (one standard error) ` +
    `${headline.value < 0 ? "below" : "above"} that of the closed state${
      method === null ? "" : `, by the ${method}`
    }; ` +
    `the 95${NO_BREAK}% interval of the difference is ${interval(headline)}. ${populationSentence(outcome)}`;
}

function umbrellaSentence({ headline, reference }: DimerOutcome): string {
  const umbrella = reference.freeEnergyDifference;
  const comparison = compare(headline, umbrella);
  const found = umbrella.value === null
    ? `has no estimate: ${umbrella.reason}`
    : `gives ${inUnits(umbrella)}${umbrella.reliable ? "" : `, unreliable because ${umbrella.reason}`}`;
  return `Umbrella sampling with Monte Carlo of our own, which shares no sample with it, ${found}. ` +
    (comparison === null
      ? "The two cannot be compared, because one of them is missing or unreliable."
      : `The difference is ${differenceText(comparison)}${NO_BREAK}k_BT, ${agreement(comparison)}.`);
}

function plainSentence({ reference }: DimerOutcome): string {
  const { freeEnergyDifference, crossings, chains } = reference.plain;
  const start =
    `Plain Monte Carlo with as many moves as umbrella sampling, in ${chains} chains that start closed and open, saw`;
  if (crossings === 0) {
    return `${start} no transition and has no estimate: its share of closed and open chains is still the one put in.`;
  }
  const seen = `${start} ${count(crossings)} transition${crossings === 1 ? "" : "s"}`;
  if (freeEnergyDifference.reliable) return `${seen} and gives ${inUnits(freeEnergyDifference)}.`;
  return `${seen}, which is not enough for an estimate: ${freeEnergyDifference.reason}.`;
}

/** All estimates, and how each was made. */
export function estimatesSection(outcome: DimerOutcome): ReportSection {
  const { centres, spacing, biasConstant, chainsPerWindow, sweeps, burnIn } = outcome.reference.windows;
  return {
    heading: "Every estimate",
    paragraphs: [
      "Closed means *d* < 1.5 and open *d* ≥ 1.5, where *d* is the distance of the two bonded particles in the " +
      "configuration itself, wherever its chain started.",
      "Bennett acceptance ratio: in each basin, the overlap of all flow samples (one outside the basin is infinite work " +
      "away) with evaluation frames of the basin gives its free energy; the two are subtracted. Plain reweighting: the " +
      "shares that the basins have of all weights exp(−*U*/*T*)/*q*. Errors come from a bootstrap over flow samples and " +
      "whole Monte Carlo chains, so that what frames of one chain have in common is in them.",
      `Umbrella sampling: ${centres.length} windows from *d* = ${fixed(centres[0], 2)} to ` +
      `${fixed(centres[centres.length - 1], 2)}, at most ${
        fixed(spacing, 2)
      } standard deviations of *d* apart. Each is ` +
      `held by a spring of ${
        fixed(biasConstant, 0)
      } k_BT per square length in place of the bond, whose energy is a known ` +
      `function of *d* and is put back in the analysis. ${chainsPerWindow} independent chains per window, half from closed and half from open ` +
      `starts, run ${count(sweeps)} sweeps each after ${
        count(burnIn)
      } of burn-in; the multistate Bennett acceptance ratio ` +
      "joins the windows. The error is how much the chains of a window disagree. Where closed and open starts differ by " +
      "more than three standard errors, the estimate is called unreliable.",
    ],
    table: estimatesTable(outcome),
  };
}

/** What the kind of flow has to do with its efficiency. */
const why: Readonly<Record<FlowName, (particles: number) => string>> = {
  autoregressive: (particles) =>
    `Each of the ${particles} particles is placed given those before it, and the samples' density is the average over ` +
    "the mirror images of the dimer, which is exact.",
  realnvp: (particles) =>
    `A coupling that moves half of the mixed coordinates at a time can hardly keep all ${particles} hard cores apart, ` +
    "which is why the Bennett acceptance ratio, which needs overlap and not good weights, is what can carry a result.",
};

/** What the flow is worth as a sampler. */
export function flowSection(outcome: DimerOutcome): ReportSection {
  const { evaluation, flow, run } = outcome;
  const { samplingEfficiency, samples, outsideDomain } = evaluation;
  const effective = samplingEfficiency.all === null
    ? ""
    : `: the effective number here is about ${count(samplingEfficiency.all * samples)} of ${count(samples)}`;
  return {
    heading: "How good the flow is",
    paragraphs: [
      `${flow.description}; ${count(flow.parameters)} parameters.`,
      `Kish efficiency says what one weighted flow sample is worth${effective}. It is heavy-tailed and changes with the ` +
      `number of samples: the gap and the error of the acceptance ratio judge a flow better. ${
        why[flow.kind](run.dim / 2)
      }`,
      "Pareto k̂ measures the tail of the weights: above its limit a few samples decide everything, and plain reweighting " +
      "is not to be trusted whatever its error bar says. The gap is the mean of ln *p* − ln *q* over evaluation frames of a " +
      "basin, the Kullback–Leibler divergence from target to flow, with the normalisation of *p* from the acceptance ratio. " +
      "*p* is the target in that basin alone and *q* covers both, so that −ln of the flow's share of the basin is in it: " +
      "ln 2 where a flow gives half to each. In the last column *p* is the half-and-half mixture of both basins, which has " +
      "no such term.",
      `${
        share(outsideDomain)
      } of the flow samples lie outside the reference domain. They count as samples of weight zero, ` +
      "which is exact.",
      ...skippedSentences(outcome.history, evaluation.notFinite),
    ],
    table: qualityTable(outcome),
  };
}

/** What a reader may conclude, and what not. */
export function caveatsSection({ evaluation }: DimerOutcome): ReportSection {
  return {
    heading: "What to make of it",
    paragraphs: [
      "What a Boltzmann generator is for: independent configurations in one shot, of both basins and of what lies between, " +
      "with a known density, without choosing a path or waiting for transitions. Once trained, it is handed over as a file.",
      "What it is not: the cheap way to this one number. Where a good coordinate is known, as it is here, umbrella sampling " +
      "finds the same free energy with less work. It stands in this report to check the flow.",
      "What the number rests on: evaluation frames in equilibrium within each basin, and a flow that overlaps with them. " +
      "Relaxation and autocorrelation of the chains are under Data, the overlap is judged with every estimate. Chains need " +
      "not cross between the basins: the flow connects them, because its density is normalised over both.",
      "What the errors leave out: they are statistical. A part of a basin that neither chains nor flow have visited is in " +
      "no error bar, here as with every sampling method.",
      `What not to do: take raw flow samples for equilibrium. ${
        share(evaluation.outsideDomain)
      } of them are outside the ` +
      "domain, most others have too high an energy, and how many are closed or open is what training made of it.",
    ],
  };
}
