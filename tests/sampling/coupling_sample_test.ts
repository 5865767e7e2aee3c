import { assert, assertAlmostEquals, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { ThreadPool } from "../../src/backend/pool.ts";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { couplingSample } from "../../src/sampling/coupling_sample.ts";
import { couplingWindows } from "../../src/sampling/coupling_windows.ts";
import { LennardJonesFluid } from "../../src/system/lennard_jones_fluid.ts";
import { assertMeanIs } from "../support/statistics.ts";
import { integrateTwoParticles, TWO_SITES } from "../support/two_particles.ts";

await loadKernels();

Deno.test("couplingWindows are the rule of Gauss and Legendre: exact up to degree 2n − 1 and not beyond", () => {
  for (const count of [2, 3, 12, 64]) {
    const { nodes, weights, couplings } = couplingWindows(count);
    const integral = (degree: number) => nodes.reduce((sum, s, k) => sum + weights[k] * s ** degree, 0);
    for (let degree = 0; degree < 2 * count; degree++) assertAlmostEquals(integral(degree), 1 / (degree + 1), 1e-14);
    if (count < 5) assert(Math.abs(integral(2 * count) - 1 / (2 * count + 1)) > 1e-7);
    assertEquals([couplings.length, couplings[0], couplings[count + 1]], [count + 2, 0, 1]);
    nodes.forEach((s, k) => assertAlmostEquals(couplings[k + 1], s ** 6, 1e-15));
    assert(couplings.every((coupling, k) => k === 0 || coupling > couplings[k - 1]));
  }
  for (const count of [1, 65, 2.5]) {
    assertThrows(() => couplingWindows(count), RangeError, "nodes must be a whole number from 2 to 64, got");
  }
});

Deno.test("couplingSample draws each window's exact mean energy and numbers windows and chains", async () => {
  const fluid = new LennardJonesFluid({ particles: 2, density: 0.35, sites: TWO_SITES });
  const chains = 16;
  const sample = await couplingSample(fluid, { sweeps: 4000, every: 5, nodes: 4, chains, temperature: 0.7, seed: 2 });
  assertEquals(sample.windows.length, 6 * chains * 800);
  assertEquals([...new Set(sample.windows)], [0, 1, 2, 3, 4, 5]);
  assert(
    sample.blocks.every((block, i) =>
      block === Math.floor(i / 800) && sample.windows[i] === Math.floor(block / chains)
    ),
  );
  // At smaller couplings energies have tails too heavy for the mean of a few thousand.
  for (const window of [2, 3, 4, 5]) {
    const coupling = sample.couplings[window];
    const means = Float64Array.from({ length: chains }, (_, c) => {
      const start = (window * chains + c) * 800;
      return sample.pairEnergies.subarray(start, start + 800).reduce((sum, u) => sum + u / 800, 0);
    });
    assertMeanIs(means, integrateTwoParticles(fluid.withCoupling(coupling), 0.7, 1).pairEnergy / coupling);
  }
  sample.derivatives.forEach((value, i) => {
    const s = sample.couplings[sample.windows[i]] ** (1 / 6);
    assertAlmostEquals(value, 6 * s ** 5 * sample.pairEnergies[i] / 0.7, 1e-11 * (Math.abs(value) + 1));
  });
  assert(sample.acceptance.every((share) => share > 0.15 && share < 0.75));
  assert(sample.inefficiency.every((sweeps) => sweeps >= 5));
  assertEquals(sample.moves, 6 * chains * 2 * (4000 + 800));
});

Deno.test("couplingSample is the same for any number of threads, and other streams are other samples", async () => {
  const fluid = new LennardJonesFluid({ particles: 4 });
  using pool = await ThreadPool.open(2);
  const options = { sweeps: 50, nodes: 2, chains: 4, burnIn: 40 };
  const { pairEnergies } = await couplingSample(fluid, options);
  assertEquals((await couplingSample(fluid, { ...options, pool })).pairEnergies, pairEnergies);
  const other = (await couplingSample(fluid, { ...options, stream: 100 })).pairEnergies;
  assert(other.every((energy, i) => energy !== pairEnergies[i]));
});

Deno.test("couplingSample says what is wrong and can be stopped", async () => {
  const fluid = new LennardJonesFluid({ particles: 4 });
  const what = "Cannot sample couplings:";
  for (
    const [options, message] of [
      [{ sweeps: 5 }, `${what} sweeps must be a whole number ≥ 10, got 5`],
      [{ sweeps: 10, every: 0 }, `${what} every must be a whole number ≥ 1, got 0`],
      [{ sweeps: 10, burnIn: -1 }, `${what} burnIn must be a whole number ≥ 0, got -1`],
      [{ sweeps: 10, chains: 3 }, "Cannot run Metropolis chains: chains must be an even number ≥ 2, got 3"],
    ] as const
  ) {
    assertEquals((await assertRejects(() => couplingSample(fluid, options), RangeError)).message, message);
  }
  const stop = new AbortController();
  stop.abort(new Error("enough"));
  await assertRejects(() => couplingSample(fluid, { sweeps: 1e6, signal: stop.signal }), Error, "enough");
});
