import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { byChain, independentMean, meanOverChains } from "../../../src/experiment/reproduction/independent_mean.ts";

Deno.test("independentMean has the scatter of its numbers as error, and Student's t", () => {
  const { value, standardError, interval95, reliable } = independentMean([1, 2, 6]);
  assertAlmostEquals(value!, 3);
  assertAlmostEquals(standardError!, Math.sqrt(7 / 3)); // variance 14/2, of a mean of three
  assertAlmostEquals(interval95![1] - 3, 4.302653 * standardError!, 1e-5);
  assert(reliable);
  assertEquals(independentMean([1, 2], "doubt").reason, "doubt");
  // One number has no scatter.
  assertEquals([independentMean([4]).standardError, independentMean([4]).reliable], [null, false]);
});

Deno.test("meanOverChains weighs chains alike, and what is not kept takes no part", () => {
  const chains = byChain(Float64Array.of(1, 10, 3, 99, 20, 5), [0, 1, 0, 2, 1, 0], (i) => i !== 3);
  assertEquals(chains, [[1, 3, 5], [10, 20]]);
  const { value, standardError } = meanOverChains(chains);
  assertAlmostEquals(value!, 9);
  assertAlmostEquals(standardError!, 6); // chains 3 and 15; taken one by one the numbers would say 3.4
});
