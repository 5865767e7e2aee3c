import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { freeEnergyDifferenceByCounting } from "../../src/reweighting/counted_difference.ts";
import { CounterRandom } from "../../src/reweighting/counter_random.ts";
import { freeEnergyDifferenceByReweighting } from "../../src/reweighting/reweighted_difference.ts";
import { coverage, isHonest, messageOf, normals } from "./statistics.ts";
import { drawData, drawFlow, TRUTH } from "./two_basins.ts";

const names = ["left", "right"];

Deno.test("freeEnergyDifferenceByReweighting() covers the exact difference, and twins of it do not", () => {
  const settings = { names, replicates: 40 };
  const right = (random: CounterRandom) => {
    const { logWeights, basins } = drawFlow(1500, random);
    return freeEnergyDifferenceByReweighting(logWeights, basins, settings);
  };
  const flipped = (random: CounterRandom) => {
    const { logWeights, basins } = drawFlow(1500, random);
    return freeEnergyDifferenceByReweighting(logWeights, basins, { ...settings, from: 1, to: 0 });
  };
  const unweighted = (random: CounterRandom) => {
    const { basins } = drawFlow(1500, random);
    return freeEnergyDifferenceByReweighting(new Float64Array(1500), basins, settings);
  };
  const poisson = (random: CounterRandom) => {
    // The naive error of a count: 1/√n of the samples in each basin, blind to their weights.
    const { logWeights, basins } = drawFlow(1500, random);
    const estimate = freeEnergyDifferenceByReweighting(logWeights, basins, { names, replicates: 2 });
    const counts = [0, 1].map((basin) => basins.filter((label) => label === basin).length);
    const standardError = Math.sqrt(1 / counts[0] + 1 / counts[1]);
    const half = 1.96 * standardError;
    return { ...estimate, standardError, interval95: [estimate.value! - half, estimate.value! + half] as const };
  };

  const honest = coverage(200, TRUTH, right);
  assert(isHonest(honest), JSON.stringify(honest));
  for (const twin of [flipped, unweighted]) assert(!isHonest(coverage(60, TRUTH, twin)), twin.name);
  assert(!isHonest(coverage(400, TRUTH, poisson)));
});

Deno.test("freeEnergyDifferenceByReweighting() cancels common factors and skips samples outside", () => {
  const { logWeights, basins } = drawFlow(3000, new CounterRandom(1));
  const frames = drawData(new CounterRandom(3));
  const plain = freeEnergyDifferenceByReweighting(logWeights, basins, { names, frames });
  const shifted = freeEnergyDifferenceByReweighting(logWeights.map((v) => v - 800), basins, { names });
  const outside = freeEnergyDifferenceByReweighting(
    logWeights.map((v, i) => basins[i] < 0 ? 300 : v),
    basins,
    { names, frames },
  );

  assert(plain.reliable, plain.reason ?? "");
  assertAlmostEquals(shifted.value!, plain.value!, 1e-11);
  assertAlmostEquals(shifted.standardError!, plain.standardError!, 1e-11);
  assertEquals(outside, plain);
});

Deno.test("freeEnergyDifferenceByReweighting() says when and why it is unreliable or has no estimate", () => {
  const z = normals(4000, new CounterRandom(2));
  const basins = z.map((_, i) => i % 2);
  const reason = (logWeights: Float64Array) => freeEnergyDifferenceByReweighting(logWeights, basins, { names }).reason;

  assert(/^only \d+\.\d samples of basin right are effective, fewer than 50$/.test(
    reason(z.map((v, i) => i % 2 ? 6 * v : v))!,
  ));
  const heavy = z.map((_, i) => i % 2 ? -0.8 * Math.log((i + 0.5) / 4000) : 0);
  assertEquals(
    reason(heavy),
    "the weights of basin right are too heavy-tailed: Pareto k is 0.74, above its limit 0.70",
  );
  assertEquals(reason(z.map((v, i) => i % 2 ? -Infinity : v)), "no sample of basin right has any weight");
});

Deno.test("freeEnergyDifferenceByReweighting() refuses lists and labels that do not fit", () => {
  const task = "Cannot reweight a free-energy difference";
  const weights = new Float64Array(2);
  assertEquals(
    messageOf(() => freeEnergyDifferenceByReweighting(weights, [0], { names })),
    `${task}: basins must have one entry for each of the 2 logWeights, got 1`,
  );
  assertEquals(
    messageOf(() => freeEnergyDifferenceByReweighting(weights, [0, 0.5], { names })),
    `${task}: basins must be integers up to 1, got 0.5 at index 1`,
  );
  assertEquals(
    messageOf(() => freeEnergyDifferenceByReweighting(weights, [0, 1], { names, to: 2 })),
    `${task}: to must be an integer from 0 to 1, got 2`,
  );
});

/** Chains that hop between two basins with given odds per step, started in the stationary distribution. */
function hoppingChains(chains: number, length: number, odds: readonly [number, number], random: CounterRandom) {
  const basins = new Int32Array(chains * length);
  for (let chain = 0; chain < chains; chain++) {
    let basin = random.uniform() < odds[0] / (odds[0] + odds[1]) ? 1 : 0;
    for (let i = 0; i < length; i++) {
      if (random.uniform() < odds[basin]) basin = 1 - basin;
      basins[chain * length + i] = basin;
    }
  }
  return { basins, chains: basins.map((_, i) => Math.floor(i / length)) };
}

Deno.test("freeEnergyDifferenceByCounting() covers the exact difference of hopping chains, by frames it does not", () => {
  const truth = Math.log(0.06 / 0.02);
  const run = (whole: boolean) => (random: CounterRandom) => {
    const { basins, chains } = hoppingChains(16, 400, [0.02, 0.06], random);
    const frames = Int32Array.from(chains, (chain, i) => 8 * chain + (i % 8));
    return freeEnergyDifferenceByCounting(basins, whole ? chains : frames, { replicates: 40 });
  };

  const honest = coverage(200, truth, run(true));
  assert(isHonest(honest), JSON.stringify(honest));
  assert(!isHonest(coverage(150, truth, run(false))));
});

Deno.test("freeEnergyDifferenceByCounting() counts crossings per chain, over frames in neither basin too", () => {
  const few = freeEnergyDifferenceByCounting([0, -1, 1, 1, 0, 0, 0], [1, 1, 1, 1, 1, 2, 2]);

  assertEquals(few.crossings, 2);
  assertEquals(few.reason, "only 2 crossings, fewer than 20");
  assertAlmostEquals(few.value!, Math.log(4 / 2), 1e-15);
  const none = freeEnergyDifferenceByCounting([0, 0, 1, 1], [1, 1, 2, 2]);
  assertEquals([none.value, none.crossings], [null, 0]);
});
