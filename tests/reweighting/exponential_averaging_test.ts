import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import type { CounterRandom } from "../../src/reweighting/counter_random.ts";
import { exponentialAveraging, logPartitionFunction } from "../../src/reweighting/exponential_averaging.ts";
import { CounterRandom as Random } from "../../src/reweighting/counter_random.ts";
import { coverage, isHonest, messageOf, normals } from "./statistics.ts";

/** States N(0, 1) and N(0.4, 0.7²), the second raised by 3 k_BT: ΔF = 3 − ln 0.7. */
const TRUTH = 3 - Math.log(0.7);
const work = (x: number) => (x - 0.4) ** 2 / (2 * 0.49) + 3 - x * x / 2;
const draw = (random: CounterRandom) => normals(500, random).map(work);

Deno.test("exponentialAveraging() covers a known difference, and twins of it do not", () => {
  const right = (random: CounterRandom) => exponentialAveraging(draw(random), { replicates: 40 });
  const flipped = (random: CounterRandom) => exponentialAveraging(draw(random).map((w) => -w), { replicates: 40 });
  const meanWork = (random: CounterRandom) => {
    const values = draw(random);
    return { ...right(random), value: values.reduce((a, b) => a + b) / values.length };
  };

  assert(isHonest(coverage(200, TRUTH, right)));
  assert(!isHonest(coverage(60, TRUTH, flipped)));
  assert(!isHonest(coverage(60, TRUTH, meanWork)));
});

Deno.test("logPartitionFunction() counts samples outside the domain, which lowers Z", () => {
  const inside = draw(new Random(1)).map((w) => -w);
  const padded = new Float64Array(1500).fill(-Infinity);
  padded.set(inside);

  const [all, part] = [logPartitionFunction(padded), logPartitionFunction(inside)];

  assertAlmostEquals(all.value!, part.value! - Math.log(3), 1e-12);
  assert(all.standardError! > part.standardError!);
});

Deno.test("exponentialAveraging() takes work of +Infinity as weight zero and says when nothing is left", () => {
  const { value } = exponentialAveraging(Float64Array.of(1, Infinity));
  assertAlmostEquals(value!, 1 + Math.LN2, 1e-15);

  assertEquals(exponentialAveraging(Float64Array.of(Infinity)), {
    value: null,
    standardError: null,
    interval95: null,
    reliable: false,
    reason: "every work is +Infinity: no sample lies within the other state",
  });
});

Deno.test("exponentialAveraging() calls narrow weights reliable and says why broad ones are not", () => {
  const z = normals(5000, new Random(3));

  const work = z.map((x) => 0.5 * x);
  // Under the target e^−w p₀ the logarithm of the weights is shifted by its variance.
  const frames = { logWeights: normals(2000, new Random(5)).map((x) => 0.5 * x + 0.25) };
  assertEquals(exponentialAveraging(work, { frames }).reason, null);
  assertEquals(exponentialAveraging(work).reason, "coverage of states is unchecked: no frames were scored");
  const few = exponentialAveraging(z.map((x) => 8 * x)).reason!;
  assert(/^only \d+\.\d samples are effective, fewer than 50$/.test(few), few);
  // Weights on the quantiles of a Pareto law of shape 0.8: 100 are effective, and yet their mean is not settled.
  const heavy = Float64Array.from({ length: 5000 }, (_, i) => 0.8 * Math.log((i + 0.5) / 5000));
  assertEquals(
    exponentialAveraging(heavy).reason,
    "the weights are too heavy-tailed: Pareto k is 0.78, above its limit 0.70",
  );
});

Deno.test("exponentialAveraging() repeats itself for a seed", () => {
  const values = draw(new Random(4));

  assertEquals(exponentialAveraging(values, { seed: 9 }), exponentialAveraging(values, { seed: 9 }));
});

Deno.test("exponentialAveraging() refuses work of NaN or -Infinity", () => {
  assertEquals(
    messageOf(() => exponentialAveraging(Float64Array.of(0, -Infinity))),
    "Cannot average exponentials of the work: work must be above -Infinity and not NaN, got -Infinity at index 1",
  );
});
