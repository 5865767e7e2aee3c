import { assert, assertEquals, assertThrows } from "@std/assert";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { NEGLIGIBLE_ENERGY, powerPairTerm, wallEnergy } from "../../src/system/pair_terms.ts";
import { ParticleDimer } from "../../src/system/particle_dimer.ts";
import type { ParticleInteractions } from "../../src/system/particle_interactions.ts";
import { row, shakenStarts } from "../support/dimer_configurations.ts";

await loadKernels();

/** The sum of all terms of one configuration. */
function sumOfTerms(system: ParticleInteractions, x: Float64Array): number {
  const { particles, spatialDim } = system;
  let sum = 0;
  for (let i = 0; i < particles; i++) {
    for (let axis = 0; axis < spatialDim; axis++) sum += system.oneBodyEnergy(i, axis, x[i * spatialDim + axis]);
    for (let j = 0; j < i; j++) {
      let squares = 0;
      for (let axis = 0; axis < spatialDim; axis++) {
        squares += (x[i * spatialDim + axis] - x[j * spatialDim + axis]) ** 2;
      }
      sum += system.pairTerm(i, j)?.energy(Math.sqrt(squares)) ?? 0;
    }
  }
  return sum;
}

/** ε (σ/r)¹² of all pairs from the cutoff on. */
function beyondCutoff(system: ParticleDimer, x: Float64Array): number {
  const { particles, parameters: { epsilon, sigma } } = system;
  const { cutoff } = system.pairTerm(0, 2)!;
  let sum = 0;
  for (let i = 2; i < particles; i++) {
    for (let j = 0; j < i; j++) {
      const r = Math.hypot(x[2 * i] - x[2 * j], x[2 * i + 1] - x[2 * j + 1]);
      if (r >= cutoff) sum += epsilon * (sigma / r) ** 12;
    }
  }
  return sum;
}

/** Terms of a dimer, perhaps broken ones, must add up to its energy but for the tether of its centre. */
function assertTermsOf(system: ParticleDimer, terms: ParticleInteractions): void {
  const x = shakenStarts(system, 8, 0.1, 4);
  system.energy(x).forEach((energy, s) => {
    const here = row(x, system.dim, s);
    const expected = energy - system.parameters.tether * (here[0] + here[2]) ** 2;
    const lacking = expected - sumOfTerms(terms, here) - beyondCutoff(system, here);
    assert(Math.abs(lacking) < 1e-12 * (energy + 1000), `${lacking} are lacking`);
  });
}

Deno.test("the terms of ParticleDimer add up to its energy without k_d (x₀ + x₁)²", () => {
  for (const preset of ["noe2019", "printed"] as const) {
    const system = new ParticleDimer({ preset });
    assertTermsOf(system, system);
  }
});

Deno.test("the sum of terms rejects a bond that repels, a missing tether, and shifted pairs", () => {
  const system = new ParticleDimer();
  const { particles, spatialDim, referencePositions } = system;
  const repulsion = system.pairTerm(0, 2)!;
  const twin = (change: Partial<ParticleInteractions>): ParticleInteractions => ({
    particles,
    spatialDim,
    referencePositions,
    pairTerm: (i, j) => system.pairTerm(i, j),
    oneBodyEnergy: (particle, axis, x) => system.oneBodyEnergy(particle, axis, x),
    ...change,
  });
  assertTermsOf(system, twin({}));
  const shifted = { cutoff: repulsion.cutoff, energy: (r: number) => repulsion.energy(r) + 0.01 };
  const broken = [
    twin({ pairTerm: () => repulsion }),
    twin({ oneBodyEnergy: (_particle, axis, x) => system.oneBodyEnergy(2, axis, x) }),
    twin({ pairTerm: (i, j) => i + j === 1 ? system.pairTerm(i, j) : shifted }),
  ];
  for (const terms of broken) assertThrows(() => assertTermsOf(system, terms), Error, "are lacking");
});

Deno.test("powerPairTerm is exact up to its cutoff and negligible from there on", () => {
  for (const [c12, c6] of [[1, 0], [4, 4], [4 * 1.1 ** 12, 4 * 1.1 ** 6], [0.001, 0.001], [1, 0.1]]) {
    const { energy, cutoff } = powerPairTerm(c12, c6)!;
    const exact = (r: number) => c12 * r ** -12 - c6 * r ** -6;
    for (const r of [0.3, 0.9, 0.999].map((share) => share * cutoff)) {
      assert(Math.abs(energy(r) - exact(r)) <= 1e-14 * (c12 * r ** -12 + c6 * r ** -6));
    }
    assertEquals(energy(cutoff), 0);
    assert(Math.abs(Math.abs(exact(cutoff)) / NEGLIGIBLE_ENERGY - 1) < 1e-12, `|u| at the cutoff: ${exact(cutoff)}`);
    for (let r = cutoff; r < 20; r += 0.01) assert(Math.abs(exact(r)) <= NEGLIGIBLE_ENERGY * (1 + 1e-12));
  }
  assertEquals(powerPairTerm(0, 0), null);
});

Deno.test("wallEnergy is quadratic beyond both walls", () => {
  assertEquals([-4, -3, 0, 3, 3.5].map((x) => wallEnergy(x, 3, 200)), [200, 0, 0, 0, 50]);
});
