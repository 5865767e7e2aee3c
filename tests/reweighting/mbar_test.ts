import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { bennettAcceptanceRatio } from "../../src/reweighting/bar.ts";
import { CounterRandom } from "../../src/reweighting/counter_random.ts";
import type { Estimate } from "../../src/reweighting/estimate.ts";
import { mbar, type MbarOptions, type MbarResult } from "../../src/reweighting/mbar.ts";
import { coverage, isHonest, logisticQuantiles, manyChains, messageOf } from "./statistics.ts";

/** Harmonic states k(x − m)²/2 + offset: F = ½ ln k + offset, relative to the first. */
const STATES = [
  { center: 0, stiffness: 1, offset: 0 },
  { center: 0.8, stiffness: 2, offset: 5 },
  { center: 1.5, stiffness: 4, offset: -3 },
  { center: 2.5, stiffness: 3, offset: 1 },
];
const TRUTHS = STATES.map(({ stiffness, offset }) => 0.5 * Math.log(stiffness) + offset);

/** Reduced potentials [4, n] of samples given in units of the width of the state that drew them. */
function potentialsOf(scaled: readonly Float64Array[]) {
  const states = Int32Array.from(scaled.flatMap((list, k) => Array.from(list, () => k)));
  const x = scaled.flatMap((list, k) => Array.from(list, (z) => STATES[k].center + z / Math.sqrt(STATES[k].stiffness)));
  const rows = STATES.map((s) => x.map((value) => 0.5 * s.stiffness * (value - s.center) ** 2 + s.offset));
  return { potentials: Float64Array.from(rows.flat()), states, x };
}

/** Chains in all states but the second. */
function draw(random: CounterRandom, chains: number, length: number, correlation: number) {
  const lists = [0, 2, 3].map(() => manyChains(chains, length, correlation, random));
  const [first, ...rest] = lists.map((list) => list.values);
  const { potentials, states } = potentialsOf([first, new Float64Array(0), ...rest]);
  const blocks = Int32Array.from(lists.flatMap((list, k) => Array.from(list.labels, (label) => 100 * k + label)));
  return { potentials, states, blocks };
}

/** One free energy of a result as an estimate. */
function entry({ freeEnergies, standardErrors }: MbarResult, k: number): Estimate {
  const [value, standardError] = [freeEnergies[k], standardErrors[k]];
  const half = 1.96 * standardError;
  return { value, standardError, interval95: [value - half, value + half], reliable: true, reason: null };
}

Deno.test("mbar() agrees with pymbar", () => {
  // pymbar 3.1.0 (Debian python3-pymbar), MBAR(u, [40, 60, 50, 0], relative_tolerance=1e-13).
  const quantiles = [40, 60, 50, 0].map((n) => logisticQuantiles(n).map((q) => 0.55 * q));
  const { potentials, states } = potentialsOf(quantiles);

  const { freeEnergies, logWeights, reason } = mbar(potentials, states);

  assertEquals(reason, "only 8.3 samples are effective for state 3, fewer than 50");
  [0, 5.3218699178811715, -2.3085690925901012, 1.6736672825532577].forEach((value, k) =>
    assertAlmostEquals(freeEnergies[k], value, 1e-9)
  );
  [[0, -0.802502252829774], [40, -3.2369644161295703], [100, -4.637090292316724], [149, -1.905728681477048]]
    .forEach(([i, value]) => assertAlmostEquals(logWeights[i], value, 1e-9));
});

Deno.test("mbar() solves its equations to the tolerance, from far away too", () => {
  const { potentials, states } = draw(new CounterRandom(1), 1, 200, 0);
  const n = states.length;
  const far = potentials.map((u, i) => u + [0, 3000, -2000, 500][Math.floor(i / n)]);

  const { freeEnergies, logWeights } = mbar(far, states);

  for (let k = 0; k < 4; k++) {
    let sum = 0;
    for (let i = 0; i < n; i++) sum += Math.exp(freeEnergies[k] - far[k * n + i] + logWeights[i]);
    // freeEnergies are relative to state 0, as logWeights are; 1e-8 in f is 1e-8 in the sum.
    assertAlmostEquals(sum, 1, 3e-8);
  }
  const near = mbar(potentials, states).freeEnergies;
  [0, 3000, -2000, 500].forEach((shift, k) => assertAlmostEquals(freeEnergies[k] - shift, near[k], 3e-8));
});

Deno.test("mbar() of two states is the Bennett acceptance ratio", () => {
  const { potentials, states } = draw(new CounterRandom(2), 1, 150, 0);
  const n = states.length;
  const two = [0, 2].map((k) => Int32Array.from(states.keys()).filter((i) => states[i] === k));
  const both = [...two[0], ...two[1].subarray(0, 70)];
  const result = mbar(
    Float64Array.from([0, 2].flatMap((k) => both.map((i) => potentials[k * n + i]))),
    both.map((i) => states[i] / 2),
  );
  const work = (i: number) => potentials[2 * n + i] - potentials[i];
  const bar = bennettAcceptanceRatio(
    Float64Array.from(two[0], work),
    Float64Array.from(two[1].subarray(0, 70), (i) => -work(i)),
    { replicates: 0 },
  );

  assertAlmostEquals(result.freeEnergies[1], bar.value!, 1e-8);
  assertAlmostEquals(result.standardErrors[1], bar.asymptoticError!, 0.01 * bar.asymptoticError!);
});

Deno.test("mbar() covers known free energies of sampled and unsampled states, and twins of it do not", () => {
  const results: MbarResult[] = [];
  const keep = (random: CounterRandom, k: number) => {
    const { potentials, states } = draw(random, 1, 150, 0);
    results.push(mbar(potentials, states));
    return entry(results[results.length - 1], k);
  };

  const sampled = coverage(200, TRUTHS[2], (random) => keep(random, 2));
  assert(isHonest(sampled), JSON.stringify(sampled));
  const replay = (k: number, change: (e: Estimate) => Estimate = (e) => e) => {
    let next = 0;
    return coverage(200, TRUTHS[k], () => change(entry(results[next++], k)));
  };
  assert(isHonest(replay(1)) && isHonest(replay(3)), JSON.stringify([replay(1), replay(3)]));
  const countShift = Math.log(2);
  const moved = ({ value, interval95, ...rest }: Estimate): Estimate => ({
    ...rest,
    value: value! + countShift,
    interval95: [interval95![0] + countShift, interval95![1] + countShift],
  });
  const flipped = (e: Estimate): Estimate => ({
    ...e,
    value: -e.value!,
    interval95: [-e.interval95![1], -e.interval95![0]],
  });
  assert(!isHonest(replay(2, moved)) && !isHonest(replay(2, flipped)));
});

Deno.test("mbar() with blocks covers with correlated samples, without them it does not", () => {
  const run = (whole: boolean) => (random: CounterRandom) => {
    const { potentials, states, blocks } = draw(random, 20, 25, 0.8);
    const options: MbarOptions = whole ? { blocks } : {};
    return entry(mbar(potentials, states, options), 2);
  };

  const honest = coverage(200, TRUTHS[2], run(true));
  assert(isHonest(honest), JSON.stringify(honest));
  assert(!isHonest(coverage(120, TRUTHS[2], run(false))));
});

Deno.test("mbar() says which states do not overlap", () => {
  // States 0 and 1 share samples, and so do 2 and 3; the pairs lie 40 apart.
  const random = new CounterRandom(3);
  const x = [0, 0.5, 40, 40.5].map((center) => manyChains(1, 50, 0, random).values.map((z) => center + z));
  const all = x.flatMap((list) => [...list]);
  const potentials = Float64Array.from([0, 0.5, 40, 40.5].flatMap((m) => all.map((value) => 0.5 * (value - m) ** 2)));
  const states = x.flatMap((list, k) => Array.from(list, () => k));

  const { reliable, reason } = mbar(potentials, states);

  assert(!reliable);
  assertEquals(reason, "state 2 overlaps by less than 0.03 with the states reached from state 0");
});

Deno.test("mbar() refuses sizes and potentials that do not fit", () => {
  const task = "Cannot solve the multistate equations";
  assertEquals(
    messageOf(() => mbar(new Float64Array(5), [0, 1])),
    `${task}: reducedPotentials must have a multiple of 2 entries, got 5`,
  );
  assertEquals(
    messageOf(() => mbar(new Float64Array(4), [0, 2])),
    `${task}: states must be integers from 0 to 1, got 2 at index 1`,
  );
  assertEquals(
    messageOf(() => mbar(Float64Array.of(0, NaN, 0, 0), [0, 1])),
    `${task}: reducedPotentials must be above -Infinity and not NaN, got NaN for sample 1 in state 0`,
  );
  assertEquals(
    messageOf(() => mbar(Float64Array.of(0, 0, 0, Infinity), [0, 1])),
    `${task}: reducedPotentials must be finite in the state that drew the sample, got Infinity for sample 1 in state 1`,
  );
  assertEquals(
    messageOf(() => mbar(Float64Array.of(0, 0), [0, 0], { tolerance: 0 })),
    `${task}: tolerance must be positive, got 0`,
  );
});
