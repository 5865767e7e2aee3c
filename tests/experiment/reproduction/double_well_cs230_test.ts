import { assert, assertAlmostEquals, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { loadKernels } from "../../../src/backend/wasm_deno.ts";
import { doubleWellCs230Experiment } from "../../../src/experiment/reproduction/double_well_cs230.ts";
import {
  type RepeatedTraining,
  rightWellRemark,
  rightWellRow,
} from "../../../src/experiment/reproduction/double_well_cs230_chance.ts";
import { cs230Settings } from "../../../src/experiment/reproduction/double_well_cs230_flow.ts";
import { experimentContext } from "../../../src/experiment/reproduction/experiment.ts";
import { verdictOf } from "../../../src/experiment/reproduction/row.ts";
import { assertComplete, rowOf } from "../../support/experiment_result.ts";

await loadKernels();

Deno.test("double-well-cs230: raw populations differ, weighted estimates do not, and trainings scatter", async () => {
  const kept: [part: string, found: RepeatedTraining][] = [];
  const context = await experimentContext({ seed: 1 });
  const result = await doubleWellCs230Experiment.run({
    ...context,
    async kept<T>(part: string, work: () => Promise<T>) {
      const found = await work();
      kept.push([part, found as RepeatedTraining]);
      return found;
    },
  });
  const { rows, remarks } = result;

  assertComplete(doubleWellCs230Experiment, result);
  assertEquals(rows.length, 16);
  assertAlmostEquals(rowOf(rows, "J_KL of independent z, fresh z").floor!, -8.1826, 1e-4);
  // 40 steps teach no populations: far more samples on the right than there should be.
  assertEquals(verdictOf(rowOf(rows, "ΔF(right − left), raw, fresh z")).kind, "differs");
  // With weights an estimate is right or says that it is not reliable.
  for (const row of rows.filter(({ quantity }) => /BAR|reweighted/.test(quantity))) {
    assertNotEquals(verdictOf(row).kind, "differs", row.quantity);
  }
  for (const row of rows.filter(({ floor }) => floor !== undefined)) assertEquals(verdictOf(row).kind, "stated");

  assertEquals(kept.map(([part]) => part), [...doubleWellCs230Experiment.parts("smoke")]);
  const shares = kept.map(([, { rightShare }]) => rightShare);
  assertEquals(shares.length, cs230Settings.smoke.repeats);
  // Other seeds, other data, start values and z: no two trainings agree to the last sample.
  assertNotEquals(shares[0], shares[1]);
  const { ours, reference, energyEvaluations } = rowOf(rows, "share of samples in the right well");
  assertAlmostEquals(ours.value!, (shares[0] + shares[1]) / 2, 1e-12);
  assertAlmostEquals(reference!.value, 0.0329, 5e-5);
  const { steps, batch } = cs230Settings.smoke;
  assertEquals(energyEvaluations, 2 * steps * batch);
  assert(remarks.some((remark) => remark.includes("in 2 of them, each with data, start values and z of its own")));
});

const found = (shares: readonly number[]): RepeatedTraining[] =>
  shares.map((rightShare) => ({ rightShare, energyEvaluations: 1, seconds: 1 }));

Deno.test("rightWellRow: the interval of a median holds without any assumption, and the note lists all shares", () => {
  const shares = [0.03, 0, 0.01, 0.02, 0.025, 0.001, 0.033, 0.04];
  const { ours, note, method, quantity } = rightWellRow(found(shares));
  assertEquals([ours.interval95, ours.reliable], [[0, 0.04], true]);
  assertAlmostEquals(ours.value!, 0.0225, 1e-12);
  assertEquals(note, "all of them: 0.0000, 0.0010, 0.0100, 0.0200, 0.0250, 0.0300, 0.0330, 0.0400");
  assertMatch(method, /from the least to the largest of them, which holds .* in 99\.2 % of cases$/);
  assertMatch(quantity, /median of 8 trainings$/);
});

Deno.test("rightWellRemark follows from the shares", () => {
  assertMatch(
    rightWellRemark(found([0.03293, 0, 0.01]), 0.0165),
    /in 3 of them, .* between 0 % and 100 % of the 0\.0329 at equilibrium; 1 of 3 have less than a tenth of it, 1 more than half\. The training that is drawn here has 50 %/,
  );
  assertMatch(
    rightWellRemark(found([0.02, 0.03]), 0),
    /0 of 2 have less than a tenth of it, 2 more than half\. .* has 0 %/,
  );
});
