import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { bennettAcceptanceRatio, type BennettOptions } from "../../src/reweighting/bar.ts";
import { solveBennett } from "../../src/reweighting/bar_equation.ts";
import { CounterRandom } from "../../src/reweighting/counter_random.ts";
import type { Estimate } from "../../src/reweighting/estimate.ts";
import { coverage, isHonest, logisticQuantiles, manyChains, messageOf, normals } from "./statistics.ts";

/** Harmonic states of width 1 at 0 and of width 0.6 at 1.2, the second raised by 2 k_BT: ΔF = 2 − ln 0.6. */
const WIDTH = 0.6;
const CENTER = 1.2;
const TRUTH = 2 - Math.log(WIDTH);
const work = (x: number) => (x - CENTER) ** 2 / (2 * WIDTH ** 2) + 2 - x * x / 2;
const backwards = (z: Float64Array) => z.map((value) => -work(CENTER + WIDTH * value));

const options: BennettOptions = { replicates: 40 };

function independent(random: CounterRandom, settings: BennettOptions = options) {
  const [forward, reverse] = [normals(600, random).map(work), backwards(normals(200, random))];
  return bennettAcceptanceRatio(forward, reverse, settings);
}

/** Reverse samples from 12 chains of 40 with inefficiency (1 + 0.8)/(1 − 0.8) = 9. */
function correlated(random: CounterRandom, whole: boolean, replicates = 40) {
  const forward = normals(600, random).map(work);
  const { values, labels } = manyChains(12, 40, 0.8, random);
  return bennettAcceptanceRatio(
    forward,
    backwards(values),
    whole ? { replicates, reverseChains: labels } : { replicates },
  );
}

Deno.test("bennettAcceptanceRatio() agrees with pymbar", () => {
  // pymbar 3.1.0 (Debian python3-pymbar), BAR(forward, reverse, relative_tolerance=1e-14), without and with 30 forward
  // samples of work 1e6.
  const forward = logisticQuantiles(50).map((q) => 2 + 0.8 * q);
  const reverse = logisticQuantiles(80).map((q) => -0.5 + 0.6 * q);
  const outside = new Float64Array(80).fill(Infinity);
  outside.set(forward);

  assertAlmostEquals(bennettAcceptanceRatio(forward, reverse).value!, 1.2061175968102982, 1e-11);
  assertAlmostEquals(bennettAcceptanceRatio(outside, reverse).value!, 1.6761212260560336, 1e-11);
});

Deno.test("bennettAcceptanceRatio() covers a known difference with both errors, and twins of it do not", () => {
  const withoutCounts = (random: CounterRandom): Estimate => {
    const right = independent(random);
    const [low, high] = right.interval95!;
    const shift = Math.log(600 / 200);
    return { ...right, value: right.value! - shift, interval95: [low - shift, high - shift] };
  };
  const flipped = (random: CounterRandom) => {
    const [forward, reverse] = [normals(600, random).map(work), backwards(normals(200, random))];
    return bennettAcceptanceRatio(reverse, forward, options);
  };

  assert(isHonest(coverage(200, TRUTH, independent)));
  assert(isHonest(coverage(200, TRUTH, (random) => independent(random, { replicates: 0 }))));
  assert(!isHonest(coverage(60, TRUTH, withoutCounts)));
  assert(!isHonest(coverage(60, TRUTH, flipped)));
});

Deno.test("bennettAcceptanceRatio() over whole chains covers with correlated samples, over single ones it does not", () => {
  const whole = coverage(200, TRUTH, (random) => correlated(random, true));
  const asymptotic = coverage(200, TRUTH, (random) => correlated(random, true, 0));
  const naive = coverage(150, TRUTH, (random) => correlated(random, false));

  assert(isHonest(whole), JSON.stringify(whole));
  assert(isHonest(asymptotic), JSON.stringify(asymptotic));
  assert(!isHonest(naive), JSON.stringify(naive));
});

Deno.test("bennettAcceptanceRatio() with a statistical inefficiency states honest errors without chains", () => {
  const given = (g: number) => (random: CounterRandom) => {
    const forward = normals(600, random).map(work);
    const { values } = manyChains(1, 900, 0.8, random);
    return bennettAcceptanceRatio(forward, backwards(values), { replicates: 40, statisticalInefficiency: [1, g] });
  };

  assert(isHonest(coverage(200, TRUTH, given(9))));
  assert(!isHonest(coverage(150, TRUTH, given(1))));
});

Deno.test("bennettAcceptanceRatio() takes work of +Infinity as outside the other state", () => {
  // State 1 is the half x > 0 of a normalised Gaussian, with the energy of state 0: ΔF = −ln ½.
  const half = (random: CounterRandom, keep: boolean) => {
    const forward = normals(500, random).map((x) => x > 0 ? 0 : Infinity);
    return bennettAcceptanceRatio(keep ? forward : forward.filter(Number.isFinite), new Float64Array(200), options);
  };

  assert(isHonest(coverage(200, Math.LN2, (random) => half(random, true))));
  const { value } = half(new CounterRandom(1), false);
  assertAlmostEquals(value!, 0, 1e-9); // the twin that drops them
  // Reverse work of +Infinity: state 0 cannot hold half of the samples of state 1, so Z₁ is twice as large.
  const reverse = new Float64Array(200).map((_, i) => i % 2 ? 0 : Infinity);
  assertAlmostEquals(bennettAcceptanceRatio(new Float64Array(100), reverse).value!, -Math.LN2, 1e-9);
});

Deno.test("solveBennett() satisfies its equation for works of any size and spread", () => {
  for (const [spread, shift] of [[1, 0], [1, 1e6], [300, -4000], [1e5, 3e5]]) {
    const random = new CounterRandom(8, Math.round(spread));
    const forward = normals(300, random).map((z) => shift + spread * z);
    const reverse = normals(70, random).map((z) => -shift + spread * z);
    const c = solveBennett(forward, reverse);
    const logSum = (works: Float64Array, at: number) => {
      const terms = works.map((w) =>
        at - w > 0 ? -Math.log1p(Math.exp(w - at)) : at - w - Math.log1p(Math.exp(at - w))
      );
      const largest = Math.max(...terms);
      return largest + Math.log(terms.reduce((sum, term) => sum + Math.exp(term - largest), 0));
    };
    // The slope of the difference is at most 2; c is known to 1e-12 of its size.
    assertAlmostEquals(logSum(forward, c), logSum(reverse, -c), 4e-12 * Math.max(1, Math.abs(c)) + 1e-10);
  }
});

Deno.test("bennettAcceptanceRatio() measures overlap: 1 for equal states, 0 for strangers", () => {
  const equal = bennettAcceptanceRatio(new Float64Array(300), new Float64Array(100));
  const far = bennettAcceptanceRatio(new Float64Array(300).fill(400), new Float64Array(100).fill(400));

  assertAlmostEquals(equal.overlap, 1, 1e-12);
  assert(equal.reliable);
  assert(far.overlap < 1e-12 && !far.reliable);
});

Deno.test("bennettAcceptanceRatio() says why an estimate is unreliable", () => {
  const random = new CounterRandom(1);
  const forward = normals(1000, random).map((z) => 20 + 5 * z);
  const reverse = normals(1000, random);
  const reason = (...settings: Parameters<typeof bennettAcceptanceRatio>) => bennettAcceptanceRatio(...settings).reason;

  assert(/^only \d\.\d forward samples effectively overlap with the other state, fewer than 50$/.test(
    reason(forward, reverse)!,
  ));
  assertEquals(
    reason(reverse, reverse, { reverseChains: reverse.map((_, i) => i % 3) }),
    "only 3 independent chains of reverse samples, fewer than 4",
  );
  assertEquals(
    reason(Float64Array.of(1), Float64Array.of(Infinity)),
    "every reverse work is +Infinity: no sample lies within the other state",
  );
  assertEquals(bennettAcceptanceRatio(Float64Array.of(1), Float64Array.of(Infinity)).value, null);
});

Deno.test("bennettAcceptanceRatio() repeats itself for a seed", () => {
  const run = (seed: number) => independent(new CounterRandom(1), { replicates: 20, seed });

  assertEquals(run(1), run(1));
  assert(run(1).standardError !== run(2).standardError);
});

Deno.test("bennettAcceptanceRatio() refuses bad work and options", () => {
  const zero = new Float64Array(3);
  assertEquals(
    messageOf(() => bennettAcceptanceRatio(Float64Array.of(0, NaN), zero)),
    "Cannot estimate a free-energy difference: forwardWork must be above -Infinity and not NaN, got NaN at index 1",
  );
  assertEquals(
    messageOf(() => bennettAcceptanceRatio(zero, new Float64Array(0))),
    "Cannot estimate a free-energy difference: reverseWork must hold at least one value, got 0",
  );
  assertEquals(
    messageOf(() => bennettAcceptanceRatio(zero, zero, { reverseChains: [1] })),
    "Cannot estimate a free-energy difference: reverseChains must have one entry for each of the 3 reverseWork, got 1",
  );
  assertEquals(
    messageOf(() => bennettAcceptanceRatio(zero, zero, { statisticalInefficiency: [1, 0.5] })),
    "Cannot estimate a free-energy difference: statisticalInefficiency must be finite and at least 1, got 0.5",
  );
});
