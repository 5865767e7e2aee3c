import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { type AbsoluteFreeEnergy, absoluteFreeEnergy } from "../../src/experiment/absolute_free_energy.ts";
import type { CouplingSampleOptions } from "../../src/sampling/coupling_sample.ts";
import { LennardJonesFluid } from "../../src/system/lennard_jones_fluid.ts";
import type { CoupledSystem } from "../../src/system/particle_system.ts";
import { idealAverage } from "../support/ideal_gas.ts";
import { integrateTwoParticles, TWO_SITES } from "../support/two_particles.ts";

await loadKernels();

/** Both estimates must lie within four of their errors of the truth and be exact enough to tell. */
function assertIs({ integration, mbar }: AbsoluteFreeEnergy, expected: number, largestErrors: readonly number[]): void {
  [integration, mbar].forEach(({ value, standardError, reliable, reason }, k) => {
    assert(reliable, `${reason}`);
    assert(standardError! < largestErrors[k], `error of ${standardError}`);
    if (!(Math.abs(value! - expected) < 4 * standardError!)) {
      throw new Error(`${["integration", "MBAR"][k]} gives ${value} ± ${standardError} instead of ${expected}`);
    }
  });
}

const options: CouplingSampleOptions = { sweeps: 8000, nodes: 8, chains: 8, seed: 5 };

Deno.test("absoluteFreeEnergy of two particles is the integral over half of their configurations", async () => {
  for (const [preset, temperature] of [["liquid", 0.5], ["liquid", 1], ["soft-discs", 1]] as const) {
    const fluid = new LennardJonesFluid({ preset, particles: 2, density: 0.35, sites: TWO_SITES });
    const exact = integrateTwoParticles(fluid, temperature, 1, 0.005).logPartition - Math.log(2);
    assertIs(await absoluteFreeEnergy(fluid, { ...options, temperature }), exact, [0.05, 0.02]);
  }
});

Deno.test("absoluteFreeEnergy of four particles is the average over independent configurations of the ideal gas", async () => {
  const fluid = new LennardJonesFluid({ particles: 4, density: 0.4 });
  const { value, error } = idealAverage(fluid, 1, 300_000);
  assert(error < 0.02, `${error}`);
  const { integration, mbar, ideal } = await absoluteFreeEnergy(fluid, options);
  for (const estimate of [integration, mbar]) {
    assert(estimate.standardError! < 0.1);
    assert(Math.abs(estimate.value! - ideal - value) < 4 * Math.hypot(error, estimate.standardError!));
  }
});

Deno.test("absoluteFreeEnergy is exact for one particle and for particles that do not feel each other", async () => {
  const short = { sweeps: 20, nodes: 2, chains: 4 };
  for (
    const fluid of [
      new LennardJonesFluid({ particles: 1 }),
      new LennardJonesFluid({ particles: 4, repulsion: 0, attraction: 0 }),
    ]
  ) {
    const { integration, mbar, ideal } = await absoluteFreeEnergy(fluid, short);
    const side = 2 * fluid.halfBox + Math.sqrt(Math.PI / 200);
    assertAlmostEquals(ideal, fluid.dim * Math.log(side) - (fluid.particles === 4 ? Math.log(24) : 0), 1e-13);
    assertEquals([integration.value, mbar.value], [ideal, ideal]);
  }
});

Deno.test("the law of two particles rejects forgotten labellings, a wrong ideal gas, and energies of another system", async () => {
  const fluid = new LennardJonesFluid({ particles: 2, density: 0.35, sites: TWO_SITES });
  const exact = integrateTwoParticles(fluid, 1, 1, 0.005).logPartition - Math.log(2);
  const twin = (change: Partial<CoupledSystem>): CoupledSystem => ({
    name: "twin",
    dim: fluid.dim,
    particles: fluid.particles,
    coefficients: fluid.coefficients,
    logLabellings: fluid.logLabellings,
    energy: (x) => fluid.energy(x),
    energyAndGradient: (x) => fluid.energyAndGradient(x),
    startConfigurations: () => fluid.startConfigurations(),
    canonicalOrder: (x) => fluid.canonicalOrder(x),
    withCoupling: (coupling) => fluid.withCoupling(coupling),
    pairEnergy: (x) => fluid.pairEnergy(x),
    idealLogPartition: (temperature) => fluid.idealLogPartition(temperature),
    ...change,
  });
  assertIs(await absoluteFreeEnergy(twin({}), options), exact, [0.05, 0.02]);
  const weaker = new LennardJonesFluid({ ...fluid.parameters, sites: TWO_SITES, attraction: 3 });
  const broken = [
    twin({ logLabellings: 0 }),
    twin({ idealLogPartition: () => fluid.dim * Math.log(2 * fluid.halfBox) }),
    twin({ pairEnergy: (x) => weaker.pairEnergy(x) }),
  ];
  for (const system of broken) {
    const result = await absoluteFreeEnergy(system, options);
    assertThrows(() => assertIs(result, exact, [0.05, 0.02]), Error, "instead of");
  }
});

Deno.test("absoluteFreeEnergy of the liquid: both estimates agree, and with another number of nodes", async () => {
  const liquid = new LennardJonesFluid();
  const results = [
    await absoluteFreeEnergy(liquid, { sweeps: 2000, seed: 1 }),
    await absoluteFreeEnergy(liquid, { sweeps: 2000, nodes: 16, seed: 2 }),
  ];
  const estimates = results.flatMap(({ integration, mbar }) => [integration, mbar]);
  for (const a of estimates) {
    assert(a.reliable && a.standardError! < 0.4, `${a.reason}, ${a.standardError}`);
    for (const b of estimates) {
      assert(Math.abs(a.value! - b.value!) < 4 * Math.hypot(a.standardError!, b.standardError!));
    }
  }
});
