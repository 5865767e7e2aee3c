import { assert, assertAlmostEquals, assertEquals, assertMatch } from "@std/assert";
import { loadKernels } from "../../../src/backend/wasm_deno.ts";
import { experimentContext } from "../../../src/experiment/reproduction/experiment.ts";
import { oscillatorExperiment } from "../../../src/experiment/reproduction/oscillator.ts";
import { verdictOf } from "../../../src/experiment/reproduction/row.ts";
import { assertComplete, rowOf } from "../../support/experiment_result.ts";

await loadKernels();

Deno.test("oscillator: mass leaks without walls and not inside them; the exact map is exact", async () => {
  const result = await oscillatorExperiment.run(await experimentContext({ seed: 1 }));
  const { rows } = result;

  assertComplete(oscillatorExperiment, result);
  assert(rowOf(rows, "share outside the box, no walls").ours.value! > 0.01);
  assertEquals(rowOf(rows, "share outside the box, inside walls").ours.value, 0);
  for (const [k, logPartition] of [[1, 1.95866], [2, 1.61209]]) {
    const row = rowOf(rows, `ln Z, exact map, k = ${k}`);
    assertEquals(verdictOf(row).kind, "agrees");
    assertAlmostEquals(row.reference!.value, logPartition, 1e-5);
  }
  const { caption } = result.figures.find(({ name }) => name === "map")!;
  assertMatch(caption, /\(a\) Inside walls, taught as published; \(b\) inside walls, taught for longer\./);
  // The report prints the loss after 100 and 200 of 250 steps; here there are 25, and it falls.
  const [first, second] = [10, 20].map((step) => rowOf(rows, `J_ML, k = 2, no walls, as published, step ${step}`));
  assertEquals([first, second].map(({ published }) => published!.value), ["0.579", "0.376"]);
  assert(first.ours.value! > second.ours.value!);
  assertMatch(first.note!, /by a standard error of 0\.\d\d$/);
  // Both divergences are positive for a flow that has hardly learnt.
  for (const which of ["KL(flow ‖ exact), k = 2", "KL(exact ‖ flow), k = 2"]) {
    assert(rowOf(rows, which).ours.value! > 0);
  }
});
