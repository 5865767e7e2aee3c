/**
 * Sections of the dimer report that say what was done: system, data, training, cost, models, how to repeat it.
 *
 * @module
 */
import type { ReportSection } from "../plot/html_report.ts";
import { costTable, dataTable, modelsTable } from "./dimer_report_tables.ts";
import type { DimerOutcome } from "./dimer_results.ts";
import { count, fixed, power, share } from "./report_numbers.ts";

/** The energy with its numbers, and the reference domain. */
export function systemSection({ run }: DimerOutcome): ReportSection {
  const { epsilon, sigma, tether, slope, a, b, d0, halfBox, boxConstant, solvent } = run.parameters;
  const printed = run.preset === "printed";
  const bond = printed
    ? `¼ *a* (*d* − *d*_0)^4 − ½ *b* (*d* − *d*_0)^2 + *c* (*d* − *d*_0)^4 with *a* = ${number(a)}, *b* = ${
      number(b)
    }, ` +
      `*c* = ${number(slope)}`
    : `slope·*y* − *a* *y*^2 + *b* *y*^4 with *y* = 2 (*d* − *d*_0), slope = ${number(slope)}, *a* = ${number(a)}, ` +
      `*b* = ${number(b)}`;
  return {
    heading: "The system",
    paragraphs: [
      `Two bonded particles among ${solvent} repelling discs in a soft square box, in two dimensions: ${run.dim} coordinates. ` +
      `All pairs but the bonded one repel with ε (σ/*r*)^12, ε = ${number(epsilon)}, σ = ${
        number(sigma)
      }. The bond has the ` +
      `energy ${bond}, *d*_0 = ${number(d0)}. Springs *k*_d [(*x*_0 + *x*_1)^2 + *y*_0^2 + *y*_1^2], *k*_d = ${
        number(tether)
      }, hold the dimer; a coordinate that lies δ beyond ±${number(halfBox)} costs ${number(boxConstant)} δ^2. These ` +
      "numbers are in units of k_BT at *T*_0, all results in units of k_BT at the temperature of the run.",
      "Discs that are alike have no names. Every configuration is therefore counted once, in its reference domain: the " +
      "left one of the bonded particles comes first, and each disc belongs to the site of a grid that the cheapest " +
      "assignment gives it.",
      ...(printed
        ? [
          "This preset is the formula as the paper prints it. Its barrier is low: it serves teaching, and is not the system " +
          "of the published figures.",
        ]
        : []),
    ],
  };
}

function number(value: number): string {
  return String(value).replace("-", "−");
}

/** How the frames came about. */
export function dataSection(outcome: DimerOutcome): ReportSection {
  const { burnIn, relaxed, autocorrelationSweeps, acceptance, crossings } = outcome.data;
  const times = crossings === 1 ? "once" : `${count(crossings)} times in all`;
  return {
    heading: "Data",
    paragraphs: [
      "Single-particle Metropolis Monte Carlo at the temperature of the run, in many chains, half of which start closed " +
      "and half open. The three sets come from different chains: those for evaluation have starts of their own and are " +
      "seen neither by training nor by the choice of parameters.",
      `${
        count(burnIn)
      } sweeps were thrown away as burn-in. The integrated autocorrelation time of energy and configurations, the longer of the two, ` +
      `is ${fixed(autocorrelationSweeps, 0)} sweeps; ${share(acceptance)} of the moves were accepted. ` +
      (relaxed ? "" : "The chains had not come to rest when burn-in ended: mistrust every number of this report. ") +
      `${
        crossings === 0 ? "No chain changed its basin" : `Chains changed their basin ${times}`
      }. How many frames are ` +
      "closed and how many open was decided by the starts; it says nothing about the free energy and is not used for it.",
    ],
    table: dataTable(outcome),
  };
}

/** What was minimised, for how long. */
export function trainingSection({ stages, reactionCoordinate, keep }: DimerOutcome): ReportSection {
  const { bounds, samples, outOfBounds } = reactionCoordinate;
  return {
    heading: "Training",
    paragraphs: [
      `Stages: ${stages.map(({ name, steps }) => `${name} (${count(steps)} steps)`).join(", ")}. ` +
      (keep === "last"
        ? "The last parameters were kept: a schedule that ends with the energy loss in charge raises the NLL on purpose."
        : "Of all parameters on the way, those of the lowest NLL of validation frames were kept, compared on the grid of " +
          "the last stage where grids differ."),
      ...(samples === 0 ? [] : [
        `The reaction-coordinate loss covered ${fixed(bounds[0], 2)} ≤ *d* ≤ ${fixed(bounds[1], 2)}; ` +
        `${share(outOfBounds / samples)} of the ${count(samples)} samples that it saw were out of these bounds.`,
      ]),
    ],
  };
}

/** Energies, moves and time, and what they bought. */
export function costSection(outcome: DimerOutcome): ReportSection {
  return {
    heading: "What it cost",
    paragraphs: [
      "A single-particle move counts as the pair terms of its particle out of those of one energy: with 36 solvent " +
      "particles, 37 of 702, or 36 for a particle of the dimer. An energy with its gradient counts as one.",
      ...priceOfPrecision(outcome),
    ],
    table: costTable(outcome),
  };
}

/** Evaluations that either way would need for the same error; empty where one has none. */
function priceOfPrecision({ moves, energyEvaluations, reference, headline }: DimerOutcome): string[] {
  const [ours, theirs] = [headline.standardError, reference.freeEnergyDifference.standardError];
  if (ours === null || theirs === null) return [];
  const umbrella = reference.energyEvaluations * moves.umbrella / (moves.umbrella + moves.plain);
  const flow = energyEvaluations.data + energyEvaluations.training + energyEvaluations.evaluation;
  const scaled = (evaluations: number, error: number) => power(evaluations * (error / 0.1) ** 2);
  return [
    `The way through the flow took ${power(flow)} energy evaluations for a standard error of ${fixed(ours, 3)} k_BT; ` +
    `umbrella sampling took ${power(umbrella)} for ${fixed(theirs, 3)} k_BT. For an error of 0.1 k_BT that makes ` +
    `${scaled(flow, ours)} and ${
      scaled(umbrella, theirs)
    }, if both errors fall with the square root of the cost. The ` +
    "arithmetic of the network, which takes most of the time, is not in these numbers.",
  ];
}

/** What is handed over, and how to use it. */
export function modelsSection(outcome: DimerOutcome): ReportSection {
  const { files: { sampler }, opset, maxAbsDifference, samplesPerSecond } = outcome.onnx;
  return {
    heading: "The models",
    paragraphs: [
      "The trained flow as two files for any ONNX runtime; *z* are independent standard normal numbers. Their metadata " +
      "name system, parameters, temperature and seed. Before samples stand for equilibrium they need the weights " +
      "exp(−*U*/*T*)/*q*, with ln *q*(*x*) = ln *N*(*z*) − log-det for the sampler, and weight zero outside the reference " +
      "domain.",
      ...(outcome.flow.kind === "autoregressive"
        ? [
          "The files hold the flow itself, not its average over the mirror images of the dimer, from which the samples and " +
          "all numbers of this report come: *q* is then the flow's own density, and weights are a little more uneven. For " +
          "the average, reflect each sample by a mirror image drawn at random and take for *q* the mean of the densities of " +
          "all its images.",
        ]
        : []),
      `Operator set ${opset}. Samples, log-densities and their inverse, computed by onnxruntime, differ from our own by at ` +
      `most ${power(maxAbsDifference)}; one thread of it draws ${count(samplesPerSecond)} samples per second.`,
      `To draw samples here: \`deno run -A scripts/sample_onnx.ts ${sampler} --n 1000 --seed 7\`, with the paths of both ` +
      "files as they are on your machine, writes a NumPy archive and an extended XYZ file.",
    ],
    table: modelsTable(outcome),
  };
}

/** Command, seed, versions. */
export function repeatSection({ run }: DimerOutcome): ReportSection {
  return {
    heading: "How to repeat it",
    paragraphs: [
      `\`${run.command}\``,
      `boltzflow ${run.packageVersion}, seed ${run.seed}, ${run.kernelBuild} kernels, ${run.threads} thread${
        run.threads === 1 ? "" : "s"
      }. Checkpoints, models and all numbers but times and rates are the same for any number of threads. Another build of ` +
      "the kernels rounds differently and trains a slightly different flow.",
    ],
  };
}
