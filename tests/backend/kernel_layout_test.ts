import { assertAlmostEquals, assertEquals } from "@std/assert";
import { panelLength } from "../../src/backend/dense_layout.ts";
import { type Bound, builds, compare, random, unitRoundoff } from "./kernel_harness.ts";

const counts = [0, 1, 2, 3, 4, 5, 7, 31, 32, 33, 63, 64, 65, 300];
const widths = [1, 2, 3, 4, 5, 8, 9, 38];

for (const build of builds) {
  Deno.test(`rows become panels, padded with the last row, and come back (${build.name})`, () => {
    for (const n of counts) {
      for (const f of widths) {
        const rows = random(n * f, n + f);
        if (n * f > 6) rows[5] = NaN, rows[6] = -Infinity;
        const panels = new Float32Array(panelLength(n, f)).fill(9);
        compare(build, "rowsToPanelsF32", [n, f, rows, panels], () => 0);
        compare(build, "rowsToPanelsF64", [n, f, Float64Array.from(rows), panels.slice().fill(9)], () => 0);
        compare(build, "panelsToRowsF32", [n, f, panels, new Float32Array(n * f).fill(9)], () => 0);
        const back = new Float64Array(n * f).fill(9);
        compare(build, "panelsToRowsF64", [n, f, panels, back], () => 0);
        assertEquals(back, Float64Array.from(rows));
      }
    }
  });

  Deno.test(`rowsToPanelsF64 rounds float64 to the nearest float32 (${build.name})`, () => {
    const rows = Float64Array.of(0.1, 1 / 3, Math.PI, 1e300, -1e-46, 2 ** -149, 1 + 2 ** -25, 1e39);
    const panels = new Float32Array(panelLength(8, 1));
    build.run("rowsToPanelsF64", [8, 1, rows, panels]);
    assertEquals(panels.slice(0, 8), Float32Array.from(rows));
  });

  Deno.test(`adamF32 agrees with float64 (${build.name})`, () => {
    const [rate, beta1, beta2, epsilon] = [1e-3, 0.9, 0.999, 1e-8];
    for (const count of [0, 1, 2, 3, 4, 5, 7, 8, 33, 1000]) {
      for (const [step, scale] of [[1, 1], [3, 0.25], [100, 1 / 1024]]) {
        const gradient = random(count, 1);
        const m = random(count, 3, -0.1, 0.1), v = random(count, 4, 0.001, 0.1), mBefore = m.slice();
        const corrections = [1 - beta1 ** step, 1 - beta2 ** step];
        const bound: Bound = (want, i, a) => {
          const g = Math.abs(gradient[i]) * scale;
          // first moment: a rounding of g, three more; second: twice those; the step inherits both
          const first = unitRoundoff * (4 * beta1 * Math.abs(mBefore[i]) + 5 * (1 - beta1) * g);
          if (a === 4) return first;
          if (a === 5) return unitRoundoff * (10 * (1 - beta2) * g * g + 4 * want);
          const root = Math.sqrt(v[i] / corrections[1]);
          const move = rate / corrections[0] / root * (first + 13 * unitRoundoff * Math.abs(m[i]));
          return unitRoundoff * Math.abs(want) + 1.1 * move;
        };
        const settings = Float64Array.of(rate, beta1, beta2, epsilon, ...corrections, scale);
        compare(
          build,
          "adamF32",
          [count, settings, gradient, random(count, 2), m, v],
          (want, i, a) => bound(want, i, a),
        );
      }
    }
  });

  Deno.test(`adamF32 and sumSquaresF32 pass NaN and infinity on (${build.name})`, () => {
    for (const bad of [NaN, Infinity, -Infinity]) {
      const gradients = random(9, 1);
      gradients[8] = bad, gradients[2] = bad;
      const parameters = random(9, 2), before = parameters.slice();
      const settings = Float64Array.of(0.1, 0.9, 0.999, 1e-8, 0.1, 0.001, 1);
      build.run("adamF32", [9, settings, gradients, parameters, random(9, 3), random(9, 4, 0, 1)]);
      assertEquals(Array.from(parameters, Number.isNaN), Array.from(before, (_, i) => i === 2 || i === 8));
      const sum = new Float64Array(1);
      build.run("sumSquaresF32", [9, gradients, sum]);
      assertEquals(sum[0], Number.isNaN(bad) ? NaN : Infinity);
    }
  });

  Deno.test(`sumSquaresF32 sums in float64 (${build.name})`, () => {
    const sum = new Float64Array(1);
    for (const count of [0, 1, 2, 3, 4, 5, 6, 7, 1001]) {
      // every square is exact in float64, only count additions round
      compare(build, "sumSquaresF32", [count, random(count, 1), sum], (want) => count * 2 ** -53 * want);
    }
    build.run("sumSquaresF32", [4, new Float32Array(4).fill(1e30), sum]);
    assertEquals(sum[0], 4 * Math.fround(1e30) ** 2);
  });

  Deno.test(`many steps of adamF32 find the minimum of a quadratic (${build.name})`, () => {
    // f = Σ (p − c)²/2, so that the gradient is p − c; independent of the reference
    const c = random(7, 1), p = new Float32Array(7), m = new Float32Array(7), v = new Float32Array(7);
    for (let t = 1; t <= 2000; ++t) {
      const gradient = p.map((value, i) => value - c[i]);
      const rate = 0.05 * (1 - t / 2001);
      const settings = Float64Array.of(rate, 0.9, 0.999, 1e-8, 1 - 0.9 ** t, 1 - 0.999 ** t, 1);
      build.run("adamF32", [7, settings, gradient, p, m, v]);
    }
    p.forEach((value, i) => assertAlmostEquals(value, c[i], 1e-4));
  });
}
