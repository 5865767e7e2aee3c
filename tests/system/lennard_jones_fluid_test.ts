import { assert, assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import { loadKernels } from "../../src/backend/wasm_deno.ts";
import { fluidSymmetries } from "../../src/system/fluid_symmetries.ts";
import { LennardJonesFluid } from "../../src/system/lennard_jones_fluid.ts";
import { requireSymmetries, symmetryGroup, type SymmetryOperation } from "../../src/system/symmetry.ts";
import { scatteredParticles, shakenSites } from "../support/fluid_configurations.ts";
import { integrateTwoParticles, TWO_SITES } from "../support/two_particles.ts";

await loadKernels();

const liquid = new LennardJonesFluid();
const discs = new LennardJonesFluid({ preset: "soft-discs" });

Deno.test("LennardJonesFluid has the energies of the textbook at points that can be computed by hand", () => {
  const pair = new LennardJonesFluid({ particles: 2, density: 0.1, sites: TWO_SITES });
  assertAlmostEquals(pair.halfBox, (Math.sqrt(20) - 1) / 2, 1e-15);
  // ε = 1 and σ = 1: 0 at σ, −1 at 2^(1/6) σ, 4 (2⁻¹² − 2⁻⁶) at 2 σ.
  const at = (r: number) => pair.energy(Float64Array.of(0, -r / 2, 0, r / 2))[0];
  assertAlmostEquals(at(1), 0, 1e-14);
  assertAlmostEquals(at(2 ** (1 / 6)), -1, 1e-14);
  assertAlmostEquals(at(2), 4 * (2 ** -12 - 2 ** -6), 1e-16);
  // One particle 0.1 beyond a wall, far from the other one.
  const beyond = pair.halfBox + 0.1;
  const [u] = pair.energy(Float64Array.of(beyond, 0, -1, 0));
  const r = beyond + 1;
  assertAlmostEquals(u, 200 * 0.01 + 4 * (r ** -12 - r ** -6), 1e-13);
  const soft = new LennardJonesFluid({ preset: "soft-discs", particles: 2, density: 0.1, sites: TWO_SITES });
  assertAlmostEquals(soft.energy(Float64Array.of(0, 0, 0, 0.9))[0], 0.9 ** -12, 1e-14);
});

Deno.test("LennardJonesFluid.halfBox gives discs of diameter sigma the density, whatever their number", () => {
  for (const particles of [1, 16, 36, 64]) {
    const { halfBox } = new LennardJonesFluid({ particles, sigma: 1.2, density: 0.7 });
    assertAlmostEquals(particles * 1.2 ** 2 / (2 * halfBox + 1.2) ** 2, 0.7, 1e-14);
  }
});

Deno.test("LennardJonesFluid's sites form a square grid inside the walls, x slow", () => {
  const { sites, halfBox, referencePositions } = liquid;
  assertEquals(sites.length, 32);
  assertEquals(referencePositions, sites);
  assert(sites.every((value) => Math.abs(value) < halfBox));
  const spacing = (2 * halfBox + 1) / 4;
  [sites[2] - sites[0], sites[3] - sites[1], sites[8] - sites[0], sites[9] - sites[1]].forEach((value, k) =>
    assertAlmostEquals(value, [0, spacing, spacing, 0][k], 1e-14)
  );
  assertAlmostEquals(sites.reduce((sum, value) => sum + value, 0), 0, 1e-14);
});

Deno.test("LennardJonesFluid.energyAndGradient equals central differences", () => {
  for (const fluid of [liquid, discs]) {
    const x = shakenSites(fluid, 1, 0.1);
    const { energy, gradient } = fluid.energyAndGradient(x);
    assertAlmostEquals(energy[0], fluid.energy(x)[0], 1e-11);
    const h = 1e-5;
    gradient.forEach((g, k) => {
      const at = (shift: number) => fluid.energy(x.map((value, i) => i === k ? value + shift : value))[0];
      // Third derivatives are below 1e5 here: h² 1e5/6; rounding: 1e-13/h.
      assertAlmostEquals((at(h) - at(-h)) / (2 * h), g, 1e-6 * Math.abs(g) + 1e-5);
    });
  }
});

Deno.test("LennardJonesFluid's energy does not change under relabelling; canonicalize reaches the domain and stays", () => {
  for (const fluid of [liquid, discs, new LennardJonesFluid({ particles: 9 })]) {
    const x = Float64Array.of(...shakenSites(fluid, 30, 0.4), ...scatteredParticles(fluid, 30));
    const before = fluid.energy(x);
    const canonical = fluid.canonicalize(x);
    assert(fluid.inDomain(x).includes(0), "labels must have needed a change");
    assert(fluid.inDomain(canonical).every((inside) => inside === 1));
    assertEquals(fluid.canonicalize(canonical), canonical);
    fluid.energy(canonical).forEach((u, s) => assert(Math.abs(u - before[s]) <= 1e-11 * (Math.abs(u) + 100)));
    const exchanged = canonical.slice(0, fluid.dim);
    exchanged.set(canonical.subarray(2, 4), 0);
    exchanged.set(canonical.subarray(0, 2), 2);
    assertEquals([...fluid.inDomain(exchanged)], [0]);
    assertEquals(fluid.canonicalize(exchanged), canonical.slice(0, fluid.dim));
    exchanged[5] = Infinity;
    assertEquals([...fluid.inDomain(exchanged)], [0]);
  }
});

Deno.test("LennardJonesFluid's terms add up to its energy but for pairs beyond the cutoff", () => {
  for (const fluid of [liquid, discs]) {
    const x = shakenSites(fluid, 8, 0.1);
    fluid.energy(x).forEach((energy, s) => {
      const at = (k: number) => x[s * fluid.dim + k];
      let sum = 0;
      for (let i = 0; i < fluid.particles; i++) {
        for (const axis of [0, 1]) sum += fluid.oneBodyEnergy(i, axis, at(2 * i + axis));
        for (let j = 0; j < i; j++) {
          sum += fluid.pairTerm(i, j)!.energy(Math.hypot(at(2 * i) - at(2 * j), at(2 * i + 1) - at(2 * j + 1)));
        }
      }
      assert(Math.abs(energy - sum) < 120 * 0.003 + 1e-9 * energy, `${sum} instead of ${energy}`);
    });
  }
  assertAlmostEquals(liquid.pairTerm(0, 1)!.cutoff, 3.32, 0.005);
  assertAlmostEquals(discs.pairTerm(0, 1)!.cutoff, 1.62, 0.005);
  assertEquals(liquid.withCoupling(0).pairTerm(0, 1), null);
});

Deno.test("LennardJonesFluid.withCoupling scales pair energies and nothing else", () => {
  const x = scatteredParticles(liquid, 5);
  const [all, none, half] = [1, 0, 0.5].map((coupling) => liquid.withCoupling(coupling).energy(x));
  const pairs = liquid.pairEnergy(x);
  assertEquals(all, liquid.energy(x));
  const close = (a: number, b: number, size: number) => assert(Math.abs(a - b) <= 1e-12 * (Math.abs(size) + 1000));
  all.forEach((u, s) => {
    close(u - none[s], pairs[s], u);
    close(half[s] - none[s], pairs[s] / 2, u);
  });
  const given = new LennardJonesFluid({ particles: 2, density: 0.3, sites: TWO_SITES }).withCoupling(0.25);
  assertEquals([...given.sites], [...TWO_SITES]);
  assertEquals(given.parameters.attraction, 1);
});

Deno.test("LennardJonesFluid.idealLogPartition equals the integral without pair energies", () => {
  const gas = new LennardJonesFluid({ particles: 2, density: 0.3, repulsion: 0, attraction: 0, sites: TWO_SITES });
  for (const temperature of [0.5, 2]) {
    // The trapezoid rule leaves out the point where the particles coincide: ln (1 − step² g(0)²/Z), and its own h⁴.
    const { logPartition } = integrateTwoParticles(gas, temperature, 0, 0.005);
    assertAlmostEquals(gas.idealLogPartition(temperature), logPartition, 2e-5);
  }
});

/** All symmetries of a square keep the energy and the reference domain, and are a group. */
function assertSymmetries(fluid: LennardJonesFluid, operations: readonly SymmetryOperation[]): void {
  const x = fluid.canonicalize(Float64Array.of(...shakenSites(fluid, 20, 0.2), ...scatteredParticles(fluid, 20)));
  requireSymmetries(fluid, operations, x, { tolerance: 1e-11 });
  symmetryGroup(operations, fluid.dim);
}

Deno.test("fluidSymmetries are the seven symmetries of a square beside the identity", () => {
  for (const fluid of [liquid, discs, new LennardJonesFluid({ particles: 9, density: 0.5 })]) {
    const operations = fluidSymmetries(fluid);
    assertEquals(operations.length, 7);
    assertSymmetries(fluid, operations);
    // The particle at a corner goes to each corner twice, and to no other place.
    const corners = operations.map(({ from }) => from.findIndex((source) => source < 2) >> 1).sort((a, b) => a - b);
    const side = Math.sqrt(fluid.particles);
    const expected = [0, side - 1, fluid.particles - side, fluid.particles - 1].flatMap((corner) => [corner, corner]);
    assertEquals(corners, expected.slice(1));
  }
});

Deno.test("the law of symmetries rejects exchanged axes without labels, a wrong sign, and an incomplete list", () => {
  const operations = fluidSymmetries(liquid);
  const quarterTurn = operations.findIndex(({ from, signs }) => from[0] % 2 === 1 && signs[0] !== signs[1]);
  const { from, signs } = operations[quarterTurn];
  const spoilt: SymmetryOperation[] = [
    { from: from.map((_, i) => i ^ 1), signs },
    { from, signs: signs.map((sign, i) => i === 3 ? -sign : sign) },
    { from: from.map((_, i) => from[i ^ 1]), signs },
  ];
  for (const wrong of spoilt) {
    assertThrows(() => assertSymmetries(liquid, operations.with(quarterTurn, wrong)), RangeError);
  }
  assertThrows(() => assertSymmetries(liquid, operations.toSpliced(quarterTurn, 1)), RangeError);
});

Deno.test("fluidSymmetries leave out what does not map a user's sites onto themselves", () => {
  const make = (...sites: number[]) =>
    new LennardJonesFluid({ particles: sites.length / 2, density: 0.1, sites: Float64Array.from(sites) });
  const two = make(...TWO_SITES);
  assertEquals(fluidSymmetries(two).length, 3);
  assertSymmetries(two, fluidSymmetries(two));
  // Four sites on a pinwheel: turns, but no mirrors.
  const pinwheel = make(1, 0.3, -0.3, 1, -1, -0.3, 0.3, -1);
  assertEquals(fluidSymmetries(pinwheel).length, 3);
  assertSymmetries(pinwheel, fluidSymmetries(pinwheel));
  assertEquals(fluidSymmetries(make(1, 0.3, -0.2, 0.5)), []);
});

Deno.test("LennardJonesFluid says what is wrong", () => {
  const what = "Cannot make a LennardJonesFluid:";
  const cases: [ConstructorParameters<typeof LennardJonesFluid>[0], string][] = [
    [{ preset: "gas" as "liquid" }, `${what} preset must be one of liquid, soft-discs, got gas`],
    [{ particles: 2.5 }, `${what} particles must be a whole number from 1 to 400, got 2.5`],
    [{ sigma: 0 }, `${what} sigma must be positive, got 0`],
    [{ attraction: -1 }, `${what} attraction must not be negative, got -1`],
    [
      { particles: 4, density: 4 },
      `${what} density must be below the number of particles 4, got 4: the box would have no width`,
    ],
    [
      { repulsion: 0 },
      `${what} attraction must be 0 where nothing repels, got 4: the energy would have no lower bound`,
    ],
    [
      { particles: 5 },
      `${what} particles must be a square number where no sites are given, got 5: pass sites, a Float64Array [particles, 2]`,
    ],
    [{ sites: TWO_SITES }, `${what} sites must be a Float64Array of 32 finite numbers, got 4 numbers`],
  ];
  for (const [options, message] of cases) {
    assertEquals(assertThrows(() => new LennardJonesFluid(options), RangeError).message, message);
  }
  assertThrows(() => liquid.energy(new Float64Array(31)), RangeError, "a multiple of dim = 32, got 31");
  assertThrows(() => liquid.withCoupling(-1), RangeError, "Cannot couple particles: coupling must be a number ≥ 0");
  assertThrows(() => liquid.idealLogPartition(0), RangeError, "temperature must be a positive number, got 0");
});
