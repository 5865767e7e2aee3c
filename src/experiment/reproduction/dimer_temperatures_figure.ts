/**
 * The picture of the dimer at many temperatures.
 *
 * @module
 */
import { figureGrid } from "../../plot/figure_grid.ts";
import { linePlot } from "../../plot/line_plot.ts";
import { estimateFrom } from "../../reweighting/estimate.ts";
import { estimateSeries, type EstimateStyle, type PlacedEstimate } from "../estimate_series.ts";
import { halfWidth } from "../estimates.ts";
import type { ThermodynamicCurve } from "../temperature_curve.ts";
import type { TemperaturePoint } from "../temperature_results.ts";
import { curveSeries, minusCurve } from "../temperature_series.ts";
import { referenceOf, type UmbrellaReference } from "./dimer_umbrella_reference.ts";
import type { ExperimentFigure } from "./experiment.ts";
import { publishedDifferences, publishedMean } from "./published_dimer.ts";

/** Factor in T between points of different methods. */
const APART = 1.012;
/** Most of an error, in k_BT, that stretches the panel of differences. */
const LARGEST_DIFFERENCE = 0.6;

/** The estimates of all methods. */
type Marks = Readonly<Record<"trained" | "unseen" | "umbrella" | "published" | "figure", readonly PlacedEstimate[]>>;

function marksOf(points: readonly TemperaturePoint[], umbrellas: readonly UmbrellaReference[]): Marks {
  const flow = (trained: boolean) =>
    points.filter((point) => point.trained === trained)
      .map(({ temperature, evaluation }) => ({ x: temperature, estimate: evaluation.freeEnergyDifference.bar }));
  return {
    trained: flow(true),
    unseen: flow(false),
    umbrella: umbrellas.flatMap((umbrella) => {
      const reference = referenceOf(umbrella);
      if (reference === null) return [];
      return [{ x: umbrella.temperature, estimate: estimateFrom(reference.value, reference.standardError) }];
    }),
    published: publishedDifferences.map((one) => ({ x: one.temperature, estimate: publishedMean(one) })),
    figure: publishedDifferences.map(({ temperature, figure }) => ({
      x: temperature,
      estimate: { value: figure, interval95: null, reliable: true },
    })),
  };
}

const STYLES: Readonly<Record<keyof Marks, EstimateStyle>> = {
  trained: { label: "network, trained here", color: "vermillion" },
  unseen: { label: "network, never trained here", color: "blue" },
  umbrella: { label: "umbrella sampling + MBAR", color: "black", aside: 1 / APART },
  published: { label: "published umbrella sampling, mean of 3", color: "green", aside: APART },
  figure: { label: "published figure, read off", color: "purple", markers: "hollow", aside: APART ** 2 },
};

/** Methods that are near enough to the curve to be seen beside it. */
const OURS = ["trained", "unseen", "umbrella"] as const;

/**
 * Draws ΔF against T, and every estimate minus the curve through those of the network.
 *
 * @param points what the network yields
 * @param curve through them
 * @param umbrellas the reference
 * @returns the picture; null where there is nothing to draw
 */
export async function temperaturesFigure(
  points: readonly TemperaturePoint[],
  curve: ThermodynamicCurve,
  umbrellas: readonly UmbrellaReference[],
): Promise<ExperimentFigure | null> {
  const range = [points[0].temperature, points[points.length - 1].temperature] as const;
  const x = { label: "*T* / *T*_0", scale: "log" as const, domain: [range[0] / 1.06, range[1] * 1.06] as const };
  const marks = marksOf(points, umbrellas);
  const names = Object.keys(STYLES) as (keyof Marks)[];
  const absolute = [
    ...curveSeries(curve, range, {
      pick: ({ freeEnergy }) => freeEnergy,
      label: "one curve through the network's estimates",
      color: "grey",
    }),
    ...names.flatMap((name) => estimateSeries(marks[name], STYLES[name])),
  ];
  const panels = [await linePlot(absolute, { x, y: { label: "Δ*F* / k_BT" }, height: 340 })];
  if (curve.degree >= 0) {
    const differences = OURS.flatMap((name) => {
      const { label: _, ...style } = STYLES[name];
      return estimateSeries(minusCurve(curve, marks[name]), style);
    });
    const halves = OURS.flatMap((name) => marks[name]).map(({ estimate }) => halfWidth(estimate)).filter((h) => h > 0);
    const top = Math.min(LARGEST_DIFFERENCE, 2.6 * Math.max(0.05, ...halves));
    const zero = curveSeries(curve, range, { pick: ({ freeEnergy }) => ({ ...freeEnergy, value: 0 }), color: "grey" });
    panels.push(
      await linePlot([...zero, ...differences], {
        x,
        y: { label: "Δ*F* − curve / k_BT", domain: [-top, top] },
        height: 260,
        legend: "none",
      }),
    );
  }
  return {
    name: "free_energy",
    svg: panels.length === 1
      ? panels[0]
      : await figureGrid(panels, { description: "Free energy of opening the dimer against temperature" }),
    caption: "Free energy of opening the dimer, Δ*F* = *F*(open) − *F*(closed), from one network at all temperatures " +
      "(a), and estimates minus the curve through those of the network (b). Bars and bands cover 95 %; points of " +
      "different methods at one temperature are set a little apart. Values beyond the frame of (b) are not drawn.",
  };
}
