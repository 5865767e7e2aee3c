import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { activeSamples, drawCounts } from "../../src/reweighting/active_samples.ts";
import { degreesOfFreedom, groupIntoBlocks, singleSamples, varianceOfBlockSums } from "../../src/reweighting/blocks.ts";
import { bootstrap } from "../../src/reweighting/bootstrap.ts";
import { CounterRandom } from "../../src/reweighting/counter_random.ts";
import { bootstrapDoubt, standardDeviation } from "../../src/reweighting/reliability.ts";
import { studentQuantile } from "../../src/reweighting/student_t.ts";
import { coverage, isHonest, manyChains, messageOf, normals } from "./statistics.ts";

/** Bootstrap estimate of a mean with its interval. */
function meanWithError(values: Float64Array, labels: Int32Array | undefined, degrees: number) {
  const mean = (weights: Float64Array) => {
    let sum = 0;
    let size = 0;
    for (let i = 0; i < values.length; i++) {
      sum += weights[i] * values[i];
      size += weights[i];
    }
    return sum / size;
  };
  const options = labels ? { blocks: labels, replicates: 100 } : { replicates: 100 };
  const standardError = standardDeviation(bootstrap(mean, values.length, options));
  const value = mean(new Float64Array(values.length).fill(1));
  const half = studentQuantile(degrees) * standardError;
  return { value, standardError, interval95: [value - half, value + half] as const, reliable: true, reason: null };
}

Deno.test("bootstrap() over chains gives honest errors of a correlated mean, over samples it does not", () => {
  const experiment = (whole: boolean) => (random: CounterRandom) => {
    const { values, labels } = manyChains(12, 60, 0.8, random);
    return meanWithError(values, whole ? labels : undefined, whole ? 11 : Infinity);
  };

  assert(isHonest(coverage(200, 0, experiment(true))));
  assert(!isHonest(coverage(150, 0, experiment(false))));
});

Deno.test("bootstrap() has the unbiased variance for two blocks", () => {
  const values = [1, 3];
  const means = bootstrap((weights) => (weights[0] * values[0] + weights[1] * values[1]) / 2, 2, { replicates: 4000 });
  // Two outcomes, 1 and 3, equally often: variance s²/C = 2/2 = 1. Its estimate has a standard error of 1/√4000 · 1.
  assertAlmostEquals(standardDeviation(means) ** 2, 1, 5 * 0.02);
});

Deno.test("bootstrap() keeps the number of blocks of every stratum", () => {
  const totals = bootstrap((weights) => weights[0] + weights[1] + 10 * (weights[2] + weights[3]), 4, {
    strata: [5, 5, 9, 9],
    replicates: 50,
  });

  assertEquals(new Set(totals), new Set([22]));
});

Deno.test("bootstrap() repeats itself for a seed and not for another", () => {
  const draw = (seed: number) => [...bootstrap((weights) => weights[0] + 2 * weights[1], 5, { seed, replicates: 20 })];

  assertEquals(draw(4), draw(4));
  assert(String(draw(4)) !== String(draw(5)));
});

Deno.test("bootstrap() refuses impossible counts and lists of another length", () => {
  assertEquals(messageOf(() => bootstrap(() => 0, 0)), "Cannot bootstrap: n must be an integer ≥ 1, got 0");
  assertEquals(
    messageOf(() => bootstrap(() => 0, 3, { replicates: 1.5 })),
    "Cannot bootstrap: replicates must be an integer ≥ 2, got 1.5",
  );
  assertEquals(
    messageOf(() => bootstrap(() => 0, 3, { seed: -1 })),
    "Cannot bootstrap: seed must be an integer ≥ 0, got -1",
  );
  assertEquals(
    messageOf(() => bootstrap(() => 0, 3, { blocks: [1, 2] })),
    "Cannot bootstrap: blocks must have one entry for each of the 3 samples, got 2",
  );
});

Deno.test("groupIntoBlocks() puts a block into the stratum of most of its samples", () => {
  const blocks = groupIntoBlocks("test", [30, 30, 30, 7, 7], [1, 0, 1, 0, 0]);

  assertEquals([...blocks.blockOf], [0, 0, 0, 1, 1]);
  assertEquals(blocks.strata.map((members) => [...members]), [[0], [1]]);
});

Deno.test("varianceOfBlockSums() is the variance of a sum of independent scores", () => {
  const scores = normals(200, new CounterRandom(3));
  const { variance, spread } = varianceOfBlockSums(singleSamples(200), scores);
  const mean = scores.reduce((a, b) => a + b) / 200;
  const direct = 200 * scores.reduce((sum, score) => sum + (score - mean) ** 2, 0) / 199;

  assertAlmostEquals(variance, direct, 1e-10);
  assertAlmostEquals(degreesOfFreedom(variance, spread), 199, 1e-9);
});

Deno.test("degreesOfFreedom() is that of one stratum, and between a third of and all pieces of forty equal ones", () => {
  assertEquals(degreesOfFreedom(2, 4 / 8), 7);
  const [strata, repeats] = [40, 400];
  const labels = Int32Array.from({ length: 2 * strata }, (_, i) => i >> 1);
  const blocks = singleSamples(2 * strata, labels);
  let inverse = 0;
  for (let repeat = 0; repeat < repeats; repeat++) {
    const { variance, spread } = varianceOfBlockSums(blocks, normals(2 * strata, new CounterRandom(9, repeat)));
    inverse += 1 / (degreesOfFreedom(variance, spread) + 1) / repeats;
  }
  // Mean of Σ V²/2 / V²: (3 · 40 / 2) / (40 · 42) for sums of χ², so that ν + 1 averages 28 harmonically.
  assertAlmostEquals(1 / inverse, 28, 1);
});

Deno.test("degreesOfFreedom() gives intervals that cover for few strata of two blocks, equal or not; others do not", () => {
  // 4000 repeats: four standard deviations of a share of 95 % are 1.4 %. 183 and 197 of 200 are 91.5 and 98.5 %.
  const covers = (widths: readonly number[], freedom: (variance: number, parts: number[]) => number) => {
    let covered = 0;
    for (let repeat = 0; repeat < 4000; repeat++) {
      const z = normals(2 * widths.length, new CounterRandom(10, repeat));
      const pairs = widths.map((width, k) => [width * z[2 * k], width * z[2 * k + 1]]);
      const parts = pairs.map(([a, b]) => (a - b) ** 2 / 4);
      const variance = parts.reduce((sum, part) => sum + part, 0);
      const half = studentQuantile(Math.max(1, freedom(variance, parts))) * Math.sqrt(variance);
      if (Math.abs(pairs.reduce((sum, [a, b]) => sum + (a + b) / 2, 0)) <= half) covered++;
    }
    return covered / 4000;
  };
  const sumOf = (parts: number[], share: number) => parts.reduce((sum, part) => sum + part * part / share, 0);
  const ours = (variance: number, parts: number[]) => degreesOfFreedom(variance, sumOf(parts, 2));
  const uneven = [1, 0.5, 0.3, 0.2, 0.2, 0.1, 0.1, 0.1];
  for (const widths of [[1], [1, 1], [1, 1, 1], Array<number>(11).fill(1), uneven]) {
    const share = covers(widths, ours);
    assert(share > 0.915 && share < 0.985, `${widths}: ${share}`);
  }
  assert(covers([1, 1], () => Infinity) < 0.9);
  assert(covers(uneven, (variance, parts) => variance * variance / sumOf(parts, 3) - 2) < 0.92);
});

Deno.test("activeSamples() and drawCounts() give the multinomial law on what matters", () => {
  const contributions = Float64Array.of(1, 0, 2, 1e-20, 3, 1e-20);
  const active = activeSamples(contributions, Int32Array.of(0, 0, 0, 0, 1, 2), 3);
  assertEquals([...active], [0, 2, 4, 5]);

  // Each count is binomial(n, 1/n), and two of them have covariance −1/n.
  const [n, kept, draws] = [10_000, 6000, 400];
  const counts = new Float64Array(kept);
  let variance = 0;
  let total = 0;
  for (let r = 0; r < draws; r++) {
    drawCounts(n, kept / n, new CounterRandom(1, r), counts);
    variance += counts.reduce((sum, count) => sum + (count - 1) ** 2, 0) / kept / draws;
    total += (counts.reduce((a, b) => a + b) - kept) ** 2 / draws;
  }
  assertAlmostEquals(variance, 1 - 1 / n, 5 * Math.sqrt(3 / (kept * draws)));
  assertAlmostEquals(total / (kept * (1 - kept / n)), 1, 5 * Math.sqrt(2 / draws));
});

Deno.test("studentQuantile() agrees with tables", () => {
  // Abramowitz and Stegun 1964, table 26.10.
  const table = [[1, 12.706], [2, 4.303], [3, 3.182], [4, 2.776], [5, 2.571], [10, 2.228], [30, 2.042], [120, 1.98]];
  for (const [degrees, quantile] of table) {
    assertAlmostEquals(studentQuantile(degrees), quantile, 0.004 * quantile);
  }
  assertAlmostEquals(studentQuantile(Infinity), 1.959964, 1e-6);
  assert(studentQuantile(1.5) > studentQuantile(2) && studentQuantile(1.5) < studentQuantile(1));
});

Deno.test("bootstrapDoubt() accepts a bell and names tails, lumps and failures", () => {
  const bell = normals(200, new CounterRandom(1));
  const lumps = bell.map((z, i) => (i % 10 === 0 ? 12 : 0) + 0.01 * z);
  const failing = bell.map((z, i) => i % 20 === 0 ? NaN : z);

  assertEquals(bootstrapDoubt(bell), null);
  assert(bootstrapDoubt(lumps)!.startsWith("the bootstrap distribution is far from normal"));
  assertEquals(bootstrapDoubt(failing), "10 of 200 bootstrap replicates gave no estimate");
});
