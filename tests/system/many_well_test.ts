/** Many wells: formula, derivative, independence of the wells, published log Z. */
import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { ManyWell } from "../../src/system/many_well.ts";
import { normals } from "../support/random_arrays.ts";
import { assertGradient, assertInvariant, assertSampledMean, energyFaults } from "../support/system_laws.ts";

Deno.test("ManyWell.energy equals its formula", () => {
  const x = normals(3 * 32, 1);
  const expected = [0, 0, 0];
  for (let i = 0; i < x.length; i += 2) {
    expected[Math.floor(i / 32)] += x[i] ** 4 - 6 * x[i] ** 2 - x[i] / 2 + x[i + 1] ** 2 / 2;
  }
  new ManyWell().energy(x).forEach((u, s) => assertAlmostEquals(u, expected[s], 1e-12));
  const other = new ManyWell({ wells: 1, a: 2, b: 1, c: 3, k: 4 });
  assertEquals([...other.energy(Float64Array.of(1, 2, -1, 0))], [2 - 1 + 3 + 8, 2 - 1 - 3]);
  assertEquals([...new ManyWell({ wells: 2 }).energy(Float64Array.of(0, 0, NaN, 0, 0, 0, 1, 0))], [NaN, -5.5]);
});

Deno.test("ManyWell.energyAndGradient equals central differences", () => {
  const system = new ManyWell({ wells: 3 });
  const x = normals(4 * system.dim, 2);
  // A quartic has no error in differences of fourth order; energies of 100, rounded a few times, over h = 1e-4.
  assertGradient(system, x, 1e-9);
  for (const [name, spoil] of Object.entries(energyFaults)) {
    assertThrows(() => assertGradient(spoil(system), x, 1e-9), Error, "gradient", name);
  }
});

Deno.test("ManyWell does not change when wells are exchanged or y is reflected", () => {
  const system = new ManyWell({ wells: 4 });
  const x = normals(3 * 8, 3);
  const exchanged = (v: Float64Array) => v.map((_, i) => v[i - i % 8 + [6, 7, 2, 3, 0, 1, 4, 5][i % 8]]);
  const reflected = (v: Float64Array) => v.map((value, i) => i % 2 === 1 ? -value : value);
  for (const map of [exchanged, reflected]) assertInvariant(system, x, map, 1e-13);
  // The wells are not symmetric in x: the law refuses that map.
  assertThrows(() => assertInvariant(system, x, (v) => v.map((value) => -value), 1e-13), Error, "energy of the image");
});

Deno.test("ManyWell.exact gives the published log Z and what one well implies", () => {
  const system = new ManyWell();
  const { logPartition, rightProbability, freeEnergyDifference } = system.exact(1);
  assertAlmostEquals(logPartition, 164.69568, 5e-6);
  // Published with the target: Z of x alone is 11784.50927.
  assertAlmostEquals(logPartition, 16 * (Math.log(11784.50927) + 0.5 * Math.log(2 * Math.PI)), 1e-8);
  assertAlmostEquals(rightProbability, 0.844307, 5e-7);
  assertAlmostEquals(freeEnergyDifference, -1.69063, 5e-6);
  // The tilt taken with the other sign, or one well forgotten, is not the same target.
  const flipped = new ManyWell({ c: 0.5 }).exact(1);
  assertAlmostEquals(flipped.rightProbability, 1 - 0.844307, 5e-7);
  assertThrows(() => assertAlmostEquals(new ManyWell({ wells: 15 }).exact(1).logPartition, 164.69568, 5e-6), Error);
});

Deno.test("ManyWell.exactLogModeProbability adds up to one", () => {
  const system = new ManyWell({ wells: 3 });
  const modes = Array.from({ length: 8 }, (_, m) => [m & 1, m >> 1 & 1, m >> 2]).flat();
  const probabilities = system.exactLogModeProbability(modes, 0.7).map(Math.exp);
  assertAlmostEquals(probabilities.reduce((sum, p) => sum + p, 0), 1, 1e-12);
  const right = probabilities.reduce((sum, p, m) => sum + (m & 1) * p, 0);
  assertAlmostEquals(right, system.exact(0.7).rightProbability, 1e-12);
});

Deno.test("metropolis draws from ManyWell", () => {
  const system = new ManyWell({ wells: 2 });
  const start = Float64Array.from(
    { length: 32 * 4 },
    (_, i) => i % 2 === 1 ? 0 : (i / 2 ^ i / 4) % 2 === 1 ? 1.7 : -1.7,
  );
  const plan = { start, steps: 3000, step: 0.9, temperature: 4 };
  const { meanEnergy, rightProbability } = system.exact(4);
  assertSampledMean(system, plan, (_, u) => u, meanEnergy, "energy");
  assertSampledMean(system, plan, (x) => x[2] > 0 ? 1 : 0, rightProbability, "right");
  assertThrows(() => assertSampledMean(system, plan, (_, u) => u, 1.2 * meanEnergy, "energy"), Error, "energy is");
});

Deno.test("ManyWell says what is wrong", () => {
  const make = (options: Record<string, unknown>) => () => new ManyWell(options);
  const what = "Cannot make a ManyWell:";
  assertThrows(make({ preset: "fab" }), RangeError, `${what} preset must be one of midgley2023, got fab`);
  assertThrows(make({ wells: 1.5 }), RangeError, `${what} wells must be a whole number ≥ 1, got 1.5`);
  assertThrows(make({ a: -1 }), RangeError, "a must be positive, got -1: the energy would have no lower bound");
  assertThrows(() => new ManyWell().energy(new Float64Array(2)), RangeError, "multiple of dim = 32, got 2");
  assertThrows(
    () => new ManyWell({ wells: 2 }).exactLogModeProbability([1, 0, 2, 0], 1),
    RangeError,
    "Cannot compute the probability of modes: modes must hold a 0 or 1 for each of 2 wells, got 4 numbers",
  );
});
