/**
 * The tables of a comparison of flows, on the page and on the terminal.
 *
 * @module
 */
import type { ReportTable } from "../plot/html_report.ts";
import type { FreeEnergyEstimate } from "../reweighting/estimate.ts";
import { contenderTitles, minutesUntil } from "./comparison_figures.ts";
import type {
  ComparisonOutcome,
  ComparisonPoint,
  ContenderResult,
  DensityName,
  JudgedDensity,
} from "./comparison_results.ts";
import { shareInterval } from "./dimer_report_tables.ts";
import { count, fixed, NOTHING, power, share, withError } from "./report_numbers.ts";

const DENSITIES: readonly DensityName[] = ["plain", "symmetrised"];

/** A flow's name, and whether its density is averaged over the mirror images. */
function title(name: ContenderResult["name"], density: DensityName): string {
  return contenderTitles[name] + (density === "symmetrised" ? ", symmetrised" : "");
}

/** An estimate with its error; an exclamation mark where it is not reliable. */
function marked(estimate: FreeEnergyEstimate): string {
  if (estimate.value === null) return NOTHING;
  return withError(estimate) + (estimate.reliable ? "" : " (!)");
}

/** The last point of a flow. */
export function lastPoint({ points }: ContenderResult): ComparisonPoint {
  return points[points.length - 1];
}

/** Every density of every flow at the end of its training. */
export function qualityTable({ contenders }: ComparisonOutcome): ReportTable {
  const rows = contenders.flatMap((contender) =>
    DENSITIES.map((name) => {
      const density = lastPoint(contender).densities[name];
      const { gap, samplingEfficiency: efficiency, samplingEfficiencyInterval: ends, paretoK } = density;
      return [
        title(contender.name, name),
        fixed(gap.all, 2),
        `${share(efficiency.closed)} (${shareInterval(ends.closed)})`,
        `${share(efficiency.open)} (${shareInterval(ends.open)})`,
        `${fixed(paretoK.closed, 2)} / ${fixed(paretoK.open, 2)}`,
        marked(density.freeEnergyDifference.bar),
        marked(density.freeEnergyDifference.reweighting),
      ];
    })
  );
  const samples = lastPoint(contenders[0]).densities.plain.samples;
  return {
    caption: `At the end of the time, from ${count(samples)} samples of each flow. (!): unreliable.`,
    columns: [
      "flow",
      "gap / nats",
      "Kish efficiency, closed (bootstrap)",
      "Kish efficiency, open (bootstrap)",
      "Pareto k̂, closed / open",
      "Δ*F* / k_BT, BAR",
      "Δ*F* / k_BT, plain reweighting",
    ],
    rows,
  };
}

/** Every flow on the way. */
export function progressTable({ contenders }: ComparisonOutcome): ReportTable {
  const rows = contenders.flatMap(({ name, points }) =>
    points.map((point) => {
      const { plain, symmetrised } = point.densities;
      return [
        contenderTitles[name],
        count(point.steps),
        fixed(point.minutes.data + point.minutes.training, 2),
        fixed(minutesUntil(point, symmetrised), 2),
        `${fixed(plain.gap.all, 2)} / ${fixed(symmetrised.gap.all, 2)}`,
        `${share(symmetrised.samplingEfficiency.closed)} / ${share(symmetrised.samplingEfficiency.open)}`,
        count(symmetrised.samples),
        marked(symmetrised.freeEnergyDifference.bar),
      ];
    })
  );
  return {
    columns: [
      "flow",
      "steps",
      "processor min, trained",
      "processor min, judged",
      "gap, plain / symmetrised",
      "Kish efficiency, closed / open",
      "samples",
      "Δ*F* / k_BT, BAR",
    ],
    rows,
  };
}

/** Umbrella sampling and plain Monte Carlo. */
export function referencesTable({ references }: ComparisonOutcome): ReportTable {
  const rows = Object.entries({ "umbrella sampling": references.umbrella, "plain Monte Carlo": references.plain })
    .flatMap(([name, points]) =>
      points.map(({ sweeps, moves, energies, minutes, freeEnergyDifference }) => [
        name,
        fixed(minutes, 2),
        count(sweeps),
        power(moves),
        power(energies),
        freeEnergyDifference.value === null ? freeEnergyDifference.reason ?? NOTHING : marked(freeEnergyDifference),
      ])
    );
  return {
    columns: ["method", "processor min", "sweeps of a chain", "moves", "energies", "Δ*F* / k_BT"],
    rows,
  };
}

/** Energies of each flow at the end, by what they were for. */
export function energyTable({ contenders }: ComparisonOutcome): ReportTable {
  const rows = contenders.map((contender) => {
    const point = lastPoint(contender);
    const { plain, symmetrised } = point.densities;
    const { data, training } = point.energies;
    const energies = (value: number) => value === 0 ? "0" : power(value);
    return [
      contenderTitles[contender.name],
      energies(data),
      energies(training),
      energies(symmetrised.energies),
      energies(data + training + symmetrised.energies),
      energies(point.quadrature),
      `${energies(plain.quadrature)} / ${energies(symmetrised.quadrature)}`,
    ];
  });
  return {
    columns: [
      "flow",
      "Monte Carlo data",
      "training",
      "judging it",
      "all",
      "quadrature, training",
      "quadrature, judging it: plain / symmetrised",
    ],
    rows,
  };
}

/** Removes the markup of labels, for a terminal. */
const bare = (text: string) => text.replaceAll("*", "").replaceAll("_", "").replaceAll("\u00a0", " ");

/** Sets a table in columns of text. */
function inColumns({ columns, rows }: ReportTable): string {
  const cells = [columns, ...rows].map((row) => row.map((cell) => bare(String(cell))));
  const widths = columns.map((_, k) => Math.max(...cells.map((row) => row[k].length)));
  return cells.map((row) => row.map((cell, k) => cell.padEnd(widths[k])).join("  ").trimEnd()).join("\n");
}

/** The density of a flow that the summary quotes. */
export function bestDensity(contender: ContenderResult): JudgedDensity {
  return lastPoint(contender).densities.symmetrised;
}

/**
 * Says in a few lines what a comparison found.
 *
 * @param outcome of the comparison
 * @returns text without a final line break
 */
export function summarizeComparison(outcome: ComparisonOutcome): string {
  const { run, settings } = outcome;
  return [
    `${run.preset} at T = ${run.temperature} T₀, seed ${run.seed}: ${settings.minutes} min on ${run.threads} ` +
    `thread${run.threads === 1 ? "" : "s"} for each way, data included.`,
    "",
    inColumns(qualityTable(outcome)),
    "",
    inColumns(progressTable(outcome)),
    "",
    inColumns(referencesTable(outcome)),
    "",
    "Energies of each way of a flow, quadrature apart:",
    inColumns(energyTable(outcome)),
  ].join("\n");
}
