import { assert, assertEquals } from "@std/assert";
import { loadKernels } from "../../../src/backend/wasm_deno.ts";
import { experimentContext } from "../../../src/experiment/reproduction/experiment.ts";
import { latentPathsExperiment } from "../../../src/experiment/reproduction/latent_paths.ts";
import { wellData } from "../../../src/experiment/reproduction/double_well_basins.ts";
import { randomPairs } from "../../../src/experiment/reproduction/latent_paths_wells.ts";
import { verdictOf } from "../../../src/experiment/reproduction/row.ts";
import { trainedDimer } from "../../../src/experiment/reproduction/trained_dimer.ts";
import { trainedDoubleWell } from "../../../src/experiment/reproduction/trained_double_well.ts";
import { validationNll } from "../../../src/experiment/validation.ts";
import { serialPool } from "../../../src/backend/executor.ts";

await loadKernels();

Deno.test("latent paths: rows and figures are complete, and no path of the double well stays below the saddle", async () => {
  const { rows, figures, remarks } = await latentPathsExperiment.run(await experimentContext());
  assertEquals(figures.map(({ name }) => name), [...latentPathsExperiment.figures]);
  for (const { svg, caption } of figures) assert(svg.startsWith("<svg") && caption.length > 20);
  assert(remarks.length >= 4);
  for (const { quantity, ours, energyEvaluations, seconds } of rows) {
    assert(ours.value === null ? ours.reason !== null : Number.isFinite(ours.value), quantity);
    assert(energyEvaluations > 0 && seconds >= 0, quantity);
  }
  const wells = rows.filter(({ quantity }) => quantity.startsWith("double well"));
  assertEquals(wells.length, 3);
  // A path in steps of about 0.07 may step over the very top, by ½ · 12 · 0.035² = 0.007 at the most.
  for (const { ours } of wells) assert(ours.value! > -0.01, `${ours.value}`);
  const heights = rows.filter(({ quantity }) =>
    quantity.startsWith("dimer: highest U on") && !quantity.includes("|d − ")
  );
  assertEquals(heights.length, 7);
  const of = (text: string) => heights.find(({ quantity }) => quantity.includes(text))!.ours.value!;
  // More points of one path can only raise it; a median is no less than the lowest.
  assert(of("the same path") >= of("the lowest latent path of 3") - 1e-3);
  assert(of("straight lines in x, median") >= of("the lowest straight line"));
  // A flow of 80 steps is a bad one, and the verdict says so; of the lowest paths, which a control reaches too, it says nothing.
  const judged = heights.filter(({ goal }) => goal !== undefined);
  assertEquals(judged.map((row) => verdictOf(row).kind), ["missed", "missed"]);
  assert(judged.every(({ quantity }) => quantity.includes("median")));
  // A control needs no flow: its cost is that of the data, less than that of any row with a flow.
  const controls = heights.filter(({ quantity }) => quantity.includes("straight line"));
  assertEquals(controls.map(({ method }) => method), ["no flow", "no flow"]);
  const others = heights.filter((row) => !controls.includes(row));
  assert(others.length === 5 && others.every(({ method }) => method.includes("flow at T = 1")));
  for (const { seconds } of controls) assert(others.every((row) => row.seconds > seconds));
  const barrier = rows.at(-1)!;
  assert(barrier.quantity.includes("free-energy barrier") && barrier.note!.includes("17.92"));
});

Deno.test("pairs of the double well go from left to right by where frames lie, though a chain may cross", () => {
  // Ends of pairs, by the sign of x₁.
  const wrong = (pairs: readonly (readonly [Float64Array, Float64Array])[]) =>
    pairs.filter(([from, to]) => !(from[0] < 0 && to[0] >= 0)).length;
  // The frames are those of the next seed: of seed 5 the chain from the right ends on the left.
  assertEquals(wrong(randomPairs(4, 200, 10_000)), 0);
  const { x, chain } = wellData(5, 10_000);
  const [left, right] = [0, 1].map((which) =>
    Array.from(chain.keys()).filter((i) => chain[i] === which).map((i) => x.slice(2 * i, 2 * i + 2))
  );
  // Pairs by chains are wrong as often as that chain was on the left, for hundreds of frames.
  const crossed = right.filter(([x1]) => x1 < 0).length;
  assert(crossed > 200);
  assertEquals(wrong(left.map((from, i) => [from, right[i]])), crossed);
  // Where no chain crosses both are the same.
  assertEquals(wellData(2, 10_000).x.filter((_, i) => i % 2 === 0).filter((v) => v >= 0).length, 1000);
  assertEquals(wrong(randomPairs(1, 200, 10_000)), 0);
});

Deno.test("the shared flows come back from what is kept as they were trained, and are trained once", async () => {
  const kept = new Map<string, unknown>();
  let works = 0;
  const context = {
    ...await experimentContext({ seed: 2 }),
    async kept<T>(part: string, work: () => Promise<T>): Promise<T> {
      if (!kept.has(part)) kept.set(part, (works++, structuredClone(await work())));
      return kept.get(part) as T;
    },
  };
  const first = await trainedDimer(context);
  const again = await trainedDimer(context);
  assertEquals(works, 1);
  const { x } = first.frames;
  assertEquals(first.flow.logProb(x), again.flow.logProb(x));
  // What was evaluated before it was kept.
  assert(Math.abs(validationNll(first.flow, x, serialPool) - first.evaluationNll) < 1e-9);
  assert(first.data.energyEvaluations > 0 && first.training.energyEvaluations === 0);

  const well = await trainedDoubleWell(context);
  const wellAgain = await trainedDoubleWell(context);
  assertEquals(works, 2);
  const at = Float64Array.of(-1.8, 0.3, 1.7, -0.2);
  assertEquals(well.flow.logProb(at), wellAgain.flow.logProb(at));
  assert(
    (await trainedDoubleWell(await experimentContext({ seed: 3 }))).flow.logProb(at)[0] !== well.flow.logProb(at)[0],
  );
});
