import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { loadKernels } from "../../../src/backend/wasm_deno.ts";
import { experimentContext } from "../../../src/experiment/reproduction/experiment.ts";
import { muellerBrownExperiment } from "../../../src/experiment/reproduction/mueller_brown_profile.ts";
import { verdictOf } from "../../../src/experiment/reproduction/row.ts";
import { assertComplete, rowOf } from "../../support/experiment_result.ts";

await loadKernels();

Deno.test("mueller-brown: rows of both trainings beside quadrature", async () => {
  const result = await muellerBrownExperiment.run(await experimentContext({ seed: 1 }));
  const { rows } = result;

  assertComplete(muellerBrownExperiment, result);
  assertEquals(rows.length, 16);
  for (const { caption } of result.figures) {
    assert(caption.includes(": data and energies alone (a), with the reaction coordinate (b)."), caption);
  }
  assertAlmostEquals(rowOf(rows, "ΔF(s > 0 − s < −1), BAR").reference!.value, 3.784, 5e-4);
  assertAlmostEquals(rowOf(rows, "ln Z").reference!.value, 11.72959, 1e-5);
  assertEquals(rowOf(rows, "J_KL").floor!.toFixed(4), "-8.8917");
  // Frames of both basins are half of the estimate, so that it holds for poor flows too; raw populations do not.
  assertEquals(verdictOf(rowOf(rows, "ΔF(s > 0 − s < −1), BAR, with RC")).kind, "agrees");
  assertEquals(verdictOf(rowOf(rows, "ΔF(s > 0 − s < −1), raw, with RC")).kind, "differs");
});
