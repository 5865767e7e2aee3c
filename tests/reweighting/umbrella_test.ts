import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { CounterRandom } from "../../src/reweighting/counter_random.ts";
import { mbar } from "../../src/reweighting/mbar.ts";
import { umbrellaFreeEnergies, type UmbrellaOptions, type UmbrellaSamples } from "../../src/reweighting/umbrella.ts";
import { coverage, isHonest, messageOf } from "./statistics.ts";

/** A double well with a barrier of 6 at 1.5, tilted. */
const potential = (d: number) => 6 * (((d - 1.5) / 0.5) ** 2 - 1) ** 2 + 2 * (d - 1.5);
const WINDOWS = 13;
const center = (window: number) => 0.85 + 1.3 * window / (WINDOWS - 1);
const bias = (window: number, d: number) => 45 * (d - center(window)) ** 2;

/** Two Metropolis runs per window, started at random within it; every second position is kept. */
function simulate(random: CounterRandom, kept: number): UmbrellaSamples {
  const coordinate: number[] = [];
  const windows: number[] = [];
  const blocks: number[] = [];
  for (let window = 0; window < WINDOWS; window++) {
    for (let block = 0; block < 2; block++) {
      let d = center(window) + 0.15 * (random.uniform() - 0.5);
      let energy = potential(d) + bias(window, d);
      for (let step = -20; step < 2 * kept; step++) {
        const trial = d + 0.3 * (random.uniform() - 0.5);
        const trialEnergy = potential(trial) + bias(window, trial);
        if (random.uniform() < Math.exp(energy - trialEnergy)) [d, energy] = [trial, trialEnergy];
        if (step < 0 || step % 2) continue;
        coordinate.push(d);
        windows.push(window);
        blocks.push(block);
      }
    }
  }
  return { coordinate: Float64Array.from(coordinate), windows, blocks };
}

const EDGES = Float64Array.from({ length: 14 }, (_, i) => 0.85 + i / 10);
const OPTIONS: UmbrellaOptions = { count: WINDOWS, bias, edges: EDGES, split: 1.5, resolution: 0.004, replicates: 30 };

/** ∫ e^−U over an interval by the midpoint rule. */
function integral(from: number, to: number): number {
  const n = 4000;
  let sum = 0;
  for (let j = 0; j < n; j++) sum += Math.exp(-potential(from + (to - from) * (j + 0.5) / n)) * (to - from) / n;
  return sum;
}
const TRUTH = Math.log(integral(0.2, 1.5) / integral(1.5, 2.8));

Deno.test("umbrellaFreeEnergies() covers the difference that quadrature gives, and twins of it do not", () => {
  const coarse = { ...OPTIONS, resolution: 0.01 };
  const right = (random: CounterRandom) => umbrellaFreeEnergies(simulate(random, 60), coarse).difference;
  const flipped = (random: CounterRandom) =>
    umbrellaFreeEnergies(simulate(random, 60), { ...coarse, bias: (k, d) => -bias(k, d) }).difference;
  const singles = (random: CounterRandom) => {
    const samples = simulate(random, 60);
    return umbrellaFreeEnergies({ ...samples, blocks: samples.coordinate.map((_, i) => i) }, coarse).difference;
  };

  const honest = coverage(200, TRUTH, right);
  assert(isHonest(honest), JSON.stringify(honest));
  assert(!isHonest(coverage(60, TRUTH, singles)));
  assert(!isHonest(coverage(10, TRUTH, flipped)));
});

Deno.test("umbrellaFreeEnergies() gives the profile that quadrature gives, with a band that covers it", () => {
  const total = integral(0.2, 2.8);
  let outside = 0;
  let chiSquare = 0;
  const repeats = 12;
  for (let repeat = 0; repeat < repeats; repeat++) {
    const { profile } = umbrellaFreeEnergies(simulate(new CounterRandom(77, repeat), 400), OPTIONS);
    for (let bin = 0; bin < EDGES.length - 1; bin++) {
      const exact = -Math.log(integral(EDGES[bin], EDGES[bin + 1]) / total / 0.1);
      const deviation = (profile.freeEnergy[bin]! - exact) / profile.standardError[bin]!;
      chiSquare += deviation ** 2 / (13 * repeats);
      if (exact < profile.lower[bin]! || exact > profile.upper[bin]!) outside++;
    }
  }
  // 156 bins in 12 independent groups whose errors move together: 5 % outside, four deviations of 12 groups of 13.
  assert(outside / 156 < 0.05 + 4 * Math.sqrt(0.05 * 0.95 / 12), `${outside} outside`);
  assert(chiSquare > 0.3 && chiSquare < 2.5, `mean square deviation ${chiSquare}`);
});

Deno.test("umbrellaFreeEnergies() merges samples without harm: the numbers of mbar() on every sample", () => {
  const samples = simulate(new CounterRandom(5), 80);
  const d = samples.coordinate;
  const potentials = Float64Array.from(Array.from({ length: WINDOWS }, (_, k) => [...d].map((x) => bias(k, x))).flat());
  const exact = mbar(potentials, samples.windows);
  const above = [0, 0];
  exact.logWeights.forEach((logWeight, i) => above[d[i] < 1.5 ? 0 : 1] += Math.exp(logWeight));

  for (const resolution of [0.004, 0.0005]) {
    const { windowFreeEnergies, difference, logWeight } = umbrellaFreeEnergies(samples, { ...OPTIONS, resolution });
    // Merging changes the weights by about k·resolution², and free energies of windows add up over a dozen of them.
    const limit = 12 * 45 * resolution ** 2;
    assertAlmostEquals(difference.value!, Math.log(above[0] / above[1]), limit);
    exact.freeEnergies.forEach((value, k) => assertAlmostEquals(windowFreeEnergies[k], value, limit));
    assertAlmostEquals(logWeight(d[7]) - logWeight(d[900]), exact.logWeights[7] - exact.logWeights[900], limit);
  }
});

Deno.test("umbrellaFreeEnergies() says what is wrong with windows that do not overlap or have one block", () => {
  const samples = simulate(new CounterRandom(6), 40);
  const keep = [...samples.windows.length ? Array.from(samples.windows).keys() : []]
    .filter((i) => samples.windows[i] < 4 || samples.windows[i] > 8);
  const gap = {
    coordinate: Float64Array.from(keep, (i) => samples.coordinate[i]),
    windows: keep.map((i) => samples.windows[i]),
    blocks: keep.map((i) => samples.blocks[i]),
  };

  assertEquals(
    umbrellaFreeEnergies(gap, OPTIONS).difference.reason,
    "window 9 overlaps by less than 0.03 with the states reached from window 0",
  );
  assertEquals(
    umbrellaFreeEnergies({ ...samples, blocks: new Int32Array(samples.coordinate.length) }, OPTIONS).difference.reason,
    "window 0 has a single block, which shows no error",
  );
  assertEquals(
    umbrellaFreeEnergies(samples, { ...OPTIONS, split: 9 }).difference.reason,
    "no umbrella sample lies at or above the split at 9",
  );
});

Deno.test("umbrellaFreeEnergies() repeats itself for a seed", () => {
  const samples = simulate(new CounterRandom(7), 30);

  assertEquals(umbrellaFreeEnergies(samples, OPTIONS).profile, umbrellaFreeEnergies(samples, OPTIONS).profile);
});

Deno.test("umbrellaFreeEnergies() refuses what does not fit", () => {
  const task = "Cannot solve umbrella sampling";
  const samples = { coordinate: Float64Array.of(1, 2), windows: [0, 1], blocks: [0, 0] };
  const run = (change: Partial<UmbrellaSamples>, options: Partial<UmbrellaOptions> = {}) =>
    messageOf(() => umbrellaFreeEnergies({ ...samples, ...change }, { ...OPTIONS, ...options }));

  assertEquals(run({ windows: [0] }), `${task}: windows must have one entry for each of the 2 coordinates, got 1`);
  assertEquals(run({ windows: [0, 13] }), `${task}: windows must be integers from 0 to 12, got 13 at index 1`);
  assertEquals(run({}, { split: NaN }), `${task}: split must be finite, got NaN`);
  assertEquals(run({}, { bias: () => Infinity }), `${task}: bias must be finite, got Infinity in window 0 at 1`);
  assertEquals(
    run({}, { resolution: 0 }),
    `${task}: resolution must be above a millionth of the sampled range 1, got 0`,
  );
});
