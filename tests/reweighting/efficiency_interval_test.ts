import { assert, assertEquals } from "@std/assert";
import { CounterRandom } from "../../src/reweighting/counter_random.ts";
import { samplingEfficiency } from "../../src/reweighting/effective_sample_size.ts";
import { samplingEfficiencyInterval } from "../../src/reweighting/efficiency_interval.ts";
import { messageOf, normals } from "./statistics.ts";

/** Weights uniform on 0 … 1: E[w]² / E[w²] = 3/4. */
const TRUTH = 0.75;
const logWeights = (random: CounterRandom) => new Float64Array(300).map(() => Math.log(random.uniform()));

/** Share of 95 % intervals that hold the truth. */
function covered(interval: (random: CounterRandom, seed: number) => readonly [number, number]): number {
  const repeats = 300;
  let count = 0;
  for (let repeat = 0; repeat < repeats; repeat++) {
    const [low, high] = interval(new CounterRandom(7, repeat), repeat);
    if (low <= TRUTH && TRUTH <= high) count++;
  }
  return count / repeats;
}

// Four standard deviations of a share of 300, and 1 % for the second order in 1/n: the efficiency is not linear in weights.
const ALLOWED = 4 * Math.sqrt(0.05 * 0.95 / 300) + 0.01;

Deno.test("samplingEfficiencyInterval() holds the efficiency of infinitely many samples 95 times in 100 where weights are bounded", () => {
  const honest = covered((random, seed) => samplingEfficiencyInterval(logWeights(random), { seed, replicates: 100 })!);
  assert(Math.abs(honest - 0.95) < ALLOWED, `covers ${honest}`);
  // Twins: of half the width, and of samples that are counted twice.
  const narrow = covered((random, seed) => {
    const [low, high] = samplingEfficiencyInterval(logWeights(random), { seed, replicates: 100 })!;
    return [(3 * low + high) / 4, (low + 3 * high) / 4];
  });
  const doubled = covered((random, seed) => {
    const once = logWeights(random);
    return samplingEfficiencyInterval(Float64Array.of(...once, ...once, ...once), { seed, replicates: 100 })!;
  });
  assert(narrow < 0.95 - ALLOWED && doubled < 0.95 - ALLOWED, `twins cover ${narrow} and ${doubled}`);
});

Deno.test("samplingEfficiencyInterval() is no confidence interval where weights have a tail: the limit lies below it", () => {
  // Log-normal weights of width 1: efficiency e^−1 in the limit.
  let [held, below] = [0, 0];
  for (let seed = 0; seed < 200; seed++) {
    const [low, high] = samplingEfficiencyInterval(normals(1000, new CounterRandom(8, seed)), {
      seed,
      replicates: 60,
    })!;
    if (low > Math.exp(-1)) below++;
    else if (high >= Math.exp(-1)) held++;
  }
  assert(held < 183 && below > 0.9 * (200 - held), `holds it ${held} times, lies above it ${below} times`);
});

Deno.test("samplingEfficiencyInterval() keeps weights of zero in the count and lies around the efficiency", () => {
  const weights = logWeights(new CounterRandom(3));
  const half = Float64Array.of(...weights, ...weights.map(() => -Infinity));
  const [low, high] = samplingEfficiencyInterval(half, { seed: 1 })!;
  assert(low < samplingEfficiency(half) && samplingEfficiency(half) < high);
  assertEquals(samplingEfficiency(half), samplingEfficiency(weights) / 2);
  // A weight of e^−100 beside others changes nothing but n.
  assertEquals(samplingEfficiencyInterval(half.map((w) => Math.max(w, -100)), { seed: 1 }), [low, high]);
});

Deno.test("samplingEfficiencyInterval() is null without any weight and refuses what is no weight", () => {
  assertEquals(samplingEfficiencyInterval(Float64Array.of(-Infinity, -Infinity)), null);
  assertEquals(samplingEfficiencyInterval(Float64Array.of(2)), [1, 1]);
  assertEquals(
    messageOf(() => samplingEfficiencyInterval(Float64Array.of(NaN))),
    "Cannot compute an interval of the efficiency: logWeights must be below +Infinity and not NaN, got NaN at index 0",
  );
});
