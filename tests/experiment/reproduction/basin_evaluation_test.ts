import { assert, assertAlmostEquals, assertEquals, assertNotEquals } from "@std/assert";
import { loadKernels } from "../../../src/backend/wasm_deno.ts";
import {
  evaluateBasins,
  evaluationFrames,
  klFloor,
  klLoss,
  populationDifference,
} from "../../../src/experiment/reproduction/basin_evaluation.ts";
import { doubleWell, WELL_FRAMES, wells } from "../../../src/experiment/reproduction/double_well_basins.ts";
import { experimentContext } from "../../../src/experiment/reproduction/experiment.ts";
import { likelihoodFloor, likelihoodLoss } from "../../../src/experiment/reproduction/likelihood_loss.ts";
import { oscillatorDraws, oscillatorEntropy } from "../../../src/experiment/reproduction/student_data.ts";
import { verdictOf } from "../../../src/experiment/reproduction/row.ts";
import { Flow } from "../../../src/flow/flow.ts";
import { HarmonicBoxMap } from "../../../src/flow/harmonic_box_map.ts";
import { Whitening } from "../../../src/flow/whitening.ts";
import { BoltzmannGenerator } from "../../../src/hybrid/boltzmann_generator.ts";
import { HarmonicOscillatorBox } from "../../../src/system/harmonic_oscillator_box.ts";

await loadKernels();
const frames = evaluationFrames(doubleWell, wells, { ...WELL_FRAMES, steps: 400 }, 1);

Deno.test("klFloor is the published convention: −8.1826 for the double well", () => {
  assertEquals(klFloor(doubleWell.exact(1).logPartition, 2).toFixed(4), "-8.1826");
});

Deno.test("klLoss and likelihoodLoss of the exact flow are their floors", async () => {
  const system = new HarmonicOscillatorBox({ preset: "cs230-trained" });
  const flow = new Flow(new HarmonicBoxMap(system.parameters));
  const { value, standardError } = klLoss(new BoltzmannGenerator(flow, system).sample(2000, { seed: 1 }), 2);
  // Every sample is at the floor but for rounding of x to float32: see the tests of HarmonicBoxMap.
  assertAlmostEquals(value!, klFloor(system.exact(1).logPartition, 2), 1e-5);
  assert(standardError! < 1e-5);

  const draws = oscillatorDraws(20_000, system.parameters, 3);
  const loss = likelihoodLoss(flow, draws, await experimentContext());
  const floor = likelihoodFloor(oscillatorEntropy(system.parameters));
  assert(Math.abs(loss.value! - floor) < 4 * loss.standardError!);
  // The entropy of a softer spring is ½ ln 2 higher: the same data reject it.
  assert(Math.abs(loss.value! - likelihoodFloor(oscillatorEntropy({ k: 1, boxLength: 4 }))) > 20 * loss.standardError!);
});

Deno.test("evaluationFrames stay in their basins, and count energies", () => {
  const { basins, chains, x, energyEvaluations } = frames;
  assertEquals(x.length, 2 * basins.length);
  assertEquals(energyEvaluations, 128 * (1 + 40 + 400));
  const left = Array.from(basins).filter((basin, i) => basin === 0 && chains[i] % 2 === 0).length;
  // Even chains start on the left, 10.8 k_BT below the barrier.
  assertEquals(left, Array.from(chains).filter((chain) => chain % 2 === 0).length);
});

Deno.test("a flow that has lost the right well is near the floor of J_KL, and no estimate of it agrees", async () => {
  const leftFrames = frames.x.filter((_, i) => frames.basins[i >> 1] === 0);
  const collapsed = new Flow(Whitening.fit(leftFrames, 2));
  const found = evaluateBasins(await experimentContext(), collapsed, doubleWell, wells, frames, {
    samples: 20_000,
    seed: 2,
  });

  const { logPartition, freeEnergyDifference } = doubleWell.exact(1);
  // −ln of the left well's share is 0.0335; the rest is that a Gaussian is not the well.
  assert(found.klLoss.value! < klFloor(logPartition, 2) + 0.2);
  const reference = { value: freeEnergyDifference, standardError: 0, method: "quadrature" };
  for (const ours of [found.reweighted, found.bennett, found.logPartition]) {
    assertNotEquals(verdictOf({ ours, reference }).kind, "agrees");
    assertEquals(ours.reliable, false);
  }
});

Deno.test("populationDifference is the logarithm of a ratio of counts", () => {
  const basins = Int32Array.from({ length: 110 }, (_, i) => i < 10 ? 1 : i < 100 ? 0 : -1);
  const { value, standardError } = populationDifference(basins);

  assertAlmostEquals(value!, Math.log(9), 1e-12);
  assertAlmostEquals(standardError!, Math.sqrt(1 / 10 + 1 / 90), 1e-12);
  assertEquals(populationDifference(Int32Array.of(0, 0)).value, null);
});
