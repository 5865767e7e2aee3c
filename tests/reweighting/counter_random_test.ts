import { assert, assertEquals } from "@std/assert";
import { drawBinomial } from "../../src/reweighting/binomial.ts";
import { CounterRandom } from "../../src/reweighting/counter_random.ts";
import { messageOf } from "./statistics.ts";

Deno.test("CounterRandom is Philox 2x32 of ten rounds", () => {
  // Known answer of the Random123 distribution (kat_vectors, philox2x32 10): counter 0 0, key 0.
  const random = new CounterRandom(0, 0);

  assertEquals([random.uint32(), random.uint32()], [0xff1dae59, 0x6cd10df2]);
});

Deno.test("CounterRandom gives the same numbers again for seed and stream, and others for either changed", () => {
  const draw = (seed: number, stream: number) => {
    const random = new CounterRandom(seed, stream);
    return Array.from({ length: 5 }, () => random.uint32());
  };

  assertEquals(draw(7, 3), draw(7, 3));
  const all = [draw(7, 3), draw(8, 3), draw(7, 4), draw(7 + 2 ** 32, 3)].flat();
  assertEquals(new Set(all).size, all.length);
});

Deno.test("CounterRandom.uniform() has flat moments and no correlation between streams", () => {
  const n = 100_000;
  const [a, b] = [new CounterRandom(1, 0), new CounterRandom(1, 1)];
  let mean = 0;
  let square = 0;
  let product = 0;
  for (let i = 0; i < n; i++) {
    const [x, y] = [a.uniform(), b.uniform()];
    assert(x > 0 && x < 1);
    mean += x / n;
    square += x * x / n;
    product += (x - 0.5) * (y - 0.5) / n;
  }
  // Five standard errors: variances of x, x² and the product are 1/12, 4/45 and 1/144.
  assert(Math.abs(mean - 1 / 2) < 5 * Math.sqrt(1 / 12 / n));
  assert(Math.abs(square - 1 / 3) < 5 * Math.sqrt(4 / 45 / n));
  assert(Math.abs(product) < 5 * Math.sqrt(1 / 144 / n));
});

/** χ² of observed binomial counts over all outcomes expected at least five times. */
function binomialChiSquare(trials: number, probability: number, draws: number, draw: () => number) {
  const observed = new Float64Array(trials + 1);
  for (let i = 0; i < draws; i++) observed[draw()]++;
  let expected = draws * (1 - probability) ** trials;
  let chiSquare = 0;
  let cells = 0;
  for (let k = 0; k <= trials; k++) {
    if (expected >= 5) {
      chiSquare += (observed[k] - expected) ** 2 / expected;
      cells++;
    }
    expected *= (trials - k) / (k + 1) * probability / (1 - probability);
  }
  return { chiSquare, cells };
}

Deno.test("drawBinomial() follows the binomial distribution, which a shifted one does not", () => {
  for (const [trials, probability] of [[3, 0.5], [20, 0.1], [50, 0.93]]) {
    const random = new CounterRandom(5, trials);
    const right = binomialChiSquare(trials, probability, 20_000, () => drawBinomial(trials, probability, random));
    const shifted = () =>
      Math.min(trials, drawBinomial(trials, probability, random) + (random.uniform() < 0.1 ? 1 : 0));
    const wrong = binomialChiSquare(trials, probability, 20_000, shifted);
    // χ² exceeds ν + 5 √(2ν) about once in 10⁴ at these ν.
    const limit = right.cells + 5 * Math.sqrt(2 * right.cells);

    assert(right.chiSquare < limit, `${right.chiSquare} of ${right.cells} cells`);
    assert(wrong.chiSquare > limit, `${wrong.chiSquare} of ${wrong.cells} cells`);
  }
});

Deno.test("drawBinomial() has the right mean and variance at a million trials", () => {
  const [n, p, draws] = [1_000_000, 0.3, 2000];
  const random = new CounterRandom(6);
  let mean = 0;
  let variance = 0;
  for (let i = 0; i < draws; i++) {
    const deviation = drawBinomial(n, p, random) - n * p;
    mean += deviation / draws;
    variance += deviation ** 2 / draws;
  }

  const exact = n * p * (1 - p);
  assert(Math.abs(mean) < 5 * Math.sqrt(exact / draws));
  assert(Math.abs(variance / exact - 1) < 5 * Math.sqrt(2 / draws));
  assertEquals(drawBinomial(0, 0.5, random), 0);
  assertEquals(drawBinomial(9, 0, random), 0);
  assertEquals(drawBinomial(9, 1, random), 9);
});

Deno.test("CounterRandom refuses seeds and streams that are no such integers", () => {
  assertEquals(
    messageOf(() => new CounterRandom(-1)),
    "Cannot start a random stream: seed must be an integer from 0 to 2^53 - 1, got -1",
  );
  assertEquals(
    messageOf(() => new CounterRandom(1, 0.5)),
    "Cannot start a random stream: stream must be an integer from 0 to 2^32 - 1, got 0.5",
  );
});
