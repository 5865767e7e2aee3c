import { assertAlmostEquals, assertEquals, assertNotEquals } from "@std/assert";
import { loadKernels } from "../../../src/backend/wasm_deno.ts";
import { doubleWellTrainingExperiment } from "../../../src/experiment/reproduction/double_well_training.ts";
import { experimentContext } from "../../../src/experiment/reproduction/experiment.ts";
import { verdictOf } from "../../../src/experiment/reproduction/row.ts";
import { assertComplete, rowOf } from "../../support/experiment_result.ts";

await loadKernels();

Deno.test("double-well-training: five rows for each method, and what is not learnt does not agree", async () => {
  const result = await doubleWellTrainingExperiment.run(await experimentContext({ seed: 1 }));
  const { rows } = result;

  assertComplete(doubleWellTrainingExperiment, result);
  assertEquals(rows.length, 2 * 4 * 5);
  const reference = rowOf(rows, "ΔF(right − left), reweighted, RealNVP, KL + RC").reference!;
  assertAlmostEquals(reference.value, 3.3799, 1e-4);
  // So few steps of energies alone leave the right well nearly empty.
  assertNotEquals(verdictOf(rowOf(rows, "ΔF(right − left), reweighted, RealNVP, KL")).kind, "agrees");
  // No flow is below the floor.
  for (const row of rows.filter(({ quantity }) => quantity.startsWith("J_KL"))) {
    assertEquals([verdictOf(row).kind, row.floor!.toFixed(3)], ["stated", "-8.183"], row.quantity);
  }
});
