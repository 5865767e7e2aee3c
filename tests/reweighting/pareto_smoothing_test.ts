import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { CounterRandom } from "../../src/reweighting/counter_random.ts";
import { fitGeneralisedPareto, generalisedParetoQuantile } from "../../src/reweighting/generalised_pareto.ts";
import { logSumExp } from "../../src/reweighting/log_sum_exp.ts";
import { paretoK, paretoKLimit, paretoSmoothedLogWeights } from "../../src/reweighting/pareto_smoothing.ts";
import { messageOf, normals } from "./statistics.ts";

/** Log weights of a log-logistic law in scrambled order, the same in any language. */
function scrambledLogistic(scale: number): Float64Array {
  return new Float64Array(1000).map((_, i) => {
    const turn = (i + 0.5) * 0.6180339887498949;
    const p = turn - Math.floor(turn);
    return scale * Math.log(p / (1 - p));
  });
}

/**
 * Source: py/psis.py of github.com/avehtari/PSIS at b6f1f90, function psislw(lw), run once under numpy 1.24;
 * smoothed sums only where its rule k ≥ 1/3 smooths too.
 */
const GOLDEN = [
  { scale: 0.3, shape: 0.3505747803579281, smoothed: 7.062738548859443, largest: 2.4220810731032234 },
  { scale: 0.6, shape: 0.6212169122055455, smoothed: 7.566636269324128, largest: 4.6379195086511125 },
  { scale: 1.2, shape: 1.164598423954598, smoothed: 9.905698882148997, largest: 8.941151343409508 },
];

/** Whether a fit reproduces the independent numbers to rounding (a thousand logarithms, exponents up to 9). */
function agreesWithGolden(fit: (logWeights: Float64Array) => number): boolean {
  return GOLDEN.every(({ scale, shape }) => Math.abs(fit(scrambledLogistic(scale)) - shape) < 1e-12);
}

Deno.test("paretoK() and paretoSmoothedLogWeights() agree with the authors' code", () => {
  assert(agreesWithGolden(paretoK));
  for (const { scale, smoothed, largest } of GOLDEN) {
    const weights = paretoSmoothedLogWeights(scrambledLogistic(scale));

    assertAlmostEquals(logSumExp(weights), smoothed, 1e-12);
    assertAlmostEquals(weights.reduce((most, weight) => Math.max(most, weight), -Infinity), largest, 1e-12);
  }
});

Deno.test("the golden numbers reject a tail of another length and a fit without its prior", () => {
  const withoutPrior = (logWeights: Float64Array) => (paretoK(logWeights) * (95 + 10) - 5) / 95;
  const halfTail = (logWeights: Float64Array) => {
    const sorted = Float64Array.from(logWeights).sort().map(Math.exp);
    return fitGeneralisedPareto(sorted.subarray(953).map((weight) => weight - sorted[952])).shape;
  };

  assert(!agreesWithGolden(withoutPrior));
  assert(!agreesWithGolden(halfTail));
});

Deno.test("fitGeneralisedPareto() finds shape and scale of known distributions", () => {
  for (const shape of [-0.3, 0.2, 0.5, 0.9]) {
    const [n, repeats] = [500, 40];
    let mean = 0;
    let scale = 0;
    for (let repeat = 0; repeat < repeats; repeat++) {
      const random = new CounterRandom(11, repeat);
      const exceedances = new Float64Array(n)
        .map(() => generalisedParetoQuantile({ shape, scale: 2 }, random.uniform())).sort();
      const fit = fitGeneralisedPareto(exceedances);
      mean += (fit.shape * (n + 10) - 5) / n / repeats;
      scale += fit.scale / repeats;
    }
    // The fit is efficient: its variance is (1 + k)²/n for the shape and 2 (1 + k) σ²/n for the scale (Smith 1987);
    // five standard errors of the mean of 40 fits, and a bias of the order 1/n.
    const error = (1 + shape) / Math.sqrt(n * repeats);
    assert(Math.abs(mean - shape) < 5 * error + 3 / n, `shape ${mean} for ${shape}`);
    assert(Math.abs(scale - 2) < 5 * 2 * Math.sqrt(2 * (1 + shape) / (n * repeats)) + 2 * 4 / n, `scale ${scale}`);
  }
});

Deno.test("paretoK() grows with the spread of lognormal weights and tells usable from hopeless", () => {
  const shapes = [0.3, 1, 2, 4].map((spread) => paretoK(normals(4000, new CounterRandom(2)).map((z) => spread * z)));

  assertEquals(shapes, [...shapes].sort((a, b) => a - b));
  assert(shapes[0] < 0.3 && shapes[1] < 0.7 && shapes[3] > 0.7, String(shapes));
});

Deno.test("paretoK() is infinite where a tail says nothing or is bounded", () => {
  assertEquals(paretoK(new Float64Array(20)), Infinity);
  assertEquals(paretoK(new Float64Array(100)), -Infinity);
  assertEquals(paretoK(Float64Array.from({ length: 100 }, (_, i) => -100 * i)), Infinity);
});

Deno.test("paretoK() of weights with equal ones at the end of the tail is that of what exceeds them", () => {
  const n = 20_000;
  const tailOf = (shape: number, length: number) =>
    Array.from({ length }, (_, i) => Math.log(1 + ((1 - (i + 0.5) / length) ** -shape - 1) / shape));
  for (const [shape, usable] of [[-0.5, true], [0.1, true], [0.4, true], [1.2, false]] as const) {
    // 425 weights are asked for: a hundred exceed three thousand equal ones, or three do.
    const tied = Float64Array.from({ length: n }, (_, i) => i < 3000 ? 0 : -1 - i / n);
    tied.set(tailOf(shape, 100), 3500);
    const k = paretoK(tied);
    // The prior of ten samples and the scatter of a hundred: (1 + k)/10.
    assert(Math.abs(k - (100 * shape + 5) / 110) < 2 * (1 + Math.abs(shape)) / 10, `${shape} ${k}`);
    assertEquals(k < paretoKLimit(n), usable);
    assertEquals(paretoSmoothedLogWeights(tied).filter((log, i) => log !== tied[i] && tied[i] <= 0).length, 0);
  }
  const few = Float64Array.from({ length: n }, (_, i) => i < 3000 ? 0 : -1 - i / n);
  few.set([0.01, 0.02, 0.03], 4000);
  assert(paretoK(few) < paretoKLimit(n));
  // A few far above all the others, which are equal: no telling.
  few.fill(0, 0, 4000).fill(0, 4003);
  assertEquals(paretoK(few), Infinity);
});

Deno.test("paretoK() does not see factors or weights of zero", () => {
  const weights = scrambledLogistic(0.6);
  const padded = new Float64Array(5000).fill(-Infinity);
  padded.set(weights.map((weight) => weight - 500), 777);

  assertAlmostEquals(paretoK(padded), paretoK(weights), 1e-10);
});

Deno.test("paretoSmoothedLogWeights() keeps the order and all weights below the tail", () => {
  const weights = scrambledLogistic(1.2);
  const smoothed = paretoSmoothedLogWeights(weights);
  const order = Int32Array.from(weights.keys()).sort((i, j) => weights[i] - weights[j]);

  for (let z = 1; z < 1000; z++) assert(smoothed[order[z]] >= smoothed[order[z - 1]]);
  for (let z = 0; z < 1000 - 95; z++) assertEquals(smoothed[order[z]], weights[order[z]]);
});

Deno.test("paretoKLimit() is min(0.7, 1 - 1/log10 S)", () => {
  assertAlmostEquals(paretoKLimit(100), 0.5, 1e-15);
  assertAlmostEquals(paretoKLimit(1000), 2 / 3, 1e-15);
  assertEquals(paretoKLimit(1e6), 0.7);
  assertEquals(paretoKLimit(0), -Infinity);
});

Deno.test("paretoK() refuses NaN", () => {
  assertEquals(
    messageOf(() => paretoK(Float64Array.of(1, NaN))),
    "Cannot fit the tail of the weights: logWeights must be below +Infinity and not NaN, got NaN at index 1",
  );
});
