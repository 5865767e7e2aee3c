import { assert, assertEquals } from "@std/assert";
import { type AxisOptions, buildAxis } from "../../src/plot/axes.ts";
import { loadD3 } from "../../src/plot/d3.ts";

const { d3 } = await loadD3();

function axis(
  options: Omit<AxisOptions, "label">,
  extent: [number, number],
  length = 300,
  padding: [number, number] = [0, 0],
) {
  const request = { action: "draw a test", name: "x", options: { label: "x", ...options }, extent, padding };
  return buildAxis(d3, request, [0, length], 50);
}

Deno.test("buildAxis() labels linear, large and small numbers as people write them", () => {
  const labels = (extent: [number, number]) => axis({}, extent, 220).ticks.map((tick) => tick.label);
  assertEquals(labels([-1, 1]), ["−1.0", "−0.5", "0.0", "0.5", "1.0"]);
  assertEquals(labels([0, 20000]), ["0", "5\u2009000", "10\u2009000", "15\u2009000", "20\u2009000"]);
  assertEquals(labels([0, 4e6]), ["0", "10^{6}", "2×10^{6}", "3×10^{6}", "4×10^{6}"]);
  assertEquals(labels([0, 4e-5]), ["0", "10^{−5}", "2×10^{−5}", "3×10^{−5}", "4×10^{−5}"]);
});

Deno.test("buildAxis() labels decades on log axes and digits where there are few decades", () => {
  assertEquals(
    axis({ scale: "log" }, [0.01, 1000]).ticks.map((t) => t.label),
    [
      "10^{−2}",
      "10^{−1}",
      "10^{0}",
      "10^{1}",
      "10^{2}",
      "10^{3}",
    ],
  );
  assertEquals(axis({ scale: "log" }, [3, 60]).ticks.map((t) => t.label), ["5", "10", "20", "50"]);
  assertEquals(axis({ scale: "log" }, [1, 100]).minor.includes(30), true);
});

Deno.test("buildAxis() spreads symlog labels on both sides of zero", () => {
  const { ticks, scale } = axis({ scale: "symlog", linearBelow: 1 }, [-100, 10000]);
  const values = ticks.map((tick) => tick.value);
  assert(values.includes(0) && values.includes(-100) && values.includes(10000), `${values}`);
  for (let i = 1; i < values.length; i++) assert(scale(values[i]) - scale(values[i - 1]) >= 50 / 2.2);
});

Deno.test("buildAxis() takes ticks of one's own, none outside the domain, none between", () => {
  const own = [{ value: 0, label: "NICE" }, { value: 1, label: "RealNVP" }, { value: 9, label: "spline" }];
  const { ticks, minor } = axis({ ticks: own, domain: [-0.5, 1.5] }, [0, 1]);
  assertEquals([ticks, minor], [own.slice(0, 2), []]);
});

Deno.test("buildAxis() pads in the axis' own measure and never collapses", () => {
  const linear = axis({}, [0, 10], 100, [0.1, 0.2]).scale.domain();
  assertEquals(linear.map((v) => Math.round(v * 1e9) / 1e9), [-1, 12]);
  const log = axis({ scale: "log" }, [1, 100], 100, [0.5, 0]).scale.domain();
  assertEquals(log.map((v) => Math.round(v * 1e9) / 1e9), [0.1, 100]);
  for (const value of [0, 3, -7]) {
    const [low, high] = axis({}, [value, value]).scale.domain();
    assert(low < value && value < high);
  }
});
