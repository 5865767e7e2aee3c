import { type Argument, type Bound, builds, compare, random, smallest, unitRoundoff } from "./kernel_harness.ts";

const shapes = [[0, 3], [1, 1], [1, 2], [2, 3], [3, 5], [1, 38], [8, 4], [9, 7]];
const columnOf = (i: number, f: number) => Math.floor(i / (f * 32)) * 32 + i % 32;

/** Scales from mild to overflowing, NaN among them. */
function scales(length: number): Float32Array {
  const s = random(length, 5, -3, 3);
  if (length > 64) s.set([90, -100, NaN, 0, Infinity, -Infinity]);
  return s;
}

/** The exponential's own error is 1 ULP, at most 2 units of u relative. */
const exponential = 2;

for (const build of builds) {
  Deno.test(`affineForwardF32 agrees with float64, with and without log-determinant (${build.name})`, () => {
    for (const [panels, f] of shapes) {
      const length = panels * f * 32;
      const x = random(length, 1), s = scales(length), t = random(length, 2);
      for (const logDet of [new Float64Array(panels * 32), 0]) {
        const bound: Bound = (want, i, a) =>
          a === 5
            ? unitRoundoff * ((exponential + 2) * Math.abs(x[i] * Math.exp(s[i])) + Math.abs(want)) + 2 * smallest
            : 0;
        compare(build, "affineForwardF32", [panels, f, x, s, t, new Float32Array(length), logDet], bound);
      }
    }
  });

  Deno.test(`affineInverseF32 agrees with float64, with and without log-determinant (${build.name})`, () => {
    for (const [panels, f] of shapes) {
      const length = panels * f * 32;
      const y = random(length, 1), s = scales(length), t = random(length, 2);
      for (const logDet of [new Float64Array(panels * 32), 0]) {
        const bound: Bound = (want, i, a) =>
          a === 5 ? unitRoundoff * (exponential + 3) * Math.abs(want) + smallest * (1 + Math.abs(y[i] - t[i])) : 0;
        compare(build, "affineInverseF32", [panels, f, y, s, t, new Float32Array(length), logDet], bound);
      }
    }
  });

  Deno.test(`affineForwardF32 and affineInverseF32 work in place (${build.name})`, () => {
    const [panels, f] = [2, 5];
    const x = random(panels * f * 32, 1), s = random(panels * f * 32, 2), t = random(panels * f * 32, 3);
    for (const kernel of ["affineForwardF32", "affineInverseF32"]) {
      const apart = new Float32Array(x.length), same = x.slice();
      build.run(kernel, [panels, f, x, s, t, apart, 0]);
      build.run(kernel, [panels, f, same, s, t, same, 0]);
      if (apart.some((v, i) => !Object.is(v, same[i]))) throw new Error(`${kernel} differs in place`);
    }
  });

  for (const [kernel, sign] of [["affineForwardGradF32", 1], ["affineInverseGradF32", -1]] as const) {
    Deno.test(`${kernel} agrees with float64 for every combination of options (${build.name})`, () => {
      for (const [panels, f] of shapes) {
        const length = panels * f * 32;
        const x = random(length, 1), s = random(length, 2, -4, 4), dy = random(length, 3);
        if (length > 64) s[3] = NaN, dy[40] = NaN, x[50] = NaN;
        const column = Float64Array.from(random(panels * 32, 4));
        for (const accumulate of [0, 1]) {
          for (const dLogDet of [column, 0] as const) {
            const outputs = [random(length, 6), random(length, 7), random(length, 8)];
            const bound: Bound = (want, i, a) => {
              const slope = Math.abs(dy[i]) * Math.exp(sign * s[i]);
              const product = sign > 0 ? slope * Math.abs(x[i]) : Math.abs(dy[i] * x[i]);
              const logDet = dLogDet ? Math.abs(dLogDet[columnOf(i, f)]) : 0;
              const terms = a === 8 ? (exponential + 2) * product + logDet : (exponential + 1) * slope;
              return unitRoundoff * (terms + 1.1 * Math.abs(want)) + smallest;
            };
            compare(build, kernel, [panels, f, accumulate, x, s, dy, dLogDet, ...outputs], bound);
          }
        }
      }
    });
  }

  Deno.test(`sums of features and single features become columns and back (${build.name})`, () => {
    for (const [panels, f] of shapes) {
      const x = random(panels * f * 32, 1);
      if (panels > 1) x[70] = NaN, x[40] = Infinity;
      compare(build, "sumFeaturesF32", [panels, f, x, new Float64Array(panels * 32).fill(5)], () => 0);
      const column = Float64Array.from(random(panels * 32, 2), (v) => v / 3);
      for (const accumulate of [0, 1]) {
        const bound: Bound = (want) => unitRoundoff * (Math.abs(want) + 1);
        compare(build, "sumFeaturesGradF32", [panels, f, accumulate, column, random(x.length, 3)], bound);
        // |column| ≤ 1/3 and |x| ≤ 1: a rounding of the column, of the product and of the sum
        const scaled: Bound = (want) => unitRoundoff * (Math.abs(want) + 2 / 3);
        const args: Argument[] = [panels, f, accumulate, column, random(x.length, 4), random(x.length, 3)];
        compare(build, "scaleByColumnF32", args, scaled);
        for (const index of new Set([0, f >> 1, f - 1])) {
          compare(build, "featureColumnGradF32", [panels, f, index, accumulate, column, random(x.length, 3)], bound);
        }
      }
      for (const index of new Set([0, f >> 1, f - 1])) {
        compare(build, "featureColumnF32", [panels, f, index, x, new Float64Array(panels * 32).fill(5)], () => 0);
      }
    }
  });

  Deno.test(`features are gathered, scattered, inserted and extracted exactly (${build.name})`, () => {
    for (const panels of [0, 1, 2, 9]) {
      for (
        const [wide, list] of [[1, [0]], [5, [4, 0, 2]], [7, [6, 5, 4, 3, 2, 1, 0]], [4, [1, 1, 3, 1]], [
          3,
          [],
        ]] as const
      ) {
        const index = Int32Array.from(list);
        const x = random(panels * wide * 32, 1), y = random(panels * list.length * 32, 2);
        compare(build, "gatherFeaturesF32", [panels, wide, list.length, index, x, new Float32Array(y.length)], () => 0);
        for (const accumulate of [0, 1]) {
          const sums: Bound = (want) => unitRoundoff * 4 * (Math.abs(want) + 4);
          const args: Argument[] = [panels, wide, list.length, accumulate, index, y, random(x.length, 3)];
          compare(build, "scatterFeaturesF32", args, sums);
        }
      }
      for (const [narrow, wide, offset] of [[1, 1, 0], [2, 5, 0], [2, 5, 3], [38, 76, 38], [3, 4, 1]]) {
        const small = random(panels * narrow * 32, 4), large = random(panels * wide * 32, 5);
        compare(build, "insertFeaturesF32", [panels, narrow, wide, offset, small, large.slice()], () => 0);
        for (const accumulate of [0, 1]) {
          const args = [panels, narrow, wide, offset, accumulate, large, small.slice()];
          compare(build, "extractFeaturesF32", args, (want) => accumulate * unitRoundoff * Math.abs(want));
        }
      }
    }
  });
}
