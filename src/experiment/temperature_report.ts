/**
 * The report of a run over temperatures for people.
 *
 * @module
 */
import { htmlReport, type ReportFigure, type ReportNumber, type ReportSection } from "../plot/html_report.ts";
import type { Estimate } from "../reweighting/estimate.ts";
import { auditSection } from "./audit_report.ts";
import { shareInterval } from "./dimer_report_tables.ts";
import { agreement, compare, inUnits } from "./dimer_verdict.ts";
import {
  count,
  duration,
  EFFICIENCY_INTERVAL,
  fixed,
  NO_BREAK,
  NOTHING,
  power,
  share,
  skippedSentences,
  withError,
} from "./report_numbers.ts";
import type {
  TemperatureFigure,
  TemperaturePoint,
  TemperatureReference,
  TemperaturesOutcome,
} from "./temperature_results.ts";
import { inT0, referenceAt, temperatureText } from "./temperature_units.ts";

/**
 * Writes the report of a run as one HTML file that needs nothing else.
 *
 * @param outcome the run
 * @param figures what `temperatureFigures` drew; sections do without those that are missing
 * @returns the text of the file; the same outcome gives the same bytes
 */
export function temperaturesReportHtml(outcome: TemperaturesOutcome, figures: readonly TemperatureFigure[]): string {
  const { run } = outcome;
  const show = (...names: TemperatureFigure["name"][]): { figures: ReportFigure[] } => ({
    figures: figures.filter(({ name }) => names.includes(name)).map(({ svg, caption }) => ({ svg, caption })),
  });
  const [low, high] = run.range;
  return htmlReport({
    title: "Opening the particle dimer: one network for all temperatures",
    subtitle: `System \`${run.preset}\`, *T* = ${low} to ${high} *T*_0, budget ${run.budget}, seed ${run.seed}`,
    summary: outcome.references.map((reference) => tile(outcome, reference)),
    sections: [
      { ...freeEnergySection(outcome), ...show("free_energy") },
      { ...thermodynamicsSection(outcome), ...show("thermodynamics") },
      { ...qualitySection(outcome), ...show("quality", "losses") },
      auditSection({ flow: outcome.audit }),
      dataSection(outcome),
      costSection(outcome),
    ],
    footer: `boltzflow ${run.packageVersion}, ${run.kernelBuild} kernels. Machine-readable copy: \`report.json\`. ` +
      "k_BT is that of each temperature, k_BT_{0} the unit of the energies of the system.",
  });
}

/** Flow and umbrella sampling at one temperature. */
function tile({ points }: TemperaturesOutcome, reference: TemperatureReference): ReportNumber {
  const { temperature, freeEnergyDifference: umbrella } = reference;
  const label = `Δ*F* at *T* = ${temperatureText(temperature)} *T*_0`;
  const headline = points.find((point) => Math.abs(point.temperature / temperature - 1) < 1e-9)?.headline;
  if (headline === undefined || !headline.reliable) {
    return { label, value: "no reliable estimate", note: headline?.reason ?? "not evaluated", warning: true };
  }
  const comparison = compare(headline, umbrella);
  const note = `umbrella sampling ${inUnits(umbrella)}` +
    (comparison === null ? `, unreliable: ${umbrella.reason}` : `; apart by ${agreement(comparison)}`);
  return { label, value: inUnits(headline), note };
}

function freeEnergySection({ points, references, curve }: TemperaturesOutcome): ReportSection {
  const trained = (point: TemperaturePoint) => point.trained ? "yes" : "no";
  return {
    heading: "Free energy against temperature",
    paragraphs: [
      "Δ*F* = *F*(open) − *F*(closed), split at *d* = 1.5. One network, which takes the temperature as an input, was trained " +
      "at the rungs of a geometric ladder. Between each two rungs it is judged at a temperature that it was not trained at. " +
      "There, too, Monte Carlo chains supply evaluation frames, which no training has seen: the acceptance ratio, the gap " +
      "and their errors then mean the same at every temperature.",
      "Bennett acceptance ratio (BAR): in each basin, the overlap of flow samples with evaluation frames gives its free " +
      "energy; the two are subtracted. Plain reweighting uses the flow's samples alone. Errors come from a bootstrap over " +
      "flow samples and whole chains, ± is one standard error. Samples and chains of different temperatures share no random " +
      "numbers; all share the one network, whose imperfection the weights correct at each temperature.",
      curveSentence(curve),
      ...unreliableSentences(points),
    ],
    table: {
      caption: "Δ*F* in units of k_BT at the temperature; last column in k_BT_{0}.",
      columns: [
        "*T* / *T*_0",
        "trained here",
        "BAR",
        "plain reweighting",
        "curve",
        "umbrella sampling",
        "Δ*F* / k_BT_{0}",
      ],
      rows: points.map((point) => [
        temperatureText(point.temperature),
        trained(point),
        marked(point.evaluation.freeEnergyDifference.bar),
        marked(point.evaluation.freeEnergyDifference.reweighting),
        curveText(curve.at(point.temperature)?.freeEnergy),
        marked(referenceAt(references, point.temperature)?.freeEnergyDifference),
        marked(inT0(point.headline, point.temperature)),
      ]),
    },
  };
}

/** An estimate with its error; an asterisk where it is not reliable. */
function marked(estimate: Estimate | undefined): string {
  if (estimate === undefined || estimate.value === null) return NOTHING;
  return withError(estimate) + (estimate.reliable ? "" : ` (!)`);
}

const curveText = (value: { readonly value: number; readonly standardError: number } | undefined) =>
  value === undefined ? NOTHING : withError(value);

function curveSentence({ degree, chiSquare, freedom, widening }: TemperaturesOutcome["curve"]): string {
  if (degree < 0) return "Too few estimates are reliable for a curve through them.";
  const wider = widening > 1
    ? ` Errors of the curve are widened by ${fixed(widening, 2)}, the root of their ratio.`
    : "";
  return `The curve is a polynomial of degree ${degree} in ln *T*, fitted to Δ*F* (BAR) and Δ*U* of all temperatures at ` +
    `once: by Gibbs and Helmholtz the slope of Δ*F*/k_BT is −Δ*U*/k_BT. χ^2 = ${
      fixed(chiSquare, 1)
    }, by the errors of the estimates as they are, for ${freedom} ` +
    `degrees of freedom; energies and free energies are estimated apart, so that this is a test of both.${wider}`;
}

/** Why estimates carry a mark, each reason once. */
function unreliableSentences(points: readonly TemperaturePoint[]): string[] {
  const reasons = points.flatMap(({ temperature, evaluation: { freeEnergyDifference: { bar, reweighting } } }) =>
    Object.entries({ BAR: bar, "plain reweighting": reweighting })
      .filter(([, { reliable }]) => !reliable)
      .map(([name, { reason }]) => `${name} at ${temperatureText(temperature)}: ${reason ?? "no reason given"}`)
  );
  if (reasons.length === 0) return [];
  return [`Not reliable, marked (!): ${reasons.join("; ")}.`];
}

function thermodynamicsSection({ points, curve }: TemperaturesOutcome): ReportSection {
  return {
    heading: "Energy and entropy",
    paragraphs: [
      "Δ*U* is the difference of the mean energies of the two basins, from flow samples and evaluation frames together with " +
      "the weights that solve the equations of the acceptance ratio; *T* Δ*S* = Δ*U* − Δ*F*. Errors of the three are joint. " +
      "What the curve says, which uses its neighbours' energies and free energies, stands beside it.",
    ],
    table: {
      caption: "Changes on opening in units of k_BT_{0}.",
      columns: ["*T* / *T*_0", "Δ*U*", "Δ*U*, curve", "*T* Δ*S*", "*T* Δ*S*, curve"],
      rows: points.map(({ temperature, evaluation }) => {
        const at = curve.at(temperature);
        const scaled = (value: { value: number; standardError: number } | undefined) =>
          value && { value: value.value * temperature, standardError: value.standardError * temperature };
        return [
          temperatureText(temperature),
          marked(inT0(evaluation.energyDifference, temperature)),
          curveText(scaled(at?.energy)),
          marked(inT0(evaluation.entropyDifference, temperature)),
          curveText(scaled(at?.entropy)),
        ];
      }),
    },
  };
}

function qualitySection({ points, flow, history }: TemperaturesOutcome): ReportSection {
  const { samples, paretoK: { limit } } = points[0].evaluation;
  return {
    heading: "How good the flow is",
    paragraphs: [
      `${flow.description[0].toUpperCase()}${flow.description.slice(1)}; ${
        count(flow.parameters)
      } parameters for all ` +
      `temperatures together. Efficiencies are from ${
        count(samples)
      } flow samples at each temperature, with bootstrap intervals. ${EFFICIENCY_INTERVAL} The gap is the ` +
      "Kullback–Leibler divergence to the flow " +
      "from the target in one basin, where a flow that gives half of its mass to each basin has at least ln 2, and from the " +
      "half-and-half mixture of both basins, where a perfect one has 0.",
      ...skippedSentences(history, points.reduce((sum, { evaluation }) => sum + evaluation.notFinite, 0)),
    ],
    table: {
      columns: [
        "*T* / *T*_0",
        "trained here",
        "gap closed / nats",
        "gap open / nats",
        "gap both / nats",
        "efficiency closed",
        "efficiency open",
        `k̂ closed (limit ${fixed(limit, 2)})`,
        "k̂ open",
      ],
      rows: points.map(({ temperature, trained, evaluation }) => {
        const { gap, samplingEfficiency, samplingEfficiencyInterval, paretoK } = evaluation;
        const efficiency = (basin: "closed" | "open") => {
          const ends = samplingEfficiencyInterval[basin];
          return share(samplingEfficiency[basin]) + (ends === null ? "" : ` (${shareInterval(ends)})`);
        };
        return [
          temperatureText(temperature),
          trained ? "yes" : "no",
          fixed(gap.closed, 2),
          fixed(gap.open, 2),
          fixed(gap.all, 2),
          efficiency("closed"),
          efficiency("open"),
          fixed(paretoK.closed, 2),
          fixed(paretoK.open, 2),
        ];
      }),
    },
  };
}

function dataSection({ points, frames }: TemperaturesOutcome): ReportSection {
  const restless = points.filter(({ data }) => !data.relaxed).map(({ temperature }) => temperatureText(temperature));
  return {
    heading: "Data",
    paragraphs: [
      `Single-particle Metropolis Monte Carlo with chains of their own at every temperature, half of them from closed and ` +
      `half from open starts: ${count(frames.train)} frames for training and ${
        count(frames.validate)
      } for validation at ` +
      `each rung, ${
        count(frames.evaluate)
      } for evaluation at every temperature, from three sets of chains. How many frames ` +
      "are closed and how many open was decided by the starts and is not used for free energies.",
      ...(restless.length === 0 ? [] : [
        `Chains had not come to rest when burn-in ended at *T* = ${restless.join(", ")}: mistrust what is said there.`,
      ]),
    ],
    table: {
      columns: [
        "*T* / *T*_0",
        "burn-in / sweeps",
        "autocorrelation time / sweeps",
        "sweeps between frames",
        "crossings",
      ],
      rows: points.map(({ temperature, data }) => [
        temperatureText(temperature),
        count(data.burnIn),
        fixed(data.autocorrelationSweeps, 0),
        count(data.stride),
        count(data.crossings),
      ]),
    },
  };
}

/** Energies and what they bought, either way; empty where errors are missing. */
function priceOfPrecision({ points, curve, references, energyEvaluations }: TemperaturesOutcome): string[] {
  const errors = points.map(({ temperature }) => curve.at(temperature)?.freeEnergy.standardError);
  const own = points.map(({ headline }) => headline.standardError);
  const others = references.map(({ freeEnergyDifference }) => freeEnergyDifference.standardError);
  if (!errors.every(isNumber) || !own.every(isNumber) || !others.every(isNumber)) return [];
  const ends = (values: readonly number[]) => `${fixed(Math.min(...values), 3)} to ${fixed(Math.max(...values), 3)}`;
  const flow = energyEvaluations.data + energyEvaluations.training + energyEvaluations.evaluation;
  return [
    `The flow took ${power(flow)} energy evaluations for standard errors of ${ends(own)} k_BT at ${points.length} ` +
    `temperatures, ${ends(errors)} k_BT on the curve; umbrella sampling took ${
      power(energyEvaluations.reference)
    } for ` +
    `${ends(others)} k_BT at ${references.length}.`,
  ];
}

const isNumber = (value: number | null | undefined): value is number => typeof value === "number";

function costSection(outcome: TemperaturesOutcome): ReportSection {
  const { run, energyEvaluations, moves, wallTimeMs } = outcome;
  const time = (part: string) => part in wallTimeMs ? duration(wallTimeMs[part]) : NOTHING;
  const total = Object.values(wallTimeMs).reduce((sum, ms) => sum + ms, 0);
  return {
    heading: "What it cost, and how to repeat it",
    paragraphs: [
      `\`${run.command}\``,
      `boltzflow ${run.packageVersion}, seed ${run.seed}, ${run.kernelBuild} kernels, ${run.threads} thread${
        run.threads === 1 ? "" : "s"
      }. All numbers but times are the same for any number of threads.`,
      "What the network is for: independent configurations at any temperature of the range, each in one shot, with weights " +
      "that make averages of any observable exact. No reaction coordinate enters it; umbrella sampling needs one.",
      ...priceOfPrecision(outcome),
      "A single-particle move counts as the pair terms of its particle out of those of one energy. The arithmetic of the " +
      "network, and the energies inside a tilted density, are not in these numbers.",
    ],
    table: {
      columns: ["part", "single-particle moves", "energy evaluations", `wall${NO_BREAK}time`],
      rows: [
        ["Monte Carlo for data", count(moves.data), power(energyEvaluations.data), time("data")],
        ["training", NOTHING, count(energyEvaluations.training), time("training")],
        ["audit of the flow", NOTHING, NOTHING, time("audit")],
        ["evaluation of the flow", NOTHING, count(energyEvaluations.evaluation), time("evaluation")],
        ["umbrella sampling", count(moves.umbrella), power(energyEvaluations.reference), time("reference")],
        ["all", NOTHING, NOTHING, duration(total)],
      ],
    },
  };
}
