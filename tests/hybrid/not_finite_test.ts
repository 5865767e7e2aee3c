/** A sample that is no number is not averaged away: it ends the evaluation, or is counted where that was allowed. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { NotFiniteError } from "../../src/autodiff/not_finite.ts";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import type { Generator } from "../../src/flow/flow.ts";
import { BoltzmannGenerator, type Target } from "../../src/hybrid/boltzmann_generator.ts";
import { samplingEfficiency } from "../../src/reweighting/effective_sample_size.ts";
import { logPartitionFunction } from "../../src/reweighting/exponential_averaging.ts";
import { assertClose } from "../support/assert_close.ts";

await loadKernels();

/** A generator that gives what it is told to. */
const giving = (x: readonly number[], logProb: readonly number[]): Generator => ({
  dim: 1,
  sample: () => ({ x: Float64Array.from(x), z: Float64Array.from(x), logProb: Float64Array.from(logProb) }),
  logProb: () => Float64Array.from(logProb),
});
const spring: Target = { dim: 1, energy: (x) => x.map((v) => v * v / 2) };

/** Samples without a weight, for each reason; the others are fine. */
const X = [0, NaN, 1, Infinity, 2, 3, -1];
const LOG_PROB = [-1, -1, NaN, -1, Infinity, -Infinity, -1];

Deno.test("samples whose coordinates or density are not finite are refused with their number, by reason", () => {
  const generator = new BoltzmannGenerator(giving(X, LOG_PROB), spring);
  for (const action of [() => generator.sample(7, { seed: 1 }), () => generator.weigh(Float64Array.from(X))]) {
    assertEquals(
      assertThrows(action, NotFiniteError).message,
      "Cannot weigh configurations: coordinates, log-density and energy must be finite, got 5 of 7 for which one is not " +
        "(coordinate 2, density 3), the first with index 1: mend flow or data, or have them skipped and counted by " +
        "skipNotFinite",
    );
  }
});

Deno.test("skipped samples have weight zero, keep their place in the number of samples, and are counted", () => {
  const generator = new BoltzmannGenerator(giving(X, LOG_PROB), spring, { skipNotFinite: true });
  const { logWeights, notFinite, outsideDomain } = generator.sample(7, { seed: 1 });
  assertEquals([...logWeights], [1, ...new Array(5).fill(-Infinity), 0.5]);
  assertEquals([notFinite, outsideDomain], [5, 0]);
  // ln of the mean over all seven: those without a weight count as samples that found nothing.
  const expected = Math.log((Math.exp(1) + Math.exp(0.5)) / 7);
  assertClose(logPartitionFunction(logWeights).value!, expected, { absolute: 1e-14 });
  assert(samplingEfficiency(logWeights) < 2 / 7 + 1e-12);
});

Deno.test("an energy of +∞ is a weight of zero; NaN and −∞ are none", () => {
  const weights = (energy: number, options = {}) =>
    new BoltzmannGenerator(giving([0, 1], [-1, -1]), { dim: 1, energy: () => Float64Array.of(0, energy) }, options)
      .weigh(Float64Array.of(0, 1));
  assertEquals([weights(Infinity).logWeights[1], weights(Infinity).notFinite], [-Infinity, 0]);
  for (const bad of [NaN, -Infinity]) {
    assertThrows(
      () => weights(bad),
      NotFiniteError,
      "got 1 of 2 for which one is not (energy 1), the first with index 1",
    );
    const { logWeights, notFinite } = weights(bad, { skipNotFinite: true });
    assertEquals([[...logWeights], notFinite], [[1, -Infinity], 1]);
  }
});

Deno.test("a sample that is no number does not pass as one outside the domain", () => {
  const half = { ...spring, inDomain: (x: Float64Array) => Uint8Array.from(x, (v) => v >= 0 ? 1 : 0) };
  const x = Float64Array.of(1, -1, NaN, -2);
  // Outside the domain a density of zero is no fault: the weight is zero whatever it is.
  const generator = giving([...x], [-1, -1, -1, -Infinity]);
  assertThrows(() => new BoltzmannGenerator(generator, half).weigh(x), NotFiniteError, "got 1 of 4");
  const { notFinite, outsideDomain } = new BoltzmannGenerator(generator, half, { skipNotFinite: true }).weigh(x);
  assertEquals([notFinite, outsideDomain], [1, 2]);
});
