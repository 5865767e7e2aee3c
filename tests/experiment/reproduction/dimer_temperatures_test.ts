import { assert, assertEquals, assertMatch } from "@std/assert";
import { loadKernels } from "../../../src/backend/wasm_deno.ts";
import {
  dimerTemperaturesExperiment,
  integratedEnergy,
} from "../../../src/experiment/reproduction/dimer_temperatures.ts";
import { experimentContext } from "../../../src/experiment/reproduction/experiment.ts";
import { publishedDifferences, publishedMean } from "../../../src/experiment/reproduction/published_dimer.ts";
import { verdictOf } from "../../../src/experiment/reproduction/row.ts";
import { estimateFrom, noEstimate } from "../../../src/reweighting/estimate.ts";

await loadKernels();

Deno.test("the dimer at many temperatures: all rows, each with reference and cost, and nothing tiny is called right", async () => {
  const parts: string[] = [];
  const context = await experimentContext({ seed: 1 });
  const keeping = {
    ...context,
    kept: <T>(part: string, work: () => Promise<T>) => {
      parts.push(part);
      return work();
    },
  };

  const { rows, figures, remarks } = await dimerTemperaturesExperiment.run(keeping);

  assertEquals(parts, [...dimerTemperaturesExperiment.parts("smoke")]);
  assertEquals(rows.slice(0, 3).map(({ quantity }) => quantity), [
    "ΔF(open − closed), T = 0.5",
    "ΔF(open − closed), T = 1",
    "ΔF(open − closed), T = 2",
  ]);
  assertEquals(rows.filter(({ quantity }) => quantity.includes("never trained on")).length, 2);
  for (const row of rows.slice(0, 8)) {
    assert(row.energyEvaluations > 1e5 && row.seconds > 0, row.quantity);
    // Twenty steps on 160 frames support nothing, and the rows say so.
    assert(verdictOf(row).kind !== "agrees" && !row.ours.reliable, row.quantity);
  }
  assertEquals(figures.map(({ name }) => name), [...dimerTemperaturesExperiment.figures]);
  assertMatch(figures[0].svg, /umbrella sampling/);
  assertEquals(remarks.length, 3);
});

/** Points whose ΔU/k_BT is a cubic in ln T, with an error of its own each. */
function cubic(count: number, energy: (t: number) => number, error = 0.1) {
  return Array.from({ length: count }, (_, k) => {
    const t = Math.log(0.5) + (Math.log(2) - Math.log(0.5)) * k / (count - 1);
    return { temperature: Math.exp(t), energy: estimateFrom(energy(t), error) };
  });
}

Deno.test("integratedEnergy is exact for cubics in ln T, carries errors and doubts, and is no trapezoid rule", () => {
  const energy = (t: number) => 3 - 2 * t + t ** 2 + 5 * t ** 3;
  const primitive = (t: number) => 3 * t - t ** 2 + t ** 3 / 3 + 5 * t ** 4 / 4;
  const exact = primitive(Math.log(2)) - primitive(Math.log(0.5));

  const found = integratedEnergy(cubic(9, energy));

  // Simpson's rule has no error for cubics: rounding of a dozen terms of size one is left.
  assert(Math.abs(found.value! - exact) < 1e-13);
  const step = Math.log(4) / 8;
  const weights = [1, 4, 2, 4, 2, 4, 2, 4, 1].map((weight) => weight * step / 3);
  assert(Math.abs(found.standardError! - 0.1 * Math.hypot(...weights)) < 1e-15);
  const trapezoid = cubic(9, energy).reduce(
    (sum, { energy }, k) => sum + (k % 8 === 0 ? 0.5 : 1) * step * energy.value!,
    0,
  );
  assert(Math.abs(trapezoid - exact) > 1e-3);

  const doubted = cubic(3, energy).map((point, k) => {
    return k === 1 ? { ...point, energy: { ...point.energy, reliable: false, reason: "few frames" } } : point;
  });
  assertEquals([integratedEnergy(doubted).reliable, integratedEnergy(doubted).reason], [false, "few frames"]);
  const missing = cubic(3, energy).map((point, k) => k === 2 ? { ...point, energy: noEstimate("no frames") } : point);
  assertEquals(integratedEnergy(missing).value, null);
});

Deno.test("publishedMean is the mean of the printed runs with the standard error of three", () => {
  const [, at1] = publishedDifferences;
  assertEquals(at1.temperature, 1);
  assert(Math.abs(publishedMean(at1).value! - 7.1) < 1e-12);
  // Deviations −0.47, 0.02, 0.45: s.d. 0.4603, over √3.
  assert(Math.abs(publishedMean(at1).standardError! - 0.26577) < 1e-5);
});
