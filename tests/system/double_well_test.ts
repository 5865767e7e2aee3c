import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { DoubleWell, type DoubleWellPreset } from "../../src/system/double_well.ts";

Deno.test("DoubleWell.energy equals its formulas", () => {
  const formulas = {
    "noe2019": (x: number, y: number) => x ** 4 - 6 * x ** 2 + x + y ** 2 / 2,
    "paper-si": (x: number, y: number) => x ** 4 / 4 - 3 * x ** 2 + x + y ** 2 / 2,
    "cs230-printed": (x: number, y: number) => x ** 4 - x ** 2 + x + y ** 2 / 2,
    "snf": (x: number, y: number) => x ** 4 - 6 * x ** 2 - x / 2 + y ** 2 / 2,
  };
  const points = Float64Array.of(0, 0, 1, 2, -1.7723, 0.3, 2.5, -4, -0, 5e-324);
  for (const [preset, formula] of Object.entries(formulas)) {
    const well = new DoubleWell({ preset: preset as keyof typeof formulas });
    well.energy(points).forEach((u, s) => assertAlmostEquals(u, formula(points[2 * s], points[2 * s + 1]), 1e-13));
  }
  assertEquals([...new DoubleWell({ dim: 1 }).energy(Float64Array.of(1, 2))], [-4, -6]);
  assertEquals([...new DoubleWell({ dim: 3, k: 2 }).energy(Float64Array.of(1, 2, 3))], [9]);
  assertEquals([...new DoubleWell().energy(Float64Array.of(NaN, 0, Infinity, 0))], [NaN, Infinity]);
});

Deno.test("DoubleWell.energyAndGradient equals central differences", () => {
  const well = new DoubleWell({ dim: 3, preset: "snf", k: 1.7 });
  const x = Float64Array.of(-1.9, 0.2, 0.7, 0.1, -1, 2, 1.6, 0, 0);
  const { energy, gradient } = well.energyAndGradient(x);
  assertEquals(energy, well.energy(x));
  const h = 1e-5;
  gradient.forEach((g, k) => {
    const at = (shift: number) => well.energy(x.map((v, i) => i === k ? v + shift : v))[Math.floor(k / 3)];
    // h²/6 times the third derivative 24 x ≤ 46, and roundings of 1e-15/h.
    assertAlmostEquals((at(h) - at(-h)) / (2 * h), g, 2e-9);
  });
});

Deno.test("DoubleWell.exact gives the published and the independently integrated numbers", () => {
  const well = new DoubleWell();
  const differences = [[0.5, 6.8494], [1, 3.3799], [2, 1.6303], [4, 0.7606]];
  for (const [temperature, expected] of differences) {
    assertAlmostEquals(well.exact(temperature).freeEnergyDifference, expected, 6e-5);
  }
  assertAlmostEquals(well.exact(1).logPartition, 11.02047, 6e-6);
  assertAlmostEquals(new DoubleWell({ dim: 1 }).exact(1).logPartition, 10.10153, 6e-6);
  assertAlmostEquals(well.exact(1).meanEnergy, -9.61514, 6e-6);
  assertAlmostEquals(new DoubleWell({ preset: "paper-si" }).exact(1).freeEnergyDifference, 4.78, 5e-3);
  // A harmonic limit: x⁴ + 50 x² has log Z = ½ log(2πT/100) up to terms of order T/50².
  const stiff = new DoubleWell({ a: 1, b: -50, c: 0, dim: 1 });
  assertAlmostEquals(stiff.exact(0.01).logPartition, 0.5 * Math.log(2 * Math.PI * 0.01 / 100), 1e-5);
  assertEquals(Math.abs(stiff.exact(1).freeEnergyDifference) < 1e-12, true);
});

/** Numbers of the founding code's well at four temperatures, integrated by others: F(x > 0) − F(x < 0). */
const foundingDifferences = [[0.5, 6.8494, 4], [1, 3.3799, 5], [2, 1.63027, 5], [4, 0.76056, 5]];

/** What every preset must give at T = 1, to the digits that are known. */
const knownOfPresets = {
  "noe2019": { logPartition: 11.02047, freeEnergyDifference: 3.3799 },
  // One well only: nothing published, the quadrature below compares.
  "cs230-printed": {},
  // ΔF = 4.7776 is known for a split at the saddle; ours is at x = 0.
  "paper-si": { logPartition: 12.06493 },
  // P(x > 0) = 0.844307: the tilt has the other sign.
  "snf": { logPartition: 10.29348, freeEnergyDifference: Math.log(0.155693 / 0.844307) },
} as const;

function assertKnown(presets: (preset: DoubleWellPreset) => DoubleWell): void {
  for (const [preset, known] of Object.entries(knownOfPresets)) {
    const exact = presets(preset as DoubleWellPreset).exact(1);
    for (const [name, value] of Object.entries(known)) {
      assertAlmostEquals(exact[name as keyof typeof exact], value, 2e-5, `${preset}, ${name}`);
    }
  }
  for (const [temperature, value, digits] of foundingDifferences) {
    const { freeEnergyDifference } = presets("noe2019").exact(temperature);
    assertEquals(freeEnergyDifference.toFixed(digits), value.toFixed(digits), `T = ${temperature}`);
  }
}

Deno.test("every preset of DoubleWell means the formula of its source", () => {
  assertKnown((preset) => new DoubleWell({ preset }));
  // The traps of the literature: printed formulas taken for the one that ran, and the sign of a tilt.
  const wrong: Record<string, (preset: DoubleWellPreset) => DoubleWell> = {
    "printed quarters and halves": (preset) =>
      new DoubleWell(preset === "noe2019" ? { preset: "paper-si" } : { preset }),
    "printed without the six": (preset) =>
      new DoubleWell(preset === "noe2019" ? { preset: "cs230-printed" } : { preset }),
    "tilt of the other sign": (preset) => new DoubleWell(preset === "snf" ? { preset, c: 0.5 } : { preset }),
  };
  for (const [name, make] of Object.entries(wrong)) assertThrows(() => assertKnown(make), Error, "", name);
});

Deno.test("the well as cs230 prints it has one minimum", () => {
  const slope = (x: number) => 4 * x ** 3 - 2 * x + 1;
  const { gradient } = new DoubleWell({ preset: "cs230-printed", dim: 1 }).energyAndGradient(
    Float64Array.from({ length: 601 }, (_, i) => -3 + i / 100),
  );
  gradient.forEach((g, i) => assertAlmostEquals(g, slope(-3 + i / 100), 1e-12));
  assertEquals(gradient.filter((g, i) => i > 0 && g > 0 !== gradient[i - 1] > 0).length, 1);
});

Deno.test("DoubleWell.exact does not depend on its grid for wide, narrow and tilted wells", () => {
  for (
    const [a, b, c, temperature] of [[1, 6, 1, 1], [0.01, 1, 0, 1], [100, 6, -30, 0.1], [1, 6, 40, 3], [1, -3, 0, 50]]
  ) {
    const { logPartition } = new DoubleWell({ a, b, c, dim: 1 }).exact(temperature);
    // Simpson's rule over a range found by walking in until the weight exceeds 1e-20 of the largest.
    const u = (x: number) => a * x ** 4 - b * x ** 2 + c * x;
    let lowest = 0;
    for (let x = -30; x <= 30; x += 0.01) lowest = Math.min(lowest, u(x));
    const weight = (x: number) => Math.exp((lowest - u(x)) / temperature);
    let reach = 30;
    while (weight(reach / 1.1) < 1e-20 && weight(-reach / 1.1) < 1e-20) reach /= 1.1;
    const n = 40_000;
    let sum = 0;
    for (let i = 0; i <= n; i++) {
      sum += weight(reach * (2 * i / n - 1)) * (i === 0 || i === n ? 1 : i % 2 === 1 ? 4 : 2);
    }
    const expected = Math.log(sum * 2 * reach / n / 3) - lowest / temperature;
    assert(Math.abs(logPartition - expected) < 1e-9, `${a} ${b} ${c} ${temperature}: ${logPartition}, ${expected}`);
  }
});

Deno.test("DoubleWell says what is wrong", () => {
  const make = (options: Record<string, unknown>) => () => new DoubleWell(options);
  const what = "Cannot make a DoubleWell:";
  assertThrows(
    make({ preset: "noe" }),
    RangeError,
    `${what} preset must be one of noe2019, paper-si, cs230-printed, snf, got noe`,
  );
  assertThrows(make({ e: 1 }), RangeError, `${what} parameter must be one of a, b, c, k, got e`);
  assertThrows(make({ c: Infinity }), RangeError, `${what} c must be a finite number, got Infinity`);
  assertThrows(make({ a: 0 }), RangeError, `${what} a must be positive, got 0: the energy would have no lower bound`);
  assertThrows(make({ dim: 0 }), RangeError, `${what} dim must be a whole number ≥ 1, got 0`);
  assertThrows(() => new DoubleWell().energy(new Float64Array(3)), RangeError, "multiple of dim = 2, got 3");
  assertThrows(() => new DoubleWell().exact(0), RangeError, "temperature must be positive, got 0");
});
