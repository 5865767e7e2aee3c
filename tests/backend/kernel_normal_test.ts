import { assertThrows } from "@std/assert";
import { normalBounds } from "./error_bounds.ts";
import { type Argument, builds, compare, type Implementation, random, smallest } from "./kernel_harness.ts";

const range = (from: number, to: number, length: number) =>
  Float32Array.from({ length }, (_, i) => from + (to - from) * i / (length - 1));

/** Masses e^(−85) to ½ and what is missing to 1. */
function masses(): [Float32Array, Float32Array] {
  const lower = range(-85, Math.log(0.5), 30_001).map(Math.exp);
  return [lower, lower.map((v) => 1 - v)];
}

/** The kernel, its results multiplied by 1 + `error`. */
function spoilt(build: Implementation, error: number): Implementation {
  return {
    name: `${build.name}, spoilt`,
    run(kernel, args) {
      build.run(kernel, args);
      const y = args.at(-1) as Float32Array;
      y.set(y.map((v) => v * (1 + error)));
    },
  };
}

for (const build of builds) {
  Deno.test(`normalCdfF32 keeps 7 ULP from the lower tail to 1 (${build.name})`, () => {
    for (const x of [range(-13, 9, 40_001), range(-1e-3, 1e-3, 2001), random(1003, 1, -14.6, 20)]) {
      compare(build, "normalCdfF32", [x.length, x, new Float32Array(x.length)], normalBounds.normalCdfF32);
    }
    const special = Float32Array.of(NaN, Infinity, -Infinity, -1e30, 1e30, -20, 0, -0, smallest);
    compare(
      build,
      "normalCdfF32",
      [special.length, special, new Float32Array(special.length)],
      normalBounds.normalCdfF32,
    );
  });

  Deno.test(`normalQuantileF32 keeps 6 ULP in both tails, in any unit of mass (${build.name})`, () => {
    const [lower, upper] = masses();
    const n = lower.length;
    for (const unit of [1, 2 ** -20, 2 ** 30]) {
      const [a, b] = [lower, upper].map((mass) => mass.map((v) => v * unit));
      compare(build, "normalQuantileF32", [n, a, b, new Float32Array(n)], normalBounds.normalQuantileF32);
      compare(build, "normalQuantileF32", [n, b, a, new Float32Array(n)], normalBounds.normalQuantileF32);
    }
    const args: Argument[] = [
      Float32Array.of(0, 1, NaN, 1, 1, 0.5, 1),
      Float32Array.of(1, 0, 1, NaN, 1, 0.5 + 2 ** -24, 0.999),
    ];
    compare(build, "normalQuantileF32", [7, ...args, new Float32Array(7)], normalBounds.normalQuantileF32);
  });

  Deno.test(`the bounds of the normal distribution reject an error of one in a million (${build.name})`, () => {
    const broken = spoilt(build, 1e-6);
    const x = range(-13, 0, 101);
    const [lower, upper] = masses();
    const n = lower.length;
    assertThrows(
      () => compare(broken, "normalCdfF32", [101, x, new Float32Array(101)], normalBounds.normalCdfF32),
      Error,
      "expected",
    );
    const args = [n, lower, upper, new Float32Array(n)];
    assertThrows(() => compare(broken, "normalQuantileF32", args, normalBounds.normalQuantileF32), Error, "expected");
  });
}
