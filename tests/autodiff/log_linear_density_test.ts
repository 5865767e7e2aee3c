import { assertEquals, assertGreater, assertThrows } from "@std/assert";
import { LogLinearDensity, logMeanExp, logMeanExpShare } from "../../src/autodiff/primitives/log_linear_density.ts";
import { assertClose } from "../support/assert_close.ts";
import { normals } from "../support/random_arrays.ts";

const RATE = 7;
const nodes = [-1, -0.7, -0.1, 0, 0.4, 1.1, 1.2, 1.9, 2];

/** Rough, nearly flat, exactly flat, walls on the left, on the right and in the middle, and one that falls everywhere. */
const shapes: Readonly<Record<string, Float64Array>> = {
  rough: normals(9, 3, 2),
  flat: normals(9, 4, 1e-9),
  constant: new Float64Array(9).fill(5),
  "wall on the left": Float64Array.of(-900, -800, -250, 0, 1, 2, 1, 0, -1),
  "wall on the right": Float64Array.of(-1, 0, 1, 2, 1, 0, -250, -800, -900),
  "wall in the middle": Float64Array.of(0, 1, 0, -300, -300, -300, 0, 1, 0),
  falling: Float64Array.of(0, -60, -120, -180, -240, -300, -360, -420, -480),
};

/** ∫ p by the rule of Gauss and Legendre with two points in each of 4000 intervals that do not follow the nodes. */
function integral(density: LogLinearDensity, from: number, to: number): number {
  const count = 4000;
  const h = (to - from) / count;
  let sum = 0;
  for (let i = 0; i < count; i++) {
    for (const u of [-1, 1]) sum += h / 2 * Math.exp(density.logDensity(from + h * (i + 0.5 + u / (2 * Math.sqrt(3)))));
  }
  return sum;
}

for (const [name, logs] of Object.entries(shapes)) {
  const density = new LogLinearDensity(nodes, logs, RATE);

  Deno.test(`LogLinearDensity, ${name}: integrates to one, and to Φ(z) below any place`, () => {
    // Kinks and the steepest slope 600 on intervals of 2.5e-3: (600 · 2.5e-3)⁴ / 4320 = 1e-3 of the mass there
    const tolerance = { absolute: name === "falling" || name.startsWith("wall") ? 2e-3 : 1e-5 };
    assertClose(integral(density, -5, 6), 1, tolerance);
    assertThrows(() => assertClose(1.01 * integral(density, -5, 6), 1, tolerance), Error, "differs");
    for (const x of [-1.3, -0.9, 0.02, 0.7, 1.5, 2.2]) {
      const z = density.toNormal(x);
      if (Math.abs(z) < 5) {
        assertClose(integral(density, -5, x), phi(z), { absolute: 2 * tolerance.absolute }, `x ${x}`);
      }
    }
  });

  Deno.test(`LogLinearDensity, ${name}: z to x to z is exact, from far outside to far outside`, () => {
    let last = -Infinity;
    for (let z = -40; z <= 40; z += 0.25) {
      const x = density.fromNormal(z);

      assertGreater(x, last, `z ${z}`);
      last = x;
      // An ulp of x is one of F · p/φ: steep walls at x = 2 turn 2e-16 into at most 600 · 2e-16 / |z|
      assertClose(density.toNormal(x), z, { absolute: 1e-11, relative: 1e-12 }, `z ${z}`);
    }
    for (const x of [-1e3, -30, -1.01, 2.01, 40, 1e3]) {
      assertClose(density.fromNormal(density.toNormal(x)), x, { relative: 1e-10 }, `x ${x}`);
    }
  });

  Deno.test(`LogLinearDensity, ${name}: gradients are derivatives`, () => {
    for (const x of [-1.4, -0.85, -0.03, 0.2, 0.9, 1.15, 1.5, 2.3]) {
      const z = density.toNormal(x);
      const log = density.logDensityGradient(x);
      const normal = density.toNormalGradient(x, z);
      const moved = (k: number, step: number) => new LogLinearDensity(nodes, logs.with(k, logs[k] + step), RATE);
      const difference = (
        f: (at: LogLinearDensity, step: number) => number,
        make: (step: number) => LogLinearDensity,
      ) => (f(make(1e-5), 1e-5) - f(make(-1e-5), -1e-5)) / 2e-5;
      const same = () => density;
      const tolerance = { absolute: 1e-8, relative: 1e-7 };

      assertClose(log.byX, difference((at, step) => at.logDensity(x + step), same), tolerance, `log p by x at ${x}`);
      assertClose(normal.byX, difference((at, step) => at.toNormal(x + step), same), tolerance, `z by x at ${x}`);
      logs.forEach((_, k) => {
        const byLog = difference((at) => at.logDensity(x), (step) => moved(k, step));
        assertClose(log.byLogs[k], byLog, tolerance, `log p by A ${k} at ${x}`);
        const byNormal = difference((at) => at.toNormal(x), (step) => moved(k, step));
        assertClose(normal.byLogs[k], byNormal, tolerance, `z by A ${k} at ${x}`);
        assertThrows(() => assertClose(normal.byLogs[k] + 1e-5, byNormal, tolerance), Error, "differs");
      });
    }
  });
}

Deno.test("LogLinearDensity: places and values that are NaN give NaN", () => {
  const density = new LogLinearDensity(nodes, shapes.rough, RATE);
  const spoilt = new LogLinearDensity(nodes, shapes.rough.with(3, NaN), RATE);

  assertEquals([density.logDensity(NaN), density.toNormal(NaN), density.fromNormal(NaN)], [NaN, NaN, NaN]);
  assertEquals([spoilt.logDensity(1.5), spoilt.toNormal(1.5), spoilt.fromNormal(0.3)], [NaN, NaN, NaN]);
});

Deno.test("logMeanExp and its share: series, quotients and limits agree", () => {
  for (const delta of [1e-300, 1e-12, 1e-5, 0.01, 0.499, 0.501, 1, 20]) {
    for (const d of [delta, -delta]) {
      const series = Array.from({ length: 90 }, (_, k) => k).reduceRight((sum, k) => 1 + d * sum / (k + 2), 0);
      if (Math.abs(d) <= 1) assertClose(logMeanExp(3, 3 + d), 3 + Math.log(series), { absolute: 1e-15 }, `δ ${d}`);
      assertClose(logMeanExpShare(d) + logMeanExpShare(-d), 1, { absolute: 4e-16 }, `δ ${d}`);
    }
  }
  assertClose(logMeanExpShare(0.4999999), logMeanExpShare(0.5000001), { absolute: 2e-8 });
  assertClose(logMeanExpShare(1), 1 / (1 - Math.exp(-1)) - 1, { relative: 1e-15 });
  assertEquals(logMeanExpShare(0), 0.5);
  assertClose(logMeanExp(0, 1000), 1000 - Math.log(1000), { relative: 1e-15 });
});

/** Φ by the trapezoid rule: independent of the package. */
function phi(z: number): number {
  const count = 2000;
  const h = (z + 9) / count;
  let sum = 0;
  for (let i = 0; i <= count; i++) {
    sum += (i === 0 || i === count ? 0.5 : 1) * h * Math.exp(-((-9 + h * i) ** 2) / 2) / Math.sqrt(2 * Math.PI);
  }
  return sum;
}
