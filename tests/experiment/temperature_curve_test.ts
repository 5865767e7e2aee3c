import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { type CurveData, thermodynamicCurve } from "../../src/experiment/temperature_curve.ts";
import { RandomStream } from "../../src/random/random_stream.ts";
import { estimateFrom } from "../../src/reweighting/estimate.ts";
import { FOUR_SIGMA } from "../support/statistics.ts";

const TEMPERATURES = Array.from({ length: 17 }, (_, k) => 0.5 * 4 ** (k / 16));
/** ΔU rises with T by ΔC: ΔU = u + ΔC (T − 1), ΔS = s + ΔC ln T. All in k_BT₀ and k_B. */
const TRUTH = { energy: 5, entropy: -1.5, capacity: 0.8 };

/** ΔF, ΔU and TΔS in k_BT. */
function truth(temperature: number) {
  const { energy, entropy, capacity } = TRUTH;
  const u = (energy + capacity * (temperature - 1)) / temperature;
  const s = entropy + capacity * Math.log(temperature);
  return { freeEnergy: u - s, energy: u, entropy: s };
}

const [F_ERROR, U_ERROR, CORRELATION] = [0.02, 0.1, -0.4];

/** What estimators would find: the truth with correlated noise. */
function noisy(seed: number, change: (u: number) => number = (u) => u): CurveData[] {
  const random = new RandomStream(seed, 9);
  return TEMPERATURES.map((temperature) => {
    const [a, b] = [random.normal(), random.normal()];
    const { freeEnergy, energy } = truth(temperature);
    const rest = Math.sqrt(1 - CORRELATION ** 2);
    return {
      temperature,
      freeEnergy: estimateFrom(freeEnergy + F_ERROR * a, F_ERROR),
      energy: estimateFrom(change(energy) + U_ERROR * (CORRELATION * a + rest * b), U_ERROR),
      covariance: F_ERROR * U_ERROR * CORRELATION,
    };
  });
}

const REPEATS = 300;
const curves = Array.from({ length: REPEATS }, (_, seed) => thermodynamicCurve(noisy(seed)));

Deno.test("thermodynamicCurve() finds free energy, energy and entropy within the errors that it states", () => {
  for (const temperature of [0.5, 0.61, 1, 1.7, 2]) {
    const exact = truth(temperature);
    for (const name of ["freeEnergy", "energy", "entropy"] as const) {
      const pulls = curves.map((curve) => {
        const { value, standardError } = curve.at(temperature)![name];
        return (value - exact[name]) / (standardError / curve.widening);
      });
      const mean = pulls.reduce((sum, pull) => sum + pull, 0) / REPEATS;
      const square = pulls.reduce((sum, pull) => sum + pull * pull, 0) / REPEATS;
      // The mean of 300 standard normal numbers, and of their squares, whose variance is 2.
      assert(Math.abs(mean) < FOUR_SIGMA / Math.sqrt(REPEATS), `${name} at ${temperature}: mean pull ${mean}`);
      assert(Math.abs(square - 1) < FOUR_SIGMA * Math.sqrt(2 / REPEATS), `${name} at ${temperature}: ${square}`);
    }
  }
});

Deno.test("thermodynamicCurve() is more exact than a single temperature, and TΔS is ΔU − ΔF", () => {
  const at = curves[0].at(1)!;
  assert(at.freeEnergy.standardError < F_ERROR / 2 && at.energy.standardError < U_ERROR);
  assertAlmostEquals(at.entropy.value, at.energy.value - at.freeEnergy.value, 1e-10);
  // Energy is minus the slope.
  const [low, high] = [0.999, 1.001].map((temperature) => curves[0].at(temperature)!.freeEnergy.value);
  assertAlmostEquals(-(high - low) / Math.log(1.001 / 0.999), at.energy.value, 1e-5);
});

Deno.test("χ² of thermodynamicCurve() is that of its degrees of freedom, and tells energies that do not belong", () => {
  const freedom = 2 * TEMPERATURES.length - 5;
  assertEquals(curves[0].freedom, freedom);
  const mean = curves.reduce((sum, { chiSquare }) => sum + chiSquare, 0) / REPEATS;
  assert(Math.abs(mean - freedom) < FOUR_SIGMA * Math.sqrt(2 * freedom / REPEATS), `mean χ² ${mean}`);
  const limit = freedom + 5 * Math.sqrt(2 * freedom);
  assert(thermodynamicCurve(noisy(1, (u) => u * 1.05)).chiSquare > limit, "energies 5 % too large");
  const { chiSquare, freedom: own, widening } = thermodynamicCurve(noisy(1, (u) => u * 1.05));
  assertAlmostEquals(widening, Math.sqrt(chiSquare / own), 1e-12);
  const [wide, plain] = [(u: number) => u * 1.05, (u: number) => u].map((f) => thermodynamicCurve(noisy(1, f)));
  const errors = [wide, plain].map((curve) => curve.at(1)!.energy.standardError / curve.widening);
  assertAlmostEquals(errors[0], errors[1], 1e-12);
  assert(curves.every((curve) => curve.widening >= 1));
  const ignored = noisy(1).map((data) => ({ ...data, covariance: -data.covariance! }));
  assert(thermodynamicCurve(ignored).chiSquare !== thermodynamicCurve(noisy(1)).chiSquare, "the covariance counts");
});

Deno.test("thermodynamicCurve() leaves out what is not reliable, and is none where too little is left", () => {
  const doubtful = noisy(2).map((data, k) => {
    const freeEnergy = estimateFrom(50, 0.01, { reason: "it is wrong" });
    return k === 3 ? { ...data, freeEnergy } : data;
  });
  assertEquals(thermodynamicCurve(doubtful).freedom, 2 * TEMPERATURES.length - 7);
  assertAlmostEquals(thermodynamicCurve(doubtful).at(1)!.freeEnergy.value, truth(1).freeEnergy, 5 * F_ERROR);
  const none = thermodynamicCurve(noisy(2).slice(0, 2));
  assertEquals([none.degree, none.at(1)], [-1, null]);
  assertEquals(thermodynamicCurve([]).at(1), null);
});
