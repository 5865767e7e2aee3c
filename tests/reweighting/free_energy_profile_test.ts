import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { combinedProfile } from "../../src/reweighting/combined_profile.ts";
import { CounterRandom } from "../../src/reweighting/counter_random.ts";
import type { Estimate } from "../../src/reweighting/estimate.ts";
import { freeEnergyProfile } from "../../src/reweighting/free_energy_profile.ts";
import { binOf, type FreeEnergyProfile } from "../../src/reweighting/profile_band.ts";
import { coverage, isHonest, manyChains, messageOf, normals } from "./statistics.ts";
import { drawData, drawFlow, F_LEFT, F_RIGHT, potential } from "./two_basins.ts";

const { LN2 } = Math;
const EDGES = Float64Array.from({ length: 9 }, (_, i) => -2 + i / 2);

/** −ln of the mean standard normal density over a bin, by the midpoint rule. */
function normalLevel(bin: number): number {
  const [from, to] = [EDGES[bin], EDGES[bin + 1]];
  let sum = 0;
  for (let j = 0; j < 1000; j++) {
    const x = from + (to - from) * (j + 0.5) / 1000;
    sum += Math.exp(-x * x / 2) / Math.sqrt(2 * Math.PI) / 1000;
  }
  return -Math.log(sum);
}

/** One bin of a profile as an estimate. */
function binEstimate(profile: FreeEnergyProfile, bin: number): Estimate {
  const interval95 = [profile.lower[bin]!, profile.upper[bin]!] as const;
  const [value, standardError] = [profile.freeEnergy[bin], profile.standardError[bin]];
  return { value, standardError, interval95, reliable: true, reason: null };
}

/** Samples of width 1.4 with the weights of the standard normal density. */
function weighted(random: CounterRandom) {
  const d = normals(1500, random).map((z) => 1.4 * z);
  return { d, logWeights: d.map((x) => -x * x / 2 + x * x / (2 * 1.96)) };
}

Deno.test("freeEnergyProfile() covers an exact profile bin by bin, and twins of it do not", () => {
  for (const bin of [0, 3]) {
    const right = (random: CounterRandom) => {
      const { d, logWeights } = weighted(random);
      return binEstimate(freeEnergyProfile(d, logWeights, { edges: EDGES, replicates: 40 }), bin);
    };
    const unweighted = (random: CounterRandom) => {
      const { d } = weighted(random);
      return binEstimate(freeEnergyProfile(d, new Float64Array(1500), { edges: EDGES, replicates: 40 }), bin);
    };
    const massNotDensity = (random: CounterRandom) => {
      const estimate = right(random);
      const [low, high] = estimate.interval95!;
      return { ...estimate, value: estimate.value! + LN2, interval95: [low + LN2, high + LN2] as const };
    };

    assert(isHonest(coverage(200, normalLevel(bin), right)), `bin ${bin}`);
    assert(!isHonest(coverage(150, normalLevel(bin), unweighted)), `bin ${bin}`);
    assert(!isHonest(coverage(60, normalLevel(bin), massNotDensity)), `bin ${bin}`);
  }
});

Deno.test("freeEnergyProfile() over chains covers with correlated samples, over samples it does not", () => {
  const run = (whole: boolean) => (random: CounterRandom) => {
    const { values, labels } = manyChains(40, 60, 0.8, random);
    const options = whole ? { edges: EDGES, chains: labels, replicates: 40 } : { edges: EDGES, replicates: 40 };
    return binEstimate(freeEnergyProfile(values, new Float64Array(2400), options), 6);
  };

  const honest = coverage(200, normalLevel(6), run(true));
  assert(isHonest(honest), JSON.stringify(honest));
  assert(!isHonest(coverage(150, normalLevel(6), run(false))));
});

Deno.test("freeEnergyProfile() counts the weight outside its bins and has no value where there is none", () => {
  const d = Float64Array.of(0.1, 0.6, 0.7, 5, -3);
  const { freeEnergy, centers } = freeEnergyProfile(d, new Float64Array(5), { edges: Float64Array.of(0, 0.5, 1, 2) });

  assertAlmostEquals(freeEnergy[0]!, -Math.log(1 / 5 / 0.5), 1e-15);
  assertAlmostEquals(freeEnergy[1]!, -Math.log(2 / 5 / 0.5), 1e-15);
  assertEquals(freeEnergy[2], null);
  assertEquals([...centers], [0.25, 0.75, 1.5]);
});

Deno.test("freeEnergyProfile() counts effective samples: by weight, and fewer where chains hold them", () => {
  const edges = Float64Array.of(0, 1, 2);
  const d = Float64Array.from({ length: 200 }, (_, i) => i < 80 ? 0.5 : 1.5);
  const uneven = Float64Array.from(d, (_, i) => i >= 80 && i < 84 ? Math.log(20) : 0);
  const plain = freeEnergyProfile(d, uneven, { edges });
  assertAlmostEquals(plain.effectiveSamples[0], 80, 1e-9);
  assertAlmostEquals(plain.effectiveSamples[1], (116 + 80) ** 2 / (116 + 1600), 1e-9);
  assertEquals(plain.reliable, [true, false]);

  // Ten chains of 20, each in one bin throughout: as good as one sample per chain.
  const chains = Int32Array.from(d, (_, i) => Math.floor(i / 20));
  const { effectiveSamples, reliable } = freeEnergyProfile(d, new Float64Array(200), { edges, chains });
  assert(effectiveSamples[0] < 5 && effectiveSamples[1] < 7, String(effectiveSamples));
  assertEquals(reliable, [false, false]);
});

Deno.test("binOf() puts an edge into the bin above it", () => {
  const edges = Float64Array.of(0, 1, 2);
  assertEquals([-0.1, 0, 0.9, 1, 1.9, 2, 3].map((value) => binOf(edges, value)), [-1, 0, 0, 1, 1, 2, 2]);
});

Deno.test("freeEnergyProfile() refuses edges and lists that do not fit", () => {
  const task = "Cannot estimate a free-energy profile";
  const run = (edges: number[], d = [0], weights = [0]) =>
    messageOf(() =>
      freeEnergyProfile(Float64Array.from(d), Float64Array.from(weights), { edges: Float64Array.from(edges) })
    );

  assertEquals(run([1]), `${task}: edges must hold at least two values, got 1`);
  assertEquals(run([0, 1, 1]), `${task}: edges must rise, got 1 after 1 at index 2`);
  assertEquals(run([0, 1], [0, 1]), `${task}: coordinate must have one entry for each of the 1 logWeights, got 2`);
  assertEquals(run([0, 1], [NaN]), `${task}: coordinate must be finite, got NaN at index 0`);
  assertEquals(run([0, 1], [0], [-Infinity]), `${task}: logWeights must not all be -Infinity, got only those`);
});

/** −ln of the mean of e^−u / Z over a bin of the two-basin target. */
function targetLevel(from: number, to: number): number {
  let sum = 0;
  for (let j = 0; j < 2000; j++) sum += Math.exp(-potential(from + (to - from) * (j + 0.5) / 2000)) / 2000;
  return -Math.log(sum / (Math.exp(-F_LEFT) + Math.exp(-F_RIGHT)));
}

Deno.test("combinedProfile() covers the exact profile where data, flow or both decide, and twins of it do not", () => {
  const edges = Float64Array.of(-2, -1.4, -0.5, -0.2, 0.6, 1.2, 1.8);
  const settings = { names: ["left", "right"], edges, replicates: 40 };
  const kept: { right: FreeEnergyProfile; frames: FreeEnergyProfile }[] = [];
  const draw = (random: CounterRandom) => {
    const [flow, data] = [drawFlow(1500, random), drawData(random)];
    const right = combinedProfile(flow, data, settings).profile!;
    kept.push({
      right,
      frames: freeEnergyProfile(data.coordinate, new Float64Array(data.logWeights.length), settings),
    });
    return binEstimate(right, 0);
  };

  assert(isHonest(coverage(200, targetLevel(-2, -1.4), draw)));
  for (const bin of [1, 2, 4, 5]) {
    const truth = targetLevel(edges[bin], edges[bin + 1]);
    let next = 0;
    const honest = coverage(200, truth, () => binEstimate(kept[next++].right, bin));
    assert(isHonest(honest), `bin ${bin}: ${JSON.stringify(honest)}`);
    // Frames alone know each basin but not how much of it there is; between the wells there may be none.
    if (bin === 2) continue;
    next = 0;
    assert(!isHonest(coverage(200, truth, () => binEstimate(kept[next++].frames, bin))), `bin ${bin}`);
  }
});

Deno.test("combinedProfile() leaves out a basin without an estimate and says so", () => {
  const random = new CounterRandom(6);
  const [flow, data] = [drawFlow(1500, random), drawData(random)];
  const onlyLeft = { ...flow, basins: Int32Array.from(flow.basins, (basin) => basin === 1 ? -1 : basin) };

  const result = combinedProfile(onlyLeft, data, { names: ["left", "right"], edges: Float64Array.of(-2, -1, 1, 2) });

  assertEquals(result.difference(0, 1).value, null);
  assertEquals(result.profile!.freeEnergy[2], null);
  assert(result.profile!.reliable[0]);
});
