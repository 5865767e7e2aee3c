import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import {
  type ConfigurationPanel,
  configurationPanels,
  type ConfigurationPanelsOptions,
  configurationPlot,
} from "../../src/plot/configuration_plot.ts";
import { figureGrid } from "../../src/plot/figure_grid.ts";
import { all, attribute, type Element, parseSvg, textsOf } from "./parse_svg.ts";

const sites = [-2.857, -1.714, -0.571, 0.571, 1.714, 2.857];
const dimer = Float64Array.from([-0.9, 0.2, 1.1, -0.3, ...sites.flatMap((a) => sites.flatMap((b) => [a, b]))]);

const isAccent = (disc: Element) => disc.getAttribute("fill") === "#d55e00";

/**
 * The law of a configuration's picture: every particle is a disc, y up, the same length horizontally and vertically,
 * discs touch the wall when their centres are at the half box. The wall is the only other thing measured.
 */
function showsConfiguration(svg: string, x: ArrayLike<number>, radius = 0.55, halfBox = 3): boolean {
  const root = parseSvg(svg);
  const discs = all(root, "circle");
  const wall = all(root, "rect").find((rect) => rect.getAttribute("stroke-width") === "1.2")!;
  const panel = all(root, "svg")[0];
  const unit = attribute(wall, "width") / (2 * (halfBox + radius));
  const middle = (side: "x" | "y", length: "width" | "height") =>
    attribute(wall, side) + attribute(wall, length) / 2 - attribute(panel, side);
  if (discs.length !== x.length / 2 || attribute(wall, "width") !== attribute(wall, "height")) return false;
  const solvent = discs.filter((disc) => !isAccent(disc));
  const ordered = [...discs.filter(isAccent), ...solvent];
  return ordered.every((disc, i) =>
    Math.abs(attribute(disc, "cx") - middle("x", "width") - unit * x[2 * i]) < 0.03 &&
    Math.abs(attribute(disc, "cy") - middle("y", "height") + unit * x[2 * i + 1]) < 0.03 &&
    Math.abs(attribute(disc, "r") - unit * radius) < 0.02
  );
}

Deno.test("configurationPlot() draws every disc to scale; mirrored and scaled ones are rejected", async () => {
  const svg = await configurationPlot(dimer);

  assert(showsConfiguration(svg, dimer));
  assert(!showsConfiguration(await configurationPlot(dimer.map((v, i) => i % 2 === 1 ? -v : v)), dimer), "y down");
  assert(!showsConfiguration(await configurationPlot(dimer.map((v) => v * 1.05)), dimer), "5 % too large");
  assert(!showsConfiguration(await configurationPlot(dimer, { radius: 0.5 }), dimer), "wrong radius");
  assert(showsConfiguration(await configurationPlot(dimer, { radius: 0.4, halfBox: 4 }), dimer, 0.4, 4));
});

Deno.test("configurationPlot() sets the dimer apart and joins it", async () => {
  const root = parseSvg(await configurationPlot(dimer));
  const discs = all(root, "circle");
  const bonds = all(root, "path").map((path) => path.getAttribute("d")!);
  const [first, second] = discs.filter(isAccent);

  assertEquals([discs.length, discs.filter(isAccent).length, bonds.length], [38, 2, 1]);
  const at = (disc: Element) => `${disc.getAttribute("cx")},${disc.getAttribute("cy")}`;
  assertEquals(bonds[0], `M${at(first)}L${at(second)}`);
});

Deno.test("configurationPanels() writes titles, captions and arrows, and counts who has left", async () => {
  const away = dimer.slice();
  away[20] = 50;
  const panels: ConfigurationPanel[] = [
    { x: dimer, title: "closed", caption: ["*d* = 0.93", "*U* = 51.2 k_BT"] },
    { x: away, title: "open & <wide>", caption: "*d* = 2.05" },
  ];
  const root = parseSvg(await configurationPanels(panels, { arrows: true }));
  const texts = textsOf(root);

  assertEquals(texts, ["closed", "d = 0.93", "U = 51.2 kBT", "open & <wide>", "d = 2.05", "1 particle outside"]);
  assertEquals(all(root, "path").filter((path) => path.getAttribute("d")!.includes("m-4")).length, 1);
  assertEquals(
    root.getAttribute("aria-label"),
    "Configurations: closed, d = 0.93, U = 51.2 kBT; open & <wide>, d = 2.05",
  );
});

Deno.test("configurationPanels() breaks long paths into rows of one width", async () => {
  const left = (n: number, options: ConfigurationPanelsOptions = {}) =>
    configurationPanels(Array.from({ length: n }, () => ({ x: dimer })), options).then((svg) =>
      all(parseSvg(svg), "svg").map((panel) => attribute(panel, "y"))
    );

  assertEquals(new Set(await left(5)).size, 1);
  assertEquals(new Set(await left(6)).size, 2);
  assertEquals((await left(6)).filter((y, _, all) => y === all[0]).length, 3);
  assertEquals(new Set(await left(6, { columns: 2 })).size, 3);
});

Deno.test("figureGrid() places figures side by side without touching them", async () => {
  const a = await configurationPlot(dimer, { size: 100 });
  const b = await configurationPlot(dimer.map((v) => v / 2), { size: 60, description: `"quoted" & <odd>` });
  const root = parseSvg(await figureGrid([a, b, a], { columns: 2, description: "three boxes" }));
  const parts = all(root, "g[transform] > svg");

  assertEquals(parts.length, 3);
  assertEquals(all(root, "circle").length, 3 * 38);
  assertEquals(textsOf(root), ["(a)", "(b)", "(c)"]);
  assertEquals(attribute(root, "width"), attribute(parts[0], "width") + attribute(parts[1], "width") + 6);
  assertEquals(attribute(root, "height"), 2 * attribute(parts[0], "height") + 6);
  assertEquals(all(root, "[aria-label]").length, 0);
  assertEquals(root.getAttribute("aria-label"), "three boxes");
  assertAlmostEquals(Number(/translate\(([\d.]+)/.exec(parts[1].parentNode!.getAttribute("transform")!)![1]), 134, 1);
});

const rejected: [panels: unknown, options: object, type: ErrorConstructor, message: string][] = [
  [[], {}, RangeError, "panels must not be empty, got 0 values"],
  [[{ x: [1, 2, 3] }], {}, RangeError, "panels[0].x must hold pairs of coordinates, got 3 numbers"],
  [[{ x: [1, NaN, 0, 0] }], {}, RangeError, "panels[0].x must hold finite numbers, got NaN at index 1"],
  [[{}], {}, TypeError, "panels[0].x must be an array, got undefined"],
  [[{ x: [0, 0] }], {}, RangeError, "highlighted and bonds must name particles from 0 to 0, got 1"],
  [[{ x: dimer }], { radius: 0 }, RangeError, "radius must be positive, got 0"],
  [[{ x: dimer }], { columns: 0 }, RangeError, "columns must be a whole number ≥ 1, got 0"],
  [[{ x: dimer }], { size: 3 }, RangeError, "size must be at least 40 px, got 3"],
];

Deno.test("configurationPanels() and figureGrid() reject bad input with one clear sentence", async () => {
  for (const [panels, options, type, message] of rejected) {
    const error = await assertRejects(() => configurationPanels(panels as ConfigurationPanel[], options), type);
    assertEquals(error.message, `Cannot draw a configuration: ${message}`);
  }
  const error = await assertRejects(() => figureGrid(["<p>"], { description: "" }), TypeError);
  assertEquals(
    error.message,
    'Cannot arrange figures: svgs[0] must be the SVG text of a plot of this library, got "<p>"',
  );
});
