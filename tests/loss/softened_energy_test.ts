/** The energy that training sees: finite with a finite gradient wherever there is an energy, and refused where not. */
import { assert, assertEquals, assertThrows } from "@std/assert";
import { NotFiniteError } from "../../src/autodiff/not_finite.ts";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { column, power, square, sumFeatures } from "../../src/graph/operations.ts";
import { type EnergyFunction, reducedEnergyOperation } from "../../src/loss/energy.ts";
import { systemFromEnergy } from "../../src/system/from_autodiff.ts";
import { assertClose } from "../support/assert_close.ts";
import { extremes, placed } from "../support/extreme_configurations.ts";

await loadKernels();

const softening = { highEnergy: 1e3, maxEnergy: 1e10 };

/** Values and gradients of all extreme configurations in one batch. */
function soften(system: EnergyFunction, x: Float64Array, soft: typeof softening | null = softening) {
  const operation = reducedEnergyOperation(system, 0.7, soft);
  const n = x.length / system.dim;
  const { value, saved } = operation.forward([x], n);
  const [gradient] = operation.vjp(new Float64Array(n).fill(1), [x], saved, n);
  return { value, gradient: gradient! };
}

for (const { name, system, start, configurations } of extremes()) {
  Deno.test(`${name}: the softened energy and its gradient are finite at every extreme configuration`, () => {
    const x = Float64Array.from([start, ...configurations.map(([, x]) => x)].flatMap((row) => [...row]));
    const { value, gradient } = soften(system, x);
    const highest = 1e3 + Math.log(1e10 - 1e3 + 1);
    assert(value.every((u) => Number.isFinite(u) && u <= highest), `${value}`);
    assert(gradient.every(Number.isFinite));
    // What kernels and parameters get is float32: that must not overflow either.
    assert(gradient.every((g) => Number.isFinite(Math.fround(g))));
    // The exact energy of the same batch has no finite mean: softening it is what made the difference.
    assert(configurations.some(([, , kind]) => kind === "infinite"));
    assert(system.energy(x).some((u) => u === Infinity));
  });
}

/** |x − y|^p of the plane, from operations: a cusp at x = y for p = 1. */
const bond = systemFromEnergy((x) => power(sumFeatures(square(x)), 0.5), { dim: 2 });

Deno.test("at a cusp the directions cancel: the gradient is that of what has no cusp", () => {
  assert(bond.energyAndGradient(new Float64Array(2)).gradient.some((g) => !Number.isFinite(g)), "no gradient there");
  const { value, gradient } = soften(bond, Float64Array.of(0, 0, 3, 4));
  assertEquals(value[0], 0);
  // Both unit vectors, from rounded x ± δ, differ in sign alone.
  assertClose(gradient, [0, 0, 0.7 * 0.6, 0.7 * 0.8], { absolute: 1e-12 });

  // With a slope beside the cusp, that slope is what is left; δ² times a curvature of about one is the error.
  const tilted: EnergyFunction = {
    dim: 2,
    energyAndGradient(x) {
      const { energy, gradient } = bond.energyAndGradient(x);
      return {
        energy: energy.map((u, i) => u + 3 * x[2 * i] + x[2 * i + 1] ** 2),
        gradient: gradient.map((g, k) => g + (k % 2 === 0 ? 3 : 2 * x[k])),
      };
    },
  };
  assertClose(soften(tilted, Float64Array.of(0, 0)).gradient, [0.7 * 3, 0], { absolute: 1e-9 });
});

Deno.test("a gradient that is missing for no reason is refused, not taken for zero", () => {
  const lame: EnergyFunction = {
    dim: 1,
    energyAndGradient: (x) => ({ energy: x.map((v) => v * v), gradient: x.map((v) => v > 1 ? NaN : 2 * v) }),
  };
  const { message } = assertThrows(() => soften(lame, Float64Array.of(0, 2, 3)), NotFiniteError);
  assertEquals(
    message,
    "the energy gradients of the energy loss must be finite, got 2 of 3 that are not, the first with index 1: lower the " +
      "learning rate, clip gradients or weigh the energy less",
  );
});

Deno.test("samples and energies that are no numbers are refused with their count; +∞ is an energy", () => {
  const well = systemFromEnergy((x) => power(column(x, 0), 4), { dim: 2 });
  const x = Float64Array.of(1, 0, NaN, 0, 2, Infinity, 1e200, 0);
  for (const soft of [softening, null]) {
    assertThrows(
      () => soften(well, x, soft),
      NotFiniteError,
      "the samples of the energy loss must be finite, got 2 of 4 that are not, the first with index 1",
    );
    for (const bad of [NaN, -Infinity]) {
      const broken = { dim: 1, energyAndGradient: (x: Float64Array) => ({ energy: x.map(() => bad), gradient: x }) };
      assertThrows(
        () => soften(broken, Float64Array.of(1, 2), soft),
        NotFiniteError,
        "the energies of the energy loss must be finite, got 2 of 2 that are not, the first with index 0",
      );
    }
  }
  assert(soften(well, placed(x, { 2: 0, 5: 0 })).value.every(Number.isFinite));
});
