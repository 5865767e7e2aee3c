import { assertAlmostEquals, assertEquals, assertNotEquals } from "@std/assert";
import { loadKernels } from "../../../src/backend/wasm_deno.ts";
import { doubleWellCs230Experiment } from "../../../src/experiment/reproduction/double_well_cs230.ts";
import { experimentContext } from "../../../src/experiment/reproduction/experiment.ts";
import { verdictOf } from "../../../src/experiment/reproduction/row.ts";
import { assertComplete, rowOf } from "../../support/experiment_result.ts";

await loadKernels();

Deno.test("double-well-cs230: raw populations differ, weighted estimates do not", async () => {
  const result = await doubleWellCs230Experiment.run(await experimentContext({ seed: 1 }));
  const { rows } = result;

  assertComplete(doubleWellCs230Experiment, result);
  assertEquals(rows.length, 15);
  assertAlmostEquals(rowOf(rows, "J_KL of independent z, fresh z").floor!, -8.1826, 1e-4);
  // 40 steps teach no populations: far more samples on the right than there should be.
  assertEquals(verdictOf(rowOf(rows, "ΔF(right − left), raw, fresh z")).kind, "differs");
  // With weights an estimate is right or says that it is not reliable.
  for (const row of rows.filter(({ quantity }) => /BAR|reweighted/.test(quantity))) {
    assertNotEquals(verdictOf(row).kind, "differs", row.quantity);
  }
  for (const row of rows.filter(({ floor }) => floor !== undefined)) assertEquals(verdictOf(row).kind, "stated");
});
