import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { basinFreeEnergies } from "../../src/reweighting/basin_free_energies.ts";
import { basinThermodynamics } from "../../src/reweighting/basin_thermodynamics.ts";
import { CounterRandom } from "../../src/reweighting/counter_random.ts";
import { type Estimate, estimateFrom } from "../../src/reweighting/estimate.ts";
import { mbar } from "../../src/reweighting/mbar.ts";
import { coverage, isHonest, messageOf } from "./statistics.ts";
import { drawData, drawFlow, potential, TRUTH } from "./two_basins.ts";

const NAMES = ["left", "right"];

/** Samples with their energies. */
const withEnergy = <S extends { readonly coordinate: Float64Array }>(samples: S) => ({
  ...samples,
  reducedEnergy: samples.coordinate.map(potential),
});
const draw = (random: CounterRandom, correlation?: number) =>
  [withEnergy(drawFlow(1500, random)), withEnergy(drawData(random, correlation))] as const;
const change = ([flow, data]: ReturnType<typeof draw>, replicates = 40) =>
  basinThermodynamics(flow, data, { names: NAMES, replicates }).change(0, 1);

/** ⟨u⟩ between two points, by quadrature. */
function meanEnergy(from: number, to: number): number {
  const step = 1e-4;
  let [weight, sum] = [0, 0];
  for (let x = from + step / 2; x < to; x += step) {
    const u = potential(x);
    weight += Math.exp(-u);
    sum += Math.exp(-u) * u;
  }
  return sum / weight;
}

// The domain ends at 3.5, four widths from the left well's middle: beyond it lies less than a hundredth of an error.
const ENERGY = meanEnergy(0, 3.5) - meanEnergy(-3.5, 0);

Deno.test("basinThermodynamics() covers the exact changes of free energy, energy and entropy", () => {
  const rest: { energy: Estimate; entropy: Estimate }[] = [];
  const free = coverage(200, TRUTH, (random) => {
    const { freeEnergy, ...others } = change(draw(random));
    rest.push(others);
    return freeEnergy;
  });
  assert(isHonest(free), JSON.stringify(free));
  let k = 0;
  const energy = coverage(200, ENERGY, () => rest[k++].energy);
  k = 0;
  const entropy = coverage(200, ENERGY - TRUTH, () => rest[k++].entropy);
  assert(isHonest(energy), JSON.stringify(energy));
  assert(isHonest(entropy), JSON.stringify(entropy));
});

Deno.test("basinThermodynamics() covers with frames of strong correlation, twins that ignore it or the weights do not", () => {
  const right = coverage(150, ENERGY, (random) => change(draw(random, 0.97)).energy);
  assert(isHonest(right), JSON.stringify(right));
  const ownFrames = coverage(120, ENERGY, (random) => {
    const [flow, data] = draw(random, 0.97);
    return change([flow, { ...data, chains: Int32Array.from(data.chains.keys()) }]).energy;
  });
  assert(!isHonest(ownFrames), JSON.stringify(ownFrames));
  const unweighted = coverage(60, ENERGY, (random) => {
    const [flow] = draw(random);
    const parts = [0, 1].map((basin) => {
      const u = Array.from(flow.reducedEnergy.filter((_, i) => flow.basins[i] === basin));
      const mean = u.reduce((sum, v) => sum + v, 0) / u.length;
      return { mean, variance: u.reduce((sum, v) => sum + (v - mean) ** 2, 0) / u.length ** 2 };
    });
    return estimateFrom(parts[1].mean - parts[0].mean, Math.sqrt(parts[0].variance + parts[1].variance));
  });
  assert(!isHonest(unweighted), JSON.stringify(unweighted));
});

Deno.test("basinThermodynamics() is basinFreeEnergies() for free energies, and mbar() weights for energies", () => {
  const random = new CounterRandom(3);
  const [flow, data] = draw(random);
  const all = basinThermodynamics(flow, data, { names: NAMES, replicates: 30, seed: 5 });
  const free = basinFreeEnergies(flow, data, { names: NAMES, replicates: 30, seed: 5 });
  assertEquals(all.basins, free.basins);
  assertEquals(all.change(0, 1).freeEnergy, free.difference(0, 1));

  const n = 1500 + data.logWeights.length;
  const potentials = new Float64Array(3 * n).fill(Infinity);
  const states = new Int32Array(n);
  const at = (i: number) => i < 1500 ? [flow, i] as const : [data, i - 1500] as const;
  for (let i = 0; i < n; i++) {
    const [source, k] = at(i);
    potentials[i] = 0;
    if (source.basins[k] >= 0) potentials[(1 + source.basins[k]) * n + i] = -source.logWeights[k];
    states[i] = i < 1500 ? 0 : 1 + data.basins[k];
  }
  const { logWeights } = mbar(potentials, states);
  for (const basin of [0, 1]) {
    let [weight, sum] = [0, 0];
    for (let i = 0; i < n; i++) {
      const [source, k] = at(i);
      if (source.basins[k] !== basin) continue;
      const w = Math.exp(logWeights[i] + source.logWeights[k]);
      weight += w;
      sum += w * source.reducedEnergy[k];
    }
    assertAlmostEquals(all.energies[basin]!, sum / weight, 1e-7);
  }
});

Deno.test("basinThermodynamics() knows that errors of free energy and energy belong together", () => {
  const random = new CounterRandom(6);
  const { freeEnergy, energy, entropy, covariance } = change(draw(random), 400);
  assertAlmostEquals(entropy.value!, energy.value! - freeEnergy.value!, 1e-12);
  const variance = energy.standardError! ** 2 + freeEnergy.standardError! ** 2 - 2 * covariance!;
  assertAlmostEquals(entropy.standardError!, Math.sqrt(variance), 1e-9);
  assert(covariance !== 0);
});

Deno.test("basinThermodynamics() doubts energies whose free energies it doubts, and says why there is none", () => {
  const random = new CounterRandom(4);
  const [flow, data] = draw(random);
  const oneChain = { ...data, chains: Int32Array.from(data.basins, (basin) => 10 * basin) };
  const doubted = change([flow, oneChain]);
  assert(!doubted.energy.reliable && !doubted.entropy.reliable);
  assertEquals(doubted.energy.reason, doubted.freeEnergy.reason);

  const onlyLeft = { ...flow, basins: Int32Array.from(flow.basins, (basin) => basin === 1 ? -1 : basin) };
  const all = basinThermodynamics(onlyLeft, data, { names: NAMES });
  assertEquals(all.energies[1], null);
  assertEquals(all.change(0, 1).energy.reason, "no flow sample lies in basin right");
  assertEquals(all.change(0, 1).covariance, null);
});

Deno.test("basinThermodynamics() refuses lists that do not fit and energies that are no numbers where they count", () => {
  const random = new CounterRandom(7);
  const [flow, data] = draw(random);
  const task = "Cannot estimate energies of basins";
  const run = (a: object, b: object = {}) =>
    messageOf(() => basinThermodynamics({ ...flow, ...a }, { ...data, ...b }, { names: NAMES }));
  assertEquals(
    run({ reducedEnergy: new Float64Array(3) }),
    `${task}: flow.reducedEnergy must have one entry for each of the 1500 flow.logWeights, got 3`,
  );
  const spoilt = flow.reducedEnergy.slice();
  const inside = flow.basins.indexOf(0);
  spoilt[inside] = NaN;
  assertEquals(
    run({ reducedEnergy: spoilt }),
    `${task}: flow.reducedEnergy must be finite where it has weight, got NaN for sample ${inside}`,
  );
  const elsewhere = flow.reducedEnergy.map((u, i) => flow.basins[i] < 0 ? NaN : u);
  assert(basinThermodynamics({ ...flow, reducedEnergy: elsewhere }, data, { names: NAMES }).energies[0] !== null);
  assertEquals(
    messageOf(() => basinThermodynamics(flow, data, { names: NAMES }).change(0, 2)),
    "Cannot take a change between basins: to must be an integer from 0 to 1, got 2",
  );
});
