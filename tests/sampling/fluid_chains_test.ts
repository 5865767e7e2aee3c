/** Monte Carlo of fluids: the same chains as the dimer's, against integrals and theorems of their own. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import type { ChainPairs } from "../../src/backend/metropolis_kernels.ts";
import type { FluidCoefficients } from "../../src/backend/particle_coefficients.ts";
import { particleMetropolisReference } from "../../src/backend/particle_reference.ts";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { RandomStream } from "../../src/random/random_stream.ts";
import { integratedAutocorrelationTime } from "../../src/sampling/autocorrelation.ts";
import { MetropolisChains } from "../../src/sampling/metropolis_chains.ts";
import { metropolisSample } from "../../src/sampling/metropolis_sample.ts";
import { LennardJonesFluid, type LennardJonesFluidPreset } from "../../src/system/lennard_jones_fluid.ts";
import { assertMeanIs } from "../support/statistics.ts";
import { integrateTwoParticles, TWO_SITES } from "../support/two_particles.ts";

await loadKernels();

const NEAR = 1.1;
const pairOf = (preset: LennardJonesFluidPreset) =>
  new LennardJonesFluid({ preset, particles: 2, density: 0.35, sites: TWO_SITES });

/** Means over time of each chain: pair energy, distance, share of close pairs. */
function meansOfChains(fluid: LennardJonesFluid, frames: readonly Float64Array[]): Record<string, Float64Array> {
  const chains = frames[0].length / 4;
  const means = {
    pairEnergy: new Float64Array(chains),
    distance: new Float64Array(chains),
    closer: new Float64Array(chains),
  };
  for (const x of frames) {
    const energies = fluid.pairEnergy(x);
    for (let c = 0; c < chains; c++) {
      const r = Math.hypot(x[4 * c] - x[4 * c + 2], x[4 * c + 1] - x[4 * c + 3]);
      means.pairEnergy[c] += energies[c] / frames.length;
      means.distance[c] += r / frames.length;
      means.closer[c] += (r < NEAR ? 1 : 0) / frames.length;
    }
  }
  return means;
}

/** Chains are independent: their means must scatter about the integrals. */
function assertExact(fluid: LennardJonesFluid, temperature: number, frames: readonly Float64Array[]): void {
  const exact = integrateTwoParticles(fluid, temperature, NEAR);
  for (const [name, values] of Object.entries(meansOfChains(fluid, frames))) {
    assertMeanIs(values, exact[name as "pairEnergy"], `${name} at T = ${temperature}`);
  }
}

Deno.test("MetropolisChains draw the exact distribution of two particles", () => {
  for (const preset of ["liquid", "soft-discs"] as const) {
    for (const temperature of [0.5, 1, 2]) {
      const fluid = pairOf(preset);
      const chains = new MetropolisChains(fluid, { chains: 64, temperature, seed: 4 });
      chains.tune(400);
      chains.advance(400);
      const frames = Array.from({ length: 400 }, () => {
        chains.advance(5);
        return chains.positions();
      });
      assertExact(fluid, temperature, frames);
    }
  }
});

/** Frames of plain TypeScript chains, which can be broken. */
function referenceFrames(c: FluidCoefficients, temperature: number): Float64Array[] {
  const random = new RandomStream(12);
  const pairs = 16;
  const chains: ChainPairs = {
    pairs,
    tables: new Float64Array(8 * pairs).map((_, i) => [temperature, temperature, 0.5, 0.5, 0, 0, 0, 0][i % 8]),
    positions: new Float64Array(8 * pairs).map((_, i) => TWO_SITES[(i >> 1) % 4]),
    generators: new BigUint64Array(8 * pairs).map(() => BigInt(random.uint32()) << 32n | BigInt(random.uint32())),
    accepted: new Float64Array(2 * pairs),
  };
  return Array.from({ length: 130 }, () => {
    particleMetropolisReference(c, chains, 6);
    return Float64Array.from({ length: 8 * pairs }, (_, i) => {
      const [chain, k] = [Math.floor(i / 4), i % 4];
      return chains.positions[8 * (chain >> 1) + 2 * k + (chain & 1)];
    });
  }).slice(30);
}

Deno.test("the exact distribution rejects chains without attraction, with soft walls, and at the wrong temperature", () => {
  const fluid = pairOf("liquid");
  const { coefficients } = fluid;
  assertExact(fluid, 0.5, referenceFrames(coefficients, 0.5));
  const broken: [FluidCoefficients, number][] = [
    [{ ...coefficients, attraction: 0 }, 0.5],
    [{ ...coefficients, boxConstant: 2 }, 0.5],
    [coefficients, 0.75],
  ];
  for (const [c, temperature] of broken) {
    assertThrows(() => assertExact(fluid, 0.5, referenceFrames(c, temperature)), Error, "expected");
  }
});

Deno.test("MetropolisChains of the liquid obey the virial theorem", () => {
  const fluid = new LennardJonesFluid();
  for (const temperature of [0.7, 1, 2]) {
    const chains = new MetropolisChains(fluid, { chains: 16, temperature, seed: 6 });
    chains.tune(400);
    chains.advance(600);
    const series = Array.from({ length: 16 }, () => new Float64Array(300));
    for (let t = 0; t < 300; t++) {
      chains.advance(10);
      const x = chains.positions();
      const { gradient } = fluid.energyAndGradient(x);
      for (let i = 0; i < x.length; i++) series[Math.floor(i / fluid.dim)][t] += x[i] * gradient[i];
    }
    const values = series.flatMap((s) => [...s]);
    const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
    const variance = values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length;
    const error = Math.sqrt(2 * integratedAutocorrelationTime(series) * variance / values.length);
    const expected = fluid.dim * temperature;
    assert(Math.abs(mean - expected) < 4 * error, `T ${temperature}: ${mean} ± ${error} instead of ${expected}`);
    assert(error < 0.06 * expected, "the error must be small enough to notice a quarter");
  }
});

Deno.test("chains of a fluid have no distances, and go on from their state as if nothing had happened", () => {
  const fluid = new LennardJonesFluid();
  const chains = new MetropolisChains(fluid, { chains: 4, seed: 2 });
  chains.tune(40);
  assertEquals(chains.distances().length, 0);
  assertEquals(chains.advance(5).length, 0);
  const { x, d } = chains.frames();
  assertEquals([x.length, d.length], [4 * fluid.dim, 0]);
  assert(fluid.inDomain(x).every((inside) => inside === 1));
  assertEquals([...chains.crossings()], [0, 0, 0, 0]);
  const twin = MetropolisChains.fromState(fluid, chains.state);
  chains.advance(30);
  twin.advance(30);
  assertEquals(twin.state, chains.state);
  assertThrows(
    () => chains.advance(5, { every: 5 }),
    RangeError,
    "Cannot run Metropolis chains: every must be 0 for a system without a dimer, lennard-jones-fluid",
  );
  const bias = { constant: 1, centres: new Float64Array(4) };
  assertThrows(
    () => new MetropolisChains(fluid, { chains: 4, bias }),
    RangeError,
    "Cannot run Metropolis chains: bias constant must be 0 for a system without a dimer, lennard-jones-fluid",
  );
});

Deno.test("metropolisSample draws frames of a fluid in its domain, without distances", async () => {
  const fluid = new LennardJonesFluid({ preset: "soft-discs" });
  const sample = await metropolisSample(fluid, { frames: 100, chains: 8, spacing: 0.2, seed: 3 });
  assertEquals([sample.x.length, sample.d.length, sample.chain.length], [104 * fluid.dim, 0, 104]);
  assert(fluid.inDomain(sample.x).every((inside) => inside === 1));
  assert(sample.relaxation.relaxed && sample.acceptance > 0.2 && sample.acceptance < 0.5);
  assertEquals(sample.chains.system, fluid);
  await assertRejects(() => metropolisSample(fluid, { frames: 0 }), RangeError, "Cannot sample particles: frames must");
});
