/**
 * The pictures of a run over temperatures.
 *
 * @module
 */
import { figureGrid } from "../plot/figure_grid.ts";
import { linePlot, type LineSeries } from "../plot/line_plot.ts";
import type { Estimate } from "../reweighting/estimate.ts";
import type { CurvePoint } from "./temperature_curve.ts";
import { curveSeries, minusCurve } from "./temperature_series.ts";
import type { ByBasin } from "./dimer_results.ts";
import { estimateSeries, type EstimateStyle, type PlacedEstimate } from "./estimate_series.ts";
import type { TemperatureFigure, TemperaturePoint, TemperaturesOutcome } from "./temperature_results.ts";

/** Names of the pictures. */
export const temperatureFigureNames: readonly TemperatureFigure["name"][] = [
  "free_energy",
  "thermodynamics",
  "quality",
  "losses",
];

/** Points of one temperature are drawn this factor apart in T where several methods would cover each other. */
const APART = 1.012;
/** Errors beyond this, in k_BT, do not stretch the panel of differences. */
const SHOWN_DIFFERENCE = 0.5;
const TEMPERATURE = "*T* / *T*_0";
const COLORS = { trained: "vermillion", between: "blue", reference: "black", reweighting: "green" } as const;

/**
 * Draws the pictures of a run.
 *
 * @param outcome the run
 * @returns the pictures in the order in which a report shows them
 */
export async function temperatureFigures(outcome: TemperaturesOutcome): Promise<TemperatureFigure[]> {
  const figures = [
    await freeEnergyFigure(outcome),
    await thermodynamicsFigure(outcome),
    await qualityFigure(outcome),
    await lossesFigure(outcome),
  ];
  return figures.filter((figure) => figure !== null);
}

const axis = ({ run: { range: [low, high] } }: TemperaturesOutcome) => ({
  label: TEMPERATURE,
  scale: "log" as const,
  domain: [low / 1.04, high * 1.04] as const,
});

/** Estimates in k_BT times `unit(T)`. */
function inUnit(points: readonly PlacedEstimate[], unit: (temperature: number) => number): PlacedEstimate[] {
  return points.map((point) => ({ ...point, scale: unit(point.x) }));
}

/** What one method found, at the temperatures that were trained on or at the others. */
function pointsOf(
  { points }: TemperaturesOutcome,
  pick: (point: TemperaturePoint) => Estimate,
  trained: boolean,
): PlacedEstimate[] {
  return points.filter((point) => point.trained === trained)
    .map((point) => ({ x: point.temperature, estimate: pick(point) }));
}

const bar = ({ evaluation }: TemperaturePoint) => evaluation.freeEnergyDifference.bar;
const reweighting = ({ evaluation }: TemperaturePoint) => evaluation.freeEnergyDifference.reweighting;
const references = ({ references }: TemperaturesOutcome): PlacedEstimate[] =>
  references.map(({ temperature, freeEnergyDifference }) => ({ x: temperature, estimate: freeEnergyDifference }));

async function freeEnergyFigure(outcome: TemperaturesOutcome): Promise<TemperatureFigure | null> {
  const { curve, run } = outcome;
  const panel = async (unit: (x: number) => number, label: string, legend: boolean) => {
    const drawn = (points: readonly PlacedEstimate[], style: EstimateStyle) =>
      estimateSeries(inUnit(points, unit), style);
    const series = [
      ...curveSeries(curve, run.range, {
        pick: (point) => point.freeEnergy,
        unit,
        label: "curve through all",
        color: "grey",
      }),
      ...drawn(pointsOf(outcome, bar, true), { label: "flow, trained here", color: COLORS.trained }),
      ...drawn(pointsOf(outcome, bar, false), { label: "flow, not trained here", color: COLORS.between }),
      ...drawn(references(outcome), { label: "umbrella sampling", color: COLORS.reference, aside: 1 / APART }),
    ];
    if (series.length === 0) return null;
    return await linePlot(series, {
      x: axis(outcome),
      y: { label },
      height: 300,
      legend: legend ? "auto" : "none",
    });
  };
  const panels = [
    await panel(() => 1, "Δ*F* / k_BT", true),
    await panel((x) => x, "Δ*F* / k_BT_{0}", false),
    await differencePanel(outcome),
  ].filter((svg) => svg !== null);
  if (panels.length === 0) return null;
  const svg = panels.length === 1
    ? panels[0]
    : await figureGrid(panels, { description: "Free energy of opening the dimer against temperature" });
  return {
    name: "free_energy",
    svg,
    caption: "Free energy of opening, Δ*F* = *F*(open) − *F*(closed), from one network: (a) in units of k_BT at each " +
      "temperature, (b) in units of k_BT_{0}, the same for all, (c) every estimate minus the curve, with plain reweighting " +
      "beside the Bennett acceptance ratio. Points of different methods at one temperature are set a little apart. Bars and bands cover 95 %. " +
      "Blue: temperatures between the rungs, none of whose frames the network was trained on. The curve is a polynomial " +
      "through free energies and energies of all temperatures; umbrella sampling does not enter it.",
  };
}

async function differencePanel(outcome: TemperaturesOutcome): Promise<string | null> {
  const { curve, run } = outcome;
  const both = [...pointsOf(outcome, reweighting, true), ...pointsOf(outcome, reweighting, false)];
  const drawn = (points: readonly PlacedEstimate[], style: EstimateStyle) =>
    estimateSeries(minusCurve(curve, points), style);
  const series = [
    ...curveSeries(curve, run.range, { pick: ({ freeEnergy }) => ({ ...freeEnergy, value: 0 }), color: "grey" }),
    ...drawn(pointsOf(outcome, bar, true), { color: COLORS.trained }),
    ...drawn(pointsOf(outcome, bar, false), { color: COLORS.between }),
    ...drawn(both, { label: "plain reweighting", color: COLORS.reweighting, aside: APART }),
    ...drawn(references(outcome), { color: COLORS.reference, aside: 1 / APART }),
  ];
  if (series.length < 2) return null;
  const reach = series.flatMap(({ y, error, unreliable }) =>
    Array.from(y, (value, k) => unreliable?.[k] ? 0 : Math.abs(value) + (error?.[k] || 0))
  );
  const top = Math.min(SHOWN_DIFFERENCE, 1.1 * Math.max(0.02, ...reach));
  return await linePlot(series, {
    x: axis(outcome),
    y: { label: "Δ*F* − curve / k_BT", domain: [-top, top] },
    height: 260,
    legend: "above",
  });
}

async function thermodynamicsFigure(outcome: TemperaturesOutcome): Promise<TemperatureFigure | null> {
  const unit = (x: number) => x;
  const all = (pick: (point: TemperaturePoint) => Estimate) => [
    ...pointsOf(outcome, pick, true),
    ...pointsOf(outcome, pick, false),
  ];
  const quantities = [
    { label: "Δ*U*", color: "vermillion", value: (p: CurvePoint) => p.energy, from: energyOf },
    { label: "*T* Δ*S*", color: "blue", value: (p: CurvePoint) => p.entropy, from: entropyOf },
    { label: "Δ*F* = Δ*U* − *T* Δ*S*", color: "black", value: (p: CurvePoint) => p.freeEnergy, from: bar },
  ];
  const series = quantities.flatMap(({ label, color, value, from }) => {
    const curve = curveSeries(outcome.curve, outcome.run.range, { pick: value, unit, color, label });
    const marks = estimateSeries(inUnit(all(from), unit), curve.length === 0 ? { color, label } : { color });
    return [...curve, ...marks];
  });
  if (series.length === 0) return null;
  const svg = await linePlot(series, { x: axis(outcome), y: { label: "change on opening / k_BT_{0}" }, height: 380 });
  return {
    name: "thermodynamics",
    svg,
    caption:
      "What opening changes, in units of k_BT_{0}: mean energy, entropy times temperature, and free energy. Points: " +
      "estimates at each temperature by itself; lines: the curve of figure 1 and its slope. Bars and bands cover 95 %.",
  };
}

const energyOf = ({ evaluation }: TemperaturePoint) => evaluation.energyDifference;
const entropyOf = ({ evaluation }: TemperaturePoint) => evaluation.entropyDifference;

/** Per cent in each basin; the efficiency of all samples is that of the one basin that carries the weight. */
const percent = ({ closed, open }: ByBasin): ByBasin => ({
  closed: closed === null ? null : 100 * closed,
  open: open === null ? null : 100 * open,
  all: null,
});

async function qualityFigure(outcome: TemperaturesOutcome): Promise<TemperatureFigure | null> {
  const basins = [["closed", "vermillion"], ["open", "blue"], ["all", "black"]] as const;
  const panel = async (
    pick: (point: TemperaturePoint) => ByBasin,
    y: { readonly label: string },
  ) => {
    const series = basins.flatMap(([basin, color]): LineSeries[] => {
      const values = outcome.points.map((point) => ({ ...point, value: pick(point)[basin] }))
        .filter(({ value }) => value !== null);
      if (values.length === 0) return [];
      return [{
        x: values.map(({ temperature }) => temperature),
        y: values.map(({ value }) => value!),
        unreliable: values.map(({ trained }) => !trained),
        label: basin === "all" ? "both" : basin,
        color,
        markers: "filled",
        line: "solid",
      }];
    });
    if (series.length === 0) return null;
    const top = 1.1 * Math.max(...series.flatMap(({ y }) => Array.from(y)));
    return await linePlot(series, {
      x: axis(outcome),
      y: { ...y, domain: [0, top > 0 ? top : 1] },
      height: 280,
      unreliableLabel: "not trained here",
    });
  };
  const panels = [
    await panel(({ evaluation }) => evaluation.gap, { label: "gap / nats" }),
    await panel(({ evaluation }) => percent(evaluation.samplingEfficiency), { label: "Kish efficiency / %" }),
  ].filter((svg) => svg !== null);
  if (panels.length === 0) return null;
  const svg = panels.length === 1 ? panels[0] : await figureGrid(panels, { description: "Quality of the flow" });
  return {
    name: "quality",
    svg,
    caption:
      "How near the flow is to the target: (a) Kullback–Leibler divergence to the flow, in nats, from the target in " +
      "each basin, of which ln 2 is the flow's share of the basin where it gives half to each, and from the half-and-half " +
      "mixture of both; (b) share of the flow samples in a basin that are effective. Hollow: temperatures between the rungs, " +
      "at which the network was not trained.",
  };
}

async function lossesFigure({ history }: TemperaturesOutcome): Promise<TemperatureFigure | null> {
  const curves = [
    { label: "training rows", color: "blue", value: (k: number) => history[k].losses.loss },
    { label: "validation rows", color: "vermillion", value: (k: number) => history[k].validation },
  ].map(({ label, color, value }) => {
    const kept = history.flatMap(({ step }, k) => {
      const y = value(k);
      return y === null || y === undefined || !Number.isFinite(y) ? [] : [{ x: step, y }];
    });
    return { label, color, x: kept.map(({ x }) => x), y: kept.map(({ y }) => y) };
  }).filter(({ x }) => x.length > 0);
  if (curves.length === 0) return null;
  const settled = curves.flatMap(({ y }) => y.slice(Math.floor(0.15 * y.length)));
  const [low, high] = [Math.min(...settled), Math.max(...settled)];
  const margin = 0.07 * (high - low) || 1;
  const svg = await linePlot(curves, {
    x: { label: "training step", domain: [0, history[history.length - 1].step] },
    y: { label: "NLL / nats", domain: [low - margin, high + margin] },
    height: 300,
  });
  return {
    name: "losses",
    svg,
    caption:
      "Mean of −ln *q*(*x* | *T*) over rows of all rungs, in nats: each point a mean over the steps since the one " +
      "before, and over validation rows from chains of their own. Values of the first steps may lie above the frame.",
  };
}
