/** Müller-Brown: formula, derivative, published minima, and quadrature against another quadrature. */
import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { MuellerBrown } from "../../src/system/mueller_brown.ts";
import { assertGradient, assertSampledMean, energyFaults } from "../support/system_laws.ts";

/** The formula, term by term as Müller and Brown print it. */
function formula(k: number, x: number, y: number): number {
  return k * (
    -200 * Math.exp(-((x - 1) ** 2) - 10 * y ** 2) - 100 * Math.exp(-(x ** 2) - 10 * (y - 0.5) ** 2) -
    170 * Math.exp(-6.5 * (x + 0.5) ** 2 + 11 * (x + 0.5) * (y - 1.5) - 6.5 * (y - 1.5) ** 2) +
    15 * Math.exp(0.7 * (x + 1) ** 2 + 0.6 * (x + 1) * (y - 1) + 0.7 * (y - 1) ** 2)
  );
}

const points = Float64Array.of(-0.558, 1.442, 0.624, 0.028, -0.05, 0.466, 0, 0, -1.7, 2.1, 1.5, -0.6);

Deno.test("MuellerBrown.energy equals its formula", () => {
  for (const [system, k] of [[new MuellerBrown(), 0.1], [new MuellerBrown({ preset: "mueller1979" }), 1]] as const) {
    system.energy(points).forEach((u, s) => {
      // Terms of up to 200 k, rounded some ten times, and large exponents that add to their rounding.
      assertAlmostEquals(u, formula(k, points[2 * s], points[2 * s + 1]), 1e-11);
    });
  }
  const strange = new MuellerBrown().energy(Float64Array.of(NaN, 0, 0, NaN, Infinity, 0, 1e200, -1e200));
  assertEquals([...strange], [NaN, NaN, Infinity, Infinity]);
});

Deno.test("MuellerBrown.energyAndGradient equals central differences", () => {
  const system = new MuellerBrown({ scale: 0.3 });
  // Energies up to 200, rounded some ten times, over h = 1e-4; fifth derivatives add less.
  const tolerance = 1e-8;
  assertGradient(system, points, tolerance);
  for (const [name, spoil] of Object.entries(energyFaults)) {
    assertThrows(() => assertGradient(spoil(system), points, tolerance), Error, "gradient", name);
  }
});

Deno.test("MuellerBrown has the published minima", () => {
  // Müller & Brown 1979, table 1: coordinates to three digits, energies to 0.1.
  const published = [[-0.558, 1.442, -146.7], [0.623, 0.028, -108.2], [-0.05, 0.467, -80.8]];
  const system = new MuellerBrown({ preset: "mueller1979" });
  for (const [x, y, energy] of published) {
    const at = Float64Array.of(x, y);
    for (let k = 0; k < 2000; k++) {
      const { gradient } = system.energyAndGradient(at);
      at.forEach((_, i) => at[i] -= 2e-4 * gradient[i]);
    }
    assert(Math.hypot(at[0] - x, at[1] - y) < 1e-3, `${at}`);
    assertAlmostEquals(system.energy(at)[0], energy, 0.06);
  }
});

Deno.test("MuellerBrown.exact gives the independently computed numbers", () => {
  const system = new MuellerBrown();
  const { logPartition, freeEnergyDifference, populations } = system.exact(1);
  assertAlmostEquals(logPartition, 11.72959, 6e-6);
  assertAlmostEquals(freeEnergyDifference, 3.784, 6e-4);
  for (const [k, expected] of [0.97438, 0.00347, 0.02215].entries()) {
    assertAlmostEquals(populations[k], expected, 1e-5);
  }
  assertAlmostEquals(system.exact(0.5).freeEnergyDifference, 7.669, 6e-4);
  assertAlmostEquals(system.exact(0.25).freeEnergyDifference, 15.391, 6e-4);
  assertAlmostEquals(new MuellerBrown({ scale: 0.15 }).exact(1).logPartition, 18.61544, 6e-6);
});

/** The same integrals on a plain grid; cells that a divide cuts are counted by halves along x, of h²/12 s′ each. */
function plainQuadrature(k: number, temperature: number): { logPartition: number; mean: number; left: number } {
  const [h, low, high] = [0.01, -5, 5];
  const n = Math.round((high - low) / h);
  const sums = { weight: 0, energy: 0, left: 0 };
  for (let i = 0; i <= n; i++) {
    for (let j = 0; j <= n; j++) {
      const [x, y] = [low + i * h, low + j * h];
      const u = formula(k, x, y);
      const weight = Math.exp((-146.7 * k - u) / temperature);
      if (weight === 0) continue;
      sums.weight += weight;
      sums.energy += weight * u;
      // x − y = −10/7 lies a constant part of h beside the grid's diagonals: the left part is linear between them.
      const beyond = Math.min(1, Math.max(0, 0.5 - (x - y + 10 / 7) / h));
      sums.left += beyond * weight;
    }
  }
  return {
    logPartition: Math.log(sums.weight * h * h) + 146.7 * k / temperature,
    mean: sums.energy / sums.weight,
    left: sums.left / sums.weight,
  };
}

Deno.test("MuellerBrown.exact equals quadrature on a plain grid, hot and cold", () => {
  for (const [scale, temperature] of [[0.1, 4], [0.1, 1], [1, 2]]) {
    const { logPartition, meanEnergy, populations } = new MuellerBrown({ scale }).exact(temperature);
    const plain = plainQuadrature(scale, temperature);
    assertAlmostEquals(logPartition, plain.logPartition, 1e-8); // what the doc comment states
    assertAlmostEquals(meanEnergy, plain.mean, 1e-7); // relative to energies of ten
    // Steps of 0.01 over the slope of the density at the divide, whose width is above 0.1: (0.01/0.1)²/12 of 0.01.
    assertAlmostEquals(populations[0], plain.left, 1e-5);
  }
});

Deno.test("MuellerBrown.exactProfile is normalised and flat where nothing is", () => {
  const system = new MuellerBrown();
  const n = 2000;
  const s = Float64Array.from({ length: n + 1 }, (_, i) => -5 + 8 * i / n);
  const profile = system.exactProfile(1, s);
  const density = profile.map((f) => Math.exp(-f));
  assertAlmostEquals(density.reduce((sum, p) => sum + p, 0) * 8 / n, 1, 1e-9);
  const right = density.reduce((sum, p, i) => s[i] > 1e-9 ? sum + p : Math.abs(s[i]) < 1e-9 ? sum + p / 2 : sum, 0);
  assertAlmostEquals(right * 8 / n, system.exact(1).populations[2], 1e-6);
});

Deno.test("metropolis draws from MuellerBrown", () => {
  const system = new MuellerBrown();
  // At T = 4 barriers are low: 20 chains, as many from either side.
  const start = Float64Array.from({ length: 40 }, (_, i) => [-0.558, 1.442, 0.623, 0.028][i % 4]);
  const plan = { start, steps: 5000, step: 0.4, temperature: 4 };
  const { meanEnergy, populations } = system.exact(4);
  const isLeft = (x: Float64Array) => 0.7 * (x[0] - x[1]) < -1 ? 1 : 0;
  assertSampledMean(system, plan, (_, energy) => energy, meanEnergy, "energy");
  assertSampledMean(system, plan, isLeft, populations[0], "left");
  // What the same chains say of a temperature 10 % lower is refused.
  const colder = system.exact(3.6);
  assertThrows(() => assertSampledMean(system, plan, (_, u) => u, colder.meanEnergy, "energy"), Error, "energy is");
});

Deno.test("MuellerBrown says what is wrong", () => {
  const make = (options: Record<string, unknown>) => () => new MuellerBrown(options);
  const what = "Cannot make a MuellerBrown:";
  assertThrows(make({ preset: "noe" }), RangeError, `${what} preset must be one of noe2019, mueller1979, got noe`);
  assertThrows(make({ k: 1 }), RangeError, `${what} parameter must be one of scale, got k`);
  assertThrows(make({ scale: 0 }), RangeError, `${what} scale must be positive, got 0`);
  assertThrows(() => new MuellerBrown().energy(new Float64Array(3)), RangeError, "multiple of dim = 2, got 3");
  assertThrows(
    () => new MuellerBrown({ scale: 1 }).exact(0.05),
    RangeError,
    "Cannot integrate a MuellerBrown: temperature must be at least 0.1, got 0.05",
  );
});
