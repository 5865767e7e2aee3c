/** Energies where particles overlap, coincide or lie absurdly far out, and where a coordinate is no number. */
import { assert, assertEquals } from "@std/assert";
import { add, column, power, scaleShift, square, sumFeatures } from "../../src/graph/operations.ts";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { DoubleWell } from "../../src/system/double_well.ts";
import { systemFromEnergy } from "../../src/system/from_autodiff.ts";
import { LennardJonesFluid } from "../../src/system/lennard_jones_fluid.ts";
import { ParticleDimer } from "../../src/system/particle_dimer.ts";
import { powerPairTerm, wallEnergy } from "../../src/system/pair_terms.ts";
import { assertClose } from "../support/assert_close.ts";
import { extremes, placed } from "../support/extreme_configurations.ts";

await loadKernels();

for (const { name, system, start, configurations } of extremes()) {
  Deno.test(`${name}: energies of extreme configurations are numbers or +∞, never NaN and never −∞`, () => {
    const { dim } = system;
    const usual = system.energyAndGradient(start);
    for (const [what, x, kind] of configurations) {
      const [alone] = system.energy(x);
      assert(!Number.isNaN(alone) && alone > -Infinity, `${what}: ${alone}`);
      assertEquals(Number.isFinite(alone), kind !== "infinite", `${what}: ${alone}`);
      const { energy, gradient } = system.energyAndGradient(Float64Array.of(...start, ...x, ...start));
      if (Number.isFinite(alone)) assertClose(energy[1], alone, { relative: 1e-13 }, what);
      else assertEquals(energy[1], alone, what);
      if (kind === "finite") assert(gradient.subarray(dim, 2 * dim).every(Number.isFinite), `${what}: gradient`);
      if (kind === "cusp") assert(!gradient.subarray(dim, 2 * dim).every(Number.isFinite), `${what}: no gradient`);
      // Neighbours in the batch, which share vectors with it, notice nothing.
      assertEquals([energy[0], energy[2]], [usual.energy[0], usual.energy[0]], what);
      assertEquals([gradient.slice(0, dim), gradient.slice(2 * dim)], [usual.gradient, usual.gradient], what);
    }
  });

  Deno.test(`${name}: NaN in any coordinate gives NaN, in its own configuration alone`, () => {
    const expected = system.energy(start)[0];
    for (let k = 0; k < system.dim; k++) {
      const batch = Float64Array.of(...start, ...start.with(k, NaN), ...start);
      assertEquals([...system.energy(batch)], [expected, NaN, expected], `coordinate ${k}`);
      const { energy, gradient } = system.energyAndGradient(batch);
      assert(Number.isNaN(energy[1]) && Number.isNaN(gradient[system.dim + k]), `coordinate ${k}`);
      const others = [gradient.subarray(0, system.dim), gradient.subarray(2 * system.dim)];
      assert(others.every((part) => part.every(Number.isFinite)), `coordinate ${k}`);
      assertEquals(system.inDomain?.(batch)[1] ?? 0, 0, "no number lies in no domain");
    }
  });
}

Deno.test("close particles have the energy of the formula, to rounding, down to where it leaves the range of numbers", () => {
  const dimer = new ParticleDimer();
  const { epsilon, sigma } = dimer.parameters;
  const base = dimer.initialConfiguration(1);
  for (const r of [0.3, 0.1, 1e-2, 1e-5, 1e-9, 1e-15, 1e-20, 1e-25]) {
    // Two solvent particles far from all others, where r is exact and the pair decides.
    const x = placed(base, { 4: 0, 5: 40, 6: r, 7: 40 });
    const pair = epsilon * (sigma / r) ** 12;
    const walls = dimer.energy(placed(base, { 4: 0, 5: 40, 6: 20, 7: 40 }))[0];
    const expected = pair + walls + wallEnergy(r, dimer.parameters.halfBox, dimer.parameters.boxConstant) -
      wallEnergy(20, dimer.parameters.halfBox, dimer.parameters.boxConstant);
    assertClose(dimer.energy(x)[0], expected, { relative: 1e-13 }, `r = ${r}`);
    // ∂U/∂x = −12 U/r for the pair; walls and the other particles are 1e-6 of it from r = 0.3 on.
    const { gradient } = dimer.energyAndGradient(x);
    assertClose(gradient[6], -12 * pair / r, { relative: r < 0.2 ? 1e-12 : 1e-3 }, `r = ${r}`);
  }
  assertEquals(dimer.energy(placed(base, { 4: 0, 5: 40, 6: 1e-27, 7: 40 }))[0], Infinity, "r⁻¹² above 1.8e308");
});

Deno.test("one-body and pair terms, of which flows are built, are numbers or +∞ at any distance and NaN at NaN", () => {
  for (const term of [powerPairTerm(1, 0)!, powerPairTerm(4, 4)!]) {
    for (const r of [0, 5e-324, 1e-200, 1e-60, 1e-26]) assertEquals(term.energy(r), Infinity, `r = ${r}`);
    for (const r of [1e-20, 0.5, 1, 1e30, Infinity]) assert(Number.isFinite(term.energy(r)), `r = ${r}`);
    assert(Number.isNaN(term.energy(NaN)));
  }
  assertClose(wallEnergy(1e30, 1, 2), 2e60, { relative: 1e-15 });
  assertEquals([wallEnergy(-1e200, 1, 2), wallEnergy(0, 1, 2)], [Infinity, 0]);
  assert(Number.isNaN(wallEnergy(NaN, 1, 2)));
  for (const preset of ["noe2019", "noe2019-class", "printed"] as const) {
    const dimer = new ParticleDimer({ preset });
    for (const d of [0, 1e-300, 1e30, 1e38]) assert(Number.isFinite(dimer.dimerEnergy(d)), `${preset}, d = ${d}`);
  }
});

Deno.test("particles of an ideal gas that coincide have no energy: NaN, as documented, which samplers and losses refuse", () => {
  const gas = new LennardJonesFluid().withCoupling(0);
  const x = placed(gas.startConfigurations()[0], { 0: 0.5, 1: 0.5, 2: 0.5, 3: 0.5 });
  assert(Number.isNaN(gas.energy(x)[0]));
  assertEquals(gas.energy(placed(x, { 0: 0.5 + 1e-12 }))[0], 0);
});

Deno.test("an energy of operations keeps NaN, and +∞ where it overflows", () => {
  const quartic = systemFromEnergy((x) => add(power(column(x, 0), 4), sumFeatures(square(x))), { dim: 2 });
  const [far, ...others] = quartic.energy(Float64Array.of(1e30, 0, 1e200, 0, NaN, 0, 0, 0));
  assertClose(far, 1e120, { relative: 1e-15 });
  assertEquals(others, [Infinity, NaN, 0]);
  const linear = systemFromEnergy((x) => scaleShift(column(x, 0), 2, 0), { dim: 1 });
  assertEquals([...linear.energyAndGradient(Float64Array.of(1e30)).gradient], [2]);
  for (const preset of ["noe2019", "paper-si", "cs230-printed", "snf"] as const) {
    const well = new DoubleWell({ preset });
    for (const x of [1e30, -1e30, 1e75, -1e75]) {
      const { energy, gradient } = well.energyAndGradient(Float64Array.of(x, x));
      // a x⁴ decides: the next term is 1e-60 of it.
      assertClose(energy[0], well.parameters.a * x ** 4, { relative: 1e-15 });
      assertClose(gradient[0], 4 * well.parameters.a * x ** 3, { relative: 1e-15 });
    }
  }
});
