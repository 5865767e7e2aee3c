import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { bennettAcceptanceRatio } from "../../src/reweighting/bar.ts";
import { basinFreeEnergies } from "../../src/reweighting/basin_free_energies.ts";
import { combinedProfile } from "../../src/reweighting/combined_profile.ts";
import { CounterRandom } from "../../src/reweighting/counter_random.ts";
import type { Estimate } from "../../src/reweighting/estimate.ts";
import { mbar } from "../../src/reweighting/mbar.ts";
import type { BasinDataSamples, BasinFlowSamples } from "../../src/reweighting/basin_problem.ts";
import { coverage, isHonest, manyChains, messageOf } from "./statistics.ts";
import { drawData, drawFlow, F_LEFT, F_RIGHT, potential, TRUTH } from "./two_basins.ts";

const NAMES = ["left", "right"];

const draw = (random: CounterRandom, correlation?: number) =>
  [drawFlow(1500, random), drawData(random, correlation)] as const;
const solve = (flow: BasinFlowSamples, data: BasinDataSamples) =>
  basinFreeEnergies(flow, data, { names: NAMES, replicates: 40 });

Deno.test("basinFreeEnergies() covers the exact free energies and their difference", () => {
  const results: { left: Estimate; difference: Estimate }[] = [];
  const difference = coverage(200, TRUTH, (random) => {
    const energies = solve(...draw(random));
    results.push({ left: energies.basins[0], difference: energies.difference(1, 0) });
    return energies.difference(0, 1);
  });

  assert(isHonest(difference), JSON.stringify(difference));
  assert(isHonest(coverage(200, F_LEFT, () => results.shift()!.left)));
});

Deno.test("basinFreeEnergies() covers with frames of strong correlation, a twin that ignores it does not", () => {
  const ownFrames = (random: CounterRandom) => {
    const [flow, data] = draw(random, 0.97);
    return solve(flow, { ...data, chains: Int32Array.from(data.chains.keys()) }).difference(0, 1);
  };
  const right = coverage(200, TRUTH, (random) => solve(...draw(random, 0.97)).difference(0, 1));

  assert(isHonest(right), JSON.stringify(right));
  assert(!isHonest(coverage(120, TRUTH, ownFrames)));
});

Deno.test("a twin of basinFreeEnergies() that leaves out the flow samples outside the basin does not cover", () => {
  const insideOnly = (random: CounterRandom) => {
    const [flow, data] = draw(random);
    const forward = flow.logWeights.filter((_, i) => flow.basins[i] === 0).map((v) => -v);
    const reverse = data.logWeights.filter((_, i) => data.basins[i] === 0);
    return bennettAcceptanceRatio(forward, reverse, { replicates: 40 });
  };

  assert(!isHonest(coverage(60, F_LEFT, insideOnly)));
});

Deno.test("basinFreeEnergies() gives each basin the value of a plain acceptance ratio over all flow samples", () => {
  const random = new CounterRandom(1);
  const [flow, data] = [drawFlow(1500, random), drawData(random)];

  const { basins } = basinFreeEnergies(flow, data, { names: NAMES, replicates: 20 });

  for (const basin of [0, 1]) {
    const forward = flow.logWeights.map((v, i) => flow.basins[i] === basin ? -v : Infinity);
    const reverse = data.logWeights.filter((_, i) => data.basins[i] === basin);
    const plain = bennettAcceptanceRatio(forward, reverse, { replicates: 0 });
    assertAlmostEquals(basins[basin].value!, plain.value!, 1e-11);
    assertAlmostEquals(basins[basin].overlap, plain.overlap, 1e-11);
  }
});

Deno.test("basinFreeEnergies() sees that basins share chains", () => {
  // Every frame occurs once in either basin, so that the errors which the chains cause are equal and cancel in the
  // difference; what is left comes from the flow. Two separate bootstraps would add them up.
  const random = new CounterRandom(2);
  const { values, labels } = manyChains(12, 50, 0.9, random);
  const flowValues = manyChains(1, 40_000, 0, random).values;
  const twice = Int32Array.from({ length: 1200 }, (_, i) => i >> 1);

  const energies = basinFreeEnergies(
    { logWeights: flowValues, basins: Int32Array.from(flowValues, (_, i) => i % 2) },
    {
      logWeights: Float64Array.from(twice, (i) => 4 + 2 * values[i]),
      basins: twice.map((_, i) => i % 2),
      chains: twice.map((i) => labels[i]),
    },
    { names: NAMES },
  );

  const [left, right] = energies.basins.map((basin) => basin.standardError!);
  assert(energies.difference(0, 1).standardError! < 0.4 * Math.hypot(left, right));
});

Deno.test("combinedProfile() and basinFreeEnergies() equal mbar() over the flow and the restricted targets", () => {
  const random = new CounterRandom(3);
  const [flow, data] = [drawFlow(800, random), drawData(random)];
  const edges = Float64Array.from({ length: 13 }, (_, i) => -3 + i / 2);
  const combined = combinedProfile(flow, data, { names: NAMES, edges, replicates: 20 });

  // Three states in potentials relative to the flow's: 0, and −ln w inside a basin.
  const n = 800 + data.logWeights.length;
  const potentials = new Float64Array(3 * n).fill(Infinity);
  const states = new Int32Array(n);
  for (let i = 0; i < n; i++) {
    const [source, at] = i < 800 ? [flow, i] : [data, i - 800];
    potentials[i] = 0;
    if (source.basins[at] >= 0) potentials[(1 + source.basins[at]) * n + i] = -source.logWeights[at];
    states[i] = i < 800 ? 0 : 1 + data.basins[at];
  }
  const { freeEnergies, logWeights } = mbar(potentials, states);

  assertAlmostEquals(combined.basins[0].value!, freeEnergies[1], 1e-7);
  assertAlmostEquals(combined.basins[1].value!, freeEnergies[2], 1e-7);
  const masses = new Float64Array(12);
  let total = 0;
  for (let i = 0; i < n; i++) {
    const [source, at] = i < 800 ? [flow, i] : [data, i - 800];
    if (source.basins[at] < 0) continue;
    const weight = Math.exp(logWeights[i] + source.logWeights[at]);
    const bin = Math.floor((source.coordinate[at] + 3) * 2);
    total += weight;
    if (bin >= 0 && bin < 12) masses[bin] += weight;
  }
  masses.forEach((mass, bin) => {
    const expected = mass > 0 ? -Math.log(mass / total / 0.5) : null;
    const found = combined.profile!.freeEnergy[bin];
    if (expected === null || found === null) assertEquals(found, expected);
    else assertAlmostEquals(found, expected, 1e-6);
  });
});

Deno.test("basinFreeEnergies() says which basin has no estimate, or an unreliable one, and why", () => {
  const random = new CounterRandom(4);
  const [flow, data] = [drawFlow(1500, random), drawData(random)];
  const onlyLeft = { ...flow, basins: Int32Array.from(flow.basins, (basin) => basin === 1 ? -1 : basin) };
  const energies = basinFreeEnergies(onlyLeft, data, { names: NAMES });

  assertEquals(energies.basins[1].value, null);
  assertEquals(energies.difference(0, 1).reason, "no flow sample lies in basin right");
  assertEquals(energies.basins[0].reason, null);
  assertAlmostEquals(energies.basins[0].value!, F_LEFT, 5 * energies.basins[0].standardError!);

  const oneChain = { ...data, chains: Int32Array.from(data.basins, (basin) => 10 * basin) };
  assertEquals(
    basinFreeEnergies(flow, oneChain, { names: NAMES }).difference(0, 1).reason,
    "only 1 independent chain of evaluation (basin right) samples, fewer than 4",
  );
  const tiny = drawFlow(60, random);
  const reason = basinFreeEnergies(tiny, data, { names: NAMES }).difference(0, 1).reason!;
  assert(
    /^only \d+\.\d flow \(basin right\) samples effectively overlap with the other state, fewer than 50$/.test(reason),
  );
});

Deno.test("basinFreeEnergies() repeats itself for a seed and is blind to samples outside all basins", () => {
  const random = new CounterRandom(5);
  const [flow, data] = [drawFlow(1500, random), drawData(random)];
  const outside = { ...flow, logWeights: flow.logWeights.map((v, i) => flow.basins[i] < 0 ? 50 + v : v) };
  const run = (samples: typeof flow) => basinFreeEnergies(samples, data, { names: NAMES, seed: 3 }).difference(0, 1);

  assertEquals(run(flow), run(flow));
  assertEquals(run(outside), run(flow));
});

Deno.test("basinFreeEnergies() refuses labels and lists that do not fit", () => {
  const flow = { logWeights: new Float64Array(3), basins: [0, 1, -1] };
  const data = { logWeights: new Float64Array(2), basins: [0, 1], chains: [0, 1] };
  const task = "Cannot estimate free energies of basins";
  const run = (change: object) => messageOf(() => basinFreeEnergies(flow, { ...data, ...change }, { names: NAMES }));

  assertEquals(run({ basins: [0, -1] }), `${task}: data.basins must be integers from 0 to 1, got -1 at index 1`);
  assertEquals(run({ basins: [0, 2] }), `${task}: data.basins must be integers from 0 to 1, got 2 at index 1`);
  assertEquals(
    run({ chains: [0] }),
    `${task}: data.chains must have one entry for each of the 2 data.logWeights, got 1`,
  );
  assertEquals(
    run({ logWeights: Float64Array.of(0, -Infinity) }),
    `${task}: data.logWeights must be above -Infinity and not NaN, got -Infinity at index 1`,
  );
  assertEquals(
    messageOf(() => basinFreeEnergies({ ...flow, basins: [0, 1, 5] }, data, { names: NAMES })),
    `${task}: flow.basins must be integers up to 1, got 5 at index 2`,
  );
  assertEquals(
    messageOf(() => basinFreeEnergies(flow, data, { names: NAMES }).difference(0, 2)),
    "Cannot take a free-energy difference: to must be an integer from 0 to 1, got 2",
  );
});

Deno.test("the two basins of these tests have the free energies that quadrature gives", () => {
  const integral = (from: number, to: number) => {
    const step = 1e-4;
    let sum = 0;
    for (let x = from + step / 2; x < to; x += step) sum += Math.exp(-potential(x)) * step;
    return -Math.log(sum);
  };

  assertAlmostEquals(integral(-8, 0), F_LEFT, 1e-7);
  assertAlmostEquals(integral(0, 8), F_RIGHT, 1e-7);
});
