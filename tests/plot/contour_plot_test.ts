import { assert, assertEquals, assertRejects } from "@std/assert";
import { type ContourGrid, type ContourOptions, contourPlot, rampColor } from "../../src/plot/contour_plot.ts";
import { type PointCloud, scatterPlot } from "../../src/plot/scatter_plot.ts";
import { all, curves, dataLayer, inferScale, parseSvg, readTicks, subpaths, textsOf } from "./parse_svg.ts";

const options: ContourOptions = { x: { label: "x" }, y: { label: "y" }, colorLabel: "U / k_BT", levels: [0, 1, 2, 3] };
/** Off centre and elliptic, so that a flipped, transposed or shifted map is another map. */
const f = (x: number, y: number) => (x - 0.4) ** 2 + 2 * (y + 0.3) ** 2;

function gridOf(at: (x: number, y: number) => number): ContourGrid {
  const [rows, columns] = [61, 41];
  const values = new Float64Array(rows * columns);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) values[r * columns + c] = at(-2 + 4 * c / (columns - 1), -3 + 6 * r / (rows - 1));
  }
  return { values, rows, columns, x: [-2, 2], y: [-3, 3] };
}

/** The law of a map: the boundary of the region above 1 runs where f = 1. */
async function contoursAreHonest(grid: ContourGrid): Promise<boolean> {
  const root = parseSvg(await contourPlot(grid, options));
  const ticks = readTicks(root);
  const invert = (ticks: [number, number][], px: number) => {
    const scale = inferScale(ticks);
    return (px - scale(0)) / (scale(1) - scale(0));
  };
  const paths = all(dataLayer(root), "path");
  const rings = subpaths(paths[1].getAttribute("d")!).flat();
  const points = rings.map(([px, py]) => [invert(ticks.x, px), invert(ticks.y, py)])
    .filter(([x, y]) => Math.abs(x) < 1.95 && Math.abs(y) < 2.9);
  // Linear interpolation on cells of 0.1 errs by h²f″/8 = 0.005; 0.01 px are 0.0003.
  return points.length > 30 && points.every(([x, y]) => Math.abs(f(x, y) - 1) < 0.006);
}

Deno.test("contourPlot() draws its level lines where the function has that value; broken grids are rejected", async () => {
  assert(await contoursAreHonest(gridOf(f)));
  assert(!await contoursAreHonest(gridOf((x, y) => f(x, -y))), "rows from the top");
  assert(!await contoursAreHonest(gridOf((x, y) => f(-x, y))), "columns from the right");
  assert(!await contoursAreHonest(gridOf((x, y) => f(x + 0.05, y))), "half a cell off");
});

Deno.test("contourPlot() has a colour per region and a bar that shows them", async () => {
  const root = parseSvg(await contourPlot(gridOf(f), { ...options, dark: "low" }));
  const regions = all(dataLayer(root), "path").map((path) => path.getAttribute("fill"));
  const bar = all(root, "rect").map((rect) => rect.getAttribute("fill")).filter((fill) =>
    /^#[0-9a-f]{6}$/.test(fill ?? "")
  );

  assertEquals(regions, [rampColor(1), rampColor(0.5), rampColor(0), "#ffffff"]);
  for (const color of regions.slice(0, 3)) assert(bar.includes(color!));
  assert(textsOf(root).includes("U / kBT"));
});

Deno.test("contourPlot() takes walls of infinite energy", async () => {
  const svg = await contourPlot(gridOf((x, y) => Math.abs(x) > 1.5 ? Infinity : f(x, y)), options);
  assert(!/NaN|Infinity/.test(svg));
});

Deno.test("contourPlot() draws points and names them above the map", async () => {
  const points: PointCloud[] = [{ label: "samples", x: [0, 1], y: [0, 2] }];
  const root = parseSvg(await contourPlot(gridOf(f), { ...options, points }));
  const ticks = readTicks(root);
  const dots = curves(root)[0].getAttribute("d")!;

  const at = [...dots.matchAll(/M([\d.]+),([\d.]+)h0/g)].map(([, x, y]) => [Number(x), Number(y)]);
  assertEquals(at.length, 2);
  assert(Math.abs(at[1][0] - inferScale(ticks.x)(1)) < 0.04 && Math.abs(at[1][1] - inferScale(ticks.y)(2)) < 0.04);
  assert(textsOf(root).includes("samples"));
});

Deno.test("scatterPlot() puts every point where the axes say", async () => {
  const cloud: PointCloud = { x: [-1, 0.5, 2, 7], y: [3, -4, 0, 1], label: "latent" };
  const root = parseSvg(await scatterPlot([cloud], { x: { label: "z_1" }, y: { label: "z_2" } }));
  const ticks = readTicks(root);
  const [toX, toY] = [inferScale(ticks.x), inferScale(ticks.y)];
  const at = [...curves(root)[0].getAttribute("d")!.matchAll(/M([\d.]+),([\d.]+)h0/g)];

  assertEquals(at.length, 4);
  at.forEach(([, x, y], i) => {
    assert(Math.abs(Number(x) - toX(cloud.x[i])) < 0.04);
    assert(Math.abs(Number(y) - toY(cloud.y[i])) < 0.04);
  });
});

const small: ContourGrid = { values: [0, 1, 2, 3], rows: 2, columns: 2, x: [0, 1], y: [0, 1] };
const rejected: [grid: unknown, more: object, type: ErrorConstructor, message: string][] = [
  [{ ...small, rows: 1 }, {}, RangeError, "grid.rows must be a whole number ≥ 2, got 1"],
  [{ ...small, columns: 3 }, {}, RangeError, "grid.values must have rows · columns = 6 values, got 4"],
  [{ ...small, values: [0, 1, NaN, 3] }, {}, RangeError, "grid.values must hold numbers or ±∞, got NaN at index 2"],
  [{ ...small, x: [1, 0] }, {}, RangeError, "grid.x must be [low, high] with low < high, got [1, 0]"],
  [{ ...small, values: [1, 1, 1, 1] }, { levels: undefined }, RangeError, "grid.values must not all be equal, got 1"],
  [small, { levels: [0, 0] }, RangeError, "levels must be two or more ascending numbers, got [0, 0]"],
  [small, { colorLabel: undefined }, TypeError, "colorLabel must be a text with units, got undefined"],
  [small, { x: { label: "x", scale: "log" } }, RangeError, 'x.scale must be linear, got "log"'],
  [small, { points: [{ x: [1], y: [] }] }, RangeError, "points[0].y must be as long as points[0].x, got 0 and 1"],
];

Deno.test("contourPlot() and scatterPlot() reject bad input with one clear sentence", async () => {
  for (const [grid, more, type, message] of rejected) {
    const error = await assertRejects(
      () => contourPlot(grid as ContourGrid, { ...options, ...more } as ContourOptions),
      type,
    );
    assertEquals(error.message, `Cannot draw a contour plot: ${message}`);
  }
  const axes = { x: { label: "x" }, y: { label: "y" } };
  const error = await assertRejects(() => scatterPlot([{ x: [1], y: [Infinity] }], axes), RangeError);
  assertEquals(
    error.message,
    "Cannot draw a scatter plot: clouds[0].y must hold finite numbers, got Infinity at index 0",
  );
});
