import { assert, assertAlmostEquals, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { linePlot, type LinePlotOptions, type LineSeries } from "../../src/plot/line_plot.ts";
import {
  all,
  attribute,
  curves,
  dataLayer,
  inferScale,
  parseSvg,
  type Point,
  readTicks,
  subpaths,
  textsOf,
} from "./parse_svg.ts";
import { smallFigure } from "./golden/small_figure.ts";

const axes: LinePlotOptions = { x: { label: "x / σ" }, y: { label: "y / k_BT" } };
const withScale = (scale: "linear" | "log" | "symlog"): LinePlotOptions => ({ ...axes, y: { ...axes.y, scale } });

/** Coordinates are rounded to 0.01 px; a scale inferred from labels so rounded errs by at most as much again at its ends. */
const ROUNDING = 0.04;

/** The law of a plot: its first curve is where its own tick labels say the data are. */
function tellsTheTruth(svg: string, x: number[], y: number[], transform?: (value: number) => number): boolean {
  const root = parseSvg(svg);
  const ticks = readTicks(root);
  const toX = inferScale(ticks.x);
  const toY = inferScale(ticks.y, transform);
  const points = subpaths(curves(root)[0].getAttribute("d")!).flat();
  return points.length === x.length &&
    points.every(([px, py], i) => Math.abs(px - toX(x[i])) < ROUNDING && Math.abs(py - toY(y[i])) < ROUNDING);
}

const x = [0.7, 0.95, 1.4, 1.9, 2.35];
const cases = [
  { scale: "linear", y: [-3, 17.2, 5, 11, -8.5], transform: (v: number) => v },
  { scale: "log", y: [0.02, 400, 3, 77, 1.5], transform: Math.log },
  { scale: "symlog", y: [-90, 12000, 0, 5, -0.3], transform: (v: number) => Math.sign(v) * Math.log1p(Math.abs(v)) },
] as const;

for (const { scale, y, transform } of cases) {
  Deno.test(`linePlot() puts data where the labels of a ${scale} axis say; misplaced data are caught`, async () => {
    const svg = await linePlot([{ x, y }], withScale(scale));

    assert(tellsTheTruth(svg, x, [...y], transform));
    const other = await linePlot([{ x, y: y.map((v) => v === 5 || v === 3 ? v * 1.2 : v) }], withScale(scale));
    assert(!tellsTheTruth(other, x, [...y], transform), "one value off by 20 % must be seen");
    assert(!tellsTheTruth(svg, x, [...y].reverse(), transform));
    if (scale !== "linear") assert(!tellsTheTruth(svg, x, [...y], (v) => v), "a linear reading must be rejected");
  });
}

Deno.test("linePlot() begins the frame at the same place for labels of usual length, and gives long ones their room", async () => {
  const left = async (y: number[]) => attribute(dataLayer(parseSvg(await linePlot([{ x, y }], axes))), "x");
  const usual = await Promise.all([[0, 5, 12, 3, 16], [-0.2, 0, 0.1, 0.15, 0.2], [1, 2, 3, 2, 1]].map(left));

  assertEquals(new Set(usual).size, 1);
  assert(await left([0, 5e6, 1e7, 2e6, 3e6]) > usual[0]);
});

Deno.test("linePlot() clips to the domain without moving the data", async () => {
  const options: LinePlotOptions = { x: axes.x, y: { label: "y", domain: [0, 10] } };
  const svg = await linePlot([{ x, y: [-3, 17.2, 5, 11, -8.5] }], options);

  assert(tellsTheTruth(svg, x, [-3, 17.2, 5, 11, -8.5]));
  const layer = dataLayer(parseSvg(svg));
  const box = ["x", "y", "width", "height"].map((name) => layer.getAttribute(name)).join(" ");
  assertEquals(layer.getAttribute("viewBox"), box);
});

/** Lengths of the runs of points between gaps. */
function runs(svg: string): number[] {
  return subpaths(curves(parseSvg(svg))[0].getAttribute("d")!).map((run) => run.length);
}

Deno.test("linePlot() leaves gaps at NaN; a plot that skips NaN would not", async () => {
  const y = [1, 2, NaN, 4, 5, 6];
  const series = { x: [0, 1, 2, 3, 4, 5], y };

  assertEquals(runs(await linePlot([series], axes)), [2, 3]);
  const kept = [0, 1, 3, 4, 5];
  const bridged = await linePlot([{ x: kept, y: kept.map((i) => y[i]) }], axes);
  assertNotEquals(runs(bridged), [2, 3]);
});

Deno.test("linePlot() shows a point that stands alone between gaps", async () => {
  const root = parseSvg(await linePlot([{ x: [0, 1, 2, 3], y: [1, NaN, 3, NaN] }], axes));
  const dots = all(dataLayer(root), "circle");

  assertEquals(dots.length, 2);
  assertAlmostEquals(attribute(dots[1], "cx"), inferScale(readTicks(root).x)(2), ROUNDING);
});

Deno.test("linePlot() draws bands from y − e to y + e, with gaps where e is unknown", async () => {
  const series: LineSeries = { x: [0, 1, 2, 3, 4], y: [0, 5, 3, 8, 6], error: [1, 2, 0.5, NaN, 1] };
  const root = parseSvg(await linePlot([series], axes));
  const { y: ticks } = readTicks(root);
  const toY = inferScale(ticks);
  const band = all(dataLayer(root), "path").filter((path) => path.getAttribute("fill-opacity") === "0.2");

  assertEquals(band.length, 1);
  const [first, second] = subpaths(band[0].getAttribute("d")!);
  const expected = [1, 7, 3.5, 2.5, 3, -1].map(toY);
  assertEquals(first.length, 6);
  first.forEach(([, y], i) => assertAlmostEquals(y, expected[i], ROUNDING));
  assertEquals(second.length, 2);
  second.forEach(([, y], i) => assertAlmostEquals(y, toY(i === 0 ? 7 : 5), ROUNDING));
});

Deno.test("linePlot() draws error bars as lines with caps", async () => {
  const series: LineSeries = {
    x: [0, 1, 2],
    y: [1, 2, 3],
    error: [0.5, NaN, 0.25],
    errorStyle: "bars",
    line: "none",
    markers: "filled",
  };
  const root = parseSvg(await linePlot([series], axes));
  const bars = curves(root)[0].getAttribute("d")!;

  assertEquals(bars.match(/V/g)!.length, 2);
  const toY = inferScale(readTicks(root).y);
  const lengths = [...bars.matchAll(/,([\d.]+)V([\d.]+)/g)].map(([, a, b]) => Number(a) - Number(b));
  assertAlmostEquals(lengths[0], toY(0.5) - toY(1.5), ROUNDING);
  assertAlmostEquals(lengths[1], toY(2.75) - toY(3.25), ROUNDING);
  assertEquals(all(dataLayer(root), "circle").length, 3);
});

Deno.test("linePlot() marks unreliable points hollow, at their place, and names them once", async () => {
  const unreliable = [false, true, false, true, false];
  const y = [1, 5, 2, 4, 3];
  const series = [0, 1].map((k): LineSeries => ({ label: `${k}`, x, y: y.map((v) => v + k), unreliable }));
  const root = parseSvg(await linePlot(series, { ...axes, unreliableLabel: "fewer than 50 samples" }));
  const circles = all(dataLayer(root), "circle");
  const toX = inferScale(readTicks(root).x);

  assertEquals(circles.length, 4);
  assert(circles.every((circle) => circle.getAttribute("fill") === "#ffffff"));
  assertAlmostEquals(attribute(circles[0], "cx"), toX(x[1]), ROUNDING);
  assertEquals(all(root, "text").filter((text) => text.textContent === "fewer than 50 samples").length, 1);
});

Deno.test("linePlot() keeps its legend off the data, or above the frame", async () => {
  const crossing: LineSeries[] = Array.from({ length: 60 }, (_, k) => ({
    ...(k < 2 ? { label: `long label of curve ${k}` } : {}),
    x: [0, 1],
    y: [k, k],
  }));
  for (const series of [crossing, crossing.slice(0, 2)]) {
    const root = parseSvg(await linePlot(series, axes));
    const frameTop = attribute(dataLayer(root), "y");
    const label = all(root, "text").find((text) => text.textContent === "long label of curve 0")!;
    if (series === crossing) assert(attribute(label, "y") < frameTop, "a full plot puts its legend above");
    else assert(attribute(label, "y") > frameTop, "a plot with room keeps it inside");
  }
});

Deno.test("linePlot() widens the axis for bands, but not for one wild error", async () => {
  const span = async (error: number[]) => {
    const root = parseSvg(await linePlot([{ x, y: [0, 10, 5, 2, 8], error }], axes));
    const [low, high] = [
      attribute(dataLayer(root), "y") + attribute(dataLayer(root), "height"),
      attribute(dataLayer(root), "y"),
    ];
    const { y: ticks } = readTicks(root);
    const perPx = (ticks[1][0] - ticks[0][0]) / (ticks[0][1] - ticks[1][1]);
    return (low - high) * perPx;
  };

  // Data span 10; bands ± 2 make 14; ± 1000 count as ± 3, so 16; margins add 11 %.
  assertAlmostEquals(await span([2, 2, 2, 2, 2]), 1.11 * 13, 1.11 * 1.01);
  assertAlmostEquals(await span([0, 1000, 1000, 0, 0]), 1.11 * 16, 0.02);
});

Deno.test("linePlot() thins long curves without losing their spikes", async () => {
  const n = 50_000;
  const xs = Float64Array.from({ length: n }, (_, i) => i);
  const ys = Float64Array.from({ length: n }, (_, i) => i === 31_415 ? 40 : Math.sin(i / 3000) + (i % 17) / 17);
  const root = parseSvg(await linePlot([{ x: xs, y: ys }], axes));
  const points = subpaths(curves(root)[0].getAttribute("d")!).flat();
  const toY = inferScale(readTicks(root).y);

  assert(points.length < 3000, `${points.length} points`);
  assertAlmostEquals(Math.min(...points.map((point: Point) => point[1])), toY(40), ROUNDING);
});

Deno.test("linePlot() writes axis titles, marks and escaped labels; figures carry no ids", async () => {
  const text = await linePlot([{ label: `<b>"&'`, x, y: [1, 2, 3, 4, 5] }], {
    ...axes,
    title: "a <title>",
    description: `spoken "text" & <more>`,
    marks: [{ at: 1.5, label: "barrier" }, { at: 99, label: "far away" }],
  });
  const root = parseSvg(text);
  const texts = textsOf(root);

  for (const expected of ["x / σ", "y / kBT", `<b>"&'`, "a <title>", "barrier"]) {
    assert(texts.includes(expected), expected);
  }
  assert(!texts.includes("far away"));
  assertEquals(root.getAttribute("aria-label"), `spoken "text" & <more>`);
  assertEquals(root.getAttribute("role"), "img");
  assertEquals(root.getAttribute("viewBox"), "0 0 640 400");
  assertEquals(all(root, "[id], style, script, title").length, 0);
});

Deno.test("linePlot() gives the kept bytes, also in another process, and prints nothing else", async () => {
  const here = await smallFigure();
  const kept = await Deno.readTextFile(new URL("./golden/small_figure.svg.txt", import.meta.url));
  assertEquals(here, kept);
  assertEquals(await smallFigure(), here);

  const script = new URL("./golden/small_figure.ts", import.meta.url).pathname;
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "-A", "--no-check", script],
  }).output();
  assertEquals(new TextDecoder().decode(stderr), "");
  assertEquals(new TextDecoder().decode(stdout), kept);
});

Deno.test("linePlot() says what it needs where permissions are missing", async () => {
  const script = new URL("./golden/small_figure.ts", import.meta.url).pathname;
  const args = ["run", "-q", "--no-check", "--no-prompt", script];
  const { stderr, success } = await new Deno.Command(Deno.execPath(), { args, env: { NO_COLOR: "1" } }).output();

  assert(!success);
  const said = new TextDecoder().decode(stderr);
  assert(/Error: Cannot draw a plot: d3-node must see the environment, got .*: run with --allow-env/.test(said), said);
});

const rejected: [name: string, series: unknown, options: unknown, type: ErrorConstructor, message: string][] = [
  ["no series", [], axes, RangeError, "series must not be empty, got 0 values"],
  ["no points", [{ x: [], y: [] }], axes, RangeError, "series[0].x must not be empty, got 0 values"],
  ["lengths", [{ x: [1, 2], y: [1] }], axes, RangeError, "series[0].y must be as long as series[0].x, got 1 and 2"],
  ["NaN x", [{ x: [1, NaN], y: [1, 2] }], axes, RangeError, "series[0].x must hold finite numbers, got NaN at index 1"],
  [
    "infinite y",
    [{ x: [1, 2], y: [1, Infinity] }],
    axes,
    RangeError,
    "series[0].y must hold finite numbers, or NaN for a gap, got Infinity at index 1",
  ],
  [
    "all gaps",
    [{ x: [1, 2], y: [NaN, NaN] }],
    axes,
    RangeError,
    "y must hold a finite number in some series, got NaN everywhere",
  ],
  [
    "negative error",
    [{ x: [1], y: [1], error: [-1] }],
    axes,
    RangeError,
    "series[0].error must hold finite numbers ≥ 0, or NaN where unknown, got -1 at index 0",
  ],
  [
    "log",
    [{ x: [1], y: [0] }],
    withScale("log"),
    RangeError,
    "series[0].y must be positive on a log scale, got 0 at index 0: use NaN for a gap, or a symlog scale",
  ],
  ["no x", [{ y: [1] }], axes, TypeError, "series[0].x must be an array, got undefined"],
  [
    "no label",
    [{ x: [1], y: [1] }],
    { x: {}, y: axes.y },
    TypeError,
    "x.label must be a text with units, got undefined",
  ],
  ["no options", [{ x: [1], y: [1] }], undefined, TypeError, "options must be an object, got undefined"],
  [
    "colour",
    [{ x: [1], y: [1], color: "pink" }],
    axes,
    RangeError,
    'color must be #rrggbb or one of blue, vermillion, green, purple, orange, sky, grey, black, got "pink"',
  ],
  ["size", [{ x: [1], y: [1] }], { ...axes, width: 20 }, RangeError, "width must be at least 160 px, got 20"],
  [
    "a tick without a place",
    [{ x, y: x }],
    { ...axes, x: { label: "x", ticks: [{ value: NaN, label: "a" }] } },
    RangeError,
    "x.ticks[0].value must be finite, got NaN",
  ],
  [
    "a tick without a name",
    [{ x, y: x }],
    { ...axes, y: { label: "y", ticks: [{ value: 1 }] } },
    TypeError,
    "y.ticks[0].label must be a text, got undefined",
  ],
  [
    "domain",
    [{ x: [1], y: [1] }],
    { ...axes, x: { label: "x", domain: [2, 1] } },
    RangeError,
    "x.domain must be [low, high] with low < high, got [2, 1]",
  ],
  [
    "scale",
    [{ x: [1], y: [1] }],
    { ...axes, x: { label: "x", scale: "cubic" } },
    RangeError,
    'x.scale must be one of linear, log, symlog, got "cubic"',
  ],
];

for (const [name, series, options, type, message] of rejected) {
  Deno.test(`linePlot() rejects bad input: ${name}`, async () => {
    const error = await assertRejects(() => linePlot(series as LineSeries[], options as LinePlotOptions), type);
    assertEquals(error.message, `Cannot draw a line plot: ${message}`);
  });
}
