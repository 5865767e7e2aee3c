import { assert, assertEquals, assertThrows } from "@std/assert";
import { isDimer, parameterBlock, type ParticleCoefficients } from "../../src/backend/particle_coefficients.ts";
import { type GradientPrecision, particleGradient } from "../../src/backend/particle_kernels.ts";
import {
  dimerEnergyReference,
  dimerGradientReference,
  fluidEnergyReference,
  fluidGradientReference,
} from "../../src/backend/particle_reference.ts";
import { serialPool } from "../../src/backend/executor.ts";
import { ThreadPool } from "../../src/backend/pool.ts";
import { f64, kernels, scope } from "../../src/backend/wasm.ts";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { LennardJonesFluid } from "../../src/system/lennard_jones_fluid.ts";
import { ParticleDimer } from "../../src/system/particle_dimer.ts";
import { row, scattered, shakenStarts } from "../support/dimer_configurations.ts";
import { scatteredParticles, shakenSites } from "../support/fluid_configurations.ts";
import { singleBounds } from "../support/single_bounds.ts";
import { exportedOpcodes, relaxedMultiplyAdds, simdArithmetic, simdPrefix } from "../support/wasm_opcodes.ts";

await loadKernels();

const dimers = [
  new ParticleDimer(),
  new ParticleDimer({ preset: "printed" }),
  ...[0, 1, 4, 9, 49].map((solvent) => new ParticleDimer({ solvent, halfBox: 2.5, epsilon: 0.7, sigma: 0.9 })),
];
const fluids = [
  new LennardJonesFluid(),
  new LennardJonesFluid({ preset: "soft-discs" }),
  ...[1, 4, 49].map((particles) => new LennardJonesFluid({ particles, sigma: 0.9, attraction: 2.5, density: 0.6 })),
  new LennardJonesFluid({ repulsion: 0, attraction: 0 }),
];
/** Systems with configurations near equilibrium and far from it. */
const cases = [
  ...dimers.map((d) => ({
    c: d.coefficients,
    near: (n: number) => shakenStarts(d, n, 0.05),
    far: (n: number) => scattered(d, n),
  })),
  ...fluids.map((f) => ({
    c: f.coefficients,
    near: (n: number) => shakenSites(f, n, 0.08),
    far: (n: number) => scatteredParticles(f, n),
  })),
];

function referenceOf(c: ParticleCoefficients, x: Float64Array): { energy: number; gradient: Float64Array } {
  return isDimer(c)
    ? { energy: dimerEnergyReference(c, x), gradient: dimerGradientReference(c, x) }
    : { energy: fluidEnergyReference(c, x), gradient: fluidGradientReference(c, x) };
}

/** Largest |error| / bound of one configuration. */
function worstShare(c: ParticleCoefficients, x: Float64Array, energy: number, gradient: Float64Array): number {
  const expected = referenceOf(c, x), bounds = singleBounds(c, x);
  const shareOf = (got: number, wanted: number, bound: number) => got === wanted ? 0 : Math.abs(got - wanted) / bound;
  let worst = shareOf(energy, expected.energy, bounds.energy);
  gradient.forEach((g, k) => worst = Math.max(worst, shareOf(g, expected.gradient[k], bounds.gradient[k])));
  return worst;
}

for (const build of ["relaxed", "baseline"] as const) {
  Deno.test(`float32 energies and gradients err by their roundings at most (${build})`, async () => {
    await loadKernels({ deterministic: build === "baseline" });
    for (const { c, near, far } of cases) {
      const dim = 2 * c.particles;
      for (const n of [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 300]) {
        for (const x of [near(n), far(n)]) {
          const { energy, gradient } = particleGradient(c, x, serialPool, "float32");
          assertEquals([energy.length, gradient.length], [n, n * dim]);
          for (let s = 0; s < n; s += n > 100 ? 37 : 1) {
            const share = worstShare(c, row(x, dim, s), energy[s], row(gradient, dim, s));
            assert(share <= 1, `${share} of the bound, configuration ${s} of ${n}, ${c.particles} particles`);
          }
        }
      }
    }
    await loadKernels();
  });
}

Deno.test("the bounds of float32 reject other constants, a lost pair and gradients of another configuration", () => {
  for (const { c, near } of [cases[0], cases[dimers.length]]) {
    const x = near(1), other = near(3).subarray(4 * c.particles);
    const rejects = (k: ParticleCoefficients, at: Float64Array) => {
      const { energy, gradient } = particleGradient(k, at, serialPool, "float32");
      return worstShare(c, x, energy[0], gradient) > 1;
    };
    assert(!rejects(c, x));
    assert(rejects({ ...c, sigma: c.sigma * (1 + 1e-5) }, x));
    assert(rejects({ ...c, boxConstant: c.boxConstant * 1.001 }, Float64Array.of(c.halfBox + 1, ...x.subarray(1))));
    assert(rejects(c, other));
    const lost = x.slice();
    lost[2 * c.particles - 1] = 1e6;
    assert(rejects({ ...c, boxConstant: 0 }, lost));
  }
});

Deno.test("pair energies in float32 err by what the documentation states", () => {
  for (const { c, near } of cases.filter(({ c }) => c.particles > 3 && c.halfBox <= 3)) {
    const x = near(1), pairsOnly = { ...c, boxConstant: 0, ...isDimer(c) ? { c1: 0, c2: 0, c4: 0, tether: 0 } : {} };
    const exact = particleGradient(pairsOnly, x), single = particleGradient(pairsOnly, x, serialPool, "float32");
    // Σ|x| ≤ 12 in the box and r ≥ 0.5 between shaken sites; attraction adds terms of the other sign.
    const size = referenceOf(isDimer(c) ? pairsOnly : { ...pairsOnly, attraction: -c.attraction }, x).energy;
    assert(Math.abs(single.energy[0] - exact.energy[0]) <= 12 * 2 ** -24 * (12 / 0.5 + 4) * size);
  }
});

Deno.test("float32 lanes do not touch each other, whatever they hold", () => {
  for (const { c, near } of [cases[0], cases[4], cases[dimers.length]]) {
    const dim = 2 * c.particles;
    const x = near(7);
    const alone = Array.from({ length: 7 }, (_, s) => particleGradient(c, row(x, dim, s), serialPool, "float32"));
    for (const [bad, energy] of [[NaN, NaN], [Infinity, Infinity], [x[2], Infinity]]) {
      for (let s = 0; s < 7; s++) {
        const spoiled = x.slice();
        // Particle 3 where 2 is: overlap; else one coordinate.
        if (bad === x[2]) spoiled.copyWithin(s * dim + 6, s * dim + 4, s * dim + 6);
        else spoiled[s * dim + 6] = bad;
        const all = particleGradient(c, spoiled, serialPool, "float32");
        alone.forEach((one, k) => {
          assertEquals(all.energy[k], k === s ? energy : one.energy[0]);
          if (k !== s) assertEquals(row(all.gradient, dim, k), one.gradient);
        });
        if (Number.isNaN(bad)) assert(Number.isNaN(all.gradient[s * dim + 6]));
      }
    }
  }
});

Deno.test("float32 overflows where it says: energies are +∞ below 6e-4 σ and finite above 0.002 σ", () => {
  const { coefficients: c } = new ParticleDimer({ solvent: 1 });
  const at = (r: number) => particleGradient(c, Float64Array.of(0, 0, 2, 0, 0, r * c.sigma), serialPool, "float32");
  assertEquals(at(6e-4).energy[0], Infinity);
  const { energy, gradient } = at(0.002);
  assert(Number.isFinite(energy[0]) && gradient.every(Number.isFinite));
});

Deno.test("float32 kernels write nothing beyond their outputs", () => {
  for (
    const [kernel, { c, near }] of [
      [kernels.particleDimerGradientSingleF64, cases[0]],
      [kernels.particleFluidGradientSingleF64, cases[dimers.length]],
    ] as const
  ) {
    for (const n of [1, 2, 3, 4, 5]) {
      using s = scope();
      const { particles } = c, dim = 2 * particles;
      const [x, block, energy] = [s.f64(n * dim), s.f64(12), s.f64(n + 2)];
      const [gradient, scratch] = [s.f64(n * dim + 2), s.f64(12 * particles + 2)];
      f64(x, n * dim).set(near(n));
      f64(block, 12).set(parameterBlock(c));
      const ends = [f64(energy + 8 * n, 2), f64(gradient + 8 * n * dim, 2), f64(scratch + 96 * particles, 2)];
      ends.forEach((end) => end.fill(7));
      kernel(n, particles, block, x, energy, gradient, scratch);
      ends.forEach((end) => assertEquals([...end], [7, 7]));
    }
  }
});

Deno.test("float32 gradients are the same for any number of threads and any batch", async () => {
  using pool = await ThreadPool.open(2);
  for (const { c, far } of [cases[0], cases[dimers.length]]) {
    const x = far(701), dim = 2 * c.particles;
    const serial = particleGradient(c, x, serialPool, "float32");
    assertEquals(particleGradient(c, x, pool, "float32"), serial);
    assertEquals(particleGradient(c, x.subarray(5 * dim), serialPool, "float32").energy, serial.energy.subarray(5));
  }
});

Deno.test("energyAndGradient takes a precision, float64 if none is given, and refuses others", () => {
  for (const system of [dimers[0], fluids[0]]) {
    const x = system.startConfigurations()[0];
    const exact = system.energyAndGradient(x), single = system.energyAndGradient(x, { precision: "float32" });
    assertEquals(system.energyAndGradient(x, { precision: "float64" }), exact);
    assertEquals(single, particleGradient(system.coefficients, x, serialPool, "float32"));
    assert(single.energy[0] !== exact.energy[0]);
    assertThrows(
      () => system.energyAndGradient(x, { precision: "float16" as GradientPrecision }),
      RangeError,
      "Cannot compute gradients: precision must be float64 or float32, got float16",
    );
  }
});

Deno.test("float32 kernels compute with SIMD, fused in the relaxed build alone", async () => {
  for (const build of ["relaxed", "baseline"]) {
    const file = new URL(`../../src/backend/kernels_${build}.wasm`, import.meta.url);
    const opcodes = exportedOpcodes(await Deno.readFile(file));
    for (const name of ["particleDimerGradientSingleF64", "particleFluidGradientSingleF64"]) {
      const counts = opcodes.get(name)!;
      assert(simdArithmetic(counts) > 20, name);
      const fused = relaxedMultiplyAdds.some((sub) => counts.has(simdPrefix * 65536 + sub));
      assertEquals(fused, build === "relaxed");
    }
  }
});
