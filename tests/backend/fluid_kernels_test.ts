import { assert, assertEquals } from "@std/assert";
import { type ChainPairs, particleMetropolis } from "../../src/backend/metropolis_kernels.ts";
import type { FluidCoefficients } from "../../src/backend/particle_coefficients.ts";
import {
  assignmentOrder,
  canonicalOrder,
  particleEnergy,
  particleGradient,
} from "../../src/backend/particle_kernels.ts";
import {
  assignmentReference,
  fluidEnergyReference,
  fluidGradientReference,
  type MetropolisRule,
  moveChangeReference,
  particleMetropolisReference,
} from "../../src/backend/particle_reference.ts";
import { ThreadPool } from "../../src/backend/pool.ts";
import { f64, kernels, scope } from "../../src/backend/wasm.ts";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { RandomStream } from "../../src/random/random_stream.ts";
import { LennardJonesFluid } from "../../src/system/lennard_jones_fluid.ts";
import { scatteredParticles, shakenSites } from "../support/fluid_configurations.ts";
import { exportedOpcodes, relaxedMultiplyAdds, simdArithmetic, simdPrefix } from "../support/wasm_opcodes.ts";

await loadKernels();

const fluids = [
  new LennardJonesFluid(),
  new LennardJonesFluid({ preset: "soft-discs" }),
  ...[1, 4, 9, 49].map((particles) => new LennardJonesFluid({ particles, sigma: 0.9, attraction: 2.5, density: 0.6 })),
  new LennardJonesFluid({ particles: 2, density: 0.2, sites: Float64Array.of(-0.5, 0, 0.5, 0) }),
  new LennardJonesFluid({ repulsion: 0, attraction: 0 }),
];
const rowOf = (x: Float64Array, dim: number, s: number) => x.subarray(s * dim, (s + 1) * dim);

/** The sum of the sizes of all terms: energies and gradients cancel, their rounding errors do not. */
function sizeOf(c: FluidCoefficients, x: Float64Array): number {
  return fluidEnergyReference({ ...c, attraction: 0 }, x) +
    fluidEnergyReference({ ...c, repulsion: c.attraction, attraction: 0 }, x) + c.attraction * c.particles ** 2 + 1;
}

for (const build of ["relaxed", "baseline"] as const) {
  Deno.test(`energies and gradients of fluids equal plain TypeScript (${build})`, async () => {
    await loadKernels({ deterministic: build === "baseline" });
    for (const fluid of fluids) {
      const { coefficients: c, dim } = fluid;
      for (const n of [0, 1, 2, 3, 8, 17, 300]) {
        const x = n % 2 === 0 ? shakenSites(fluid, n, 0.08) : scatteredParticles(fluid, n);
        const energy = particleEnergy(c, x);
        const both = particleGradient(c, x);
        assertEquals([energy.length, both.energy.length, both.gradient.length], [n, n, n * dim]);
        for (let s = 0; s < n; s += n > 100 ? 37 : 1) {
          const here = rowOf(x, dim, s);
          // Each term has about 20 roundings of 1.1e-16.
          const tolerance = 1e-14 * sizeOf(c, here);
          const expected = fluidEnergyReference(c, here);
          for (const actual of [energy[s], both.energy[s]]) assert(Math.abs(actual - expected) <= tolerance);
          const slope = fluidGradientReference(c, here);
          // r ∂U/∂r is at most twelve times the terms; the closest pair sets 1/r.
          const size = slope.reduce((most, g) => Math.max(most, Math.abs(g)), 100);
          slope.forEach((g, k) => assert(Math.abs(both.gradient[s * dim + k] - g) <= 1e-12 * size));
        }
      }
    }
    await loadKernels();
  });
}

Deno.test("fluidGradientReference equals central differences of the energy", () => {
  for (const fluid of fluids) {
    const x = shakenSites(fluid, 1, 0.1, 5);
    const gradient = fluidGradientReference(fluid.coefficients, x);
    const h = 1e-6;
    gradient.forEach((g, k) => {
      const at = (shift: number) =>
        fluidEnergyReference(fluid.coefficients, x.map((value, i) => i === k ? value + shift : value));
      const slope = (at(h) - at(-h)) / (2 * h);
      // Third derivatives of pairs at 0.7 σ: 1e6 h²; rounding: 1e-15 of the energy over h.
      assert(Math.abs(slope - g) < 1e-6 * (Math.abs(g) + 10) + 1e-14 * Math.abs(at(0)) / h, `${k}: ${g}, not ${slope}`);
    });
  }
});

/** Pairs of chains with random generators around the sites. */
function someChains(fluid: LennardJonesFluid, pairs: number): ChainPairs {
  const random = new RandomStream(32, pairs);
  const { sites } = fluid;
  return {
    pairs,
    tables: new Float64Array(8 * pairs).map((_, i) => [1, 0.5, 0.15, 0.3, 7, 7, 7, 7][i % 8]),
    positions: new Float64Array(2 * fluid.dim * pairs).map((_, i) =>
      sites[(i >> 1) % fluid.dim] + 0.02 * random.normal()
    ),
    generators: new BigUint64Array(8 * pairs).map(() => BigInt(random.uint32()) << 32n | BigInt(random.uint32())),
    accepted: new Float64Array(2 * pairs),
  };
}

const copyOf = (chains: ChainPairs): ChainPairs => structuredClone(chains);

for (const build of ["relaxed", "baseline"] as const) {
  Deno.test(`Monte Carlo of fluids walks through the same bits as plain TypeScript (${build})`, async () => {
    await loadKernels({ deterministic: build === "baseline" });
    for (const fluid of fluids) {
      const chains = someChains(fluid, 2);
      const twin = copyOf(chains);
      particleMetropolis(fluid.coefficients, chains, 40, 0);
      particleMetropolisReference(fluid.coefficients, twin, 40);
      assertEquals(chains, twin);
      assert(chains.accepted.every((count) => count > 0));
    }
    await loadKernels();
  });
}

Deno.test("the comparison of bits rejects a sampler that forgets attraction, and one that always accepts", () => {
  const [fluid] = fluids;
  const chains = someChains(fluid, 1);
  const start = copyOf(chains);
  particleMetropolis(fluid.coefficients, chains, 5, 0);
  const always: MetropolisRule = () => true;
  for (
    const [c, rule] of [[{ ...fluid.coefficients, attraction: 0 }, undefined], [fluid.coefficients, always]] as const
  ) {
    const broken = copyOf(start);
    particleMetropolisReference(c, broken, 5, rule);
    assert(broken.positions.some((value, k) => value !== chains.positions[k]));
  }
});

Deno.test("the energy of a fluid's move is the difference of two energies", () => {
  const random = new RandomStream(8);
  for (const fluid of fluids) {
    const x = shakenSites(fluid, 1, 0.05, 4);
    for (let i = 0; i < fluid.particles; i++) {
      const moved = x.slice();
      moved[2 * i] += 0.1 * random.normal();
      moved[2 * i + 1] += 0.1 * random.normal();
      const [before, after] = [x, moved].map((p) => fluidEnergyReference(fluid.coefficients, p));
      const parts = moveChangeReference(fluid.coefficients, [1, 0, 0, 0], x, i, moved[2 * i], moved[2 * i + 1]);
      const size = sizeOf(fluid.coefficients, x) + sizeOf(fluid.coefficients, moved);
      assert(Math.abs(parts.pairs + parts.walls - (after - before)) < 1e-13 * size, `particle ${i}`);
      assertEquals(parts.dimer, 0);
    }
  }
});

Deno.test("kernels of fluids do not depend on threads or on how sweeps are cut, and write nothing beyond outputs", async () => {
  const fluid = new LennardJonesFluid({ particles: 49 });
  using pool = await ThreadPool.open(2);
  const x = scatteredParticles(fluid, 700);
  assertEquals(particleGradient(fluid.coefficients, x, pool), particleGradient(fluid.coefficients, x));
  assertEquals(assignmentOrder(fluid.sites, x, pool), assignmentOrder(fluid.sites, x));
  const start = someChains(fluid, 5);
  const [whole, parts] = [copyOf(start), copyOf(start)];
  particleMetropolis(fluid.coefficients, whole, 30, 0);
  for (const sweeps of [7, 23]) particleMetropolis(fluid.coefficients, parts, sweeps, 0, pool);
  assertEquals(parts, whole);
  for (const n of [1, 2, 3]) {
    using s = scope();
    const { particles, dim } = fluid;
    const [at, block, energy] = [s.f64(n * dim), s.f64(12), s.f64(n + 2)];
    const [gradient, scratch] = [s.f64(n * dim + 2), s.f64(12 * particles + 2)];
    f64(at, n * dim).set(x.subarray(0, n * dim));
    const ends = [f64(energy + 8 * n, 2), f64(gradient + 8 * n * dim, 2), f64(scratch + 96 * particles, 2)];
    ends.forEach((end) => end.fill(7));
    kernels.particleFluidGradientF64(n, particles, block, at, energy, gradient, scratch);
    kernels.particleFluidEnergyF64(n, particles, block, at, energy, scratch);
    ends.forEach((end) => assertEquals([...end], [7, 7]));
  }
});

Deno.test("energies of fluids are +∞ for overlap and NaN for NaN", () => {
  for (const fluid of fluids.slice(0, 2)) {
    const x = shakenSites(fluid, 2, 0.05);
    x.set(x.subarray(4, 6), 6);
    x[fluid.dim + 3] = NaN;
    for (const energy of [particleEnergy(fluid.coefficients, x), particleGradient(fluid.coefficients, x).energy]) {
      assertEquals([...energy], [Infinity, NaN]);
    }
  }
});

Deno.test("assignmentOrder costs as little as the Hungarian method and agrees with canonicalOrder of a solvent", () => {
  for (const fluid of fluids.filter(({ particles }) => particles > 1)) {
    const { particles, dim, sites } = fluid;
    const x = Float64Array.of(...scatteredParticles(fluid, 20, 5), ...shakenSites(fluid, 20, 0.5));
    const order = assignmentOrder(sites, x);
    for (let s = 0; s < 40; s++) {
      const cost = Array.from(
        { length: particles },
        (_, k) =>
          Array.from(
            { length: particles },
            (_, j) => (sites[2 * k] - x[s * dim + 2 * j]) ** 2 + (sites[2 * k + 1] - x[s * dim + 2 * j + 1]) ** 2,
          ),
      );
      const mine = order.subarray(s * particles, (s + 1) * particles);
      assertEquals([...mine].sort((a, b) => a - b), Array.from({ length: particles }, (_, k) => k));
      const sum = (labels: ArrayLike<number>) => cost.reduce((total, row, k) => total + row[labels[k]], 0);
      assert(sum(mine) <= sum(assignmentReference(cost)) * (1 + 1e-12));
      const withDimer = Float64Array.of(0, 0, 1, 0, ...x.subarray(s * dim, (s + 1) * dim));
      assertEquals([...canonicalOrder(sites, withDimer)].slice(2), [...mine].map((label) => label + 2));
    }
  }
});

Deno.test("kernels of fluids compute with SIMD; Monte Carlo and relabelling without fused multiply-adds", async () => {
  for (const build of ["relaxed", "baseline"]) {
    const file = new URL(`../../src/backend/kernels_${build}.wasm`, import.meta.url);
    const opcodes = exportedOpcodes(await Deno.readFile(file));
    const fused = (name: string) => relaxedMultiplyAdds.some((sub) => opcodes.get(name)!.has(simdPrefix * 65536 + sub));
    for (const name of ["particleFluidEnergyF64", "particleFluidGradientF64"]) {
      assert(simdArithmetic(opcodes.get(name)!) > 20, name);
      assertEquals(fused(name), build === "relaxed");
    }
    for (const name of ["fluidMetropolisF64", "assignmentOrderF64"]) {
      assert(simdArithmetic(opcodes.get(name)!) > 20, name);
      assertEquals(fused(name), false);
    }
  }
});
