/**
 * Curves through estimates at many temperatures, and estimates less such a curve, as a plot has them.
 *
 * @module
 */
import type { LineSeries } from "../plot/line_plot.ts";
import type { PlacedEstimate } from "./estimate_series.ts";
import type { CurvePoint, CurveValue, ThermodynamicCurve } from "./temperature_curve.ts";

/** Half width of a 95 % band in standard errors. */
const BAND = 1.96;
/** Points of a curve. */
const FINE = 121;

/** What of a curve is drawn, and how. */
export interface CurveStyle extends Partial<Omit<LineSeries, "x" | "y" | "error">> {
  /** The quantity. */
  readonly pick: (point: CurvePoint) => CurveValue;
  /** Factor of the quantity at a temperature, default 1. */
  readonly unit?: (temperature: number) => number;
}

/**
 * Draws a curve with its 95 % band.
 *
 * @param curve through estimates
 * @param range lowest and highest temperature
 * @param style quantity, unit and looks
 * @returns one series; none where the curve does not reach all temperatures
 */
export function curveSeries(
  curve: ThermodynamicCurve,
  [low, high]: readonly [number, number],
  { pick, unit = () => 1, ...style }: CurveStyle,
): LineSeries[] {
  const x = Array.from({ length: FINE }, (_, k) => low * (high / low) ** (k / (FINE - 1)));
  const found = x.map((temperature) => curve.at(temperature));
  if (found.includes(null)) return [];
  const values = found.map((point) => pick(point!));
  return [{
    x,
    y: values.map(({ value }, k) => unit(x[k]) * value),
    error: values.map(({ standardError }, k) => unit(x[k]) * BAND * standardError),
    line: "solid",
    ...style,
  }];
}

/**
 * Takes a curve's free energy from estimates, bars as they were.
 *
 * @param curve through estimates
 * @param points at temperatures x
 * @returns the differences; temperatures that the curve does not reach are left out
 */
export function minusCurve(curve: ThermodynamicCurve, points: readonly PlacedEstimate[]): PlacedEstimate[] {
  return points.flatMap((point) => {
    const at = curve.at(point.x)?.freeEnergy.value;
    const { estimate } = point;
    if (at === undefined || estimate.value === null) return [];
    return [{ ...point, estimate: { ...estimate, value: estimate.value - at } }];
  });
}
