/**
 * Estimates as points with bars in a plot.
 *
 * @module
 */
import type { LineSeries } from "../plot/line_plot.ts";
import type { Estimate } from "../reweighting/estimate.ts";
import { halfWidth } from "./estimates.ts";

/** An estimate with its place in a plot. */
export interface PlacedEstimate {
  /** Where it stands on the horizontal axis. */
  readonly x: number;
  /** The estimate. */
  readonly estimate: Pick<Estimate, "value" | "interval95" | "reliable">;
  /** Factor of value and bar, default 1. */
  readonly scale?: number;
}

/** How estimates are drawn. */
export interface EstimateStyle extends Partial<Omit<LineSeries, "x" | "y" | "error" | "unreliable">> {
  /** Factor of every x, default 1: on a logarithmic axis methods stand beside each other that would cover each other. */
  readonly aside?: number;
}

/**
 * Draws estimates as points with bars of 95 %, hollow where they are unreliable.
 *
 * @param points those without a value are left out
 * @param style what differs from filled points with bars
 * @returns one series; none where no estimate has a value
 */
export function estimateSeries(
  points: readonly PlacedEstimate[],
  { aside = 1, ...style }: EstimateStyle = {},
): LineSeries[] {
  const known = points.filter(({ estimate }) => estimate.value !== null);
  if (known.length === 0) return [];
  return [{
    x: known.map(({ x }) => aside * x),
    y: known.map(({ estimate, scale = 1 }) => scale * estimate.value!),
    error: known.map(({ estimate, scale = 1 }) => scale * halfWidth(estimate)),
    unreliable: known.map(({ estimate }) => !estimate.reliable),
    errorStyle: "bars",
    line: "none",
    markers: "filled",
    ...style,
  }];
}
