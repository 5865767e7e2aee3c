import { functionBounds, gradientBounds } from "./error_bounds.ts";
import { type Argument, type Bound, builds, compare, random, smallest, ulp, unitRoundoff } from "./kernel_harness.ts";

const lengths = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 1000];
const special = [
  0,
  -0,
  1,
  -1,
  Infinity,
  -Infinity,
  NaN,
  smallest,
  -smallest,
  2 ** -126,
  -(2 ** -126),
  3.4028234663852886e38,
];

/** Floats of every sign and exponent, `step` bit patterns apart. */
function allMagnitudes(step: number): Float32Array {
  const bits = Uint32Array.from({ length: Math.floor(2 ** 32 / step) }, (_, i) => i * step);
  return new Float32Array(bits.buffer);
}

for (const build of builds) {
  for (const [kernel, bound] of Object.entries(functionBounds)) {
    const within = (x: Float32Array): Bound => (y, i) => bound(y, x[i]);

    Deno.test(`${kernel} keeps its error bound over all magnitudes and special values (${build.name})`, () => {
      for (const x of [allMagnitudes(59_999), Float32Array.from(special), random(20_000, 1, -20, 20)]) {
        compare(build, kernel, [x.length, x, new Float32Array(x.length)], within(x));
      }
    });

    Deno.test(`${kernel} handles every length, also in place (${build.name})`, () => {
      for (const length of lengths) {
        const x = random(length, length, 0.1, 4);
        compare(build, kernel, [length, x, new Float32Array(length)], within(x.slice()));
        compare(build, kernel, [length, x, x], within(x.slice()));
      }
    });
  }

  Deno.test(`tanhF32 is odd, monotonic to its error and never beyond ±1 (${build.name})`, () => {
    const x = random(20_000, 5, 0, 12).sort();
    const y = new Float32Array(x.length), mirrored = new Float32Array(x.length);
    build.run("tanhF32", [x.length, x, y]);
    build.run("tanhF32", [x.length, x.map((v) => -v), mirrored]);
    y.forEach((v, i) => {
      if (v > 1 || v !== -mirrored[i]) throw new Error(`tanh ${x[i]} is ${v} and tanh ${-x[i]} is ${mirrored[i]}`);
      if (i > 0 && v < y[i - 1] - 4 * unitRoundoff) throw new Error(`tanh falls from ${y[i - 1]} to ${v} at ${x[i]}`);
    });
  });
}

for (const build of builds) {
  for (const [kernel, { from, to, special, error }] of Object.entries(gradientBounds)) {
    Deno.test(`${kernel} agrees with float64, overwriting, accumulating and in place (${build.name})`, () => {
      for (const length of lengths) {
        const saved = random(length, length + 1, from, to);
        const dy = random(length, length + 2);
        if (length > special.length) saved.set(special), dy[length - 1] = NaN;
        const cotangent = dy.slice();
        const bound: Bound = (want, i) =>
          unitRoundoff * (error(saved[i], cotangent[i]) * (1 + unitRoundoff) + 2 * Math.abs(want)) + 2 * smallest;
        compare(build, kernel, [length, 0, saved, dy, random(length, 3)], bound);
        compare(build, kernel, [length, 1, saved, dy, random(length, 3)], bound);
        compare(build, kernel, [length, 0, saved, dy, dy], bound);
      }
    });
  }

  Deno.test(`binary kernels agree with float64 (${build.name})`, () => {
    for (const kernel of ["addF32", "subtractF32", "multiplyF32", "divideF32"]) {
      for (const length of lengths) {
        const a = random(length, 1, -9, 9), b = random(length, 2, -9, 9);
        if (length > 9) a.set([NaN, 1, Infinity, -Infinity, 0, 1, smallest]), b.set([1, NaN, 2, Infinity, 0, 0, 0.25]);
        const rounded: Bound = (want) => ulp(want) / 2;
        compare(build, kernel, [length, a, b, new Float32Array(length)], rounded);
        compare(build, kernel, [length, a, a, new Float32Array(length)], rounded);
        compare(build, kernel, [length, a, b, b], rounded);
      }
    }
  });

  Deno.test(`divideGradDenominatorF32 agrees with float64 (${build.name})`, () => {
    for (const length of lengths) {
      for (const accumulate of [0, 1]) {
        const args = [random(length, 1), random(length, 2, 0.2, 2), random(length, 3), random(length, 4)];
        const [a, b, dy] = args.map((arg) => arg.slice());
        const bound: Bound = (want, i) =>
          unitRoundoff * (3.1 * Math.abs(dy[i] / b[i] * a[i] / b[i]) + 1.1 * Math.abs(want)) + smallest;
        compare(build, "divideGradDenominatorF32", [length, accumulate, ...args], bound);
      }
    }
  });

  Deno.test(`scaling, copying, accumulating and filling agree with float64 (${build.name})`, () => {
    const [scale, shift] = [-1.75, 0.3125];
    for (const length of lengths) {
      const x = random(length, 1), y = random(length, 2);
      if (length > 2) x[length - 1] = NaN;
      const same = x.slice();
      const product: Bound = (want) => unitRoundoff * (Math.abs(want) + 1.75 * 1.01) + smallest;
      const calls: [string, Argument[], Bound][] = [
        ["scaleShiftF32", [scale, shift, x, y.slice()], product],
        ["scaleShiftF32", [scale, shift, same, same], product],
        ["accumulateF32", [scale, x, y.slice()], product],
        ["copyF32", [scale, x, y.slice()], (want) => ulp(want) / 2],
        ["copyF32", [1, x, y.slice()], () => 0],
        ["fillF32", [scale, y.slice()], () => 0],
        ["fillF32", [NaN, y.slice()], () => 0],
        ["fillF64", [0.1, new Float64Array(length)], () => 0],
      ];
      for (const [kernel, args, bound] of calls) compare(build, kernel, [length, ...args], bound);
    }
  });
}
