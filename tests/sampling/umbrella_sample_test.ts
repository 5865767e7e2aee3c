import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ThreadPool } from "../../src/backend/pool.ts";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { umbrellaFreeEnergies } from "../../src/reweighting/umbrella.ts";
import { umbrellaSample } from "../../src/sampling/umbrella_sample.ts";
import { umbrellaWindows } from "../../src/sampling/umbrella_windows.ts";
import { ParticleDimer, type ParticleDimerPreset } from "../../src/system/particle_dimer.ts";
import { distanceProbabilities } from "../support/dimer_density.ts";

await loadKernels();

Deno.test("umbrellaWindows are at most 1.5 measured σ apart and have one peak", async () => {
  const system = new ParticleDimer();
  const { coordinate, windows, count, centres, spacing } = await umbrellaSample(system, {
    sweeps: 1000,
    every: 5,
    seed: 1,
  });
  assert(spacing <= 1.2 + 1e-9);
  const sigmas = Array.from({ length: count }, (_, w) => {
    const own = coordinate.filter((_, i) => windows[i] === w);
    const mean = own.reduce((sum, d) => sum + d, 0) / own.length;
    return Math.sqrt(own.reduce((sum, d) => sum + (d - mean) ** 2, 0) / own.length);
  });
  for (let w = 1; w < count; w++) {
    // About 100 independent distances in a window: σ is known to 7 %.
    const ratio = (centres[w] - centres[w - 1]) / Math.min(sigmas[w], sigmas[w - 1]);
    assert(ratio < 1.5 * 1.15, `windows ${w - 1} and ${w} are ${ratio} σ apart`);
  }
});

Deno.test("umbrellaWindows span both basins at all temperatures and presets", () => {
  for (const preset of ["noe2019", "noe2019-class", "printed"] as ParticleDimerPreset[]) {
    for (const temperature of [0.25, 1, 4]) {
      const system = new ParticleDimer({ preset });
      const { centres, biasConstant, spacing } = umbrellaWindows(system, temperature);
      assert(centres[0] < 0.9 && centres[centres.length - 1] > 2.1);
      assert(spacing < 1.2 + 1e-9 && centres.length > 10 && centres.length < 80);
      // No window has two peaks: bias and bond together curve upwards everywhere.
      for (let d = centres[0]; d < centres[centres.length - 1]; d += 0.01) {
        const bond = system.dimerEnergy(d + 0.01) - 2 * system.dimerEnergy(d) + system.dimerEnergy(d - 0.01);
        assert(2 * biasConstant + bond / 1e-4 / temperature > 0);
      }
    }
  }
  assertThrows(
    () => umbrellaWindows(new ParticleDimer(), 0),
    RangeError,
    "temperature must be a positive number, got 0",
  );
});

Deno.test("umbrellaSample gives the exact free energy and profile of a dimer alone, at several temperatures", async () => {
  for (const [temperature, slope] of [[0.5, 2], [1, 2], [2, -0.5]]) {
    const system = new ParticleDimer({ solvent: 0, slope });
    const sample = await umbrellaSample(system, { sweeps: 12_000, temperature, seed: 4, starts: 4, every: 10 });
    const edges = Float64Array.from({ length: 21 }, (_, k) => 0.5 + 0.1 * k);
    const { difference, profile } = umbrellaFreeEnergies(sample, {
      ...sample,
      edges,
      split: 1.5,
      replicates: 60,
      seed: 1,
    });
    const fine = Array.from({ length: 301 }, (_, k) => 0.01 * k);
    const p = distanceProbabilities(system, temperature, fine);
    const closed = p.subarray(0, 150).reduce((sum, mass) => sum + mass, 0);
    const exact = Math.log(closed / (1 - closed));
    const [value, standardError] = [difference.value!, difference.standardError!];
    assert(standardError < 0.12, `standard error ${standardError}`);
    assert(
      Math.abs(value - exact) < 4 * standardError,
      `T ${temperature}: ${value} ± ${standardError}, exactly ${exact}`,
    );
    assert(profile !== undefined);
  }
});

Deno.test("a wrong bias in the equations is noticed", async () => {
  const system = new ParticleDimer({ solvent: 0 });
  const sample = await umbrellaSample(system, { sweeps: 12_000, temperature: 2, seed: 4, starts: 4, every: 10 });
  const fine = Array.from({ length: 301 }, (_, k) => 0.01 * k);
  const p = distanceProbabilities(system, 2, fine);
  const closed = p.subarray(0, 150).reduce((sum, mass) => sum + mass, 0);
  const exact = Math.log(closed / (1 - closed));
  const edges = Float64Array.of(0, 1.5, 3);
  const wrong = { ...sample, bias: (w: number, d: number) => sample.bias(w, d) * 2, edges, split: 1.5, replicates: 60 };
  const { difference } = umbrellaFreeEnergies(sample, wrong);
  assert(Math.abs(difference.value! - exact) > 4 * difference.standardError!);
});

Deno.test("umbrellaSample labels its samples, counts its cost and repeats itself on two threads", async () => {
  using pool = await ThreadPool.open(2);
  const system = new ParticleDimer({ solvent: 4, halfBox: 2 });
  const options = { sweeps: 100, every: 20, burnIn: 200, seed: 2 };
  const sample = await umbrellaSample(system, options);
  const { count, coordinate, windows, blocks } = sample;
  assertEquals(coordinate.length, count * 2 * 5);
  assertEquals([...windows.subarray(0, 12)], [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1]);
  assertEquals([...blocks.subarray(0, 12)], [0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 0, 0]);
  assertEquals(sample.moves, 300 * count * 2 * 6);
  assertEquals(sample.energyEvaluations, 2 * 300 * count * 2);
  const again = await umbrellaSample(system, { ...options, pool });
  assertEquals(again.coordinate, coordinate);
});

Deno.test("umbrellaSample says what is wrong", async () => {
  const system = new ParticleDimer();
  const what = "Cannot run umbrella sampling:";
  const refuse = (options: Record<string, unknown>, message: string) =>
    assertRejects(() => umbrellaSample(system, { sweeps: 20, ...options }), RangeError, message);
  await refuse({ starts: 3 }, `${what} starts must be an even number ≥ 2, got 3`);
  await refuse({ sweeps: 10 }, `${what} sweeps must be a whole number ≥ 20, got 10`);
  await refuse({ burnIn: -1 }, `${what} burnIn must be a whole number ≥ 0, got -1`);
  await refuse({ every: 0 }, `${what} every must be a whole number ≥ 1, got 0`);
});
