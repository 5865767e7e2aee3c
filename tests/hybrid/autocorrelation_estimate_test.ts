import { assert, assertEquals, assertThrows } from "@std/assert";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { autocorrelationEstimate } from "../../src/hybrid/autocorrelation_estimate.ts";
import { RandomStream } from "../../src/random/random_stream.ts";
import { integratedAutocorrelationTime } from "../../src/sampling/autocorrelation.ts";

await loadKernels();

/** Chains of an autoregressive process, x′ = a x + √(1 − a²) N: τ = ½ (1 + a)/(1 − a). */
function process(a: number, chains: number, length: number, seed: number) {
  const values = new Float64Array(chains * length);
  const chain = new Int32Array(values.length).map((_, i) => i % chains);
  for (let c = 0; c < chains; c++) {
    const random = new RandomStream(seed, 1, c);
    let x = random.normal();
    for (let t = 0; t < length; t++) {
      values[t * chains + c] = x;
      x = a * x + Math.sqrt(1 - a * a) * random.normal();
    }
  }
  return { values, chain };
}

Deno.test("the error of an autocorrelation time covers the truth as often as it says", () => {
  const [a, exact] = [0.8, 4.5];
  let [covered, covering] = [0, 0];
  const trials = 100;
  for (let seed = 0; seed < trials; seed++) {
    const { values, chain } = process(a, 16, 1000, seed);
    const { interval95, reliable } = autocorrelationEstimate(values, chain);
    assert(reliable);
    if (interval95![0] <= exact && exact <= interval95![1]) covered++;
    if (interval95![0] <= 1.25 * exact && 1.25 * exact <= interval95![1]) covering++;
  }
  // 95 ± 2.2 of 100 in the long run; four of those fewer at the least.
  assert(covered >= 86, `${covered} of ${trials}`);
  assert(covering < 50, `a time that is off by a quarter is covered ${covering} times`);
});

Deno.test("an autocorrelation time is that of all chains together, and doubted where chains are few or short", () => {
  const { values, chain } = process(0.9, 8, 800, 3);
  const series = Array.from({ length: 8 }, (_, c) => values.filter((_, i) => chain[i] === c));
  assertEquals(autocorrelationEstimate(values, chain).value, integratedAutocorrelationTime(series));
  const short = process(0.9, 8, 100, 3);
  assertEquals(
    autocorrelationEstimate(short.values, short.chain).reason,
    "chains are shorter than 20 autocorrelation times",
  );
  const few = process(0, 2, 1000, 3);
  assertEquals(autocorrelationEstimate(few.values, few.chain).reason, "only 2 chains, fewer than 4");
  assertEquals(autocorrelationEstimate([1, 1, 1, 1], [0, 0, 1, 1]).reason, "nothing varies");
  // Two chains that each stay where they began are slow, not constant.
  const stuck = Float64Array.from({ length: 800 }, (_, i) => i % 8 < 4 ? 0 : 1);
  assert(!autocorrelationEstimate(stuck, Int32Array.from(stuck.keys(), (i) => i % 8)).reliable);
  assertThrows(
    () => autocorrelationEstimate([1, 2, 3], [0, 0]),
    RangeError,
    "Cannot estimate an autocorrelation time: chain must name one for each of 3 values, got 2",
  );
});
