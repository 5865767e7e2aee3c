/**
 * Axes: from what the user asks for to a scale with ticks.
 *
 * @module
 */
import { requireChoice, requireInterval, requireNumber, show } from "./check.ts";
import type { D3, Scale } from "./d3.ts";

/** One axis of a plot. */
export interface AxisOptions {
  /** Title with units, for example `"*F*(*d*) / k_BT"`; markup allowed. */
  readonly label: string;
  /**
   * How values map to lengths: `linear` (default), `log` (positive values only), or `symlog`, which is
   * sign(v) ln(1 + |v| / c): logarithmic far from zero, linear near it, for losses that change sign.
   */
  readonly scale?: "linear" | "log" | "symlog";
  /** Interval shown, [low, high]; by default the data and a margin. What lies outside is clipped. */
  readonly domain?: readonly [number, number];
  /** c of `symlog`, the half width of its nearly linear part; default 1. */
  readonly linearBelow?: number;
  /** Labelled ticks instead of chosen ones, for instance names of categories; those outside the domain are left out. */
  readonly ticks?: readonly Tick[];
}

/** A labelled tick. */
export interface Tick {
  /** Position in data units. */
  readonly value: number;
  /** Label with markup. */
  readonly label: string;
}

/** A scale with its ticks. */
export interface Axis {
  /** From data to pixels. */
  readonly scale: Scale;
  /** Labelled ticks inside the domain. */
  readonly ticks: readonly Tick[];
  /** Unlabelled ticks between them. */
  readonly minor: readonly number[];
  /** Title with markup. */
  readonly label: string;
}

/** What a plot knows about an axis before it is laid out. */
export interface AxisRequest {
  /** What is being drawn, for messages. */
  readonly action: string;
  /** Name of the option, for messages. */
  readonly name: string;
  /** The user's wishes. */
  readonly options: AxisOptions;
  /** Smallest and largest value of the data. */
  readonly extent: readonly [number, number];
  /** Empty margin below and above the data, in fractions of the axis. */
  readonly padding: readonly [number, number];
}

/** Throws unless the options of an axis make sense. */
export function checkAxis(action: string, name: string, options: AxisOptions): void {
  if (options === null || typeof options !== "object" || typeof options.label !== "string") {
    const got = show(options === null || typeof options !== "object" ? options : options.label);
    throw new TypeError(`Cannot ${action}: ${name}.label must be a text with units, got ${got}`);
  }
  if (options.scale !== undefined) {
    requireChoice(action, `${name}.scale`, options.scale, ["linear", "log", "symlog"]);
  }
  if (options.linearBelow !== undefined) {
    requireNumber(action, `${name}.linearBelow`, options.linearBelow, "be a positive number", (c) => c > 0);
  }
  options.ticks?.forEach((tick, i) => {
    requireNumber(action, `${name}.ticks[${i}].value`, tick.value, "be finite", () => true);
    if (typeof tick.label !== "string") {
      throw new TypeError(`Cannot ${action}: ${name}.ticks[${i}].label must be a text, got ${show(tick.label)}`);
    }
  });
  if (options.domain !== undefined) {
    requireInterval(action, `${name}.domain`, options.domain);
    if (options.scale === "log" && options.domain[0] <= 0) {
      const got = show([...options.domain]);
      throw new RangeError(`Cannot ${action}: ${name}.domain must be positive on a log scale, got ${got}`);
    }
  }
}

function emptyScale(d3: D3, options: AxisOptions): Scale {
  switch (options.scale) {
    case "log":
      return d3.scaleLog();
    case "symlog":
      return d3.scaleSymlog().constant!(options.linearBelow ?? 1);
    default:
      return d3.scaleLinear();
  }
}

function paddedDomain(d3: D3, { options, extent: [low, high], padding }: AxisRequest): readonly [number, number] {
  if (low === high) {
    if (options.scale === "log") return [low / 2, high * 2];
    const half = low === 0 ? 1 : Math.abs(low) / 10;
    return [low - half, high + half];
  }
  const unit = emptyScale(d3, options).domain([low, high]).range([0, 1]);
  return [padding[0] === 0 ? low : unit.invert(-padding[0]), padding[1] === 0 ? high : unit.invert(1 + padding[1])];
}

const THIN_SPACE = "\u2009";

/** Writes a number for people: a true minus sign, thin spaces between thousands, powers of ten where they help. */
export function formatNumber(value: number, plain: (value: number) => string): string {
  return plain(value).replace("-", "−").replaceAll(",", THIN_SPACE);
}

function scientific(value: number): string {
  if (value === 0) return "0";
  const exponent = Math.floor(Math.log10(Math.abs(value)) + 1e-9);
  const mantissa = Number((value / 10 ** exponent).toPrecision(6));
  const power = `10^{${exponent}}`.replace("-", "−");
  if (Math.abs(mantissa) === 1) return mantissa < 0 ? `−${power}` : power;
  return `${mantissa}×${power}`.replace("-", "−");
}

function linearTicks(scale: Scale, count: number): Pick<Axis, "ticks" | "minor"> {
  const values = scale.ticks(count);
  const plain = scale.tickFormat(count);
  const largest = Math.max(...values.map(Math.abs));
  const powers = largest >= 1e6 || (largest > 0 && largest < 1e-3);
  const ticks = values.map((value) => ({ value, label: powers ? scientific(value) : formatNumber(value, plain) }));
  const step = values.length > 1 ? values[1] - values[0] : Infinity;
  const isMajor = (v: number) => values.some((major) => Math.abs(v - major) < 1e-6 * step);
  return { ticks, minor: step === Infinity ? [] : scale.ticks(count * 5).filter((v) => !isMajor(v)) };
}

/** 1, 2 … 9 times every power of ten from `low` to `high`, both positive. */
function decimals(low: number, high: number): { decade: number; digit: number; value: number }[] {
  const out = [];
  for (let decade = Math.floor(Math.log10(low)); decade <= Math.ceil(Math.log10(high)); decade++) {
    for (let digit = 1; digit <= 9; digit++) {
      const value = Number(`${digit}e${decade}`);
      if (value >= low * (1 - 1e-12) && value <= high * (1 + 1e-12)) out.push({ decade, digit, value });
    }
  }
  return out;
}

function logTicks(scale: Scale, count: number): Pick<Axis, "ticks" | "minor"> {
  const [low, high] = scale.domain();
  const all = decimals(low, high);
  const decades = all.filter((d) => d.digit === 1);
  const few = decades.length < 3;
  const stride = Math.max(1, Math.ceil(decades.length / Math.max(count, 2)));
  const major = few
    ? all.filter((d) => d.digit === 1 || d.digit === 2 || d.digit === 5)
    : decades.filter((d) => d.decade % stride === 0);
  if (major.length < 2) return linearTicks(scale, count);
  const plain = few && low >= 1e-3 && high < 1e6;
  const ticks = major.map(({ value }) => ({
    value,
    label: plain
      ? formatNumber(value, (v) => v.toLocaleString("en-US", { maximumFractionDigits: 6 }))
      : scientific(value),
  }));
  const taken = new Set(major.map((d) => d.value));
  return { ticks, minor: (stride > 1 ? decades : all).map((d) => d.value).filter((v) => !taken.has(v)) };
}

function symlogTicks(scale: Scale, linearBelow: number, spacing: number): Pick<Axis, "ticks" | "minor"> {
  const [low, high] = scale.domain();
  const reach = Math.max(Math.abs(low), Math.abs(high));
  const magnitudes = decimals(Math.min(linearBelow, reach), reach);
  const inside = (v: number) => v >= low && v <= high;
  const signed = magnitudes.flatMap((d) => [d, { ...d, value: -d.value }]).filter((d) => inside(d.value));
  const decades = signed.filter((d) => d.digit === 1);
  const candidates = [0, ...decades.map((d) => d.value)].filter(inside);
  if (candidates.length < 3) {
    candidates.push(...signed.filter((d) => d.digit === 5 || d.digit === 2).map((d) => d.value));
  }
  const chosen: number[] = [];
  for (const value of candidates) {
    if (chosen.every((other) => Math.abs(scale(value) - scale(other)) >= spacing)) chosen.push(value);
  }
  chosen.sort((a, b) => a - b);
  const plain = chosen.every((v) => Math.abs(v) < 1e4 && (v === 0 || Math.abs(v) >= 1e-3));
  const label = (v: number) => plain ? formatNumber(v, String) : scientific(v);
  return {
    ticks: chosen.map((value) => ({ value, label: label(value) })),
    minor: signed.map((d) => d.value).filter((v) => !chosen.includes(v)),
  };
}

/**
 * Builds an axis: domain, scale and ticks.
 *
 * @param d3 the library
 * @param request what the plot and the user ask for
 * @param range pixel interval of the domain's ends
 * @param spacing px that a tick label needs along the axis
 * @returns the axis
 */
export function buildAxis(d3: D3, request: AxisRequest, range: readonly [number, number], spacing: number): Axis {
  const { options } = request;
  const scale = emptyScale(d3, options).domain(options.domain ?? paddedDomain(d3, request)).range(range);
  if (options.ticks !== undefined) {
    const [low, high] = scale.domain();
    const ticks = options.ticks.filter(({ value }) => value >= low && value <= high);
    return { scale, ticks, minor: [], label: options.label };
  }
  const count = Math.max(2, Math.floor(Math.abs(range[1] - range[0]) / spacing));
  const ticks = options.scale === "log"
    ? logTicks(scale, Math.floor(1.8 * count))
    : options.scale === "symlog"
    ? symlogTicks(scale, options.linearBelow ?? 1, spacing / 2.2)
    : linearTicks(scale, count);
  return { scale, ...ticks, label: options.label };
}
