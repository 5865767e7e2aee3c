/**
 * The pictures of a comparison of flows.
 *
 * @module
 */
import type { AxisOptions } from "../plot/axes.ts";
import { linePlot, type LineSeries } from "../plot/line_plot.ts";
import type { FreeEnergyEstimate } from "../reweighting/estimate.ts";
import type {
  ComparisonFigure,
  ComparisonOutcome,
  ComparisonPoint,
  ContenderResult,
  DensityName,
  JudgedDensity,
  ReferencePoint,
} from "./comparison_results.ts";
import type { ContenderName } from "./comparison_settings.ts";
import { estimateSeries } from "./estimate_series.ts";

/** Names of the pictures. */
export const comparisonFigureNames: readonly ComparisonFigure["name"][] = ["gap", "error", "estimates"];

/** How the flows are called in legends and tables. */
export const contenderTitles: Readonly<Record<ContenderName, string>> = {
  realnvp: "RealNVP",
  tilted: "autoregressive, tilted",
  mixture: "autoregressive, mixture",
};

const COLORS: Readonly<Record<ContenderName, string>> = { realnvp: "blue", tilted: "vermillion", mixture: "green" };
const REFERENCES = { umbrella: ["umbrella sampling", "black"], plain: ["plain Monte Carlo", "grey"] } as const;

/** Minutes until a density is known to be this good: data, training, and judging it. */
export function minutesUntil({ minutes }: ComparisonPoint, density: JudgedDensity): number {
  return minutes.data + minutes.training + density.minutes;
}

/** Processor minutes from zero to a result: one axis for all figures. */
function minutesAxis({ contenders, references }: ComparisonOutcome): AxisOptions {
  const minutes = [
    ...contenders.flatMap(({ points }) =>
      points.flatMap((point) => [
        point.minutes.data + point.minutes.training,
        minutesUntil(point, point.densities.symmetrised),
      ])
    ),
    ...[...references.umbrella, ...references.plain].map((point) => point.minutes),
  ].filter((value) => value > 0);
  const domain = [0.9 * Math.min(...minutes), 1.1 * Math.max(...minutes)] as const;
  return { label: "processor time / min", scale: "log", domain };
}

/**
 * Draws the pictures of a comparison.
 *
 * @param outcome the comparison
 * @returns the pictures in the order in which a report shows them; those without a point are left out
 */
export async function comparisonFigures(outcome: ComparisonOutcome): Promise<ComparisonFigure[]> {
  const figures = [await gapFigure(outcome), await errorFigure(outcome), await estimatesFigure(outcome)];
  return figures.filter((figure) => figure !== null);
}

/** A curve of those points that have a positive number. */
function curve(
  points: readonly { readonly x: number; readonly y: number | null; readonly reliable?: boolean }[],
  style: Partial<LineSeries>,
): LineSeries[] {
  const known = points.filter(({ y }) => y !== null && y > 0 && Number.isFinite(y));
  if (known.length === 0) return [];
  return [{
    x: known.map(({ x }) => x),
    y: known.map(({ y }) => y!),
    unreliable: known.map(({ reliable }) => reliable === false),
    line: "solid",
    markers: "filled",
    ...style,
  }];
}

/** Curves of every flow: symmetrised solid and named, plain dashed. */
function curvesOf(
  contenders: readonly ContenderResult[],
  pick: (point: ComparisonPoint, density: JudgedDensity) => { x: number; y: number | null; reliable?: boolean },
): LineSeries[] {
  const styles: readonly [DensityName, Partial<LineSeries>, string][] = [
    ["symmetrised", { line: "solid" }, ", symmetrised"],
    ["plain", { line: "dashed" }, ""],
  ];
  return contenders.flatMap(({ name, points }) =>
    styles.flatMap(([density, style, suffix]) =>
      curve(points.map((point) => pick(point, point.densities[density])), {
        ...style,
        color: COLORS[name],
        label: contenderTitles[name] + suffix,
      })
    )
  );
}

async function gapFigure(outcome: ComparisonOutcome): Promise<ComparisonFigure | null> {
  const series = curvesOf(outcome.contenders, ({ minutes }, { gap, freeEnergyDifference }) => ({
    x: minutes.data + minutes.training,
    y: gap.all,
    reliable: freeEnergyDifference.bar.reliable,
  }));
  if (series.length === 0) return null;
  const y = { label: "gap to the exact NLL / nats", scale: "log" } as const;
  return {
    name: "gap",
    svg: await linePlot(series, { x: minutesAxis(outcome), y, height: 420, legend: "above" }),
    caption:
      "How far each flow is from the target: KL(½ closed + ½ open ‖ flow), against the processor time of data and " +
      "training. Solid: averaged over the mirror images of the dimer; dashed: the flow itself. Points before the last of a " +
      "flow are on the way of a schedule made for the whole time. Hollow: the normalisation comes from an unreliable " +
      "acceptance ratio.",
  };
}

const errorOf = ({ standardError, reliable }: FreeEnergyEstimate) => ({ y: standardError, reliable });

async function errorFigure(outcome: ComparisonOutcome): Promise<ComparisonFigure | null> {
  const { contenders, references } = outcome;
  const flows = curvesOf(contenders, (point, density) => ({
    x: minutesUntil(point, density),
    ...errorOf(density.freeEnergyDifference.bar),
  })).filter(({ line }) => line === "solid");
  const others = Object.entries(REFERENCES).flatMap(([name, [label, color]]) =>
    curve(
      references[name as keyof typeof REFERENCES].map(({ minutes, freeEnergyDifference }) => ({
        x: minutes,
        ...errorOf(freeEnergyDifference),
      })),
      { label, color },
    )
  );
  const series = [...flows, ...others];
  if (series.length === 0) return null;
  const y = { label: "standard error of Δ*F* / k_BT", scale: "log" } as const;
  return {
    name: "error",
    svg: await linePlot(series, { x: minutesAxis(outcome), y, height: 420, legend: "above" }),
    caption:
      "What a standard error of Δ*F* = *F*(open) − *F*(closed) costs, everything included: data, training, flow " +
      "samples and estimates; for the other methods chains and estimates. Flows by the Bennett acceptance ratio. Hollow: " +
      "unreliable, whatever the error bar says. Methods without a point have no estimate at any time shown.",
  };
}

async function estimatesFigure(outcome: ComparisonOutcome): Promise<ComparisonFigure | null> {
  const { contenders, references } = outcome;
  const series = [
    ...contenders.flatMap(({ name, points }) => {
      const density = (point: ComparisonPoint) => point.densities.symmetrised;
      const drawn = points.map((point) => ({ x: minutesUntil(point, density(point)), density: density(point) }));
      return estimateSeries(drawn.map(({ x, density }) => ({ x, estimate: density.freeEnergyDifference.bar })), {
        label: contenderTitles[name],
        color: COLORS[name],
      });
    }),
    ...Object.entries(REFERENCES).flatMap(([name, [label, color]]) => {
      const points: readonly ReferencePoint[] = references[name as keyof typeof REFERENCES];
      return estimateSeries(
        points.map(({ minutes, freeEnergyDifference }) => ({ x: minutes, estimate: freeEnergyDifference })),
        {
          label,
          color,
        },
      );
    }),
  ];
  if (series.length === 0) return null;
  const range = shown(series);
  const y = { label: "Δ*F* / k_BT", ...range && { domain: range } };
  return {
    name: "estimates",
    svg: await linePlot(series.map((one) => within(one, range)), { x: minutesAxis(outcome), y, legend: "above" }),
    caption:
      "The estimates themselves, with bars that cover 95 %. Flows: symmetrised, by the Bennett acceptance ratio. " +
      "Hollow: unreliable; such points do not decide the range of the axis, and are left out beyond it.",
  };
}

/** The range of reliable points with their bars; null where there is none. */
function shown(series: readonly LineSeries[]): readonly [number, number] | null {
  const ends = series.flatMap(({ y, error, unreliable }) =>
    Array.from(y).flatMap((value, k) => unreliable![k] ? [] : [value - error![k], value + error![k]])
  );
  if (ends.length === 0) return null;
  const [low, high] = [Math.min(...ends), Math.max(...ends)];
  return [low - 0.1 * (high - low), high + 0.1 * (high - low)];
}

/** A series without the points that lie outside a range, whose bars would cross it without a point. */
function within(series: LineSeries, range: readonly [number, number] | null): LineSeries {
  if (range === null) return series;
  const y = Array.from(series.y, (value) => value < range[0] || value > range[1] ? NaN : value);
  return { ...series, y };
}
