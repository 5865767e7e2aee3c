/** The oscillator in a box: formula, walls, derivative, log Z. */
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { metropolis } from "../../src/sampling/metropolis.ts";
import { HarmonicOscillatorBox } from "../../src/system/harmonic_oscillator_box.ts";
import { assertGradient, assertInvariant, assertSampledMean, energyFaults } from "../support/system_laws.ts";

const system = new HarmonicOscillatorBox({ k: 1.5, boxLength: 3 });
const inside = Float64Array.of(0.5, 1, 2.9, -4, 1, 1, 0.01, 7);

Deno.test("HarmonicOscillatorBox.energy equals its formula and is infinite beyond the walls", () => {
  assertEquals([...system.energy(inside)], [0.375, 1.5 * 6.9 * 6.9, 0, 1.5 * (7 - 0.01) * (7 - 0.01)]);
  // Walls belong to the box; just beyond them nothing is.
  const beyond = 3 * (1 + 2 ** -52);
  assertEquals([...system.energy(Float64Array.of(0, 0, -0, 0, 3, 3, -5e-324, 0, beyond, 3))], [
    ...[0, 0, 0],
    ...[Infinity, Infinity],
  ]);
  const strange = Float64Array.of(NaN, 0, 1, NaN, -1, NaN, 1, 1e200, -1e200, 1e200, Infinity, Infinity);
  assertEquals([...system.energy(strange)], [NaN, NaN, NaN, Infinity, Infinity, Infinity]);
  assert(system.energyAndGradient(Float64Array.of(-1, 0)).gradient.every(Number.isNaN), "no gradient beyond a wall");
});

Deno.test("the presets of HarmonicOscillatorBox have no ½ in front of the spring", () => {
  for (const [preset, k] of [["cs230", 1], ["cs230-trained", 2]] as const) {
    assertEquals([...new HarmonicOscillatorBox({ preset }).energy(Float64Array.of(1, 3))], [4 * k]);
    assertAlmostEquals(
      new HarmonicOscillatorBox({ preset }).exact(1).logPartition,
      Math.log(4 * Math.sqrt(Math.PI / k)),
      1e-14,
    );
  }
  assertAlmostEquals(new HarmonicOscillatorBox().exact(1).logPartition, 1.958659, 5e-7);
});

Deno.test("HarmonicOscillatorBox.energyAndGradient equals central differences", () => {
  // Energies below 80 over h = 1e-4.
  assertGradient(system, inside, 1e-9);
  for (const [name, spoil] of Object.entries(energyFaults)) {
    assertThrows(() => assertGradient(spoil(system), inside, 1e-9), Error, "gradient", name);
  }
});

Deno.test("HarmonicOscillatorBox does not change when both particles move together within the box", () => {
  const moved = Float64Array.of(1.25, 3, 2.75, 1.5);
  assertEquals(system.energy(moved), system.energy(moved.map((v) => v - 0.5)));
  // Reflection about the middle of the box, which turns the gradient: centred coordinates change sign.
  const centred = {
    dim: 2,
    energy: (x: Float64Array) => system.energy(x.map((v) => v + 1.5)),
    energyAndGradient: (x: Float64Array) => system.energyAndGradient(x.map((v) => v + 1.5)),
  };
  const x = inside.map((v) => v - 1.5);
  assertInvariant(centred, x, (v) => v.map((value) => -value), 1e-12);
  assertThrows(
    () => assertInvariant(centred, x, (v) => v.map((value, i) => i % 2 === 0 ? -value : value), 1e-12),
    Error,
    "energy of the image",
  );
});

/** log Z by the midpoint rule in a wide window, from the energy alone. */
function logPartitionByQuadrature(of: HarmonicOscillatorBox, temperature: number): number {
  const [cells, points] = [24, 800];
  let sum = 0;
  for (let i = -cells; i < 2 * cells; i++) {
    const first = (i + 0.5) * of.parameters.boxLength / cells;
    const row = Float64Array.from(
      { length: 2 * points },
      (_, j) => j % 2 === 0 ? first : -17 + 40 * (j - 1) / 2 / points,
    );
    sum += of.energy(row).reduce((total, u) => total + Math.exp(-u / temperature), 0);
  }
  return Math.log(sum * of.parameters.boxLength / cells * 40 / points);
}

Deno.test("HarmonicOscillatorBox.exact equals quadrature over more than the box", () => {
  for (const temperature of [0.5, 1, 2]) {
    // Uniform along x₁, so that midpoints are exact; a Gaussian along x₂ with steps of a tenth of its width.
    assertAlmostEquals(system.exact(temperature).logPartition, logPartitionByQuadrature(system, temperature), 1e-10);
  }
  assertEquals(system.exact(3).meanEnergy, 1.5);
});

Deno.test("metropolis draws from HarmonicOscillatorBox and never leaves the box", () => {
  const start = Float64Array.from({ length: 2 * 24 }, (_, i) => 0.1 + (i >> 1) * 0.12);
  const plan = { start, steps: 4000, step: 0.9, temperature: 1.5 };
  assertSampledMean(system, plan, (_, u) => u, system.exact(1.5).meanEnergy, "energy");
  assertSampledMean(system, plan, (x) => x[0], 1.5, "middle");
  assertSampledMean(system, plan, (x) => x[0] < 0.3 ? 1 : 0, 0.1, "beside the wall");
  assertThrows(() => assertSampledMean(system, plan, (_, u) => u, 1.5, "energy"), Error, "energy is");
  const { x } = metropolis(system, { ...plan, steps: 500 });
  assert(x.every((v, i) => i % 2 === 1 || v >= 0 && v <= 3));
});

Deno.test("HarmonicOscillatorBox says what is wrong", () => {
  const make = (options: Record<string, unknown>) => () => new HarmonicOscillatorBox(options);
  const what = "Cannot make a HarmonicOscillatorBox:";
  assertThrows(make({ preset: "sho" }), RangeError, `${what} preset must be one of cs230, cs230-trained, got sho`);
  assertThrows(make({ k: 0 }), RangeError, `${what} k must be positive, got 0`);
  assertThrows(make({ boxLength: -4 }), RangeError, `${what} boxLength must be positive, got -4`);
  assertThrows(() => system.energy(new Float64Array(3)), RangeError, "multiple of dim = 2, got 3");
  assertThrows(() => system.exact(0), RangeError, "temperature must be positive, got 0");
});
