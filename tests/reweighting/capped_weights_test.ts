import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { cappedLogWeights } from "../../src/reweighting/capped_weights.ts";
import { CounterRandom } from "../../src/reweighting/counter_random.ts";
import { kishEffectiveSampleSize } from "../../src/reweighting/effective_sample_size.ts";
import { logSumExp, maximum } from "../../src/reweighting/log_sum_exp.ts";
import { paretoSmoothedLogWeights } from "../../src/reweighting/pareto_smoothing.ts";
import { messageOf, normals } from "./statistics.ts";

const n = 1000;
/** Log weights whose spread goes from none to far beyond what float64 can hold as weights. */
const laws: Readonly<Record<string, Float64Array>> = {
  "equal": new Float64Array(n),
  "light": normals(n, new CounterRandom(1)).map((v) => 0.3 * v),
  "heavy": normals(n, new CounterRandom(2)).map((v) => 4 * v),
  "beyond float64": normals(n, new CounterRandom(3)).map((v) => 2000 * v),
  "a tenth zero": normals(n, new CounterRandom(4)).map((v, i) => i % 10 === 0 ? -Infinity : 10 * v + 1e5),
};

/** Rounding of a thousand sums of logarithms of size 1e5. */
const ROUNDING = 1e-9;

const logShare = (logWeights: Float64Array) => maximum(logWeights) - logSumExp(logWeights);

/** What makes a cap right: no share above 1/m, and none smaller than it must be. */
function assertCapped(logWeights: Float64Array, capped: Float64Array, m: number): void {
  const cap = maximum(capped);
  assertEquals(capped, logWeights.map((value) => Math.min(value, cap)), "weights are capped, and nothing else");
  const largest = logShare(capped);
  if (!(largest <= -Math.log(m) + ROUNDING)) throw new Error(`the largest share is ${Math.exp(largest)}, m is ${m}`);
  if (cap < maximum(logWeights) && !(largest >= -Math.log(m) - ROUNDING)) {
    throw new Error(`the cap is lower than it must be: the largest share is ${Math.exp(largest)}, m is ${m}`);
  }
}

for (const [name, logWeights] of Object.entries(laws)) {
  Deno.test(`cappedLogWeights() lets no weight hold more than 1/m, by the largest such cap: ${name}`, () => {
    for (const m of [1, 1.5, 2, 10, 100, 333.3, 900]) {
      const capped = cappedLogWeights(logWeights, m);
      assertCapped(logWeights, capped, m);
      assert(kishEffectiveSampleSize(capped) >= m * (1 - ROUNDING));
    }
    assertEquals(cappedLogWeights(logWeights, 1), logWeights, "m = 1 asks for nothing");
  });
}

Deno.test("the law of the cap rejects none, one that is too low, and Pareto smoothing", () => {
  const { heavy } = laws;
  const m = 100;
  const capped = cappedLogWeights(heavy, m);
  const rejects = (wrong: Float64Array, why: string) => assertThrows(() => assertCapped(heavy, wrong, m), Error, why);
  rejects(heavy, "the largest share is");
  rejects(capped.map((value) => Math.min(value, maximum(capped) - 0.1)), "the cap is lower than it must be");
  // Of a weight that holds more than 1/m, 1/m is not what is left when the sum has shrunk, too.
  rejects(heavy.map((value) => Math.min(value, logSumExp(heavy) - Math.log(m))), "the largest share is");
  rejects(paretoSmoothedLogWeights(heavy), "weights are capped, and nothing else");
  // Smoothed weights of this tail still leave a quarter of the sum to one sample.
  const share = Math.exp(logShare(paretoSmoothedLogWeights(heavy)));
  assert(share > 0.25, `${share}`);
});

Deno.test("cappedLogWeights() makes weights equal where fewer than m are above zero", () => {
  const few = Float64Array.of(-Infinity, 3, -Infinity, 1, 7, -Infinity, -Infinity, -Infinity);
  assertEquals([...cappedLogWeights(few, 3)], [-Infinity, 1, -Infinity, 1, 1, -Infinity, -Infinity, -Infinity]);
  assertEquals(cappedLogWeights(few, 8), cappedLogWeights(few, 3));
  // With two of three as the bound, the sum without the largest decides: c = (e³ + e) / (2 − 1).
  assertAlmostEquals(maximum(cappedLogWeights(few, 2)), Math.log(Math.exp(3) + Math.E), 1e-12);
  const none = new Float64Array(3).fill(-Infinity);
  assertEquals(cappedLogWeights(none, 2), none);
});

Deno.test("cappedLogWeights() refuses what is no list of log weights and no number of samples", () => {
  const weights = new Float64Array(4);
  for (const bad of [0, 0.99, 4.01, NaN]) {
    assertEquals(
      messageOf(() => cappedLogWeights(weights, bad)),
      `Cannot cap the weights: leastEffective must be from 1 to 4, got ${bad}`,
    );
  }
  assertEquals(
    messageOf(() => cappedLogWeights(Float64Array.of(0, NaN), 1)),
    "Cannot cap the weights: logWeights must be below +Infinity and not NaN, got NaN at index 1",
  );
});
