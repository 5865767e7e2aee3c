import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { loadKernels } from "../../../src/backend/wasm_deno.ts";
import { packResult, unpackResult } from "../../../src/experiment/packed_result.ts";
import { experimentContext } from "../../../src/experiment/reproduction/experiment.ts";
import { explorationExperiment } from "../../../src/experiment/reproduction/exploration.ts";
import { exploredSystems, gridSamples, noisyCopies } from "../../../src/experiment/reproduction/explored_systems.ts";
import { verdictOf } from "../../../src/experiment/reproduction/row.ts";
import { dimerReferences } from "../../../src/system/dimer_references.ts";
import { assertMeanIs, mean, variance } from "../../support/statistics.ts";

await loadKernels();

/** A context that keeps parts as files would, and says which were done. */
async function keeping(kept: Map<string, unknown>, done: string[]) {
  const context = await experimentContext({ seed: 2 });
  return {
    ...context,
    async kept<T>(part: string, work: () => Promise<T>): Promise<T> {
      if (!kept.has(part)) {
        done.push(part);
        kept.set(part, packResult(await work()));
      }
      return unpackResult(kept.get(part) as ReturnType<typeof packResult>, part) as T;
    },
  };
}

Deno.test("the exploration experiment answers every row, keeps its parts, and says the same from what was kept", async () => {
  const [kept, done]: [Map<string, unknown>, string[]] = [new Map(), []];
  const first = await explorationExperiment.run(await keeping(kept, done));

  assertEquals(done.toSorted(), explorationExperiment.parts("smoke").toSorted());
  assertEquals(first.figures.map(({ name }) => name), [...explorationExperiment.figures]);
  assertEquals(first.rows.length, 23);
  for (const row of first.rows) {
    const { value, reason } = row.ours;
    assert(value === null ? reason !== null : Number.isFinite(value), row.quantity);
    assert(row.energyEvaluations > 0 && row.seconds > 0, row.quantity);
    // Ten iterations find nothing, and nothing is claimed.
    assert(row.reference === null || !["agrees", "differs"].includes(verdictOf(row).kind), row.quantity);
  }

  const withoutTime = (rows: typeof first.rows) => rows.map((row) => ({ ...row, seconds: 0 }));
  // The last stretches are lost, and done again from those before.
  for (const part of ["double well to 10", "dimer to 4"]) assert(kept.delete(part));
  done.length = 0;
  const again = await explorationExperiment.run(await keeping(kept, done));
  assertEquals(done, ["double well to 10", "dimer to 4"]);
  assertEquals(withoutTime(again.rows), withoutTime(first.rows));
  assertEquals(again.figures, first.figures);
});

/** ∫ of a density over part of its abscissae, trapezoid rule. */
function integral({ at, value }: { at: Float64Array; value: Float64Array }, from: number): number {
  let sum = 0;
  for (let k = 1; k < at.length; k++) if (at[k - 1] >= from) sum += (at[k] - at[k - 1]) * (value[k] + value[k - 1]) / 2;
  return sum;
}

Deno.test("what explorations are compared with agrees with itself: density, population, independent configurations", async () => {
  const context = await experimentContext();
  for (const explored of exploredSystems().slice(0, 2)) {
    const { population, density, freeEnergyDifference } = await explored.known(context);
    // The range of the picture holds all but a few e⁻⁷; steps of 0.02 and smooth densities leave 1e-3 of the rest.
    assertAlmostEquals(integral(density, -Infinity), 1, 2e-3, explored.name);
    assertAlmostEquals(integral(density, -1e-9), population!.value, 1e-3 * population!.value + 1e-4, explored.name);

    const x = gridSamples(explored, 20_000, 3);
    const states = Array.from(explored.basins.of(x));
    const { other } = explored;
    assertMeanIs(states.map((state) => state === other ? 1 : 0), population!.value, explored.name);
    const [there, here] = [other, 0].map((state) => states.filter((s) => s === state).length);
    // ln of a ratio of counts: its error is about √(1/n₁ + 1/n₂).
    const error = Math.sqrt(1 / there + 1 / here);
    assertAlmostEquals(-Math.log(there / here), freeEnergyDifference!.value, 4 * error, explored.name);
  }
});

Deno.test("a dimer on its barrier is not open, and hardly any of equilibrium is there", async () => {
  const dimer = exploredSystems().find(({ name }) => name === "dimer")!;
  const { population, freeEnergyDifference } = await dimer.known(await experimentContext());
  const [shipped] = dimerReferences.filter(({ temperature }) => temperature === 1);
  const difference = shipped.freeEnergyDifference.value;

  assertEquals(dimer.basins.names[dimer.other], "open");
  const at = (d: number) => {
    const x = new Float64Array(dimer.system.dim);
    x[2] = d;
    return dimer.basins.names[dimer.basins.of(x)[0]];
  };
  assertEquals([1, 1.49, 1.6, 1.79, 1.81, 2.05].map(at), ["closed", "closed", "between", "between", "open", "open"]);
  // The well holds all but e⁻⁴ of what is beyond the top.
  assert(freeEnergyDifference!.value >= difference && freeEnergyDifference!.value < difference + 0.02);
  assertAlmostEquals(population!.value, 1 / (1 + Math.exp(difference)), 0.02 * population!.value);
});

Deno.test("every exploration starts in the first state", async () => {
  const context = await experimentContext();
  for (const explored of exploredSystems()) {
    const { x } = explored.start(context);
    assertEquals(Array.from(explored.basins.of(x)), [0], explored.name);
    if (explored.system.inDomain) assertEquals(Array.from(explored.system.inDomain(x)), [1]);
    const copies = noisyCopies(x, 500, explored.noise, 1);
    assertEquals(new Set(Array.from(explored.basins.of(copies))), new Set([0]), explored.name);
    const differences = copies.map((v, k) => v - x[k % x.length]);
    if (explored.noise === 0) assert(differences.every((v) => v === 0));
    else assertAlmostEquals(Math.sqrt(variance(differences)), explored.noise, 4 * explored.noise / Math.sqrt(2 * 998));
    assertAlmostEquals(mean(differences), 0, 1e-9 + 4 * explored.noise / Math.sqrt(differences.length));
  }
});
