/**
 * The picture of the dimer at many temperatures.
 *
 * @module
 */
import { figureGrid } from "../../plot/figure_grid.ts";
import { linePlot, type LineSeries } from "../../plot/line_plot.ts";
import type { Estimate } from "../../reweighting/estimate.ts";
import { halfWidth } from "../estimates.ts";
import type { ThermodynamicCurve } from "../temperature_curve.ts";
import type { TemperaturePoint } from "../temperature_results.ts";
import type { UmbrellaReference } from "./dimer_umbrella_reference.ts";
import type { ExperimentFigure } from "./experiment.ts";
import { publishedDifferences, publishedMean } from "./published_dimer.ts";

/** Points of the curve. */
const FINE = 121;
/** Half width of a 95 % band in standard errors. */
const BAND = 1.96;
/** Student's factor of a mean of three runs. */
const THREE_RUNS = 4.303;
/** Factor in T between points of different methods. */
const APART = 1.012;
/** Most of an error, in k_BT, that stretches the panel of differences. */
const LARGEST_DIFFERENCE = 0.6;

/** A value with half its 95 % interval at a temperature. */
interface Mark {
  readonly x: number;
  readonly y: number;
  readonly half: number;
  readonly reliable: boolean;
}

function markOf(x: number, estimate: Estimate): Mark[] {
  if (estimate.value === null) return [];
  return [{ x, y: estimate.value, half: halfWidth(estimate), reliable: estimate.reliable }];
}

/** Points with bars, drawn at T times a factor; nothing where there are none. */
function marked(marks: readonly Mark[], { apart = 1, ...style }: MarkStyle): LineSeries[] {
  if (marks.length === 0) return [];
  return [{
    x: marks.map(({ x }) => apart * x),
    y: marks.map(({ y }) => y),
    error: marks.map(({ half }) => half),
    unreliable: marks.map(({ reliable }) => !reliable),
    errorStyle: "bars",
    line: "none",
    markers: "filled",
    ...style,
  }];
}

/** How marks are drawn. */
interface MarkStyle extends Partial<LineSeries> {
  /** Factor in T by which they are moved, so that no method covers another. */
  readonly apart?: number;
}

/** The marks of all methods. */
interface Marks {
  readonly trained: readonly Mark[];
  readonly unseen: readonly Mark[];
  readonly umbrella: readonly Mark[];
  readonly published: readonly Mark[];
  readonly figure: readonly Mark[];
}

function marksOf(points: readonly TemperaturePoint[], umbrellas: readonly UmbrellaReference[]): Marks {
  const flow = (trained: boolean) =>
    points.filter((point) => point.trained === trained)
      .flatMap(({ temperature, evaluation }) => markOf(temperature, evaluation.freeEnergyDifference.bar));
  return {
    trained: flow(true),
    unseen: flow(false),
    umbrella: umbrellas.flatMap((one) => markOf(one.temperature, one.freeEnergyDifference)),
    published: publishedDifferences.map((one) => {
      const { value, error } = publishedMean(one);
      return { x: one.temperature, y: value, half: THREE_RUNS * error, reliable: true };
    }),
    figure: publishedDifferences.map(({ temperature, figure }) => ({
      x: temperature,
      y: figure,
      half: NaN,
      reliable: true,
    })),
  };
}

const STYLES: Readonly<Record<keyof Marks, MarkStyle>> = {
  trained: { label: "network, trained here", color: "vermillion" },
  unseen: { label: "network, never trained here", color: "blue" },
  umbrella: { label: "umbrella sampling + MBAR", color: "black", apart: 1 / APART },
  published: { label: "published umbrella sampling, mean of 3", color: "green", apart: APART },
  figure: { label: "published figure, read off", color: "purple", markers: "hollow", apart: APART ** 2 },
};

/** Methods that are near enough to the curve to be seen beside it. */
const OURS = ["trained", "unseen", "umbrella"] as const;

/** The curve with its band, shifted by itself for the panel of differences; nothing where there is none. */
function curveSeries(curve: ThermodynamicCurve, range: readonly [number, number], zero: boolean): LineSeries[] {
  const x = Array.from({ length: FINE }, (_, k) => range[0] * (range[1] / range[0]) ** (k / (FINE - 1)));
  const found = x.map((temperature) => curve.at(temperature)?.freeEnergy ?? null);
  if (found.includes(null)) return [];
  return [{
    x,
    y: found.map((value) => zero ? 0 : value!.value),
    error: found.map((value) => BAND * value!.standardError),
    line: "solid",
    color: "grey",
    ...!zero && { label: "one curve through the network's estimates" },
  }];
}

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
    ...curveSeries(curve, range, false),
    ...names.flatMap((name) => marked(marks[name], STYLES[name])),
  ];
  const panels = [await linePlot(absolute, { x, y: { label: "Δ*F* / k_BT" }, height: 340 })];
  const differences = OURS.flatMap((name) => {
    const shifted = marks[name].flatMap((mark) => {
      const at = curve.at(mark.x)?.freeEnergy.value;
      return at === undefined ? [] : [{ ...mark, y: mark.y - at }];
    });
    const { label: _, ...style } = STYLES[name];
    return marked(shifted, style);
  });
  if (curve.degree >= 0) {
    const ours = [...marks.trained, ...marks.unseen, ...marks.umbrella].filter(({ half }) => half > 0);
    const reach = 1.3 * Math.max(0.05, ...ours.map(({ half }) => half));
    const top = Math.min(LARGEST_DIFFERENCE, 2 * reach);
    const options = { x, y: { label: "Δ*F* − curve / k_BT", domain: [-top, top] as const }, height: 260 };
    panels.push(await linePlot([...curveSeries(curve, range, true), ...differences], { ...options, legend: "none" }));
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
