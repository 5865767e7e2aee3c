/**
 * The report of a dimer run for people: one page that says what was found, how far to trust it, and how to repeat it.
 *
 * @module
 */
import {
  type HtmlReport,
  htmlReport,
  type ReportFigure,
  type ReportNumber,
  type ReportSection,
} from "../plot/html_report.ts";
import type { DimerFigure } from "./dimer_figures.ts";
import {
  costTable,
  dataTable,
  estimatesTable,
  modelsTable,
  parametersTable,
  qualityTable,
} from "./dimer_report_tables.ts";
import type { DimerOutcome } from "./dimer_results.ts";
import { agreement, compare, differenceText, headlineMethod, inUnits, populationSentence } from "./dimer_verdict.ts";
import { count, fixed, interval, power, share, withError } from "./report_numbers.ts";

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

/** The content of the report, before it is set as HTML. */
export function dimerReport(outcome: DimerOutcome, figures: readonly DimerFigure[]): HtmlReport {
  const { run } = outcome;
  const show = (...names: DimerFigure["name"][]): { figures: ReportFigure[] } => ({
    figures: figures.filter(({ name }) => names.includes(name)).map(({ svg, caption }) => ({ svg, caption })),
  });
  return {
    title: "Opening the particle dimer: free energy from a Boltzmann generator",
    subtitle: `System ${code(run.preset)}, *T* = ${run.temperature} *T*_0, budget ${run.budget}, seed ${run.seed}`,
    summary: summary(outcome),
    sections: [
      answerSection(outcome),
      { ...estimatesSection(outcome), ...show("profile") },
      { ...systemSection(outcome), ...show("potential", "configurations") },
      { ...flowSection(outcome), ...show("energies", "path") },
      dataSection(outcome),
      { ...trainingSection(outcome), ...show("losses") },
      costSection(outcome),
      modelsSection(outcome),
      caveatsSection(outcome),
      repeatSection(outcome),
    ],
    footer: `boltzflow ${run.packageVersion}, ${run.kernelBuild} kernels. Machine-readable copy: \`report.json\`. ` +
      "Energies are in units of k_BT at the temperature of the run unless said otherwise; lengths are those of the energy.",
  };
}

function code(text: string): string {
  return `\`${text}\``;
}

function summary(outcome: DimerOutcome): ReportNumber[] {
  const { headline, reference, evaluation } = outcome;
  const umbrella = reference.freeEnergyDifference;
  const comparison = compare(headline, umbrella);
  const { closed, open } = evaluation.samplingEfficiency;
  return [
    headline.value === null
      ? {
        label: "*F*(open) − *F*(closed), flow",
        value: "no reliable estimate",
        note: headline.reason ?? "no reason given",
        warning: true,
      }
      : {
        label: "*F*(open) − *F*(closed), flow",
        value: inUnits(headline),
        note: `95 % interval ${interval(headline)}; no umbrella data in it`,
      },
    {
      label: "*F*(open) − *F*(closed), umbrella sampling",
      value: inUnits(umbrella),
      ...(umbrella.reliable
        ? { note: `95 % interval ${interval(umbrella)}; no flow in it` }
        : { note: umbrella.reason ?? "no reason given", warning: true }),
    },
    comparison === null
      ? { label: "flow − umbrella sampling", value: "–", note: "one of the two is missing" }
      : { label: "flow − umbrella sampling", value: `${differenceText(comparison)} k_BT`, note: agreement(comparison) },
    {
      label: "Kish efficiency of flow samples, closed and open",
      value: `${share(closed)} and ${share(open)}`,
      note: `of ${
        count(evaluation.samples)
      } samples; why this is small, and why the number above does not rest on it, is told below`,
    },
  ];
}

function answerSection(outcome: DimerOutcome): ReportSection {
  const { headline, reference, run } = outcome;
  const method = headlineMethod(outcome);
  const comparison = compare(headline, reference.freeEnergyDifference);
  const first = headline.value === null
    ? `**No reliable estimate.** The run does not support a number for *F*(open) − *F*(closed) from the flow, because: ${headline.reason}.`
    : `The free energy of the open state lies ${withError(headline)} k_BT (one standard error; 95 % interval ` +
      `${interval(headline)}) ${headline.value >= 0 ? "above" : "relative to"} that of the closed state` +
      `${method === null ? "" : `, by the ${method}`}. ${populationSentence(outcome)}`;
  const second = comparison === null
    ? "It cannot be compared with umbrella sampling, because one of the two is missing."
    : `Umbrella sampling with Monte Carlo of our own, which shares neither samples nor starts with it, gives ` +
      `${inUnits(reference.freeEnergyDifference)}. The difference is ${differenceText(comparison)} k_BT, ${
        agreement(comparison)
      }.`;
  const { freeEnergyDifference: plain, crossings, chains } = { ...reference.plain };
  const third = crossings === 0
    ? `Plain Monte Carlo with as many moves as umbrella sampling, in ${chains} chains that start closed and open, saw no ` +
      "transition at all and has no estimate: the proportion of closed and open chains is still the one that was put in."
    : `Plain Monte Carlo with as many moves as umbrella sampling, in ${chains} chains that start closed and open, saw ` +
      `${count(crossings)} transition${crossings === 1 ? "" : "s"}; ` +
      (plain.reliable ? `its estimate is ${inUnits(plain)}.` : `that does not make an estimate: ${plain.reason}.`);
  return {
    heading: "What was found",
    paragraphs: [
      first.replaceAll("**", ""),
      second,
      third,
      ...(run.budget === "smoke"
        ? [
          "This was the smoke budget: every part ran once, with little data and a small net. Read nothing into its numbers.",
        ]
        : []),
    ],
  };
}

function estimatesSection(outcome: DimerOutcome): ReportSection {
  const { windows } = outcome.reference;
  return {
    heading: "Every estimate",
    paragraphs: [
      "Closed means *d* < 1.5 and open *d* ≥ 1.5, *d* being the distance of the two bonded particles in the configuration " +
      "itself. Bennett acceptance ratio: for each basin, the overlap of all flow samples (a sample outside the basin counts " +
      "as infinite work) with evaluation frames of that basin gives the free energy of the basin; the two are subtracted. " +
      "Plain reweighting: the share of weight exp(−*U*/*T*)/*q* in either basin. Errors come from a bootstrap over flow " +
      "samples and whole Monte Carlo chains, so that correlation within a chain is in them.",
      `Umbrella sampling: ${windows.centres.length} windows from *d* = ${fixed(windows.centres[0], 2)} to ` +
      `${fixed(windows.centres[windows.centres.length - 1], 2)}, at most ${
        fixed(windows.spacing, 2)
      } standard deviations ` +
      `apart. The bias of a window is a spring of ${fixed(windows.biasConstant, 0)} k_BT per square length, less the ` +
      `energy of the bond, which is a known function of *d*. ${windows.chainsPerWindow} independent chains per window, half from closed ` +
      `and half from open starts, each ${count(windows.sweeps)} sweeps after ${
        count(windows.burnIn)
      } of burn-in; solved by ` +
      "the multistate Bennett acceptance ratio. Its error comes from how much the chains of a window disagree, and if " +
      "closed and open starts differ by more than three standard errors the estimate is called unreliable.",
    ],
    table: estimatesTable(outcome),
  };
}

function systemSection(outcome: DimerOutcome): ReportSection {
  const { run } = outcome;
  const formula = run.preset === "printed"
    ? "¼ *a* (*d* − *d*_0)^4 − ½ *b* (*d* − *d*_0)^2 + *c* (*d* − *d*_0)^4"
    : "slope·*y* − *a y*^2 + *b y*^4 with *y* = 2 (*d* − *d*_0)";
  return {
    heading: "The system",
    paragraphs: [
      `Two bonded particles among ${run.parameters.solvent} repelling discs in a soft square box, in two dimensions: ` +
      `${run.dim} coordinates. All pairs but the bonded one repel with ε (σ/*r*)^12; the bond has the energy ${formula}; springs hold the dimer ` +
      "near the middle; beyond the walls the energy grows with the square of the overshoot.",
      "Discs that are alike have no names. Every configuration is therefore counted once, in the reference domain: the " +
      "left one of the bonded particles first, and each disc on the site of a grid that the cheapest assignment gives it.",
      ...(run.preset === "printed"
        ? [
          "This preset is the formula as printed in the paper. Its barrier is low; it serves teaching and is not the system of the published figures.",
        ]
        : []),
    ],
    table: parametersTable(outcome),
  };
}

function flowSection(outcome: DimerOutcome): ReportSection {
  const { evaluation, flow } = outcome;
  const { samplingEfficiency, samples, outsideDomain } = evaluation;
  const effective = samplingEfficiency.all === null ? null : samplingEfficiency.all * samples;
  return {
    heading: "How good the flow is",
    paragraphs: [
      `${flow.description}; ${count(flow.parameters)} parameters.`,
      "Kish efficiency is the share of weighted flow samples that independent samples of the target would be worth" +
      (effective === null ? "." : `: here about ${count(effective)} of ${count(samples)}. `) +
      "Efficiencies near 10^-4 are what this kind of flow reaches on a dense fluid: cutting the coordinates into two " +
      "mixed halves cannot keep all 38 hard cores apart at once. The number is heavy-tailed itself and changes from run to " +
      "run. It is the reason why the Bennett acceptance ratio, which needs only overlap and not good weights, carries the " +
      "result.",
      "Pareto k̂ describes the tail of the weights: above its limit a few samples decide, and plain reweighting must not " +
      "be trusted, whatever its error bar says. The gap is the Kullback–Leibler divergence from the target in a basin to " +
      "the flow, that is the mean of ln *p* − ln *q* over evaluation frames, with the normalisation from the acceptance " +
      "ratio: 0 would be a perfect flow.",
      `${
        share(outsideDomain)
      } of the flow samples lie outside the reference domain. They are kept in every count with ` +
      "weight zero, which is exact.",
    ],
    table: qualityTable(outcome),
  };
}

function dataSection(outcome: DimerOutcome): ReportSection {
  const { data } = outcome;
  return {
    heading: "Data",
    paragraphs: [
      "Single-particle Metropolis Monte Carlo at the temperature of the run, in many chains, half of which start closed " +
      "and half open. The three sets come from different chains: those of evaluation have starts of their own and are " +
      "seen neither by training nor by the choice of parameters.",
      `${
        count(data.burnIn)
      } sweeps were thrown away as burn-in; the slowest coordinates have an integrated autocorrelation ` +
      `time of ${fixed(data.autocorrelationSweeps, 0)} sweeps; ${share(data.acceptance)} of the moves were accepted. ` +
      (data.relaxed
        ? ""
        : "The chains had not come to rest when burn-in ended: mistrust every number of this report. ") +
      (data.crossings === 0
        ? "No chain changed its basin"
        : `Chains changed their basin ${count(data.crossings)} time${data.crossings === 1 ? "" : "s"} in all`) +
      ": how many frames are closed and how many open was decided by the starts, says nothing about the free energy, and " +
      "is not used for it.",
    ],
    table: dataTable(outcome),
  };
}

function trainingSection(outcome: DimerOutcome): ReportSection {
  const { stages, reactionCoordinate } = outcome;
  const { bounds, samples, outOfBounds } = reactionCoordinate;
  return {
    heading: "Training",
    paragraphs: [
      `Stages: ${
        stages.map(({ name, steps }) => `${name} (${count(steps)} steps)`).join(", ")
      }. Kept are the parameters of ` +
      "the lowest NLL of validation frames.",
      ...(samples === 0 ? [] : [
        `The reaction-coordinate loss covered ${fixed(bounds[0], 2)} ≤ *d* ≤ ${fixed(bounds[1], 2)}; ` +
        `${share(outOfBounds / samples)} of the ${count(samples)} samples that it saw were out of these bounds.`,
      ]),
    ],
  };
}

function costSection(outcome: DimerOutcome): ReportSection {
  const { moves, energyEvaluations, reference, headline } = outcome;
  const umbrella = reference.energyEvaluations * moves.umbrella / (moves.umbrella + moves.plain);
  const flow = energyEvaluations.data + energyEvaluations.training + energyEvaluations.evaluation;
  const [ours, theirs] = [headline.standardError, reference.freeEnergyDifference.standardError];
  const costs = ours === null || theirs === null ? [] : [
    `The way through the flow took ${power(flow)} energy evaluations and has a standard error of ${
      fixed(ours, 3)
    } k_BT; ` +
    `umbrella sampling alone took ${power(umbrella)} and has ${fixed(theirs, 3)} k_BT. Scaled to a standard error of ` +
    `0.1 k_BT that is ${power(flow * (ours / 0.1) ** 2)} and ${
      power(umbrella * (theirs / 0.1) ** 2)
    } evaluations, not ` +
    "counting the arithmetic of the network, which outweighs the energies by far.",
  ];
  return {
    heading: "What it cost",
    paragraphs: [
      "A single-particle move counts as its pair terms (37, or 36 for the dimer's particles) out of the 702 of one energy. " +
      "An energy with its gradient counts as one.",
      ...costs,
    ],
    table: costTable(outcome),
  };
}

function modelsSection(outcome: DimerOutcome): ReportSection {
  const { onnx } = outcome;
  return {
    heading: "The models",
    paragraphs: [
      "The trained flow as two files for any ONNX runtime; *z* are independent standard normal numbers. Their metadata " +
      "name the system, its parameters, the temperature and the seed. Samples must be weighted with " +
      "exp(−*U*/*T*)/*q*, where ln *q*(*x*) = ln *N*(*z*) − log-det, before they stand for equilibrium.",
      `To draw samples, in the directory of this file: ${
        code(`deno run -A PATH/TO/scripts/sample_onnx.ts ${onnx.files.sampler} --n 1000 --seed 7`)
      } writes a NumPy archive and extended XYZ.`,
    ],
    table: modelsTable(outcome),
  };
}

function caveatsSection(outcome: DimerOutcome): ReportSection {
  const { evaluation } = outcome;
  return {
    heading: "What to make of it",
    paragraphs: [
      "What a Boltzmann generator is for: independent configurations in one shot, of both basins and of what lies between, " +
      "with a known density, without choosing a path or waiting for transitions. Once trained it can be handed over as a file.",
      "What it is not: the cheap way to this one number. Where a good coordinate is known, as it is here, umbrella sampling " +
      "gives the same free energy for less work; it stands in this report to check the flow.",
      "What the number rests on: evaluation frames that are in equilibrium within each basin, and a flow that overlaps with " +
      "them. Both are measured above. The Monte Carlo chains need not cross between the basins; the flow connects them, " +
      "because its density is normalised over both.",
      "What the errors leave out: they are statistical. A part of a basin that neither chains nor flow have visited is in no " +
      "error bar, here as in every sampling method.",
      `What not to do: take raw flow samples for equilibrium. ${
        share(evaluation.outsideDomain)
      } of them are outside the ` +
      "domain, most of the others have energies that are too high, and how many are closed or open is what training made it.",
    ],
  };
}

function repeatSection({ run }: DimerOutcome): ReportSection {
  return {
    heading: "How to repeat it",
    paragraphs: [
      `${
        code(run.command)
      } with boltzflow ${run.packageVersion}. The seed is ${run.seed}; the run used ${run.threads} thread${
        run.threads === 1 ? "" : "s"
      } and the ${run.kernelBuild} build of the kernels. Checkpoints, models and all numbers but times and rates are the same for ` +
      "any number of threads; another build rounds differently and trains a slightly different flow.",
    ],
  };
}
