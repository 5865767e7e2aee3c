import { assert, assertEquals, assertMatch } from "@std/assert";
import { loadKernels } from "../../../src/backend/wasm_deno.ts";
import { coverageExperiment, judgeIntervals } from "../../../src/experiment/reproduction/coverage.ts";
import { experimentContext } from "../../../src/experiment/reproduction/experiment.ts";
import { verdictOf } from "../../../src/experiment/reproduction/row.ts";
import { estimateFrom } from "../../../src/reweighting/estimate.ts";
import { long } from "../../support/incidents.ts";

await loadKernels();

Deno.test("95 % intervals of whole experiments hold the exact value as often as they say", async () => {
  const { rows, figures } = await coverageExperiment.run(
    await experimentContext({ budget: long ? "default" : "smoke", seed: long ? 1 : 2 }),
  );
  // Ten experiments of the quick version say little: 6 of 10 are no miss yet. Counts of 200 cheaper ones, with a limit on both
  // sides, are in tests/reweighting/coverage_band_test.ts.
  assertEquals(rows.length, 3);
  for (const row of rows) {
    if (long) console.log(`${row.quantity}: ${row.ours.value}, ${row.method}; ${row.note}`);
    assertEquals(verdictOf(row).kind, "reached", row.quantity);
    assert(row.energyEvaluations > 10 * 40_000);
  }
  assertEquals(figures.map(({ name }) => name), coverageExperiment.figures);
  assertMatch(figures[0].svg, /exact/);
});

Deno.test("judgeIntervals counts intervals that hold the truth: halves of true ones hold it too seldom", () => {
  // Evenly spread quantiles of a normal error: exactly 190 of 200 intervals hold 0.
  const errors = Array.from({ length: 200 }, (_, i) => quantile((i + 0.5) / 200));
  const count = (width: number) => judgeIntervals(errors.map((error) => estimateFrom(error, width)), 0);

  assertEquals([count(1).held, count(1).intervals, count(1).reliable], [190, 200, 200]);
  assertEquals(count(1).halfWidth.toFixed(2), "1.96");
  assert(count(0.5).held < 183);
  assert(count(2).held > 197);
});

/** The normal number below which a share of all lies, by halving. */
function quantile(share: number): number {
  let [low, high] = [-6, 6];
  while (high - low > 1e-9) {
    const middle = (low + high) / 2;
    if (normalShare(middle) < share) low = middle;
    else high = middle;
  }
  return low;
}

/** Share of normal numbers below x, by the trapezoid rule. */
function normalShare(x: number): number {
  const steps = 2000;
  let sum = 0;
  for (let k = 0; k <= steps; k++) {
    const t = -8 + (x + 8) * k / steps;
    sum += (k === 0 || k === steps ? 0.5 : 1) * Math.exp(-t * t / 2);
  }
  return sum * (x + 8) / steps / Math.sqrt(2 * Math.PI);
}
