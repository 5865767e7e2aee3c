import { assertAlmostEquals, assertEquals } from "@std/assert";
import { panelLength } from "../../src/backend/dense_layout.ts";
import { type Bound, builds, compare, random, smallest, unitRoundoff } from "./kernel_harness.ts";

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

  Deno.test(`adamF32 agrees with float64 for one and several gradient buffers (${build.name})`, () => {
    const [rate, beta1, beta2, epsilon] = [1e-3, 0.9, 0.999, 1e-8];
    for (const count of [0, 1, 2, 3, 4, 5, 7, 8, 33, 1000]) {
      for (const [groups, step, scale] of [[1, 1, 1], [2, 3, 0.25], [5, 100, 1 / 1024]]) {
        const stride = 4 * Math.ceil(count / 4) + 8;
        const gradients = random(groups * stride, 1);
        const m = random(count, 3, -0.1, 0.1), v = random(count, 4, 0.001, 0.1), mBefore = m.slice();
        const corrections = [1 - beta1 ** step, 1 - beta2 ** step];
        const bound: Bound = (want, i, a) => {
          let sum = 0;
          for (let g = 0; g < groups; ++g) sum += Math.abs(gradients[g * stride + i]) * scale;
          // first moment: `groups` roundings of g, three more; second: twice those; the step inherits both
          const first = unitRoundoff * (4 * beta1 * Math.abs(mBefore[i]) + (groups + 4) * (1 - beta1) * sum);
          if (a === 12) return first;
          if (a === 13) return unitRoundoff * ((2 * groups + 8) * (1 - beta2) * sum * sum + 4 * want);
          const root = Math.sqrt(v[i] / corrections[1]);
          const move = rate / corrections[0] / root * (first + (groups + 12) * unitRoundoff * Math.abs(m[i]));
          return unitRoundoff * Math.abs(want) + 1.1 * move;
        };
        const settings = [rate, beta1, beta2, epsilon, ...corrections, scale, groups, 4 * stride];
        compare(
          build,
          "adamF32",
          [count, ...settings, gradients, random(count, 2), m, v],
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
      build.run("adamF32", [
        9,
        0.1,
        0.9,
        0.999,
        1e-8,
        0.1,
        0.001,
        1,
        1,
        0,
        gradients,
        parameters,
        random(9, 3),
        random(9, 4, 0, 1),
      ]);
      assertEquals(Array.from(parameters, Number.isNaN), Array.from(before, (_, i) => i === 2 || i === 8));
      assertEquals(build.run("sumSquaresF32", [9, 1, 0, gradients]), Number.isNaN(bad) ? NaN : Infinity);
    }
  });

  Deno.test(`sumSquaresF32 sums in float64 (${build.name})`, () => {
    for (const count of [0, 1, 2, 3, 4, 5, 6, 7, 1001]) {
      // one buffer: every square is exact in float64, only count additions round
      const gradients = random(count, 1);
      const relative: Bound = (want) => count * 2 ** -53 * want;
      compare(build, "sumSquaresF32", [count, 1, 0, gradients], relative);
      // several: the sum of the buffers is rounded to float32 (groups − 1 times), its square twice as much
      const stride = 4 * Math.ceil(count / 4);
      const several = random(3 * stride, 2, 0, 1);
      compare(build, "sumSquaresF32", [count, 3, 4 * stride, several], (want) => 4.1 * unitRoundoff * want);
    }
    assertEquals(build.run("sumSquaresF32", [4, 1, 0, new Float32Array(4).fill(1e30)]), 4 * Math.fround(1e30) ** 2);
  });

  Deno.test(`emaF32 agrees with float64 (${build.name})`, () => {
    for (const count of [0, 1, 2, 3, 4, 5, 8, 1000]) {
      const bound: Bound = (want) => unitRoundoff * (3 + Math.abs(want)) + smallest;
      compare(build, "emaF32", [count, 0.999, random(count, 1), random(count, 2)], bound);
    }
  });

  Deno.test(`many steps of adamF32 find the minimum of a quadratic (${build.name})`, () => {
    // f = Σ (p − c)²/2, so that the gradient is p − c; independent of the reference
    const c = random(7, 1), p = new Float32Array(7), m = new Float32Array(7), v = new Float32Array(7);
    for (let t = 1; t <= 2000; ++t) {
      const gradient = p.map((value, i) => value - c[i]);
      const rate = 0.05 * (1 - t / 2001);
      build.run("adamF32", [7, rate, 0.9, 0.999, 1e-8, 1 - 0.9 ** t, 1 - 0.999 ** t, 1, 1, 0, gradient, p, m, v]);
    }
    p.forEach((value, i) => assertAlmostEquals(value, c[i], 1e-4));
  });
}
