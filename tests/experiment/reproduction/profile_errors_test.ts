import { assert, assertAlmostEquals, assertEquals, assertMatch } from "@std/assert";
import { equalBins, exactBins } from "../../../src/experiment/reproduction/exact_profile.ts";
import { meanProfileError, profileErrors } from "../../../src/experiment/reproduction/profile_errors.ts";
import { RandomStream } from "../../../src/random/random_stream.ts";

const N = 20_000;
const edges = equalBins(-2, 2, 20);
const normal = (x: Float64Array) => x.map((v) => v * v / 2 + 0.5 * Math.log(2 * Math.PI));
const exact = exactBins(normal, edges);
const samples = new RandomStream(5).fillNormals(new Float64Array(N));
const options = { edges, exact, replicates: 100, seed: 1 };
const unweighted = new Float64Array(N);
/** √ mean (1 − p)/(N p): the error of −ln of a share p of N independent samples. */
const expected = Math.sqrt(
  exact.reduce((sum, f) => sum + (1 - Math.exp(-f) * 0.2) / (N * Math.exp(-f) * 0.2), 0) / 20,
);

Deno.test("profileErrors of exact samples: both errors are those of independent counts", () => {
  const { bootstrapped, deviation, empty } = profileErrors(samples, unweighted, options);

  // A variance from 100 replicates is known to √(2/100) = 14 %, averaged over 20 bins to 3 %, its root to 1.6 %: four of it.
  assertAlmostEquals(bootstrapped / expected, 1, 0.064);
  // A mean of 20 squares of one normal number each: √(2/20) = 32 %, its root 16 %.
  assertAlmostEquals(deviation / expected, 1, 0.64);
  assertEquals(empty, 0);
});

Deno.test("profileErrors: the published error does not see that a profile is wrong, the distance does", () => {
  const wrong = samples.map((x) => x + 0.3);
  const { bootstrapped, deviation } = profileErrors(wrong, unweighted, options);

  assert(bootstrapped < 2 * expected);
  assert(deviation > 5 * expected);
  // Importance weights p(x)/q(x) of the shifted samples put it right.
  const mended = profileErrors(wrong, wrong.map((x) => (x - 0.3) ** 2 / 2 - x * x / 2), options);
  assert(mended.deviation < 3 * expected);
});

Deno.test("meanProfileError doubts profiles with bins that hold nothing", () => {
  const half = samples.filter((x) => x < 0);
  const errors = [0, 1].map((seed) => profileErrors(half, new Float64Array(half.length), { ...options, seed }));
  const estimate = meanProfileError(errors, "bootstrapped", 20);

  assertEquals(errors[0].empty, 10);
  assertEquals(estimate.reliable, false);
  assertMatch(estimate.reason!, /^10 of 20 bins hold no sample/);
  assertEquals(meanProfileError([{ ...errors[0], empty: 0 }, errors[1]], "deviation", 20).reliable, false);
});
