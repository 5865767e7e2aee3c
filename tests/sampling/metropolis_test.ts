import { assert, assertEquals, assertThrows } from "@std/assert";
import { integratedAutocorrelationTime } from "../../src/sampling/autocorrelation.ts";
import { metropolis, type MetropolisFrames } from "../../src/sampling/metropolis.ts";
import { DoubleWell } from "../../src/system/double_well.ts";
import type { System } from "../../src/system/system.ts";

/** U = ½ Σ kᵢ xᵢ²: variances T/kᵢ, mean energy dim T/2. */
const stiffness = [1, 4, 0.5];
const harmonic: System = {
  name: "harmonic",
  dim: 3,
  energy: (x) =>
    new Float64Array(x.length / 3).map((_, s) => stiffness.reduce((sum, k, i) => sum + 0.5 * k * x[3 * s + i] ** 2, 0)),
  energyAndGradient: () => {
    throw new Error("not needed");
  },
};

/**
 * Whether the mean of f over all frames is the expected one: within four standard errors corrected for correlation, which
 * must be below a tenth of `scale` (a walk that never settles has a large error and proves nothing).
 */
function agrees(frames: MetropolisFrames, f: (s: number) => number, expected: number, scale: number): boolean {
  const chains = Math.max(...frames.chain) + 1;
  const series = Array.from(
    { length: chains },
    (_, c) => Float64Array.from({ length: frames.chain.length / chains }, (_, t) => f(t * chains + c)),
  );
  const values = series.flatMap((s) => [...s]);
  const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
  const variance = values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length;
  const error = Math.sqrt(2 * integratedAutocorrelationTime(series) * variance / values.length);
  return Math.abs(mean - expected) < 4 * error && error < 0.1 * scale;
}

const options = { steps: 20_000, step: 0.9, burnIn: 200, stride: 2, seed: 1 };

Deno.test("metropolis draws the moments of a harmonic well", () => {
  // An odd number of chains draws normals and uniforms by turns in one block of the generator.
  for (const [temperature, chains] of [[1, 4], [0.4, 4], [1, 1], [1, 3]]) {
    const frames = metropolis(harmonic, { ...options, temperature, start: new Float64Array(3 * chains) });
    stiffness.forEach((k, i) => {
      // Four standard errors: 28 comparisons fail once in 560 seeds.
      assert(agrees(frames, (s) => frames.x[3 * s + i], 0, Math.sqrt(temperature / k)));
      assert(agrees(frames, (s) => frames.x[3 * s + i] ** 2, temperature / k, temperature / k));
    });
    assert(agrees(frames, (s) => frames.energy[s], 1.5 * temperature, temperature));
  }
});

Deno.test("the moments reject a sampler that always accepts, forgets the temperature or has the wrong sign", () => {
  const start = new Float64Array(12);
  const energyAgrees = (system: System, temperature: number) => {
    const frames = metropolis(system, { ...options, temperature, start });
    return agrees(frames, (s) => harmonic.energy(frames.x.subarray(3 * s, 3 * s + 3))[0], 1.5, 1);
  };
  assert(energyAgrees(harmonic, 1));
  assert(!energyAgrees({ ...harmonic, energy: (x) => new Float64Array(x.length / 3) }, 1));
  assert(!energyAgrees(harmonic, 1.1));
  assert(!energyAgrees({ ...harmonic, energy: (x) => harmonic.energy(x).map((u) => -u) }, 1));
});

Deno.test("metropolis visits both sides of a double well as often as quadrature says", () => {
  const well = new DoubleWell({ b: 2, c: 0.3 });
  const { freeEnergyDifference, meanEnergy } = well.exact(1);
  const right = 1 / (1 + Math.exp(freeEnergyDifference));
  const frames = metropolis(well, { ...options, start: Float64Array.of(-1, 0, 1, 0, 0, 0, 1, 1) });
  assert(agrees(frames, (s) => frames.x[2 * s] >= 0 ? 1 : 0, right, right));
  assert(agrees(frames, (s) => frames.energy[s], meanEnergy, 1));
});

Deno.test("metropolis counts, labels and repeats itself", () => {
  const start = Float64Array.of(-1.8, 0, 1.8, 0);
  const run = () => metropolis(new DoubleWell(), { start, steps: 55, step: 0.2, stride: 10, burnIn: 5, seed: 4 });
  const frames = run();
  assertEquals(frames.x.length, 2 * 2 * 5);
  assertEquals([...frames.chain], [0, 1, 0, 1, 0, 1, 0, 1, 0, 1]);
  assertEquals(frames.energyEvaluations, 2 * 61);
  assertEquals(frames.energy, new DoubleWell().energy(frames.x));
  assert(frames.acceptance > 0 && frames.acceptance < 1);
  assertEquals(run(), frames);
});

Deno.test("metropolis never accepts an infinite or undefined energy", () => {
  const wall: System = { ...harmonic, dim: 1, energy: (x) => x.map((v) => v > 0.1 ? Infinity : v < -0.1 ? NaN : 0) };
  const { x, acceptance } = metropolis(wall, { start: new Float64Array(4), steps: 2000, step: 0.2 });
  assert(x.every((v) => Math.abs(v) <= 0.1));
  assert(acceptance > 0.1);
});

Deno.test("metropolis says what is wrong", () => {
  const well = new DoubleWell();
  const start = new Float64Array(2);
  const run = (changes: Record<string, unknown>) => () => metropolis(well, { start, steps: 1, step: 1, ...changes });
  const what = "Cannot run Metropolis Monte Carlo:";
  assertThrows(run({ steps: 0 }), RangeError, `${what} steps must be a whole number ≥ 1, got 0`);
  assertThrows(run({ step: -1 }), RangeError, `${what} step must be a positive number, got -1`);
  assertThrows(run({ temperature: 0 }), RangeError, `${what} temperature must be a positive number, got 0`);
  assertThrows(run({ stride: 1.5 }), RangeError, `${what} stride must be a whole number ≥ 1, got 1.5`);
  assertThrows(run({ start: new Float64Array(3) }), RangeError, "of 2 coordinates, got 3 numbers");
  assertThrows(run({ start: Float64Array.of(NaN, 0) }), RangeError, "finite energies, got NaN in chain 0");
});
