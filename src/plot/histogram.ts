/**
 * Overlaid normalised histograms, for distributions whose tails may run to infinity.
 *
 * @module
 */
import { type CartesianOptions, checkCartesian, drawCartesian } from "./cartesian.ts";
import {
  isNumberOrInfinite,
  requireChoice,
  requireEvery,
  requireInterval,
  requireNonEmpty,
  requireNumber,
  requireSameLength,
} from "./check.ts";
import type { Scale, Selection } from "./d3.ts";
import type { LegendEntry, Point } from "./legend.ts";
import { colorsOf, px, theme } from "./theme.ts";

/** One sample of a quantity. */
export interface HistogramSample {
  /** Legend text with markup. */
  readonly label?: string;
  /** Values, [n]; ±∞ is allowed and counts as out of range, NaN is not. */
  readonly values: ArrayLike<number>;
  /** Weights ≥ 0, [n]; default all equal. A common factor cancels. */
  readonly weights?: ArrayLike<number>;
  /** Name in `palette` or `#rrggbb`; by default the next colour. */
  readonly color?: string;
  /** `filled` (default) or only its `outline`. */
  readonly style?: "filled" | "outline";
}

/** Options of {@linkcode histogramPlot}. */
export interface HistogramOptions extends CartesianOptions {
  /** Number of equal bins over the range, default 60. */
  readonly bins?: number;
  /**
   * Interval that is binned: `robust` (default), from 3 interquartile ranges below the lower quartile to 3 above the
   * upper one, within the data, so that a heavy tail does not squeeze the rest; `all` finite values; or [low, high].
   */
  readonly range?: "robust" | "all" | readonly [number, number];
}

/** A histogram before it is drawn. */
export interface HistogramDensity {
  /** Bin edges, [bins + 1]. */
  readonly edges: Float64Array;
  /** Probability densities, [bins]; their integral is 1 − `outside`. */
  readonly density: Float64Array;
  /** Share of the weight outside the edges. */
  readonly outside: number;
}

const ACTION = "draw a histogram";

function weightOf(sample: HistogramSample, i: number): number {
  return sample.weights === undefined ? 1 : sample.weights[i];
}

function checkSample(sample: HistogramSample, name: string): void {
  requireNonEmpty(ACTION, `${name}.values`, sample?.values);
  requireEvery(ACTION, `${name}.values`, sample.values, "hold numbers or ±∞", isNumberOrInfinite);
  if (sample.weights !== undefined) {
    requireSameLength(ACTION, `${name}.weights`, sample.weights, `${name}.values`, sample.values);
    const rule = "hold finite numbers ≥ 0";
    requireEvery(ACTION, `${name}.weights`, sample.weights, rule, (w) => w >= 0 && w < Infinity);
    let sum = 0;
    for (let i = 0; i < sample.weights.length; i++) sum += sample.weights[i];
    if (!(sum > 0)) throw new RangeError(`Cannot ${ACTION}: ${name}.weights must have a positive sum, got ${sum}`);
  }
  if (sample.style !== undefined) requireChoice(ACTION, `${name}.style`, sample.style, ["filled", "outline"]);
}

/** Lower and upper quartile of a sample by weight; ±∞ take part. */
function quartiles(sample: HistogramSample): [number, number] {
  const { values, weights } = sample;
  if (weights === undefined) {
    const sorted = Float64Array.from(values).sort();
    return [sorted[Math.ceil(0.25 * sorted.length) - 1], sorted[Math.ceil(0.75 * sorted.length) - 1]];
  }
  const order = Uint32Array.from(values, (_, i) => i).filter((i) => weights[i] > 0);
  order.sort((a, b) => values[a] < values[b] ? -1 : values[a] > values[b] ? 1 : 0);
  const total = order.reduce((sum, i) => sum + weights[i], 0);
  const quantile = (level: number) => {
    let below = 0;
    const found = order.find((i) => (below += weights[i]) >= level * total);
    return values[found ?? order[order.length - 1]];
  };
  return [quantile(0.25), quantile(0.75)];
}

function finiteRange(sample: HistogramSample): [number, number] {
  let low = Infinity, high = -Infinity;
  for (let i = 0; i < sample.values.length; i++) {
    const value = sample.values[i];
    if (!Number.isFinite(value) || weightOf(sample, i) === 0) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return [low, high];
}

function robustRange(sample: HistogramSample): [number, number] {
  const [low, high] = finiteRange(sample);
  const [lower, upper] = quartiles(sample);
  // A quarter of the weight at infinity leaves no fence on that side, only what is finite.
  if (!Number.isFinite(lower) || !Number.isFinite(upper)) return [low, high];
  const fence = 3 * (upper - lower);
  return fence === 0 ? [low, high] : [Math.max(low, lower - fence), Math.min(high, upper + fence)];
}

function rangeOf(samples: readonly HistogramSample[], range: HistogramOptions["range"]): [number, number] {
  if (range !== undefined && typeof range !== "string") {
    requireInterval(ACTION, "range", range);
    return [range[0], range[1]];
  }
  if (range !== undefined) requireChoice(ACTION, "range", range, ["robust", "all"]);
  const ranges = samples.map(range === "all" ? finiteRange : robustRange);
  const low = Math.min(...ranges.map((r) => r[0]));
  const high = Math.max(...ranges.map((r) => r[1]));
  if (low > high) {
    throw new RangeError(`Cannot ${ACTION}: values must hold a finite number in some sample, got ±∞ everywhere`);
  }
  return low < high ? [low, high] : [low - 0.5, high + 0.5];
}

/**
 * Bins a sample into a probability density.
 *
 *     density[k] = Σ_{i in bin k} wᵢ / (Σᵢ wᵢ · width)
 *
 * The sum in the denominator runs over the whole sample, so what lies outside the range is missing from the integral
 * rather than spread over the bins. Bins are half open; the last one includes its upper edge.
 *
 * @param sample values and weights
 * @param range [low, high]
 * @param bins how many equal bins
 * @returns edges [bins + 1], density [bins] and the share outside
 * @throws {RangeError} if the sample is empty, holds NaN, or its weights are negative, infinite or all zero
 */
export function histogramDensity(
  sample: HistogramSample,
  range: readonly [number, number],
  bins: number,
): HistogramDensity {
  checkSample(sample, "sample");
  requireInterval(ACTION, "range", range);
  requireNumber(ACTION, "bins", bins, "be a whole number from 1 to 10000", isBinCount);
  const [low, high] = range;
  const width = (high - low) / bins;
  const edges = Float64Array.from({ length: bins + 1 }, (_, k) => k === bins ? high : low + k * width);
  const counts = new Float64Array(bins);
  let total = 0, outside = 0;
  for (let i = 0; i < sample.values.length; i++) {
    const value = sample.values[i];
    const weight = weightOf(sample, i);
    total += weight;
    if (value >= low && value <= high) counts[Math.min(bins - 1, Math.floor((value - low) / width))] += weight;
    else outside += weight;
  }
  return { edges, density: counts.map((count) => count / (total * width)), outside: outside / total };
}

function isBinCount(bins: number): boolean {
  return Number.isInteger(bins) && bins >= 1 && bins <= 10_000;
}

/** Writes a share as a percentage that never rounds something to nothing. */
function percent(share: number): string {
  const value = 100 * share;
  if (value < 0.1) return "< 0.1 %";
  if (value >= 99.95 && share < 1) return "> 99.9 %";
  return `${value < 10 ? value.toFixed(1) : value.toFixed(value > 99 && share < 1 ? 1 : 0)} %`;
}

function legendOf(
  samples: readonly HistogramSample[],
  densities: readonly HistogramDensity[],
  colors: readonly string[],
): LegendEntry[] {
  return samples.flatMap((sample, i) => {
    const { outside } = densities[i];
    if (sample.label === undefined && outside === 0) return [];
    const remark = outside === 0 ? {} : { remark: `(outside range: ${percent(outside)})` };
    const area = sample.style !== "outline";
    return [{ label: sample.label ?? "sample", color: colors[i], dash: "", area, ...remark }];
  });
}

function outline({ edges, density }: HistogramDensity, x: Scale, y: Scale): string {
  const floor = y.domain()[0] > 0 ? y.domain()[0] : 0;
  const base = px(y(floor));
  let d = `M${px(x(edges[0]))},${base}`;
  let level = base;
  density.forEach((value, k) => {
    const next = px(y(Math.max(value, floor)));
    if (next !== level) d += `V${next}`;
    level = next;
    d += `H${px(x(edges[k + 1]))}`;
  });
  return level === base ? d : `${d}V${base}`;
}

function paint(layer: Selection, path: string, color: string, filled: boolean): void {
  if (filled) layer.append("path").attr("d", `${path}Z`).attr("fill", color).attr("fill-opacity", theme.bandOpacity);
  layer.append("path").attr("d", path).attr("fill", "none").attr("stroke", color).attr("stroke-width", 1.5)
    .attr("stroke-linejoin", "miter");
}

function* coveredPoints(densities: readonly HistogramDensity[], x: Scale, y: Scale): Generator<Point> {
  const bottom = y.range()[0];
  for (const { edges, density } of densities) {
    for (let k = 0; k < density.length; k++) {
      if (density[k] === 0) continue;
      const top = y(density[k]);
      for (let left = x(edges[k]); left <= x(edges[k + 1]); left += 5) {
        for (let at = top; at <= bottom; at += 6) yield [left, at];
      }
    }
  }
}

function tallest(densities: readonly HistogramDensity[], log: boolean): readonly [number, number] {
  const values = densities.flatMap(({ density }) => Array.from(density)).filter((value) => value > 0);
  if (values.length === 0) return log ? [0.1, 1] : [0, 1];
  return [log ? Math.min(...values) / 2 : 0, Math.max(...values)];
}

/**
 * Draws the distributions of one quantity in several samples over each other.
 *
 * Each histogram is a probability density of its whole sample: with 12 % of the samples outside the range its area is 0.88,
 * and the legend says so. Nothing is dropped silently.
 *
 * Units: densities are per unit of the values.
 *
 * @param samples what to compare, at least one
 * @param options axes, bins, range, size and legend
 * @returns SVG text; the same bytes for the same data
 * @throws {RangeError} if a sample is empty or holds NaN, weights do not fit, or options are impossible
 * @throws {TypeError} if an array or a label is missing
 */
export async function histogramPlot(samples: readonly HistogramSample[], options: HistogramOptions): Promise<string> {
  checkCartesian(ACTION, options);
  requireNonEmpty(ACTION, "samples", samples);
  samples.forEach((sample, i) => checkSample(sample, `samples[${i}]`));
  const colors = colorsOf(ACTION, samples);
  const bins = options.bins ?? 60;
  const range = rangeOf(samples, options.range);
  const densities = samples.map((sample) => histogramDensity(sample, range, bins));
  const log = options.y.scale === "log";
  const labels = samples.flatMap((sample) => sample.label ?? []);
  return await drawCartesian({
    action: ACTION,
    options,
    extent: [{ extent: range, padding: [0, 0] }, { extent: tallest(densities, log), padding: [0, 0.07] }],
    legend: legendOf(samples, densities, colors),
    description: `Histograms of ${options.x.label}${labels.length === 0 ? "" : `: ${labels.join(", ")}`}`,
    occupied: (x, y) => coveredPoints(densities, x, y),
    paint: (layer, x, y) =>
      densities.forEach((density, i) =>
        paint(layer, outline(density, x, y), colors[i], samples[i].style !== "outline")
      ),
  });
}
