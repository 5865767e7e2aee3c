import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { independentMedian } from "../../../src/experiment/reproduction/independent_median.ts";
import { RandomStream } from "../../../src/random/random_stream.ts";

Deno.test("independentMedian of eight numbers: from the least to the largest, whatever their order", () => {
  const { estimate, rank, coverage } = independentMedian([5, 1, 8, 2, 7, 3, 6, 100]);
  // Φ⁻¹(1 − 2⁻⁸) = 2.6601 of a table: the interval is twice as many standard errors wide.
  assertAlmostEquals(estimate.standardError!, 99 / 2 / 2.6601, 1e-3);
  assertEquals([estimate.value, estimate.interval95, rank, coverage], [5.5, [1, 100], 1, 1 - 2 / 256]);
});

Deno.test("independentMedian takes inner numbers as soon as they hold the median 95 times in 100", () => {
  const upTo = (n: number) => independentMedian(Array.from({ length: n }, (_, k) => k + 1));
  // Tables of the sign test: 1 of 8, 2 of 9 (96.1 %), 6 of 20 (95.9 %).
  assertEquals([8, 9, 20].map((n) => upTo(n).rank), [1, 2, 6]);
  assertAlmostEquals(upTo(9).coverage, 1 - 2 * 10 / 512, 1e-12);
  assertAlmostEquals(upTo(20).coverage, 0.9586, 1e-4);
  assertEquals(upTo(20).estimate.interval95, [6, 15]);
});

Deno.test("independentMedian of fewer than six numbers has no interval, and says so", () => {
  const { estimate } = independentMedian([1, 2, 3, 4, 5]);
  assertEquals([estimate.value, estimate.interval95, estimate.reliable], [3, null, false]);
  assertEquals(estimate.reason, "5 numbers, fewer than six, give no 95 % interval of a median");
  assert(independentMedian([1, 2, 3, 4, 5, 6]).estimate.reliable);
});

Deno.test("intervals of independentMedian hold the median of a skewed distribution as often as they say, not its mean", () => {
  const [n, trials] = [9, 4000];
  const random = new RandomStream(4);
  const [median, mean] = [1, Math.exp(0.5)];
  const held = { median: 0, mean: 0 };
  for (let k = 0; k < trials; k++) {
    const { interval95 } = independentMedian(Array.from({ length: n }, () => Math.exp(random.normal()))).estimate;
    const holds = (value: number) => interval95![0] <= value && value <= interval95![1] ? 1 : 0;
    held.median += holds(median);
    held.mean += holds(mean);
  }
  const coverage = 1 - 20 / 512;
  const tolerance = 4 * Math.sqrt(coverage * (1 - coverage) / trials);
  assertAlmostEquals(held.median / trials, coverage, tolerance);
  assert(held.mean / trials < coverage - tolerance);
});
