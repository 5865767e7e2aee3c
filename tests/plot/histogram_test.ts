import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import {
  histogramDensity,
  type HistogramOptions,
  histogramPlot,
  type HistogramSample,
} from "../../src/plot/histogram.ts";
import { all, attribute, curves, dataLayer, inferScale, parseSvg, readTicks, subpaths } from "./parse_svg.ts";

const options: HistogramOptions = { x: { label: "U / k_BT" }, y: { label: "density" } };

Deno.test("histogramDensity() counts by hand: half-open bins, closed last edge", () => {
  const { edges, density, outside } = histogramDensity({ values: [0, 0.5, 1, 1.5, 2, 3, -1, Infinity] }, [0, 2], 2);

  assertEquals(Array.from(edges), [0, 1, 2]);
  assertEquals(Array.from(density), [2 / 8, 3 / 8]);
  assertEquals(outside, 3 / 8);
});

type Binning = typeof histogramDensity;

/** The area is the share of the weight inside, and a common factor of the weights is without effect. */
function isDensityOfTheWhole(bin: Binning): boolean {
  const values = Array.from({ length: 1000 }, (_, i) => (i * 7919 % 1000) / 100);
  const weights = values.map((v) => 1 + v);
  const inside = values.reduce((s, v, i) => v >= 2 && v <= 7 ? s + weights[i] : s, 0) / weights.reduce((a, b) => a + b);
  const one = bin({ values, weights }, [2, 7], 13);
  const scaled = bin({ values, weights: weights.map((w) => w * 8) }, [2, 7], 13);
  const area = one.density.reduce((sum, d, k) => sum + d * (one.edges[k + 1] - one.edges[k]), 0);
  return Math.abs(area - inside) < 1e-12 && Math.abs(one.outside - (1 - inside)) < 1e-12 &&
    one.density.every((d, k) => Math.abs(d - scaled.density[k]) < 1e-12);
}

Deno.test("histogramDensity() is a density of the whole sample; broken normalisations are rejected", () => {
  assert(isDensityOfTheWhole(histogramDensity));
  const ofInside: Binning = (sample, range, bins) => {
    const h = histogramDensity(sample, range, bins);
    return { ...h, density: h.density.map((d) => d / (1 - h.outside)) };
  };
  const unweighted: Binning = (sample, range, bins) => histogramDensity({ values: sample.values }, range, bins);
  const counts: Binning = (sample, range, bins) => {
    const h = histogramDensity(sample, range, bins);
    return { ...h, density: h.density.map((d) => d * (h.edges[1] - h.edges[0])) };
  };
  for (const broken of [ofInside, unweighted, counts]) assert(!isDensityOfTheWhole(broken));
});

Deno.test("histogramPlot() draws outlines whose area, read off the axes, is the share inside", async () => {
  const values = Array.from({ length: 2000 }, (_, i) => Math.sqrt(i));
  const root = parseSvg(await histogramPlot([{ values, label: "sample" }], { ...options, range: [10, 40], bins: 7 }));
  const ticks = readTicks(root);
  const [toX, toY] = [inferScale(ticks.x), inferScale(ticks.y)];
  const [outline] = subpaths(curves(root)[0].getAttribute("d")!);
  const px = outline.slice(1).reduce(
    (sum, [x, y], i) => sum + (x - outline[i][0]) * (toY(0) - (y + outline[i][1]) / 2),
    0,
  );
  const unit = (toX(1) - toX(0)) * (toY(0) - toY(1));
  const inside = values.filter((v) => v >= 10 && v <= 40).length / 2000;

  // 16 corners, each rounded to 0.01 px on about 500 px of width and 300 px of height.
  assertAlmostEquals(px / unit, inside, 1e-3);
  assertEquals(outline[0][1], outline.at(-1)![1]);
});

const remark = async (sample: HistogramSample, more: Partial<HistogramOptions> = {}) => {
  const root = parseSvg(await histogramPlot([{ label: "flow", ...sample }], { ...options, ...more }));
  return all(root, "text tspan").map((span) => span.textContent).find((t) => t.startsWith(" (outside"))?.trim() ?? "";
};

Deno.test("histogramPlot() says how much lies outside its range", async () => {
  const values = Array.from({ length: 100 }, (_, i) => i < 12 ? (i < 3 ? Infinity : 1e7) : i / 10);

  assertEquals(await remark({ values }), "(outside range: 12 %)");
  assertEquals(await remark({ values, weights: values.map((v) => v > 100 ? 0 : 1) }), "");
  assertEquals(await remark({ values: values.slice(12) }), "");
  assertEquals(await remark({ values: [...Array(9999).fill(1), 5] }, { range: [0, 2] }), "(outside range: < 0.1 %)");
  assertEquals(await remark({ values: [...Array(9999).fill(1), 5] }, { range: [4, 6] }), "(outside range: > 99.9 %)");
});

/** The interval on show, read from the frame and the ticks. */
async function shown(samples: HistogramSample[], range?: HistogramOptions["range"]): Promise<[number, number]> {
  const root = parseSvg(await histogramPlot(samples, { ...options, ...(range === undefined ? {} : { range }) }));
  const toX = inferScale(readTicks(root).x);
  const left = attribute(dataLayer(root), "x");
  const slope = toX(1) - toX(0);
  return [(left - toX(0)) / slope, (left + attribute(dataLayer(root), "width") - toX(0)) / slope];
}

Deno.test("histogramPlot() keeps heavy tails from squeezing the bulk, unless told otherwise", async () => {
  const bulk = Array.from({ length: 1001 }, (_, i) => i / 10);
  const tail = [...bulk, ...Array.from({ length: 50 }, (_, i) => 1e4 + i)];
  const near = ([low, high]: number[], a: number, b: number) => {
    assertAlmostEquals(low, a, 0.02 * (b - a));
    assertAlmostEquals(high, b, 0.02 * (b - a));
  };

  near(await shown([{ values: bulk }]), 0, 100);
  // Upper quartile 78.75, interquartile range 52.5: the fence is at 236.
  near(await shown([{ values: tail }]), 0, 236);
  near(await shown([{ values: tail, weights: tail.map(() => 0.5) }]), 0, 236);
  near(await shown([{ values: tail, weights: tail.map((v) => v > 100 ? 0 : 3) }]), 0, 100);
  near(await shown([{ values: tail }], "all"), 0, 10049);
  near(await shown([{ values: bulk }, { values: [-50, -40, -45, -42] }]), -50, 100);
  near(await shown([{ values: [3, 3, 3] }]), 2.5, 3.5);
});

Deno.test("histogramPlot() leaves no stroke where a log axis has empty bins", async () => {
  const root = parseSvg(
    await histogramPlot([{ values: [0, 0.1, 0.2, 5] }], { ...options, bins: 10, y: { label: "p", scale: "log" } }),
  );
  const d = curves(root)[0].getAttribute("d")!;
  assert(!/NaN|Infinity/.test(d), d);
  const bottom = attribute(dataLayer(root), "y") + attribute(dataLayer(root), "height");
  assert(subpaths(d).flat().every(([, y]) => y <= bottom + 0.01));
});

Deno.test("histogramPlot() draws the same bytes for arrays and typed arrays", async () => {
  const values = [1, 2, 2.5, 3, 7];
  assertEquals(
    await histogramPlot([{ values }], options),
    await histogramPlot([{ values: Float64Array.from(values) }], options),
  );
});

const rejected: [samples: unknown, more: object, type: ErrorConstructor, message: string][] = [
  [[], {}, RangeError, "samples must not be empty, got 0 values"],
  [[{ values: [] }], {}, RangeError, "samples[0].values must not be empty, got 0 values"],
  [[{}], {}, TypeError, "samples[0].values must be an array, got undefined"],
  [[{ values: [1, NaN] }], {}, RangeError, "samples[0].values must hold numbers or ±∞, got NaN at index 1"],
  [[{ values: [Infinity] }], {}, RangeError, "values must hold a finite number in some sample, got ±∞ everywhere"],
  [
    [{ values: [1, 2], weights: [1] }],
    {},
    RangeError,
    "samples[0].weights must be as long as samples[0].values, got 1 and 2",
  ],
  [
    [{ values: [1], weights: [-1] }],
    {},
    RangeError,
    "samples[0].weights must hold finite numbers ≥ 0, got -1 at index 0",
  ],
  [[{ values: [1], weights: [0] }], {}, RangeError, "samples[0].weights must have a positive sum, got 0"],
  [[{ values: [1] }], { bins: 2.5 }, RangeError, "bins must be a whole number from 1 to 10000, got 2.5"],
  [[{ values: [1] }], { range: [2, 2] }, RangeError, "range must be [low, high] with low < high, got [2, 2]"],
  [[{ values: [1] }], { range: "wide" }, RangeError, 'range must be one of robust, all, got "wide"'],
  [[{ values: [1], style: "dotted" }], {}, RangeError, 'samples[0].style must be one of filled, outline, got "dotted"'],
];

Deno.test("histogramPlot() rejects bad input with one clear sentence", async () => {
  for (const [samples, more, type, message] of rejected) {
    const error = await assertRejects(() => histogramPlot(samples as HistogramSample[], { ...options, ...more }), type);
    assertEquals(error.message, `Cannot draw a histogram: ${message}`);
  }
});
