import { assert, assertEquals, assertThrows } from "@std/assert";
import { splineFeatures } from "../../src/graph/spline_features.ts";
import { splineExample, splineKnots, splineSize, spreads } from "../support/spline_examples.ts";
import { assertClose } from "../support/assert_close.ts";
import { builds, random, smallest, type WasmImplementation } from "./kernel_harness.ts";
import { assertWritesAlone, withScratch } from "./scratch_law.ts";
import { splineArguments, splineCalls } from "./spline_calls.ts";

const names = ["splineForward", "splineInverse"] as const;
type Name = typeof names[number];

/** Results of a panel of one coordinate. */
interface Panel {
  readonly value: Float32Array;
  readonly logSlope: Float32Array;
  readonly byPlace: Float32Array;
  readonly byFeatures: Float32Array;
}

/** Value, slope and derivative for the same features at up to 32 places; the cotangents are 1. */
function runPanel(
  build: WasmImplementation,
  name: Name,
  size: ReturnType<typeof splineSize>,
  features: ArrayLike<number>,
  places: ArrayLike<number>,
): Panel {
  const width = splineFeatures(size.bins);
  const inputs = [
    Float32Array.from({ length: 32 }, (_, i) => places[Math.min(i, places.length - 1)]),
    Float32Array.from({ length: 32 * width }, (_, i) => features[i >> 5]),
  ];
  const [given, scratch] = splineArguments(1, 1, size, inputs);
  const [out, byPlace, byFeatures] = [64, 32, 32 * width].map((length) => new Float32Array(length));
  build.run(`${name}F32`, [...given, out, scratch]);
  build.run(`${name}GradF32`, [...given, new Float32Array(64).fill(1), byPlace, byFeatures, scratch]);
  const used = (row: Float32Array) => row.subarray(0, places.length);
  return { value: used(out), logSlope: used(out.subarray(32)), byPlace: used(byPlace), byFeatures };
}

/** The float32 after x, or before it. */
function next(x: number, steps: number): number {
  const bits = new Int32Array(Float32Array.of(x).buffer);
  bits[0] += Math.sign(x) * steps;
  return new Float32Array(bits.buffer)[0];
}

for (const build of builds) {
  Deno.test(`spline kernels write their results alone, whatever the scratch memory holds (${build.name})`, () => {
    for (const [panels, dim, bins] of [[0, 2, 3], [1, 1, 2], [2, 3, 5], [1, 2, 9]]) {
      for (const [kernel, args] of splineCalls(panels, dim, bins)) {
        assertWritesAlone(build, kernel, args, panels === 0 ? 0 : kernel.includes("Grad") ? 2 : 1);
      }
    }
  });

  Deno.test(`the guards find scratch memory that is too short for a spline (${build.name})`, () => {
    for (const [kernel, args] of splineCalls(1, 2, 4)) {
      const short = withScratch(args, 0);
      short[short.length - 1] = (short.at(-1) as Float32Array).slice(0, -4);
      assertThrows(() => build.run(kernel, short), Error, "wrote after a buffer", kernel);
    }
  });

  Deno.test(`spline kernels are the identity at and outside the bound, to every bit (${build.name})`, () => {
    const size = splineSize(5, 3);
    const places = [3, next(3, 1), 4, 1e30, 3.4e38, Infinity].flatMap((v) => [v, -v]);
    for (const name of names) {
      for (const spread of spreads) {
        const features = splineExample(size, 1, 1, spread);
        const { value, logSlope, byPlace, byFeatures } = runPanel(build, name, size, features, places);
        assertEquals([...value], [...Float32Array.from(places)]);
        assertEquals([...logSlope], places.map(() => 0));
        assertEquals([...byPlace], places.map(() => 1));
        assert(byFeatures.every((v) => v === 0));
      }
    }
  });

  Deno.test(`spline kernels are continuous across knots and the bound, as float32 allows (${build.name})`, () => {
    const size = splineSize(6, 3);
    for (const name of names) {
      for (let seed = 0; seed < 40; seed++) {
        const features = splineExample(size, 1, 1, 1, seed);
        const knots = splineKnots(size, features);
        const [from, to] = name === "splineForward" ? [knots.x, knots.y] : [knots.y, knots.x];
        from.forEach((knot, k) => {
          const places = [-3, -1, 0, 1, 3].map((steps) => next(Math.fround(knot), steps));
          const { value, logSlope } = runPanel(build, name, size, features, places);
          // Seven neighbouring numbers and ten roundings of a knot: 17 units of 3 · 2⁻²³, times the slope next to it.
          const steepness = Math.exp(Math.max(...logSlope));
          assertClose(
            value,
            value.map(() => to[k]),
            { absolute: 17 * 3 * 2 ** -23 * (1 + steepness) },
            `${seed}, ${k}`,
          );
          // The logarithm changes by up to 2s/(δw) per unit: s, 1/δ and 1/w up to 20, 10 and 10 with these features.
          assertClose(
            logSlope,
            logSlope.map(() => logSlope[2]),
            { absolute: 4000 * 17 * 3 * 2 ** -23 },
            `${seed}, ${k}`,
          );
        });
      }
    }
  });

  Deno.test(`no finite place and no finite features make NaN in spline kernels (${build.name})`, () => {
    const size = splineSize(4, 2);
    const width = splineFeatures(4);
    const extremes = [0, -0, 1, -5, 90, -90, 1e30, -1e30, 3.4e38, -3.4e38, smallest];
    const choose = random(width * 600, 4, 0, extremes.length - 1e-3).map(Math.floor);
    for (let i = 0; i < 600; i++) {
      const features = Float64Array.from(choose.subarray(width * i, width * (i + 1)), (k) => extremes[k]);
      const knots = splineKnots(size, features);
      const usual = [0, -0, smallest, -smallest, 1, 2, next(2, -1), next(-2, -1), -2, 2.5, 1e30, -1e30, 3.4e38];
      const places = Float32Array.from([...usual, ...knots.x, ...knots.y]);
      for (const name of names) {
        const what = `${name} of ${features}`;
        const { value, logSlope, byPlace, byFeatures } = runPanel(build, name, size, features, places);
        for (const results of [value, logSlope, byPlace, byFeatures]) {
          assert(results.every((v) => Number.isFinite(v)), `${what}: ${results}`);
        }
        value.forEach((v, k) => assert(Math.abs(places[k]) < 2 ? Math.abs(v) <= 2 : v === places[k], what));
      }
    }
  });

  Deno.test(`NaN in a place or a feature gives NaN where it matters, and nowhere else (${build.name})`, () => {
    const size = splineSize(3, 1);
    const features = splineExample(size, 1, 1, 1);
    const { x, y } = splineKnots(size, features);
    for (const name of names) {
      const axis = name === "splineForward" ? x : y;
      const middle = axis.slice(1).map((knot, k) => (knot + axis[k]) / 2);
      const places = Float32Array.of(...middle, 2, -2);
      const good = runPanel(build, name, size, features, places);
      assertEquals([...runPanel(build, name, size, features, [NaN, 0.1]).value].map(Number.isNaN), [true, false]);
      assert(Number.isNaN(runPanel(build, name, size, features, [NaN]).byPlace[0]));
      features.forEach((_, k) => {
        const broken = runPanel(build, name, size, features.with(k, NaN), places);
        // A slope matters in the bins on both sides of its knot; lengths everywhere inside.
        const matters = (bin: number) => bin < 3 && (k < 6 || bin === k - 6 || bin === k - 5);
        for (const part of ["value", "logSlope", "byPlace"] as const) {
          // NaN lengths leave no bin but the first.
          broken[part].forEach((v, bin) =>
            assertEquals(v, matters(bin) ? NaN : good[part][bin], `${name}, feature ${k}, ${part} in bin ${bin}`)
          );
        }
      });
    }
  });
}
