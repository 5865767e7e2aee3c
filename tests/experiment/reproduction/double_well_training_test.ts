import { assertAlmostEquals, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { loadKernels } from "../../../src/backend/wasm_deno.ts";
import { packResult, unpackResult } from "../../../src/experiment/packed_result.ts";
import {
  type FlowName,
  FLOWS,
  type MethodName,
  METHODS,
  methodSettings,
  secondBatchOf,
} from "../../../src/experiment/reproduction/double_well_methods.ts";
import { doubleWellTrainingExperiment } from "../../../src/experiment/reproduction/double_well_training.ts";
import { experimentContext, type ExperimentResult } from "../../../src/experiment/reproduction/experiment.ts";
import { verdictOf } from "../../../src/experiment/reproduction/row.ts";
import { studentQuantile } from "../../../src/reweighting/student_t.ts";
import { assertComplete, rowOf } from "../../support/experiment_result.ts";

await loadKernels();

/** What a run keeps. */
const files = new Map<string, ReturnType<typeof packResult>>();
/** Parts that were done, in order. */
let done: string[] = [];

async function runSmall(): Promise<ExperimentResult> {
  const context = await experimentContext({ seed: 1 });
  done = [];
  return await doubleWellTrainingExperiment.run({
    ...context,
    async kept<T>(part: string, work: () => Promise<T>) {
      if (!files.has(part)) {
        files.set(part, packResult(await work()));
        done.push(part);
      }
      return unpackResult(files.get(part)!, part) as T;
    },
  });
}

Deno.test("double-well-training: five rows for each method, and what is not learnt does not agree", async () => {
  const result = await runSmall();
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

Deno.test("errors of profiles scatter over trainings, not over samples of one of them", async () => {
  const { rows } = await runSmall();
  const trainings = [1, 2].map((k) => {
    const part = `NICE ML-KL ${k}`;
    const { errors } = unpackResult(files.get(part)!, part) as { errors: { bootstrapped: number }[] };
    assertEquals(errors.length, methodSettings.smoke.sets);
    return errors.reduce((sum, { bootstrapped }) => sum + bootstrapped / errors.length, 0);
  });
  const { ours, method } = rowOf(rows, "mean profile error as published, NICE, ML + KL");
  assertAlmostEquals(ours.value!, (trainings[0] + trainings[1]) / 2, 1e-12);
  // Two numbers: their standard error is half of their difference, and Student's t has one degree of freedom.
  const error = Math.abs(trainings[0] - trainings[1]) / 2;
  assertAlmostEquals(ours.standardError!, error, 1e-12);
  assertAlmostEquals(ours.interval95![1] - ours.value!, studentQuantile(1) * error, 1e-9);
  assertMatch(
    method,
    /mean over 2 trainings, each of 2 sets of samples; the interval is Student's t of the trainings$/,
  );
  assertMatch(rowOf(rows, "ΔF(right − left), BAR, NICE, ML + KL").note!, /^the first training; the others: [−\d]/);
  // What is printed was one run each: three, five in a paper's budget, show how such runs scatter.
  assertEquals([methodSettings.default.trainings, methodSettings.paper.trainings], [3, 5]);
});

Deno.test("an interrupted double-well-training goes on with the trainings that are missing", async () => {
  const before = await runSmall();
  assertEquals([...files.keys()], [...doubleWellTrainingExperiment.parts("smoke")]);
  assertEquals(files.size, 2 * 4 * 2);
  files.delete("RealNVP KL-RC 2");
  const again = await runSmall();
  const without = ({ rows }: ExperimentResult) => rows.map(({ seconds: _, ...row }) => row);
  assertEquals(without(again), without(before));
  assertEquals(again.figures, before.figures);
  assertEquals(done, ["RealNVP KL-RC 2"]);
});

Deno.test("secondBatchOf is 1000, and 2048 for NICE with KL + RC", () => {
  const all = (Object.keys(FLOWS) as FlowName[]).flatMap((flow) =>
    (Object.keys(METHODS) as MethodName[]).map((method) => [flow, method] as const)
  );
  for (const budget of ["default", "paper"] as const) {
    for (const [flow, method] of all) {
      const published = flow === "NICE" && method === "KL + RC" ? 2048 : 1000;
      assertEquals(secondBatchOf(methodSettings[budget], flow, method), published, `${flow}, ${method}`);
    }
  }
});

Deno.test("energies of a training count its own batch", async () => {
  const { rows } = await runSmall();
  const { secondSteps, secondBatch, largeBatch } = methodSettings.smoke;
  const cost = (which: string) => rowOf(rows, `ΔF(right − left), BAR, ${which}`).energyEvaluations;
  assertEquals(cost("NICE, KL + RC") - cost("NICE, ML + KL"), secondSteps * (largeBatch - secondBatch));
  assertEquals(cost("RealNVP, KL + RC"), cost("RealNVP, ML + KL"));
});
