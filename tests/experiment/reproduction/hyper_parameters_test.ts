import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { loadKernels } from "../../../src/backend/wasm_deno.ts";
import { ERROR_EDGES, gatherProfile } from "../../../src/experiment/reproduction/dimer_umbrella_reference.ts";
import { estimatorError, jackknifed, profileOf } from "../../../src/experiment/reproduction/estimator_error.ts";
import { experimentContext } from "../../../src/experiment/reproduction/experiment.ts";
import { hyperParametersExperiment } from "../../../src/experiment/reproduction/hyper_parameters.ts";
import { configurations } from "../../../src/experiment/reproduction/hyper_parameters_table.ts";
import {
  alignedTo,
  distanceBetween,
  shiftBetween,
  spreadOf,
} from "../../../src/experiment/reproduction/profile_comparison.ts";
import { RandomStream } from "../../../src/random/random_stream.ts";
import { freeEnergyProfile } from "../../../src/reweighting/free_energy_profile.ts";

await loadKernels();

Deno.test("the table of hyper-parameters: ε and the true distance of every row, the published total beside", async () => {
  const { rows, figures } = await hyperParametersExperiment.run(await experimentContext({ seed: 1 }));

  assertEquals(rows.length, 4);
  assertEquals(rows.map(({ published }) => published?.value), ["2.97", undefined, "2.97", undefined]);
  for (const row of rows) assert(row.ours.value! > 0 && row.energyEvaluations > 1e5 && row.seconds > 0);
  // Another seed is another training.
  assert(rows[0].ours.value !== rows[2].ours.value);
  assertEquals(figures.map(({ name }) => name), [...hyperParametersExperiment.figures]);
});

Deno.test("the rows of the table have names and titles of their own and one change each", () => {
  assertEquals(new Set(configurations.map(({ name }) => name)).size, configurations.length);
  assertEquals(new Set(configurations.map(({ title }) => title)).size, configurations.length);
  const find = (name: string) => configurations.find((row) => row.name === name)!;
  assertEquals(find("base").title, "R8, 2×200, w_ML 0.1, w_RC 10");
  assertEquals(find("3 hidden").hidden, [200, 200, 200]);
  assertEquals(find("w_ML 0.01").last, { maximumLikelihood: 0.01, reactionCoordinate: 10 });
});

const EDGES = Float64Array.from({ length: 21 }, (_, k) => k / 20);

/** A draw of n samples that fill [0, 1) evenly, with equal weights. */
function evenDraw(n: number, seed: number) {
  const random = new RandomStream(seed);
  return { d: Float64Array.from({ length: n }, () => random.uniform()), logWeights: new Float64Array(n) };
}

Deno.test("estimatorError is the multinomial error of equal weights, spread of draws included", () => {
  const n = 20_000;
  const draws = [1, 2, 3, 4, 5].map((seed) => evenDraw(n, seed));
  // var ln p̂ = (1 − p) / np for p = 1/20; once by the bootstrap, and 4/5 once more by five draws.
  const single = Math.sqrt(19 / n);
  const expected = single * Math.sqrt(1.8);

  const { all, without } = estimatorError(draws, EDGES, { replicates: 50, seed: 1 });

  // Twenty bins times four degrees of freedom of the draws: 0.8 · √(2/80) / 1.8 of the variance, half of it of ε.
  const tolerance = 4 * 0.5 * 0.8 * Math.sqrt(2 / 80) / 1.8;
  assertAlmostEquals(all! / expected, 1, tolerance);
  assertEquals(without.length, 5);
  // One draw five times over has no spread: what forgets the draws, or the bootstrap, is told apart.
  const same = estimatorError(draws.map(() => draws[0]), EDGES, { replicates: 50, seed: 1 });
  assertAlmostEquals(same.all! / single, 1, tolerance);
  assert(Math.abs(single / expected - 1) > tolerance);
});

Deno.test("estimatorError leaves empty bins out, and has nothing to say where one sample carries all", () => {
  const half = evenDraw(4000, 1);
  const draw = { ...half, d: half.d.map((d) => d / 2) };
  const all = estimatorError([draw, draw], EDGES, { replicates: 20, seed: 1 }).all!;
  const wide = estimatorError([draw, draw], EDGES.map((edge) => edge / 2), { replicates: 20, seed: 1 }).all!;
  assert(all < wide && all > 0, "ten bins of twice the samples each have a smaller error than twenty");

  const lonely = { d: half.d, logWeights: half.logWeights.map((_, i) => i === 0 ? 0 : -Infinity) };
  assertEquals(estimatorError([lonely, lonely], EDGES, { replicates: 20, seed: 1 }).all, null);
  assertEquals(jackknifed(null, [null]).value, null);
});

Deno.test("jackknifed of a mean is its standard error", () => {
  const values = [1, 3, 4, 8];
  const without = values.map((value) => (16 - value) / 3);
  const { standardError, reliable } = jackknifed(4, without);
  // Deviations −3, −1, 0, 4: √(26 / 3 / 4).
  assertAlmostEquals(standardError!, Math.sqrt(26 / 12), 1e-12);
  assert(reliable);
  assertEquals(jackknifed(4, [1, null]).reliable, false);
});

Deno.test("profileOf is the profile of freeEnergyProfile up to a constant, and gatherProfile that of wider bins", () => {
  const { d } = evenDraw(3000, 9);
  const logWeights = d.map((value) => -3 * value);
  const fine = freeEnergyProfile(d, logWeights, { edges: EDGES, replicates: 20 });
  const shift = shiftBetween(profileOf([{ d, logWeights }], EDGES), fine.freeEnergy)!;
  profileOf([{ d, logWeights }], EDGES).forEach((value, bin) => {
    assertAlmostEquals(value!, fine.freeEnergy[bin]! + shift, 1e-12);
  });
  // Draws in one heap are the whole.
  const parts = [0, 1].map((k) => ({
    d: d.slice(1500 * k, 1500 * (k + 1)),
    logWeights: logWeights.slice(1500 * k, 1500 * (k + 1)),
  }));
  assertAlmostEquals(profileOf(parts, EDGES)[3]!, profileOf([{ d, logWeights }], EDGES)[3]!, 1e-12);

  const edges = EDGES.filter((_, k) => k % 4 === 0);
  const wide = freeEnergyProfile(d, logWeights, { edges, replicates: 20 });
  const gathered = gatherProfile(fine, edges);
  gathered.freeEnergy.forEach((value, bin) => {
    assertAlmostEquals(value!, wide.freeEnergy[bin]!, 1e-12);
    // Never less than what the samples of the wide bin give, but for the noise of twenty replicates.
    assert(gathered.standardError[bin]! > 0.5 * wide.standardError[bin]!);
  });
  assertThrows(() => gatherProfile(fine, Float64Array.of(0, 0.123)), RangeError, "got 0.123");
  assertEquals(ERROR_EDGES.length, 50);
});

Deno.test("profiles are compared in shape, over bins that both have", () => {
  const profile = [1, 2, null, 4];
  assertEquals(alignedTo(profile, [0, 2]), [0, 1, null, 3]);
  assertEquals(alignedTo([null, 2], [0]), [null, null]);
  assertEquals(spreadOf([[1, null, 3], [3, null, null]]), [
    { mean: 2, deviation: Math.SQRT2, count: 2 },
    { mean: null, deviation: null, count: 0 },
    { mean: 3, deviation: null, count: 1 },
  ]);
  assertEquals(distanceBetween(profile, profile.map((value) => value === null ? 7 : value + 5)), { value: 0, bins: 3 });
  assertEquals(distanceBetween([0, 0, 0, 2], [0, 2, 0, 0]), { value: Math.SQRT2, bins: 4 });
  assertEquals(distanceBetween([1, null], [1, 2]), null);
});
