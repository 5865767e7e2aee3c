/**
 * The picture of the table of hyper-parameters.
 *
 * @module
 */
import { figureGrid } from "../../plot/figure_grid.ts";
import { linePlot, type LineSeries } from "../../plot/line_plot.ts";
import type { Estimate } from "../../reweighting/estimate.ts";
import type { ExperimentFigure } from "./experiment.ts";
import type { MeasuredConfiguration } from "./hyper_parameters_table.ts";
import { printedRange } from "./printed_range.ts";

/** Configurations in a panel: their names stand side by side. */
const ABREAST = 9;
/** Points of one configuration stand apart by this part of its place. */
const APART = 0.18;

/** A quantity of all configurations. */
interface Quantity {
  readonly label: string;
  readonly color: string;
  readonly markers: "filled" | "hollow";
  of(row: MeasuredConfiguration): Pick<Estimate, "value" | "standardError">;
}

const QUANTITIES: readonly Quantity[] = [
  {
    label: "*ε*, published",
    color: "purple",
    markers: "hollow",
    of: ({ configuration }) => {
      const [least, most] = printedRange(...configuration.published);
      return { value: (least + most) / 2, standardError: null };
    },
  },
  { label: "*ε*, ours", color: "vermillion", markers: "filled", of: ({ error }) => error },
  { label: "distance from umbrella sampling", color: "blue", markers: "filled", of: ({ distance }) => distance },
];

/** One quantity as points with bars of one standard error. */
function series(
  rows: readonly MeasuredConfiguration[],
  { label, color, markers, of }: Quantity,
  k: number,
): LineSeries {
  const known = rows.map((row, place) => ({ place, ...of(row) })).filter(({ value }) => value !== null);
  return {
    x: known.map(({ place }) => place + APART * (k - 1)),
    y: known.map(({ value }) => value!),
    error: known.map(({ standardError }) => standardError ?? NaN),
    errorStyle: "bars",
    line: "none",
    label,
    color,
    markers,
  };
}

function nameOf({ configuration: { name } }: MeasuredConfiguration): string {
  return name.replaceAll("_ML", "_{ML}").replaceAll("_RC", "_{RC}");
}

/**
 * Draws for each configuration ε as published, ε as measured, and the true distance from umbrella sampling.
 *
 * @param table rows as measured
 * @returns the picture; null where no row has an ε
 */
export async function hyperParametersFigure(
  table: readonly MeasuredConfiguration[],
): Promise<ExperimentFigure | null> {
  if (table.every(({ error }) => error.value === null)) return null;
  const tops = table.flatMap((row) => QUANTITIES.map(({ of }) => of(row)))
    .map(({ value, standardError }) => (value ?? 0) + (standardError ?? 0));
  const domain = [0, 1.12 * Math.max(...tops)] as const;
  const parts = Array.from(
    { length: Math.ceil(table.length / ABREAST) },
    (_, k) => table.slice(ABREAST * k, ABREAST * (k + 1)),
  );
  const panels = await Promise.all(
    parts.map((rows, k) =>
      linePlot(QUANTITIES.map((quantity, q) => series(rows, quantity, q)).filter(({ x }) => x.length > 0), {
        x: {
          label: "configuration",
          domain: [-0.6, Math.min(ABREAST, table.length) - 0.4],
          ticks: rows.map((row, value) => ({ value, label: nameOf(row) })),
        },
        y: { label: "error at three temperatures / k_BT", domain },
        width: 760,
        height: 360,
        legend: k === 0 ? "above" : "none",
      })
    ),
  );
  return {
    name: "errors",
    svg: panels.length === 1
      ? panels[0]
      : await figureGrid(panels, { letters: false, description: "Errors of networks with other hyper-parameters" }),
    caption:
      "Networks with different hyper-parameters: *ε*, the noise of the free-energy profile (over three temperatures: root of " +
      "the sum of squares), as it was published (a configuration that was printed twice stands at the mean) and as we find it, and how far the " +
      "profiles really are from umbrella sampling. Bars: one standard error by leaving draws out; they do not hold the " +
      "spread of trainings, which the two base configurations show.",
  };
}
