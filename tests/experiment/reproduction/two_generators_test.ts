import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { loadKernels } from "../../../src/backend/wasm_deno.ts";
import { experimentContext } from "../../../src/experiment/reproduction/experiment.ts";
import { verdictOf } from "../../../src/experiment/reproduction/row.ts";
import { twoGeneratorsExperiment } from "../../../src/experiment/reproduction/two_generators.ts";
import { scanWells, wellSystems } from "../../../src/experiment/reproduction/two_generators_wells.ts";
import { assertComplete, rowOf } from "../../support/experiment_result.ts";

await loadKernels();

Deno.test("two-generators: rows of three systems, each estimator beside its reference", async () => {
  const result = await twoGeneratorsExperiment.run(await experimentContext({ seed: 1 }));
  const { rows } = result;

  assertComplete(twoGeneratorsExperiment, result);
  // Two temperatures of two wells with three estimators, one temperature of the dimer with two and three.
  assertEquals(rows.length, 2 * 2 * 3 + 2 + 3);
  assertAlmostEquals(rowOf(rows, "Double well: ΔF(right − left), T = 1").reference!.value, 3.37990, 5e-6);
  assertAlmostEquals(rowOf(rows, "Müller-Brown: ΔF(s > 0 − s < −1), T = 1").reference!.value, 3.784, 5e-4);
  // Exact for any flows, so after next to no training too; a difference of bounds is not.
  const through = rows.filter(({ quantity }) => /^(Double|Müller).*BAR through z$/.test(quantity));
  assertEquals(through.map((row) => verdictOf(row).kind), ["agrees", "agrees", "agrees", "agrees"]);
  // The published estimator is asked of both kinds of flows of the dimer, and says so.
  const published = rows.filter(({ quantity }) => quantity.endsWith(", published estimator (difference of bounds)"));
  assertEquals(published.length, 2 * 2 + 2);
  assert(published.every(({ ours, note }) => !ours.reliable && note!.startsWith("biased")));
  assertEquals(
    published.slice(-2).map(({ quantity }) => quantity.slice(0, quantity.indexOf(":"))),
    ["Dimer, published flows", "Dimer, autoregressive flows"],
  );
});

Deno.test("scanWells finds the double well's ΔF at a temperature between those of training", async () => {
  const [doubleWell] = wellSystems;
  const sizes = {
    likelihoodSteps: 100,
    energySteps: 40,
    batch: 200,
    samples: 2000,
    frameSteps: 500,
    temperatures: [1.4],
  };
  const context = await experimentContext({ seed: 2 });
  const { points: [point] } = await scanWells(context, doubleWell, sizes);
  assertEquals(point.trained, false);
  const near = (truth: number) => {
    const { value, standardError } = point.found.mapped!;
    return Math.abs(value! - truth) <= 4 * standardError!;
  };
  assert(near(doubleWell.exact(1.4)));
  // The same frames and flows answer another question elsewhere: at T = 1 and with the sign turned they would be wrong.
  assert(!near(doubleWell.exact(1)) && !near(-doubleWell.exact(1.4)));
});
